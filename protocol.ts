/**
 * Packets to bytes and back, in both dialects, and the limits that both sides share.
 *
 * One datagram is one packet of UTF-8 text. PROTOCOL.md is the reference; this file is the reference made to run.
 * {@linkcode decode} takes any bytes and returns a packet or the reason that it is none; it never throws.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { address, type Field, fieldsOf, flag, hex64, name, number, optional, word } from "./protocol/fields.ts";

/** The port of a server that was not told another. */
export const DEFAULT_PORT = 9090;
/** The longest datagram that is sent, in bytes: the IPv6 minimum MTU (RFC 8200, section 5) less IPv6 and UDP headers. */
export const MAX_DATAGRAM_BYTES = 1232;
/** The longest classic datagram that is accepted, in bytes; some assignments send pages of text. */
export const MAX_CLASSIC_BYTES = 4096;
/** The longest text of one MESSAGE, in bytes of UTF-8; leaves room for the longest INCOMING/1 header. */
export const MAX_TEXT_BYTES = 880;
/** Silence after which a v1 member is taken for gone, in milliseconds. */
export const MEMBER_TIMEOUT_MS = 60_000;
/** How many messages of one stream may be under way before the first is acknowledged. */
export const SEND_WINDOW = 32;

/** What a peer understands; `classic-line` is classic with a line feed at the end, for people at `nc -u`. */
export type Dialect = "classic" | "classic-line" | "v1";

/** The dialect of the assignment's programs: a bare word and free text. */
export type ClassicPacket =
  /** Registers the sender's address; `line` when it ended in a line feed, as `nc` sends it. */
  | { dialect: "classic"; type: "GREETING"; line: boolean }
  | { dialect: "classic"; type: "MESSAGE"; text: string }
  | { dialect: "classic"; type: "SIGN-IN"; name: string }
  | { dialect: "classic"; type: "LIST" }
  /** From the server; the line reads well on its own: `<From 127.0.0.1:52207>: Hello`. */
  | { dialect: "classic"; type: "INCOMING"; line: string };

/** A member as arrivals and departures name it. */
export interface Presence {
  address: string;
  name?: string;
}

/** What every event of the room carries: its place on the room's number line, and when it was, in Unix milliseconds. */
interface Event {
  dialect: "v1";
  epoch: string;
  seq: number;
  at: number;
}

/** What our own programs speak. Each type is described, with an example datagram, in PROTOCOL.md. */
export type V1Packet =
  // to the server
  | { dialect: "v1"; type: "GREETING"; id: number; token?: string; cookie?: string }
  | { dialect: "v1"; type: "SIGN-IN"; id: number; token?: string; cookie?: string; name: string }
  | { dialect: "v1"; type: "RESEND"; token: string; epoch: string; from: number; to: number }
  | { dialect: "v1"; type: "LIST"; id: number; token: string; after?: string }
  | { dialect: "v1"; type: "LOOKUP"; id: number; token: string; name?: string; address?: string }
  | { dialect: "v1"; type: "LEAVE"; id: number; token: string }
  // to the server, with a token, or to a peer, without
  | {
    dialect: "v1";
    type: "MESSAGE";
    token?: string;
    /** Names the run of messages that the ids count, 1, 2, 3... */
    stream: string;
    id: number;
    /** The lowest id that the sender still keeps: all before it are settled. */
    first: number;
    action?: boolean;
    text: string;
  }
  | { dialect: "v1"; type: "ACK"; stream?: string; id: number; epoch?: string; seq?: number }
  // from the server: events
  | Event & {
    type: "INCOMING";
    from: string;
    name?: string;
    stream?: string;
    id?: number;
    action?: boolean;
    text: string;
  }
  | Event & { type: "ONLINE"; members: Presence[] }
  | Event & { type: "OFFLINE"; members: Presence[] }
  // from the server: answers and notices
  | {
    dialect: "v1";
    type: "WELCOME";
    id: number;
    address: string;
    token: string;
    /** Set when nobody with the greeting's token is a member at this address: `token` is the cookie for it. */
    pending?: boolean;
    epoch: string;
    seq: number;
    name?: string;
    /** Milliseconds of silence after which the server takes the member for gone. */
    timeout: number;
    /** Milliseconds after which the member is asked to greet again; grows with the room. */
    keepalive: number;
    /** Set when the sender of a message gets no copy of it. */
    noecho?: boolean;
  }
  | { dialect: "v1"; type: "HEARTBEAT"; epoch: string; seq: number }
  | { dialect: "v1"; type: "GONE"; epoch: string; from: number; to: number }
  | { dialect: "v1"; type: "USERS"; id: number; total: number; unnamed: number; more?: boolean; names: string[] }
  | {
    dialect: "v1";
    type: "PEER";
    id: number;
    address: string;
    name?: string;
    /** When the member joined, in Unix milliseconds. */
    since: number;
    classic?: boolean;
  }
  | { dialect: "v1"; type: "PUNCH"; address: string }
  | { dialect: "v1"; type: "ERROR"; code: string; id?: number; wait?: number; text: string }
  | { dialect: "v1"; type: "CLOSING"; epoch: string }
  // from peer to peer
  | { dialect: "v1"; type: "OPEN" };

