/**
 * Measures how members hand over files, beside TCP: `deno task bench files`.
 *
 * @module
 */
import { compile } from "./competitors.ts";
import { type ChatOptions, type ChatRun, measureChat } from "./file_chat.ts";
import { type Copy, copyFile, type CopyWay, hasNc } from "./file_copies.ts";
import { type FlowsOptions, type FlowsResult, measureFlows, type Sender } from "./file_flows.ts";
import { readable } from "./table.ts";

/** What can be measured of files. */
export const FILE_TABLES = ["loopback", "loss", "share", "chat", "memory"] as const;
export type FileTable = typeof FILE_TABLES[number];

/** What is measured; times in milliseconds, sizes in bytes. */
export interface FilesOptions {
  tables: readonly FileTable[];
  rounds: number;
  /** One machine, without a bottleneck. */
  loopback: { bytes: number; ways: readonly CopyWay[] };
  /** A bottleneck that loses at random so many packets each way, in percent. */
  loss: { drops: readonly number[]; bitsPerSecond: number; queue: number; delay: number; measure: number };
  /** A bottleneck that a file has to share with TCP, with queues of so many milliseconds. */
  share: {
    queues: readonly number[];
    bitsPerSecond: number;
    delay: number;
    /** For how long a TCP connection sends before anything else begins. */
    warm: number;
    measure: number;
    /** How many bottlenecks are measured at the same time. */
    atOnce: number;
  };
  chat: ChatOptions;
  /** The sizes of the files of which the memory is noted. */
  memory: { sizes: readonly number[] };
  /** Where all files are, and the compiled programs. */
  folder: string;
  progress: (line: string) => void;
}

/** What sent alone through a bottleneck with loss. */
export interface LossRun extends FlowsResult {
  round: number;
  /** The share of packets that are lost at random each way, in percent. */
  loss: number;
  sender: string;
}

/** What shared a bottleneck. */
export interface ShareRun extends FlowsResult {
  round: number;
  /** The length of the queue, in milliseconds. */
  queue: number;
  senders: string[];
}

/** All that was measured. */
export interface FilesResult {
  copies: Copy[];
  losses: LossRun[];
  shares: ShareRun[];
  chats: ChatRun[];
  /** The copies whose memory was noted. */
  memory: Copy[];
  /** What was left out, and why, in sentences. */
  missing: string[];
}

/** What a file is called in the results; a TCP connection is called by its congestion control. */
export const FILE = "udp-chat";
/**
 * How TCP slows down that a file is compared with: CUBIC (RFC 9438), as most systems do. What the kernel of this machine
 * is set to is measured too, if it is another one.
 */
export const YARDSTICK = "cubic";

/** Measures all tables that were asked for, or returns the reason why this system can't measure any. */
export async function measureFiles(options: FilesOptions): Promise<FilesResult | string> {
  if (Deno.build.os !== "linux") return "it takes Linux";
  if (!await hasNc()) return "there is no 'nc' of OpenBSD, which Debian calls netcat-openbsd";
  const { tables, rounds, folder, progress } = options;
  const result: FilesResult = { copies: [], losses: [], shares: [], chats: [], memory: [], missing: [] };
  const leaveOut = (what: string, why: string) => {
    const sentence = `${what} is left out: ${why}`;
    if (result.missing.includes(sentence)) return;
    result.missing.push(sentence);
    progress(`files, ${sentence}`);
  };
  const programs = await bottleneckPrograms(folder);
  for (let round = 1; round <= rounds; round++) {
    if (tables.includes("loopback")) await measureLoopback(round, options, result, leaveOut);
    for (const table of ["loss", "share"] as const) {
      if (!tables.includes(table)) continue;
      if (typeof programs === "string") leaveOut(table, programs);
      else await MEASURES[table](round, programs, options, result, leaveOut);
    }
    if (tables.includes("chat")) {
      const chats = await measureChat(options.chat, folder);
      result.chats.push(...chats.map((chat) => ({ round, ...chat })));
      progress(`files, chat beside ${readable(options.chat.bytes / 1e6)} MB: measured`);
    }
  }
  if (tables.includes("memory")) {
    for (const bytes of options.memory.sizes) {
      const copy = await copyFile("direct", bytes, folder);
      if (typeof copy === "string") leaveOut("memory", copy);
      else result.memory.push({ round: 1, ...copy });
      progress(`files, memory with ${readable(bytes / 1e6)} MB: measured`);
    }
  }
  return result;
}

