/**
 * The tables of what was measured of files.
 *
 * @module
 */
import type { ChatRun } from "./file_chat.ts";
import type { Copy } from "./file_copies.ts";
import { FILE, type FilesResult, type LossRun, type ShareRun, YARDSTICK } from "./files.ts";
import { markdownTable, median, quantile, readable } from "./table.ts";

const WAYS: Record<Copy["way"], string> = {
  direct: "udp-chat, directly",
  relayed: "udp-chat, through the server",
  tcp: "nc, TCP",
};
const PAIRS: Record<ChatRun["pair"], string> = {
  themselves: "between those who hand over the file",
  others: "between two others",
};

/** Formats all that was measured. */
export function formatFiles({ copies, losses, shares, chats, memory, missing }: FilesResult): string {
  const tables = [
    copies.length > 0 && copiesTable(copies),
    losses.length > 0 && lossesTable(losses),
    shares.length > 0 && sharesTable(shares),
    chats.length > 0 && chatTable(chats),
    memory.length > 0 && memoryTable(memory),
  ];
  const sentences = missing.map((sentence) => `${sentence[0].toUpperCase()}${sentence.slice(1)}.`);
  return [...tables.filter((table) => table !== false), ...sentences].join("\n\n");
}

/** How long a file takes on one machine. Ratios are to TCP in the same round. */
export function copiesTable(copies: readonly Copy[]): string {
  const rows = [...Map.groupBy(copies, ({ way }) => way)].map(([way, group]) => [
    `${readable(group[0].bytes / 1e6)} MB, ${WAYS[way]}`,
    spread(group.map(({ seconds }) => seconds)),
    readable(median(group.map(({ bytes, seconds }) => bytes / 1e6 / seconds))),
    spread(ratios(group, copies, (it) => it.way === "tcp", ({ seconds }) => 1 / seconds)),
    ...[
      ...[({ senderCpu }: Copy) => senderCpu, ({ receiverCpu }: Copy) => receiverCpu],
      ({ serverCpu }: Copy) => serverCpu ?? NaN,
    ].map((of) => readable(median(group.map(of)))),
  ]);
  return markdownTable([
    "On one machine",
    "seconds: median (min to max)",
    "MB/s",
    "ratio to TCP: median (min to max)",
    "processor time of the sender, s",
    "of the receiver, s",
    "of the server, s",
  ], rows);
}

/** What comes through loss. */
export function lossesTable(runs: readonly LossRun[]): string {
  const rows = groups(runs, ({ loss, sender }) => `${loss} ${sender}`).map((group) => {
    const [{ loss, sender }] = group;
    const rate = ({ rates }: LossRun) => rates[0];
    const isYardstick = (it: LossRun) => it.loss === loss && it.sender === YARDSTICK;
    return [
      `${loss}%, ${sender === FILE ? FILE : `TCP, ${sender}`}`,
      spread(group.map((it) => rate(it) / 8e6)),
      spread(ratios(group, runs, isYardstick, rate)),
      percent(group.map(({ dropped, tcpDropped }) => sender === FILE ? dropped : tcpDropped)),
    ];
  });
  const head = ["MB/s: median (min to max)", `ratio to TCP, ${YARDSTICK}: median (min to max)`, "dropped by the queue"];
  return markdownTable(["Loss each way, what sends", ...head], rows);
}