/** Any packet of either dialect. */
export type Packet = ClassicPacket | V1Packet;
/** The v1 packets that are events of the room: they carry `seq` and are repeated when lost. */
export type EventPacket = Extract<V1Packet, { at: number; seq: number }>;
/** A packet, or the reason why the bytes are none. */
export type Decoded = { ok: true; packet: Packet } | { ok: false; reason: string };

type Body = "text" | "members" | "names";
type Of<T extends V1Packet["type"]> = Extract<V1Packet, { type: T }>;
type Layout<P> = {
  fields: { [K in Exclude<keyof P, "dialect" | "type" | Body>]-?: Field<NonNullable<P[K]>> };
  body?: Extract<keyof P, Body>;
};

const event = { epoch: hex64, seq: number, at: number };

/** The fields of each v1 type, in the order in which they are written. */
const LAYOUTS: { [T in V1Packet["type"]]: Layout<Of<T>> } = {
  "GREETING": { fields: { id: number, token: optional(hex64), cookie: optional(hex64) } },
  "SIGN-IN": { fields: { id: number, token: optional(hex64), cookie: optional(hex64), name } },
  "RESEND": { fields: { token: hex64, epoch: hex64, from: number, to: number } },
  "LIST": { fields: { id: number, token: hex64, after: optional(name) } },
  "LOOKUP": { fields: { id: number, token: hex64, name: optional(name), address: optional(address) } },
  "LEAVE": { fields: { id: number, token: hex64 } },
  "MESSAGE": {
    fields: { token: optional(hex64), stream: hex64, id: number, first: number, action: optional(flag) },
    body: "text",
  },
  "ACK": { fields: { stream: optional(hex64), id: number, epoch: optional(hex64), seq: optional(number) } },
  "INCOMING": {
    fields: {
      ...event,
      from: address,
      name: optional(name),
      stream: optional(hex64),
      id: optional(number),
      action: optional(flag),
    },
    body: "text",
  },
  "ONLINE": { fields: event, body: "members" },
  "OFFLINE": { fields: event, body: "members" },
  "WELCOME": {
    fields: {
      id: number,
      address,
      token: hex64,
      pending: optional(flag),
      epoch: hex64,
      seq: number,
      name: optional(name),
      timeout: number,
      keepalive: number,
      noecho: optional(flag),
    },
  },
  "HEARTBEAT": { fields: { epoch: hex64, seq: number } },
  "GONE": { fields: { epoch: hex64, from: number, to: number } },
  "USERS": { fields: { id: number, total: number, unnamed: number, more: optional(flag) }, body: "names" },
  "PEER": { fields: { id: number, address, name: optional(name), since: number, classic: optional(flag) } },
  "PUNCH": { fields: { address } },
  "ERROR": { fields: { code: word, id: optional(number), wait: optional(number) }, body: "text" },
  "CLOSING": { fields: { epoch: hex64 } },
  "OPEN": { fields: {} },
};

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** The number of bytes that a text takes in a datagram. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/**
 * The datagram of a packet.
 *
 * @throws {RangeError} when it would be longer than {@linkcode MAX_DATAGRAM_BYTES}, or a MESSAGE's text longer than
 * {@linkcode MAX_TEXT_BYTES}.
 */
