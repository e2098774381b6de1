/** Packets to bytes and back: both dialects, every type, and arbitrary bytes. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import * as zlib from "node:zlib";
import {
  ageOf,
  type ClassicPacket,
  decode,
  encode,
  MAX_AGE_MS,
  MAX_CLASSIC_BYTES,
  MAX_DATAGRAM_BYTES,
  MAX_TEXT_BYTES,
  type Packet,
  type V1Packet,
} from "../protocol.ts";
import { formatAddress } from "../protocol/fields.ts";
import { MAX_NAME_CHARACTERS, normalizeName } from "../protocol/names.ts";
import { crc32 } from "../protocol/crc32.ts";
import { byteLength, printable } from "../protocol/text.ts";
import { bytesOf, packetOf, reasonOf } from "./support/packets.ts";

type Of<P extends Packet, T extends P["type"]> = Extract<P, { type: T }>;

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

// ---- any packet

const number = fc.oneof(fc.nat(1000), fc.maxSafeNat());
const hex64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => value.toString(16).padStart(16, "0"));
/** So many bytes, as twice as many hexadecimal digits. */
const hexBytes = (bytes: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const age = fc.nat(MAX_AGE_MS);
const yes = fc.constant(true);
/** Up to 880 bytes: 220 code points of at most four. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 220 }),
  fc.string({ unit: "binary-ascii", maxLength: MAX_TEXT_BYTES, size: "max" }),
);
const someText = text.filter((text) => text !== "");
const name = fc.string({
  unit: fc.constantFrom(..."abzABZ09_-.éßЯ語٣क्षि𝒜", "e\u0301"),
  minLength: 1,
  maxLength: MAX_NAME_CHARACTERS,
}).map(normalizeName).filter((name) => name !== undefined);
const address = fc.record({ hostname: fc.oneof(fc.ipV4(), fc.ipV6()), port: fc.integer({ min: 1, max: 65535 }) })
  .map(formatAddress);
const range = fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()).map(([a, b]) => ({
  from: Math.max(1, Math.min(a, b)),
  to: Math.max(1, a, b),
}));
const members = fc.array(fc.record({ address, name }, { requiredKeys: ["address"] }), { maxLength: 5 });
const renamed = fc.array(fc.record({ address, name, before: name }, { requiredKeys: ["address", "name"] }), {
  maxLength: 5,
});
const event = { epoch: hex64, seq: number, at: number };

/** An arbitrary for a v1 type: its required fields, then those that it may lack. */
function v1<T extends V1Packet["type"]>(
  type: T,
  required: Record<string, fc.Arbitrary<unknown>>,
  optional: Record<string, fc.Arbitrary<unknown>> = {},
): fc.Arbitrary<Of<V1Packet, T>> {
  const always = { dialect: fc.constant("v1"), type: fc.constant(type), ...required };
  return fc.record({ ...always, ...optional }, { requiredKeys: Object.keys(always) as never[] }) as never;
}

/** What may be in a RELAY. */
const relayed = fc.oneof(
  v1("MESSAGE", { pass: hex64, stream: hex64, id: fc.integer({ min: 1 }), text: someText }, { age, action: yes }),
  v1("ACK", { pass: hex64, stream: hex64, id: number }),
);

/** A proof, or none. */
const maybeProof = fc.oneof(
  fc.constant({}),
  fc.record({ nonce: hexBytes(16), cnonce: hexBytes(16), proof: hexBytes(32) }),
);
const maybeSealed = fc.oneof(fc.constant({}), fc.record({ key: hexBytes(32), sealed: hexBytes(96) }));
const merged = <T extends object>([packet, ...parts]: [T, ...object[]]): T => Object.assign({}, packet, ...parts);

const V1: { [T in V1Packet["type"]]: fc.Arbitrary<Of<V1Packet, T>> } = {
  "GREETING": v1("GREETING", { id: number }, { token: hex64, cookie: hex64 }),
  "SIGN-IN": fc.tuple(v1("SIGN-IN", { id: number, name }, { token: hex64, cookie: hex64 }), maybeProof).map(merged),
  "RESEND": fc.tuple(v1("RESEND", { token: hex64, epoch: hex64 }), range).map(([packet, range]) => ({
    ...packet,
    ...range,
  })),
  "LIST": v1("LIST", { id: number, token: hex64 }, { after: name }),
  "LOOKUP": fc.oneof(
    v1("LOOKUP", { id: number, token: hex64, name }),
    v1("LOOKUP", { id: number, token: hex64, address }),
  ),
  "LEAVE": v1("LEAVE", { id: number, token: hex64 }),
  "RELAY": v1("RELAY", { token: hex64, address, packet: relayed }, { name }),
  "REGISTER": fc.tuple(v1("REGISTER", { id: number, token: hex64 }), maybeSealed, maybeProof).map(merged),
  "UNREGISTER": fc.tuple(v1("UNREGISTER", { id: number, token: hex64 }), maybeProof).map(merged),
  "COMMAND": v1("COMMAND", { id: number, token: hex64, text: someText }),
  "MESSAGE": fc.tuple(
    v1("MESSAGE", { stream: hex64, text: someText }, { token: hex64, pass: hex64, age, action: yes }),
    range,
    fc.boolean(),
  ).map(
    ([packet, { from, to }, hasFirst]) => ({ ...packet, id: to, ...(hasFirst && { first: from }) }),
  ),
  "ACK": v1("ACK", { id: number }, { token: hex64, pass: hex64, stream: hex64, epoch: hex64, seq: number }),
  "INCOMING": v1(
    "INCOMING",
    { ...event, from: address, text },
    { token: hex64, name, stream: hex64, id: number, action: yes },
  ),
  "ONLINE": v1("ONLINE", { ...event, members }, { token: hex64 }),
  "OFFLINE": v1("OFFLINE", { ...event, members }, { token: hex64 }),
  "RENAMED": v1("RENAMED", { ...event, members: renamed }, { token: hex64 }),
  "NOTICE": v1("NOTICE", { ...event, text }, { token: hex64 }),
  "CHALLENGE": fc.tuple(
    v1("CHALLENGE", { id: number, token: hex64, address, rounds: number }, { key: hexBytes(32) }),
    fc.oneof(fc.constant({}), fc.record({ salt: hexBytes(16), nonce: hexBytes(16) })),
  ).map(merged),
  "REPLY": v1("REPLY", { id: number, token: hex64, text }, { verifier: hexBytes(32) }),
  "RETRY": v1("RETRY", { id: number, cookie: hex64 }),
  "WELCOME": v1(
    "WELCOME",
    { id: number, address, token: hex64, epoch: hex64, seq: number, keepalive: number },
    { name, noecho: yes, join: address, verifier: hexBytes(32), operator: yes, topic: someText },
  ),
  "HEARTBEAT": v1("HEARTBEAT", { epoch: hex64, seq: number }, { token: hex64 }),
  "GONE": fc.tuple(v1("GONE", { token: hex64, epoch: hex64 }), range).map(([packet, range]) => ({
    ...packet,
    ...range,
  })),
  "USERS": fc.tuple(
    v1("USERS", { id: number, token: hex64, total: number, unnamed: number }, { more: yes }),
    fc.uniqueArray(fc.tuple(name, fc.boolean()), { maxLength: 8, selector: ([name]) => name }),
  ).map(([packet, listed]) => {
    const onlyRelayed = listed.filter(([, isRelayed]) => isRelayed).map(([name]) => name);
    return { ...packet, names: listed.map(([name]) => name), ...(onlyRelayed.length > 0 && { onlyRelayed }) };
  }),
  "PEER": v1("PEER", { id: number, token: hex64, address, since: number }, {
    name,
    pass: hex64,
    classic: yes,
    relay: yes,
    norelay: yes,
    transport: fc.constantFrom("tcp", "web"),
    registered: yes,
    operator: yes,
  }),
  "PUNCH": v1("PUNCH", { token: hex64, address, pass: hex64 }, { name }),
  "ERROR": v1(
    "ERROR",
    { token: hex64, code: fc.stringMatching(/^[a-z][a-z-]{0,31}$/), text },
    { id: number, stream: hex64 },
  ),
  "CLOSING": v1("CLOSING", { epoch: hex64 }),
  "OPEN": v1("OPEN", {}, { pass: hex64, id: number }),
};
const anyV1 = fc.oneof(...Object.values(V1) as fc.Arbitrary<V1Packet>[]);

/** A classic text that decodes unchanged: trailing NULs and one line ending are cut off, so it ends in neither. */
const classicText = text.map((text) => text.replace(/[\r\n\0]+$/, "")).filter((text) => text !== "");

/** A text that begins with no word, as a person may say it. */
const bareText = fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => `so ${text}.`);

