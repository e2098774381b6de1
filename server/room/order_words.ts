/**
 * Words and times in orders, and in what is told of them.
 *
 * @module
 */
import { pluralize, printable, splitText } from "../../protocol/text.ts";
import type { Member } from "./members.ts";
import { type Giver, OrderProblem } from "./orders.ts";

/** The longest time that an order may be for: a year. */
const MAX_MINUTES = 525_600;
/** The longest reason that is told, in bytes. */
const MAX_REASON_BYTES = 200;
const MINUTE_MS = 60_000;

/** How a member is called: by its name, or its address if it has none. */
export function nameOf({ name, address }: Pick<Member, "name" | "address">): string {
  return name ?? address;
}

/** Whose order it is, as the end of a sentence; nothing if it was typed into the server's terminal. */
export function byWhom(giver: Giver): string {
  return giver ? ` by ${nameOf(giver)}` : "";
}

/** The reason that somebody gives, as the end of a sentence. */
export function because(reason: string | undefined): string {
  if (reason === undefined) return "";
  const [first] = splitText(printable(reason), MAX_REASON_BYTES);
  return first === undefined ? "" : `: ${first}`;
}

/**
 * Reads for how many minutes an order is.
 *
 * @returns The time in milliseconds; undefined if none is given.
 * @throws {OrderProblem} if it is no number of minutes.
 */
export function readMinutes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const minutes = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : Infinity;
  if (minutes > MAX_MINUTES) {
    throw new OrderProblem(`'${printable(text)}' is no number of minutes, 1 to ${MAX_MINUTES}`);
  }
  return minutes * MINUTE_MS;
}

/** For how long something is: ` for 10 minutes`; nothing if it has no end. */
export function forHowLong(ms: number | undefined): string {
  return ms === undefined ? "" : ` for ${span(ms)}`;
}

/** What is left of a time: `for 9 more minutes`, or the words for what has no end. */
export function whatIsLeft(ms: number | undefined, endless: string): string {
  return ms === undefined ? endless : `for ${span(ms, " more")}`;
}

/** A time in words, with an adjective before its unit. It is rounded up, so nobody is told less than it takes. */
export function span(ms: number, which = ""): string {
  const [count, unit] = ms <= MINUTE_MS - 1000
    ? [ms / 1000, "second"]
    : ms <= 120 * MINUTE_MS
    ? [ms / MINUTE_MS, "minute"]
    : ms <= 48 * 60 * MINUTE_MS
    ? [ms / (60 * MINUTE_MS), "hour"]
    : [ms / (24 * 60 * MINUTE_MS), "day"];
  return pluralize(Math.max(1, Math.ceil(count)), `${which.trimStart()} ${unit}`.trimStart());
}
