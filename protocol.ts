/**
 * Encodes packets as datagrams and decodes datagrams, in both dialects.
 *
 * One datagram is one packet of UTF-8 text. PROTOCOL.md is the reference; this file implements it.
 * {@linkcode decode} takes any bytes and returns a packet, or the reason why the bytes are not one. It never throws.
 *
 * @module
 */
import { type Body, octetsOf, readBody, textLength, writeBody } from "./protocol/bodies.ts";
import { concatBytes } from "./protocol/bytes.ts";
import { checksumProblem, SUM_PLACEHOLDER, writeChecksum } from "./protocol/checksum.ts";
import { readClassic, writeClassic } from "./protocol/classic.ts";
import {
  address,
  type Field,
  flag,
  hex128,
  hex256,
  hex64,
  hexBytes,
  name,
  number,
  numberBetween,
  numberUpTo,
  optional,
  parseFields,
  ranges,
  word,
} from "./protocol/fields.ts";
import {
  type Decoded,
  MAX_AGE_MS,
  MAX_CLASSIC_BYTES,
  MAX_COPY,
  MAX_DATA_BYTES,
  MAX_DATAGRAM_BYTES,
  MAX_FILE_NAME_BYTES,
  MAX_SACK_DELAY_MS,
  MAX_SACK_RANGES,
  MAX_TEXT_BYTES,
  type Packet,
  type Proof,
  refuse,
  type RelayedPacket,
  type V1Packet,
} from "./protocol/packets.ts";
import { byteLength, decodeUtf8, encodeUtf8, isLongerThan } from "./protocol/utf8.ts";

export * from "./protocol/packets.ts";

type PacketOf<T extends V1Packet["type"]> = Extract<V1Packet, { type: T }>;
type Layout<P> = {
  fields: { [K in Exclude<keyof P, "dialect" | "type" | Body>]-?: Field<NonNullable<P[K]>> };
  body?: Extract<keyof P, Body>;
};

/** What is sealed of a password: a salt of 16 bytes, two keys of 32, and a tag of 16. */
const SEALED_BYTES = 16 + 32 + 32 + 16;

const proofFields = { nonce: optional(hex128), cnonce: optional(hex128), proof: optional(hex256) };
const eventFields = {
  token: optional(hex64),
  copy: optional(numberBetween(1, MAX_COPY)),
  epoch: hex64,
  seq: number,
  at: number,
};
const loss = optional(numberUpTo(100));

