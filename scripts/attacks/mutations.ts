/**
 * Makes datagrams for fuzzing: packets of every type with odd values, damaged packets, and noise.
 *
 * @module
 */
import { TO_SERVER, type V1Packet } from "../../protocol.ts";
import { crc32 } from "../../protocol/crc32.ts";

/** What the programs that are fuzzed know of each other, so that a packet gets beyond the first check. */
export interface Known {
  token: string;
  epoch: string;
  stream: string;
  /** An id that an answer may have. */
  id: number;
  address: string;
  /** The pass of a pair that whoever sends the next packet is in, if it was told one. */
  pass?: string;
  /** The cookie that the server has sent to whoever sends the next packet, if it has. */
  cookie?: string;
}

type Type = V1Packet["type"];
type Body = "text" | "topic" | "members" | "names" | "onlyRelayed" | "packet" | "octets";
type FieldOf<T extends Type> = Exclude<keyof Extract<V1Packet, { type: T }>, "dialect" | "type" | Body>;

/** The fields of each type of version 1, and whether it has a body. */
const TYPES: { [T in Type]: [fields: FieldOf<T>[], body?: boolean] } = {
  "GREETING": [["id", "token", "cookie", "loss"]],
  "SIGN-IN": [["id", "token", "cookie", "loss", "name", "nonce", "cnonce", "proof"]],
  "RESEND": [["token", "loss", "epoch", "from", "to"]],
  "LIST": [["id", "token", "after"]],
  "LOOKUP": [["id", "token", "name", "address"]],
  "LEAVE": [["id", "token"]],
  "RELAY": [["token", "address", "name"], true],
  "REGISTER": [["id", "token", "key", "sealed", "nonce", "cnonce", "proof"]],
  "UNREGISTER": [["id", "token", "nonce", "cnonce", "proof"]],
  "COMMAND": [["id", "token"], true],
  "MESSAGE": [["token", "pass", "stream", "id", "first", "age", "action"], true],
  "ACK": [["token", "pass", "stream", "id", "epoch", "seq"]],
  "INCOMING": [["token", "copy", "epoch", "seq", "at", "from", "name", "stream", "id", "action"], true],
  "ONLINE": [["token", "copy", "epoch", "seq", "at"], true],
  "OFFLINE": [["token", "copy", "epoch", "seq", "at"], true],
  "RENAMED": [["token", "copy", "epoch", "seq", "at"], true],
  "NOTICE": [["token", "copy", "epoch", "seq", "at"], true],
  "RETRY": [["id", "cookie"]],
  "WELCOME": [
    ["id", "address", "token", "epoch", "seq", "digest", "name", "keepalive", "noecho", "join", "verifier", "operator"],
    true,
  ],
  "CHALLENGE": [["id", "token", "address", "salt", "rounds", "nonce", "key"]],
  "REPLY": [["id", "token", "verifier"], true],
  "HELD": [["token", "stream", "id", "wait"]],
  "HEARTBEAT": [["token", "epoch", "seq"]],
  "GONE": [["token", "epoch", "from", "to"]],
  "USERS": [["id", "token", "total", "unnamed", "more"], true],
  "PEER": [[
    "id",
    "token",
    "address",
    "name",
    "since",
    "pass",
    "classic",
    "relay",
    "norelay",
    "rate",
    "transport",
    "registered",
    "operator",
  ]],
  "PUNCH": [["token", "address", "name", "pass"]],
  "ERROR": [["token", "code", "id", "stream"], true],
  "CLOSING": [["epoch"]],
  "OPEN": [["pass", "id"]],
  "OFFER": [["pass", "file", "size", "hash"], true],
  "DATA": [["pass", "file", "id", "offset"], true],
  "SACK": [["pass", "file", "next", "room", "ids", "delay"]],
  "END": [["pass", "file", "code"]],
};
const ALL_TYPES = Object.keys(TYPES) as Type[];
const CLASSIC = [
  "GREETING",
  "MESSAGE",
  "SIGN-IN",
  "LIST",
  "INCOMING",
  "Message",
  "sign-in",
  "list",
  "SIGNIN",
  "<From ",
];
const NAMES = [
  "Alice",
  "Zoë",
  "Tim",
  "Tim relay",
  "Аlice",
  "Server",
  "10.0.0.1",
  "a".repeat(32),
  "",
  "x y",
  "\u200b",
  "é́́́́",
];
const TEXTS = [
  "",
  "hello",
  "\x1b[2J\x07\x9b31m",
  "\u202eevil\u2066",
  " ".repeat(300),
  "x".repeat(1100),
  "\n\n\r",
  "😀".repeat(50),
];
const NUMBERS = ["0", "1", "2", "3", "7", "2048", "9007199254740991", "9007199254740992", "-1", "1e3", "007", ""];
const CODES = [
  "not-joined",
  "name-taken",
  "bad-name",
  "no-such-user",
  "stream-taken",
  "room-full",
  "kicked",
  "banned",
  "locked",
  "signed-in-elsewhere",
  "muted",
  "not-allowed",
  "bad-command",
  "what",
];

const encoder = new TextEncoder();

/** What fuzzers of a server send most: no LEAVE, since whoever has left is not let in again for a while. */
export const OFTEN_TO_SERVER: readonly Type[] = TO_SERVER.filter((type) => type !== "LEAVE");

/**
 * Returns a function that makes one datagram after the other.
 *
 * @param often The types of most packets in version 1. Default: all types in the same way.
 */
