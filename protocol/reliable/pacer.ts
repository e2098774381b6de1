/**
 * Spreads packets over time (RFC 9002, section 7.7).
 *
 * @module
 */

/**
 * How much is sent at once when the event loop was late: so much time's worth, in milliseconds, but some octets at least
 * and at most. The socket of a receiver may hold only about 200 datagrams.
 */
const BURST_MS = 5, MIN_BURST_BYTES = 2_000, MAX_BURST_BYTES = 64_000;

/** Says when the next packet may go. */
export class Pacer {
  /** When the next one may go. */
  #nextAt = 0;
  #burst = 0;

  get nextAt(): number {
    return this.#nextAt;
  }

  /** Lets the next one go at once: at the rate until now it may have had to wait for long. */
  restart(now: number): void {
    this.#nextAt = Math.min(this.#nextAt, now);
  }

  /** @param rate Octets a millisecond. */
  canSend(rate: number, now: number): boolean {
    this.#burst = Math.min(MAX_BURST_BYTES, Math.max(MIN_BURST_BYTES, BURST_MS * rate)) / rate;
    return this.#nextAt <= now;
  }

  sent(length: number, rate: number, now: number): void {
    this.#nextAt = Math.max(this.#nextAt, now - this.#burst) + length / rate;
  }
}