const CLASSIC: { [T in ClassicPacket["type"]]: fc.Arbitrary<Of<ClassicPacket, T>> } = {
  "GREETING": fc.record({
    dialect: fc.constant("classic"),
    type: fc.constant("GREETING"),
    line: fc.boolean(),
  }),
  "MESSAGE": fc.record({ dialect: fc.constant("classic"), type: fc.constant("MESSAGE"), text: classicText }),
  "SIGN-IN": fc.record({ dialect: fc.constant("classic"), type: fc.constant("SIGN-IN"), name }),
  "LIST": fc.record({ dialect: fc.constant("classic"), type: fc.constant("LIST") }),
  "TEXT": fc.record({ dialect: fc.constant("classic"), type: fc.constant("TEXT"), text: bareText }),
  "INCOMING": fc.record({ dialect: fc.constant("classic"), type: fc.constant("INCOMING"), line: classicText }),
};
const anyClassic = fc.oneof(...Object.values(CLASSIC) as fc.Arbitrary<ClassicPacket>[]);

// ---- there and back

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

/** The longest packet of each type: every field there, and each as long as it may be. */
const LONGEST: { [T in V1Packet["type"]]: Omit<Of<V1Packet, T>, "dialect" | "type"> } = {
  "GREETING": { id: MAX, token: HEX, cookie: HEX },
  "SIGN-IN": { id: MAX, token: HEX, cookie: HEX, name: NAME, ...PROOF },
  "RESEND": { token: HEX, epoch: HEX, from: MAX, to: MAX },
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
    transport: "a".repeat(32),
    registered: true,
    operator: true,
  },
  "PUNCH": { token: HEX, address: ADDRESS, name: NAME, pass: HEX },
  "ERROR": { token: HEX, code: "a".repeat(32), id: MAX, stream: HEX, text: TEXT },
  "CLOSING": { epoch: HEX },
  "OPEN": { pass: HEX, id: MAX },
};
const longest = Object.entries(LONGEST).map(([type, rest]) => ({ dialect: "v1", type, ...rest }) as V1Packet);

