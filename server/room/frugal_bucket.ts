/**
 * Finds out who asks for little, or says little, so that it is served when others with its IP address want too much.
 *
 * @module
 */

/** How many datagrams or messages a second are little, and how many at once after a pause. */
const RATE = 5, BURST = 20;

/**
 * A token bucket that also loses a token when there are too few. So it stays empty for whoever goes on asking for more,
 * and does not even give the tokens that it gains meanwhile.
 */
export class FrugalBucket {
  #tokens = BURST;
  #filledAt: number;

  constructor(now: number) {
    this.#filledAt = now;
  }

  /**
   * Takes `cost` tokens, or all that the bucket can hold if it costs more; returns whether there were enough. If not, it
   * takes one.
   */
  take(now: number, cost: number): boolean {
    const tokens = Math.min(BURST, this.#tokens + (now - this.#filledAt) * RATE / 1000);
    this.#filledAt = now;
    const price = Math.min(cost, BURST);
    this.#tokens = Math.max(0, tokens - (tokens < price ? 1 : price));
    return tokens >= price;
  }

  /** Gains nothing for the time until now, because somebody waited then: who waits for more does not ask for little. */
  skip(now: number): void {
    this.#filledAt = now;
  }
}
