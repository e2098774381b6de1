/**
 * Measures the server and the client, and compares the server with others: `deno task bench`.
 *
 * @module
 */
import { parseNumber, readCommandLine } from "../../runtime/command_line.ts";
import { run, UsageError } from "../../runtime/program.ts";
import { bottleneckTable, measureBottleneck } from "./bottleneck.ts";
import { findCheckout } from "./checkouts.ts";
import { COMPETITORS, findToolchains, LABELS, type Toolchains } from "./competitors.ts";
import { formatFairness, measureFairness } from "./fairness.ts";
import { compare, UNDISTURBED } from "./fanout.ts";
import { formatFiles } from "./file_tables.ts";
import { FILE_TABLES, type FileTable, measureFiles } from "./files.ts";
import {
  BOTTLENECK_FLAGS,
  type BottleneckFlags,
  LATENCY_FLAGS,
  type LatencyFlags,
  parseNumbers,
  parseWords,
  readBottleneckFlags,
  readLatencyFlags,
} from "./flags.ts";
import { ircTable, measureIrc } from "./irc.ts";
import { formatLatency, measureLatency, TRANSPORTS } from "./latency.ts";
import { latencyPlot } from "./latency_plot.ts";
import { loginTable, measureLogin } from "./login.ts";
import { lossTable, measureLoss } from "./loss.ts";
import type { CopyWay } from "./file_copies.ts";
import { type Cores, type Durations, findCores, loadCapacity } from "./measure.ts";
import { formatMemory, measureMemory } from "./memory.ts";
import { measureStartup, startupTable } from "./startup.ts";
import { fanoutTable, readable, summarize } from "./table.ts";
import { measureTcp, tcpTable } from "./tcp.ts";

const FULL_DROPS = [0, 5, 10, 20, 30];

const HELP = `Measures udp-chat on this machine, and prints Markdown tables.

Usage: deno task bench [PART...]

  fanout      deliveries a second, processor time, latency and memory, beside servers in C, Python, Node and plain Deno
  tcp         the same with 1,000 members that send datagrams and 1,000 that have connections, beside a server in C
  irc         a room of 100 people with connections and with datagrams, beside ngIRCd where that is installed
  startup     how long server and client take to start, from source and, after 'deno task compile', compiled
  login       what it costs to sign in with a password, at both ends
  latency     time from said to shown at 0% to 30% loss each way, beside TCP, QUIC and plain UDP, in network namespaces
              (Linux, root, 'ip' and 'nft'; QUIC where 'openssl' is)
  loss        datagrams and time for each message, at 0%, 10% and 30% loss each way, 30 members
  fairness    what becomes of sign-ins and messages that arrive during broadcasts to 100,000 members
  memory      what a member takes in a room of 100,000
  bottleneck  what becomes of a room of 30, and of TCP beside it, at a bottleneck of 1 Mbit/s (Linux, root)
  files       a file from member to member beside TCP: on one machine, with loss, at a bottleneck; chat beside it, memory
              (Linux and the 'nc' of OpenBSD; for all tables root, 'ip' and 'nft')
  All of them unless some are named; with --members or --only fanout alone, with --against latency and bottleneck, and
  with another flag of latency, bottleneck or files that one.

  --quick              everything smaller and shorter: about a minute in all
  --rounds N           rounds of fanout, tcp and irc (5; with --quick 2, 1 and 1), of bottleneck (1) and of files (3;
                       with --quick 1)
  --members 10,100     sizes of fanout's rooms (10,100,1000,10000; with --quick 100,1000)
  --only ours,c        the programs of fanout: ${COMPETITORS.join(", ")}
                       or of latency: ${TRANSPORTS.join(", ")}
  --against DIR        another checkout of this project: latency and bottleneck measure it beside this one
  --json               prints everything that was measured as JSON instead
  --help               this text

  latency takes --members 30 and --only too, and:
  --loss 0,30          percent that is lost each way (${FULL_DROPS.join(",")}; with --quick 0,30)
  --rooms N            of each transport at the same time, to measure more (3; with --quick 1)
  --messages N         said in each room, four a second (240; with --quick 16, ten a second)
  --svg FILE           draws the distributions

  bottleneck takes:
  --queue 24,300       how long its queue is, each way, in ms (with --quick 300)
  --load 25,80,150     how much of it the room wants, in percent (with --quick 80)
  --delay MS           how long packets travel each way (5)
  --random-loss N      the share of packets that are lost anyway, in percent (0)
  --seconds N          for how long the room talks (10; with --quick 1.5)
  --at-once N          how many rooms are measured at the same time (4)

  files takes:
  --tables LIST        which of its tables: ${FILE_TABLES.join(",")} (with --quick not share and memory)

UDP_CHAT_SERVER names another command for the server. Progress goes to standard error.`;

