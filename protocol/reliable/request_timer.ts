/**
 * When the server is asked for missing events, and which of them it was asked for.
 *
 * @module
 */
import type { SeqRange } from "./requested_ranges.ts";
import type { RoundTrip } from "./round_trip.ts";
import { TokenBucket, type TokenBucketOptions } from "./token_bucket.ts";

/** How many missing events are asked for at once at first, and at the most. */
const [FIRST_WINDOW, MAX_WINDOW] = [128, 1024];
/** Of what was asked for, the share with which the window grows, and the one below which it shrinks. */
const [GOOD_SHARE, BAD_SHARE] = [1 / 2, 1 / 4];
/**
 * How many times as large the window becomes when it grows. At 30% loss each way half of the requests have no answer,
 * and the window must stay large all the same.
 */
const GROWTH = 4;
/** With a smaller window than this, only what was asked for ends the back-off. */
const SMALL_WINDOW = 16;

/**
 * How many requests a second go out, and how many at once, each in a datagram: whatever a hostile server answers, and
 * whatever is forged, and more than honest repairs need.
 */
const DATAGRAMS_RATE: TokenBucketOptions = { rate: 60, burst: 60 };

/**
 * The requests of one feed: a random pause before the first, since what is missing may only be late, and growing ones
 * between those that have no answer.
 */
export class RequestTimer {
  readonly #roundTrip: RoundTrip;
  readonly #random: () => number;
  #dueAt: number | undefined;
  /** Counts the requests for the back-off. */
  #attempts = 0;
  #window = FIRST_WINDOW;
  /** How many events the last request was for, and how many events have come since that had been asked for. */
  #asked = 0;
  #came = 0;
  readonly #datagrams = new TokenBucket(DATAGRAMS_RATE, 0);
  /** The latest seq that has been requested. */
  #requestedUpTo = 0;

  /** @param random Returns a number from 0 to 1. */
  constructor(roundTrip: RoundTrip, random: () => number) {
    this.#roundTrip = roundTrip;
    this.#random = random;
  }

  /** When the next request is due, in milliseconds; undefined when nothing is missing. */
  get dueAt(): number | undefined {
    return this.#dueAt;
  }

  /**
   * How many missing events may be asked for at once. Where too much is sent already, what is sent again is lost too.
   * So it shrinks by half where little of what was asked for comes, as in congestion control (RFC 5681). It grows faster
   * than there, because bad luck makes it shrink too, and all that is shown waits for what is missing.
   */
  get window(): number {
    return this.#window;
  }

  isDue(now: number): boolean {
    return this.#dueAt !== undefined && this.#dueAt <= now;
  }

  /** Whether this event, which was missing, has been requested. */
  wasRequested(seq: number): boolean {
    return seq <= this.#requestedUpTo;
  }

  /** Nothing behind `seq` was requested yet. */
  begin(seq: number): void {
    this.stop();
    this.#requestedUpTo = seq;
  }

  /** Nothing is missing any more. */
  stop(): void {
    this.#dueAt = undefined;
    this.#attempts = 0;
  }

  /** Something is missing: a request is due soon, if none is already. */
  schedule(now: number): void {
    // at random, so that not all ask at once who have missed the same
    const pause = this.#random() * this.#roundTrip.reordering;
    this.#dueAt ??= now + Math.max(pause, this.#datagrams.pause(DATAGRAMS_RATE, now));
  }

  /** Notes that these are requested now. */
  requested(ranges: SeqRange[], now: number): void {
    const share = this.#came / Math.max(1, this.#asked);
    if (share >= GOOD_SHARE) this.#window = Math.min(MAX_WINDOW, GROWTH * this.#window);
    // of a single one that does not come nothing can be told
    else if (share < BAD_SHARE && this.#asked > 1) this.#window = Math.max(1, this.#window / 2);
    this.#asked = ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    this.#came = 0;
    this.#requestedUpTo = Math.max(this.#requestedUpTo, ...ranges.map(({ to }) => to));
    this.#attempts++;
    const pause = this.#roundTrip.timeout(this.#attempts) * (0.75 + 0.5 * this.#random());
    this.#dueAt = now + Math.max(pause, this.#datagrams.takeAhead(DATAGRAMS_RATE, now, ranges.length));
  }

  /** Notes that an event has come whose place was open. */
  noteEvent(seq: number): void {
    const wasRequested = this.wasRequested(seq);
    if (wasRequested) this.#came++;
    if (wasRequested || this.#window >= SMALL_WINDOW) this.forgetFailures();
  }

  /** Datagrams of the server arrive, so the long back-off after earlier failures is not needed any more. */
  forgetFailures(): void {
    this.#attempts = Math.min(this.#attempts, 1);
  }
}
