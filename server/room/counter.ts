/**
 * Counts how many there are of each key.
 *
 * @module
 */
import { detach } from "../../protocol/utf8.ts";

/** How many there are of each key. A key of which there is none takes no memory. */
export class Counter {
  readonly #counts = new Map<string, number>();

  get(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string): void {
    this.#counts.set(detach(key), this.get(key) + 1);
  }

  /** Counts one less. There must be one. */
  remove(key: string): void {
    const count = this.get(key) - 1;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}