const PARTS = [
  "fanout",
  "tcp",
  "irc",
  "startup",
  "login",
  "latency",
  "loss",
  "fairness",
  "memory",
  "bottleneck",
  "files",
] as const;
type Part = typeof PARTS[number];

/** Flags that say which parts are meant where none is named; the first that are given decide. */
const HINTS: readonly Partial<Record<Part, readonly string[]>>[] = [
  { latency: LATENCY_FLAGS, bottleneck: BOTTLENECK_FLAGS, files: ["tables"] },
  { latency: ["against"], bottleneck: ["against"] },
  { fanout: ["members", "only"] },
];

/** What the command line asks for. */
interface BenchOptions {
  parts: readonly Part[];
  quick: boolean;
  json: boolean;
  rounds?: number;
  sizes: number[];
  only: string[];
  /** The folder of another checkout. */
  against: string | undefined;
  /** What only latency and only bottleneck are told. */
  latency: LatencyFlags;
  bottleneck: BottleneckFlags;
  /** The tables of files that were asked for; undefined for the usual ones. */
  tables: FileTable[] | undefined;
}

/** One part's result, as numbers and as text. */
interface Report {
  data: unknown;
  text: string;
}

/** The durations and sizes of a full run and of a quick one; times in milliseconds. */
const FULL = {
  durations: { warm: 1000, measure: 2000, latency: 1500 } satisfies Durations,
  attempts: 3,
  budget: 20 * 60_000,
  sizes: [10, 100, 1000, 10_000],
  rounds: 5,
  starts: 10,
  login: { hashes: 20, logins: 2000 },
  latency: { rooms: 3, members: 2, messages: 240, interval: 250, patience: 30_000, drops: FULL_DROPS },
  loss: { members: 30, messages: 300, interval: 40 },
  fairness: { members: 100_000, requests: 1000, messages: 10 },
  memoryMembers: 100_000,
  tcp: { members: 1000, connections: 1000, rounds: 5 },
  irc: { clients: 100, rate: 200, warm: 1000, measure: 3000, rounds: 5 },
  bottleneck: {
    ...{ queues: [24, 300], loads: [25, 80, 150], delay: 5, loss: 0 },
    ...{ rounds: 1, measure: 10_000, warm: 3000, atOnce: 4 },
  },
  files: {
    ...{ tables: FILE_TABLES as readonly FileTable[], rounds: 3 },
    loopback: { bytes: 100e6, ways: ["direct", "relayed", "tcp"] as CopyWay[] },
    loss: { drops: [0, 1, 10], bitsPerSecond: 100e6, queue: 50, delay: 20, measure: 10_000 },
    share: { queues: [24, 250], bitsPerSecond: 20e6, delay: 10, warm: 3000, measure: 20_000, atOnce: 2 },
    chat: { bytes: 300e6, interval: 50, alone: 10_000 },
    memory: { sizes: [100e6, 1e9] },
  },
};
const QUICK: typeof FULL = {
  durations: { warm: 250, measure: 400, latency: 250 },
  attempts: 1,
  budget: 30_000,
  sizes: [100, 1000],
  rounds: 2,
  starts: 3,
  login: { hashes: 3, logins: 200 },
  latency: { rooms: 1, members: 2, messages: 16, interval: 100, patience: 1000, drops: [0, 30] },
  loss: { members: 30, messages: 60, interval: 20 },
  fairness: { members: 20_000, requests: 500, messages: 10 },
  memoryMembers: 20_000,
  tcp: { members: 200, connections: 200, rounds: 1 },
  irc: { clients: 100, rate: 200, warm: 250, measure: 500, rounds: 1 },
  bottleneck: {
    ...{ queues: [300], loads: [80], delay: 5, loss: 0 },
    ...{ rounds: 1, measure: 1500, warm: 1000, atOnce: 4 },
  },
  files: {
    ...{ tables: ["loopback", "loss", "chat"], rounds: 1 },
    loopback: { bytes: 2e6, ways: ["direct", "tcp"] },
    loss: { drops: [1], bitsPerSecond: 100e6, queue: 50, delay: 20, measure: 300 },
    share: { queues: [250], bitsPerSecond: 20e6, delay: 10, warm: 500, measure: 1000, atOnce: 2 },
    chat: { bytes: 2e6, interval: 20, alone: 200 },
    memory: { sizes: [2e6] },
  },
};

