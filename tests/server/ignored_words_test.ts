/** The words for what the server ignores: each says what a client has to do otherwise. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { encode, type Packet } from "../../protocol.ts";
import { explain } from "../../server/ignored_words.ts";
import { type IgnoreReason, noneIgnored, type Remark } from "../../server/room/ignored.ts";

const TOKEN = "5f1c0d9a7be2e604", STREAM = "c07d5f3be8192a64";
const words = (reason: Remark["reason"], what: string | Packet, detail?: string) =>
  explain({ reason, detail }, {
    address: "10.0.0.7:52207",
    what: typeof what === "string" ? new TextEncoder().encode(what) : encode(what),
  });

Deno.test("ignored words: each reason has some of its own, for any bytes and for lines", () => {
  for (const what of ["", "MESSAGE hi", "\0\xff", "HELLO/1", "x".repeat(5000)]) {
    const texts = (Object.keys(noneIgnored()) as IgnoreReason[]).map((reason) => words(reason, what, "network"));
    assertEquals(new Set(texts).size, texts.length, texts.join("\n"));
    for (const text of texts) assertMatch(text, /^[^\n]{10,180}$/);
  }
  assertEquals(
    explain({ reason: "no-packet" }, { address: "10.0.0.7:1", what: "HELO you" }),
    "HELO is no word of the protocol",
  );
});

Deno.test("ignored words: what can't be read is told in the words of the decoder, also when it was refused at sight", () => {
  assertEquals(words("no-packet", "GREETING/1"), "the field id is missing");
  assertEquals(words("no-packet", "HELLO/1 id=7"), "HELLO/1 is no packet of version 1");
  assertEquals(words("no-packet", "MESSAGE:"), "MESSAGE without a text");
});

Deno.test("ignored words: to be greeted means something else in each dialect", () => {
  assertEquals(words("not-joined", "MESSAGE hi"), "no greeting came from this address before: send GREETING first");
  assertEquals(
    words("not-joined", "HELLO"),
    "HELLO is no greeting, and none has come from this address: send GREETING first",
  );
  const greeted = "10.0.0.7:52206", what = new TextEncoder().encode("MESSAGE hi");
  assertEquals(
    explain({ reason: "not-joined" }, { address: "10.0.0.7:52207", what, greeted }),
    "no greeting came from this address before: send GREETING first " +
      "(10.0.0.7:52206 has greeted: send everything from one socket)",
  );
  const list: Packet = { dialect: "v1", type: "LIST", id: 7, token: TOKEN };
  assertMatch(words("not-joined", list), /^no member with this token .*greet first, .*cookie of RETRY\/1$/);
});

Deno.test("ignored words: a packet of a server, or for a client, is named", () => {
  assertEquals(words("not-for-server", "INCOMING hi"), "no client sends INCOMING to a server");
  assertEquals(words("not-for-server", { dialect: "v1", type: "OPEN" }), "no client sends OPEN/1 to a server");
  const message: Packet = { dialect: "v1", type: "MESSAGE", stream: STREAM, id: 1, text: "hi" };
  assertMatch(words("not-for-server", message), /^a MESSAGE\/1 to the server has the member's token/);
});

Deno.test("ignored words: a classic client is told which flag would let it in, a held message what it waits for", () => {
  for (const [why, flag] of [["off", "--classic off"], ["network", "--classic 10.0.0.7"], ["members", "-members"]]) {
    assert(words("refused-classic", "GREETING", why).includes(flag), why);
  }
  assertEquals(words("held", "", "id 7"), "the message with the id=7 of this stream has to come first");
  assertMatch(words("held", "", "rate"), /--rate/);
});

Deno.test("ignored words: a greeting with a cookie that lets nobody in is told why", () => {
  assertMatch(words("cookie", "", "wrong"), /cookie is not that of this address/);
  assertMatch(words("cookie", "", "no-token"), /needs a token/);
});
