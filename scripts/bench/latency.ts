/**
 * Measures how long a message takes to the others through a network that loses datagrams: our client and server beside
 * TCP, QUIC and plain UDP.
 *
 * Each transport has a server in a network namespace of its own and all its clients in another, with a wire between
 * them. Both ends drop so many of the packets that come in, whatever these are. All transports run at the same time,
 * and their clients speak in different moments.
 *
 * @module
 */
import { ROOT } from "../programs.ts";
import { type Namespaces, openNamespaces } from "../support/netns.ts";
import { type Process, start } from "../support/processes.ts";
import { commandIn, otherCheckout, thisCheckout } from "./checkouts.ts";
import { output } from "./competitors.ts";
import type { ClientsResult, ClientsSetup, Way } from "./latency_clients.ts";
import { startListening } from "./measure.ts";
import { markdownTable, quantile, readable } from "./table.ts";

/** What is compared, in the order of the table: `against` is another checkout of this project. */
export const TRANSPORTS = ["ours", "against", "tcp", "door", "quic", "classic"] as const;
export type Transport = typeof TRANSPORTS[number];

/** What is measured, and for how long; times in milliseconds. */
export interface LatencyOptions {
  transports: readonly Transport[];
  /** The folder of the other checkout; undefined for none. */
  against: string | undefined;
  /** The shares of packets that are lost in each direction, in percent. */
  drops: readonly number[];
  /**
   * Rooms of each transport that are measured at the same time, each with a server and a network of its own; without
   * loss it is always one.
   */
  rooms: number;
  members: number;
  /** In each room. */
  messages: number;
  /** From one message to the next in a room; the members take turns. */
  interval: number;
  /** How long after the last message one may still arrive. */
  patience: number;
  /** Where files may lie for as long as this runs. */
  folder: string;
  progress: (line: string) => void;
}

/** One transport at one share of loss. */
export interface LatencyResult {
  transport: Transport;
  /** What it is called in the table. */
  label: string;
  /** Percent, in each direction. */
  drop: number;
  rooms: number;
  members: number;
  patience: number;
  /** The time from said to there of all that arrived, at each other member, in milliseconds. */
  delays: number[];
  /** How many should have arrived. */
  expected: number;
  /** IP packets that both sides sent while messages were under way, lost ones included. */
  packets: number;
}

/** A transport that can be measured here. */
interface Contender {
  transport: Transport;
  label: string;
  way: Way;
  /** The words that start its server, which prints `Listening on HOST:PORT`. */
  server: string[];
  /** The folder of the checkout that its clients are from, if they are ours. */
  checkout: string;
}

type Place = "server" | "clients";

const LABELS: Record<Transport, string> = {
  ours: "udp-chat",
  against: "udp-chat",
  tcp: "TCP relay",
  door: "udp-chat over TCP",
  quic: "QUIC relay",
  classic: "plain UDP",
};

const DEVICE = "v0";
const SERVER_ADDRESS = "10.74.0.1";
/** How long programs may take to start, in milliseconds. */
const START_WITHIN_MS = 60_000;
/** A plain datagram that has not arrived after this time never will, in milliseconds. */
const CLASSIC_PATIENCE_MS = 2000;

/** Measures all transports at each share of loss in turn; or returns why this system can't. */
export async function measureLatency(options: LatencyOptions): Promise<LatencyResult[] | string> {
  const reason = await findObstacle();
  if (reason !== undefined) return reason;
  const contenders = await findContenders(options);
  const results: LatencyResult[] = [];
  for (const drop of options.drops) {
    const measured = await measureDrop(drop, contenders, options);
    for (const result of measured) options.progress(describe(result));
    results.push(...measured);
  }
  return results;
}

/** The results as a table, by loss and then by transport. */
export function latencyTable(results: readonly LatencyResult[]): string {
  const rows = results.map((result) => [
    `${result.drop}%, ${result.label}`,
    ...[0.5, 0.9, 0.99].map((share) => readable(quantileOfAll(result, share))),
    `${result.delays.length.toLocaleString("en-US")} of ${result.expected.toLocaleString("en-US")}`,
    readable(result.packets / result.delays.length),
  ]);
  return markdownTable(
    ["Loss each way, transport", "said to shown: median, ms", "p90, ms", "p99, ms", "arrived", "datagrams a delivery"],
    rows,
  );
}

