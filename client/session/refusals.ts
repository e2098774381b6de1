/**
 * What the user is told when the server refuses something.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import type { AbandonedDraft, Draft } from "../../protocol/reliable/send_stream.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { printable, splitText } from "../../protocol/text.ts";
import type { LinkEvent } from "./facts.ts";

/** The server's refusal of something. */
export type ErrorPacket = Extract<V1Packet, { type: "ERROR" }>;

/** The longest refusal of a server that is shown, in characters (code points). */
const MAX_REFUSAL_CHARACTERS = 200;
/** How much of a message that was not delivered is shown, in bytes of UTF-8. */
const MAX_QUOTE_BYTES = 60;
/** The codes of answers: when the request is not open any more, they say nothing new. */
const ANSWERS: ReadonlySet<string> = new Set(["name-taken", "bad-name", "room-full", "no-such-user"]);
/** How many refusals that belong to nothing are shown: three at once, and one a minute. */
const STRAY_RATE: TokenBucketOptions = { rate: 1 / 60, burst: 3 };
/** After how long the same one is shown again, in milliseconds. */
const SAME_AGAIN_MS = 60_000;

/** The server's own sentence, safe to print and not too long; empty if it says nothing. */
export function sentenceOf({ text }: ErrorPacket): string {
  const sentence = [...printable(text)].slice(0, MAX_REFUSAL_CHARACTERS).join("");
  return sentence.trim() === "" ? "" : sentence;
}

/** Why the server has refused something: its own sentence, or else the code. */
export function reasonOf(packet: ErrorPacket): string {
  return sentenceOf(packet) || packet.code;
}

/** The codes by which the server tells a client to go, or not to come. */
const EXPULSIONS: ReadonlySet<string> = new Set(["kicked", "banned", "locked", "signed-in-elsewhere"]);

/** Whether an ERROR with this code tells a client to go. */
export function isExpulsion(code: string): boolean {
  return EXPULSIONS.has(code);
}

/** Whether an ERROR with this code refuses a name, or that there is none, so that another one may be taken. */
export function isAboutName(code: string): boolean {
  return code === "name-taken" || code === "bad-name" || code === "name-wanted";
}

/** Why a greeting with a name is refused, as a sentence. */
export function whyNotIn(packet: ErrorPacket, name: string | undefined): string {
  const { code } = packet;
  const unsaid = isAboutName(code) && name !== undefined
    ? `The server does not take the name ${name}; choose another`
    : `The server refuses, and does not say why (${code})`;
  return sentenceOf(packet) || unsaid;
}

/** Why the server has told this client to go, as a sentence. */
export function whyExpelled(packet: ErrorPacket): string {
  return sentenceOf(packet) || `The server has told you to go (${packet.code})`;
}

/** Tells that messages were not delivered to everyone, or to the member with a name, and why. */
export function undelivered(drafts: Draft[], reason: string, name?: string): LinkEvent[] {
  return tellUndelivered("Not delivered", drafts, reason, name);
}

/**
 * Tells that messages to a member, or to everyone, are given up, and why. What was ever sent may have arrived, or may
 * still: an answer may be lost, and a laptop that sleeps gets what waited for it.
 */
export function givenUp(drafts: AbandonedDraft[], reason: string, name?: string): LinkEvent[] {
  const sent = drafts.filter(({ wasSent }) => wasSent), unsent = drafts.filter(({ wasSent }) => !wasSent);
  return [
    ...(sent.length > 0 ? tellUndelivered("Not known to be delivered", sent, reason, name) : []),
    ...(unsent.length > 0 ? undelivered(unsent, reason, name) : []),
  ];
}

function tellUndelivered(what: string, drafts: Draft[], reason: string, name?: string): LinkEvent[] {
  const to = name === undefined ? "" : ` to ${name}`;
  return [
    { type: "shortfall", what: "undelivered", count: drafts.length },
    { type: "problem", text: `${what}${to} (${quote(drafts)}): ${reason}` },
  ];
}

/** The beginning of the first message, and how many come after it. */
function quote([{ text }, ...more]: Draft[]): string {
  const [head, ...rest] = splitText(text, MAX_QUOTE_BYTES);
  return `"${head}${rest.length > 0 ? "…" : ""}"${more.length > 0 ? ` and ${more.length} more` : ""}`;
}

/** Shows the refusals that belong to nothing that this client has asked for; only a few, however many there are. */
export class StrayRefusals {
  #bucket: TokenBucket | undefined;
  #last = { reason: "", at: -Infinity };

  take(packet: ErrorPacket, now: number): LinkEvent[] {
    if (ANSWERS.has(packet.code)) return [];
    const reason = reasonOf(packet);
    if (reason === this.#last.reason && now < this.#last.at + SAME_AGAIN_MS) return [];
    this.#bucket ??= new TokenBucket(STRAY_RATE, now);
    if (this.#bucket.take(STRAY_RATE, now) > 0) return [];
    this.#last = { reason, at: now };
    return [{ type: "problem", text: `The server reports: ${reason}` }];
  }
}
