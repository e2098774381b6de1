/**
 * The octets of a file that have arrived and are not on the disk yet.
 *
 * @module
 */

/** A place in the file, and the place behind the last octet. */
interface Span {
  from: number;
  to: number;
}

/**
 * How many pieces that are not in order are remembered. With parts of 1000 octets there are never more; a sender of
 * single octets loses some.
 */
const MOST_SPANS = 2200;

/** Octets that arrive in any order, kept in a ring from the first that is not written until they are. */
export class ArrivedOctets {
  readonly #size: number;
  readonly #ring: Uint8Array;
  /** What is not in order, sorted. None touches the next. */
  readonly #spans: Span[] = [];
  #next: number;
  #written: number;

  /**
   * @param size Of the file.
   * @param from Where to go on in it.
   * @param most How many octets are kept.
   */
  constructor(size: number, from: number, most: number) {
    this.#size = size;
    this.#next = this.#written = from;
    this.#ring = new Uint8Array(Math.min(most, Math.max(0, size - from)));
  }

  /** All octets before this place are here. */
  get next(): number {
    return this.#next;
  }

  /** What is behind this place is not taken. */
  get end(): number {
    return Math.min(this.#size, this.#written + this.#ring.length);
  }

  /** Takes octets. Returns false if it can't keep them. */
  add(at: number, octets: Uint8Array): boolean {
    const to = at + octets.length;
    if (!(at >= 0 && to <= this.end)) return false;
    if (to <= this.#next) return true;
    const from = Math.max(at, this.#next);
    if (!this.#note(from, to)) return false;
    this.#copy(from, octets.subarray(from - at));
    return true;
  }

  /** A copy of the octets of this place, which are here. */
  read(at: number, length: number): Uint8Array {
    const octets = new Uint8Array(length), start = at % this.#ring.length;
    const first = this.#ring.subarray(start, start + length);
    octets.set(first);
    octets.set(this.#ring.subarray(0, length - first.length), first.length);
    return octets;
  }

  /** Lets go of what is before this place. */
  free(upTo: number): void {
    this.#written = Math.max(this.#written, Math.min(upTo, this.#next));
  }

  #copy(at: number, octets: Uint8Array): void {
    const start = at % this.#ring.length, first = Math.min(octets.length, this.#ring.length - start);
    this.#ring.set(first < octets.length ? octets.subarray(0, first) : octets, start);
    if (first < octets.length) this.#ring.set(octets.subarray(first), 0);
  }

  #note(from: number, to: number): boolean {
    const spans = this.#spans;
    if (from === this.#next) {
      this.#next = to;
      let settled = 0;
      for (; settled < spans.length && spans[settled].from <= this.#next; settled++) {
        this.#next = Math.max(this.#next, spans[settled].to);
      }
      if (settled > 0) spans.splice(0, settled);
      return true;
    }
    const last = spans.at(-1);
    if (last?.to === from) {
      last.to = to;
      return true;
    }
    // the first that ends at its beginning or behind it
    let place = 0;
    for (let end = spans.length; place < end;) {
      const middle = (place + end) >> 1;
      if (spans[middle].to < from) place = middle + 1;
      else end = middle;
    }
    let touched = 0;
    for (let span; (span = spans[place + touched]) && span.from <= to; touched++) {
      from = Math.min(from, span.from);
      to = Math.max(to, span.to);
    }
    if (touched === 0 && spans.length >= MOST_SPANS) return false;
    if (touched === 1) Object.assign(spans[place], { from, to });
    else spans.splice(place, touched, { from, to });
    return true;
  }
}
