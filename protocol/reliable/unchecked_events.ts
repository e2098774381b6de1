/**
 * What was shown and may be forged when the server begins anew, because it has not vouched for it before.
 *
 * @module
 */
import type { EventPacket } from "../packets.ts";
import type { Place } from "./event_place.ts";

/** The user is told nothing of so many lines: an honest room says a few between the last WELCOME and its end. */
const FEW = 10;
/** Nor of this many times what the room has said before in as long a time. */
const MANY_TIMES = 2;
/**
 * But the user is told if one of them came later than this after the first greeting without an answer, in milliseconds:
 * the server was gone by then.
 */
const LATE_MS = 1000;

/** What is known of the line that has ended. */
export interface EndedLine {
  /** What has come for it, by seq: at most a few thousand. */
  places: Iterable<[number, Place]>;
  /** The latest seq that the server has vouched for. */
  vouched: number;
  disputed: ReadonlySet<number>;
  /** When the server was first greeted without an answer, in milliseconds. */
  silentSince: number;
}

/** What may be forged of what was shown. */
export interface Unchecked {
  places: Place[];
  /** Those of them that the user is to be told of: none if that looks like an honest room. */
  told: EventPacket[];
}

/** Finds what may be forged of what was shown, or will be. */
export function findUnchecked({ places, vouched, disputed, silentSince }: EndedLine): Unchecked {
  const all = [...places].filter(([, { event }]) => event);
  const doubtful = all.filter(([, { isVouched }]) => !isVouched);
  // what the server had said by the last WELCOME was compared, or could not be compared in this room
  const late = doubtful.filter(([seq]) => seq > vouched || disputed.has(seq)).map(([, place]) => place);
  const before = all.filter(([seq]) => seq <= vouched).map(([, place]) => place);
  const isHonest = late.length <= FEW + MANY_TIMES * ratePerMs(before) * durationOf(late, silentSince) &&
    late.every(({ at }) => at <= silentSince + LATE_MS);
  return { places: doubtful.map(([, place]) => place), told: isHonest ? [] : late.map(({ event }) => event!) };
}

function ratePerMs(places: Place[]): number {
  const times = places.map(({ at }) => at);
  return places.length / Math.max(1000, Math.max(...times) - Math.min(...times));
}

/** From the first of the events to the end of the line, in milliseconds; at least a second. */
function durationOf(places: Place[], end: number): number {
  return Math.max(1000, end - Math.min(...places.map(({ at }) => at)));
}
