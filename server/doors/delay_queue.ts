/**
 * Does something with each of many things, all after the same delay, with one timer for all.
 *
 * @module
 */

/** The things that wait; the one that waits longest comes first. */
export class DelayQueue<T> {
  readonly #delayMs: number;
  readonly #ring: (item: T) => void;
  #waiting: { item: T; at: number }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param ring Called with each thing, not before the delay in milliseconds is over. */
  constructor(delayMs: number, ring: (item: T) => void) {
    this.#delayMs = delayMs;
    this.#ring = ring;
  }

  add(item: T): void {
    this.#waiting.push({ item, at: performance.now() + this.#delayMs });
    this.#timer ??= setTimeout(() => this.#wake(), this.#delayMs);
  }

  /** Forgets all that wait. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
  }

  #wake(): void {
    this.#timer = undefined;
    const now = performance.now();
    const count = this.#waiting.findIndex(({ at }) => at > now);
    const due = this.#waiting.splice(0, count < 0 ? this.#waiting.length : count);
    for (const { item } of due) this.#ring(item);
    const [next] = this.#waiting;
    if (next) this.#timer ??= setTimeout(() => this.#wake(), Math.max(1, Math.ceil(next.at - performance.now())));
  }
}
