/**
 * The load where there is no C compiler: what load.c does, by the same system calls, in Deno.
 *
 * See load.c for how a few sockets hold thousands of members, and for the arguments; it prints the same lines of JSON.
 *
 * @module
 */
import { datagramSize, Mailbox, monotonic, nap, Sockets } from "./load_sockets.ts";
import { quantile } from "./table.ts";

/** Bytes of a text; how many numbers of texts are remembered. */
const TEXT = 100, RING = 1 << 20;
/** Milliseconds between two looks at empty sockets, and without any copy until the rest is taken for lost. */
const NAP = 0.1, QUIET = 150;
/** At most so many latencies are kept: a random sample of them, once there are more. */
const MAX_LATENCIES = 1 << 20;

/** A crowd of classic members. */
class Crowd {
  readonly #members: number;
  readonly #sockets: Sockets;
  readonly #mailbox: Mailbox;
  readonly #sentAt = new Float64Array(RING);
  readonly #left = new Int32Array(RING);
  #next = 0;
  #firstCounted = 0;
  copies = 0;
  outstanding = 0;
  lost = 0;
  /** Milliseconds; undefined while nothing is timed. */
  latencies: Float64Array | undefined;
  latencyCount = 0;

  constructor(port: number, members: number) {
    this.#members = members;
    this.#sockets = new Sockets(port, members);
    this.#mailbox = new Mailbox(this.#sockets);
  }