/** Who gets how much of a bottleneck. */
export function sharesTable(runs: readonly ShareRun[]): string {
  const all = groups(runs, ({ queue, senders }) => `${queue} ${senders}`);
  const connectionsOf = ({ senders }: ShareRun) => senders.filter((sender) => sender !== FILE).length;
  // they are measured side by side, so that any may be the first to end
  all.sort(([a], [b]) =>
    a.queue - b.queue || Number(a.senders.includes(FILE)) - Number(b.senders.includes(FILE)) ||
    connectionsOf(a) - connectionsOf(b)
  );
  const rows = all.map((group) => {
    const [{ queue, senders }] = group, isFile = senders.includes(FILE), connections = connectionsOf(group[0]);
    const file = ({ rates, senders }: ShareRun) => rates[senders.indexOf(FILE)] ?? NaN;
    /** Of what one of so many connections gets, where there is nothing else. */
    const ofTcp = (count: number) => {
      const isFair = (it: ShareRun) =>
        it.queue === queue && it.senders.length === count && it.senders.every((sender) => sender !== FILE);
      return percents(ratios(group, runs, isFair, tcpRate));
    };
    return [
      `${queue} ms, ${[isFile && "a file", connections > 0 && `${connections} TCP`].filter(Boolean).join(", ")}`,
      spread(group.map((it) => file(it) / 1e6)),
      spread(group.map((it) => tcpRate(it) / 1e6)),
      ofTcp(1),
      ofTcp(2),
      percent(group.map(({ dropped }) => dropped)),
      percent(group.map(({ tcpDropped }) => tcpDropped)),
    ];
  });
  return markdownTable([
    "Queue, what sends",
    "the file, Mbit/s: median (min to max)",
    `a TCP connection (${YARDSTICK}), Mbit/s`,
    "of what it gets alone",
    "of its share beside another",
    "dropped of the file",
    "of TCP",
  ], rows);
}

/** How long messages take beside a file; all rounds together. */
export function chatTable(runs: readonly ChatRun[]): string {
  const rows = groups(runs, ({ pair, hasFile }) => `${pair} ${hasFile}`).map((group) => {
    const [{ pair, hasFile }] = group, expected = group.reduce((sum, it) => sum + it.expected, 0);
    const shown = group.flatMap(({ delays }) => delays);
    const all = [...shown, ...Array.from({ length: expected - shown.length }, () => Infinity)];
    return [
      `${hasFile ? "Beside a file" : "Without a file"}, ${PAIRS[pair]}`,
      ...[0.5, 0.95, 0.99, 1].map((share) => readable(quantile(all, share))),
      `${shown.length} of ${expected}`,
    ];
  });
  return markdownTable(["Messages", "said to shown: median, ms", "p95, ms", "p99, ms", "most, ms", "shown"], rows);
}

/** The memory of both ends. */
export function memoryTable(copies: readonly Copy[]): string {
  const shares = copies[0].memory.map(({ share }) => share);
  const head = (["sender", "receiver"] as const).flatMap((end) => shares.map((share) => ({ end, share })));
  const rows = copies.map(({ bytes, memory }) => [
    `${readable(bytes / 1e6)} MB`,
    ...head.map(({ end, share }) => readable((memory.find((it) => it.share === share)?.[end] ?? NaN) / 2 ** 20)),
  ]);
  const titles = head.map(({ end, share }) => `${end}'s memory at ${100 * share}%, MB`);
  return markdownTable(["File", ...titles], rows);
}

/** What a TCP connection gets: the mean of all. */
function tcpRate({ rates, senders }: ShareRun): number {
  const tcp = rates.filter((_, i) => senders[i] !== FILE);
  return tcp.reduce((sum, rate) => sum + rate / tcp.length, 0) || NaN;
}

/** What each of a group has, divided by what the yardstick has in the same round. */
function ratios<Run extends { round: number }>(
  group: readonly Run[],
  all: readonly Run[],
  isYardstick: (run: Run) => boolean,
  of: (run: Run) => number,
): number[] {
  return group.flatMap((one) => {
    const yardstick = all.find((it) => it.round === one.round && isYardstick(it));
    return yardstick ? [of(one) / of(yardstick)] : [];
  });
}

function groups<Run>(runs: readonly Run[], keyOf: (run: Run) => string): Run[][] {
  return [...Map.groupBy(runs, keyOf).values()];
}

/** A median, and from where to where the numbers go. */
function spread(numbers: readonly number[], format: (number: number) => string = readable): string {
  const middle = median(numbers);
  if (!Number.isFinite(middle)) return "–";
  if (numbers.length === 1) return format(middle);
  return `${format(middle)} (${format(Math.min(...numbers))} to ${format(Math.max(...numbers))})`;
}

function percents(shares: readonly number[]): string {
  return spread(shares, (share) => `${(100 * share).toFixed(0)}%`);
}

function percent(shares: readonly number[]): string {
  const share = median(shares);
  return Number.isFinite(share) ? `${(100 * share).toFixed(1)}%` : "–";
}