Deno.test("the longest packet of each v1 type fits into a datagram and comes back the same", () => {
  for (const packet of longest) {
    const bytes = encode(packet);
    assert(bytes.length <= MAX_DATAGRAM_BYTES, `${packet.type}: ${bytes.length} bytes`);
    assertEquals(packetOf(bytes), packet);
  }
});

Deno.test("RELAY: holds a MESSAGE or an ACK with a pass and without a token, and nothing else", () => {
  const head = `RELAY/1 token=${HEX} address=192.0.2.1:9\n`;
  const message = `MESSAGE/1 pass=${HEX} stream=${HEX} id=1\nhi`, ack = `ACK/1 pass=${HEX} stream=${HEX} id=1`;
  for (const inner of [message, ack]) assertEquals(packetOf(head + inner).type, "RELAY");
  const sum = crc32(new TextEncoder().encode(ack)).toString(16).padStart(8, "0");
  assertEquals(packetOf(head + ack.replace("/1", `/1 sum=${sum}`)), packetOf(head + ack));
  assertEquals(packetOf(`${head}${message} sum=00000000`).type, "RELAY");
  for (
    const inner of [
      "",
      "hello",
      "MESSAGE hi",
      "OPEN/1",
      `PUNCH/1 token=${HEX} address=192.0.2.1:9 pass=${HEX}`,
      head + message,
      head + head + ack,
      `\n${ack}`,
      ` ${ack}`,
      ack.replace("/1", "/2"),
      ack.replace("/1", "/1 sum=00000000"),
      ack.replace(`pass=${HEX}`, ""),
      ack.replace("pass", "token"),
      ack.replace(`stream=${HEX}`, ""),
      `ACK/1 token=${HEX} pass=${HEX} id=1`,
      message.replace("id=1", "id=1 first=2"),
      message.replace("hi", ""),
      message.replace("hi", "a".repeat(MAX_TEXT_BYTES + 1)),
    ]
  ) reasonOf(head + inner);
  const packet = { dialect: "v1", type: "MESSAGE", pass: HEX, stream: HEX, id: 1, text: "a".repeat(857) } as const;
  assertThrows(
    () => encode({ dialect: "v1", type: "RELAY", token: HEX, address: "192.0.2.1:9", packet }),
    RangeError,
  );
});

