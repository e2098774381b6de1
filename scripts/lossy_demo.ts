/**
 * Shows that nothing is lost on a lossy network: `deno run -A scripts/lossy_demo.ts`.
 *
 * Real clients, each in its own process, chat through a proxy that loses datagrams in both directions. A classic
 * client, which repairs nothing, listens too. At the end the demonstration counts the messages on each screen.
 *
 * @module
 */
import { parseNumber, readCommandLine } from "../runtime/command_line.ts";
import { Failure, run, UsageError } from "../runtime/program.ts";
import { datagrams } from "../runtime/udp.ts";
import { type LossyProxy, openLossyProxy } from "./lossy_proxy.ts";
import { freePort } from "./support/ports.ts";
import { messagesOf, type Process, type Server, startClient, startServer } from "./support/processes.ts";
import { type NetworkConditions, parseSetting, PERFECT } from "../server/doors/network_emulator.ts";

const HELP =
  `Shows that nothing is lost on a lossy network: clients chat through a proxy that loses datagrams both ways.

Usage: deno run -A scripts/lossy_demo.ts

  --clients COUNT    how many clients (5), and beside them always a classic one, which repairs nothing
  --messages COUNT   how many messages they say in all (200)
  --drop 30%  --duplicate 5%  --delay 0..20   what the network does, each way; these are the defaults
  --seed N           the same datagrams meet the same fate each time
  --kill             in the middle, kills the server, which has a state file, with SIGKILL and starts it again
  --help             this text`;

/** Options of the demonstration. */
export interface DemonstrationOptions {
  clients: number;
  messages: number;
  /** The network conditions, in each direction. */
  conditions: NetworkConditions;
  seed?: number;
  /** Whether the server has a state file, is killed with SIGKILL in the middle and is started again. */
  kill: boolean;
  /** Called with each line about the progress. */
  print: (line: string) => void;
}

/** The messages of the demonstration that one client has shown. */
export interface Screen {
  /** Their lines, in the order on the screen, duplicates included. */
  shown: string[];
  /** How many of these lines are duplicates. */
  twice: number;
  missing: number;
}

/** The result of the demonstration. */
export interface Outcome {
  screens: Screen[];
  /** What the classic client received. */
  classic: Screen;
  /** Whether the screens are the same from the first line to the last. */
  isOneOrder: boolean;
  network: Pick<LossyProxy, "toServer" | "fromServer">;
}

/** Lets clients chat over a bad network until each of them has shown everything. */
export async function demonstrate(options: DemonstrationOptions): Promise<Outcome> {
  const { clients: count, messages, conditions, seed, kill, print } = options;
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const flags = kill ? ["--state", `${folder}/room.db`] : [];
  const server = stack.use(await startServer(...(kill ? [String(freePort())] : []), ...flags));
  const network = stack.use(openLossyProxy({ server: server.port, conditions, seed }));
  const classic = stack.use(listenClassic(network.port));
  const clients = Array.from({ length: count }, () => stack.use(startClient("127.0.0.1", network.port)));
  // a client that shows its own message is in the room, so it gets every message from now on
  await sayAndAwait(clients, (i) => [`ready ${i}`]);
  await classic.heardSomething;

  const texts = Array.from({ length: messages }, (_, i) => `client ${1 + i % count} says ${1 + Math.floor(i / count)}`);
  const middle = Math.floor(messages / 2);
  await say(clients, texts.slice(0, middle));
  if (kill) {
    const waited = texts[Math.floor(middle / 2)];
    await clients[0].stdout.until(`: ${waited}\n`);
    stack.use(await restart(server, flags));
    print(`The server was killed (SIGKILL) when client 1 had shown '${waited}', and started again`);
  }
  await say(clients, texts.slice(middle));
  await sayAndAwait(clients, () => [], texts);

  for (const client of clients) {
    await client.endInput();
    const code = await client.exitCode();
    if (code !== 0) throw new Failure(`A client ended with exit code ${code}: ${client.stderr.text()}`);
  }
  const screens = clients.map((client) => screen(messagesOf(client), texts));
  const [{ shown }] = screens;
  return {
    screens,
    classic: screen(classic.lines, texts),
    isOneOrder: screens.every((other) => other.shown.join("\n") === shown.join("\n")),
    network,
  };
}

/** Types each text at the client that the text names. */
async function say(clients: Process[], texts: string[]): Promise<void> {
  for (const text of texts) await clients[Number(/\d+/.exec(text)![0]) - 1].type(`${text}\n`);
}

