/** Packets to bytes and back: both dialects, every type, up to the limits. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  ageOf,
  encode,
  MAX_AGE_MS,
  MAX_CLASSIC_BYTES,
  MAX_DATA_BYTES,
  MAX_DATAGRAM_BYTES,
  MAX_FILE_NAME_BYTES,
  MAX_SACK_DELAY_MS,
  MAX_SACK_RANGES,
  MAX_TEXT_BYTES,
  type Packet,
  type V1Packet,
} from "../protocol.ts";
import { MAX_NAME_CHARACTERS } from "../protocol/names.ts";
import { byteLength } from "../protocol/utf8.ts";
import { CLASSIC, V1 } from "./support/any_packet.ts";
import { packetOf, reasonOf } from "./support/packets.ts";

for (const [type, packets] of [...Object.entries(V1), ...Object.entries(CLASSIC)]) {
  const dialect = packets === V1[type as V1Packet["type"]] ? `${type}/1` : `classic ${type}`;
  Deno.test(`${dialect}: what is encoded decodes to the same, within the limit`, () => {
    fc.assert(fc.property(packets as fc.Arbitrary<Packet>, (packet) => {
      const bytes = encode(packet);
      assert(bytes.length <= MAX_DATAGRAM_BYTES);
      assertEquals(packetOf(bytes), packet);
    }));
  });
}

const MAX = Number.MAX_SAFE_INTEGER;
const HEX = "f".repeat(16);
const NAME = "𝒜".repeat(MAX_NAME_CHARACTERS);
const ADDRESS = "[0000:0000:0000:0000:0000:ffff:255.255.255.255%enp0s31f6.40960]:65535";
/** As many as fit into a page. */
const NAMES = Array.from("abcdefgh", (letter) => letter + NAME.slice(2));
const TEXT = "😀".repeat(MAX_TEXT_BYTES / 4);
const MEMBER = { address: ADDRESS, name: NAME };
const EVENT = { token: HEX, epoch: HEX, seq: MAX, at: MAX };

const KEY = HEX.repeat(4);
const PROOF = { nonce: HEX.repeat(2), cnonce: HEX.repeat(2), proof: KEY };

/** As many as may be there, each as long as it may be. */
const RANGES = Array.from({ length: MAX_SACK_RANGES }, (_, i) => ({ from: MAX - 3 * i - 1, to: MAX - 3 * i }));

/** The longest packet of each type: every field there, and each as long as it may be. */
const LONGEST: { [T in V1Packet["type"]]: Omit<Extract<V1Packet, { type: T }>, "dialect" | "type"> } = {
  "GREETING": { id: MAX, token: HEX, cookie: HEX, loss: 100 },
  "SIGN-IN": { id: MAX, token: HEX, cookie: HEX, loss: 100, name: NAME, ...PROOF },
  "RESEND": { token: HEX, loss: 100, epoch: HEX, from: MAX, to: MAX },
  "LIST": { id: MAX, token: HEX, after: NAME },
  "LOOKUP": { id: MAX, token: HEX, name: NAME },
  "LEAVE": { id: MAX, token: HEX },
  "RELAY": {
    token: HEX,
    address: ADDRESS,
    name: NAME,
    packet: {
      dialect: "v1",
      type: "MESSAGE",
      pass: HEX,
      stream: HEX,
      id: MAX,
      first: MAX,
      age: MAX_AGE_MS,
      action: true,
      text: TEXT,
    },
  },
  "MESSAGE": { token: HEX, pass: HEX, stream: HEX, id: MAX, first: MAX, age: MAX_AGE_MS, action: true, text: TEXT },
  "ACK": { token: HEX, pass: HEX, stream: HEX, id: MAX, epoch: HEX, seq: MAX },
  "INCOMING": { ...EVENT, from: ADDRESS, name: NAME, stream: HEX, id: MAX, action: true, text: TEXT },
  "ONLINE": { ...EVENT, members: Array(5).fill(MEMBER) },
  "OFFLINE": { ...EVENT, members: Array(5).fill(MEMBER) },
  "RENAMED": { ...EVENT, members: Array(3).fill({ ...MEMBER, before: NAME }) },
  "NOTICE": { ...EVENT, text: TEXT },
  "REGISTER": { id: MAX, token: HEX, key: KEY, sealed: HEX.repeat(12), ...PROOF },
  "UNREGISTER": { id: MAX, token: HEX, ...PROOF },
  "COMMAND": { id: MAX, token: HEX, text: TEXT },
  "CHALLENGE": {
    id: MAX,
    token: HEX,
    address: ADDRESS,
    salt: HEX.repeat(2),
    rounds: MAX,
    nonce: HEX.repeat(2),
    key: KEY,
  },
  "REPLY": { id: MAX, token: HEX, verifier: KEY, text: TEXT },
  "RETRY": { id: MAX, cookie: HEX },
  "WELCOME": {
    id: MAX,
    address: ADDRESS,
    token: HEX,
    epoch: HEX,
    seq: MAX,
    name: NAME,
    keepalive: MAX,
    noecho: true,
    join: ADDRESS,
    verifier: KEY,
    operator: true,
    topic: "😀".repeat(75),
  },
  "HELD": { token: HEX, stream: HEX, id: MAX, wait: MAX },
  "HEARTBEAT": { token: HEX, epoch: HEX, seq: MAX },
  "GONE": { token: HEX, epoch: HEX, from: MAX, to: MAX },
  "USERS": { id: MAX, token: HEX, total: MAX, unnamed: MAX, more: true, names: NAMES, onlyRelayed: NAMES },
  "PEER": {
    id: MAX,
    token: HEX,
    address: ADDRESS,
    name: NAME,
    since: MAX,
    pass: HEX,
    classic: true,
    relay: true,
    norelay: true,
    rate: MAX,
    transport: "a".repeat(32),
    registered: true,
    operator: true,
  },
  "PUNCH": { token: HEX, address: ADDRESS, name: NAME, pass: HEX },
  "ERROR": { token: HEX, code: "a".repeat(32), id: MAX, stream: HEX, text: TEXT },
  "CLOSING": { epoch: HEX },
  "OPEN": { pass: HEX, id: MAX },
  "OFFER": { pass: HEX, file: HEX, size: MAX, hash: KEY, text: "é".repeat((MAX_FILE_NAME_BYTES - 1) / 2) + "e" },
  "DATA": { pass: HEX, file: HEX, id: MAX, offset: MAX, octets: new Uint8Array(MAX_DATA_BYTES).fill(0xff) },
  "SACK": { pass: HEX, file: HEX, next: MAX, room: MAX, ids: RANGES, delay: MAX_SACK_DELAY_MS },
  "END": { pass: HEX, file: HEX, code: "a".repeat(32) },
};
const longest = Object.entries(LONGEST).map(([type, rest]) => ({ dialect: "v1", type, ...rest }) as V1Packet);

