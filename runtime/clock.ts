/**
 * The time, and one timer: what both programs measure and wait by.
 *
 * @module
 */

/**
 * Unix time in whole milliseconds, by a clock that never jumps: a machine whose time is set while the program runs does
 * not make everyone in the room look silent for an hour.
 */
export function now(): number {
  return Math.round(performance.timeOrigin + performance.now());
}

/** The longest delay that a timer takes, in milliseconds (2^31 - 1, in every JavaScript runtime). */
const MAX_DELAY_MS = 0x7fff_ffff;

/** One timer that is moved about: it rings once at the time it was last set to. */
export class Alarm {
  readonly #ring: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at: number | undefined;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Sets the time to ring at, as {@linkcode now} counts it; undefined for never. */
  set(at: number | undefined): void {
    if (at === this.#at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    if (at === undefined) return;
    this.#timer = setTimeout(() => {
      this.#at = undefined;
      this.#ring();
    }, Math.min(MAX_DELAY_MS, Math.max(0, at - now())));
  }
}
