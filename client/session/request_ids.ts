/**
 * The ids of what a client asks its server: the answer to a request carries the id of that request.
 *
 * @module
 */

/** Counts ids from a random one, so that nobody elsewhere can forge an answer. */
export class RequestIds {
  readonly #before: number;
  #last: number;

  /** @param before The number before the first id. */
  constructor(before: number = crypto.getRandomValues(new Uint32Array(1))[0]) {
    this.#last = this.#before = before;
  }

  /** Returns the id for one more request. */
  next(): number {
    return ++this.#last;
  }

  /** Whether a request ever had this id. */
  has(id: number | undefined): boolean {
    return id !== undefined && id > this.#before && id <= this.#last;
  }
}
