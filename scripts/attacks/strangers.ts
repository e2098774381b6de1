/**
 * An attack: datagrams from tens of thousands of addresses that have not joined, faster than the server can answer. It
 * measures how long members wait for each other's words meanwhile, and whether a newcomer gets in.
 *
 * @module
 */
import { parseNumber, readCommandLine } from "../../runtime/command_line.ts";
import { Failure, run } from "../../runtime/program.ts";
import { Sockets } from "../bench/load_sockets.ts";
import { quantile, readable } from "../bench/table.ts";
import { startServer } from "../support/processes.ts";
import { Changing } from "../support/waiting.ts";
import { joinV1 } from "./v1_member.ts";

const HELP = `Measures how long members wait while strangers send datagrams (Linux only).

Usage: deno run -A scripts/attacks/strangers.ts

  --rate COUNT      how many datagrams a second the strangers send (30000)
  --datagram TEXT   what each of them is; by default they are of several kinds
  --seconds COUNT   how long it is measured (10)
  --help            this text`;

/** What the attack does, and for how long. */
export interface AttackOptions {
  /** Datagrams a second. */
  rate: number;
  seconds: number;
  /** What strangers send, in turn. */
  datagrams?: string[];
}

/** How members fared. */
export interface AttackResult {
  /** The strangers' datagrams that were sent, each second. */
  sent: number;
  /** The words of one member that came back to it, and how many it said. */
  arrived: number;
  said: number;
  /** From saying to hearing, in milliseconds. */
  median: number;
  p95: number;
  /** How long a newcomer took to join in the middle of it, in milliseconds. */
  joining: number;
}

const STRANGERS = 20_000;
/** What strangers send, in turn. */
const DATAGRAMS = [
  "GREETING/1 id=1000000",
  "SIGN-IN/1 id=1000000 name=Mallory",
  "GREETING/1 id=1000000 token=5f1c0d9a7be2e604 cookie=a3d7e09b15c8f264",
  "MESSAGE/1 token=5f1c0d9a7be2e604 stream=c07d5f3be8192a64 id=1 first=1\nforged",
  "MESSAGE hello",
  "LIST",
  "noise",
];
/** How often strangers send, in milliseconds. */
const FLOOD_MS = 5;
/** How often the member speaks, in milliseconds. It says 10 messages a second, half of what it may. */
const SAY_MS = 100;
/** How long the last words may take, in milliseconds. */
const PATIENCE_MS = 10_000;

/** Runs the attack against a server of its own. */
export async function attack({ rate, seconds, datagrams = DATAGRAMS }: AttackOptions): Promise<AttackResult> {
  await using server = await startServer("--quiet");
  using stack = new DisposableStack();
  const saidAt = new Map<number, number>();
  const delays: number[] = [];
  const changes = new Changing();
  const member = stack.use(
    await joinV1(server.port, (id) => {
      delays.push(performance.now() - saidAt.get(id)!);
      changes.changed();
    }),
  );
  const strangers = new Sockets(server.port, STRANGERS, 1);
  stack.defer(() => strangers.close());
  const startedAt = performance.now();
  let sent = 0;
  const flood = setInterval(() => {
    const due = rate * (performance.now() - startedAt) / 1000;
    for (; sent < due; sent++) strangers.send(sent % STRANGERS, datagrams[sent % datagrams.length]);
  }, FLOOD_MS);
  stack.defer(() => clearInterval(flood));
  let said = 0;
  const speech = setInterval(() => {
    saidAt.set(++said, performance.now());
    member.say(said);
  }, SAY_MS);
  stack.defer(() => clearInterval(speech));

  await pause(500 * seconds);
  const greetedAt = performance.now();
  stack.use(await joinV1(server.port, () => {}));
  const joining = performance.now() - greetedAt;
  await pause(500 * seconds);
  clearInterval(speech);
  const elapsed = (performance.now() - startedAt) / 1000;
  clearInterval(flood);
  const floods = sent;
  await changes.until(() => delays.length >= said || undefined, () => "", PATIENCE_MS).catch(() => {});
  return {
    sent: floods / elapsed,
    arrived: delays.length,
    said,
    median: quantile(delays, 0.5),
    p95: quantile(delays, 0.95),
    joining,
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, milliseconds));
}

if (import.meta.main) {
  await run(async () => {
    const read = readCommandLine(Deno.args, {
      string: ["rate", "seconds", "datagram"],
      boolean: ["help"],
      positional: 0,
    });
    if (read.help) return console.log(HELP);
    if (Deno.build.os !== "linux") throw new Failure("Only Linux lets one socket send from so many addresses");
    const options = {
      rate: parseNumber(read, "rate", 0, 1_000_000) ?? 30_000,
      seconds: parseNumber(read, "seconds", 1, 600) ?? 10,
      datagrams: read.datagram === undefined ? undefined : [String(read.datagram)],
    };
    const { sent, arrived, said, median, p95, joining } = await attack(options);
    console.log(
      `${readable(sent)} datagrams of strangers a second: ${arrived} of ${said} words came back, ` +
        `median ${readable(median)} ms, p95 ${readable(p95)} ms; a newcomer was in after ${readable(joining)} ms`,
    );
  });
}
