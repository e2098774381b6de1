/**
 * An attack: datagrams from addresses of the server's own network at which nobody is. The system looks for each of these
 * machines for seconds before it gives up, and keeps what is sent there until then. It measures how long members wait
 * for each other's words meanwhile, and whether a newcomer gets in.
 *
 * It makes two network namespaces, one for the server and one for all others, and runs itself in the latter. There the
 * absent addresses are lent to the sockets that forge them, and nobody is told the way to them.
 *
 * @module
 */
import { parseNumber, readCommandLine } from "../../runtime/command_line.ts";
import { Failure, run } from "../../runtime/program.ts";
import { datagrams, openSocket } from "../../runtime/udp.ts";
import { readable } from "../bench/table.ts";
import { commandOf, start } from "../support/processes.ts";
import { Changing, pause } from "../support/waiting.ts";
import { Speaker, WORD, type WordDelays } from "./speaker.ts";
import { joinV1 } from "./v1_member.ts";

const HELP = `Measures how long members wait while datagrams come from addresses at which nobody is (Linux, as root).

Usage: deno run -A scripts/attacks/absent.ts

  --senders COUNT   how many pairs of address and port are forged, at most 900 (1)
  --addresses COUNT how many addresses these have together (1)
  --rate COUNT      how many datagrams a second they send together (1000)
  --datagram TEXT   what each of them is (GREETING/1 id=1000000); with GREETING they are classic members
  --seconds COUNT   how long it is measured (10)
  --help            this text`;

/** What the attack does, and for how long. */
export interface AbsentOptions {
  senders: number;
  addresses: number;
  /** Datagrams a second. */
  rate: number;
  datagram: string;
  seconds: number;
}

/** How members fared. */
export interface AbsentResult extends WordDelays {
  /** How long a newcomer took to join in the middle of it, in milliseconds; undefined if it was not let in. */
  joining?: number;
  /** The words that a classic member heard. */
  heardByClassic: number;
}

const SERVER = "10.72.0.1", NEIGHBOUR = "10.72.0.2", ABSENT = "10.72.128.0/17";
const PORT = 9090;
/** How often absent senders send, in milliseconds. */
const SEND_MS = 5;
/** For how long the senders send before it is measured, in milliseconds. */
const WARM_UP_MS = 500;
/** How long the last words may take, in milliseconds. The attack goes on meanwhile. */
const PATIENCE_MS = 4000;

/** Runs the attack against a server of its own; returns the reason as text if this machine can't have namespaces. */
export async function attack(options: AbsentOptions): Promise<AbsentResult | string> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "network namespaces take Linux, and root";
  const id = `udp-chat-absent-${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`;
  const server = `${id}-server`, neighbours = `${id}-neighbours`;
  try {
    await shell(`
      ip netns add ${server} && ip netns add ${neighbours}
      ip link add neighbours netns ${server} type veth peer name eth0 netns ${neighbours}
      ip -n ${server} link set lo up && ip -n ${server} link set neighbours up
      ip -n ${neighbours} link set lo up && ip -n ${neighbours} link set eth0 up
      ip -n ${server} addr add ${SERVER}/16 dev neighbours
      ip -n ${neighbours} addr add ${NEIGHBOUR}/16 dev eth0
      ip -n ${neighbours} route add local ${ABSENT} dev lo
      ip netns exec ${neighbours} sh -c 'cd /proc/sys/net/ipv4/conf/eth0 && echo 1 >arp_ignore && echo 2 >arp_announce'
    `);
    await using host = start(["ip", "netns", "exec", server, ...commandOf("server"), String(PORT), "--quiet"]);
    await host.stdout.until(/, type:\n/);
    await using inside = start(["ip", "netns", "exec", neighbours, ...script(), JSON.stringify(options)]);
    if (await inside.exitCode(1000 * options.seconds + 60_000) !== 0) throw new Failure(inside.stderr.text());
    return JSON.parse(inside.stdout.text());
  } catch (error) {
    if (error instanceof NoNamespaces) return error.message;
    throw error;
  } finally {
    for (const name of [server, neighbours]) await new Deno.Command("ip", { args: ["netns", "delete", name] }).output();
  }
}

class NoNamespaces extends Error {}

