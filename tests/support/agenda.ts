/**
 * What is to be run at given times, in virtual time.
 *
 * @module
 */

interface Entry {
  at: number;
  /** Breaks ties: what was added first runs first. */
  order: number;
  run: () => void;
}

/** The actions that wait, in a binary heap. */
export class Agenda {
  readonly #heap: Entry[] = [];
  #added = 0;

  /** When the first one is due; Infinity when there is none. */
  get nextAt(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  add(at: number, run: () => void): void {
    const heap = this.#heap, entry = { at, order: this.#added++, run };
    let place = heap.push(entry) - 1;
    for (let above; place > 0 && isBefore(entry, heap[above = (place - 1) >> 1]); place = above) {
      heap[place] = heap[above];
    }
    heap[place] = entry;
  }

  /** Runs the first one, and forgets it. Does nothing when there is none. */
  runFirst(): void {
    const heap = this.#heap, first = heap[0], last = heap.pop();
    if (!last) return;
    if (heap.length > 0) {
      let place = 0;
      for (let below; (below = 2 * place + 1) < heap.length; place = below) {
        if (below + 1 < heap.length && isBefore(heap[below + 1], heap[below])) below++;
        if (!isBefore(heap[below], last)) break;
        heap[place] = heap[below];
      }
      heap[place] = last;
    }
    first.run();
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || one.at === other.at && one.order < other.order;
}
