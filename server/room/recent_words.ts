/**
 * Notices that a classic member says the same again at once. A person seldom does. A program does that is no client but
 * answers all it gets, for instance a server with `Unknown command`: it would answer each copy of its own answer.
 *
 * @module
 */
import type { ClassicPacket } from "../../protocol.ts";
import { crc32 } from "../../protocol/crc32.ts";
import { activityOf } from "./activity.ts";
import type { Member } from "./members.ts";

/** How long it is remembered what a member has said, in milliseconds from the last time. */
const MEMORY_MS = 2000;
/** The most that is remembered of one member: as many different lines as an answer may have. */
const MAX_REMEMBERED = 32;

const encoder = new TextEncoder();

/**
 * Whether a member has just said what it says now, without a word in capital letters. Whoever writes the words as the
 * protocol has them is a client, and may say the same as often as it likes.
 */
export function saysAgain(packet: ClassicPacket, member: Member, now: number): boolean {
  const words = looseWords(packet);
  if (words === undefined) return false;
  const activity = activityOf(member), sum = crc32(encoder.encode(words));
  const recent = activity.recentWords?.filter(({ until }) => until > now) ?? [];
  activity.recentWords = recent;
  const same = recent.find((other) => other.sum === sum);
  if (same) same.until = now + MEMORY_MS;
  else {
    if (recent.length === MAX_REMEMBERED) recent.shift();
    recent.push({ sum, until: now + MEMORY_MS });
  }
  return same !== undefined;
}

function looseWords(packet: ClassicPacket): string | undefined {
  if (packet.type === "TEXT") return packet.text;
  if (packet.type === "MESSAGE" && packet.loose) return `MESSAGE ${packet.text}`;
  if (packet.type === "LIST" && packet.loose) return "LIST";
  if (packet.type === "SIGN-IN" && packet.loose) return `SIGN-IN ${packet.name}`;
}
