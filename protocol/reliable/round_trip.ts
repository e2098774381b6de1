/**
 * How long an answer takes, and how long to wait for one before asking again (RFC 6298).
 *
 * @module
 */

/** The pause before anything has been measured, in milliseconds. */
const INITIAL_TIMEOUT_MS = 300;
/** The shortest pause, in milliseconds: below it, a busy machine's delays would look like losses. */
const MIN_TIMEOUT_MS = 100;
/** The longest, in milliseconds, however often an answer has failed to come. */
export const MAX_TIMEOUT_MS = 500;
/**
 * How much longer each further pause is than the one before. RFC 6298 doubles it, for congestion; here what is repeated
 * is a few small datagrams, and at 30% loss each way a longer pause is what people wait for.
 */
const BACK_OFF = 1.25;

/** The smoothed round trip to one peer, from the samples that were measured. */
export class RoundTrip {
  #smoothed: number | undefined;
  #variation = 0;

  /** The smoothed round trip in milliseconds, or undefined before the first sample. */
  get smoothed(): number | undefined {
    return this.#smoothed;
  }

  /**
   * Takes a measured round trip, in milliseconds. Only of what was sent once: of a repeated packet nobody knows which
   * copy was answered (Karn's algorithm, RFC 6298, section 3).
   */
  sample(measured: number): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = measured;
      this.#variation = measured / 2;
    } else {
      // RFC 6298, section 2.3, with its alpha of 1/8 and beta of 1/4
      this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - measured);
      this.#smoothed = 0.875 * this.#smoothed + 0.125 * measured;
    }
  }

  /** Milliseconds to wait for an answer to what has been sent `times` times, 1 or more. */
  timeout(times = 1): number {
    const base = this.#smoothed === undefined ? INITIAL_TIMEOUT_MS : this.#smoothed + 4 * this.#variation;
    return Math.min(MAX_TIMEOUT_MS, Math.max(MIN_TIMEOUT_MS, base) * BACK_OFF ** (times - 1));
  }
}
