/**
 * When the server is asked for missing events, and which of them it was asked for.
 *
 * @module
 */
import type { SeqRange } from "./requested_ranges.ts";
import type { RoundTrip } from "./round_trip.ts";

/** The longest random pause before the first request, in milliseconds: a missing event may only be late. */
const MAX_FIRST_PAUSE_MS = 30;

/** The requests of one feed: a pause before the first, and growing ones between those that have no answer. */
export class RequestTimer {
  readonly #roundTrip: RoundTrip;
  readonly #random: () => number;
  #dueAt: number | undefined;
  /** Counts the requests for the back-off. */
  #attempts = 0;
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
    this.#dueAt ??= now + this.#random() * MAX_FIRST_PAUSE_MS;
  }

  /** Notes that these are requested now. */
  requested(ranges: SeqRange[], now: number): void {
    this.#requestedUpTo = Math.max(this.#requestedUpTo, ...ranges.map(({ to }) => to));
    this.#attempts++;
    this.#dueAt = now + this.#roundTrip.timeout(this.#attempts) * (0.75 + 0.5 * this.#random());
  }

  /** Datagrams of the server arrive, so the long back-off after earlier failures is not needed any more. */
  forgetFailures(): void {
    this.#attempts = Math.min(this.#attempts, 1);
  }
}