/** The fields of each v1 type, in the order in which they are written. */
const LAYOUTS: { [T in V1Packet["type"]]: Layout<PacketOf<T>> } = {
  "GREETING": { fields: { id: number, token: optional(hex64), cookie: optional(hex64), loss } },
  "SIGN-IN": { fields: { id: number, token: optional(hex64), cookie: optional(hex64), loss, name, ...proofFields } },
  "RESEND": { fields: { token: hex64, loss, epoch: hex64, from: number, to: number } },
  "LIST": { fields: { id: number, token: hex64, after: optional(name) } },
  "LOOKUP": { fields: { id: number, token: hex64, name: optional(name), address: optional(address) } },
  "LEAVE": { fields: { id: number, token: hex64 } },
  "RELAY": { fields: { token: hex64, address, name: optional(name) }, body: "packet" },
  "REGISTER": {
    fields: {
      id: number,
      token: hex64,
      key: optional(hex256),
      sealed: optional(hexBytes(SEALED_BYTES)),
      ...proofFields,
    },
  },
  "UNREGISTER": { fields: { id: number, token: hex64, ...proofFields } },
  "COMMAND": { fields: { id: number, token: hex64 }, body: "text" },
  "MESSAGE": {
    fields: {
      token: optional(hex64),
      pass: optional(hex64),
      stream: hex64,
      id: number,
      first: optional(number),
      age: optional(numberUpTo(MAX_AGE_MS)),
      action: optional(flag),
    },
    body: "text",
  },
  "ACK": {
    fields: {
      token: optional(hex64),
      pass: optional(hex64),
      stream: optional(hex64),
      id: number,
      epoch: optional(hex64),
      seq: optional(number),
    },
  },
  "INCOMING": {
    fields: {
      ...eventFields,
      from: address,
      name: optional(name),
      stream: optional(hex64),
      id: optional(number),
      action: optional(flag),
    },
    body: "text",
  },
  "ONLINE": { fields: eventFields, body: "members" },
  "OFFLINE": { fields: eventFields, body: "members" },
  "RENAMED": { fields: eventFields, body: "members" },
  "NOTICE": { fields: eventFields, body: "text" },
  "RETRY": { fields: { id: number, cookie: hex64 } },
  "WELCOME": {
    fields: {
      id: number,
      address,
      token: hex64,
      epoch: hex64,
      seq: number,
      digest: optional(hex128),
      name: optional(name),
      keepalive: number,
      noecho: optional(flag),
      join: optional(address),
      verifier: optional(hex256),
      operator: optional(flag),
    },
    body: "topic",
  },
  "CHALLENGE": {
    fields: {
      id: number,
      token: hex64,
      address,
      salt: optional(hex128),
      rounds: number,
      nonce: optional(hex128),
      key: optional(hex256),
    },
  },
  "REPLY": { fields: { id: number, token: hex64, verifier: optional(hex256) }, body: "text" },
  "HELD": { fields: { token: hex64, stream: hex64, id: number, wait: optional(number) } },
  "HEARTBEAT": { fields: { token: optional(hex64), epoch: hex64, seq: number } },
  "GONE": { fields: { token: hex64, epoch: hex64, from: number, to: number } },
  "USERS": {
    fields: { id: number, token: hex64, total: number, unnamed: number, more: optional(flag) },
    body: "names",
  },
  "PEER": {
    fields: {
      id: number,
      token: hex64,
      address,
      name: optional(name),
      since: number,
      pass: optional(hex64),
      classic: optional(flag),
      relay: optional(flag),
      norelay: optional(flag),
      rate: optional(number),
      transport: optional(word),
      registered: optional(flag),
      operator: optional(flag),
    },
  },
  "PUNCH": { fields: { token: hex64, address, name: optional(name), pass: hex64 } },
  "ERROR": {
    fields: { token: hex64, code: word, id: optional(number), stream: optional(hex64) },
    body: "text",
  },
  "CLOSING": { fields: { epoch: hex64 } },
  "OPEN": { fields: { pass: optional(hex64), id: optional(number) } },
  "OFFER": { fields: { pass: hex64, file: hex64, size: number, hash: hex256 }, body: "text" },
  "DATA": { fields: { pass: hex64, file: hex64, id: number, offset: number }, body: "octets" },
  "SACK": {
    fields: {
      pass: hex64,
      file: hex64,
      next: optional(number),
      room: optional(number),
      ids: optional(ranges(MAX_SACK_RANGES)),
      delay: optional(numberUpTo(MAX_SACK_DELAY_MS)),
    },
  },
  "END": { fields: { pass: hex64, file: hex64, code: word } },
};

/** All types of version 1. */
export const V1_TYPES = Object.keys(LAYOUTS) as readonly V1Packet["type"][];

/**
 * Encodes a packet as a datagram.
 *
 * @throws {RangeError} when it would be longer than {@linkcode MAX_DATAGRAM_BYTES}, or a MESSAGE's text longer than
 * {@linkcode MAX_TEXT_BYTES}.
 */
export function encode(packet: Packet): Uint8Array {
  const bytes = packet.dialect === "classic" ? encodeUtf8(writeClassic(packet)) : writeV1(packet);
  const message = packet.type === "RELAY" ? packet.packet : packet;
  const isTooLong = bytes.length > MAX_DATAGRAM_BYTES ||
    message.type === "MESSAGE" && isLongerThan(message.text, MAX_TEXT_BYTES);
  if (isTooLong) throw new RangeError(`A ${packet.type} of ${bytes.length} bytes is over the limits of a datagram`);
  return bytes;
}

