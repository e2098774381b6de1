/**
 * What is shown of files that are handed over: how far they have come, and how it ended.
 *
 * @module
 */
import { format as formatBytes } from "@std/fmt/bytes";
import type { Shown } from "../session/shown.ts";
import type { TransferEnd, TransferState } from "../session/transfers/transfer.ts";
import { printable } from "../../protocol/text.ts";
import { cellsOf, cutToCells } from "./wrapping.ts";

/** The most files that have a line of their own. */
const MAX_LINES = 3;
/** Less is not left of the name of a file where the terminal is narrow; in cells. */
const LEAST_NAME = 12;

/**
 * The lines that tell how far each file is that is under way, a few of them. Where the terminal is too narrow, the note
 * on the way is left out, then the name of the file is cut, then the bytes and the rate go; share and time left stay.
 */
export function progressLines(states: readonly TransferState[], columns: number): string[] {
  const busy = states.filter(isUnderWay);
  const more = busy.length - MAX_LINES;
  return [
    ...busy.slice(0, MAX_LINES).map((transfer) => progressLine(transfer, columns - 1)),
    ...(more > 0 ? [`and ${more} more, /files lists them`] : []),
  ];
}

/** Whether something happens to a file, and it does not only wait for what somebody says. */
export function isUnderWay({ state }: TransferState): boolean {
  return state !== "offered" && state !== "asked";
}

function progressLine(transfer: TransferState, cells: number): string {
  const { direction, file, peer, isRelayed } = transfer;
  const [arrow, way] = direction === "out" ? ["->", "to"] : ["<-", "from"];
  const least = Math.min(cellsOf(file), LEAST_NAME), relayed = isRelayed ? RELAYED : "";
  const rests = DETAILS.map((detail) => ` ${way} ${peer}: ${progressOf(transfer, detail)}`);
  const leftBy = (rest: string) => cells - cellsOf(`${arrow} ${rest}`);
  const rest = rests.find((rest) => leftBy(rest) >= least) ?? rests.at(-1)!, left = leftBy(rest);
  const note = left - cellsOf(relayed) >= least ? relayed : "";
  const name = cutToCells(file, Math.max(left - cellsOf(note), LEAST_NAME));
  return `${arrow} ${name}${rest}${note}`;
}

const RELAYED = " (through the server)";

/** How much is told of how far a file is; each has less than the one before. */
const DETAILS = ["all", "without bytes", "without bytes and rate"] as const;

/** How far it is: `43%, 12.3 MB of 28.6 MB, 3.2 MB/s, 5 s left`. */
function progressOf({ state, size, done, rate }: TransferState, detail: typeof DETAILS[number] = "all"): string {
  if (state === "preparing") return "is being read";
  if (state === "calling") return "waits for an answer";
  if (state === "finishing") return "is being checked";
  const parts = [`${shareOf(done, size)}%`];
  if (detail === "all") parts.push(`${formatBytes(done)} of ${formatBytes(size)}`);
  if (rate !== undefined && detail !== "without bytes and rate") parts.push(`${formatBytes(Math.round(rate))}/s`);
  // a second is the least that anybody waits for
  if (rate !== undefined && rate >= 1) {
    parts.push(`${formatDuration(Math.max(1000, (size - done) / rate * 1000))} left`);
  }
  return parts.join(", ");
}

function shareOf(done: number, size: number): number {
  return size === 0 ? 100 : Math.floor(done / size * 100);
}

/** The lines of `/files`. */
export function transferLines(transfers: readonly TransferState[]): string[] {
  if (transfers.length === 0) return ["No file is offered or under way"];
  return transfers.map((transfer) => {
    const { number, file, size, peer, direction, state, isRelayed } = transfer;
    const what = `${number}. ${file}${size > 0 || state !== "preparing" ? ` (${formatBytes(size)})` : ""}`;
    const whose = `${what} ${direction === "out" ? "to" : "from"} ${peer}`;
    if (state === "asked") return `${whose}: waits for your /accept ${number} or /decline ${number}`;
    if (state === "offered") return `${whose}: waits for ${peer} to accept it`;
    return `${whose}: ${progressOf(transfer)}${isRelayed ? RELAYED : ""}`;
  });
}

/** What a member offers, where it would go to, and what to type. */
export function offerSentence({ number, peer, file, size, folder }: Extract<Shown, { kind: "offered" }>): string {
  const what = `${peer} offers you ${file} (${formatBytes(size)}), for ${printable(folder)}`;
  return `${what}: /accept ${number} or /decline ${number}`;
}

/** How a transfer has ended, in a sentence. */
export function endSentence(end: TransferEnd): string {
  const { direction, peer, file, size, problem, path, took, had, relayed, unread } = end;
  if (problem !== undefined) {
    // what could not be read is named in the problem
    if (unread && problem.includes(file)) return `Nothing was offered to ${peer}: ${printable(problem)}`;
    const missed = direction === "out" ? `${file} did not get to ${peer}` : `${file} from ${peer} did not get here`;
    return `${missed}: ${printable(problem)}`;
  }
  const came = size - had;
  const parts = [formatBytes(size)];
  if (had > 0) parts.push(`${came > 0 ? formatBytes(had) : "all"} of it before`);
  if (came > 0) parts.push(formatDuration(took));
  if (came > 0 && took >= 1) parts.push(`${formatBytes(Math.round(came / took * 1000))}/s`);
  if (relayed && came > 0) parts.push("through the server");
  const what = `${file} (${parts.join(", ")})`;
  return direction === "out"
    ? `${what} has reached ${peer}`
    : `${what} from ${peer} is here: ${printable(path ?? file)}`;
}

/** A duration in milliseconds as people say it: `12 ms`, `0.4 s`, `9 s`, `2 min 5 s`, `3 h 10 min`. */
export function formatDuration(ms: number): string {
  // of a second it would be nothing
  if (ms < 50) return `${Math.max(1, Math.round(ms))} ms`;
  if (ms < 950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000), minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  if (minutes === 0) return `${seconds} s`;
  if (hours === 0) return `${minutes} min ${seconds % 60} s`;
  return hours < 100 ? `${hours} h ${minutes % 60} min` : "more than 100 h";
}