export function encode(packet: Packet): Uint8Array {
  const bytes = encoder.encode(packet.dialect === "classic" ? writeClassic(packet) : writeV1(packet));
  const over = bytes.length > MAX_DATAGRAM_BYTES ||
    packet.type === "MESSAGE" && byteLength(packet.text) > MAX_TEXT_BYTES;
  if (over) throw new RangeError(`A ${packet.type} of ${bytes.length} bytes is over the limits of a datagram`);
  return bytes;
}

/** The packet in a datagram, or the reason that it is none. */
export function decode(datagram: Uint8Array): Decoded {
  if (isV1(datagram)) return readV1(datagram);
  if (datagram.length > MAX_CLASSIC_BYTES) return refuse("too long");
  return readClassic(lenient.decode(datagram));
}

function refuse(reason: string): Decoded {
  return { ok: false, reason };
}

function writeClassic(packet: ClassicPacket): string {
  switch (packet.type) {
    case "GREETING":
      return packet.line ? "GREETING\n" : "GREETING";
    case "MESSAGE":
      return `MESSAGE ${packet.text}`;
    case "SIGN-IN":
      return `SIGN-IN ${packet.name}`;
    case "LIST":
      return "LIST";
    case "INCOMING":
      return `INCOMING ${packet.line}`;
  }
}

/** What C programs and `nc` leave at the end of a datagram: NULs of the buffer, and one line ending. */
const TRAILER = /\r?\n?(?<!\0)\0*$/;

/** What follows the word where one bit of a v1 packet's `/1` is wrong; refused, lest it be read as a classic text. */
const DAMAGED = /^(?:[^ ]1|\/[^]) sum=[0-9a-f]{8}(?:[ \n]|$)/;

function readClassic(datagram: string): Decoded {
  const [, word, rest] = /^(GREETING|MESSAGE|SIGN-IN|LIST|INCOMING)([^]*)$/.exec(datagram) ?? [];
  if (word === undefined) return refuse("not a word of the protocol");
  if (DAMAGED.test(rest)) return refuse("damaged on the way");
  const text = rest.replace(TRAILER, "").replace(/^ /, "");
  switch (word) {
    case "GREETING":
      if (text.trim() !== "") return refuse("GREETING takes no text");
      return { ok: true, packet: { dialect: "classic", type: word, line: rest.includes("\n") } };
    case "LIST":
      if (text.trim() !== "") return refuse("LIST takes no text");
      return { ok: true, packet: { dialect: "classic", type: word } };
    case "SIGN-IN": {
      const name = text.trim();
      if (name === "" || !/^\s/.test(rest)) return refuse("SIGN-IN takes a name");
      return { ok: true, packet: { dialect: "classic", type: word, name } };
    }
    case "MESSAGE":
      if (text === "") return refuse("MESSAGE without a text");
      return { ok: true, packet: { dialect: "classic", type: word, text } };
    default:
      return { ok: true, packet: { dialect: "classic", type: "INCOMING", line: text } };
  }
}

/** Whether the first word ends in `/` and digits: a versioned packet, of version 1 or one that is not known yet. */
function isV1(datagram: Uint8Array): boolean {
  for (let i = 0; i < Math.min(datagram.length, 24); i++) {
    const byte = datagram[i];
    if (byte === 0x2f) return i > 0 && datagram[i + 1] >= 0x30 && datagram[i + 1] <= 0x39;
    if (byte !== 0x2d && (byte < 0x41 || byte > 0x5a)) return false;
  }
  return false;
}