Deno.test("SIGN-IN, REGISTER and CHALLENGE: what goes together stands there together", () => {
  const nonce = `nonce=${HEX}${HEX}`, cnonce = `cnonce=${HEX}${HEX}`, proof = `proof=${KEY}`;
  const key = `key=${KEY}`, sealed = `sealed=${HEX.repeat(12)}`;
  const parts = "nonce, cnonce and proof go together", sealedParts = "key and sealed go together";
  for (const head of [`SIGN-IN/1 id=1 name=Zoe`, `REGISTER/1 id=1 token=${HEX}`, `UNREGISTER/1 id=1 token=${HEX}`]) {
    packetOf(head);
    packetOf(`${head} ${nonce} ${cnonce} ${proof}`);
    for (const some of [nonce, cnonce, proof, `${nonce} ${proof}`, `${cnonce} ${proof}`]) {
      assertEquals(reasonOf(`${head} ${some}`), parts);
    }
  }
  packetOf(`REGISTER/1 id=1 token=${HEX} ${key} ${sealed}`);
  for (const some of [key, sealed]) assertEquals(reasonOf(`REGISTER/1 id=1 token=${HEX} ${some}`), sealedParts);
  const challenge = `CHALLENGE/1 id=1 token=${HEX} address=192.0.2.1:9 rounds=1`;
  packetOf(`${challenge} salt=${HEX}${HEX} ${nonce}`);
  for (const some of [`salt=${HEX}${HEX}`, nonce]) {
    assertEquals(reasonOf(`${challenge} ${some}`), "salt and nonce go together");
  }
});

Deno.test("RENAMED: each line has an address, a name, and perhaps the name before", () => {
  const head = `RENAMED/1 epoch=${HEX} seq=1 at=1\n`;
  assertEquals(
    (packetOf(`${head}192.0.2.1:9 Alicia Alice\n192.0.2.2:9 Bob`) as Of<V1Packet, "RENAMED">).members,
    [{ address: "192.0.2.1:9", name: "Alicia", before: "Alice" }, { address: "192.0.2.2:9", name: "Bob" }],
  );
  for (
    const line of ["192.0.2.1:9", "Alice", "192.0.2.1:9 Alicia Alice Al", "192.0.2.1:9 Alicia ", "192.0.2.1:9 a/b"]
  ) {
    reasonOf(head + line);
  }
});

