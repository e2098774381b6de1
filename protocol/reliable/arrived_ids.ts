/**
 * Which packets have arrived, as ranges of their numbers, so that one acknowledgement tells of many.
 *
 * @module
 */
import type { SeqRange } from "./requested_ranges.ts";

/** The numbers of packets that have arrived: only so many ranges of the greatest are remembered. */
export class ArrivedIds {
  readonly #most: number;
  /** The greatest first. None touches the next. */
  readonly #ranges: SeqRange[] = [];

  /** @param most How many ranges are remembered. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The greatest number; 0 before the first. */
  get greatest(): number {
    return this.#ranges[0]?.to ?? 0;
  }

  /** Copies of the ranges, the greatest first. */
  get ranges(): SeqRange[] {
    return this.#ranges.map(({ from, to }) => ({ from, to }));
  }

  /** Notes a number. Returns whether it is the greatest, and some before it are missing. */
  add(id: number): boolean {
    const ranges = this.#ranges, first = ranges[0];
    // nearly all packets come in order
    if (first && id === first.to + 1) {
      first.to = id;
      return false;
    }
    let place = 0;
    while (place < ranges.length && ranges[place].from > id + 1) place++;
    const range = ranges[place];
    if (!range || range.to < id - 1) {
      ranges.splice(place, 0, { from: id, to: id });
      if (ranges.length > this.#most) ranges.pop();
      return place === 0 && ranges.length > 1;
    }
    range.to = Math.max(range.to, id);
    range.from = Math.min(range.from, id);
    const below = ranges[place + 1];
    if (below && below.to >= range.from - 1) {
      range.from = below.from;
      ranges.splice(place + 1, 1);
    }
    return false;
  }
}
