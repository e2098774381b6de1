/** The classic dialect as other people's programs write it. */
import { assertEquals } from "@std/assert";
import { decode, type Packet } from "../../protocol.ts";
import { bytesOf, packetOf, reasonOf } from "../support/packets.ts";

Deno.test("classic: what the assignment's programs and nc send", () => {
  const message = (text: string) => ({ dialect: "classic", type: "MESSAGE", text }) as const;
  const incoming: Packet = { dialect: "classic", type: "INCOMING", line: "<From 1.2.3.4:5>: x" };
  const spellings: [string, Packet][] = [
    ["MESSAGEhello", message("hello")],
    ["MESSAGE hello", message("hello")],
    ["MESSAGE hello\n", message("hello")],
    ["MESSAGE hello\r\n", message("hello")],
    ["MESSAGE hello\n\0\0\0", message("hello")],
    ["MESSAGE  indented", message(" indented")],
    ["MESSAGE two\nlines\n", message("two\nlines")],
    ["MESSAGE:hello", { ...message(":hello"), afterColon: "hello" }],
    ["MESSAGE: hello", { ...message(": hello"), afterColon: "hello" }],
    ["MESSAGE::-)", { ...message("::-)"), afterColon: ":-)" }],
    ["MESSAGE :-)", message(":-)")],
    ["\n MESSAGE hello", message("hello")],
    ["MESSAGEs are nice", message("s are nice")],
    ["message hello", { ...message("hello"), loose: true }],
    ["message\thello", { ...message("hello"), loose: true }],
    ["Message: hello\n", { ...message(": hello"), afterColon: "hello", loose: true }],
    ["GREETING", { dialect: "classic", type: "GREETING", line: false }],
    ["GREETING\0", { dialect: "classic", type: "GREETING", line: false }],
    ["GREETING ", { dialect: "classic", type: "GREETING", line: false }],
    ["GREETING\n", { dialect: "classic", type: "GREETING", line: true }],
    ["GREETING\r\n", { dialect: "classic", type: "GREETING", line: true }],
    ["GREETING hello", { dialect: "classic", type: "GREETING", line: false }],
    ["GREETINGAlice\n", { dialect: "classic", type: "GREETING", line: true }],
    ["GREETING\nAlice", { dialect: "classic", type: "GREETING", line: false }],
    ["GREETING\0junk", { dialect: "classic", type: "GREETING", line: false }],
    ["GREETINGS", { dialect: "classic", type: "GREETING", line: false }],
    ["Greeting: Alice\n", { dialect: "classic", type: "GREETING", line: true, text: "Greeting: Alice" }],
    [" greetings from Rome\0", { dialect: "classic", type: "GREETING", line: false, text: " greetings from Rome" }],
    ["greeting \x07", { dialect: "classic", type: "GREETING", line: false }],
    ["greeting: \n", { dialect: "classic", type: "GREETING", line: true }],
    ["greetings", { dialect: "classic", type: "GREETING", line: false }],
    ["INCOMING<From 1.2.3.4:5>: x", incoming],
    ["INCOMING <From 1.2.3.4:5>: x", incoming],
    ["INCOMING <From 1.2.3.4:5>: x\n", incoming],
    ["SIGN-IN Alice", { dialect: "classic", type: "SIGN-IN", name: "Alice" }],
    ["SIGN-IN Alice\n", { dialect: "classic", type: "SIGN-IN", name: "Alice" }],
    ["SIGN-IN:Alice", { dialect: "classic", type: "SIGN-IN", name: "Alice" }],
    ["SIGN-IN: Alice", { dialect: "classic", type: "SIGN-IN", name: "Alice" }],
    ["SIGNIN Alice", { dialect: "classic", type: "SIGN-IN", name: "Alice", loose: true }],
    ["SIGN-IN no name", { dialect: "classic", type: "SIGN-IN", name: "no name" }],
    ["sign-in Zoë\n", { dialect: "classic", type: "SIGN-IN", name: "Zoë", loose: true }],
    ["LIST", { dialect: "classic", type: "LIST" }],
    ["list\r\n", { dialect: "classic", type: "LIST", loose: true }],
    ["List:", { dialect: "classic", type: "LIST", loose: true }],
    ["LIST\n", { dialect: "classic", type: "LIST" }],
  ];
  for (const [datagram, packet] of spellings) assertEquals(packetOf(datagram), packet);
});

