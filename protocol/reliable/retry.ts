/**
 * Counts how often something was tried, and knows when it is due again.
 *
 * @module
 */

/** The tries of one thing. Its user sends, and says how long to wait for an answer before the next try. */
export class Retry {
  #times = 0;
  #dueAt: number | undefined;

  /** How often it was tried since the start. */
  get times(): number {
    return this.#times;
  }

  /** When it is to be tried next, in milliseconds; undefined for never. */
  get dueAt(): number | undefined {
    return this.#dueAt;
  }

  isDue(now: number): boolean {
    return this.#dueAt !== undefined && this.#dueAt <= now;
  }

  /** Begins anew: nothing was tried yet, and the first try is due at a time. */
  start(at: number): void {
    this.#times = 0;
    this.#dueAt = at;
  }

  /** Notes a try. If it has no answer, the next one is due at a time. */
  tried(nextAt: number): void {
    this.#times++;
    this.#dueAt = nextAt;
  }

  /** Makes the next try due at a time at the latest, if there is one. */
  hasten(at: number): void {
    if (this.#dueAt !== undefined) this.#dueAt = Math.min(this.#dueAt, at);
  }

  /** No further try is due. */
  stop(): void {
    this.#dueAt = undefined;
  }
}
