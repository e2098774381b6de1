/**
 * Puts the events of the room in order, delivers each once, and requests the missing ones.
 *
 * @module
 */
import { earliest } from "../earliest.ts";
import { type Arrival, compare, type Place } from "./event_place.ts";
import type { FeedItem, FeedWork } from "./feed_items.ts";
import { ForgeryAlert } from "./forgery_alert.ts";
import { type Confirmation, LatestSeq, MAX_LEAD } from "./latest_seq.ts";
import { LineCheck } from "./line_check.ts";
import type { Hash } from "./line_digest.ts";
import { RequestTimer } from "./request_timer.ts";
import { chooseRanges, type SeqRange } from "./requested_ranges.ts";
import type { RoundTrip } from "./round_trip.ts";
import { ShownEvents } from "./shown_events.ts";
import { findUnchecked } from "./unchecked_events.ts";

/** How many early events are held. Of events further ahead, only the latest seq is remembered. */
const MAX_EARLY = 2048;
/** How many delivered events are remembered, to be compared with others that come for their places. */
const MAX_DELIVERED = MAX_LEAD + 512;

/** The options of an {@linkcode EventFeed}. */
export interface EventFeedOptions {
  roundTrip: RoundTrip;
  /** Returns a number from 0 to 1; Math.random by default. */
  random?: () => number;
  /** What the server's digests are checked with. Default: they are not checked, because nobody can forge events. */
  hash?: Hash;
}

/**
 * The receiving end of the room's events. Its methods return what can be shown now, in order.
 *
 * An event is delivered as soon as its turn comes, although another member may have forged it. Where two different
 * events come for one place, the server is asked, and only what it vouches for counts. What was delivered and was
 * forged is reported, and the true event follows. Of what the server itself says nothing is delivered that it does not
 * vouch for: without that it only shows that there is something to ask for.
 */
export class EventFeed {
  readonly #requests: RequestTimer;
  /** What came early, by seq. */
  readonly #early = new Map<number, Place>();
  /** What was delivered last, by seq. */
  readonly #delivered = new Map<number, Place>();
  /** The places for which different events came, of which the server vouches for none yet. */
  readonly #disputed = new Set<number>();
  readonly #shown = new ShownEvents();
  #epoch: string | undefined;
  #latest = new LatestSeq(0);
  readonly #check: LineCheck;
  readonly #alert = new ForgeryAlert();
  #next = 1;
  #missed = 0;
  #duplicates = 0;
  /** How many events came by a further copy, or after they had been requested. */
  repaired = 0;
  /** How many events are lost for good. */
  lost = 0;

  constructor({ roundTrip, random = Math.random, hash }: EventFeedOptions) {
    this.#requests = new RequestTimer(roundTrip, random);
    this.#check = new LineCheck(hash);
  }

  /** How many events were delivered. */
  get received(): number {
    return this.#shown.count;
  }

  /** How many events were dropped because they had arrived before. */
  get duplicates(): number {
    return this.#duplicates + this.#shown.duplicates;
  }

  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** The seq of the next event to deliver. */
  get next(): number {
    return this.#next;
  }

