/** The room and the many ways in which programs of others write classic words; and what nobody has said. */
import { assert, assertEquals } from "@std/assert";
import { decode, V1_TYPES } from "../../../protocol.ts";
import { textOf } from "../../support/fake_delivery.ts";
import { FakeRoom, ignoredBy, to } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

const A = "127.0.0.1:40001", B = "127.0.0.1:40002", C = "127.0.0.1:40003";

/** A room in which A and B have greeted, and nobody is slowed down. */
function openRoom(): FakeRoom {
  const room = new FakeRoom({ rate: { rate: 0, burst: 0 } });
  for (const member of [A, B]) room.datagram(member, "GREETING");
  return room;
}

/** What B gets for datagrams of A, without what stands before the texts. */
function heard(room: FakeRoom, ...datagrams: string[]): string[] {
  return datagrams.flatMap((datagram) => to(room.datagram(A, datagram), B))
    .map((sent) => textOf(sent).replace(`INCOMING <From ${A}>: `, ""));
}

Deno.test("classic words: a colon belongs to the word until a MESSAGE has none", () => {
  const room = openRoom();
  assertEquals(heard(room, "MESSAGE:hello", "MESSAGE: hello", "MESSAGE::-)", "MESSAGE:"), ["hello", "hello", ":-)"]);
  assertEquals(heard(room, "no word: here", "MESSAGE: still"), ["no word: here", "still"]);
  assertEquals(heard(room, "MESSAGE :-)", "MESSAGE:-)", "MESSAGE: x", "MESSAGE:"), [":-)", ":-)", ": x", ":"]);
  assertEquals(to(room.datagram(B, "message: hello"), A).map(textOf), [`INCOMING <From ${B}>: hello`]);
  assertEquals(ignoredBy(room.room), { "no-packet": 1 });
});

Deno.test("classic words: a program that puts nothing between the word and the text keeps its colons", () => {
  const room = openRoom();
  assertEquals(heard(room, "MESSAGEhello", "MESSAGE:-)", "MESSAGE::-)"), ["hello", ":-)", "::-)"]);
});

Deno.test("classic words: whatever stands behind it, a greeting lets in; the words may have any case", () => {
  for (const greeting of ["GREETING hello", "GREETINGBob", "GREETING\nBob", "GREETINGS", "Greeting", "greeting: Bob"]) {
    const room = openRoom();
    room.datagram(C, greeting);
    assertEquals(to(room.datagram(A, "message hi"), C).map(textOf), [`INCOMING <From ${A}>: hi`], greeting);
  }
  const room = openRoom();
  for (const word of ["sign-in Zoë", "SIGN-IN:Zoë", "SIGN-IN: Zoë", "SIGNIN Zoë"]) {
    assertEquals(room.datagram(A, word).map(textOf), ["INCOMING Signed in as Zoë"], word);
    room.pass(2000);
    assertEquals(room.datagram(A, "list\n").map(textOf), ["INCOMING Signed In Users: Zoë (and 1 unnamed)"]);
  }
});

Deno.test("classic words: a sentence that begins with a greeting is said by who has greeted, and greets of who has not", () => {
  const room = openRoom();
  assertEquals(heard(room, "Greeting everyone!", "greetings from Rome", "Greetings", "GREETING all", "greeting:"), [
    "Greeting everyone!",
    "greetings from Rome",
  ]);
  // it may be an answer of a program, like any text without a word
  assertEquals(heard(room, "Greeting everyone!"), []);
  assertEquals(ignoredBy(room.room), { "said-again": 1 });
  assertEquals(room.datagram(C, "Greeting everyone!"), []);
  assertEquals(to(room.datagram(A, "MESSAGE hi"), C).length, 1);
});

/** All that is sent for datagrams of A, as who gets what. */
function answered(room: FakeRoom, ...datagrams: string[]): string[] {
  return datagrams.flatMap((text) => room.datagram(A, text)).map((sent) =>
    `${sent.to === A ? "" : `${sent.to} `}${textOf(sent)}`
  );
}

