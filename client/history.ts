/**
 * What was said before this client came, as far as the server still has it.
 *
 * @module
 */
import type { EventPacket } from "../protocol.ts";
import type { Range } from "./inbox.ts";
import type { RoundTrip } from "./round_trip.ts";

/** The most events that are asked for at once. */
export const MAX_HISTORY = 100;
/** How long the answer is waited for, in milliseconds. */
const DEADLINE_MS = 5000;

/** What asking for the past needs of the session. */
export interface HistoryOptions {
  roundTrip: RoundTrip;
  request: (range: Range) => void;
  /** Takes the events in order, and how many the server neither sent nor said to be gone. */
  done: (events: EventPacket[], missing: number) => void;
}

/** One look into the past at a time. */
export class History {
  readonly #options: HistoryOptions;
  readonly #found = new Map<number, EventPacket | undefined>();
  #wanted: Range | undefined;
  #times = 0;
  #dueAt = 0;
  #giveUpAt = 0;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** Whether an answer is waited for. */
  get isOpen(): boolean {
    return this.#wanted !== undefined;
  }

  get nextWake(): number | undefined {
    return this.#wanted && Math.min(this.#dueAt, this.#giveUpAt);
  }

  /** Asks for the events of a range. */
  ask(range: Range, now: number): void {
    this.#wanted = range;
    this.#found.clear();
    this.#times = 0;
    this.#dueAt = now;
    this.#giveUpAt = now + DEADLINE_MS;
    this.wake(now);
  }

  /** Takes an event that may be one of those that were asked for. */
  take(event: EventPacket): void {
    if (!this.#wanted || event.seq < this.#wanted.from || event.seq > this.#wanted.to) return;
    this.#found.set(event.seq, event);
    this.#endIfComplete();
  }

  /** The server has these events no more. */
  gone({ from, to }: Range): void {
    if (!this.#wanted) return;
    for (let seq = Math.max(from, this.#wanted.from); seq <= Math.min(to, this.#wanted.to); seq++) {
      this.#found.set(seq, undefined);
    }
    this.#endIfComplete();
  }

  /** Forgets what was asked: the server has begun anew, with another past. */
  cancel(): void {
    this.#wanted = undefined;
    this.#found.clear();
  }

  wake(now: number): void {
    if (!this.#wanted) return;
    if (now >= this.#giveUpAt) return this.#end();
    if (now < this.#dueAt) return;
    this.#dueAt = now + this.#options.roundTrip.timeout(++this.#times);
    const { from, to } = this.#wanted;
    // from the first to the last that is missing: asking for a few twice is cheaper than asking often
    let first = from, last = to;
    while (this.#found.has(first)) first++;
    while (this.#found.has(last)) last--;
    this.#options.request({ from: first, to: last });
  }

  #endIfComplete(): void {
    const { from, to } = this.#wanted!;
    if (this.#found.size === to - from + 1) this.#end();
  }

  #end(): void {
    const { from, to } = this.#wanted!;
    const missing = to - from + 1 - this.#found.size;
    const events: EventPacket[] = [];
    for (let seq = from; seq <= to; seq++) {
      const event = this.#found.get(seq);
      if (event) events.push(event);
    }
    this.cancel();
    this.#options.done(events, missing);
  }
}
