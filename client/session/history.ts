/**
 * Asks the server for past messages, as far as it still has them.
 *
 * @module
 */
import type { EventPacket } from "../../protocol.ts";
import type { SeqRange } from "../../protocol/reliable/requested_ranges.ts";
import { Retry } from "../../protocol/reliable/retry.ts";
import type { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import type { Fact, Timed } from "./facts.ts";

/** How many events are asked for at once. */
const PAGE = 100;
/** How long the events of one page are waited for, in milliseconds. */
const DEADLINE_MS = 5000;

/** The link through which the history asks. */
export interface HistoryLink {
  readonly roundTrip: RoundTrip;
  request(range: SeqRange): void;
}

/** Asks for past messages, one request at a time: from the latest event back, until enough messages are found. */
export class History implements Timed {
  readonly #link: HistoryLink;
  /** What is known of the page: "gone" if the server no longer has the event, "unshown" if it is not shown here. */
  readonly #found = new Map<number, EventPacket | "gone" | "unshown">();
  /** The messages of the pages that have been read, the latest first. */
  readonly #messages: EventPacket[] = [];
  #wantedMessages = 0;
  /** The page that is asked for; undefined while there is no request. */
  #page: SeqRange | undefined;
  readonly #retry = new Retry();
  #askedAt = 0;

  constructor(link: HistoryLink) {
    this.#link = link;
  }

  /** Whether a request waits for its answer. */
  get isOpen(): boolean {
    return this.#page !== undefined;
  }

  get nextWake(): number | undefined {
    return this.#page && Math.min(this.#retry.dueAt!, this.#askedAt + DEADLINE_MS);
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
  take(event: EventPacket, now: number): Fact[] {
    return this.#note(event.seq, event, now);
  }

  /** Takes note that the server no longer has these events. */
  markGone({ from, to }: SeqRange, now: number): Fact[] {
    if (!this.#page) return [];
    for (let seq = Math.max(from, this.#page.from); seq <= Math.min(to, this.#page.to); seq++) {
      this.#found.set(seq, "gone");
    }
    return this.#goOnIfComplete(now);
  }

  /**
   * Takes note of an event that exists but is not shown here: it is this client's own message, and the server sends no
   * echo.
   */
  markUnshown(seq: number, now: number): Fact[] {
    return this.#note(seq, "unshown", now);
  }

  /** Drops the request and what was found so far. */
  cancel(): void {
    this.#page = undefined;
    this.#found.clear();
    this.#messages.length = 0;
  }

  wake(now: number): Fact[] {
    if (this.#page && now >= this.#askedAt + DEADLINE_MS) return this.#end(this.#page);
    this.#requestIfDue(now);
    return [];
  }

  #note(seq: number, what: EventPacket | "unshown", now: number): Fact[] {
    if (!this.#page || seq < this.#page.from || seq > this.#page.to) return [];
    this.#found.set(seq, what);
    return this.#goOnIfComplete(now);
  }

  #requestIfDue(now: number): void {
    if (!this.#page || !this.#retry.isDue(now)) return;
    this.#retry.tried(now + this.#link.roundTrip.timeout(this.#retry.times + 1));
    const { from, to } = this.#page;
    // one range from the first missing event to the last: to ask for a few twice is cheaper than to ask often
    let first = from, last = to;
    while (this.#found.has(first)) first++;
    while (this.#found.has(last)) last--;
    this.#link.request({ from: first, to: last });
  }

  #askForPage(to: number, now: number): void {
    this.#page = { from: Math.max(1, to - PAGE + 1), to };
    this.#retry.start(now);
    this.#askedAt = now;
    this.#requestIfDue(now);
  }

  #goOnIfComplete(now: number): Fact[] {
    const page = this.#page!;
    if (this.#found.size < page.to - page.from + 1) return [];
    // arrivals and departures have sequence numbers too, so a page may contain few messages
    const isOldestPage = page.from === 1 || this.#found.get(page.from) === "gone";
    this.#collect(page);
    if (isOldestPage || this.#messages.length >= this.#wantedMessages) return this.#end();
    this.#askForPage(page.from - 1, now);
    return [];
  }

  #collect({ from, to }: SeqRange): void {
    for (let seq = to; seq >= from; seq--) {
      const event = this.#found.get(seq);
      const isSaid = typeof event === "object" && (event.type === "INCOMING" || event.type === "NOTICE");
      if (isSaid) this.#messages.push(event);
    }
    this.#found.clear();
  }

  /** Ends the request and returns what was found, including the part of an incomplete `page` that has arrived. */
  #end(page?: SeqRange): Fact[] {
    const missing = page ? page.to - page.from + 1 - this.#found.size : 0;
    if (page) this.#collect(page);
    const messages = this.#messages.slice(0, this.#wantedMessages).reverse();
    this.cancel();
    return [{ type: "history", messages, missing }];
  }
}
