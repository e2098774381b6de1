/**
 * Measures a room of a hundred people beside what a team would install instead: ngIRCd, a server of IRC in C.
 *
 * All speak in turns, at a rate that each server takes for ever, as people do. Our server is measured with connections
 * and with datagrams.
 *
 * @module
 */
import { type Competitor, compile, output, type Toolchains } from "./competitors.ts";
import { type Cores, type Listening, residentMemory, startOnCore } from "./measure.ts";
import { markdownTable, median, readable } from "./table.ts";
import { start } from "../support/processes.ts";

/** What is measured, and for how long. */
export interface IrcOptions {
  clients: number;
  /** Messages a second, of all together. */
  rate: number;
  rounds: number;
  /** In milliseconds: at saturation, before anything is counted; and at the rate. */
  warm: number;
  measure: number;
  cores: Cores;
  /** Where the load generator is compiled, and ngIRCd's configuration is. */
  folder: string;
  progress: (line: string) => void;
}

/** What load_irc.c prints. */
interface LoadResult {
  delivered: number;
  /** In seconds: the elapsed time, and the processor time of the server and of the load. */
  seconds: number;
  serverCpu: number;
  loadCpu: number;
  /** From when a message is due to when a copy arrives, in milliseconds. */
  median: number;
  p99: number;
  /** Copies that never arrived, and connections that were closed. */
  lost: number;
  closed: number;
}

/** One server in one round. */
export interface IrcMeasurement extends Pick<LoadResult, "median" | "p99" | "lost" | "closed"> {
  /** Its key in {@linkcode CASES}, which is what load_irc.c calls it. */
  server: string;
  round: number;
  perSecond: number;
  /** The server's processor time for a copy, in microseconds. */
  cpuPerDelivery: number;
  /** The server's resident memory after the load, in bytes. */
  memory: number;
}

/** The server that the others are compared with. */
const YARDSTICK = "irc";
const CASES: Readonly<Record<string, string>> = {
  [YARDSTICK]: "ngIRCd, TCP",
  lines: "udp-chat, TCP",
  datagrams: "udp-chat, UDP",
};

/** How long a server may take to start, and how much longer than its durations a load may take, in milliseconds. */
const PATIENCE_MS = 60_000;

/**
 * What ngIRCd is told: no limits, and no questions to other machines. By itself it takes four commands a second of a
 * client that sends many at once, and five connections from one address.
 */
const configuration = (port: number) =>
  `[Global]
Name = irc.example.net
Info = measured
Listen = 127.0.0.1
Ports = ${port}
MotdPhrase = hello
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxPenaltyTime = 0
[Options]
DNS = no
Ident = no
PAM = no
`;

/** Measures all servers in turns, or returns the reason why this machine can't. */
export async function measureIrc(
  { competitors }: Toolchains,
  options: IrcOptions,
): Promise<IrcMeasurement[] | string> {
  const load = await compile("load_irc", options.folder);
  if (!load) return "there is no C compiler 'cc'";
  if (await output(["ngircd", "--version"]) === undefined) return "there is no 'ngircd'";
  const ours = competitors.find(({ key }) => key === "ours");
  if (!ours) return "it compares our own server";
  const measurements: IrcMeasurement[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    for (const server of Object.keys(CASES)) {
      const measured = { ...await measureCase(server, ours, load, options), round };
      measurements.push(measured);
      options.progress(`irc, round ${round} of ${options.rounds}, ${CASES[server]}: ${describe(measured)}`);
    }
  }
  return measurements;
}

async function measureCase(
  kind: string,
  ours: Competitor,
  loadProgram: string,
  { clients, rate, warm, measure, cores, folder }: IrcOptions,
): Promise<Omit<IrcMeasurement, "round">> {
  await using server = await (kind === YARDSTICK ? startNgircd(folder, cores) : startOnCore(ours.command, cores));
  const numbers = [server.port, clients, rate, warm, measure, server.pid, cores.separate ? 1 : 0].map(String);
  await using load = start([...cores.load, loadProgram, kind, ...numbers]);
  if (await load.exitCode(PATIENCE_MS + warm + measure) !== 0) {
    throw new Error(`${CASES[kind]}: ${load.stderr.text().trim() || "the load generator failed"}`);
  }
  const { delivered, seconds, serverCpu, ...rest }: LoadResult = JSON.parse(load.stdout.text());
  return {
    server: kind,
    perSecond: delivered / seconds,
    cpuPerDelivery: 1e6 * serverCpu / delivered,
    memory: residentMemory(server.pid) ?? NaN,
    ...{ median: rest.median, p99: rest.p99, lost: rest.lost, closed: rest.closed },
  };
}

/** Starts ngIRCd and waits until it listens. */
async function startNgircd(folder: string, cores: Cores): Promise<Listening> {
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 }), { port } = free.addr as Deno.NetAddr;
  free.close();
  const file = `${folder}/ngircd.conf`;
  await Deno.writeTextFile(file, configuration(port));
  const server = start([...cores.server, "ngircd", "--nodaemon", "--config", file]);
  try {
    await server.stdout.until("Now listening on", PATIENCE_MS);
    return { ...server, port };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** The table of all servers: medians of the rounds, and sums of what was lost. */
export function ircTable(measurements: readonly IrcMeasurement[]): string {
  const yardsticks = new Map(measurements.filter(({ server }) => server === YARDSTICK).map((one) => [one.round, one]));
  const rows = [...Map.groupBy(measurements, ({ server }) => server)].map(([server, group]) => {
    const middle = (of: (one: IrcMeasurement) => number) => readable(median(group.map(of)));
    const sum = (of: (one: IrcMeasurement) => number) => group.reduce((sum, one) => sum + of(one), 0);
    const ratios = group.flatMap((one) => {
      const yardstick = yardsticks.get(one.round);
      return yardstick ? [one.cpuPerDelivery / yardstick.cpuPerDelivery] : [];
    });
    return [
      CASES[server],
      middle((one) => one.perSecond),
      middle((one) => one.cpuPerDelivery),
      `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
      middle((one) => one.median),
      middle((one) => one.p99),
      middle((one) => one.memory / 2 ** 20),
      `${sum((one) => one.lost).toLocaleString("en-US")}, ${sum((one) => one.closed).toLocaleString("en-US")}`,
    ];
  });
  return markdownTable([
    "Server",
    "deliveries a second",
    "CPU µs a delivery",
    "ratio to ngIRCd: median (min to max)",
    "latency median, ms",
    "p99, ms",
    "memory, MB",
    "lost, closed",
  ], rows);
}

function describe({ perSecond, cpuPerDelivery, median, p99, lost, closed }: IrcMeasurement): string {
  return `${readable(perSecond)} a second, ${readable(cpuPerDelivery)} µs of CPU each, latency ${
    readable(median)
  } ms, ` +
    `p99 ${readable(p99)} ms; lost ${lost}, closed ${closed}`;
}