Deno.test("classic: a text without a word is a packet of its own, and sentences are no words", () => {
  const texts = [
    "hello",
    " hello",
    "messages are nice",
    "messagehello",
    "message",
    "message: ",
    "list of things",
    "LISTEN",
  ];
  texts.push(
    "listen",
    "sign-in is broken",
    "signing off",
    "SIGNING OFF",
    "SIGNIN",
    "SIGNIN IS BROKEN",
    "greetings, all",
    "TCP/IP",
    "24/7",
    "two\nlines",
  );
  texts.push("ROOM 1 is free", "only INCOMING", "a sum=0123abc", "caf\u00e9\t\u{1f600}");
  for (const text of texts) assertEquals(packetOf(`${text}\r\n\0`), { dialect: "classic", type: "TEXT", text });
});

Deno.test("classic: datagrams that are no packet, and why", () => {
  const words = "(MESSAGE, GREETING, SIGN-IN, LIST)";
  const reasons: [string, string][] = [
    ["", "there is nothing in it"],
    [" \r\n\0\0", "there is nothing in it"],
    ["MESSAGE", "MESSAGE without a text"],
    ["MESSAGE \n", "MESSAGE without a text"],
    ["SIGN-IN \n", "SIGN-IN takes a name, as in: SIGN-IN Alice"],
    ["SIGN-INAlice", "SIGN-IN takes a name, as in: SIGN-IN Alice"],
    ["LIST all", "LIST takes no text"],
    ["hello\x1b[2J", `no word of the protocol ${words}, but control characters`],
    ["incoming call", "INCOMING is what only a server sends"],
    [" Incoming<From 1.2.3.4:5>: x", "INCOMING is what only a server sends"],
    ["1.2.3.4:5 says: INCOMING <from 1.2.3.4:6>: x", "only a server sends <From"],
    ["Message from 1.2.3.4:5: INCOMING <From 1.2.3.4:6>: x", "only a server sends <From"],
    ["Signed in as Alice", "only a server sends this answer"],
    ["Signed In Users: Alice", "only a server sends this answer"],
    ["message/1 id=7", "a packet of version 1 begins with its word in capital letters"],
    [" MESSAGE/1 id=7\nx", "a packet of version 1 begins with its word in capital letters"],
    ["Hello/2", "a packet of version 1 begins with its word in capital letters"],
    ["PEER 1 id=7", "damaged on the way"],
    ["so be it sum=0123abcd", "damaged on the way"],
  ];
  for (const [datagram, reason] of reasons) assertEquals(reasonOf(datagram), reason, datagram);
  assertEquals(decode(Uint8Array.of(0x63, 0xe9)), {
    ok: false,
    reason: `neither a word of the protocol ${words} nor UTF-8`,
  });
});

Deno.test("classic: a text with bytes that are not UTF-8 is accepted", () => {
  const bytes = Uint8Array.from([...bytesOf("MESSAGE caf"), 0xe9]);
  assertEquals(packetOf(bytes), { dialect: "classic", type: "MESSAGE", text: "caf\ufffd" });
});

Deno.test("classic: a datagram of NULs or white space costs no more than another", () => {
  const noise = ["\0", " ", "\n", "\r", "\n\0", ": "].map((part) => part.repeat(4000 / part.length));
  for (const part of noise) {
    for (const word of ["MESSAGE", "GREETING", "SIGN-IN", "LIST", "sign-in ", "signin:x", "list", "message", "so"]) {
      decode(bytesOf(`${word}${part}x`));
      decode(bytesOf(`${part}${word}`));
      decode(bytesOf(`${word}${part}`));
    }
  }
  assertEquals(packetOf(`MESSAGE${"\0".repeat(4000)}x`).type, "MESSAGE");
});
