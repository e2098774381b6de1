/**
 * Measures the round trip to a peer, and computes how long to wait for an answer before a repeat (RFC 6298).
 *
 * @module
 */

/** The timeout before the first measurement, in milliseconds. */
const INITIAL_TIMEOUT_MS = 300;
/** The shortest timeout, in milliseconds. With a shorter one, the delays of a busy machine would look like losses. */
const MIN_TIMEOUT_MS = 100;
/** The longest timeout, in milliseconds, after any number of repeats. */
export const MAX_TIMEOUT_MS = 500;
/**
 * The back-off: each timeout is this many times the one before. RFC 6298 doubles the timeout because of congestion.
 * Here only a few small datagrams are repeated, and at 30% loss each way, longer timeouts would make people wait.
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
   * Takes a measured round trip, in milliseconds. The packet must have been sent only once: for a repeated packet, it
   * is unknown which copy was answered (Karn's algorithm, RFC 6298, section 3).
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

  /** Milliseconds to wait for an answer to a packet that has been sent `times` times (1 or more). */
  timeout(times = 1): number {
    const base = this.#smoothed === undefined ? INITIAL_TIMEOUT_MS : this.#smoothed + 4 * this.#variation;
    return Math.min(MAX_TIMEOUT_MS, Math.max(MIN_TIMEOUT_MS, base) * BACK_OFF ** (times - 1));
  }
}