  /** How many events are known to be missing, wait for a missing one, or are disputed. */
  get backlog(): number {
    return Math.max(0, this.#latest.seq - this.#next + 1) + this.#disputed.size;
  }

  /** Whether an event came for a place, of late if it was delivered. */
  has(seq: number): boolean {
    return this.#early.has(seq) || this.#delivered.has(seq);
  }

  /** Whether an event is here, or the server has vouched for one, whose place is behind this one. */
  hasBehind(seq: number): boolean {
    if (this.#latest.vouched > seq) return true;
    for (const early of this.#early.keys()) if (early > seq) return true;
    return false;
  }

  /** How many messages of an epoch that has ended are held back for an earlier one of their sender. */
  get heldCount(): number {
    return this.#shown.heldCount;
  }

  /** Whether so much was claimed since the server last said its latest seq that it should be greeted now. */
  get isDoubtful(): boolean {
    return this.#latest.isDoubtful;
  }

  /** When {@linkcode wake} must be called next, in milliseconds; undefined when nothing is missing or held back. */
  get nextWake(): number | undefined {
    return earliest([this.#requests.dueAt, this.#shown.nextWake]);
  }

  /**
   * Begins another epoch with the events behind `seq`. The missing events of the epoch before are lost.
   *
   * @param silentSince When the server was first greeted without an answer, in milliseconds.
   */
  begin(epoch: string, seq: number, now: number, silentSince: number = now): FeedItem[] {
    const items = this.#endEpoch(now, silentSince);
    this.#epoch = epoch;
    this.#beginBehind(epoch, seq);
    return items;
  }

  /** Goes on with the events behind `seq` of the present epoch. What is missing before them is not wanted any more. */
  skip(seq: number): void {
    if (this.#epoch === undefined || seq < this.#next) return;
    this.#forgetPlaces();
    this.#beginBehind(this.#epoch, seq);
  }

  #beginBehind(epoch: string, seq: number): void {
    this.#next = seq + 1;
    this.#latest = new LatestSeq(seq);
    this.#check.begin(epoch, seq);
    this.#requests.begin(seq);
  }

  /** Notes that somebody claims, or the server vouches for, a latest seq. Missing events up to it will be requested. */
  noteLatest({ epoch, seq, isVouched }: Omit<Arrival, "event">, now: number): void {
    if (epoch !== this.#epoch) return;
    if (isVouched) this.#latest.vouch(seq);
    else this.#latest.claim(seq, now);
    this.#scheduleRequest(now);
  }

  /**
   * Notes the latest seq that the server named when it was asked, and the digest of all events up to it. What came
   * earlier than the question, for a later place, was forged.
   */
  confirmLatest({ epoch, seq, digest }: Confirmation, askedAt: number, now: number): FeedItem[] {
    if (epoch !== this.#epoch) return [];
    if (this.#latest.confirm(seq, askedAt)) this.#alert.raise(now);
    const items = this.#dropForged((place, placeAt) => placeAt > seq && !place.isVouched && place.at < askedAt, now);
    if (digest !== undefined) this.#check.note({ seq, digest });
    for (const [placeAt, { at }] of this.#early) this.#latest.claim(placeAt, at);
    this.#checkLine(items, now);
    this.#scheduleRequest(now);
    return items;
  }

  /** Counts an event that was dropped elsewhere because it had arrived before. */
  noteDuplicate(): void {
    this.#duplicates++;
  }

  /** Takes an event. */
  take({ epoch, seq, event, isVouched, own }: Arrival, now: number): FeedItem[] {
    if (epoch !== this.#epoch) return [];
    if (isVouched) this.#latest.vouch(seq);
    else if (!this.#latest.claim(seq, now)) return [];
    const place = { event, at: now, isVouched, own };
    if (event?.type === "NOTICE" && !isVouched) return this.#noteUnbelieved(seq, place, now);
    const items = seq < this.#next ? this.#takeAgain(seq, place, now) : this.#takeNew(seq, place, now);
    this.#checkLine(items, now);
    this.#scheduleRequest(now);
    return items;
  }

  /** Skips a range of events that the server does not keep any more. */
  markGone(epoch: string, { from, to }: SeqRange, now: number): FeedItem[] {
    if (epoch !== this.#epoch) return [];
    for (const seq of this.#disputed) {
      if (seq < from || seq > to) continue;
      // nobody can say any more which of the events was the true one
      this.#disputed.delete(seq);
      this.#early.delete(seq);
    }
    const items: FeedItem[] = [];
    if (from <= this.#next && to >= this.#next && to <= this.#latest.seq) {
      // skip from one early event to the next: a hostile server can name a range that takes years to count one by one
      for (const seq of [...this.#early.keys()].filter((seq) => seq <= to).sort((a, b) => a - b)) {
        this.#skipTo(seq);
        this.#deliverNext(items);
      }
      this.#skipTo(to + 1);
    }
    this.#deliverReady(items);
    this.#reportMissed(items);
    this.#checkLine(items, now);
    this.#scheduleRequest(now);
    return items;
  }

  /** Does what is due: returns the missing events to be requested, and messages that were held for long enough. */
  wake(now: number): FeedWork {
    const items = this.#shown.takeExpired(now);
    if (!this.#requests.isDue(now)) return { items, requests: [] };
    const requests = chooseRanges({
      next: this.#next,
      end: Math.min(this.#latest.seq, this.#next + MAX_EARLY - 1),
      most: this.#requests.window,
      isHere: (seq) => this.#early.has(seq) && !this.#disputed.has(seq),
      disputed: this.#disputed,
    });
    this.#requests.requested(requests, now);
    return { items, requests };
  }

  /** Takes an event that needs the server's word: it is asked for, also where another one has taken its place. */
  #noteUnbelieved(seq: number, place: Place, now: number): FeedItem[] {
    const there = this.#early.get(seq) ?? this.#delivered.get(seq);
    if (there) {
      this.#countDuplicate(place);
      this.#judge(seq, there, place, now);
    }
    this.#scheduleRequest(now);
    return [];
  }

  /** Takes an event whose place was not delivered yet. */
  #takeNew(seq: number, place: Place, now: number): FeedItem[] {
    const held = this.#early.get(seq);
    const items: FeedItem[] = [];
    if (held) {
      if (!place.isVouched) this.#countDuplicate(place);
      if (!this.#judge(seq, held, place, now)) return [];
      if (!held.isVouched) this.#takeBack([held], items, now);
      else if (held.isContested) items.push({ forged: [] });
    }
    if (seq >= this.#next + MAX_EARLY) return [];
    if (!held && !place.isVouched && !this.#alert.admits(now)) return [];
    if (!held && (this.#requests.wasRequested(seq) || place.event?.copy !== undefined)) this.repaired++;
    this.#requests.noteEvent(seq);
    this.#early.set(seq, held?.isVouched ? held : place);
    this.#deliverReady(items);
    return items;
  }

  /** Takes an event whose place was delivered already. */
  #takeAgain(seq: number, place: Place, now: number): FeedItem[] {
    const delivered = this.#delivered.get(seq);
    if (!place.isVouched) this.#countDuplicate(place);
    if (!delivered) return [];
    const wasDisputed = this.#disputed.has(seq);
    if (!this.#judge(seq, delivered, place, now)) return [];
    this.#requests.forgetFailures();
    if (delivered.isVouched) return wasDisputed && delivered.isContested ? [{ forged: [] }] : [];
    this.#delivered.set(seq, place);
    const items: FeedItem[] = [];
    this.#takeBack([delivered], items, now);
    items.push(...this.#shown.show(place));
    return items;
  }

  /** Compares a second event for a place. Returns whether the server vouches for one of them now. */
  #judge(seq: number, there: Place, second: Place, now: number): boolean {
    const verdict = compare(there, second);
    if (verdict === "same") there.isVouched ||= second.isVouched;
    else this.#alert.raise(now);
    if (verdict === "dispute") {
      there.isContested = true;
      this.#disputed.add(seq);
    }
    const isSettled = second.isVouched || verdict === "same" && there.isVouched;
    if (isSettled) this.#disputed.delete(seq);
    return isSettled;
  }

  /**
   * Compares what was delivered with the digests of the server. What is true can't be disputed any more; of what is
   * not, the server is asked for all that came without the token. So it is where nothing can be compared while somebody
   * forges.
   */
  #checkLine(items: FeedItem[], now: number): void {
    for (let found; (found = this.#check.compare(this.#next, this.#delivered, this.#disputed.keys()));) {
      const { from, to, isTrue } = found;
      const isDoubtful = isTrue === false || isTrue === undefined && this.#alert.isRaised(now);
      for (const [seq, place] of this.#delivered) {
        if (seq < from || seq > to || place.isVouched) continue;
        if (isTrue) {
          place.isVouched = true;
          if (this.#disputed.delete(seq)) items.push({ forged: [] });
        } else if (isDoubtful) this.#disputed.add(seq);
      }
    }
  }

  /** Counts what came again, but for the further copies that the server sends to who loses much. */
  #countDuplicate({ event }: Place): void {
    if (event?.copy === undefined) this.#duplicates++;
  }

  #skipTo(seq: number): void {
    this.#missed += seq - this.#next;
    this.#next = seq;
  }

  #deliverReady(items: FeedItem[]): void {
    const before = this.#next;
    while (this.#early.has(this.#next) && !this.#disputed.has(this.#next)) this.#deliverNext(items);
    if (this.#next > before) this.#requests.forgetFailures();
  }

  #deliverNext(items: FeedItem[]): void {
    this.#reportMissed(items);
    const seq = this.#next++;
    const place = this.#early.get(seq)!;
    this.#early.delete(seq);
    this.#delivered.set(seq, place);
    if (this.#delivered.size > MAX_DELIVERED) {
      const [oldest] = this.#delivered.keys();
      this.#delivered.delete(oldest);
      this.#disputed.delete(oldest);
    }
    if (!place.isShown) items.push(...this.#shown.show(place));
  }

  /** Removes the forged events. What was delivered behind the first of them becomes early again. */
  #dropForged(isForged: (place: Place, seq: number) => boolean, now: number): FeedItem[] {
    const first = [...this.#delivered].find(([seq, place]) => isForged(place, seq))?.[0];
    if (first !== undefined) {
      for (const [seq, place] of [...this.#delivered]) {
        if (seq < first) continue;
        this.#delivered.delete(seq);
        this.#early.set(seq, place);
      }
      this.#next = first;
    }
    const forged: Place[] = [];
    for (const [seq, place] of this.#early) {
      if (!isForged(place, seq)) continue;
      this.#early.delete(seq);
      this.#disputed.delete(seq);
      forged.push(place);
    }
    const items: FeedItem[] = [];
    // what was never delivered need not be told
    if (first !== undefined || forged.some(({ isShown }) => isShown)) this.#takeBack(forged, items, now);
    return items;
  }

  /** Reports forged events, and takes back those that were shown. */
  #takeBack(forged: Place[], items: FeedItem[], now: number): void {
    const shown = forged.flatMap(({ isShown, event }) => isShown ? [event!] : []);
    if (shown.length > 0) this.#alert.noteShown(now);
    else this.#alert.raise(now);
    items.push({ forged: shown });
    for (const place of forged) items.push(...this.#shown.unshow(place, this.#delivered.values()));
  }

  #reportMissed(items: FeedItem[]): void {
    if (this.#missed === 0) return;
    this.lost += this.#missed;
    items.push({ missed: this.#missed });
    this.#missed = 0;
  }

  /** Ends the current epoch: delivers the events that have arrived, and counts the others as lost. */
  #endEpoch(now: number, silentSince: number): FeedItem[] {
    const items: FeedItem[] = [];
    const { vouched } = this.#latest;
    const early = [...this.#early].sort(([a], [b]) => a - b);
    if (this.#epoch !== undefined) {
      const arrived = early.filter(([seq]) => seq <= vouched).length;
      this.#missed += Math.max(0, vouched - this.#next + 1 - arrived);
    }
    const places = [...this.#delivered, ...early];
    const unchecked = findUnchecked({ places, vouched, disputed: this.#disputed, silentSince });
    for (const place of unchecked.places) if (place.isShown) this.#shown.doubt(place);
    for (const [seq, place] of early) {
      if (!place.event || place.isShown || this.#disputed.has(seq)) continue;
      items.push(...this.#shown.showEarly(place, now));
    }
    if (unchecked.told.length > 0) items.push({ unchecked: unchecked.told });
    this.#forgetPlaces();
    this.#reportMissed(items);
    return items;
  }

  #forgetPlaces(): void {
    this.#early.clear();
    this.#delivered.clear();
    this.#disputed.clear();
    this.#requests.stop();
  }

  #scheduleRequest(now: number): void {
    if (this.backlog <= 0) this.#requests.stop();
    else this.#requests.schedule(now);
  }
}
