/**
 * Measures a room behind a bottleneck, and a TCP connection beside it: `deno task bench bottleneck`.
 *
 * All clients are behind it, so that each message crosses it once for each of them. A chat that repeats what was lost
 * must do less of it where the network has no room: the copies that are shown must not become fewer, and others must
 * keep their share. Another checkout of this project can be measured in the same run.
 *
 * @module
 */
import { start } from "../support/processes.ts";
import type { ClientsOptions, ClientsResult } from "./bottleneck_clients.ts";
import { type Checkout, commandIn, otherCheckout, thisCheckout } from "./checkouts.ts";
import { compile } from "./competitors.ts";
import { startListening } from "./measure.ts";
import { type Count, openNeck, type Passed, SERVER } from "./neck.ts";
import { markdownTable, median, readable } from "./table.ts";

/** What is measured. */
export interface BottleneckOptions {
  /** Where the forwarder is compiled. */
  folder: string;
  /** The lengths of the queue, each way, in milliseconds of the line's time. */
  queues: readonly number[];
  /** How much the chat wants of the bottleneck, in percent. */
  loads: readonly number[];
  /** How long a packet travels each way, beside the queue, in milliseconds. */
  delay: number;
  /** The share of packets that are lost at random each way, in percent. */
  loss: number;
  /** The folder of another checkout of this project, to be measured too; undefined for none. */
  against: string | undefined;
  rounds: number;
  /** For how long the clients talk, and for how long a TCP connection sends before, in milliseconds. */
  measure: number;
  warm: number;
  /** How many rooms are measured at the same time. */
  atOnce: number;
  progress: (line: string) => void;
}

/** What is at the bottleneck at the same time. */
export interface Case {
  /** The length of the queue, in milliseconds. */
  queue: number;
  /** Which program chats, in the words of the table, and how much it wants, in percent; 0 for no chat. */
  program: string;
  load: number;
  /** TCP connections. */
  flows: number;
}

/** The result of one case in one round. */
export interface BottleneckResult extends Case {
  round: number;
  /** Copies shown a second while the clients talked. */
  perSecond: number;
  /** Datagrams and their bytes, with their headers, that came to the bottleneck from both sides for each copy. */
  datagramsPerDelivery: number;
  bytesPerDelivery: number;
  /** The shares of datagrams, and of packets of TCP, that the full queue dropped, 0 to 1. */
  dropped: number;
  tcpDropped: number;
  /** From when a message is said to when it is shown, in milliseconds; null for never. */
  median: number | null;
  p99: number | null;
  shown: number;
  expected: number;
  /** How long after the last word the last copy was shown, in milliseconds. */
  last: number;
  /** What TCP received while the clients talked, in bits a second: the mean of the connections. */
  tcp: number;
}

const BITS_PER_SECOND = 1_000_000;
const MEMBERS = 30;
/** The length of each text, and of the packet of IP that brings it to one client, in bytes. */
const TEXT_BYTES = 100;
const EVENT_BYTES = 275;
/**
 * How the sender of TCP slows down: CUBIC (RFC 9438), as most systems do. What the kernel of this machine is set to may
 * be another one.
 */
const CONGESTION_CONTROL = "cubic";
const CLIENTS = `${import.meta.dirname}/bottleneck_clients.ts`;
/** How long what was said may take to be shown everywhere, in milliseconds. */
const PATIENCE_MS = 30_000;
/** How long programs may take beside that, in milliseconds. */
const START_MS = 60_000;

