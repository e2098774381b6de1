/**
 * Keeps things in the order in which they were last heard.
 *
 * @module
 */

/** What a {@linkcode HeardOrder} keeps. It belongs to one order at a time, which alone sets these fields. */
export interface Ordered<T> {
  /** The one that was last heard just before this one was. */
  previousHeard?: T;
  /** The one that was last heard just after this one was. */
  nextHeard?: T;
}

/**
 * A linked list in the order in which its things were last heard. Each change takes constant time. A Map keeps this
 * order too when an entry is deleted and set again, but it is twice as large, and to find its first entry takes long
 * after many were deleted.
 */
export class HeardOrder<T extends Ordered<T>> {
  #longestSilent: T | undefined;
  #lastHeard: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The one that has been silent for the longest time of those that pass a test; undefined if none does. */
  longestSilent(test: (item: T) => boolean = () => true): T | undefined {
    let item = this.#longestSilent;
    while (item && !test(item)) item = item.nextHeard;
    return item;
  }

  /** The one that was last heard of those that pass a test; undefined if it is not among the last `limit` ones. */
  lastHeard(test: (item: T) => boolean, limit: number): T | undefined {
    let item = this.#lastHeard;
    for (; item && !test(item); item = item.previousHeard) if (--limit <= 0) return undefined;
    return item;
  }

  /** Adds something that was heard just now. */
  add(item: T): void {
    this.#append(item);
    this.#size++;
  }

  /** Removes something that is here. */
  remove(item: T): void {
    this.#unlink(item);
    this.#size--;
  }

  /** Notes that something that is here was heard just now. */
  heard(item: T): void {
    if (item === this.#lastHeard) return;
    this.#unlink(item);
    this.#append(item);
  }

  /** All of them, the one that has been silent for the longest time first. The caller may remove the one that it gets. */
  *[Symbol.iterator](): Generator<T> {
    for (let item = this.#longestSilent; item;) {
      const next: T | undefined = item.nextHeard;
      yield item;
      item = next;
    }
  }

  #append(item: T): void {
    item.previousHeard = this.#lastHeard;
    item.nextHeard = undefined;
    if (this.#lastHeard) this.#lastHeard.nextHeard = item;
    else this.#longestSilent = item;
    this.#lastHeard = item;
  }

  #unlink(item: T): void {
    const { previousHeard, nextHeard } = item;
    if (previousHeard) previousHeard.nextHeard = nextHeard;
    else this.#longestSilent = nextHeard;
    if (nextHeard) nextHeard.previousHeard = previousHeard;
    else this.#lastHeard = previousHeard;
    item.previousHeard = item.nextHeard = undefined;
  }
}
