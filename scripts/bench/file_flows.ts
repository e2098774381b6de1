/**
 * Lets files and TCP connections send at the same time from one side of a bottleneck to the other, and measures what
 * arrives of each.
 *
 * @module
 */
import { pause } from "../support/waiting.ts";
import { commandOf, start } from "../support/processes.ts";
import { bytesIn, makeFile } from "./file_copies.ts";
import { startListening } from "./measure.ts";
import { type Count, type Neck, type NeckOptions, openNeck, SERVER } from "./neck.ts";

/** What sends: a file from client to client, or a TCP connection with a kind of congestion control. */
export type Sender = "file" | { tcp: string };

/** What is measured at the same time. */
export interface FlowsOptions {
  /** The compiled neck.c and bulk.c. */
  programs: { forwarder: string; sender: string };
  neck: NeckOptions;
  /** In the order in which they begin; at most one is a file. */
  senders: readonly Sender[];
  /** How long each sends before the next one begins, in milliseconds. */
  warm: number;
  /** For how long is measured, from when the last has begun, in milliseconds. */
  measure: number;
  folder: string;
}

/** What has arrived. */
export interface FlowsResult {
  /** Of each sender, in bits a second, without headers and repeats. */
  rates: number[];
  /** The shares of all datagrams, and of all packets of TCP, that the full queue dropped on the way there, 0 to 1. */
  dropped: number;
  tcpDropped: number;
}

/** What has arrived of one flow. */
interface Flow extends AsyncDisposable {
  received(): number;
}

/** How long programs may take to start, and a flow to begin, in milliseconds. */
const START_MS = 30_000;
/** How often a flow is looked at until it begins, in milliseconds. */
const LOOK_MS = 5;
/** How much more than can pass the files have, so that none ends too soon. */
const SPARE = 1.2;

/** Measures flows, or returns the reason why this system can't. */
export async function measureFlows(options: FlowsOptions): Promise<FlowsResult | string> {
  const { programs, senders, warm, measure } = options;
  const neck = await openNeck(programs.forwarder, options.neck);
  if (typeof neck === "string") return neck;
  await using closing = new AsyncDisposableStack();
  closing.use(neck);
  const folder = await Deno.makeTempDir({ dir: options.folder });
  closing.defer(() => Deno.remove(folder, { recursive: true }));
  const bytes = SPARE * options.neck.bitsPerSecond / 8 * (measure + warm * senders.length) / 1000;
  const flows: Flow[] = [];
  for (const sender of senders) {
    if (flows.length > 0) await pause(warm);
    const flow = sender === "file"
      ? await openFile(neck, folder, Math.round(bytes))
      : await openTcp(neck, folder, flows.length, programs.sender, sender.tcp);
    closing.use(flow);
    flows.push(flow);
    for (const until = performance.now() + START_MS; flow.received() === 0; await pause(LOOK_MS)) {
      if (performance.now() > until) throw new Error("Nothing of a flow arrives at the other end of the bottleneck");
    }
  }
  const before = flows.map((flow) => flow.received()), passedBefore = await neck.passed(), began = performance.now();
  await pause(measure);
  const seconds = (performance.now() - began) / 1000, after = flows.map((flow) => flow.received());
  const passed = await neck.passed();
  const droppedOf = (kind: "udp" | "tcp") => {
    const since = (what: keyof Count) => passed.toClients[kind][what] - passedBefore.toClients[kind][what];
    return since("dropped") / since("packets");
  };
  return {
    rates: after.map((count, i) => 8 * (count - before[i]) / seconds),
    ...{ dropped: droppedOf("udp"), tcpDropped: droppedOf("tcp") },
  };
}

async function openFile(neck: Neck, folder: string, bytes: number): Promise<Flow> {
  await using opening = new AsyncDisposableStack();
  const source = await makeFile(folder, bytes), target = await Deno.makeTempDir({ dir: folder });
  const server = opening.use(await startListening(neck.inside("server", [...commandOf("server"), "0"]), START_MS));
  const client = (place: "server" | "clients", ...words: string[]) =>
    opening.use(start(neck.inside(place, [...commandOf("client"), ...words, SERVER, String(server.port)])));
  client("clients", "-u", "Bob", "--receive", target, "--from", "Alice");
  await server.stdout.until(/connected at/, START_MS);
  client("server", "-u", "Alice", "--send", source, "--to", "Bob");
  const opened = opening.move();
  return { received: () => bytesIn(target), [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function openTcp(neck: Neck, folder: string, number: number, bulk: string, control: string): Promise<Flow> {
  await using opening = new AsyncDisposableStack();
  const path = `${folder}/tcp-${number}`;
  await Deno.writeFile(path, new Uint8Array());
  const sender = opening.use(await startListening(neck.inside("server", [bulk, control]), START_MS));
  const receive = `exec nc -d ${SERVER} ${sender.port} >'${path}'`;
  opening.use(start(neck.inside("clients", ["sh", "-c", receive])));
  const opened = opening.move();
  return { received: () => Deno.statSync(path).size, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
