/**
 * Puts the events of the room in order, delivers each once, and requests the missing ones.
 *
 * @module
 */
import type { EventPacket } from "../packets.ts";
import type { RoundTrip } from "./round_trip.ts";

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
/** How many senders' streams are kept, to detect messages that are sent again after the server has lost its memory. */
const MAX_STREAMS = 4096;
/** How many missed ids of a stream are remembered, in case their messages are sent again: the latest ones noticed. */
const MAX_HOLES = 64;

/** The options of an {@linkcode EventFeed}. */
export interface EventFeedOptions {
  roundTrip: RoundTrip;
  /** Receives each item that can be shown. */
  deliver: (arrived: FeedItem) => void;
  /** Requests a range of events from the server. */
  request: (range: SeqRange) => void;
  /** Returns a number from 0 to 1; Math.random by default. */
  random?: () => number;
}

/** The receiving end of the room's events. */
export class EventFeed {
  readonly #roundTrip: RoundTrip;
  readonly #deliver: (arrived: FeedItem) => void;
  readonly #request: (range: SeqRange) => void;
  readonly #random: () => number;
  /** The events that came early, by seq; undefined for an event that is not to be shown. */
  readonly #early = new Map<number, EventPacket | undefined>();
  /** For each stream: the first and last id that were delivered, and the missed ids between them. */
  readonly #delivered = new Map<string, { first: number; last: number; holes: Set<number> }>();
  #epoch: string | undefined;
  #next = 1;
  #latest = 0;
  #missed = 0;
  #requestAt: number | undefined;
  /** Counts the requests for the back-off. */
  #attempts = 0;
  /** The latest seq that has been requested. */
  #requestedUpTo = 0;
  /** How many events were dropped because they had arrived before. */
  duplicates = 0;
  /** How many events were delivered. */
  received = 0;
  /** How many events arrived after they had been requested. */
  repaired = 0;
  /** How many events are lost for good. */
  lost = 0;

  constructor({ roundTrip, deliver, request, random = Math.random }: EventFeedOptions) {
    this.#roundTrip = roundTrip;
    this.#deliver = deliver;
    this.#request = request;
    this.#random = random;
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

  /** When {@linkcode wake} must be called next, in milliseconds; undefined when no event is missing. */
  get nextWake(): number | undefined {
    return this.#requestAt;
  }

  /** Begins another epoch with the events behind `seq`. The missing events of the epoch before are lost. */
  begin(epoch: string, seq: number): void {
    this.#endEpoch();
    this.#epoch = epoch;
    this.#next = seq + 1;
    this.#latest = seq;
    this.#requestedUpTo = seq;
  }

  /** Notes that the server's latest event has this seq. Missing events up to it will be requested. */
  noteLatest(epoch: string, seq: number, now: number): void {
    if (epoch !== this.#epoch || seq <= this.#latest) return;
    this.#latest = seq;
    this.#scheduleRequest(now);
  }

  /** Takes an event; undefined stands for an event that is not to be shown. */
  take(epoch: string, seq: number, event: EventPacket | undefined, now: number): void {
    if (epoch !== this.#epoch) return;
    if (seq < this.#next || this.#early.has(seq)) {
      this.duplicates++;
      return;
    }
    this.#latest = Math.max(this.#latest, seq);
    if (seq < this.#next + MAX_EARLY) {
      if (seq <= this.#requestedUpTo) this.repaired++;
      this.#early.set(seq, event);
      // datagrams of the server arrive, so the long back-off after earlier failures is not needed any more
      this.#attempts = Math.min(this.#attempts, 1);
      this.#deliverReady();
    }
    this.#scheduleRequest(now);
  }

  /** Skips a range of events that the server does not keep any more. */
  markGone(epoch: string, { from, to }: SeqRange, now: number): void {
    if (epoch !== this.#epoch || from > this.#next || to < this.#next || to > this.#latest) return;
    // skip from one early event to the next: a hostile server can name a range that takes years to count one by one
    for (const seq of [...this.#early.keys()].filter((seq) => seq <= to).sort((a, b) => a - b)) {
      this.#skipTo(seq);
      this.#deliverNext();
      this.#next++;
    }
    this.#skipTo(to + 1);
    this.#deliverReady();
    this.#reportMissed();
    this.#scheduleRequest(now);
  }

  /** Requests the missing events when a request is due. */
  wake(now: number): void {
    if (this.#requestAt === undefined || this.#requestAt > now) return;
    for (const range of this.#findGaps()) {
      this.#request(range);
      this.#requestedUpTo = Math.max(this.#requestedUpTo, range.to);
    }
    this.#attempts++;
    this.#requestAt = now + this.#roundTrip.timeout(this.#attempts) * (0.75 + 0.5 * this.#random());
  }

  #skipTo(seq: number): void {
    this.#missed += seq - this.#next;
    this.#next = seq;
  }

  #deliverReady(): void {
    const before = this.#next;
    while (this.#early.has(this.#next)) {
      this.#deliverNext();
      this.#next++;
    }
    if (this.#next > before) this.#attempts = Math.min(this.#attempts, 1);
  }

  #deliverNext(): void {
    this.#reportMissed();
    const event = this.#early.get(this.#next);
    this.#early.delete(this.#next);
    if (event && !this.#wasDeliveredBefore(event)) {
      this.received++;
      this.#deliver({ event });
    }
  }

  #reportMissed(): void {
    if (this.#missed === 0) return;
    this.lost += this.#missed;
    this.#deliver({ missed: this.#missed });
    this.#missed = 0;
  }

  /** Ends the current epoch: delivers the events that have arrived, and counts the others as lost. */
  #endEpoch(): void {
    const missing = this.backlog - this.#early.size;
    for (const seq of [...this.#early.keys()].sort((a, b) => a - b)) {
      this.#next = seq;
      this.#deliverNext();
    }
    if (this.#epoch !== undefined) this.#missed += missing;
    this.#reportMissed();
    this.#requestAt = undefined;
    this.#attempts = 0;
  }

  /**
   * Whether a message was delivered before under another seq. This happens when its sender sends it again to a server
   * that has lost its memory. The sender's address is part of the key, so that nobody can disturb another's stream.
   */
  #wasDeliveredBefore(event: EventPacket): boolean {
    if (event.type !== "INCOMING" || event.stream === undefined || event.id === undefined) return false;
    const key = `${event.from} ${event.stream}`;
    const { id } = event;
    const ids = this.#delivered.get(key) ?? { first: id, last: id - 1, holes: new Set() };
    if (id >= ids.first && id <= ids.last && !ids.holes.delete(id)) {
      this.duplicates++;
      return true;
    }
    // all ids between this one and the delivered ones were missed
    for (let hole = Math.max(ids.last + 1, id - MAX_HOLES); hole < id; hole++) ids.holes.add(hole);
    for (let hole = Math.min(ids.first - 1, id + MAX_HOLES); hole > id; hole--) ids.holes.add(hole);
    for (const hole of ids.holes) {
      if (ids.holes.size <= MAX_HOLES) break;
      ids.holes.delete(hole);
    }
    ids.first = Math.min(ids.first, id);
    ids.last = Math.max(ids.last, id);
    this.#delivered.delete(key);
    this.#delivered.set(key, ids);
    if (this.#delivered.size > MAX_STREAMS) this.#delivered.delete(this.#delivered.keys().next().value!);
    return false;
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
