/**
 * What happened in the room, put in order: each event once, the missing ones asked for again.
 *
 * @module
 */
import type { EventPacket } from "../packets.ts";
import type { RoundTrip } from "./round_trip.ts";

/** What the inbox gives, in the order of the room. */
export type FeedItem = { event: EventPacket } | { missed: number };

/** A range of seqs, both ends included. */
export interface SeqRange {
  from: number;
  to: number;
}

/** How many early events are held; of those further ahead only the latest seq is remembered. */
const MAX_EARLY = 2048;
/** The longest random pause before the first request for what is missing, in milliseconds: it may only be late. */
const MAX_FIRST_PAUSE_MS = 30;
/** How many ranges are asked for at once. */
const MAX_RANGES = 8;
/** How many senders' streams are remembered, to know a message that was said again after the server lost its memory. */
const MAX_STREAMS = 4096;
/** How many missed ids of a stream are remembered, in case they are said again: the latest that were noticed. */
const MAX_HOLES = 64;

/** How an inbox is made. */
export interface EventFeedOptions {
  roundTrip: RoundTrip;
  /** Takes what can be shown. */
  give: (arrived: FeedItem) => void;
  /** Asks the server for a range of events. */
  request: (range: SeqRange) => void;
  /** A number from 0 to 1; Math.random unless told otherwise. */
  random?: () => number;
}

/** The receiving end of the room's number line. */
export class EventFeed {
  readonly #roundTrip: RoundTrip;
  readonly #give: (arrived: FeedItem) => void;
  readonly #request: (range: SeqRange) => void;
  readonly #random: () => number;
  /** Events that came before their turn; undefined where there is nothing to show. */
  readonly #early = new Map<number, EventPacket | undefined>();
  /** Of each stream the first and last id that were given, and those between that were missed. */
  readonly #seen = new Map<string, { first: number; last: number; holes: Set<number> }>();
  #epoch: string | undefined;
  #next = 1;
  #latest = 0;
  #missed = 0;
  #askAt: number | undefined;
  #asked = 0;
  /** The latest seq that has been asked for. */
  #askedUpTo = 0;
  /** How many events came that were here already. */
  duplicates = 0;
  /** How many events were given, how many of them after they had been asked for, and how many are lost for good. */
  received = 0;
  repaired = 0;
  lost = 0;

  constructor({ roundTrip, give, request, random = Math.random }: EventFeedOptions) {
    this.#roundTrip = roundTrip;
    this.#give = give;
    this.#request = request;
    this.#random = random;
  }

  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** The seq of the next event to give. */
  get next(): number {
    return this.#next;
  }

  /** How many events are known to be missing or wait for a missing one. */
  get behind(): number {
    return this.#latest - this.#next + 1;
  }

  /** When {@linkcode wake} wants to be called, in milliseconds. */
  get nextWake(): number | undefined {
    return this.#askAt;
  }

  /** Begins with the events behind `seq` in another epoch; what was missing of the last one is lost. */
  begin(epoch: string, seq: number): void {
    this.#flush();
    this.#epoch = epoch;
    this.#next = seq + 1;
    this.#latest = seq;
    this.#askedUpTo = seq;
  }

