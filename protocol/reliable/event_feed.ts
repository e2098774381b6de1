/**
 * Puts the events of the room in order, delivers each once, and requests the missing ones.
 *
 * @module
 */
import type { EventPacket } from "../packets.ts";
import type { RoundTrip } from "./round_trip.ts";
import { type StreamMessage, StreamOrder } from "./stream_order.ts";

/** What the feed delivers, in the order of the room: an event, or the number of missed events. */
export type FeedItem = { event: EventPacket } | { missed: number };

/** A range of seqs, both ends included. */
export interface SeqRange {
  from: number;
  to: number;
}

/** How many early events are held. Of events further ahead, only the latest seq is remembered. */
const MAX_EARLY = 2048;
/** The longest random pause before the first request, in milliseconds: a missing event may only be late. */
const MAX_FIRST_PAUSE_MS = 30;
/** How many ranges are requested at once. */
const MAX_RANGES = 8;

/** The options of an {@linkcode EventFeed}. */
export interface EventFeedOptions {
  roundTrip: RoundTrip;
  /** Returns a number from 0 to 1; Math.random by default. */
  random?: () => number;
}

/** What is due at a time: what can be shown, and what is to be requested from the server. */
export interface FeedWork {
  items: FeedItem[];
  requests: SeqRange[];
}

/** The receiving end of the room's events. Its methods return what can be shown now, in order. */
export class EventFeed {
  readonly #roundTrip: RoundTrip;
  readonly #random: () => number;
  /** The events that came early, by seq; undefined for an event that is not to be shown. */
  readonly #early = new Map<number, EventPacket | undefined>();
  readonly #order = new StreamOrder();
  #epoch: string | undefined;
  #next = 1;
  #latest = 0;
  #missed = 0;
  #requestAt: number | undefined;
  /** Counts the requests for the back-off. */
  #attempts = 0;
  /** The latest seq that has been requested. */
  #requestedUpTo = 0;
  #duplicates = 0;
  /** How many events were delivered. */
  received = 0;
  /** How many events arrived after they had been requested. */
  repaired = 0;
  /** How many events are lost for good. */
  lost = 0;

  constructor({ roundTrip, random = Math.random }: EventFeedOptions) {
    this.#roundTrip = roundTrip;
    this.#random = random;
  }

  /** How many events were dropped because they had arrived before. */
  get duplicates(): number {
    return this.#duplicates + this.#order.duplicates;
  }

  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** The seq of the next event to deliver. */
  get next(): number {
    return this.#next;
  }

  /** How many events are known to be missing or wait for a missing one. */
  get backlog(): number {
    return this.#latest - this.#next + 1;
  }

  /** How many messages of an epoch that has ended are held back for an earlier one of their sender. */
  get heldCount(): number {
    return this.#order.heldCount;
  }

  /** When {@linkcode wake} must be called next, in milliseconds; undefined when nothing is missing or held back. */
  get nextWake(): number | undefined {
    const expiry = this.#order.nextWake;
    return this.#requestAt === undefined ? expiry : Math.min(this.#requestAt, expiry ?? Infinity);
  }

  /** Begins another epoch with the events behind `seq`. The missing events of the epoch before are lost. */
  begin(epoch: string, seq: number, now: number): FeedItem[] {
    const items = this.#endEpoch(now);
    this.#epoch = epoch;
    this.#next = seq + 1;
    this.#latest = seq;
    this.#requestedUpTo = seq;
    return items;
  }