/** The results as text: the table, and what it is about. */
export function formatLatency(results: readonly LatencyResult[]): string {
  const { members, patience } = results[0], rooms = Math.max(...results.map(({ rooms }) => rooms));
  const sizes = rooms === 1
    ? `One room of ${members} members for each`
    : `${rooms} rooms of ${members} members for each, without loss one`;
  return `${latencyTable(results)}\n\n${sizes}, IP packets counted on the wire; ` +
    `what has not arrived ${patience / 1000} s after the last message counts as not arrived (plain UDP: ${
      Math.min(CLASSIC_PATIENCE_MS, patience) / 1000
    } s), and a dash says that too few have.`;
}

/** A quantile of all messages, of which those that have not arrived took for ever. */
export function quantileOfAll({ delays, expected }: Pick<LatencyResult, "delays" | "expected">, share: number): number {
  return quantile([...delays, ...Array<number>(expected - delays.length).fill(Infinity)], share);
}

function describe(result: LatencyResult): string {
  const [median, p90, p99] = [0.5, 0.9, 0.99].map((share) => readable(quantileOfAll(result, share)));
  return `latency, loss ${result.drop}%, ${result.label}: ${median}, ${p90}, ${p99} ms, ` +
    `${result.delays.length} of ${result.expected} arrived`;
}

async function findObstacle(): Promise<string | undefined> {
  const namespaces = await openPair();
  if (typeof namespaces === "string") return namespaces;
  await using _namespaces = namespaces;
  return await setLoss(namespaces, 10).then(() => undefined, (error: Error) => `nft fails: ${error.message}`);
}

/** Opens two namespaces with a wire between them. */
function openPair(): Promise<Namespaces<Place> | string> {
  return openNamespaces<Place>(["server", "clients"], (name) => [
    `ip link add ${DEVICE} netns ${name("server")} type veth peer name ${DEVICE} netns ${name("clients")}`,
    `ip -n ${name("server")} address add ${SERVER_ADDRESS}/24 dev ${DEVICE}`,
    `ip -n ${name("clients")} address add 10.74.0.2/24 dev ${DEVICE}`,
    ...["server", "clients"].map((place) => `ip -n ${name(place as Place)} link set ${DEVICE} up`),
  ], ["nft"]);
}

/** Makes both ends count what arrives, and then lose a share of it. A rule for what leaves would tell the sender. */
async function setLoss(namespaces: Namespaces<Place>, drop: number): Promise<void> {
  const arrives = `iifname "${DEVICE}"`;
  const rules = `table ip loss {
    counter seen { }
    chain input {
      type filter hook input priority 0;
      ${arrives} counter name seen
      ${drop > 0 ? `${arrives} numgen random mod 100 < ${drop} drop` : ""}
    }
  }`;
  await Promise.all((["server", "clients"] as const).map((place) => namespaces.run(place, ["nft", "-f", "-"], rules)));
}

/** The packets that have arrived at both ends since {@linkcode setLoss}, those that were dropped there included. */
async function countPackets(namespaces: Namespaces<Place>): Promise<number> {
  const count = async (place: Place) => {
    const text = await namespaces.run(place, ["nft", "list", "counter", "ip", "loss", "seen"]);
    return Number(/packets (\d+)/.exec(text)?.[1]);
  };
  return await count("server") + await count("clients");
}

async function findContenders({ transports, against, folder, progress }: LatencyOptions): Promise<Contender[]> {
  const relay = (...args: string[]) => commandIn(ROOT, `${import.meta.dirname}/latency_relay.ts`, ...args);
  const contenders: Contender[] = [];
  const add = (transport: Transport, way: Way, server: string[], checkout = ROOT, label = LABELS[transport]) => {
    if (transports.includes(transport)) contenders.push({ transport, label, way, server, checkout });
  };
  const { server: ours } = thisCheckout();
  add("ours", "session", ours);
  if (against !== undefined) {
    const { server, folder, label } = await otherCheckout(against);
    add("against", "session", server, folder, label);
  }
  add("tcp", "tcp", relay("tcp", "0"));
  add("door", "tcp", ours);
  if (transports.includes("quic")) {
    const obstacle = await makeCertificate(folder);
    if (obstacle === undefined) add("quic", "quic", relay("quic", "0", certificateIn(folder), keyIn(folder)));
    else progress(`latency: ${LABELS.quic} is left out: ${obstacle}`);
  }
  add("classic", "classic", ours);
  return contenders;
}

