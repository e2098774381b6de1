/**
 * An attack: somebody lets thousands of forged addresses greet in the classic dialect, so that each message costs the
 * server thousands of copies. It measures how long version 1 members wait for their copies meanwhile.
 *
 * @module
 */
import { parseNumber, readCommandLine } from "../../runtime/command_line.ts";
import { Failure, run, UsageError } from "../../runtime/program.ts";
import { Sockets } from "../bench/load_sockets.ts";
import { quantile, readable } from "../bench/table.ts";
import { startServer } from "../support/processes.ts";
import { Changing, pause } from "../support/waiting.ts";
import { joinV1 } from "./v1_member.ts";

const HELP = `Measures how long version 1 members wait while a forged crowd speaks the classic dialect (Linux only).

Usage: deno run -A scripts/attacks/classic_crowd.ts

  --members COUNT   how many forged classic members greet, each from an address of its own, 127.x.y.z (20000)
  --rate COUNT      how many messages a second one version 1 member says (10)
  --noise COUNT     how many messages a second the forged members say in all (0)
  --gone            the forged members' ports are closed when they have greeted, so that ICMP errors come back
  --seconds COUNT   how long it is measured (10)
  --help            this text`;

/** What the attack does, and for how long. */
export interface AttackOptions {
  /** The forged classic members. */
  members: number;
  /** Messages a second: those of one version 1 member, and those of the forged members. */
  rate: number;
  noise: number;
  /** Whether the forged members' ports are closed, so that each copy brings an ICMP error. They are silent then. */
  gone: boolean;
  seconds: number;
}

/** How the version 1 members fared. */
export interface AttackResult {
  /** Copies of the measured messages that have arrived at version 1 members, and how many were due. */
  arrived: number;
  due: number;
  /** From saying to hearing, in milliseconds. */
  median: number;
  p99: number;
}

const LISTENERS = 5;
/** How long the last copies may take, in milliseconds. */
const PATIENCE_MS = 20_000;
/** The forged members read nothing, so their buffers are as small as the system allows, and soon full. */
const CROWD_BUFFER_BYTES = 1;
/** Greetings that are sent at once, and the pause behind them in milliseconds. */
const [GREETINGS_AT_ONCE, GREETING_PAUSE_MS] = [200, 10];
/** How often the forged members speak, in milliseconds. */
const NOISE_MS = 10;

/** Runs the attack against a server of its own. */
export async function attack({ members, rate, noise, gone, seconds }: AttackOptions): Promise<AttackResult> {
  await using server = await startServer("--quiet", "--classic-members", String(members));
  const saidAt = new Map<number, number>();
  const delays: number[] = [];
  const changes = new Changing();
  using stack = new DisposableStack();
  const heard = (id: number) => {
    const at = saidAt.get(id);
    if (at === undefined) return;
    delays.push(performance.now() - at);
    changes.changed();
  };
  for (let i = 0; i < LISTENERS; i++) stack.use(await joinV1(server.port, heard));
  const speaker = stack.use(await joinV1(server.port, () => {}));

  const crowd = new Sockets(server.port, members, CROWD_BUFFER_BYTES);
  stack.defer(() => crowd.close());
  for (let member = 0; member < members; member++) {
    crowd.send(member, "GREETING");
    if (member % GREETINGS_AT_ONCE === 0) await pause(GREETING_PAUSE_MS);
  }
  const joined = await speaker.count() - LISTENERS - 1;
  if (joined < 0.99 * members) throw new Failure(`Only ${joined} of ${members} forged members have joined`);
  if (gone) crowd.close();

  const startedAt = performance.now();
  let noises = 0, id = 0;
  const noisy = setInterval(() => {
    const due = noise * (performance.now() - startedAt) / 1000;
    for (; noises < due; noises++) crowd.send(noises % members, `MESSAGE noise ${noises}`);
  }, NOISE_MS);
  stack.defer(() => clearInterval(noisy));
  while (id < rate * seconds) {
    saidAt.set(++id, performance.now());
    speaker.say(id);
    await pause(startedAt + 1000 * id / rate - performance.now());
  }
  clearInterval(noisy);
  const due = id * LISTENERS;
  const all = () => delays.length >= due || undefined;
  // some may be lost, and these members do not ask for them again
  await changes.until(all, () => "", PATIENCE_MS).catch(() => {});
  return { arrived: delays.length, due, median: quantile(delays, 0.5), p99: quantile(delays, 0.99) };
}

if (import.meta.main) {
  await run(async () => {
    const read = readCommandLine(Deno.args, {
      string: ["members", "rate", "noise", "seconds"],
      boolean: ["gone", "help"],
      positional: 0,
    });
    if (read.help) return console.log(HELP);
    const options: AttackOptions = {
      members: parseNumber(read, "members", 1, 100_000) ?? 20_000,
      rate: parseNumber(read, "rate", 1, 20) ?? 10,
      noise: parseNumber(read, "noise", 0, 10_000) ?? 0,
      gone: read.gone,
      seconds: parseNumber(read, "seconds", 1, 600) ?? 10,
    };
    if (Deno.build.os !== "linux") throw new Failure("Only Linux lets one socket send from so many addresses");
    if (options.gone && options.noise > 0) throw new UsageError("Who is gone is silent: --gone or --noise, not both");
    const { arrived, due, median, p99 } = await attack(options);
    console.log(
      `${options.members} classic members, ${options.rate} messages a second and ${options.noise} of the crowd${
        options.gone ? ", which is gone" : ""
      }: ` +
        `version 1 members got ${arrived} of ${due} copies, median ${readable(median)} ms, p99 ${readable(p99)} ms`,
    );
  });
}
