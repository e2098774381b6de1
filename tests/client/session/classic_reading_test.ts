/** What a client reads from a server, whoever has written that server. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeReply } from "../../../client/session/classic_reading.ts";
import { decode, encode, type V1Packet } from "../../../protocol.ts";
import { EPOCH, incoming, TOKEN, WELCOME } from "../../support/fake_session.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** The line that is shown for a datagram; undefined if none is. */
function lineOf(datagram: string | Uint8Array): string | undefined {
  const decoded = decodeReply(typeof datagram === "string" ? bytesOf(datagram) : datagram);
  if (!decoded.ok || decoded.packet.dialect === "v1" || decoded.packet.type !== "INCOMING") return undefined;
  return decoded.packet.line;
}

Deno.test("classic reading: the line in each form that servers use", () => {
  const line = "<From 1.2.3.4:5>: hi";
  for (const word of ["INCOMING ", "INCOMING", "INCOMING:", "INCOMING: ", "Incoming: ", "incoming:", "Incoming ", ""]) {
    assertEquals(lineOf(word + line), line, word);
  }
  for (const end of ["\n", "\r\n", "\0", "\n\0\0\0", "\0\n", "\n\n"]) {
    assertEquals([lineOf(`INCOMING ${line}${end}`), lineOf(`hi${end}`)], [line, "hi"], JSON.stringify(end));
  }
  assertEquals(["MESSAGE hi", "MESSAGE: hi", "MESSAGE:hi"].map(lineOf), ["hi", "hi", "hi"]);
});

Deno.test("classic reading: bare text is shown as it is, words that others send to a server are not", () => {
  const texts = [
    "hello there",
    "  two blanks",
    "Incoming calls: 2",
    "MESSAGES: none",
    "10/12 is a date",
    "+1",
    "ä",
    "w/2 f",
  ];
  for (const text of texts) assertEquals(lineOf(text), text);
  for (const text of ["", " ", "\n", "\0\0", "GREETING", "GREETING\n", "LIST", "SIGN-IN Bob"]) {
    assertEquals(lineOf(text), undefined, JSON.stringify(text));
  }
  assertEquals([lineOf("x".repeat(4096))?.length, lineOf("x".repeat(4097))], [4096, undefined]);
});

const PACKETS: V1Packet[] = [
  { ...WELCOME, id: 7, digest: "0123456789abcdef0123456789abcdef" },
  { dialect: "v1", type: "RETRY", id: 7, cookie: TOKEN },
  incoming(3, { text: "hello" }),
  { dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq: 3 },
  { dialect: "v1", type: "ONLINE", epoch: EPOCH, seq: 3, at: 5, members: [{ address: "1.2.3.4:5", name: "Bob" }] },
  { dialect: "v1", type: "ACK", token: TOKEN, stream: TOKEN, id: 1 },
  { dialect: "v1", type: "MESSAGE", token: TOKEN, stream: TOKEN, id: 1, text: "secret" },
  { dialect: "v1", type: "ERROR", token: TOKEN, code: "not-joined", text: "Greet first" },
  { dialect: "v1", type: "CLOSING", epoch: EPOCH },
  { dialect: "v1", type: "GREETING", id: 7 },
  { dialect: "v1", type: "OPEN" },
];

Deno.test("classic reading: no packet of version 1 is shown with one byte changed, whichever and to whatever", () => {
  for (const packet of PACKETS) {
    const bytes = encode(packet);
    assertEquals(decodeReply(bytes), decode(bytes));
    for (let i = 0; i < bytes.length; i++) {
      for (let to = 0; to < 256; to++) {
        const damaged = bytes.slice();
        damaged[i] = to;
        const line = lineOf(damaged);
        assert(line === undefined, `${packet.type}, byte ${i} is ${to}: ${line}`);
      }
    }
  }
  // nor what comes from a program that sends no checksum
  for (const text of ["WELC0ME/1 id=5", "HEARTBEAT/2 epoch=5", "NEWS/1\nhello"]) assertEquals(lineOf(text), undefined);
});

Deno.test("classic reading: a greeting that a server shows to all is no line, unless somebody has typed it", () => {
  const packet: V1Packet = { dialect: "v1", type: "GREETING", id: 7 };
  const text = new TextDecoder().decode(encode(packet));
  for (const head of ["INCOMING <From 1.2.3.4:5>: ", "INCOMING ", "INCOMING: ", "<From 1.2.3.4:5>: "]) {
    assertEquals(decodeReply(bytesOf(`${head}${text}\n`)), decode(encode(packet)), head);
  }
  for (const typed of ["GREETING/1 id=100", text.replace("id=7", "id=8")]) {
    assertEquals(lineOf(`INCOMING <From 1.2.3.4:5>: ${typed}`), `<From 1.2.3.4:5>: ${typed}`);
  }
});

Deno.test("classic reading: any bytes at all are read without an exception", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => void decodeReply(bytes)), { seed: 1 });
});
