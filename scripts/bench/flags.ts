/**
 * The flags of `deno task bench` that only one part has, and the lists of numbers in flags.
 *
 * @module
 */
import { type Args, parseNumber } from "../../runtime/command_line.ts";
import { UsageError } from "../../runtime/program.ts";
import type { BottleneckOptions } from "./bottleneck.ts";
import type { LatencyOptions } from "./latency.ts";

/** The names of the flags that only latency has. */
export const LATENCY_FLAGS: string[] = ["loss", "rooms", "messages", "svg"];

/** The names of the flags that only bottleneck has. */
export const BOTTLENECK_FLAGS: string[] = ["queue", "load", "delay", "random-loss", "seconds", "at-once"];

/** What the flags choose; what is left out has its default. */
export interface LatencyFlags extends Partial<Pick<LatencyOptions, "rooms" | "members" | "messages" | "drops">> {
  /** The file for the plot. */
  svg?: string;
}

/** What the flags choose; what is left out has its default. */
export type BottleneckFlags = Partial<
  Pick<BottleneckOptions, "queues" | "loads" | "delay" | "loss" | "measure" | "atOnce">
>;

/** The largest room of latency; all its clients are in one process. */
const MOST_MEMBERS = 100;
/** The most rooms of each transport; each has two processes. */
const MOST_ROOMS = 20;
/** The most that can be lost, in percent. */
const MOST_LOSS = 90;

/**
 * Reads the flags of latency.
 *
 * @param isNamed Whether latency is all that the command line asks for: `--members` may be meant for another part.
 * @throws {UsageError} if a value is not valid.
 */
export function readLatencyFlags(read: Args, isNamed: boolean): LatencyFlags {
  return given({
    members: isNamed ? parseNumber(read, "members", 2, MOST_MEMBERS) : undefined,
    rooms: parseNumber(read, "rooms", 1, MOST_ROOMS),
    messages: parseNumber(read, "messages", 1, 100_000),
    drops: parseNumbers(read, "loss", 0, MOST_LOSS),
    svg: read.svg,
  });
}

/**
 * Reads the flags of bottleneck.
 *
 * @throws {UsageError} if a value is not valid.
 */
export function readBottleneckFlags(read: Args): BottleneckFlags {
  const seconds = parseNumber(read, "seconds", 1, 120);
  return given({
    queues: parseNumbers(read, "queue", 1, 2000),
    loads: parseNumbers(read, "load", 1, 500),
    delay: parseNumber(read, "delay", 0, 1000),
    loss: parseNumber(read, "random-loss", 0, MOST_LOSS),
    measure: seconds === undefined ? undefined : 1000 * seconds,
    atOnce: parseNumber(read, "at-once", 1, 16),
  });
}

/**
 * Reads a flag that takes numbers with commas between them; returns each of them once, the smallest first.
 *
 * @throws {UsageError} if one is none, or not from `least` to `most`.
 */
export function parseNumbers(read: Args, flag: string, least: number, most: number): number[] | undefined {
  const text: string | undefined = read[flag];
  if (text === undefined) return undefined;
  const words = text.split(",");
  if (!words.every((word) => /^(0|[1-9]\d{0,8})$/.test(word) && Number(word) >= least && Number(word) <= most)) {
    throw new UsageError(
      `--${flag} takes numbers from ${least} to ${most} with commas between them, like ${least},${most}`,
    );
  }
  return [...new Set(words.map(Number))].sort((a, b) => a - b);
}

/**
 * Reads a flag that takes words with commas between them; returns each of them once, in the order of `known`.
 *
 * @throws {UsageError} if one is not among these.
 */
export function parseWords<Word extends string>(read: Args, flag: string, known: readonly Word[]): Word[] | undefined {
  const text: string | undefined = read[flag];
  if (text === undefined) return undefined;
  const words = text.split(","), unknown = words.find((word) => !known.some((it) => it === word));
  if (unknown !== undefined) throw new UsageError(`--${flag} knows no '${unknown}': give ${known.join(", ")}`);
  return known.filter((it) => words.includes(it));
}

/** Leaves out what is undefined, so that it does not hide a default. */
function given<Flags extends object>(flags: Flags): { [Key in keyof Flags]?: NonNullable<Flags[Key]> } {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)) as Flags;
}
