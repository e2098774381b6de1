/**
 * What is remembered for a while of many, and never of too many.
 *
 * @module
 */
import { detach } from "../../protocol/text.ts";

/** The most that is remembered at once. */
const MAX_REMEMBERED = 10_000;

/** Values by texts that anybody may send: beyond the most of them, the one that was set first is forgotten. */
export class BoundedMap<T> {
  readonly #values = new Map<string, T>();

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: T): void {
    this.#values.delete(key);
    this.#values.set(detach(key), value);
    if (this.#values.size > MAX_REMEMBERED) this.#values.delete(this.#values.keys().next().value!);
  }

  /** Gives a value, and forgets it. */
  take(key: string): T | undefined {
    const value = this.#values.get(key);
    this.#values.delete(key);
    return value;
  }
}
