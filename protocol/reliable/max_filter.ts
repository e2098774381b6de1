/**
 * The greatest of the values of late.
 *
 * @module
 */

/** Keeps the greatest of some values, each with a time that never goes back. */
export class MaxFilter {
  /** Those that may become the greatest, in the order of time: each is less than the one before. */
  #values: { time: number; value: number }[] = [];

  /** The greatest; 0 if there is none. */
  get max(): number {
    return this.#values[0]?.value ?? 0;
  }

  add(time: number, value: number): void {
    const values = this.#values;
    while (values.length > 0 && values.at(-1)!.value <= value) values.pop();
    if (values.at(-1)?.time !== time) values.push({ time, value });
  }

  /** Forgets what is older than this time, but for the last one. */
  expire(before: number): void {
    const values = this.#values;
    let old = 0;
    while (old < values.length - 1 && values[old].time < before) old++;
    if (old > 0) values.splice(0, old);
  }
}