Deno.test("classic words: a command without a word is said to nobody, and answered to its sender alone", () => {
  const room = openRoom();
  const nobody = (command: string) =>
    `INCOMING Nobody got this: there is no ${command} over UDP without our client; MESSAGE says it to everyone`;
  assertEquals(answered(room, "/send Alice secret\n", "  /MSG Alice secret", "/me waves", "/whois Alice", "/send"), [
    ...["/send", "/MSG", "/me", "/whois", "/send"].map(nobody),
  ]);
  assertEquals(answered(room, "/help", "/list", "/name", "/name Carole", "/names", "/quit", "help", "?"), [
    "INCOMING MESSAGE TEXT says it to everyone, SIGN-IN NAME takes a name, LIST tells the names",
    "INCOMING Signed In Users: none (and 2 unnamed)",
    "INCOMING /name takes NAME",
    "INCOMING Signed in as Carole",
    "INCOMING Signed In Users: Carole (and 1 unnamed)",
    "INCOMING There is no goodbye over UDP: just end your program",
    ...["help", "?"].map(() =>
      "INCOMING MESSAGE TEXT says it to everyone, SIGN-IN NAME takes a name, LIST tells the names"
    ),
  ]);
  assertEquals(answered(room, "/foo bar", `/${"x".repeat(4000)}`, "send Bob secret", "SEND Bob secret", "send it"), [
    "INCOMING There is no command /foo: /help lists them. To say it, type //foo",
    "INCOMING There is no such command",
    ...["send", "SEND", "send"].map(nobody),
  ]);
  assertEquals([room.room.statistics.messages, ignoredBy(room.room)], [0, {}]);
  // with the word it is meant for all
  const said = heard(room, "MESSAGE /send Alice it", "MESSAGE send x y", "//send it", "24/7");
  assertEquals(said.map((line) => line.replace(/^.*>: /, "")), ["/send Alice it", "send x y", "/send it", "24/7"]);
});

Deno.test("classic words: who has no name says a sentence with send, but for one to somebody who is here", () => {
  const room = openRoom();
  assertEquals(heard(room, "send help, please", "send Bob a letter"), ["send help, please", "send Bob a letter"]);
  room.datagram(B, "SIGN-IN Bob");
  const [answer, ...others] = answered(room, "send bob another letter");
  assert(answer.startsWith("INCOMING Nobody got this"), answer);
  assertEquals(others, []);
});

Deno.test("classic words: quit is neither said nor a goodbye, since the address may be forged", () => {
  const room = openRoom();
  assertEquals(answered(room, "quit\n", "EXIT"), []);
  assertEquals(ignoredBy(room.room), { "no-goodbye": 2 });
  assertEquals([room.room.size, heard(room, "quit it")], [2, ["quit it"]]);
});

Deno.test("classic words: answers to commands are as few as those to LIST, and no stranger gets any", () => {
  const room = openRoom();
  assertEquals(room.datagram(C, "/help"), []);
  const commands = Array.from({ length: 200 }, (_, i) => `/foo${i} x`);
  assertEquals(answered(room, ...commands).length, 20);
  assertEquals(answered(room, "/list", "/name Zoe", "LIST"), []);
  room.pass(1000);
  assertEquals(answered(room, ...commands.map((command) => `${command}y`)).length, 2);
  // the bytes for one IP address, however many members it has
  const crowd = new FakeRoom(), members = Array.from({ length: 40 }, (_, i) => `127.0.0.1:${50_000 + i}`);
  for (const member of members) crowd.datagram(member, "GREETING");
  const sent = members.flatMap((member) => commands.flatMap((_, i) => crowd.datagram(member, `/send ${i} x`)));
  assertEquals(sent.length, Math.floor(16_000 / (textOf(sent[0]).length + 1)));
});

Deno.test("classic words: a text without a word is a message of who has greeted, and of nobody else", () => {
  const room = openRoom();
  const texts = ["hello", "messages are nice", "LISTEN", "24/7", "say <Fro m", "caf\u00e9"];
  assertEquals(heard(room, ...texts.map((text) => `${text}\n`)), texts);
  assertEquals(room.datagram(C, "hello"), []);
  const { token } = room.join(C);
  assertEquals(room.datagram(C, "forged"), []);
  assertEquals(room.say(C, token, 1, "genuine").length, 3);
  assertEquals(ignoredBy(room.room), { "not-joined": 1, "classic-at-v1": 1 });
});

