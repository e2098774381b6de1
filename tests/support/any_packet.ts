/**
 * Any packet, of each type of both dialects.
 *
 * @module
 */
import fc from "fast-check";
import {
  type ClassicPacket,
  MAX_AGE_MS,
  MAX_COPY,
  MAX_DATA_BYTES,
  MAX_SACK_DELAY_MS,
  MAX_SACK_RANGES,
  MAX_TEXT_BYTES,
  type Packet,
  type V1Packet,
} from "../../protocol.ts";
import { formatAddress } from "../../protocol/fields.ts";
import { MAX_NAME_CHARACTERS, normalizeName } from "../../protocol/names.ts";

type Of<P extends Packet, T extends P["type"]> = Extract<P, { type: T }>;

/** A number, mostly a small one. */
export const number = fc.oneof(fc.nat(1000), fc.maxSafeNat());
/** 64 bits. */
export const hex64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => value.toString(16).padStart(16, "0"));
/** So many bytes, as twice as many hexadecimal digits. */
const hexBytes = (bytes: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const age = fc.nat(MAX_AGE_MS);
const loss = fc.nat(100);
const copy = fc.integer({ min: 1, max: MAX_COPY });
const yes = fc.constant(true);
/** Up to 880 bytes: 220 code points of at most four. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 220 }),
  fc.string({ unit: "binary-ascii", maxLength: MAX_TEXT_BYTES, size: "max" }),
);
const someText = text.filter((text) => text !== "");
/** A name, in letters of several scripts. */
export const name = fc.string({
  unit: fc.constantFrom(..."abzABZ09_-.éßЯ語٣क्षि𝒜", "e\u0301"),
  minLength: 1,
  maxLength: MAX_NAME_CHARACTERS,
}).map(normalizeName).filter((name) => name !== undefined);
/** Where somebody is. */
export const address = fc.record({ hostname: fc.oneof(fc.ipV4(), fc.ipV6()), port: fc.integer({ min: 1, max: 65535 }) })
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

const pair = { pass: hex64, file: hex64 };
/** What two members send each other to hand over a file. */
const filePackets = {
  "OFFER": v1("OFFER", {
    ...pair,
    size: number,
    hash: hexBytes(32),
    text: fc.string({ unit: "binary", minLength: 1, maxLength: 60 }),
  }),
  "DATA": v1("DATA", {
    ...pair,
    id: fc.integer({ min: 1 }),
    offset: number,
    octets: fc.uint8Array({ minLength: 1, maxLength: MAX_DATA_BYTES }),
  }),
  "SACK": fc.oneof(
    v1("SACK", pair),
    v1("SACK", { ...pair, next: number, room: number }, {
      ids: fc.uniqueArray(fc.maxSafeNat(), { minLength: 2, maxLength: 2 * MAX_SACK_RANGES }).map((numbers) => {
        const ends = numbers.sort((a, b) => b - a);
        const ranges = ends.flatMap((to, i) => i % 2 === 0 && i + 1 < ends.length ? [{ from: ends[i + 1], to }] : []);
        // ranges that touch are one
        return ranges.filter(({ to }, i) => i === 0 || to + 1 < ranges[i - 1].from);
      }),
      delay: fc.nat(MAX_SACK_DELAY_MS),
    }),
  ),
  "END": v1("END", { ...pair, code: fc.stringMatching(/^[a-z][a-z-]{0,31}$/) }),
};

/** What may be in a RELAY. */
const relayed = fc.oneof(
  ...Object.values(filePackets) as fc.Arbitrary<V1Packet>[],
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

/** Any packet of each type of version 1. */
export const V1: { [T in V1Packet["type"]]: fc.Arbitrary<Of<V1Packet, T>> } = {
  "GREETING": v1("GREETING", { id: number }, { token: hex64, cookie: hex64, loss }),
  "SIGN-IN": fc.tuple(v1("SIGN-IN", { id: number, name }, { token: hex64, cookie: hex64, loss }), maybeProof).map(
    merged,
  ),
  "RESEND": fc.tuple(v1("RESEND", { token: hex64, epoch: hex64 }, { loss }), range).map(([packet, range]) => ({
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
    { token: hex64, copy, name, stream: hex64, id: number, action: yes },
  ),
  "ONLINE": v1("ONLINE", { ...event, members }, { token: hex64, copy }),
  "OFFLINE": v1("OFFLINE", { ...event, members }, { token: hex64, copy }),
  "RENAMED": v1("RENAMED", { ...event, members: renamed }, { token: hex64, copy }),
  "NOTICE": v1("NOTICE", { ...event, text }, { token: hex64, copy }),
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
  "HELD": v1("HELD", { token: hex64, stream: hex64, id: number }, { wait: number }),
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
    rate: number,
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
  ...filePackets,
};
/** Any packet of version 1. */
export const anyV1 = fc.oneof(...Object.values(V1) as fc.Arbitrary<V1Packet>[]);

/** A classic text that decodes unchanged: trailing NULs and one line ending are cut off, so it ends in neither. */
const classicText = text.map((text) => text.replace(/[\r\n\0]+$/, "")).filter((text) => text !== "");

/** A text that begins with no word, as a person may say it. */
const bareText = fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => `so ${text}.`);

/** Any packet of each classic type. */
export const CLASSIC: { [T in ClassicPacket["type"]]: fc.Arbitrary<Of<ClassicPacket, T>> } = {
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
/** Any classic packet. */
export const anyClassic = fc.oneof(...Object.values(CLASSIC) as fc.Arbitrary<ClassicPacket>[]);
