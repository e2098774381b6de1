/**
 * Measures a room in which half of the members send datagrams and half have connections.
 *
 * @module
 */
import type { Toolchains } from "./competitors.ts";
import { type Cores, type Durations, residentMemory, startOnCore } from "./measure.ts";
import { markdownTable, median, readable } from "./table.ts";
import { start } from "../support/processes.ts";

/** What is measured, and for how long. */
export interface TcpOptions {
  members: number;
  connections: number;
  rounds: number;
  durations: Durations;
  cores: Cores;
  progress: (line: string) => void;
}

/** One server in one round. */
export interface TcpMeasurement {
  /** Its key in {@linkcode CASES}. */
  server: string;
  round: number;
  members: number;
  connections: number;
  /** Copies that arrived in a second at saturation. */
  datagramsPerSecond: number;
  linesPerSecond: number;
  /** How many lines arrived at a time. */
  linesPerRead: number;
  /** The server's processor time for a copy, in microseconds. */
  cpuPerDelivery: number;
  /** At half of the rate, in milliseconds: the median and the 99th percentile. */
  datagramLatency: [number, number];
  lineLatency: [number, number];
  /** Copies that never arrived, lines that came too early or twice, and connections that were closed. */
  lost: number;
  disordered: number;
  disconnected: number;
  /** The server's resident memory in bytes: at first, with those that send datagrams, with all, and after the load. */
  memory: { empty: number; members: number; all: number; after: number };
  /** The share of a processor core that the server used at saturation. */
  serverBusy: number;
}

/** What load_tcp.c prints. */
interface LoadResult extends
  Pick<
    TcpMeasurement,
    "datagramLatency" | "lineLatency" | "lost" | "disordered" | "disconnected"
  > {
  datagrams: number;
  lines: number;
  reads: number;
  seconds: number;
  serverCpu: number;
}

/** A server, and what its members do. */
interface Case {
  label: string;
  /** The key among the competitors. */
  program: "c" | "ours";
  hasConnections: boolean;
  /** Whether those with connections end their lines by line feeds, so that lines to them may share a write. */
  feeds: boolean;
}

/** The server that the others are compared with. */
const YARDSTICK = "c";
const CASES: Readonly<Record<string, Case>> = {
  [YARDSTICK]: { label: "C, sendmmsg and send", program: "c", hasConnections: true, feeds: false },
  paced: { label: "udp-chat, a write a line", program: "ours", hasConnections: true, feeds: false },
  fed: { label: "udp-chat, lines share writes", program: "ours", hasConnections: true, feeds: true },
  datagrams: { label: "udp-chat, datagrams alone", program: "ours", hasConnections: false, feeds: false },
};

/** Messages that are under way at saturation. */
const WINDOW = 16;
/** How long a server may take to let all join, and how much longer than the durations a load may take, in milliseconds. */
const PATIENCE_MS = 60_000;
/** How often a measurement is tried: the port that a server has for datagrams may be taken for connections. */
const ATTEMPTS = 3;

/** Measures all servers that are there, in turns. */
export async function measureTcp(toolchains: Toolchains, options: TcpOptions): Promise<TcpMeasurement[]> {
  const measurements: TcpMeasurement[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    for (const server of Object.keys(CASES)) {
      if (!toolchains.competitors.some(({ key }) => key === CASES[server].program)) continue;
      const measured = { ...await measureAgain(server, toolchains, options), round };
      measurements.push(measured);
      options.progress(`tcp, round ${round} of ${options.rounds}, ${CASES[server].label}: ${describe(measured)}`);
    }
  }
  return measurements;
}