  /** Says `count` texts, each of which is said to have been sent at its due time. */
  say(count: number, due: number, interval: number): void {
    const senders = Math.min(this.#sockets.block, this.#members);
    for (; count > 0; count--, due += interval) {
      const number = this.#next++;
      this.#sentAt[number % RING] = due;
      this.#left[number % RING] = this.#members;
      this.outstanding++;
      const digits = number.toString(16).padStart(8, "0");
      this.#sockets.send(number % senders, `MESSAGE ${"0".repeat(TEXT - 8)}${digits}`);
    }
  }

  /** How many copies found the receive buffers of this program full: its own fault, not the server's. */
  get overflow(): number {
    return this.#sockets.overflow;
  }

  /** Takes what has arrived, and returns how many copies that was. */
  drain(): number {
    return this.#mailbox.drain((bytes, start, length, at) => this.#take(bytes, start + length, length, at));
  }

  #take(bytes: Uint8Array, end: number, length: number, at: number): void {
    this.copies++;
    if (length < TEXT) return;
    let number = 0;
    for (let i = end - 8; i < end; i++) number = number * 16 + (bytes[i] <= 0x39 ? bytes[i] - 0x30 : bytes[i] - 0x57);
    if (!(number >= 0 && number < this.#next && number + RING > this.#next)) return;
    const slot = number % RING;
    if (this.latencies && number >= this.#firstCounted) this.#noteLatency(at - this.#sentAt[slot]);
    if (this.#left[slot] > 0 && --this.#left[slot] === 0 && number >= this.#firstCounted) this.outstanding--;
  }

  #noteLatency(latency: number): void {
    // reservoir sampling (Algorithm R, Alan Waterman)
    const at = this.latencyCount < MAX_LATENCIES ? this.latencyCount : Math.floor(Math.random() * this.latencyCount);
    this.latencyCount++;
    if (at < MAX_LATENCIES) this.latencies![at] = latency;
  }

  /** Until everything has arrived, or nothing has for a while: what is missing then is lost. */
  settle(): void {
    for (let last = monotonic(); this.outstanding > 0 && monotonic() - last < QUIET;) {
      if (this.drain() > 0) last = monotonic();
      else nap(NAP);
    }
    for (; this.#firstCounted < this.#next; this.#firstCounted++) this.lost += this.#left[this.#firstCounted % RING];
    this.outstanding = 0;
  }

  /** Greets for all, until a message comes back to all of them. */
  register(): void {
    for (let attempt = 0; attempt < 10; attempt++) {
      for (let member = 0; member < this.#members; member++) {
        this.#sockets.send(member, "GREETING");
        if (member % 32 === 31) nap(1); // a server's receive buffer holds no more than a few hundred
      }
      const before = this.copies;
      this.say(1, monotonic(), 0);
      for (let last = monotonic(); this.copies - before < this.#members && monotonic() - last < 10 * QUIET;) {
        if (this.drain() > 0) last = monotonic();
        else nap(NAP);
      }
      const isComplete = this.copies - before === this.#members;
      this.settle();
      this.lost = 0;
      if (isComplete) return;
    }
    console.error(`load: the server does not forward to all ${this.#members} members`);
    Deno.exit(1);
  }

  /** As fast as the server can: `window` messages are on their way all the time. */
  closedLoop(window: number, until: number): void {
    for (let last = monotonic(), at; (at = monotonic()) < until;) {
      if (this.outstanding < window) this.say(window - this.outstanding, at, 0);
      const got = this.drain();
      if (got > 0) last = at;
      else if (at - last > QUIET) this.settle();
      if (got < datagramSize.batch) nap(NAP); // a look at all sockets has its price, too; let more come together
    }
  }

  /** A message every `interval` milliseconds, whatever has arrived. */
  openLoop(interval: number, until: number, spin: boolean): void {
    for (let due = monotonic(), at; (at = monotonic()) < until;) {
      if (at >= due) {
        const count = Math.floor((at - due) / interval) + 1;
        this.say(count, due, interval);
        due += count * interval;
      }
      if (this.drain() === 0 && !spin) nap(NAP);
    }
  }

  /** Sends datagrams to itself, which are not timed, and returns how many milliseconds it takes to take them. */
  feed(count: number): number {
    this.#sockets.fill(`INCOMING <From 127.1.0.1:50000>: ${"0".repeat(TEXT)}`, count);
    this.#next = 1;
    const began = monotonic();
    while (this.drain() > 0);
    return monotonic() - began;
  }
}

/** Processor time of a process in seconds, all threads, user and system. */
function cpuOf(pid: number | "self"): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // the name, field 2, may hold anything, but ends at the last parenthesis; the clock ticks 100 times a second
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function fanout([port, members, window, warm, measure, latency, pid, spin]: number[]): void {
  const crowd = new Crowd(port, members);
  crowd.register();
  crowd.closedLoop(window, monotonic() + warm);
  const began = monotonic(), before = crowd.copies, cpu = cpuOf(pid), own = cpuOf("self");
  crowd.closedLoop(window, began + measure);
  const seconds = (monotonic() - began) / 1000, delivered = crowd.copies - before;
  const result = { delivered, seconds, lost: 0, serverCpu: cpuOf(pid) - cpu, loadCpu: cpuOf("self") - own };
  crowd.settle();
  result.lost = crowd.lost;
  const rate = delivered / seconds / members / 2;
  if (rate === 0 || latency === 0) return console.log(JSON.stringify(result));
  crowd.lost = 0;
  crowd.latencies = new Float64Array(MAX_LATENCIES);
  crowd.openLoop(1000 / rate, monotonic() + latency, spin === 1);
  crowd.settle();
  const latencies = [...crowd.latencies.subarray(0, Math.min(crowd.latencyCount, MAX_LATENCIES))];
  const [median, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  console.log(JSON.stringify({ ...result, halfLoad: { messages: rate, median, p99, lost: crowd.lost } }));
}

/** Holds the members, and says something for each line of standard input, until that ends. */
async function hold([port, members]: number[]): Promise<void> {
  const crowd = new Crowd(port, members);
  crowd.register();
  const registered = crowd.copies;
  console.log(JSON.stringify({ members }));
  const drained = setInterval(() => crowd.drain(), 1);
  for await (const _ of Deno.stdin.readable) {
    const began = monotonic();
    crowd.lost = 0;
    crowd.say(1, began, 0);
    crowd.settle();
    console.log(JSON.stringify({ copies: members - crowd.lost, ms: monotonic() - began }));
  }
  clearInterval(drained);
  for (let last = monotonic(); monotonic() - last < QUIET; nap(NAP)) {
    if (crowd.drain() > 0) last = monotonic();
  }
  console.log(JSON.stringify({ copies: crowd.copies - registered, overflow: crowd.overflow }));
}

/** How fast this program takes datagrams that wait in its sockets. */
function capacity(): void {
  const crowd = new Crowd(0, 10_000);
  let spent = 0;
  for (let round = 0; round < 30; round++) spent += crowd.feed(datagramSize.batch);
  console.log(JSON.stringify({ delivered: crowd.copies, seconds: spent / 1000 }));
}

if (import.meta.main) {
  const [mode, ...numbers] = Deno.args;
  if (mode === "capacity") capacity();
  else if (mode === "hold") await hold(numbers.map(Number));
  else fanout(numbers.map(Number));
}
