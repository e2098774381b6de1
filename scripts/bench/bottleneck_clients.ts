/**
 * What runs behind a bottleneck: all clients of a room in one process, and what receives by TCP.
 *
 * The clients are real sessions on real sockets, so that one clock measures when a message is said and when it is shown.
 * The session may come from another checkout of this project; all else is the same for both.
 *
 * It takes its options as JSON, prints `started`, `said`, and in the end what it has measured, as JSON.
 *
 * @module
 */
import { Changing, pause } from "../support/waiting.ts";
import { loadModules, openChatClient } from "./chat_clients.ts";
import { quantile } from "./table.ts";

/** What the clients do; times in milliseconds. */
export interface ClientsOptions {
  /** The checkout that the session comes from. */
  checkout: string;
  /** The server of the chat, like `10.77.0.1:9090`. */
  server: string;
  /** Clients; none where TCP is alone. */
  members: number;
  messagesPerSecond: number;
  /** The length of each text. */
  bytes: number;
  /** The sender of TCP, and how many connections it sends to. */
  sender: { hostname: string; port: number };
  flows: number;
  /** For how long the connections receive before the clients say anything. */
  warm: number;
  /** For how long the clients talk. */
  measure: number;
  /** How long what they have said may take to be shown everywhere. */
  patience: number;
}

/** What the clients measured. */
export interface ClientsResult {
  /** For how long they talked, in seconds. */
  seconds: number;
  /** Copies that were shown while they talked, in all in the end, and as many as there should have been. */
  shownInTime: number;
  shown: number;
  expected: number;
  /** How long after the last word the last copy was shown, in milliseconds. */
  last: number;
  /** From when a message is said to when it is shown, in milliseconds; null for never. */
  median: number | null;
  p99: number | null;
  /** Bytes that each connection received while the clients talked. */
  received: number[];
}

async function measure(options: ClientsOptions): Promise<ClientsResult> {
  const { checkout, server, members, messagesPerSecond, bytes, sender, flows, warm, patience } = options;
  const saidAt: number[] = [], delays: number[] = [], progress = new Changing();
  let lastShownAt = 0;
  const shown = (text: string) => {
    const at = performance.now(), said = saidAt[Number(text.split(" ")[0])];
    if (said === undefined) return;
    delays.push(at - said);
    lastShownAt = at;
    progress.changed();
  };
  const client = { modules: await loadModules(checkout), server, shown, changed: () => progress.changed() };
  const clients = Array.from({ length: members }, () => openChatClient(client));
  const joined = () => clients.filter(({ session }) => session.state === "joined").length;
  await progress.until(() => joined() === members || undefined, () => `${joined()} of ${members} have joined`);
  const received = Array.from({ length: flows }, () => 0);
  const connections = await Promise.all(received.map(() => Deno.connect(sender)));
  connections.forEach(async (connection, i) => {
    for await (const part of connection.readable) received[i] += part.length;
  });
  await pause(warm);

  console.log("started");
  const before = [...received], began = performance.now();
  const due = () => Math.min(options.measure, performance.now() - began) * messagesPerSecond / 1000;
  while (performance.now() - began < options.measure) {
    while (members > 0 && saidAt.length < due()) {
      const i = saidAt.length;
      saidAt.push(performance.now());
      clients[i % members].say(`${i} ${"x".repeat(bytes)}`.slice(0, bytes));
    }
    await pause(1);
  }
  const ended = performance.now(), shownInTime = delays.length;
  const receivedInTime = received.map((count, i) => count - before[i]);
  console.log("said");
  const expected = members * saidAt.length;
  const isDone = () => delays.length >= expected || undefined;
  await progress.until(isDone, () => "", patience).catch(() => {}); // what is missing shows in the result
  const all = [...delays, ...Array.from({ length: expected - delays.length }, () => Infinity)];
  const finite = (number: number) => Number.isFinite(number) ? number : null;
  return {
    seconds: (ended - began) / 1000,
    ...{ shownInTime, shown: delays.length, expected },
    last: Math.max(0, lastShownAt - ended),
    ...{ median: finite(quantile(all, 0.5)), p99: finite(quantile(all, 0.99)) },
    received: receivedInTime,
  };
}

if (import.meta.main) {
  console.log(JSON.stringify(await measure(JSON.parse(Deno.args[0]))));
  Deno.exit();
}
