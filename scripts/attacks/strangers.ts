/**
 * An attack: datagrams from tens of thousands of addresses that have not joined, or from the address of one member
 * without its token, faster than the server can answer. It measures how long members wait for each other's words
 * meanwhile, whether a newcomer gets in, and whether the member whose address is forged is answered.
 *
 * @module
 */
import { decode, encode, MAX_DATAGRAM_BYTES, type Packet } from "../../protocol.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import { parseNumber, readCommandLine } from "../../runtime/command_line.ts";
import { Failure, run } from "../../runtime/program.ts";
import { datagramSize, Mailbox, Sockets } from "../bench/load_sockets.ts";
import { readable } from "../bench/table.ts";
import { startServer } from "../support/processes.ts";
import { pause } from "../support/waiting.ts";
import { Speaker, type WordDelays } from "./speaker.ts";
import { joinV1 } from "./v1_member.ts";

const HELP = `Measures how long members wait while strangers send datagrams (Linux only).

Usage: deno run -A scripts/attacks/strangers.ts

  --rate COUNT      how many datagrams a second the strangers send (30000)
  --member          all of them come from the address of one member
  --datagram TEXT   what each of them is; by default they are of several kinds
  --seconds COUNT   how long it is measured (10)
  --help            this text`;

/** What the attack does, and for how long. */
export interface AttackOptions {
  /** Datagrams a second. */
  rate: number;
  seconds: number;
  /** Whether all of them come from the address of one member. Default false. */
  member?: boolean;
  /** What strangers send, in turn. */
  datagrams?: string[];
}

/** How members fared. */
export interface AttackResult extends WordDelays {
  /** The strangers' datagrams that were sent, each second. */
  sent: number;
  /** How long a newcomer took to join in the middle of it, in milliseconds. */
  joining: number;
  /** The requests of the member whose address is forged, if there is one, and the answers that it got. */
  asked: number;
  answered: number;
}

const STRANGERS = 20_000;
/** What strangers send, in turn. */
const DATAGRAMS = [
  "GREETING/1 id=1000000",
  "SIGN-IN/1 id=1000000 name=Mallory",
  "GREETING/1 id=1000000 token=5f1c0d9a7be2e604 cookie=a3d7e09b15c8f264",
  "MESSAGE/1 token=5f1c0d9a7be2e604 stream=c07d5f3be8192a64 id=1\nforged",
  "MESSAGE hello",
  "LIST",
  "noise",
  `ONLINE/1 epoch=5f1c0d9a7be2e604 seq=1 at=1\n${"192.0.2.1:9090 Mallory\n".repeat(50)}`,
];
/** How often strangers send, in milliseconds. */
const FLOOD_MS = 5;
/** How often the member asks whose address is forged, in milliseconds. */
const ASK_MS = 100;
/** The receive buffer of the member whose address is forged, in bytes. */
const VICTIM_BUFFER_BYTES = 1 << 18;
/** How long the last words may take, in milliseconds. */
const PATIENCE_MS = 10_000;
/** How often that member greets at most before it is in, and the pause behind each greeting in milliseconds. */
const [JOIN_TRIES, JOIN_PAUSE_MS] = [50, 100];
const decoder = new TextDecoder();

/** Runs the attack against a server of its own. */
export async function attack(
  { rate, seconds, member: isMember = false, datagrams = DATAGRAMS }: AttackOptions,
): Promise<AttackResult> {
  datagramSize.longest = MAX_DATAGRAM_BYTES;
  await using server = await startServer("--quiet");
  using stack = new DisposableStack();
  const speaker = stack.use(await Speaker.join(server.port));
  const addresses = isMember ? 1 : STRANGERS;
  const strangers = new Sockets(server.port, addresses, isMember ? VICTIM_BUFFER_BYTES : 1);
  stack.defer(() => strangers.close());
  const victim = isMember ? await Victim.join(strangers) : undefined;
  const startedAt = performance.now();
  let sent = 0;
  const flood = setInterval(() => {
    const due = rate * (performance.now() - startedAt) / 1000;
    for (; sent < due; sent++) strangers.send(sent % addresses, datagrams[sent % datagrams.length]);
    victim?.receive();
  }, FLOOD_MS);
  stack.defer(() => clearInterval(flood));
  const asking = setInterval(() => victim?.ask(), ASK_MS);
  stack.defer(() => clearInterval(asking));
  speaker.start();

  await pause(500 * seconds);
  const greetedAt = performance.now();
  stack.use(await joinV1(server.port, () => {}));
  const joining = performance.now() - greetedAt;
  await pause(500 * seconds);
  clearInterval(asking);
  const elapsed = (performance.now() - startedAt) / 1000;
  clearInterval(flood);
  const floods = sent;
  const delays = await speaker.stop(PATIENCE_MS);
  victim?.receive();
  return {
    ...delays,
    sent: floods / elapsed,
    joining,
    asked: victim?.asked ?? 0,
    answered: victim?.answered ?? 0,
  };
}

/** The member whose address is forged. It has one socket with whoever forges it. */
class Victim {
  readonly #sockets: Sockets;
  readonly #mailbox: Mailbox;
  readonly #token = randomHex64();
  #cookie: string | undefined;
  #isIn = false;
  asked = 0;
  answered = 0;

  /** @throws {Failure} if it is not let in. */
  static async join(sockets: Sockets): Promise<Victim> {
    const victim = new Victim(sockets);
    for (let tries = 0; tries < JOIN_TRIES; tries++) {
      victim.#send({ dialect: "v1", type: "GREETING", id: 1, token: victim.#token, cookie: victim.#cookie });
      await pause(JOIN_PAUSE_MS);
      victim.receive();
      if (victim.#isIn) return victim;
    }
    throw new Failure("The member whose address is forged was not let in");
  }

  private constructor(sockets: Sockets) {
    this.#sockets = sockets;
    this.#mailbox = new Mailbox(sockets);
  }

  ask(): void {
    this.#send({ dialect: "v1", type: "LIST", id: ++this.asked, token: this.#token });
  }

  receive(): void {
    this.#mailbox.drain((bytes, start, length) => {
      const { packet } = decode(bytes.subarray(start, start + length)) as { packet?: Packet };
      if (packet?.type === "RETRY") this.#cookie = packet.cookie;
      if (packet?.type === "WELCOME") this.#isIn = true;
      if (packet?.type === "USERS") this.answered++;
    });
  }

  #send(packet: Packet): void {
    this.#sockets.send(0, decoder.decode(encode(packet)));
  }
}

if (import.meta.main) {
  await run(async () => {
    const read = readCommandLine(Deno.args, {
      string: ["rate", "seconds", "datagram"],
      boolean: ["help", "member"],
      positional: 0,
    });
    if (read.help) return console.log(HELP);
    if (Deno.build.os !== "linux") throw new Failure("Only Linux lets one socket send from so many addresses");
    const options = {
      rate: parseNumber(read, "rate", 0, 1_000_000) ?? 30_000,
      seconds: parseNumber(read, "seconds", 1, 600) ?? 10,
      member: read.member,
      datagrams: read.datagram === undefined ? undefined : [String(read.datagram)],
    };
    const { sent, arrived, said, median, p95, joining, asked, answered } = await attack(options);
    console.log(
      `${readable(sent)} datagrams a second ${
        read.member ? "from a member's address" : "of strangers"
      }: ${arrived} of ${said} words came back, ` +
        `median ${readable(median)} ms, p95 ${readable(p95)} ms; a newcomer was in after ${readable(joining)} ms` +
        (read.member ? `; the member with this address got ${answered} of ${asked} answers` : ""),
    );
  });
}