Deno.test("COMMAND: has a text of at most 856 bytes", () => {
  const head = `COMMAND/1 id=1 token=${HEX}`;
  assertEquals(reasonOf(head), "the command is missing: it stands behind the first line feed");
  packetOf(`${head}\n${"a".repeat(856)}`);
  assertEquals(reasonOf(`${head}\n${"a".repeat(857)}`), "the command has more than 856 bytes");
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

// ---- version 1 as others may write it

Deno.test("v1: fields in any order, unknown ones, more spaces, a line ending, no checksum", () => {
  const packet: Packet = { dialect: "v1", type: "GREETING", id: 7, token: HEX };
  const spellings = [
    `GREETING/1 id=7 token=${HEX}`,
    `GREETING/1 token=${HEX} id=7`,
    `GREETING/1  token=${HEX}  id=7 `,
    `GREETING/1 id=7 token=${HEX} colour=red since=`,
    `GREETING/1 id=7 token=${HEX}\n`,
    `GREETING/1 id=7 token=${HEX}\r\n`,
    `GREETING/1 id=7 token=${HEX}\na body that this type has no use for`,
  ];
  for (const datagram of spellings) assertEquals(packetOf(datagram), packet);
});

Deno.test("v1: the checksum is verified wherever it stands", () => {
  const datagram = textOf(encode({ dialect: "v1", type: "HEARTBEAT", epoch: HEX, seq: 7 }));
  const [, sum] = /^HEARTBEAT\/1( sum=[0-9a-f]{8}) epoch=f{16} seq=7$/.exec(datagram)!;
  assertEquals(packetOf(datagram.replace(sum, "")), packetOf(datagram));
  assertEquals(packetOf(datagram.replace(sum, "") + sum), packetOf(datagram));
  const mismatch = /^the checksum does not match: it is sum=([0-9a-f]{8}), and was computed as sum=([0-9a-f]{8})$/;
  const [, found, computed] = mismatch.exec(reasonOf(datagram.replace("seq=7", "seq=8")))!;
  assertEquals(` sum=${found}`, sum);
  // with what it was computed as, it is right
  const mended = datagram.replace("seq=7", "seq=8").replace(found, computed);
  assertEquals(packetOf(mended).type, "HEARTBEAT");
  for (
    const wrong of [" sum=", " sum=1", sum.toUpperCase().replace("SUM=", "sum=").replace(/[0-9A-F]$/, "G"), `${sum}0`]
  ) {
    assertEquals(reasonOf(datagram.replace(sum, wrong)), "sum has to be 8 digits of 0-9 and a-f", wrong);
  }
});

Deno.test("v1: the checksum is CRC-32 as it is computed bit by bit", () => {
  const datagram = "OPEN/1 colour=red";
  let crc = 0xffffffff;
  for (const byte of bytesOf(datagram)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  const sum = ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0");
  assertEquals(packetOf(datagram.replace("/1", `/1 sum=${sum}`)).type, "OPEN");
});

Deno.test("v1: the checksum is verified before anything else is read", () => {
  for (const rest of [[0xff, 0xfe], [...bytesOf("id=x")]]) {
    const datagram = Uint8Array.of(...bytesOf("GREETING/1 sum=00000000 "), ...rest);
    const decoded = decode(datagram);
    assert(!decoded.ok);
    assertMatch(
      decoded.reason,
      /^the checksum does not match: it is sum=00000000, and was computed as sum=[0-9a-f]{8}$/,
    );
  }
});

Deno.test("v1: the checksum ends at a space, or with the first line, whatever ends that", () => {
  const datagram = textOf(encode({ dialect: "v1", type: "HEARTBEAT", epoch: HEX, seq: 7 }));
  const [, sum] = /( sum=[0-9a-f]{8}) /.exec(datagram)!;
  const { crc32: crc } = zlib;
  const withSum = (rest: string, ending: string) => {
    return `${rest} sum=${crc(rest + ending).toString(16).padStart(8, "0")}${ending}`;
  };
  for (const ending of ["", "\n", "\r\n", "\r"]) {
    assertEquals(packetOf(withSum(datagram.replace(sum, ""), ending)), packetOf(datagram), JSON.stringify(ending));
  }
  const rest = `HEARTBEAT/1 epoch=${HEX}\rjunk seq=7`;
  assertEquals(
    reasonOf(rest.replace(" epoch", ` sum=${crc(rest).toString(16).padStart(8, "0")}\rx epoch`)),
    "sum has to be 8 digits of 0-9 and a-f",
  );
  const damaged = "HEARTBEAT/1\rjunk epoch=" + HEX + " seq=7";
  const wrong = damaged.replace("/1", `/1 sum=${crc(damaged).toString(16).padStart(8, "0")}`);
  assertEquals(reasonOf(wrong), "sum has to be 8 digits of 0-9 and a-f");
});

Deno.test("v1: only a field of the first line is a checksum", () => {
  const datagram = `MESSAGE/1 stream=${HEX} id=1\nand sum=00000000 is 0`;
  assertEquals(packetOf(datagram).type, "MESSAGE");
  assertEquals(packetOf("OPEN/1 checksum=1 sums=2").type, "OPEN");
});

Deno.test("v1: a text is taken as it is, line feeds included", () => {
  const packet = packetOf(`MESSAGE/1 stream=${HEX} id=1\n\n two \r\nlines\n`);
  assert(packet.type === "MESSAGE" && packet.text === "\n two \r\nlines\n");
});

Deno.test("v1: an event is not ignored for a name with a letter that this program's Unicode does not have", () => {
  const name = "Alice\u{3fffd}";
  const incoming = packetOf(`INCOMING/1 epoch=${HEX} seq=1 at=1 from=1.2.3.4:5 name=${name}\nHello`);
  assert(incoming.type === "INCOMING" && "name" in incoming && incoming.name === name);
  const online = packetOf(`ONLINE/1 epoch=${HEX} seq=1 at=1\n1.2.3.4:5 ${name}`);
  assert(online.type === "ONLINE" && online.members[0].name === name);
});

Deno.test("v1: datagrams that are no packet, and why", () => {
  const reasons: [string, string][] = [
    ["GREETING/2 id=1", "only version 1 is known, as in MESSAGE/1"],
    ["GREETING/1/1 id=1", "only version 1 is known, as in MESSAGE/1"],
    ["GREETING/1\u001b[2J id=1", "only version 1 is known, as in MESSAGE/1"],
    ["HELLO/1 id=1", "HELLO/1 is no packet of version 1"],
    ["GREETING/1", "the field id is missing"],
    ["GREETING/1 Id=1 sum", "the field behind Id is not key=value"],
    ["GREETING/1 ID=1 colour=red", "nothing is known of ID, colour, and the field id is missing"],
    ["GREETING/1 id=x", "the field id is malformed: it has to be a whole number without zeros in front"],
    [`GREETING/1 id=1 token=${HEX}0`, "the field token is malformed: it has to be 16 digits of 0-9 and a-f"],
    ["SIGN-IN/1 id=1 name=A+", "the field name is malformed: it has to be 1 to 32 letters, digits, _ - ."],
    ["GREETING/1 id=1 id=1", "the field id stands twice"],
    ["GREETING/1 id", "the field behind the type is not key=value"],
    [`MESSAGE/1 stream=${HEX} id=1`, "the text is missing: it stands behind the first line feed"],
    [`MESSAGE/1 stream=${HEX} id=1 first=2\nx`, "first is not between 1 and id"],
    [`MESSAGE/1 stream=${HEX} id=1 first=0\nx`, "first is not between 1 and id"],
    [`MESSAGE/1 stream=${HEX} id=0\nx`, "the ids begin with 1"],
    [
      `MESSAGE/1 stream=${HEX} id=1 age=${MAX_AGE_MS + 1}\nx`,
      "the field age is malformed: it has to be a whole number without zeros in front, at most 99999",
    ],
    [`RELAY/1 token=${HEX} address=192.0.2.1:9\nACK/1 pass=${HEX} id=1`, "an ACK in a RELAY needs a stream"],
    [`RESEND/1 token=${HEX} epoch=${HEX} from=3 to=2`, "from is not between 1 and to"],
    [`GONE/1 token=${HEX} epoch=${HEX} from=0 to=2`, "from is not between 1 and to"],
    [`LOOKUP/1 id=1 token=${HEX}`, "LOOKUP takes a name or an address"],
    [`LOOKUP/1 id=1 token=${HEX} name=A address=1.2.3.4:5`, "LOOKUP takes a name or an address"],
    [
      `USERS/1 id=1 token=${HEX} total=1 unnamed=0\nno name`,
      "a name is malformed: it has to be 1 to 32 letters, digits, _ - .",
    ],
    [
      `ONLINE/1 epoch=${HEX} seq=1 at=1\nnowhere Alice`,
      "a line is malformed: it has to be an address and perhaps a name, with a space between",
    ],
    [
      `ONLINE/1 epoch=${HEX} seq=1 at=1\n1.2.3.4:5 no name`,
      "a line is malformed: it has to be an address and perhaps a name, with a space between",
    ],
  ];
  for (const [datagram, reason] of reasons) assertEquals(reasonOf(datagram), reason, datagram);
  assert(!decode(Uint8Array.from([...bytesOf("OPEN/1\n"), 0xff])).ok, "not UTF-8");
});

// ---- arbitrary bytes

/** Decodes, and checks that a reason may be shown to a person as it is. */
function decodesQuietly(datagram: Uint8Array): void {
  const decoded = decode(datagram);
  if (!decoded.ok) assert(decoded.reason !== "" && printable(decoded.reason) === decoded.reason);
}

Deno.test("no bytes make decode throw: random ones", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 5000, size: "max" }), decodesQuietly), { numRuns: 500 });
});

