/**
 * Why a datagram is ignored or held, in words that whoever writes a client understands, for `--trace`.
 *
 * @module
 */
import { type ClassicPacket, decode } from "../protocol.ts";
import { splitAddress } from "../protocol/fields.ts";
import type { Dismissal } from "./doors/door.ts";
import { refusalWords } from "./refusal_log.ts";
import type { ClassicRefusal } from "./room/classic_policy.ts";
import type { IgnoreReason, Remark } from "./room/ignored.ts";

/** What is known of a datagram, or of a line of a connection. */
interface Arrival {
  address: string;
  what: Uint8Array | string;
  /** The address of somebody with the same IP address who has greeted in the classic dialect. */
  greeted?: string;
}

/** Returns the words for a remark of the room. */
export function explain({ reason, detail }: Remark, arrival: Arrival): string {
  if (reason === "held") return whyHeld(detail ?? "");
  return reason === "cookie" ? whyNoCookie(detail ?? "") : WORDS[reason](arrival, detail);
}

/** Returns the words for what made a door close a connection. */
export function dismissalWords(why: Dismissal): string {
  return why === "too much" ? "it said more than the room takes" : `it began as ${why.toUpperCase()}`;
}

function whyNoCookie(detail: string): string {
  if (detail === "no-token") return "with a cookie it needs a token too: 16 digits of 0-9 and a-f that it has made up";
  return "the cookie is not that of this address, or it is too old: take the one of the last RETRY/1";
}

function whyHeld(detail: string): string {
  if (detail === "rate") return "it comes faster than --rate, and waits for its turn";
  return `the message with the ${detail.replace(" ", "=")} of this stream has to come first`;
}

const WORDS: Record<IgnoreReason, (arrival: Arrival, detail?: string) => string> = {
  "no-packet": ({ what }) => whyUnreadable(what),
  "not-for-server": ({ what }) => {
    const word = wordOf(what);
    if (word === "MESSAGE/1") return "a MESSAGE/1 to the server has the member's token; without one it is for a client";
    return `no client sends ${word || "this"} to a server`;
  },
  "not-joined": (arrival, detail) =>
    detail === "pass"
      ? "nobody is at the address of this RELAY/1, or its pass is not that of the two"
      : detail === "ack"
      ? "it is an ACK/1 for somebody from whom no MESSAGE/1 has come through the server"
      : detail === "file"
      ? "it is of a file, and whom it is for has not asked for it through the server: no OFFER/1, or no SACK/1 with next"
      : wordOf(arrival.what).includes("/")
      ? "no member with this token has joined from this address: greet first, and again with the cookie of RETRY/1"
      : whyNotJoined(arrival),
  "said-again": () =>
    "the same came within two seconds before, and not with MESSAGE in capitals: programs that answer all do so",
  "classic-at-v1": () => "who is at this address speaks version 1, and such a client's classic words are not taken",
  "refused-classic": ({ address }, detail) =>
    `it may not join: ${refusalWords(detail as ClassicRefusal, hostOf(address))}`,
  "kept-out": (_, detail) =>
    detail === "locked"
      ? "the room is locked"
      : `who sends it was ${detail === "kicked" ? "kicked just now" : "banned"}`,
  "no-goodbye": () => "there is no goodbye in the classic dialect, and it is not said either: just end your program",
  "fast-messages": (_, detail) =>
    detail === "bare"
      ? "text without a word may come twice a second, and ten times at once: put MESSAGE in front"
      : "it came faster than --rate, or all with this IP address say too much",
  "muted": () => "its sender is muted",
  "fast-lines": () => dismissalWords("too much"),
  "fast-sign-ins": () => "it asks for names too often",
  "fast-requests": (_, detail) =>
    detail === "receiver"
      ? "whom it is for gets more private messages than are passed on to one member"
      : "it asks for too much in a short time",
  "fast-files": () =>
    "it is of a file, and more than --relay-rate lets pass: of its sender, to its receiver, or in all",
  "no-relay": () => "it is a private message, and with --no-relay none passes through this server",
  "too-short": () =>
    "the answer would be over three times as long, and the address may be forged: " +
    "take an id of three digits, or add the checksum",
  "room-full": () => "the room is full",
  "queue-full": () => "too much waits already",
  "flood": () => "it came in a flood from strangers, of which most is dropped unread",
};

function whyNotJoined({ what, greeted }: Arrival): string {
  const words = classicIn(what)?.type === "TEXT"
    ? `${wordOf(what) || "this"} is no greeting, and none has come from this address: send GREETING first`
    : "no greeting came from this address before: send GREETING first";
  return greeted === undefined ? words : `${words} (${greeted} has greeted: send everything from one socket)`;
}

function whyUnreadable(what: Uint8Array | string): string {
  const decoded = typeof what === "string" ? undefined : decode(what);
  if (decoded?.ok === false) return decoded.reason;
  if (classicIn(what)?.type === "MESSAGE") return "MESSAGE without a text";
  const word = wordOf(what);
  return word === "" ? "it begins with no word of the protocol" : `${word} is no word of the protocol`;
}

function classicIn(what: Uint8Array | string): ClassicPacket | undefined {
  const decoded = typeof what === "string" ? undefined : decode(what);
  return decoded?.ok && decoded.packet.dialect === "classic" ? decoded.packet : undefined;
}

/** The word that it begins with, with its version: `MESSAGE` or `MESSAGE/1`; empty if it begins with none. */
function wordOf(what: Uint8Array | string): string {
  const start = typeof what === "string" ? what.slice(0, 24) : String.fromCharCode(...what.subarray(0, 24));
  const [word] = /^[A-Za-z-]{0,16}(?:\/\d{1,3})?/.exec(start)!;
  return word;
}

function hostOf(address: string): string {
  return splitAddress(address).hostname;
}
