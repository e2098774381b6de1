/**
 * Measures the round trip to a peer, and computes how long to wait for an answer before a repeat: the probe timeout of
 * RFC 9002, section 6.2.1, from the estimate of RFC 6298.
 *
 * @module
 */

/** The timeout before the first measurement, in milliseconds. */
const INITIAL_TIMEOUT_MS = 300;
/**
 * How much longer than the smoothed round trip the timeout is at least, in milliseconds. RFC 9002 takes a millisecond,
 * the grain of a clock, and adds the longest delay that the peer has announced. Ours announces none. On a busy machine
 * with two cores, and no loss, nine messages in ten were shown within 3 to 4 ms: this is twice as long.
 */
const GRANULARITY_MS = 8;
/** The longest timeout, in milliseconds, after any number of repeats. */
export const MAX_TIMEOUT_MS = 500;
/**
 * The back-off: each timeout is this many times the one before. RFC 9002 doubles the timeout because of congestion. Here
 * only a few small datagrams are repeated, and at 30% loss each way, longer timeouts would make people wait. Short ones
 * grow faster, so that a peer that does not answer gets ten datagrams in the first second, and not a hundred.
 */
const BACK_OFF = 1.25, SHORT_BACK_OFF = 1.5, SHORT_MS = 100;
/**
 * Among the first so many samples one that is less than half the average replaces it: the programs are still being
 * started.
 */
const FIRST_SAMPLES = 8;
/**
 * A queue stands on the way when even the shortest of the last few round trips is this many times the shortest one of
 * all of late, and this much longer, in milliseconds (CoDel, RFC 8289, section 3.2, looks at the shortest too: a burst
 * makes a queue that goes away). The scheduler of a busy machine makes some round trips long, and not each.
 */
const QUEUEING_FACTOR = 1.5, QUEUEING_MS = 8, LAST_SAMPLES = 4;
/**
 * For how long a datagram that is missing may only be late because others have overtaken it: a quarter of the shortest
 * round trip (RFC 8985, section 6.2, step 4), and some time more, in milliseconds.
 */
const REORDERING_SHARE = 1 / 4, REORDERING_MS = 2, MAX_REORDERING_MS = 30;
/** The shortest round trip is that of the last so many samples, or of twice as many. */
const SAMPLES_OF_SHORTEST = 64;

/** The smoothed round trip to one peer, from the samples that were measured. */
export class RoundTrip {
  #smoothed: number | undefined;
  #variation = 0;
  /** The shortest of the samples since the last turn, and of those before it. */
  #shortest = Infinity;
  #shortestBefore = Infinity;
  #samples = 0;
  /** The last few samples. */
  readonly #last: number[] = [];

  /** How many answers to repeats there were since the last sample. */
  #ambiguous = 0;

  /** The smoothed round trip in milliseconds, or undefined before the first sample. */
  get smoothed(): number | undefined {
    return this.#smoothed;
  }

  /** The shortest of the last 64 to 128 round trips, in milliseconds; Infinity before the first sample. */
  get #shortestOfLate(): number {
    return Math.min(this.#shortest, this.#shortestBefore);
  }

  /** Whether datagrams wait in a queue on the way, so that more of them would make it longer. */
  get isQueueing(): boolean {
    const shortest = this.#shortestOfLate;
    return Math.min(...this.#last) > Math.max(QUEUEING_FACTOR * shortest, shortest + QUEUEING_MS);
  }

  /** For how long a datagram that is missing may only be late, in milliseconds. */
  get reordering(): number {
    return Math.min(MAX_REORDERING_MS, REORDERING_MS + REORDERING_SHARE * this.#shortestOfLate);
  }

  /**
   * Takes a measured round trip, in milliseconds. The packet must have been sent only once: for a repeated packet, it
   * is unknown which copy was answered (Karn's algorithm, RFC 6298, section 3).
   */
  sample(measured: number): void {
    this.#ambiguous = 0;
    if (this.#smoothed === undefined || this.#samples < FIRST_SAMPLES && measured < this.#smoothed / 2) {
      this.#smoothed = measured;
      this.#variation = measured / 2;
    } else {
      // RFC 6298, section 2.3, with its alpha of 1/8 and beta of 1/4
      this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - measured);
      this.#smoothed = 0.875 * this.#smoothed + 0.125 * measured;
    }
    this.#last.push(measured);
    if (this.#last.length > LAST_SAMPLES) this.#last.shift();
    this.#shortest = Math.min(this.#shortest, measured);
    if (++this.#samples % SAMPLES_OF_SHORTEST > 0) return;
    this.#shortestBefore = this.#shortest;
    this.#shortest = Infinity;
  }

  /**
   * Notes an answer to a packet that was sent more than once. The way may have become longer than the timeout, and then
   * nothing would ever be measured: so the timeouts stay longer until something is (RFC 6298, section 5, behind 5.7).
   */
  noteAmbiguous(): void {
    this.#ambiguous++;
  }

  /** Milliseconds to wait for an answer to a packet that has been sent `times` times (1 or more). */
  timeout(times = 1): number {
    const base = this.#smoothed === undefined
      ? INITIAL_TIMEOUT_MS
      : this.#smoothed + Math.max(4 * this.#variation, GRANULARITY_MS);
    let timeout = base;
    for (let i = 1; i < times + this.#ambiguous && timeout < MAX_TIMEOUT_MS; i++) {
      timeout *= timeout < SHORT_MS ? SHORT_BACK_OFF : BACK_OFF;
    }
    return Math.min(MAX_TIMEOUT_MS, timeout);
  }
}