  /** Notes that the server's latest event has this seq. Missing events up to it will be requested. */
  noteLatest(epoch: string, seq: number, now: number): void {
    if (epoch !== this.#epoch || seq <= this.#latest) return;
    this.#latest = seq;
    this.#scheduleRequest(now);
  }

  /** Counts an event that was dropped elsewhere because it had arrived before. */
  noteDuplicate(): void {
    this.#duplicates++;
  }

  /** Takes an event; undefined stands for an event that is not to be shown. */
  take(epoch: string, seq: number, event: EventPacket | undefined, now: number): FeedItem[] {
    if (epoch !== this.#epoch) return [];
    if (seq < this.#next || this.#early.has(seq)) {
      this.#duplicates++;
      return [];
    }
    const items: FeedItem[] = [];
    this.#latest = Math.max(this.#latest, seq);
    if (seq < this.#next + MAX_EARLY) {
      if (seq <= this.#requestedUpTo) this.repaired++;
      this.#early.set(seq, event);
      // datagrams of the server arrive, so the long back-off after earlier failures is not needed any more
      this.#attempts = Math.min(this.#attempts, 1);
      this.#deliverReady(items);
    }
    this.#scheduleRequest(now);
    return items;
  }

  /** Skips a range of events that the server does not keep any more. */
  markGone(epoch: string, { from, to }: SeqRange, now: number): FeedItem[] {
    if (epoch !== this.#epoch || from > this.#next || to < this.#next || to > this.#latest) return [];
    const items: FeedItem[] = [];
    // skip from one early event to the next: a hostile server can name a range that takes years to count one by one
    for (const seq of [...this.#early.keys()].filter((seq) => seq <= to).sort((a, b) => a - b)) {
      this.#skipTo(seq);
      this.#deliverNext(items);
      this.#next++;
    }
    this.#skipTo(to + 1);
    this.#deliverReady(items);
    this.#reportMissed(items);
    this.#scheduleRequest(now);
    return items;
  }

  /** Does what is due: returns the missing events that are to be requested, and messages that were held for long enough. */
  wake(now: number): FeedWork {
    const items = this.#countShown(this.#order.takeExpired(now));
    if (this.#requestAt === undefined || this.#requestAt > now) return { items, requests: [] };
    const requests = this.#findGaps();
    this.#requestedUpTo = Math.max(this.#requestedUpTo, ...requests.map(({ to }) => to));
    this.#attempts++;
    this.#requestAt = now + this.#roundTrip.timeout(this.#attempts) * (0.75 + 0.5 * this.#random());
    return { items, requests };
  }

  #skipTo(seq: number): void {
    this.#missed += seq - this.#next;
    this.#next = seq;
  }

  #deliverReady(items: FeedItem[]): void {
    const before = this.#next;
    while (this.#early.has(this.#next)) {
      this.#deliverNext(items);
      this.#next++;
    }
    if (this.#next > before) this.#attempts = Math.min(this.#attempts, 1);
  }

  #deliverNext(items: FeedItem[]): void {
    this.#reportMissed(items);
    const event = this.#early.get(this.#next);
    this.#early.delete(this.#next);
    if (event) items.push(...this.#countShown(isOfStream(event) ? this.#order.take(event) : [event]));
  }

  #reportMissed(items: FeedItem[]): void {
    if (this.#missed === 0) return;
    this.lost += this.#missed;
    items.push({ missed: this.#missed });
    this.#missed = 0;
  }

  /** Ends the current epoch: delivers the events that have arrived, and counts the others as lost. */
  #endEpoch(now: number): FeedItem[] {
    const items: FeedItem[] = [];
    if (this.#epoch !== undefined) this.#missed += this.backlog - this.#early.size;
    for (const [, event] of [...this.#early].sort(([a], [b]) => a - b)) {
      if (event) items.push(...this.#countShown(isOfStream(event) ? this.#order.takeEarly(event, now) : [event]));
    }
    this.#early.clear();
    this.#reportMissed(items);
    this.#requestAt = undefined;
    this.#attempts = 0;
    return items;
  }

  #countShown(events: EventPacket[]): FeedItem[] {
    this.received += events.length;
    return events.map((event) => ({ event }));
  }

  #scheduleRequest(now: number): void {
    if (this.backlog <= 0) {
      this.#requestAt = undefined;
      this.#attempts = 0;
    } else {
      this.#requestAt ??= now + this.#random() * MAX_FIRST_PAUSE_MS;
    }
  }

  /** The first gaps, at most {@linkcode MAX_RANGES}. */
  #findGaps(): SeqRange[] {
    const ranges: SeqRange[] = [];
    const end = Math.min(this.#latest, this.#next + MAX_EARLY - 1);
    for (let seq = this.#next; seq <= end; seq++) {
      if (this.#early.has(seq)) continue;
      const last = ranges.at(-1);
      if (last?.to === seq - 1) last.to = seq;
      else if (ranges.length === MAX_RANGES) break;
      else ranges.push({ from: seq, to: seq });
    }
    return ranges;
  }
}

function isOfStream(event: EventPacket): event is StreamMessage {
  return event.type === "INCOMING" && event.stream !== undefined && event.id !== undefined;
}