async function shell(script: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("sh", { args: ["-ec", script], stdout: "null" }).output();
  if (!success) throw new NoNamespaces(`namespaces can't be made here: ${new TextDecoder().decode(stderr).trim()}`);
}

function script(): string[] {
  return [Deno.execPath(), "run", "-A", new URL(import.meta.url).pathname, "inside"];
}

/** The attack and the members, in the namespace beside the server's. */
async function measure({ senders, addresses, rate, datagram, seconds }: AbsentOptions): Promise<AbsentResult> {
  using stack = new DisposableStack();
  const target = { host: SERVER, hostname: NEIGHBOUR };
  const speaker = stack.use(await Speaker.join(PORT, target));
  const listener = stack.use(await ClassicListener.join());
  const forged = Array.from({ length: senders }, (_, i) => {
    const n = 1 + i % addresses;
    return stack.adopt(openSocket(`10.72.${128 + (n >> 8)}.${n & 255}`, 0), (conn) => conn.close());
  });
  const bytes = new TextEncoder().encode(datagram);
  const startedAt = performance.now();
  let sent = 0;
  const flood = setInterval(() => {
    const due = rate * (performance.now() - startedAt) / 1000;
    for (; sent < due; sent++) {
      forged[sent % senders].send(bytes, { transport: "udp", hostname: SERVER, port: PORT }).catch(() => {});
    }
  }, SEND_MS);
  stack.defer(() => clearInterval(flood));
  await pause(WARM_UP_MS);
  speaker.start();
  await pause(500 * seconds);
  const greetedAt = performance.now();
  const newcomer = joinV1(PORT, () => {}, target).then((joined) => {
    joined[Symbol.dispose]();
    return performance.now() - greetedAt;
  }, () => undefined);
  await pause(500 * seconds);
  const delays = await speaker.stop(PATIENCE_MS);
  const heardByClassic = await listener.heard(delays.said, PATIENCE_MS);
  return { ...delays, joining: await newcomer, heardByClassic };
}

/** A classic member that only listens. */
class ClassicListener implements Disposable {
  readonly #conn = openSocket(NEIGHBOUR, 0);
  readonly #changes = new Changing();
  #heard = 0;

  static async join(): Promise<ClassicListener> {
    const listener = new ClassicListener();
    listener.#listen();
    await listener.#conn.send(new TextEncoder().encode("GREETING"), { transport: "udp", hostname: SERVER, port: PORT });
    return listener;
  }

  /** Returns how many words it has heard; waits for so many, for so many milliseconds at most. */
  async heard(count: number, patience: number): Promise<number> {
    await this.#changes.until(() => this.#heard >= count || undefined, () => "", patience).catch(() => {});
    return this.#heard;
  }

  async #listen(): Promise<void> {
    for await (const { bytes } of datagrams(this.#conn)) {
      if (!new TextDecoder().decode(bytes).endsWith(WORD)) continue;
      this.#heard++;
      this.#changes.changed();
    }
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}

if (import.meta.main) {
  await run(async () => {
    if (Deno.args[0] === "inside") return console.log(JSON.stringify(await measure(JSON.parse(Deno.args[1]))));
    const read = readCommandLine(Deno.args, {
      string: ["senders", "addresses", "rate", "datagram", "seconds"],
      boolean: ["help"],
      positional: 0,
    });
    if (read.help) return console.log(HELP);
    const result = await attack({
      senders: parseNumber(read, "senders", 1, 900) ?? 1,
      addresses: parseNumber(read, "addresses", 1, 900) ?? 1,
      rate: parseNumber(read, "rate", 0, 1_000_000) ?? 1000,
      datagram: read.datagram ?? "GREETING/1 id=1000000",
      seconds: parseNumber(read, "seconds", 1, 600) ?? 10,
    });
    if (typeof result === "string") throw new Failure(result);
    const { arrived, said, median, p95, joining, heardByClassic } = result;
    // what is not a number has come as null
    const time = (milliseconds?: number) => Number.isFinite(milliseconds) ? `${readable(milliseconds!)} ms` : "-";
    console.log(
      `${arrived} of ${said} words came back, median ${time(median)}, p95 ${time(p95)}; a classic member heard ` +
        `${heardByClassic}; a newcomer was in after ${time(joining)}`,
    );
  });
}
