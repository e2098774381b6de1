/**
 * An attack: members send one member, or several, envelopes without end, which are to pass through the server. It
 * measures how long honest private messages to the first of them take meanwhile until they are acknowledged, and how
 * long what is said to all takes.
 *
 * @module
 */
import { MAX_DATA_BYTES, type RelayedMessage, type RelayedPacket, type V1Packet } from "../../protocol.ts";
import { parseNumber, readCommandLine } from "../../runtime/command_line.ts";
import { run } from "../../runtime/program.ts";
import { quantile, readable } from "../bench/table.ts";
import { startServer } from "../support/processes.ts";
import { Changing, pause } from "../support/waiting.ts";
import { Speaker, type WordDelays } from "./speaker.ts";
import { joinV1, type V1Member } from "./v1_member.ts";

const MAX_HOSTS = 250;
const IS_LINUX = Deno.build.os === "linux";
const HELP = `Measures how long private and public messages wait while members flood one member through the server.

Usage: deno run -A scripts/attacks/relay_flood.ts

  --members COUNT    how many members flood it (50)
  --hosts COUNT      how many IP addresses they have, on Linux (250)
  --receivers COUNT  to how many members they send, by turns (1)
  --rate COUNT       how many envelopes a second they send together (10000)
  --texts COUNT      how many private texts are under way at once (32)
  --seconds COUNT    how long it is measured (10)
  --help             this text`;

/** What the attack does, and for how long. */
export interface AttackOptions {
  members: number;
  /** How many IP addresses the members have. */
  hosts?: number;
  /** To how many members they send. */
  receivers?: number;
  /** How many private texts are under way at once. */
  texts?: number;
  /** Envelopes a second. */
  rate: number;
  seconds: number;
}

/** How the honest members fared: the words that are said to all, and the private ones. */
export interface AttackResult {
  public: WordDelays;
  private: WordDelays;
  /** The envelopes that were sent each second, and those that the first receiver got. */
  sent: number;
  passed: number;
}

/** How often envelopes are sent, in milliseconds. */
const FLOOD_MS = 5;
/** How often Alice repeats what is not acknowledged, in milliseconds. */
const WRITE_MS = 250;
/** How long she waits for each text before she says the next ones, in milliseconds: the server takes 20 a second. */
const TEXT_MS = 60;
/** How long the last words may take, in milliseconds. */
const PATIENCE_MS = 10_000;

/** A member that can look others up. */
interface Peer extends Disposable {
  member: V1Member;
  /** The pass of this member and the one at an address. */
  passOf(address: string): Promise<string>;
}

async function join(port: number, hostname: string, received: (packet: V1Packet) => void = () => {}): Promise<Peer> {
  const changes = new Changing();
  let pass: string | undefined;
  const member = await joinV1(port, () => {}, {
    hostname,
    received(packet) {
      if (packet.type === "PEER") pass = packet.pass;
      received(packet);
      changes.changed();
    },
  });
  return {
    member,
    passOf(address) {
      pass = undefined;
      member.send({ dialect: "v1", type: "LOOKUP", id: 3, token: member.token, address });
      return changes.until(() => pass, () => "the server has not told where a member is");
    },
    [Symbol.dispose]: () => member[Symbol.dispose](),
  };
}

function relay({ token, send }: V1Member, address: string, packet: RelayedPacket): void {
  send({ dialect: "v1", type: "RELAY", token, address, packet });
}

/**
 * What a hostile member sends in turn to each of those whose passes it knows: a new message, a repeat, an ACK, a forged
 * pass, and to nobody; a file that is offered anew, octets that nobody has accepted, and a SACK for what was not offered.
 */
function* envelopes(member: V1Member, passes: Map<string, string>): Generator<void> {
  const { stream } = member, text = "x".repeat(800), head = { dialect: "v1", stream } as const;
  const octets = new Uint8Array(MAX_DATA_BYTES), hash = "0".repeat(64);
  for (let id = 1;; id++) {
    const file = id.toString(16).padStart(16, "0");
    for (const [address, pass] of passes) {
      const transfer = { dialect: "v1", pass, file } as const;
      for (const copy of [id, 1]) yield relay(member, address, { ...head, type: "MESSAGE", pass, id: copy, text });
      yield relay(member, address, { ...head, type: "ACK", pass, id });
      yield relay(member, address, { ...head, type: "MESSAGE", pass: stream, id, text });
      yield relay(member, `192.0.2.${id % 256}:${1 + id % 65535}`, { ...head, type: "MESSAGE", pass, id, text });
      yield relay(member, address, { ...transfer, type: "OFFER", size: id, hash, text: "x" });
      yield relay(member, address, { ...transfer, type: "DATA", id, offset: 0, octets });
      yield relay(member, address, { ...transfer, type: "SACK", next: 0, room: 1 });
    }
  }
}

/** Alice, who writes to Bob through the server, and Bob, who acknowledges it. */
class Pair implements Disposable {
  /** How many envelopes Bob has got that are not hers. */
  passed = 0;
  readonly #alice: Peer;
  readonly #bob: Peer;
  readonly #pass: string;
  readonly #texts: number;
  readonly #changes = new Changing();
  readonly #delays: number[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  /** When each text was said that is not acknowledged, by its id. */
  readonly #saidAt = new Map<number, number>();
  #said = 0;
  #nextAt = 0;
  #isStopping = false;

  static async join(port: number, texts: number): Promise<Pair> {
    const heard = { alice: (_: V1Packet) => {}, bob: (_: V1Packet) => {} };
    const alice = await join(port, "127.0.0.1", (packet) => heard.alice(packet));
    const bob = await join(port, "127.0.0.1", (packet) => heard.bob(packet));
    const pair = new Pair(alice, bob, await alice.passOf(bob.member.address), texts);
    heard.alice = (packet) => pair.#heardByAlice(packet);
    heard.bob = (packet) => pair.#heardByBob(packet);
    return pair;
  }