Deno.test("no bytes make decode throw: what looks like a packet", () => {
  const any = fc.string({ unit: "binary", maxLength: 20 });
  const type = fc.oneof(fc.constantFrom(...Object.keys(V1), ...Object.keys(CLASSIC), "__proto__", "CONSTRUCTOR"), any);
  const version = fc.constantFrom("/1", "/1", "/1", "", "/", "/2", "/1/1", "/01", "/1.0");
  const key = fc.constantFrom(
    ..."sum id token epoch seq at from to name address stream first action timeout code wait __proto__".split(" "),
  );
  const value = fc.oneof(any, number.map(String), hex64, name, address, fc.constantFrom("", "0", "1", "=", "NaN"));
  const pair = fc.oneof(fc.tuple(key, value).map(([key, value]) => `${key}=${value}`), any);
  const header = fc.tuple(type, version, fc.array(pair), fc.constantFrom(" ", "  ", "\t", "\n"));
  const datagram = fc.tuple(header, fc.constantFrom("", "\n", "\r\n", "\0"), fc.oneof(any, name, address)).map(
    ([[type, version, pairs, space], end, body]) => [type + version, ...pairs].join(space) + end + body,
  );
  fc.assert(fc.property(datagram, (datagram) => decodesQuietly(bytesOf(datagram))), { numRuns: 3000 });
});

