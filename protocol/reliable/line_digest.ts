/**
 * The digest of the room's line: a hash chain over its events, which shows whether two sides have the same ones.
 *
 * @module
 */
import { memberLine } from "../members.ts";
import type { EventPacket } from "../packets.ts";

/**
 * Returns the first 128 bits of the SHA-256 of a text in UTF-8, as 32 hexadecimal digits. With 64 bits a member could
 * compute, in minutes, two texts of its own with one digest, say the one and forge the other.
 */
export type Hash = (text: string) => string;

/** Returns the digest before the first event of an epoch. */
export function digestBefore(epoch: string): string {
  return epoch + epoch;
}

/** Returns the digest up to an event, from the one up to the event before it. PROTOCOL.md describes it. */
export function digestAfter(digest: string, event: EventPacket, hash: Hash): string {
  return digestAfterText(digest, canonicalText(event), hash);
}

/** The same for an event of which the {@linkcode canonicalText} is known. */
export function digestAfterText(digest: string, text: string, hash: Hash): string {
  return hash(`${digest}\n${text}`);
}

/**
 * Returns all that an event says, in one text: its datagram without the epoch, the checksum, the token and unknown
 * fields, and with the others in a fixed order. So it is the same wherever the event comes from.
 */
export function canonicalText(event: EventPacket): string {
  const { type, seq, at } = event;
  const header = `${type}/1 seq=${seq} at=${at}`;
  if (event.type === "NOTICE") return `${header}\n${event.text}`;
  if (event.type !== "INCOMING") return header + event.members.map((member) => `\n${memberLine(member)}`).join("");
  const { from, name, stream, id, action, text } = event;
  return header + ` from=${from}${field("name", name)}${field("stream", stream)}${field("id", id)}` +
    `${action ? " action=1" : ""}\n${text}`;
}

function field(key: string, value: string | number | undefined): string {
  return value === undefined ? "" : ` ${key}=${value}`;
}
