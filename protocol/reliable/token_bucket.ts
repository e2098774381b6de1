/**
 * A token bucket: it limits how often somebody may send or cause work (RFC 2697, section 3, has the idea).
 *
 * @module
 */

/** How fast a bucket fills, and how much it holds. */
export interface TokenBucketOptions {
  /** Tokens a second; 0 for no limit at all. */
  rate: number;
  /** The most tokens that it holds. All of them may be spent at once after a pause. */
  burst: number;
}

/** A bucket that gains tokens over time. Each action takes tokens from it. */
export class TokenBucket {
  #tokens: number;
  #filledAt: number;

  constructor({ burst }: TokenBucketOptions, now: number) {
    this.#tokens = burst;
    this.#filledAt = now;
  }

  /**
   * Takes `cost` tokens when the bucket has enough, otherwise none.
   *
   * @returns 0 when there were enough tokens, otherwise the milliseconds until there are.
   */
  take(limit: TokenBucketOptions, now: number, cost = 1): number {
    const pause = this.pause(limit, now, cost);
    if (pause === 0 && limit.rate > 0) this.#tokens -= cost;
    return pause;
  }

  /** The milliseconds until there are `cost` tokens, of which it takes none. */
  pause({ rate, burst }: TokenBucketOptions, now: number, cost = 1): number {
    if (rate === 0) return 0;
    this.#tokens = Math.min(burst, this.#tokens + Math.max(0, now - this.#filledAt) * rate / 1000);
    this.#filledAt = now;
    return this.#tokens < cost ? Math.ceil((cost - this.#tokens) * 1000 / rate) : 0;
  }

  /**
   * Takes `cost` tokens even when there are too few yet, so that whoever comes later gets later ones.
   *
   * @returns The milliseconds until there are these tokens.
   */
  takeAhead(limit: TokenBucketOptions, now: number, cost = 1): number {
    const pause = this.take(limit, now, cost);
    if (pause > 0) this.#tokens -= cost;
    return pause;
  }

  /** Gives back tokens that were taken ahead. */
  giveBack(cost = 1): void {
    this.#tokens += cost;
  }

  /** Whether the bucket holds as much as it can, so that a new one would do as well. */
  isFull({ rate, burst }: TokenBucketOptions, now: number): boolean {
    return rate === 0 || this.#tokens + (now - this.#filledAt) * rate / 1000 >= burst;
  }
}
