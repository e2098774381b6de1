/**
 * For how long a client is on its guard after somebody has forged events, and how many it still takes meanwhile.
 *
 * @module
 */
import { TokenBucket, type TokenBucketOptions } from "./token_bucket.ts";

/** How long an alert lasts after the last forged event that was found, in milliseconds. */
const ALERT_MS = 60_000;
/**
 * How many events without the token are taken during an alert. More than a lively room has, so that a single forged
 * datagram does not make all its members ask for each event; few enough to keep what was said before in sight.
 */
const RATE: TokenBucketOptions = { rate: 100, burst: 200 };

/** How often forged events must be found that were shown, so that nothing without the token is taken any more. */
const MAX_FOUND = 3;
/** What is found within this time counts once, in milliseconds: about the pause between two WELCOMEs. */
const FOUND_PAUSE_MS = 500;

/** Whether somebody has forged events lately. */
export class ForgeryAlert {
  readonly #bucket = new TokenBucket(RATE, 0);
  #until = -Infinity;
  /** How often forged events were found that were shown, and when they last were, in milliseconds. */
  #found = 0;
  #foundAt = -Infinity;

  /** Notes that somebody forges. */
  raise(now: number): void {
    if (!this.isRaised(now)) this.#found = 0;
    this.#until = now + ALERT_MS;
  }

  /** Notes that forged events were shown. */
  noteShown(now: number): void {
    this.raise(now);
    if (now < this.#foundAt + FOUND_PAUSE_MS) return;
    this.#found++;
    this.#foundAt = now;
  }

  isRaised(now: number): boolean {
    return now < this.#until;
  }

  /** Whether one more event without the token is taken. If not, it counts as lost, and the server is asked for it. */
  admits(now: number): boolean {
    return !this.isRaised(now) || this.#found < MAX_FOUND && this.#bucket.take(RATE, now) === 0;
  }
}