/** Decodes a datagram: returns the packet, or the reason why the datagram is not one. */
export function decode(datagram: Uint8Array): Decoded {
  if (isVersioned(datagram)) return readV1(datagram);
  if (datagram.length > MAX_CLASSIC_BYTES) return refuse(tooLong(datagram, MAX_CLASSIC_BYTES));
  return readClassic(datagram, V1_TYPES);
}

function tooLong({ length }: Uint8Array, limit: number): string {
  return `it is too long: ${length} bytes, at most ${limit}`;
}

/** Whether the type is followed by `/` and a digit: a packet of version 1, or of a version that is not known yet. */
function isVersioned(datagram: Uint8Array): boolean {
  for (let i = 0; i < Math.min(datagram.length, 24); i++) {
    const byte = datagram[i];
    if (byte === 0x2f) return i > 0 && datagram[i + 1] >= 0x30 && datagram[i + 1] <= 0x39;
    if (byte !== 0x2d && (byte < 0x41 || byte > 0x5a)) return false;
  }
  return false;
}

function writeV1(packet: V1Packet): Uint8Array {
  const word = `${packet.type}/1`;
  const text = encodeUtf8(word + SUM_PLACEHOLDER + writeRest(packet)), octets = octetsOf(packet);
  const bytes = octets === undefined ? text : concatBytes(text, octets);
  writeChecksum(bytes, word.length);
  return bytes;
}

/** What stands behind the type and the checksum, without the octets of a file. */
function writeRest(packet: V1Packet): string {
  const { fields, body } = LAYOUTS[packet.type] as Layout<Record<string, unknown>>;
  const values = packet as unknown as Record<string, unknown>;
  let header = "";
  for (const key in fields) {
    if (values[key] !== undefined && values[key] !== false) header += ` ${key}=${fields[key].write(values[key]!)}`;
  }
  if (body !== "packet") return header + writeBody(values, body);
  // the checksum of the envelope covers it
  const inner = values.packet as V1Packet;
  return `${header}\n${inner.type}/1${writeRest(inner)}`;
}

function readV1(datagram: Uint8Array): Decoded {
  if (datagram.length > MAX_DATAGRAM_BYTES) return refuse(tooLong(datagram, MAX_DATAGRAM_BYTES));
  const problem = checksumProblem(datagram);
  if (problem !== undefined) return refuse(problem);
  const length = textLength(datagram), text = decodeUtf8(datagram.subarray(0, length));
  return text === undefined ? refuse("it is not UTF-8") : readText(text, datagram.subarray(length));
}

/** Reads a packet whose checksum is right: its text, and the octets of a file that may follow. */
function readText(text: string, octets: Uint8Array): Decoded {
  const lineEnd = text.indexOf("\n"), end = lineEnd < 0 ? text.length : lineEnd;
  const header = text.slice(0, text[end - 1] === "\r" ? end - 1 : end), body = text.slice(end + 1);
  const space = header.indexOf(" "), wordEnd = space < 0 ? header.length : space;
  const slash = header.indexOf("/"), typeEnd = slash < 0 ? wordEnd : Math.min(slash, wordEnd);
  const type = header.slice(0, typeEnd);
  if (header.slice(typeEnd, wordEnd) !== "/1") return refuse("only version 1 is known, as in MESSAGE/1");
  if (!Object.hasOwn(LAYOUTS, type)) return refuse(`${type}/1 is no packet of version 1`);

  const layout = LAYOUTS[type as V1Packet["type"]] as Layout<Record<string, unknown>>;
  const packet: Record<string, unknown> = { dialect: "v1", type };
  const problem = parseFields(header, wordEnd, layout.fields, packet);
  if (problem !== undefined) return refuse(problem);
  const reason = readWhole(packet, layout.body, body, octets) ?? findContradiction(packet as V1Packet);
  return reason ? refuse(reason) : { ok: true, packet: packet as Packet };
}

function readWhole(
  packet: Record<string, unknown>,
  kind: Body | undefined,
  body: string,
  octets: Uint8Array,
): string | undefined {
  if (kind !== "packet") return readBody(packet, kind, body, octets);
  const relayed = readRelayed(body, octets);
  if (typeof relayed === "string") return relayed;
  packet.packet = relayed;
}

