/**
 * The flag that says how many bytes a second of files pass through the server for each member.
 *
 * @module
 */
import type { Args } from "../runtime/command_line.ts";
import { UsageError } from "../runtime/program.ts";

/** What the flag takes, for whoever gives it no value or a wrong one. */
export const RELAY_RATE_VALUE =
  "bytes a second from 1k to 1000M, such as 500000, 500k or 2M (k: thousands, M: millions), or 0 for no limit";

/** How many bytes a second it is if the flag is not given. */
const DEFAULT_RATE = 1_000_000;
const LOWEST = 1000, HIGHEST = 1_000_000_000;
const FACTORS: Record<string, number> = { "": 1, k: 1000, m: 1_000_000 };

/** @throws {UsageError} if the value is no such rate, or nothing passes through the server. */
export function parseRelayRate(read: Args): number {
  const value = read["relay-rate"];
  if (value === undefined) return DEFAULT_RATE;
  if (!read.relay) {
    throw new UsageError("--relay-rate is for what passes through the server, and --no-relay lets nothing pass");
  }
  const [, digits, unit = ""] = /^(\d{1,10})([km]?)$/i.exec(value) ?? [];
  const rate = Number(digits) * FACTORS[unit.toLowerCase()];
  if (rate !== 0 && !(rate >= LOWEST && rate <= HIGHEST)) {
    throw new UsageError(`--relay-rate takes ${RELAY_RATE_VALUE}`);
  }
  return rate;
}
