/**
 * Knows what is due when, so that nobody looks at all that waits each time something is due.
 *
 * @module
 */

/** The times are rounded up to a multiple of this, in milliseconds, so that one pass serves many. */
const STEP_MS = 10;

/** Things that are due at some time, each once. */
export class Timeline<T> {
  /** By the time when they are due, in milliseconds; as many times as there are steps up to the last. */
  readonly #due = new Map<number, Set<T>>();
  readonly #times = new Map<T, number>();
  #dueAt: number | undefined;

  /** When {@linkcode takeDue} is to be called, in milliseconds; undefined for never. */
  get dueAt(): number | undefined {
    return this.#dueAt;
  }

  has(thing: T): boolean {
    return this.#times.has(thing);
  }

  /** The things, those that were set first before the others. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#times.keys();
  }

  /** Notes when a thing is due, in milliseconds; that it was due at another time is forgotten. */
  set(thing: T, at: number): void {
    this.delete(thing);
    const time = Math.ceil(at / STEP_MS) * STEP_MS;
    const others = this.#due.get(time);
    if (others) others.add(thing);
    else this.#due.set(time, new Set([thing]));
    this.#times.set(thing, time);
    this.#dueAt = Math.min(this.#dueAt ?? Infinity, time);
  }

  /** Forgets a thing. */
  delete(thing: T): void {
    const time = this.#times.get(thing);
    if (time === undefined) return;
    this.#times.delete(thing);
    const others = this.#due.get(time)!;
    others.delete(thing);
    if (others.size === 0) this.#due.delete(time);
  }

  /** Takes the things that are due, those that were due first before the others. */
  takeDue(now: number): T[] {
    if (this.#dueAt === undefined || now < this.#dueAt) return [];
    const times = [...this.#due.keys()].filter((time) => time <= now).sort((a, b) => a - b);
    const due = times.flatMap((time) => [...this.#due.get(time)!]);
    for (const time of times) this.#due.delete(time);
    for (const thing of due) this.#times.delete(thing);
    this.#dueAt = undefined;
    for (const time of this.#due.keys()) this.#dueAt = Math.min(this.#dueAt ?? Infinity, time);
    return due;
  }
}