Deno.test("classic words: what a server may have sent makes no message", () => {
  const room = openRoom();
  room.datagram(A, "SIGN-IN Alice");
  const own = [...room.datagram(B, "MESSAGE hello"), ...room.datagram(A, "LIST"), ...room.datagram(A, "SIGN-IN Alice")];
  assertEquals(own.length, 4);
  for (const datagram of own.map(textOf)) {
    // as it is, or without the word, as many programs print it
    for (const text of [datagram, datagram.slice(8), datagram.slice(9), datagram.toLowerCase()]) {
      assertEquals(heard(room, text, `  ${text}\n`), [], text);
    }
  }
  assertEquals(heard(room, "Unknown command: INCOMING <From 127.0.0.1:1>: x", "Message from B: <from x>"), []);
});

Deno.test("classic words: a program that answers all that it gets says each of its answers once", () => {
  // what it gets of its own words it answers too
  const answers = [
    ["Unknown command", "Try HELP"],
    ["message not understood"],
    ["sign-in first"],
    [
      "list",
      "Greetings",
    ],
    ["/help", "/list"],
    ["Greetings, all", "greetings to you", "quit"],
  ];
  for (const lines of answers) {
    const room = openRoom();
    let waiting = to(room.datagram(B, "MESSAGE hello"), A).length, sent = 0;
    for (; waiting > 0 && sent < 100; waiting--) {
      for (const line of lines) {
        waiting += to(room.datagram(A, line), A).length;
        sent++;
      }
    }
    assert(sent <= 3 * lines.length, `${sent}: ${lines}`);
  }
});

Deno.test("classic words: a person may say the same again, but without the word not at once", () => {
  const room = openRoom();
  assertEquals(heard(room, "ha", "ha", "MESSAGE ha", "MESSAGE ha"), ["ha", "ha", "ha"]);
  room.pass(1999);
  assertEquals(heard(room, "ha"), []);
  room.pass(2000);
  assertEquals(heard(room, "ha"), ["ha"]);
  // what is remembered has an end
  const lines = Array.from({ length: 100 }, (_, i) => `line ${i}`);
  assertEquals(heard(room, ...lines.map((line) => `message ${line}`)), lines);
  assertEquals(heard(room, "message line 99", "message line 0"), ["line 0"]);
});

Deno.test("classic words: text without a word may come ten times at once and twice a second, with it as --rate has it", () => {
  const room = openRoom(),
    said = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `OK ${from + i}`);
  assertEquals(heard(room, ...said(40)), said(10));
  assertEquals(ignoredBy(room.room), { "fast-messages": 30 });
  assertEquals(heard(room, ...said(40).map((text) => `MESSAGE ${text}`)).length, 40);
  let count = 0;
  for (let i = 0; i < 1000; i++) {
    room.pass(10);
    count += heard(room, `OK ${100 + i}`).length;
  }
  assertEquals(count, 20);
  // what is answered to its sender alone has limits of its own
  assertEquals(to(room.datagram(A, "/help"), A).length, 1);
});

/** One packet of each type of version 1, as our programs write it. */
const { packets: { good } } = JSON.parse(
  Deno.readTextFileSync(new URL("../../../docs/test_vectors.json", import.meta.url)),
) as { packets: { good: { datagram: unknown; canonical?: true; type: string }[] } };

Deno.test("classic words: a damaged version 1 packet from a classic member's address says nothing", () => {
  const room = openRoom();
  const say = (bytes: Uint8Array) => {
    const decoded = decode(bytes);
    if (decoded.ok) room.room.receive(decoded.packet, peerOf(A), room.now, bytes.length);
    assertEquals(room.room.statistics.messages, 0, new TextDecoder().decode(bytes));
  };
  for (const type of V1_TYPES) {
    const { datagram } = good.find((it) => it.type === `${type}/1` && it.canonical && typeof it.datagram === "string")!;
    for (const text of [datagram as string, (datagram as string).replace(/ sum=\w{8}/, "")]) {
      const bytes = new TextEncoder().encode(text);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        bytes[bit >> 3] ^= 1 << (bit & 7);
        say(bytes);
        bytes[bit >> 3] ^= 1 << (bit & 7);
      }
      for (let at = 0; at < Math.min(12, bytes.length); at++) {
        const before = bytes[at];
        for (let value = 0; value < 256; value++) {
          bytes[at] = value;
          say(bytes);
        }
        bytes[at] = before;
      }
    }
  }
});
