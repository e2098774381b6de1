/**
 * Measures what a lossy network costs: datagrams and time for each message that our clients show, in a room of thirty.
 *
 * The clients are real sessions on real sockets in this process, so that one clock measures when a message is said and
 * when it is shown. The server is a process of its own, and its network emulator drops datagrams in both directions.
 *
 * @module
 */
import { Session } from "../../client/session/session.ts";
import { decode, encode } from "../../protocol.ts";
import { openChatClient, sayAll, type Traffic } from "./chat_clients.ts";
import { markdownTable, quantile, readable } from "./table.ts";
import { startServer } from "../support/processes.ts";
import { Changing } from "../support/waiting.ts";

/** The size of the room, and how many messages its members say. */
export interface LossOptions {
  members: number;
  messages: number;
  /** Milliseconds from one message to the next; the members take turns. */
  interval: number;
  /** The shares of datagrams that are lost in each direction, in percent. */
  drops: readonly number[];
  progress: (line: string) => void;
}

/** The result at one share of loss. */
export interface LossResult {
  /** Percent, in each direction. */
  drop: number;
  messages: number;
  /** Messages that were shown, summed over the members, and those that should have been. */
  shown: number;
  expected: number;
  /** Datagrams sent by both sides, lost ones included, for each message shown. */
  datagramsPerDelivery: number;
  /** The time from when a message is said to when it is shown, in milliseconds. */
  median: number;
  p99: number;
}

/** How long the last message may take to be shown everywhere, in milliseconds. */
const DEADLINE_MS = 30_000;

/** Measures a room at each share of loss in turn. */
export async function measureLoss(options: LossOptions): Promise<LossResult[]> {
  const results: LossResult[] = [];
  for (const drop of options.drops) {
    const result = await measureOne(drop, options);
    results.push(result);
    options.progress(`loss ${drop}%: ${readable(result.datagramsPerDelivery)} datagrams a delivery`);
  }
  return results;
}

/** The results as a table. */
export function lossTable(results: readonly LossResult[]): string {
  return markdownTable(
    ["Loss each way", "shown", "datagrams a delivery", "said to shown: median, ms", "p99, ms"],
    results.map(({ drop, shown, expected, datagramsPerDelivery, median, p99 }) => [
      `${drop}%`,
      `${shown.toLocaleString("en-US")} of ${expected.toLocaleString("en-US")}`,
      readable(datagramsPerDelivery),
      readable(median),
      readable(p99),
    ]),
  );
}

async function measureOne(drop: number, { members, messages, interval }: LossOptions): Promise<LossResult> {
  await using server = await startServer("0", "--quiet", "--drop", `${drop}%`, "--seed", "1");
  const traffic: Traffic = { sent: 0, received: 0 };
  const saidAt: number[] = [], delays: number[] = [];
  const progress = new Changing();
  const shown = (text: string) => {
    delays.push(performance.now() - saidAt[Number(text.split(" ")[0])]);
    if (delays.length === members * messages) progress.changed();
  };
  const options = { modules: { Session, encode, decode }, server: `127.0.0.1:${server.port}`, traffic, shown };
  const clients = Array.from(
    { length: members },
    () => openChatClient({ ...options, changed: () => progress.changed() }),
  );
  try {
    const joined = () => clients.filter(({ session }) => session.state === "joined").length;
    await progress.until(() => joined() === members || undefined, () => `${joined()} of ${members} have joined`);
    const before = { ...traffic };
    await sayAll(messages, interval, (i) => {
      saidAt[i] = performance.now();
      clients[i % members].say(`${i} ${"x".repeat(100)}`.slice(0, 100));
    });
    const isDone = () => delays.length === members * messages || undefined;
    await progress.until(isDone, () => "", DEADLINE_MS).catch(() => {}); // what is missing shows in the result
    const sent = traffic.sent - before.sent;
    // the server's datagrams are computed from those that arrived: the emulator let this share of them pass
    const sentByServer = (traffic.received - before.received) / (1 - drop / 100);
    return {
      drop,
      messages,
      shown: delays.length,
      expected: members * messages,
      datagramsPerDelivery: (sent + sentByServer) / delays.length,
      median: quantile(delays, 0.5),
      p99: quantile(delays, 0.99),
    };
  } finally {
    for (const client of clients) client.close();
  }
}