async function measureAgain(server: string, toolchains: Toolchains, options: TcpOptions) {
  for (let attempt = 1;; attempt++) {
    try {
      return await measureCase(server, toolchains, options);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

async function measureCase(
  name: string,
  { competitors, loadTcp }: Toolchains,
  { members: half, connections: otherHalf, durations: { warm, measure, latency }, cores }: TcpOptions,
): Promise<Omit<TcpMeasurement, "round">> {
  const { program, hasConnections, feeds } = CASES[name];
  const members = hasConnections ? half : half + otherHalf, connections = hasConnections ? otherHalf : 0;
  const { command } = competitors.find(({ key }) => key === program)!;
  await using server = await startOnCore(program === "c" ? [...command, "tcp"] : command, cores);
  const memoryNow = () => residentMemory(server.pid) ?? NaN;
  const empty = memoryNow();
  const numbers = [server.port, members, connections, feeds ? 1 : 0, WINDOW, warm, measure, latency, server.pid];
  await using load = start([...cores.load, ...loadTcp!, ...[...numbers, cores.separate ? 1 : 0].map(String)]);
  await load.stdout.until(/\{"joined".*\n/, PATIENCE_MS);
  const joined = memoryNow();
  await load.type("\n");
  if (connections > 0) await load.stdout.until(/(?:\{"joined".*\n){2}/, PATIENCE_MS);
  const all = memoryNow();
  if (connections > 0) await load.type("\n");
  if (await load.exitCode(PATIENCE_MS + warm + measure + latency) !== 0) {
    throw new Error(`${CASES[name].label}: ${load.stderr.text().trim() || "the load generator failed"}`);
  }
  const [line] = load.stdout.text().trim().split("\n").slice(-1);
  const { datagrams, lines, reads, seconds, serverCpu, ...rest }: LoadResult = JSON.parse(line);
  return {
    server: name,
    members,
    connections,
    datagramsPerSecond: datagrams / seconds,
    linesPerSecond: lines / seconds,
    linesPerRead: lines / reads,
    cpuPerDelivery: 1e6 * serverCpu / (datagrams + lines),
    memory: { empty, members: joined, all, after: memoryNow() },
    serverBusy: serverCpu / seconds,
    ...rest,
  };
}

/** The table of all servers: medians of the rounds, and sums of what was lost. */
export function tcpTable(measurements: readonly TcpMeasurement[]): string {
  const yardsticks = new Map(measurements.filter(({ server }) => server === YARDSTICK).map((one) => [one.round, one]));
  const rows = [...Map.groupBy(measurements, ({ server }) => server)].map(([server, group]) => {
    const middle = (of: (one: TcpMeasurement) => number) => readable(median(group.map(of)));
    const sum = (of: (one: TcpMeasurement) => number) =>
      group.reduce((sum, one) => sum + of(one), 0).toLocaleString("en-US");
    const { connections } = group[0];
    const ratios = (speed: (one: TcpMeasurement) => number) =>
      group.flatMap((one) => {
        const yardstick = yardsticks.get(one.round);
        return yardstick && connections > 0 ? [speed(one) / speed(yardstick)] : [];
      });
    const rates = ratios(perSecond), byCpu = ratios(({ cpuPerDelivery }) => 1 / cpuPerDelivery);
    const ifConnected = (text: string) => connections > 0 ? text : "–";
    return [
      CASES[server].label,
      middle(perSecond),
      ifConnected(middle(({ linesPerSecond }) => linesPerSecond)),
      rates.length > 0
        ? `${median(rates).toFixed(2)} (${Math.min(...rates).toFixed(2)} to ${Math.max(...rates).toFixed(2)})`
        : "–",
      byCpu.length > 0 ? median(byCpu).toFixed(2) : "–",
      middle(({ cpuPerDelivery }) => cpuPerDelivery),
      `${middle((one) => one.datagramLatency[0])}, ${middle((one) => one.datagramLatency[1])}`,
      ifConnected(`${middle((one) => one.lineLatency[0])}, ${middle((one) => one.lineLatency[1])}`),
      middle(({ memory }) => memory.empty / 2 ** 20),
      ifConnected(middle(({ memory }) => (memory.all - memory.members) / connections / 1024)),
      middle(({ memory }) => memory.after / 2 ** 20),
      `${sum(({ lost, disordered }) => lost + disordered)}, ${sum(({ disconnected }) => disconnected)}`,
    ];
  });
  return markdownTable([
    "Server",
    "deliveries a second",
    "of them lines",
    "ratio to C: median (min to max)",
    "by CPU",
    "CPU µs a delivery",
    "datagrams: latency median, p99, ms",
    "lines: median, p99, ms",
    "memory empty, MB",
    "a connection, kB",
    "under load, MB",
    "lost, closed",
  ], rows);
}

function perSecond({ datagramsPerSecond, linesPerSecond }: TcpMeasurement): number {
  return datagramsPerSecond + linesPerSecond;
}

function describe(measured: TcpMeasurement): string {
  const { linesPerRead, cpuPerDelivery, lineLatency, serverBusy, lost, disordered, disconnected } = measured;
  return `${readable(perSecond(measured))} a second, ${readable(linesPerRead)} lines a read, ` +
    `${readable(cpuPerDelivery)} µs of CPU each, latency of lines ${readable(lineLatency[0])} ms; ` +
    `server ${Math.round(100 * serverBusy)}%; lost ${lost}, disordered ${disordered}, closed ${disconnected}`;
}