Deno.test("the longest packet of each v1 type fits into a datagram and comes back the same", () => {
  for (const packet of longest) {
    const bytes = encode(packet);
    assert(bytes.length <= MAX_DATAGRAM_BYTES, `${packet.type}: ${bytes.length} bytes`);
    assertEquals(packetOf(bytes), packet);
  }
});

Deno.test("the longest packets about files fit into a datagram in a RELAY too", () => {
  for (
    const { dialect: _, ...packet } of longest.filter(({ type }) => ["OFFER", "DATA", "SACK", "END"].includes(type))
  ) {
    const relay = { dialect: "v1", type: "RELAY", token: HEX, address: ADDRESS, packet: { dialect: "v1", ...packet } };
    const name = packet.type === "OFFER" ? { name: NAME } : {};
    const bytes = encode({ ...relay, ...name } as V1Packet);
    assert(bytes.length <= MAX_DATAGRAM_BYTES, `${packet.type}: ${bytes.length} bytes`);
    assertEquals(packetOf(bytes), { ...relay, ...name } as V1Packet);
  }
});

Deno.test("the octets of a DATA are taken as they are, also in a RELAY, and are not those of the next datagram", () => {
  const octets = Uint8Array.from({ length: 256 }, (_, i) => i);
  const data = { dialect: "v1", type: "DATA", pass: HEX, file: HEX, id: 1, offset: 0, octets } as const;
  for (const packet of [data, { dialect: "v1", type: "RELAY", token: HEX, address: ADDRESS, packet: data } as const]) {
    const bytes = encode(packet), decoded = packetOf(bytes);
    bytes.fill(0);
    assertEquals(decoded, packet);
  }
});

Deno.test("the longest text leaves no room for a longer one", () => {
  const incoming = longest.find(({ type }) => type === "INCOMING")!;
  const spare = MAX_DATAGRAM_BYTES - encode(incoming).length;
  assert(spare >= 0 && spare < 4, `${spare} bytes to spare`);
});

// ---- limits

Deno.test("encode: refuses what is over the limits", () => {
  const message = { dialect: "v1", type: "MESSAGE", stream: HEX, id: 1 } as const;
  assertThrows(() => encode({ ...message, text: "a".repeat(MAX_TEXT_BYTES + 1) }), RangeError, "MESSAGE");
  assertThrows(
    () => encode({ dialect: "classic", type: "MESSAGE", text: "é".repeat(MAX_TEXT_BYTES / 2 + 1) }),
    RangeError,
  );
  assertThrows(
    () => encode({ dialect: "v1", type: "ERROR", token: HEX, code: "x", text: "a".repeat(1300) }),
    RangeError,
  );
  assertThrows(() => encode({ dialect: "classic", type: "INCOMING", line: "a".repeat(1300) }), RangeError);
});

Deno.test("decode: takes classic datagrams up to 4096 bytes, v1 up to 1232", () => {
  const classic = `MESSAGE ${"a".repeat(MAX_CLASSIC_BYTES - 8)}`;
  assertEquals(packetOf(classic).type, "MESSAGE");
  assertEquals(reasonOf(`${classic}a`), "it is too long: 4097 bytes, at most 4096");
  const v1 = `ERROR/1 token=${HEX} code=x\n${"a".repeat(MAX_DATAGRAM_BYTES - 38)}`;
  assertEquals(packetOf(v1).type, "ERROR");
  assertEquals(reasonOf(`${v1}a`), "it is too long: 1233 bytes, at most 1232");
  const message = `MESSAGE/1 stream=${HEX} id=1\n`;
  assertEquals(packetOf(message + "a".repeat(MAX_TEXT_BYTES)).type, "MESSAGE");
  assertEquals(reasonOf(message + "a".repeat(MAX_TEXT_BYTES + 1)), "the text is too long: 857 bytes, at most 856");
});

Deno.test("byteLength: bytes of UTF-8", () => assertEquals(byteLength("aé語😀"), 10));

Deno.test("the age of a message: whole milliseconds, nothing for none, and no more than a MESSAGE tells", () => {
  const ages = [1000, 1000.9, 1001, 2000.7, 999, 100_998, 100_999, 101_000, 1e9].map((now) => ageOf(1000, now).age);
  const none = undefined;
  assertEquals(ages, [none, none, 1, 1000, none, 99_998, MAX_AGE_MS, MAX_AGE_MS, MAX_AGE_MS]);
});
