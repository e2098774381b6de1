/**
 * A map of limited size, for keys that anybody may send.
 *
 * @module
 */
import { detach } from "../../protocol/utf8.ts";

/** The most entries of a map. */
const MAX_ENTRIES = 10_000;

/** A map from texts to values. When there are too many entries, it forgets the one that was set first. */
export class BoundedMap<T> {
  readonly #values = new Map<string, T>();

  get size(): number {
    return this.#values.size;
  }

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: T): void {
    this.#values.delete(key);
    this.#values.set(detach(key), value);
    if (this.#values.size > MAX_ENTRIES) this.#values.delete(this.#values.keys().next().value!);
  }
}