type LeaveOut = (what: string, why: string) => void;

async function bottleneckPrograms(folder: string): Promise<FlowsOptions["programs"] | string> {
  if (Deno.uid() !== 0) return "it takes root";
  const forwarder = await compile("neck", folder), sender = await compile("bulk", folder);
  return forwarder && sender ? { forwarder, sender } : "there is no C compiler 'cc'";
}

async function measureLoopback(
  round: number,
  { loopback: { bytes, ways }, folder, progress }: FilesOptions,
  { copies }: FilesResult,
  leaveOut: LeaveOut,
): Promise<void> {
  for (const way of ways) {
    const copy = await copyFile(way, bytes, folder);
    if (typeof copy === "string") leaveOut(`loopback, ${way}`, copy);
    else {
      copies.push({ round, ...copy });
      progress(`files, ${readable(bytes / 1e6)} MB on loopback, ${way}: ${readable(copy.seconds)} s`);
    }
  }
}

type MeasureFlows = (
  round: number,
  programs: FlowsOptions["programs"],
  options: FilesOptions,
  result: FilesResult,
  leaveOut: LeaveOut,
) => Promise<void>;

const MEASURES: Record<"loss" | "share", MeasureFlows> = {
  async loss(
    round,
    programs,
    { loss: { drops, bitsPerSecond, queue, delay, measure }, folder, progress },
    result,
    leaveOut,
  ) {
    const senders: Sender[] = ["file", ...(await congestionControls()).map((tcp) => ({ tcp }))];
    const queueBytes = bytesOf(queue, bitsPerSecond);
    for (const loss of drops) {
      for (const sender of senders) {
        const neck = { bitsPerSecond, queueBytes, delay, loss };
        const flows = await measureFlows({ programs, neck, senders: [sender], warm: 0, measure, folder });
        if (typeof flows === "string") return leaveOut("loss", flows);
        result.losses.push({ round, loss, sender: labelOf(sender), ...flows });
        progress(`files, ${loss}% lost each way, ${labelOf(sender)}: ${ratesOf(flows)}`);
      }
    }
  },
  async share(round, programs, { share, folder, progress }, result, leaveOut) {
    const { queues, bitsPerSecond, delay, warm, measure } = share, tcp = { tcp: YARDSTICK };
    const cases = queues.flatMap((queue) =>
      ([[tcp, "file"], [tcp, tcp], [tcp], ["file"]] as Sender[][]).map((senders) => ({ queue, senders }))
    );
    const measureNext = async () => {
      for (let next = cases.shift(); next; next = cases.shift()) {
        const { queue, senders } = next;
        const neck = { bitsPerSecond, queueBytes: bytesOf(queue, bitsPerSecond), delay, loss: 0 };
        const flows = await measureFlows({ programs, neck, senders, warm, measure, folder });
        if (typeof flows === "string") return leaveOut("share", flows);
        const labels = senders.map(labelOf);
        result.shares.push({ round, queue, senders: labels, ...flows });
        progress(`files, behind a queue of ${queue} ms, ${labels.join(" and ")}: ${ratesOf(flows)}`);
      }
    };
    await Promise.all(Array.from({ length: share.atOnce }, measureNext));
  },
};

/** The kinds of congestion control of TCP that are measured: the yardstick first. */
async function congestionControls(): Promise<string[]> {
  const own = (await Deno.readTextFile("/proc/sys/net/ipv4/tcp_congestion_control")).trim();
  return [...new Set([YARDSTICK, own])];
}

function bytesOf(milliseconds: number, bitsPerSecond: number): number {
  return Math.round(milliseconds * bitsPerSecond / 8000);
}

function labelOf(sender: Sender): string {
  return sender === "file" ? FILE : sender.tcp;
}

function ratesOf({ rates }: FlowsResult): string {
  return `${rates.map((rate) => readable(rate / 1e6)).join(" and ")} Mbit/s`;
}
