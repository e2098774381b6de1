/**
 * Words and times in orders, and in what is told of them.
 *
 * @module
 */
import { pluralize, printable, splitText } from "../../protocol/text.ts";
import { byteLength } from "../../protocol/utf8.ts";
import { nameOf } from "./members.ts";
import { type Giver, OrderProblem } from "./orders.ts";

/** The longest time that an order may be for: a year. */
const MAX_MINUTES = 525_600;
/** The longest reason that is told, in bytes. */
const MAX_REASON_BYTES = 200;
/** How many bytes an answer to a member lists: it has to fit into a REPLY. */
const MAX_LIST_BYTES = 800;
const MINUTE_MS = 60_000;

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
  const [, digits] = /^([1-9]\d{0,5}) ?(?:m|min|minutes?)?$/i.exec(text) ?? [];
  const minutes = digits === undefined ? Infinity : Number(digits);
  if (minutes > MAX_MINUTES) {
    const problem = `'${printable(text)}' is no number of minutes, 1 to ${MAX_MINUTES}`;
    throw new OrderProblem(`${problem}; only kick takes a reason`);
  }
  return minutes * MINUTE_MS;
}

/** The lines of a list, as many as the answer to the giver has room for. */
export function listLines(lines: readonly string[], giver: Giver): string {
  // the terminal has room for everything
  if (!giver) return lines.join("\n");
  let count = 0;
  for (let bytes = 0; count < lines.length && (bytes += byteLength(lines[count]) + 1) <= MAX_LIST_BYTES;) count++;
  return [...lines.slice(0, count), ...count < lines.length ? [`and ${lines.length - count} more`] : []].join("\n");
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
