/**
 * How often somebody may speak, or make others work: a token bucket (RFC 2697, section 3, has the idea).
 *
 * @module
 */

/** How fast a bucket fills, and how much it holds. */
export interface TokenBucketOptions {
  /** Tokens a second; 0 for no limit at all. */
  rate: number;
  /** The most tokens that it holds: what may be spent at once after a pause. */
  burst: number;
}

/** A bucket that fills with time and gives a token to whoever asks while there is one. */
export class TokenBucket {
  #tokens: number;
  #filledAt: number;

  constructor({ burst }: TokenBucketOptions, now: number) {
    this.#tokens = burst;
    this.#filledAt = now;
  }

  /**
   * Takes a token, or as many as something costs.
   *
   * @returns 0 when there were enough, otherwise the milliseconds until there are; none is taken then.
   */
  take({ rate, burst }: TokenBucketOptions, now: number, cost = 1): number {
    if (rate === 0) return 0;
    this.#tokens = Math.min(burst, this.#tokens + Math.max(0, now - this.#filledAt) * rate / 1000);
    this.#filledAt = now;
    if (this.#tokens < cost) return Math.ceil((cost - this.#tokens) * 1000 / rate);
    this.#tokens -= cost;
    return 0;
  }
}
