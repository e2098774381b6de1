/**
 * The load generator for machines without a C compiler. It does what load.c does, by the same system calls, in Deno.
 *
 * load.c explains how a few sockets hold thousands of members, and the arguments. Both print the same lines of JSON.
 *
 * @module
 */
import { datagramSize, Mailbox, monotonic, nap, Sockets } from "./load_sockets.ts";
import { quantile } from "./table.ts";

/** The bytes of a text; the number of texts that are remembered. */
const TEXT = 100, RING = 1 << 20;
/** Milliseconds between two looks at empty sockets; milliseconds without a copy after which missing copies are lost. */
const NAP = 0.1, QUIET = 150;
/** The most latencies that are kept. When there are more, a random sample of them is kept. */
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
  /** In milliseconds; undefined while no latency is measured. */
  latencies: Float64Array | undefined;
  latencyCount = 0;

  constructor(port: number, members: number) {
    this.#members = members;
    this.#sockets = new Sockets(port, members);
    this.#mailbox = new Mailbox(this.#sockets);
  }

  /** Says `count` texts; the latency of each is counted from its due time. */
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

  /** How many copies were lost because this program's receive buffers were full, which is not the server's fault. */
  get overflow(): number {
    return this.#sockets.overflow;
  }

  /** Takes the copies that have arrived, and returns how many there were. */
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

  /** Waits until every copy has arrived, or none has for QUIET; the missing copies count as lost. */
  settle(): void {
    for (let last = monotonic(); this.outstanding > 0 && monotonic() - last < QUIET;) {
      if (this.drain() > 0) last = monotonic();
      else nap(NAP);
    }
    for (; this.#firstCounted < this.#next; this.#firstCounted++) this.lost += this.#left[this.#firstCounted % RING];
    this.outstanding = 0;
  }

  /** Sends greetings from all members, until a message comes back to all of them. */
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

  /** Sends as fast as the server can take it: `window` messages are on their way all the time. */
  closedLoop(window: number, until: number): void {
    for (let last = monotonic(), at; (at = monotonic()) < until;) {
      if (this.outstanding < window) this.say(window - this.outstanding, at, 0);
      const got = this.drain();
      if (got > 0) last = at;
      else if (at - last > QUIET) this.settle();
      if (got < datagramSize.batch) nap(NAP); // a look at all sockets costs time, too; wait until more has arrived
    }
  }

  /** Sends at a fixed rate: a message every `interval` milliseconds, whatever has arrived. */
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

  /** Sends `count` datagrams to each of its own sockets, and returns the milliseconds that receiving them takes. */
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

/** Keeps the members in the room, and says something for each line of standard input, until standard input ends. */
async function hold([port, members]: number[]): Promise<void> {
  const crowd = new Crowd(port, members);
  crowd.register();
  const registered = crowd.copies;
  console.log(JSON.stringify({ members }));
  const draining = setInterval(() => crowd.drain(), 1);
  for await (const _ of Deno.stdin.readable) {
    const began = monotonic();
    crowd.lost = 0;
    crowd.say(1, began, 0);
    crowd.settle();
    console.log(JSON.stringify({ copies: members - crowd.lost, ms: monotonic() - began }));
  }
  clearInterval(draining);
  for (let last = monotonic(); monotonic() - last < QUIET; nap(NAP)) {
    if (crowd.drain() > 0) last = monotonic();
  }
  console.log(JSON.stringify({ copies: crowd.copies - registered, overflow: crowd.overflow }));
}

/** Measures how fast this program takes waiting datagrams from its sockets. */
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
