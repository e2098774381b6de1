/**
 * The clients of the latency benchmark, all of a room in this one process, so that one clock measures when a message is
 * said and when each other client has it.
 *
 * Prints `ready` when all hear each other, waits for a line on standard input, lets them speak in turns, and prints
 * {@linkcode ClientsResult} as JSON.
 *
 *     deno run -A latency_clients.ts SETUP_AS_JSON
 *
 * @module
 */
import { datagrams, openSocket } from "../../runtime/udp.ts";
import { Changing, pause } from "../support/waiting.ts";
import { loadModules, openChatClient, sayAll } from "./chat_clients.ts";
import { type Duplex, lineWriter, QUIC, readLines } from "./latency_relay.ts";

/** How clients reach a server: by our own client, or by plain sockets of a kind. */
export type Way = "session" | "classic" | "tcp" | "quic";

/** What the clients are to do; times in milliseconds. */
export interface ClientsSetup {
  way: Way;
  hostname: string;
  port: number;
  /** The folder of the checkout whose session is measured. */
  checkout: string;
  /** The file with the certificate of a QUIC server. */
  certificate: string;
  members: number;
  messages: number;
  /** From one message to the next; the members take turns. */
  interval: number;
  /** How long the first message waits, so that several rooms do not speak in the same moment. */
  offset: number;
  /** How long after the last message one may still arrive. */
  patience: number;
}

/** What the clients have measured. */
export interface ClientsResult {
  /** The time from said to there of each message at each other member, in milliseconds, in order of arrival. */
  delays: number[];
  /** How many should have arrived. */
  expected: number;
}

/** Makes a client say something. */
type Say = (text: string) => void;
/** Takes whatever a client shows, or the line that a plain socket got. */
type Hear = (text: string) => void;

/** The length of a message in bytes. */
const LENGTH = 100;
/** How often the clients greet each other until all have heard all, in milliseconds. */
const HELLO_INTERVAL_MS = 250;
/** How long it may take until they have, in milliseconds: there is no loss yet. */
const READY_WITHIN_MS = 30_000;

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** Opens a client on each way; the promise is kept when it may speak. */
const OPENERS: Record<Way, (setup: ClientsSetup, hear: Hear) => Promise<Say>> = {
  async session({ checkout, hostname, port }, shown) {
    const states = new Changing();
    const client = openChatClient({
      modules: await loadModules(checkout),
      server: `${hostname}:${port}`,
      shown,
      changed: () => states.changed(),
    });
    await states.until(() => client.session.state === "joined" || undefined, () => `it is ${client.session.state}`);
    return client.say;
  },
  async classic({ hostname, port }, hear) {
    const conn = openSocket("0.0.0.0", 0), server = { transport: "udp", hostname, port } as const;
    (async () => {
      for await (const { bytes } of datagrams(conn)) hear(decoder.decode(bytes));
    })();
    const send = (text: string) => conn.send(encoder.encode(text), server);
    await send("GREETING");
    return (text) => void send(`MESSAGE ${text}`).catch(() => {});
  },
  async tcp({ hostname, port }, hear) {
    const conn = await Deno.connect({ hostname, port });
    conn.setNoDelay(true);
    return speakLines(conn, hear);
  },
  async quic({ hostname, port, certificate }, hear) {
    const endpoint = new Deno.QuicEndpoint({ hostname: "0.0.0.0" });
    const caCerts = [Deno.readTextFileSync(certificate)];
    const conn = await Deno.connectQuic({ ...QUIC, hostname, port, serverName: "localhost", caCerts, endpoint });
    return speakLines(await conn.createBidirectionalStream(), hear);
  },
};

function speakLines({ readable, writable }: Duplex, hear: Hear): Say {
  (async () => {
    for await (const line of readLines(readable)) hear(line);
  })();
  return lineWriter(writable);
}

async function measure(setup: ClientsSetup): Promise<ClientsResult> {
  const { way, members, messages, interval, offset, patience } = setup;
  const saidAt: number[] = [], delays: number[] = [], heard = new Set<string>();
  const changing = new Changing();
  /** A text says whose it is and which one; a greeting is number 0. */
  const hear = (member: number) => (text: string) => {
    const at = performance.now();
    const [, sender, number] = /#(\d+)\/(\d+) /.exec(text) ?? [];
    const key = `${number} ${sender} ${member}`;
    if (sender === undefined || Number(sender) === member || heard.has(key)) return;
    heard.add(key);
    if (number !== "0") delays.push(at - saidAt[Number(number)]);
    changing.changed();
  };
  const clients = await Promise.all(Array.from({ length: members }, (_, i) => OPENERS[way](setup, hear(i))));
  const others = members - 1;
  const hello = () => clients.forEach((say, i) => say(`#${i}/0 hello`));
  hello();
  const timer = setInterval(hello, HELLO_INTERVAL_MS);
  const areReady = () => heard.size === members * others || undefined;
  await changing.until(areReady, () => `${heard.size} of ${members * others} hear each other`, READY_WITHIN_MS);
  clearInterval(timer);
  console.log("ready");
  await Deno.stdin.read(new Uint8Array(1));
  await pause(offset);
  await sayAll(messages, interval, (i) => {
    const number = i + 1, sender = i % members;
    saidAt[number] = performance.now();
    clients[sender](`#${sender}/${number} ${"x".repeat(LENGTH)}`.slice(0, LENGTH));
  });
  const expected = messages * others;
  // what is missing shows in the result
  await changing.until(() => delays.length === expected || undefined, () => "", patience).catch(() => {});
  return { delays, expected };
}

if (import.meta.main) {
  console.log(JSON.stringify(await measure(JSON.parse(Deno.args[0]))));
  Deno.exit();
}