Deno.test("no bytes make decode throw: packets cut short, overwritten and put together", () => {
  const cut = fc.tuple(fc.oneof(anyV1, anyClassic), fc.nat(MAX_DATAGRAM_BYTES), fc.uint8Array(), anyV1);
  fc.assert(fc.property(cut, ([packet, at, noise, next]) => {
    const bytes = encode(packet);
    const end = at % (bytes.length + 1);
    decodesQuietly(bytes.subarray(0, end));
    decodesQuietly(Uint8Array.from([...bytes.subarray(0, end), ...noise, ...bytes.subarray(end + noise.length)]));
    decodesQuietly(Uint8Array.from([...bytes.subarray(0, end), ...encode(next)]));
  }));
});

// ---- one bit flipped

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] ^= 1 << (bit & 7);
  return copy;
}

/** Asserts that a v1 packet with one bit flipped is refused, or is the same because the bit is in the key `sum`. */
function surviving(packet: V1Packet, bit: number): void {
  const bytes = encode(packet);
  const decoded = decode(flipped(bytes, bit));
  if (!decoded.ok) return;
  assertEquals(decoded.packet, packet);
  const at = (bit >> 3) - `${packet.type}/1 `.length;
  assert(at >= 0 && at < "sum".length, `bit ${bit} of ${textOf(bytes)}`);
}

