/**
 * The flags of `deno task bench latency`.
 *
 * @module
 */
import { type Args, parseNumber } from "../../runtime/command_line.ts";
import { UsageError } from "../../runtime/program.ts";
import type { LatencyOptions } from "./latency.ts";

/** The names of the flags that only this part has. */
export const LATENCY_FLAGS: string[] = ["loss", "rooms", "messages", "against", "svg"];

/** What the flags choose; what is undefined has its default. */
export interface LatencyFlags
  extends Partial<Pick<LatencyOptions, "rooms" | "members" | "messages" | "drops" | "against">> {
  /** The file for the plot. */
  svg?: string;
}

/** The largest room; all its clients are in one process. */
const MOST_MEMBERS = 100;
/** The most rooms of each transport; each has two processes. */
const MOST_ROOMS = 20;
/** The most that can be lost, in percent. */
const MOST_LOSS = 90;

/**
 * Reads the flags.
 *
 * @param isNamed Whether latency is what the command line asks for: `--members` may be meant for another part.
 * @throws {UsageError} if a value is not valid.
 */
export function readLatencyFlags(read: Args, isNamed: boolean): LatencyFlags {
  const flags: LatencyFlags = {
    ...isNamed && { members: parseNumber(read, "members", 2, MOST_MEMBERS) },
    rooms: parseNumber(read, "rooms", 1, MOST_ROOMS),
    messages: parseNumber(read, "messages", 1, 100_000),
    drops: read.loss === undefined ? undefined : parseDrops(read.loss),
    against: read.against === undefined ? undefined : findCheckout(read.against),
    svg: read.svg,
  };
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
}

function parseDrops(text: string): number[] {
  const words = text.split(",");
  if (!words.every((word) => /^\d{1,2}$/.test(word) && Number(word) <= MOST_LOSS)) {
    throw new UsageError(`--loss takes percents from 0 to ${MOST_LOSS} with commas between them, like 0,30`);
  }
  return [...new Set(words.map(Number))].sort((a, b) => a - b);
}

/** Returns the whole path of another checkout. */
function findCheckout(folder: string): string {
  try {
    const path = Deno.realPathSync(folder);
    for (const file of ["deno.json", "server.ts", "protocol.ts", "client/session/session.ts"]) {
      Deno.statSync(`${path}/${file}`);
    }
    return path;
  } catch {
    throw new UsageError(`--against takes the folder of another checkout of this project; '${folder}' is none`);
  }
}