function writeV1(packet: V1Packet): string {
  const { fields, body } = LAYOUTS[packet.type] as Layout<Record<string, unknown>>;
  const values = packet as unknown as Record<string, unknown>;
  let header = "";
  for (const key in fields) {
    if (values[key] !== undefined && values[key] !== false) header += ` ${key}=${fields[key].write(values[key]!)}`;
  }
  let rest = "";
  if (body === "text") rest = `\n${values.text}`;
  else if (body === "names") rest = (values.names as string[]).map((name) => `\n${name}`).join("");
  else if (body === "members") {
    rest = (values.members as Presence[]).map(({ address, name }) => `\n${address}${name ? ` ${name}` : ""}`).join("");
  }
  rest = header + rest;
  return `${packet.type}/1 sum=${checksum(`${packet.type}/1${rest}`)}${rest}`;
}

/** CRC-32 (ISO 3309) of a datagram without its `sum` field, as eight hexadecimal digits. */
function checksum(datagram: string): string {
  return crc32(datagram).toString(16).padStart(8, "0");
}

function readV1(datagram: Uint8Array): Decoded {
  if (datagram.length > MAX_DATAGRAM_BYTES) return refuse("too long");
  let text: string;
  try {
    text = strict.decode(datagram);
  } catch {
    return refuse("not UTF-8");
  }
  const end = text.indexOf("\n");
  const header = (end < 0 ? text : text.slice(0, end)).replace(/\r$/, "");
  const body = end < 0 ? "" : text.slice(end + 1);
  const [word, ...pairs] = header.split(" ");
  const [type, ...version] = word.split("/");
  if (version.join("/") !== "1") return refuse("not a version that is known");
  if (!Object.hasOwn(LAYOUTS, type)) return refuse("not a type of the protocol");

  const layout = LAYOUTS[type as V1Packet["type"]] as Layout<Record<string, unknown>>;
  const read = fieldsOf(pairs, layout.fields);
  if (typeof read === "string") return refuse(read);
  const sum = read.sum;
  if (sum !== undefined && sum !== checksum(text.replace(` sum=${sum}`, ""))) return refuse("checksum does not match");

  const packet = { dialect: "v1", type, ...read.values } as Record<string, unknown>;
  const reason = readBody(packet, layout.body, body) ?? contradiction(packet as V1Packet);
  return reason ? refuse(reason) : { ok: true, packet: packet as Packet };
}

function readBody(packet: Record<string, unknown>, kind: Body | undefined, body: string): string | undefined {
  if (kind === "text") {
    packet.text = body;
    return;
  }
  if (kind === undefined) return;
  const lines = body === "" ? [] : body.replace(/\n$/, "").split("\n");
  if (kind === "names") {
    packet.names = lines.map((line) => name.read(line));
    return (packet.names as unknown[]).includes(undefined) ? "a name is malformed" : undefined;
  }
  const members: Presence[] = [];
  for (const line of lines) {
    const [where, ...who] = line.split(" ");
    const member = { address: address.read(where), name: who.length === 0 ? undefined : name.read(who.join(" ")) };
    if (member.address === undefined || who.length > 0 && member.name === undefined) return "a member is malformed";
    members.push(member.name === undefined ? { address: member.address } : member as Presence);
  }
  packet.members = members;
}

/** What no single field shows: values that can't be true together. */
function contradiction(packet: V1Packet): string | undefined {
  switch (packet.type) {
    case "MESSAGE":
      if (packet.text === "") return "MESSAGE without a text";
      if (byteLength(packet.text) > MAX_TEXT_BYTES) return "the text is too long";
      if (packet.first < 1 || packet.first > packet.id) return "first is not between 1 and id";
      return;
    case "RESEND":
    case "GONE":
      return packet.from < 1 || packet.from > packet.to ? "from is not between 1 and to" : undefined;
    case "LOOKUP":
      return (packet.name === undefined) === (packet.address === undefined)
        ? "LOOKUP takes a name or an address"
        : undefined;
  }
}