/** Measures all cases, or returns the reason why this system can't. */
export async function measureBottleneck(options: BottleneckOptions): Promise<BottleneckResult[] | string> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "it takes Linux, and root";
  const forwarder = await compile("neck", options.folder), sender = await compile("bulk", options.folder);
  if (!forwarder || !sender) return "there is no C compiler 'cc'";
  const others = options.against === undefined ? [] : [await otherCheckout(options.against)];
  const checkouts = [thisCheckout(), ...others];
  const cases = casesOf(checkouts.map(({ label }) => label), options);
  const results: BottleneckResult[] = [];
  let failure: string | undefined;
  const measureNext = async () => {
    for (let next = cases.shift(); next && !failure; next = cases.shift()) {
      const checkout = checkouts.find(({ label }) => label === next.program) ?? checkouts[0];
      const result = await measureCase(next, checkout, { forwarder, sender }, options);
      if (typeof result === "string") failure = result;
      else {
        results.push(result);
        options.progress(`bottleneck, ${describe(result)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: options.atOnce }, measureNext));
  return failure ?? results;
}

/** All that is measured, in the order in which it begins. */
function casesOf(
  programs: readonly string[],
  { queues, loads, rounds }: BottleneckOptions,
): (Case & { round: number })[] {
  return Array.from({ length: rounds }, (_, i) => i + 1).flatMap((round) =>
    queues.flatMap((queue) => [
      ...[1, 2].map((flows) => ({ round, queue, program: "", load: 0, flows })),
      ...loads.flatMap((load) =>
        [0, 1].flatMap((flows) => programs.map((program) => ({ round, queue, program, load, flows })))
      ),
    ])
  );
}

/** Measures one case, or returns the reason why this system can't. */
async function measureCase(
  { round, ...what }: Case & { round: number },
  { folder, server: command }: Checkout,
  programs: { forwarder: string; sender: string },
  { delay, loss, warm, measure }: BottleneckOptions,
): Promise<BottleneckResult | string> {
  const queueBytes = Math.round(what.queue * BITS_PER_SECOND / 8000);
  const neck = await openNeck(programs.forwarder, { bitsPerSecond: BITS_PER_SECOND, queueBytes, delay, loss });
  if (typeof neck === "string") return neck;
  await using _neck = neck;
  const members = what.load > 0 ? MEMBERS : 0;
  const startInside = (command: string[]) => startListening(neck.inside("server", command), START_MS);
  await using room = members > 0 ? await startInside(command) : undefined;
  await using sender = await startInside([programs.sender, CONGESTION_CONTROL]);
  const options: ClientsOptions = {
    checkout: folder,
    server: `${SERVER}:${room?.port}`,
    members,
    messagesPerSecond: what.load / 100 * BITS_PER_SECOND / 8 / EVENT_BYTES / MEMBERS,
    bytes: TEXT_BYTES,
    sender: { hostname: SERVER, port: sender.port },
    flows: what.flows,
    ...{ warm: what.flows > 0 ? warm : 0, measure, patience: PATIENCE_MS },
  };
  await using clients = start(neck.inside("clients", commandIn(folder, CLIENTS, JSON.stringify(options))));
  await clients.stdout.until(/^started\n/, START_MS + warm);
  const before = await neck.passed();
  await clients.stdout.until(/^said\n/m, START_MS + measure);
  const said = await neck.passed();
  const [line] = await clients.stdout.until(/^\{.*\}\n/m, START_MS + PATIENCE_MS);
  const after = await neck.passed();
  return { round, ...what, ...resultOf(JSON.parse(line), before, said, after) };
}

function resultOf(
  { seconds, shownInTime, shown, expected, last, median, p99, received }: ClientsResult,
  before: Passed,
  said: Passed,
  after: Passed,
): Omit<BottleneckResult, keyof Case | "round"> {
  const udp = passedSince("udp", before, after), tcp = passedSince("tcp", before, said);
  return {
    perSecond: shownInTime / seconds,
    datagramsPerDelivery: udp.packets / shown,
    bytesPerDelivery: udp.bytes / shown,
    dropped: udp.dropped / udp.packets,
    tcpDropped: tcp.dropped / tcp.packets,
    ...{ median, p99, shown, expected, last },
    tcp: received.reduce((sum, count) => sum + 8 * count / seconds, 0) / received.length,
  };
}

/** What came from both sides between two times. */
function passedSince(kind: "udp" | "tcp", before: Passed, after: Passed): Count {
  const count = (what: keyof Count) =>
    after.toClients[kind][what] - before.toClients[kind][what] +
    after.toServer[kind][what] - before.toServer[kind][what];
  return { packets: count("packets"), bytes: count("bytes"), dropped: count("dropped"), lost: count("lost") };
}

/** The table of all cases: medians of the rounds, and sums of what was shown. */
export function bottleneckTable(results: readonly BottleneckResult[]): string {
  const groups = [...Map.groupBy(results, keyOf).values()];
  groups.sort(([a], [b]) =>
    a.queue - b.queue || a.load - b.load || a.flows - b.flows || (a.program < b.program ? -1 : 1)
  );
  const rows = groups.map((group) => {
    const [{ queue, load, program, flows }] = group;
    const middle = (of: (one: BottleneckResult) => number | null) =>
      readable(median(group.map((it) => of(it) ?? Infinity)));
    const percent = (of: (one: BottleneckResult) => number) => {
      const share = median(group.map(of));
      return Number.isFinite(share) ? `${(100 * share).toFixed(1)}%` : "–";
    };
    const sum = (of: (one: BottleneckResult) => number) =>
      group.reduce((sum, one) => sum + of(one), 0).toLocaleString("en-US");
    /** Of what one of `others` connections gets, in the same round. */
    const ofTcp = (others: number) =>
      percent((one) => {
        const fair = results.find((it) =>
          it.queue === queue && it.load === 0 && it.flows === others && it.round === one.round
        );
        return one.tcp / (fair?.tcp ?? NaN);
      });
    const ifChat = (text: string) => load > 0 ? text : "–";
    return [
      `${queue} ms, ${load > 0 ? `${load}%, ${program}` : "no chat"}${flows > 0 ? `, ${flows} TCP` : ""}`,
      ifChat(middle((one) => one.perSecond)),
      ifChat(middle((one) => one.perSecond * TEXT_BYTES / 1000)),
      ifChat(middle((one) => one.datagramsPerDelivery)),
      ifChat(middle((one) => one.bytesPerDelivery)),
      ifChat(percent((one) => one.dropped)),
      ifChat(middle((one) => one.median)),
      ifChat(middle((one) => one.p99)),
      ifChat(`${sum((one) => one.shown)} of ${sum((one) => one.expected)}`),
      ifChat(middle((one) => one.last / 1000)),
      middle((one) => one.tcp / 1000),
      ofTcp(1),
      ofTcp(2),
      flows > 0 ? percent((one) => one.tcpDropped) : "–",
    ];
  });
  return markdownTable([
    "Queue, load",
    "deliveries a second",
    "kB of text a second",
    "datagrams a delivery",
    "bytes a delivery",
    "dropped",
    "said to shown: median, ms",
    "p99, ms",
    "shown",
    "all shown after, s",
    "a TCP connection, kbit/s",
    "of what it gets alone",
    "of its share beside another",
    "dropped of TCP",
  ], rows);
}

function keyOf({ queue, load, program, flows }: Case): string {
  return `${queue} ${load} ${program} ${flows}`;
}

function describe({ queue, load, program, flows, ...result }: BottleneckResult): string {
  const { perSecond, datagramsPerDelivery, dropped, shown, expected, tcp } = result;
  const chat = `${program} at ${load}%: ${readable(perSecond)} deliveries a second, ${shown} of ${expected} shown, ` +
    `${readable(datagramsPerDelivery)} datagrams each, ${Math.round(100 * dropped)}% dropped`;
  const beside = `TCP ${readable(tcp / 1000)} kbit/s`;
  return [`queue of ${queue} ms`, ...load > 0 ? [chat] : [], ...flows > 0 ? [`${flows} ${beside}`] : []].join("; ");
}