const progress = (line: string) => console.error(line);

/** Measures the parts that were asked for, one after the other, and prints the results. */
async function bench(options: BenchOptions): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-bench-" });
  try {
    const toolchains = await findToolchains(folder, options.only);
    toolchains.missing.forEach(progress);
    const cores = await findCores();
    if (!cores.separate) progress("Programs can't be bound to cores here: server and load share what there is");
    const reports: Partial<Record<Part, Report>> = {};
    for (const part of options.parts) {
      if (["fanout", "tcp", "irc", "fairness", "memory"].includes(part) && Deno.build.os !== "linux") {
        progress(`${part} is left out: it needs Linux`);
      } else if (part === "fairness" && !options.only.includes("ours")) {
        progress("fairness is left out: it measures our own server");
      } else if (part === "tcp" && !toolchains.loadTcp) {
        progress("tcp is left out: there is no C compiler 'cc'");
      } else {
        const report = await REPORTS[part](options, toolchains, cores, folder);
        if (typeof report === "string") progress(`${part} is left out: ${report}`);
        else reports[part] = report;
      }
    }
    if (options.json) console.log(JSON.stringify(dataOf(reports), undefined, 2));
    else console.log(Object.values(reports).map(({ text }) => text).join("\n\n"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function dataOf(reports: Partial<Record<Part, Report>>): Record<string, unknown> {
  const machine = { cores: navigator.hardwareConcurrency, deno: Deno.version.deno, target: Deno.build.target };
  return { machine, ...Object.fromEntries(Object.entries(reports).map(([part, { data }]) => [part, data])) };
}

/** Measures a part, or says why it can't be measured here. */
type Measure = (
  options: BenchOptions,
  toolchains: Toolchains,
  cores: Cores,
  folder: string,
) => Promise<Report | string>;

const REPORTS: Record<Part, Measure> = {
  async fanout({ quick, sizes, ...options }, toolchains, cores) {
    const { durations, attempts, budget, ...defaults } = quick ? QUICK : FULL;
    const rounds = options.rounds ?? defaults.rounds;
    const capacity = await loadCapacity(toolchains.load, cores);
    const generator = `The load generator, in ${toolchains.loadLabel}, takes up to ${
      readable(capacity)
    } copies a second`;
    progress(generator);
    const measurements = await compare(toolchains, { sizes, rounds, durations, attempts, budget, cores, progress });
    const summaries = summarize(measurements);
    const disturbed = summaries.filter(({ serverBusy }) => serverBusy < UNDISTURBED).length;
    const note = disturbed > 0
      ? `\nThe server had less than ${
        100 * UNDISTURBED
      }% of its core in ${disturbed} of ${summaries.length} lines: other work on this machine, ` +
        "or the load, held it back, and the rates are lower than they could be."
      : "";
    return {
      data: { loadCapacity: capacity, measurements, summaries },
      text: `${fanoutTable(summaries, LABELS)}\n\n${generator}.${note}`,
    };
  },
  async tcp({ quick, rounds }, toolchains, cores) {
    const { durations, tcp } = quick ? QUICK : FULL;
    const data = await measureTcp(toolchains, {
      ...tcp,
      rounds: rounds ?? tcp.rounds,
      durations,
      cores,
      progress,
    });
    return { data, text: tcpTable(data) };
  },
  async irc({ quick, rounds }, toolchains, cores, folder) {
    const { irc } = quick ? QUICK : FULL;
    const data = await measureIrc(toolchains, { ...irc, rounds: rounds ?? irc.rounds, cores, folder, progress });
    return typeof data === "string" ? data : { data, text: ircTable(data) };
  },
  async startup({ quick }) {
    const data = await measureStartup((quick ? QUICK : FULL).starts, progress);
    return { data, text: startupTable(data) };
  },
  async login({ quick }) {
    const { hashes, logins } = (quick ? QUICK : FULL).login;
    const data = await measureLogin(hashes, logins, progress);
    return { data, text: loginTable(data) };
  },
  async latency({ quick, only, against, latency: { svg, ...chosen } }, _toolchains, _cores, folder) {
    // a file that can't be written should be known before everything is measured
    if (svg !== undefined) await Deno.writeTextFile(svg, "", { append: true });
    const transports = TRANSPORTS.filter((key) => only.includes(key));
    const settings = { ...(quick ? QUICK : FULL).latency, ...chosen };
    const data = await measureLatency({ ...settings, against, transports, folder, progress });
    if (typeof data === "string") return data;
    if (svg !== undefined) await Deno.writeTextFile(svg, latencyPlot(data));
    return { data, text: formatLatency(data) };
  },
  async loss({ quick }) {
    const data = await measureLoss({ ...(quick ? QUICK : FULL).loss, drops: [0, 10, 30], progress });
    return { data, text: lossTable(data) };
  },
  async fairness({ quick }, toolchains, cores) {
    const data = await measureFairness(toolchains, { ...(quick ? QUICK : FULL).fairness, cores, progress });
    return { data, text: formatFairness(data) };
  },
  async memory({ quick }) {
    const data = await measureMemory((quick ? QUICK : FULL).memoryMembers, progress);
    return { data, text: formatMemory(data) };
  },
  async bottleneck({ quick, against, bottleneck: chosen, ...options }, _toolchains, _cores, folder) {
    const { rounds, ...defaults } = (quick ? QUICK : FULL).bottleneck;
    const settings = { ...defaults, ...chosen, rounds: options.rounds ?? rounds };
    const data = await measureBottleneck({ ...settings, against, folder, progress });
    return typeof data === "string" ? data : { data, text: bottleneckTable(data) };
  },
  async files({ quick, tables, ...options }, _toolchains, _cores, folder) {
    const { rounds, ...defaults } = (quick ? QUICK : FULL).files;
    const chosen = { tables: tables ?? defaults.tables, rounds: options.rounds ?? rounds };
    const data = await measureFiles({ ...defaults, ...chosen, folder, progress });
    return typeof data === "string" ? data : { data, text: formatFiles(data) };
  },
};

/**
 * Reads the command line; returns the help text where that is asked for.
 *
 * @throws {UsageError} if it is not valid.
 */
export function readOptions(args: string[]): BenchOptions | string {
  const read = readCommandLine(args, {
    string: ["rounds", "members", "only", "against", ...LATENCY_FLAGS, ...BOTTLENECK_FLAGS, "tables"],
    boolean: ["quick", "json", "help"],
    positional: PARTS.length,
  });
  if (read.help) return HELP;
  const named = read._.map(String);
  const unknown = named.find((part) => !(PARTS as readonly string[]).includes(part));
  if (unknown !== undefined) throw new UsageError(`There is no part '${unknown}': give ${PARTS.join(", ")}`);
  const hinted = HINTS.map((flags) => PARTS.filter((part) => flags[part]?.some((flag) => read[flag] !== undefined)));
  const parts = named.length > 0
    ? PARTS.filter((part) => named.includes(part))
    : hinted.find((parts) => parts.length > 0) ?? PARTS;
  const programs: readonly string[] = [
    ...parts.includes("latency") ? TRANSPORTS : [],
    ...parts.some((part) => part !== "latency") ? COMPETITORS : [],
  ];
  const only = read.only?.split(",") ?? programs;
  const unknownProgram = only.find((key: string) => !programs.includes(key));
  if (unknownProgram !== undefined) {
    throw new UsageError(`--only knows no '${unknownProgram}': give ${[...new Set(programs)].join(", ")}`);
  }
  return {
    parts,
    quick: read.quick,
    json: read.json,
    rounds: parseNumber(read, "rounds", 1, 100),
    sizes: parseNumbers(read, "members", 1, 999_999) ?? (read.quick ? QUICK : FULL).sizes,
    only,
    against: read.against === undefined ? undefined : findCheckout(read.against),
    latency: readLatencyFlags(read, parts.length === 1 && parts[0] === "latency"),
    bottleneck: readBottleneckFlags(read),
    tables: parseWords(read, "tables", FILE_TABLES),
  };
}

if (import.meta.main) {
  await run(async () => {
    const options = readOptions(Deno.args);
    if (typeof options === "string") console.log(options);
    else await bench(options);
  });
}