  /** The server's latest event has this seq: what is missing up to it will be asked for. */
  noteLatest(epoch: string, seq: number, now: number): void {
    if (epoch !== this.#epoch || seq <= this.#latest) return;
    this.#latest = seq;
    this.#schedule(now);
  }

  /** Takes an event; undefined stands for one that is not to be shown. */
  take(epoch: string, seq: number, event: EventPacket | undefined, now: number): void {
    if (epoch !== this.#epoch) return;
    if (seq < this.#next || this.#early.has(seq)) {
      this.duplicates++;
      return;
    }
    this.#latest = Math.max(this.#latest, seq);
    if (seq < this.#next + MAX_EARLY) {
      if (seq <= this.#askedUpTo) this.repaired++;
      this.#early.set(seq, event);
      // the way is open, so what is missing need not be waited for as long as after a row of failures
      this.#asked = Math.min(this.#asked, 1);
      this.#giveReady();
    }
    this.#schedule(now);
  }

  /** The server has these events no more. */
  markGone(epoch: string, { from, to }: SeqRange, now: number): void {
    if (epoch !== this.#epoch || from > this.#next || to < this.#next || to > this.#latest) return;
    // from one early event to the next: counting one by one would take years where a hostile server names the range
    for (const seq of [...this.#early.keys()].filter((seq) => seq <= to).sort((a, b) => a - b)) {
      this.#skipTo(seq);
      this.#giveNext();
      this.#next++;
    }
    this.#skipTo(to + 1);
    this.#giveReady();
    this.#tellMissed();
    this.#schedule(now);
  }

  /** Asks for what is missing, if it is time to. */
  wake(now: number): void {
    if (this.#askAt === undefined || this.#askAt > now) return;
    for (const range of this.#missing()) {
      this.#request(range);
      this.#askedUpTo = Math.max(this.#askedUpTo, range.to);
    }
    this.#asked++;
    this.#askAt = now + this.#roundTrip.timeout(this.#asked) * (0.75 + 0.5 * this.#random());
  }

  #skipTo(seq: number): void {
    this.#missed += seq - this.#next;
    this.#next = seq;
  }

  #giveReady(): void {
    const before = this.#next;
    while (this.#early.has(this.#next)) {
      this.#giveNext();
      this.#next++;
    }
    if (this.#next > before) this.#asked = Math.min(this.#asked, 1);
  }

  #giveNext(): void {
    this.#tellMissed();
    const event = this.#early.get(this.#next);
    this.#early.delete(this.#next);
    if (event && !this.#saidBefore(event)) {
      this.received++;
      this.#give({ event });
    }
  }

  #tellMissed(): void {
    if (this.#missed === 0) return;
    this.lost += this.#missed;
    this.#give({ missed: this.#missed });
    this.#missed = 0;
  }

  /** Gives what is here and counts what is not, because the epoch that it belongs to is over. */
  #flush(): void {
    const missing = this.behind - this.#early.size;
    for (const seq of [...this.#early.keys()].sort((a, b) => a - b)) {
      this.#next = seq;
      this.#giveNext();
    }
    if (this.#epoch !== undefined) this.#missed += missing;
    this.#tellMissed();
    this.#askAt = undefined;
    this.#asked = 0;
  }

  /**
   * Whether a message was given before, under another seq: its sender said it again to a server that had lost its
   * memory. The sender's address is part of the key, so that nobody can spoil another's stream.
   */
  #saidBefore(event: EventPacket): boolean {
    if (event.type !== "INCOMING" || event.stream === undefined || event.id === undefined) return false;
    const key = `${event.from} ${event.stream}`;
    const { id } = event;
    const seen = this.#seen.get(key) ?? { first: id, last: id - 1, holes: new Set() };
    if (id >= seen.first && id <= seen.last && !seen.holes.delete(id)) {
      this.duplicates++;
      return true;
    }
    // whatever lies between this id and those that were given was missed
    for (let hole = Math.max(seen.last + 1, id - MAX_HOLES); hole < id; hole++) seen.holes.add(hole);
    for (let hole = Math.min(seen.first - 1, id + MAX_HOLES); hole > id; hole--) seen.holes.add(hole);
    for (const hole of seen.holes) {
      if (seen.holes.size <= MAX_HOLES) break;
      seen.holes.delete(hole);
    }
    seen.first = Math.min(seen.first, id);
    seen.last = Math.max(seen.last, id);
    this.#seen.delete(key);
    this.#seen.set(key, seen);
    if (this.#seen.size > MAX_STREAMS) this.#seen.delete(this.#seen.keys().next().value!);
    return false;
  }

  #schedule(now: number): void {
    if (this.behind <= 0) {
      this.#askAt = undefined;
      this.#asked = 0;
    } else {
      this.#askAt ??= now + this.#random() * MAX_FIRST_PAUSE_MS;
    }
  }

  /** The first gaps. */
  #missing(): SeqRange[] {
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
