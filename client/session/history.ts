/**
 * What was said before this client came, as far as the server still has it.
 *
 * @module
 */
import type { EventPacket } from "../../protocol.ts";
import type { SeqRange } from "../../protocol/reliable/event_feed.ts";
import type { RoundTrip } from "../../protocol/reliable/round_trip.ts";

/** How many events are asked for at once. */
const PAGE = 100;
/** How long each of the answers is waited for, in milliseconds. */
const DEADLINE_MS = 5000;

/** What asking for the past needs of the session. */
export interface HistoryOptions {
  roundTrip: RoundTrip;
  request: (range: SeqRange) => void;
  /** Takes the messages in order, and how many events the server neither sent nor said to be gone. */
  done: (messages: EventPacket[], missing: number) => void;
}

/** One look into the past at a time: from the latest event back, until enough messages are found. */
export class History {
  readonly #options: HistoryOptions;
  /** What is known of the page: "gone" where the server has the event no more, "silent" where it shows nothing. */
  readonly #found = new Map<number, EventPacket | "gone" | "silent">();
  /** The messages of the pages that have been read, the latest first. */
  readonly #messages: EventPacket[] = [];
  #length = 0;
  #wanted: SeqRange | undefined;
  #times = 0;
  #dueAt = 0;
  #askedAt = 0;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** Whether an answer is waited for. */
  get isOpen(): boolean {
    return this.#wanted !== undefined;
  }

  get nextWake(): number | undefined {
    return this.#wanted && Math.min(this.#dueAt, this.#askedAt + DEADLINE_MS);
  }

  /** When a page was last begun to be asked for, in milliseconds. */
  get askedAt(): number {
    return this.#askedAt;
  }

  /** Asks for the last `length` messages up to the event with seq `to`. */
  ask(length: number, to: number, now: number): void {
    this.cancel();
    this.#length = length;
    this.#askForPage(to, now);
  }

  /** Takes an event that may be one of those that were asked for. */
  take(event: EventPacket, now: number): void {
    if (!this.#wanted || event.seq < this.#wanted.from || event.seq > this.#wanted.to) return;
    this.#found.set(event.seq, event);
    this.#goOnIfComplete(now);
  }

  /** The server has these events no more. */
  markGone({ from, to }: SeqRange, now: number): void {
    if (!this.#wanted) return;
    for (let seq = Math.max(from, this.#wanted.from); seq <= Math.min(to, this.#wanted.to); seq++) {
      this.#found.set(seq, "gone");
    }
    this.#goOnIfComplete(now);
  }

  /** The event with this seq is there, but is not to be shown here: one's own message, where the server sends no echo. */
  markUnshown(seq: number, now: number): void {
    if (!this.#wanted || seq < this.#wanted.from || seq > this.#wanted.to) return;
    this.#found.set(seq, "silent");
    this.#goOnIfComplete(now);
  }

  /** Forgets what was asked: the server has begun anew, with another past. */
  cancel(): void {
    this.#wanted = undefined;
    this.#found.clear();
    this.#messages.length = 0;
  }

  wake(now: number): void {
    if (!this.#wanted) return;
    if (now >= this.#askedAt + DEADLINE_MS) return this.#end(this.#wanted);
    if (now < this.#dueAt) return;
    this.#dueAt = now + this.#options.roundTrip.timeout(++this.#times);
    const { from, to } = this.#wanted;
    // from the first to the last that is missing: asking for a few twice is cheaper than asking often
    let first = from, last = to;
    while (this.#found.has(first)) first++;
    while (this.#found.has(last)) last--;
    this.#options.request({ from: first, to: last });
  }

  #askForPage(to: number, now: number): void {
    this.#wanted = { from: Math.max(1, to - PAGE + 1), to };
    this.#times = 0;
    this.#dueAt = now;
    this.#askedAt = now;
    this.wake(now);
  }

  #goOnIfComplete(now: number): void {
    const page = this.#wanted!;
    if (this.#found.size < page.to - page.from + 1) return;
    // arrivals and departures have their places on the number line too, so a page may bring few messages
    const isTheBeginning = page.from === 1 || this.#found.get(page.from) === "gone";
    this.#collect(page);
    if (isTheBeginning || this.#messages.length >= this.#length) this.#end();
    else this.#askForPage(page.from - 1, now);
  }

  #collect({ from, to }: SeqRange): void {
    for (let seq = to; seq >= from; seq--) {
      const event = this.#found.get(seq);
      if (typeof event === "object" && event.type === "INCOMING") this.#messages.push(event);
    }
    this.#found.clear();
  }

  /** Gives what was found; of a page that is not complete, what there is of it. */
  #end(page?: SeqRange): void {
    const missing = page ? page.to - page.from + 1 - this.#found.size : 0;
    if (page) this.#collect(page);
    const messages = this.#messages.slice(0, this.#length).reverse();
    this.cancel();
    this.#options.done(messages, missing);
  }
}