export function mutations(
  random: () => number,
  known: () => Known,
  often: readonly Type[] = ALL_TYPES,
): () => Uint8Array {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)];
  const hex = () => Array.from({ length: 16 }, () => pick([..."0123456789abcdef"])).join("");

  function valueOf(field: string, type: Type): string {
    const { token, epoch, stream, id, address, cookie, pass = stream } = known();
    if (random() < 0.03) return pick([...TEXTS, ...NUMBERS, "%", "=", "="]);
    switch (field) {
      case "token":
        return random() < 0.8 ? token : hex();
      case "epoch":
        return random() < 0.9 ? epoch : hex();
      case "stream":
        return random() < 0.7 ? stream : hex();
      case "pass":
        return random() < 0.7 ? pass : hex();
      case "cookie":
        return cookie !== undefined && random() < 0.8 ? cookie : hex();
      case "nonce":
      case "digest":
      case "cnonce":
      case "salt":
        return hex() + hex();
      case "file":
        return random() < 0.7 ? stream : hex();
      case "ids":
        return pick(["1", "2-9", "40-60,7,1-3", "9-2", "3,4", "1-1", "-", ...NUMBERS]);
      case "hash":
      case "proof":
      case "key":
      case "verifier":
        return hex().repeat(4);
      case "sealed":
        return hex().repeat(12);
      case "rounds":
        return pick(["600000", "1", ...NUMBERS]);
      case "loss":
      case "copy":
        return pick(["1", "9", "30", "100", ...NUMBERS]);
      case "name":
      case "after":
        return pick(NAMES);
      case "address":
      case "join":
        return random() < 0.7 ? address : pick(["127.0.0.1:1", "[::1]:65535", "[fe80::1%eth0]:9", "1.2.3.4:0", "x"]);
      case "action":
      case "noecho":
      case "more":
      case "classic":
      case "relay":
      case "norelay":
      case "registered":
      case "operator":
        return random() < 0.9 ? "1" : "2";
      case "first":
        return random() < 0.7 ? String(Math.max(1, id - 2)) : pick(NUMBERS);
      case "code":
        return pick(CODES);
      case "transport":
        return pick(["tcp", "web", "TCP", "carrier-pigeon"]);
      case "id":
        return random() < 0.5 ? String(id + Math.floor(4 * random()) - 2) : pick(NUMBERS);
      case "from":
        // of an event this is its sender, elsewhere a number
        if (type === "INCOMING") return valueOf("address", type);
        // falls through
      default:
        return random() < 0.6 ? String(Math.floor(random() * 60)) : pick(NUMBERS);
    }
  }

  function packet(type: Type = pick(random() < 0.8 ? often : ALL_TYPES), depth = 0): string {
    const [fields, hasBody] = TYPES[type];
    // a look-up is by a name or by an address
    const needless = type === "LOOKUP" && random() < 0.9
      ? pick(["name", "address"])
      // what is in a RELAY has no token
      : depth > 0 && random() < 0.9
      ? "token"
      : undefined;
    // what goes together is left out together, now and then
    const without: string[] = random() < 0.5
      ? pick([["nonce", "cnonce", "proof"], ["key", "sealed"], ["salt", "nonce"]])
      : [];
    const chosen: string[] = fields.filter((field) =>
      field !== needless && !without.includes(field) && random() < 0.95
    );
    if (random() < 0.05) chosen.push(pick<string>(fields) ?? "id");
    const pairs = chosen.map((field) => ` ${field}=${valueOf(field, type)}`).join("");
    const before = () => type === "RENAMED" && random() < 0.7 ? ` ${pick(NAMES)}` : "";
    const member = () => `${valueOf("address", type)} ${pick(NAMES)}${before()}`;
    const lines = pick([member, () => pick(NAMES)]);
    // mostly what may be in a RELAY, sometimes another RELAY
    const inner = type === "RELAY" && depth < 3 && random() < 0.9
      ? packet(random() < 0.9 ? pick(["MESSAGE", "ACK", "OFFER", "DATA", "SACK", "END"]) : undefined, depth + 1)
      : undefined;
    // a new name is rarely one as a whole by chance
    const renamed = type === "RENAMED" && random() < 0.7 ? member() : undefined;
    const body = hasBody
      ? `\n${inner ?? renamed ?? pick([pick(TEXTS), `${lines()}\n${lines()}`, NAMES.join("\n")])}`
      : "";
    const rest = pairs + body, word = `${type}/1`;
    if (random() < 0.5) return word + rest;
    return `${word} sum=${crc32(encoder.encode(word + rest)).toString(16).padStart(8, "0")}${rest}`;
  }

  function damaged(bytes: Uint8Array): Uint8Array {
    for (let i = 0; i < 1 + 3 * random() && bytes.length > 0; i++) {
      bytes[Math.floor(random() * bytes.length)] ^= 1 << Math.floor(random() * 8);
    }
    return random() < 0.3 ? bytes.slice(0, Math.floor(random() * bytes.length)) : bytes;
  }

  return () => {
    const kind = random();
    if (kind < 0.7) return encoder.encode(packet());
    if (kind < 0.85) return damaged(encoder.encode(packet()));
    if (kind < 0.95) {
      return encoder.encode(`${pick(CLASSIC)}${pick([" ", ":", ": ", "\n", ""])}${pick([...TEXTS, ...NAMES])}`);
    }
    if (kind < 0.97) return encoder.encode(pick([...TEXTS, ...NAMES]));
    return Uint8Array.from({ length: Math.floor(random() * 1400) }, () => Math.floor(random() * 256));
  };
}
