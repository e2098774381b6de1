/**
 * How fast a file comes or goes, as people want to read it.
 *
 * @module
 */

/** Over how long the rate is taken, and how long the parts of that are, in milliseconds. */
const SPAN_MS = 4000, STEP_MS = 250;

/** Bytes a second over the last seconds. */
export class RateMeter {
  readonly #notes: { at: number; done: number }[] = [];

  /** Notes how many bytes are there at a time, in milliseconds. */
  note(done: number, now: number): void {
    const last = this.#notes.at(-1);
    if (last && now < last.at + STEP_MS) return;
    this.#notes.push({ at: now, done });
    while (this.#notes[0].at < now - SPAN_MS) this.#notes.shift();
  }

  /** Bytes a second; undefined while that is not known yet. */
  get rate(): number | undefined {
    const first = this.#notes.at(0), last = this.#notes.at(-1);
    if (!first || !last || first === last) return undefined;
    return (last.done - first.done) * 1000 / (last.at - first.at);
  }
}
