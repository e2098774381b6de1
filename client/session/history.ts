/**
 * Asks the server for past messages, as far as it still has them.
 *
 * @module
 */
import type { EventPacket } from "../../protocol.ts";
import type { SeqRange } from "../../protocol/reliable/event_feed.ts";
import type { RoundTrip } from "../../protocol/reliable/round_trip.ts";

/** How many events are asked for at once. */
const PAGE = 100;
/** How long the events of one page are waited for, in milliseconds. */
const DEADLINE_MS = 5000;

/** What the history needs from the session. */
export interface HistoryOptions {
  roundTrip: RoundTrip;
  request: (range: SeqRange) => void;
  /** Takes the messages in order; `missing` events were neither sent by the server nor reported as gone. */
  done: (messages: EventPacket[], missing: number) => void;
}

/** Asks for past messages, one request at a time: from the latest event back, until enough messages are found. */
export class History {
  readonly #options: HistoryOptions;
  /** What is known of the page: "gone" if the server no longer has the event, "unshown" if it is not shown here. */
  readonly #found = new Map<number, EventPacket | "gone" | "unshown">();
  /** The messages of the pages that have been read, the latest first. */
  readonly #messages: EventPacket[] = [];
  #wantedMessages = 0;
  /** The page that is asked for; undefined while there is no request. */
  #page: SeqRange | undefined;
  #timesAsked = 0;
  #dueAt = 0;
  #askedAt = 0;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** Whether a request waits for its answer. */
  get isOpen(): boolean {
    return this.#page !== undefined;
  }

  get nextWake(): number | undefined {
    return this.#page && Math.min(this.#dueAt, this.#askedAt + DEADLINE_MS);
  }

  /** When the current or last page was first asked for, in milliseconds. */
  get askedAt(): number {
    return this.#askedAt;
  }

  /** Asks for the last `length` messages up to the event with seq `to`. */
  ask(length: number, to: number, now: number): void {
    this.cancel();
    this.#wantedMessages = length;
    this.#askForPage(to, now);
  }

  /** Takes an event that may be one of those that were asked for. */
  take(event: EventPacket, now: number): void {
    if (!this.#page || event.seq < this.#page.from || event.seq > this.#page.to) return;
    this.#found.set(event.seq, event);
    this.#goOnIfComplete(now);
  }

  /** Takes note that the server no longer has these events. */
  markGone({ from, to }: SeqRange, now: number): void {
    if (!this.#page) return;
    for (let seq = Math.max(from, this.#page.from); seq <= Math.min(to, this.#page.to); seq++) {
      this.#found.set(seq, "gone");
    }
    this.#goOnIfComplete(now);
  }

  /**
   * Takes note of an event that exists but is not shown here: it is this client's own message, and the server sends no
   * echo.
   */
  markUnshown(seq: number, now: number): void {
    if (!this.#page || seq < this.#page.from || seq > this.#page.to) return;
    this.#found.set(seq, "unshown");
    this.#goOnIfComplete(now);
  }

  /** Drops the request and what was found so far. */
  cancel(): void {
    this.#page = undefined;
    this.#found.clear();
    this.#messages.length = 0;
  }

  wake(now: number): void {
    if (!this.#page) return;
    if (now >= this.#askedAt + DEADLINE_MS) return this.#end(this.#page);
    if (now < this.#dueAt) return;
    this.#dueAt = now + this.#options.roundTrip.timeout(++this.#timesAsked);
    const { from, to } = this.#page;
    // one range from the first missing event to the last: to ask for a few twice is cheaper than to ask often
    let first = from, last = to;
    while (this.#found.has(first)) first++;
    while (this.#found.has(last)) last--;
    this.#options.request({ from: first, to: last });
  }

  #askForPage(to: number, now: number): void {
    this.#page = { from: Math.max(1, to - PAGE + 1), to };
    this.#timesAsked = 0;
    this.#dueAt = now;
    this.#askedAt = now;
    this.wake(now);
  }

  #goOnIfComplete(now: number): void {
    const page = this.#page!;
    if (this.#found.size < page.to - page.from + 1) return;
    // arrivals and departures have sequence numbers too, so a page may contain few messages
    const isOldestPage = page.from === 1 || this.#found.get(page.from) === "gone";
    this.#collect(page);
    if (isOldestPage || this.#messages.length >= this.#wantedMessages) this.#end();
    else this.#askForPage(page.from - 1, now);
  }

  #collect({ from, to }: SeqRange): void {
    for (let seq = to; seq >= from; seq--) {
      const event = this.#found.get(seq);
      if (typeof event === "object" && event.type === "INCOMING") this.#messages.push(event);
    }
    this.#found.clear();
  }

  /** Ends the request and passes on what was found, including the part of an incomplete `page` that has arrived. */
  #end(page?: SeqRange): void {
    const missing = page ? page.to - page.from + 1 - this.#found.size : 0;
    if (page) this.#collect(page);
    const messages = this.#messages.slice(0, this.#wantedMessages).reverse();
    this.cancel();
    this.#options.done(messages, missing);
  }
}