/** Lets each client say its own texts, and waits until it shows these and the rest. */
async function sayAndAwait(clients: Process[], own: (i: number) => string[], rest: string[] = []): Promise<void> {
  await Promise.all(clients.map(async (client, i) => {
    for (const text of own(i)) await client.type(`${text}\n`);
    for (const text of [...own(i), ...rest]) await client.stdout.until(`: ${text}\n`);
  }));
}

/** Kills a server with SIGKILL, so that it can't save anything, and starts another one on the same port. */
async function restart(server: Server, flags: string[]): Promise<Server> {
  server.kill("SIGKILL");
  await server.exitCode();
  return await startServer(String(server.port), ...flags);
}

/** Opens a client of the classic dialect. It repairs nothing, so it has only the messages that arrive. */
function listenClassic(server: number): AsyncDisposable & { lines: string[]; heardSomething: Promise<void> } {
  const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const lines: string[] = [];
  const first = Promise.withResolvers<void>();
  // a greeting may be lost, and the server does not answer it, so the client greets until it receives a message
  const greeting = setInterval(() => {
    conn.send(new TextEncoder().encode("GREETING"), { transport: "udp", hostname: "127.0.0.1", port: server })
      .catch(() => {});
  }, 20);
  const receiving = (async () => {
    for await (const { bytes } of datagrams(conn)) {
      clearInterval(greeting);
      lines.push(new TextDecoder().decode(bytes.subarray("INCOMING ".length)));
      first.resolve();
    }
  })();
  return {
    lines,
    heardSomething: first.promise,
    async [Symbol.asyncDispose]() {
      clearInterval(greeting);
      conn.close();
      await receiving;
    },
  };
}

/** Finds the lines of a screen that show the given texts. */
function screen(lines: string[], texts: string[]): Screen {
  const said = new Set(texts);
  const shown = lines.filter((line) => said.has(line.replace(/^<From [^>]*>: /, "")));
  const different = new Set(shown).size;
  return { shown, twice: shown.length - different, missing: said.size - different };
}

/** The result as lines of text. */
export function formatOutcome({ screens, classic, isOneOrder, network: { toServer, fromServer } }: Outcome): string {
  const row = (who: string, { shown, twice, missing }: Screen) =>
    `${who.padEnd(16)} ${shown.length} shown, ${twice} twice, ${missing} missing`;
  const lost = ({ passed, dropped, duplicated }: LossyProxy["toServer"]) =>
    `${dropped} of ${passed + dropped} datagrams dropped, ${duplicated} doubled`;
  return [
    `To the server:   ${lost(toServer)}`,
    `From the server: ${lost(fromServer)}`,
    ...screens.map((screen, i) => row(`Client ${i + 1}:`, screen)),
    row("Classic client:", classic),
    `The order is ${isOneOrder ? "the same" : "NOT the same"} on all ${screens.length} screens`,
  ].join("\n");
}

/** Reads the command line. */
function readOptions(args: string[]): DemonstrationOptions | string {
  const read = readCommandLine(args, {
    string: ["clients", "messages", "drop", "duplicate", "delay", "seed"],
    boolean: ["kill", "help"],
    default: { drop: "30%", duplicate: "5%", delay: "0..20" },
    positional: 0,
  });
  if (read.help) return HELP;
  let conditions: NetworkConditions = PERFECT;
  for (const setting of ["drop", "duplicate", "delay"] as const) {
    const next = parseSetting(conditions, setting, read[setting]);
    if (!next) throw new UsageError(`--${setting} does not take '${read[setting]}'; --help shows what it takes`);
    conditions = next;
  }
  return {
    clients: parseNumber(read, "clients", 1, 50) ?? 5,
    messages: parseNumber(read, "messages", 4, 5000) ?? 200,
    conditions,
    seed: parseNumber(read, "seed", 0, 2 ** 31),
    kill: read.kill,
    print: console.log,
  };
}

if (import.meta.main) {
  await run(async () => {
    const options = readOptions(Deno.args);
    if (typeof options === "string") return console.log(options);
    console.log(`${options.clients} clients say ${options.messages} messages`);
    const startedAt = performance.now();
    const outcome = await demonstrate(options);
    console.log(formatOutcome(outcome));
    console.log(`It took ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    const isWhole = outcome.screens.every(({ twice, missing }) => twice === 0 && missing === 0);
    if (!isWhole || !outcome.isOneOrder) throw new Failure("Something was lost, shown twice or out of order");
  });
}
