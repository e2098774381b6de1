/**
 * One measurement: starts a server and puts it under the load of a room of one size.
 *
 * @module
 */
import { type Competitor, output } from "./competitors.ts";
import type { Measurement } from "./table.ts";
import { type Process, start } from "../support/processes.ts";

/** How long each part takes, in milliseconds. */
export interface Durations {
  /** At saturation, before anything is counted, so that just-in-time compilers have finished. */
  warm: number;
  /** At saturation. */
  measure: number;
  /** At half of the rate that was measured at saturation. */
  latency: number;
}

/** Where programs run: the server on one core, everything that measures it on another. */
export interface Cores {
  /** Words to put before a command. */
  server: string[];
  load: string[];
  /** Whether the load has a core of its own, so that it may wait for copies in a busy loop. */
  separate: boolean;
}

/** What the load generator prints. */
interface LoadResult {
  delivered: number;
  /** In seconds: the elapsed time, and the processor time of the server and of the load. */
  seconds: number;
  serverCpu: number;
  loadCpu: number;
  lost: number;
  /** At half of the rate: messages a second, and latencies in milliseconds. */
  halfLoad?: { messages: number; median: number; p99: number; lost: number };
}

/** Copies that are under way at saturation: enough that the server always has something to do. */
const COPIES_UNDER_WAY = 4096;
/** Messages under way: at the fewest one waits while another is sent; at the most all fit into a receive buffer. */
const [FEWEST_UNDER_WAY, MOST_UNDER_WAY] = [2, 128];
/** How long a server may take to start, and how much longer than the durations a load may take, in milliseconds. */
const PATIENCE = 30_000;

/** Finds out whether programs can be bound to cores here. */
export async function findCores(): Promise<Cores> {
  const last = navigator.hardwareConcurrency - 1;
  const canPin = last > 0 && await output(["taskset", "-c", `0,${last}`, "taskset", "--version"]) !== undefined;
  const pin = (core: number) => canPin ? ["taskset", "-c", String(core)] : [];
  return { server: pin(0), load: pin(last), separate: canPin };
}

/** Keeps this program off the server's core until the returned object is disposed of. */
export async function stayOffServer({ separate }: Cores): Promise<AsyncDisposable> {
  const last = navigator.hardwareConcurrency - 1;
  const bind = (list: string) => output(["taskset", "-a", "-c", "-p", list, String(Deno.pid)]);
  if (separate) await bind(`1-${last}`);
  return {
    async [Symbol.asyncDispose]() {
      if (separate) await bind(`0-${last}`);
    },
  };
}

/** A server that listens. */
export type Listening = Process & { readonly port: number };

/** Starts a server on its core and waits until it listens. */
export function startOnCore(command: string[], cores: Cores): Promise<Listening> {
  return startListening([...cores.server, ...command], PATIENCE);
}

/**
 * Starts a server and waits until it prints `Listening on HOST:PORT`.
 *
 * @param within How long that may take, in milliseconds.
 */
export async function startListening(command: string[], within: number): Promise<Listening> {
  const server = start(command);
  try {
    const [, port] = await server.stdout.until(/^Listening on .*:(\d+)$/m, within);
    return { ...server, port: Number(port) };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Measures one server once.
 *
 * @param load The words that start the load generator.
 * @throws {Error} when the load generator fails or takes too long, or the server ends by itself.
 */
export async function measure(
  competitor: Competitor,
  members: number,
  { warm, measure, latency }: Durations,
  load: string[],
  cores: Cores,
): Promise<Omit<Measurement, "round">> {
  await using server = await startOnCore(competitor.command, cores);
  const window = Math.min(MOST_UNDER_WAY, Math.max(FEWEST_UNDER_WAY, Math.ceil(COPIES_UNDER_WAY / members)));
  const numbers = [server.port, members, window, warm, measure, latency, server.pid, cores.separate ? 1 : 0];
  await using generator = start([...cores.load, ...load, "fanout", ...numbers.map(String)]);
  if (await generator.exitCode(PATIENCE + warm + measure + latency) !== 0) {
    throw new Error(`${competitor.label}: ${generator.stderr.text().trim() || "the load generator failed"}`);
  }
  const { delivered, seconds, serverCpu, loadCpu, lost, halfLoad }: LoadResult = JSON.parse(generator.stdout.text());
  if (server.ended()) throw new Error(`${competitor.label} ended by itself: ${server.stderr.text().trim()}`);
  return {
    program: competitor.key,
    members,
    perSecond: delivered / seconds,
    cpuPerDelivery: 1e6 * serverCpu / delivered,
    latencyMedian: halfLoad?.median,
    latencyP99: halfLoad?.p99,
    memory: residentMemory(server.pid),
    lost: lost + (halfLoad?.lost ?? 0),
    serverBusy: serverCpu / seconds,
    loadBusy: loadCpu / seconds,
  };
}

/** Measures how many copies a second the load generator can take when it sends them to itself; undefined on failure. */
export async function loadCapacity(load: string[], cores: Cores): Promise<number | undefined> {
  const printed = await output([...cores.load, ...load, "capacity"]);
  if (!printed) return undefined;
  const { delivered, seconds } = JSON.parse(printed) as LoadResult;
  return delivered / seconds;
}

/** The resident memory of a process in bytes, or undefined when the system does not say. */
export function residentMemory(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^VmRSS:\s*(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`)) ?? [];
    return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
  } catch {
    return undefined;
  }
}