  private constructor(alice: Peer, bob: Peer, pass: string, texts: number) {
    this.#alice = alice;
    this.#bob = bob;
    this.#pass = pass;
    this.#texts = texts;
  }

  get bobsAddress(): string {
    return this.#bob.member.address;
  }

  /** Begins to write. When all texts are acknowledged, the next ones follow. */
  start(): void {
    this.#timer = setInterval(() => this.#write(), WRITE_MS);
  }

  /** Stops writing, and waits for the last acknowledgement, for so many milliseconds at most. */
  async stop(patience: number): Promise<WordDelays> {
    this.#isStopping = true;
    const isDone = () => this.#delays.length >= this.#said || undefined;
    await this.#changes.until(isDone, () => "", patience).catch(() => {});
    clearInterval(this.#timer);
    const [arrived, said] = [this.#delays.length, this.#said];
    return { arrived, said, median: quantile(this.#delays, 0.5), p95: quantile(this.#delays, 0.95) };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#alice[Symbol.dispose]();
    this.#bob[Symbol.dispose]();
  }

  #write(): void {
    const now = performance.now();
    if (this.#saidAt.size === 0 && !this.#isStopping && now >= this.#nextAt) {
      for (let i = 0; i < this.#texts; i++) this.#saidAt.set(++this.#said, now);
      this.#nextAt = now + TEXT_MS * this.#texts;
    }
    const { member } = this.#alice, head = { dialect: "v1", pass: this.#pass, stream: member.stream } as const;
    for (const id of this.#saidAt.keys()) {
      relay(member, this.bobsAddress, { ...head, type: "MESSAGE", id, text: "a private word" });
    }
  }

  #heardByAlice(packet: V1Packet): void {
    if (packet.type !== "RELAY" || packet.packet.type !== "ACK") return;
    const { id } = packet.packet, saidAt = this.#saidAt.get(id);
    if (saidAt === undefined) return;
    this.#saidAt.delete(id);
    this.#delays.push(performance.now() - saidAt);
    this.#changes.changed();
  }

  #heardByBob(packet: V1Packet): void {
    if (packet.type !== "RELAY") return;
    const { pass, type, stream, id } = packet.packet as RelayedMessage;
    if (pass !== this.#pass) this.passed++;
    else if (type === "MESSAGE") {
      relay(this.#bob.member, packet.address, { dialect: "v1", type: "ACK", pass, stream, id });
    }
  }
}

/** Runs the attack against a server of its own. */
export async function attack(options: AttackOptions): Promise<AttackResult> {
  const { members, hosts = MAX_HOSTS, receivers = 1, rate, texts = 1, seconds } = options;
  await using server = await startServer("--quiet");
  using stack = new DisposableStack();
  const speaker = stack.use(await Speaker.join(server.port)), pair = stack.use(await Pair.join(server.port, texts));
  const addresses = [pair.bobsAddress];
  while (addresses.length < receivers) {
    addresses.push(stack.use(await join(server.port, "127.0.0.1")).member.address);
  }
  const floods = await Promise.all(Array.from({ length: members }, async (_, i) => {
    const peer = stack.use(await join(server.port, IS_LINUX ? `127.0.1.${1 + i % hosts}` : "127.0.0.1"));
    const passes = new Map<string, string>();
    for (const address of addresses) passes.set(address, await peer.passOf(address));
    return envelopes(peer.member, passes);
  }));
  const startedAt = performance.now();
  let sent = 0, floodedAt = startedAt, due = 0;
  const flood = setInterval(() => {
    const now = performance.now();
    // what a busy machine has not sent in time is not sent later: that would keep it busy
    due = Math.min(due, sent + 1) + rate * Math.min(now - floodedAt, 10 * FLOOD_MS) / 1000;
    floodedAt = now;
    for (; sent + 1 <= due; sent++) floods[sent % members].next();
  }, FLOOD_MS);
  stack.defer(() => clearInterval(flood));
  speaker.start();
  pair.start();
  await pause(1000 * seconds);
  clearInterval(flood);
  const seen = (performance.now() - startedAt) / 1000, { passed } = pair;
  const [inPublic, inPrivate] = await Promise.all([speaker.stop(PATIENCE_MS), pair.stop(PATIENCE_MS)]);
  return { public: inPublic, private: inPrivate, sent: sent / seen, passed: passed / seen };
}

if (import.meta.main) {
  await run(async () => {
    const read = readCommandLine(Deno.args, {
      string: ["members", "hosts", "receivers", "rate", "texts", "seconds"],
      boolean: ["help"],
      positional: 0,
    });
    if (read.help) return console.log(HELP);
    const result = await attack({
      members: parseNumber(read, "members", 1, 1000) ?? 50,
      hosts: parseNumber(read, "hosts", 1, MAX_HOSTS),
      receivers: parseNumber(read, "receivers", 1, 200),
      texts: parseNumber(read, "texts", 1, 32) ?? 32,
      rate: parseNumber(read, "rate", 1, 20_000) ?? 10_000,
      seconds: parseNumber(read, "seconds", 1, 600) ?? 10,
    });
    const words = ({ arrived, said, median, p95 }: WordDelays) =>
      `${arrived} of ${said}, median ${readable(median)} ms, p95 ${readable(p95)} ms`;
    console.log(
      `${readable(result.sent)} envelopes a second, of which ${readable(result.passed)} were passed on to the first: ` +
        `private words that were acknowledged ${words(result.private)}; public ones that came back ${
          words(result.public)
        }`,
    );
  });
}
