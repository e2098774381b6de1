/**
 * The clock and the timer that both programs use.
 *
 * @module
 */

/**
 * Returns the Unix time in whole milliseconds, by a clock that never jumps. With a clock that jumps, everyone in the
 * room could look silent for an hour when the system's time is set while the program runs.
 */
export function now(): number {
  return Math.round(exactNow());
}

/** The same with its fraction: what is measured on a fast network takes less than a millisecond. */
export function exactNow(): number {
  return performance.timeOrigin + performance.now();
}

/** The longest delay that a timer takes, in milliseconds (2^31 - 1, in every JavaScript runtime). */
const MAX_DELAY_MS = 0x7fff_ffff;

/** A timer that can be set again: it rings once, at the time that was set last. */
export class Alarm {
  readonly #ring: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at: number | undefined;
  /** The time that the timer was made for: never later than `#at`. */
  #timerAt = 0;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Sets the time to ring, in milliseconds as {@linkcode now} returns it; undefined for never. */
  set(at: number | undefined): void {
    this.#at = at;
    // with each datagram the time is put off a little: a timer that comes too early costs less than a new one each time
    if (at !== undefined && this.#timer !== undefined && this.#timerAt <= at) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (at !== undefined) this.#start(at);
  }

  #start(at: number): void {
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#at !== undefined && this.#at > at) return this.#start(this.#at);
      this.#at = undefined;
      this.#ring();
    }, Math.min(MAX_DELAY_MS, Math.max(0, Math.ceil(at - now()))));
  }
}