const certificateIn = (folder: string) => `${folder}/quic.crt`;
const keyIn = (folder: string) => `${folder}/quic.key`;

/** Makes the certificate of the QUIC relay; or returns why there can be no such relay. */
async function makeCertificate(folder: string): Promise<string | undefined> {
  if (typeof Deno.QuicEndpoint !== "function") return "this Deno has no QUIC";
  // who signs for itself is no authority here: otherwise it could not be a server
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const uses = ["-addext", "basicConstraints=critical,CA:FALSE", "-days", "2", "-nodes"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const files = ["-out", certificateIn(folder), "-keyout", keyIn(folder)];
  const made = await output(["openssl", "req", "-x509", ...curve, ...names, ...uses, ...files]);
  return made === undefined ? "its certificate takes the program 'openssl'" : undefined;
}

/** A server and its clients that hear each other. */
interface Track extends AsyncDisposable {
  namespaces: Namespaces<Place>;
  clients: Process;
}

/** Measures all at one share of loss. */
async function measureDrop(drop: number, contenders: Contender[], options: LatencyOptions): Promise<LatencyResult[]> {
  const { members, patience } = options;
  // without loss nothing is left to chance, and more programs would only be in each other's way
  const rooms = drop === 0 ? 1 : options.rooms;
  await using opened = new AsyncDisposableStack();
  const wanted = contenders.flatMap((contender) => Array.from({ length: rooms }, () => contender));
  const started = await Promise.allSettled(
    wanted.map(async (contender, i) =>
      opened.use(await openTrack(contender, i * options.interval / wanted.length, options))
    ),
  );
  const tracks = started.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
  const measured = await Promise.all(tracks.map((track) => measureTrack(track, drop, options)));
  return contenders.map(({ transport, label }, i) => {
    const own = measured.slice(i * rooms, (i + 1) * rooms);
    const sum = (of: (one: TrackResult) => number) => own.reduce((sum, one) => sum + of(one), 0);
    return {
      ...{ transport, label, drop, rooms, members, patience },
      delays: own.flatMap(({ delays }) => delays),
      expected: sum(({ expected }) => expected),
      packets: sum(({ packets }) => packets),
    };
  });
}

async function openTrack(contender: Contender, offset: number, options: LatencyOptions): Promise<Track> {
  await using opened = new AsyncDisposableStack();
  const namespaces = await openPair();
  if (typeof namespaces === "string") throw new Error(namespaces);
  opened.use(namespaces);
  const server = opened.use(
    await startListening(namespaces.inside("server", contender.server), START_WITHIN_MS),
  );
  const { members, messages, interval, folder, patience } = options;
  const setup: ClientsSetup = {
    way: contender.way,
    hostname: SERVER_ADDRESS,
    port: server.port,
    checkout: contender.checkout,
    certificate: certificateIn(folder),
    members,
    messages,
    interval,
    offset,
    patience: contender.way === "classic" ? Math.min(CLASSIC_PATIENCE_MS, patience) : patience,
  };
  const module = `${import.meta.dirname}/latency_clients.ts`;
  const command = commandIn(contender.checkout, module, JSON.stringify(setup));
  const clients = opened.use(start(namespaces.inside("clients", command)));
  await clients.stdout.until("ready\n", START_WITHIN_MS);
  const closing = opened.move();
  return { namespaces, clients, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

interface TrackResult extends ClientsResult {
  packets: number;
}

async function measureTrack(
  { namespaces, clients }: Track,
  drop: number,
  { messages, interval, patience }: LatencyOptions,
): Promise<TrackResult> {
  await setLoss(namespaces, drop);
  await clients.type("\n");
  const [line] = await clients.stdout.until(/^\{.*\}$/m, START_WITHIN_MS + messages * interval + patience);
  const packets = await countPackets(namespaces);
  return { ...JSON.parse(line) as ClientsResult, packets };
}