/** How a packet begins that may be in a RELAY. */
const RELAYED = /^(?:MESSAGE|ACK|OFFER|DATA|SACK|END)\/1[ \r\n]/;

/**
 * Reads what is in a RELAY; returns why it can't be there if it can't. No packet that may be in one has a packet in it.
 */
function readRelayed(text: string, octets: Uint8Array): RelayedPacket | string {
  if (!RELAYED.test(text)) return "what is in the RELAY is not from one member to another: no MESSAGE, ACK, OFFER, …";
  // most have no checksum of their own
  const hasSum = text.includes(" sum=");
  const decoded = hasSum ? readV1(concatBytes(encodeUtf8(text), octets)) : readText(text, octets);
  if (!decoded.ok) return `in the RELAY: ${decoded.reason}`;
  const { packet } = decoded;
  const isOfPair = "pass" in packet && packet.pass !== undefined && !("token" in packet);
  if (!isOfPair) return "what is in the RELAY needs a pass, and no token";
  // one without a stream answers a check of the direct way
  const isOfCheck = packet.type === "ACK" && packet.stream === undefined;
  return isOfCheck ? "an ACK in a RELAY needs a stream" : packet as RelayedPacket;
}

/** Returns why fields that are valid one by one are not valid together, or undefined when they are. */
function findContradiction(packet: V1Packet): string | undefined {
  switch (packet.type) {
    case "MESSAGE": {
      const { text, id, first = id } = packet;
      if (text === "") return "the text is missing: it stands behind the first line feed";
      if (isLongerThan(text, MAX_TEXT_BYTES)) {
        return `the text is too long: ${byteLength(text)} bytes, at most ${MAX_TEXT_BYTES}`;
      }
      if (id < 1) return "the ids begin with 1";
      return first < 1 || first > id ? "first is not between 1 and id" : undefined;
    }
    case "SIGN-IN":
    case "UNREGISTER":
    case "REGISTER":
      return findPart(packet);
    case "COMMAND":
      if (packet.text === "") return "the command is missing: it stands behind the first line feed";
      return isLongerThan(packet.text, MAX_TEXT_BYTES)
        ? `the command has more than ${MAX_TEXT_BYTES} bytes`
        : undefined;
    case "CHALLENGE":
      return (packet.salt === undefined) === (packet.nonce === undefined) ? undefined : "salt and nonce go together";
    case "RESEND":
    case "GONE":
      return packet.from < 1 || packet.from > packet.to ? "from is not between 1 and to" : undefined;
    case "OFFER":
      if (packet.text === "") return "the name of the file is missing: it stands behind the first line feed";
      return isLongerThan(packet.text, MAX_FILE_NAME_BYTES)
        ? `the name of the file has more than ${MAX_FILE_NAME_BYTES} bytes`
        : undefined;
    case "DATA": {
      const { id, octets: { length } } = packet;
      if (length < 1 || length > MAX_DATA_BYTES) return `it has ${length} octets: it takes 1 to ${MAX_DATA_BYTES}`;
      return id < 1 ? "the ids begin with 1" : undefined;
    }
    case "SACK": {
      const { next, room, ids, delay } = packet;
      if ((next === undefined) !== (room === undefined)) return "next and room go together";
      return next === undefined && (ids || delay !== undefined) ? "ids and delay need next" : undefined;
    }
    case "LOOKUP":
      return (packet.name === undefined) === (packet.address === undefined)
        ? "LOOKUP takes a name or an address"
        : undefined;
  }
}

/** Returns what is missing of a proof, or of a sealed part, that is there in part. */
function findPart(packet: Proof & { key?: string; sealed?: string }): string | undefined {
  const { nonce, cnonce, proof, key, sealed } = packet;
  const isProofWhole = [nonce, cnonce, proof].every((part) => (part === undefined) === (proof === undefined));
  if (!isProofWhole) return "nonce, cnonce and proof go together";
  return (key === undefined) === (sealed === undefined) ? undefined : "key and sealed go together";
}