Deno.test("a v1 datagram with any one bit flipped is refused or the very same packet: every bit of every type", () => {
  for (const type of Object.keys(V1) as V1Packet["type"][]) {
    const [packet] = fc.sample<V1Packet>(V1[type], { numRuns: 1, seed: 1 });
    for (let bit = 0; bit < encode(packet).length * 8; bit++) surviving(packet, bit);
  }
});

Deno.test("a v1 datagram with any one bit flipped is refused or the very same packet: any packet, any bit", () => {
  fc.assert(
    fc.property(anyV1, fc.nat(), (packet, bit) => surviving(packet, bit % (encode(packet).length * 8))),
    { numRuns: 3000 },
  );
});

/** Asserts that bytes are no classic packet, since they are a damaged one of version 1. */
function isNotClassic(datagram: Uint8Array): void {
  const decoded = decode(datagram);
  assert(!decoded.ok || decoded.packet.dialect === "v1", textOf(datagram));
}

/** A v1 packet as a datagram, with its checksum and without. */
const withAndWithoutSum = (packet: V1Packet) => {
  const bytes = encode(packet);
  return [bytes, bytesOf(textOf(bytes).replace(/ sum=[0-9a-f]{8}/, ""))];
};

Deno.test("a v1 datagram with any one bit flipped, or any of the first bytes changed, is never classic", () => {
  for (const type of Object.keys(V1) as V1Packet["type"][]) {
    for (const bytes of fc.sample<V1Packet>(V1[type], { numRuns: 3, seed: 1 }).flatMap(withAndWithoutSum)) {
      for (let bit = 0; bit < bytes.length * 8; bit++) isNotClassic(flipped(bytes, bit));
      for (let at = 0; at < Math.min(12, bytes.length); at++) {
        const copy = bytes.slice();
        for (copy[at] = 0; copy[at] < 255; copy[at]++) isNotClassic(copy);
        isNotClassic(copy);
      }
    }
  }
});

Deno.test("a v1 datagram with two of the first bytes changed is no words of anybody", () => {
  const two = fc.tuple(anyV1, fc.nat(11), fc.nat(11), fc.nat(255), fc.nat(255));
  fc.assert(
    fc.property(two, ([packet, first, second, one, other]) => {
      const copy = encode(packet);
      copy[first] = one;
      copy[second] = other;
      const decoded = decode(copy);
      assert(!decoded.ok || decoded.packet.dialect === "v1" || !("text" in decoded.packet), textOf(copy));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("a datagram without a checksum and with one bit flipped is refused or of the same type", () => {
  fc.assert(
    fc.property(anyV1, fc.nat(), (packet, bit) => {
      const [, bytes] = withAndWithoutSum(packet);
      const decoded = decode(flipped(bytes, bit % (bytes.length * 8)));
      assert(!decoded.ok || decoded.packet.type === packet.type);
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(anyClassic, fc.nat(), (packet, bit) => {
      const bytes = encode(packet), decoded = decode(flipped(bytes, bit % (bytes.length * 8)));
      // when the word is damaged, all of it may be a text
      assert(!decoded.ok || [packet.type, "TEXT"].includes(decoded.packet.type));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("the age of a message: whole milliseconds, nothing for none, and no more than a MESSAGE tells", () => {
  const ages = [1000, 1000.9, 1001, 2000.7, 999, 100_998, 100_999, 101_000, 1e9].map((now) => ageOf(1000, now).age);
  const none = undefined;
  assertEquals(ages, [none, none, 1, 1000, none, 99_998, MAX_AGE_MS, MAX_AGE_MS, MAX_AGE_MS]);
});
