/**
 * Keeps events as bytes, the oldest first. As objects the garbage collector would have to copy and to look through them
 * for as long as they are kept, and thousands of them made a room wait for milliseconds.
 *
 * @module
 */
import { byteLength, decodeUtf8, isLongerThan, writeUtf8 } from "../../protocol/utf8.ts";

/** The size of a page in bytes: some eighty messages. */
const PAGE_BYTES = 16_384;
/** Roughly how much memory an event takes beside its bytes: its place in a page, and what is left free there. */
const PLACE_BYTES = 100;

/** Some events, one behind the other. */
interface Page {
  bytes: Uint8Array;
  seqs: number[];
  /** Where each of them ends. */
  ends: number[];
  /** The index of the oldest one that is kept. */
  head: number;
}

/** Events that come and go in the order of their seqs. It has at least the latest one, whatever its size. */
export class EventPages {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  /** None of them is empty. */
  readonly #pages: Page[] = [];
  /** The memory of a page that was dropped, for the next one. */
  #spare: Uint8Array | undefined;
  #size = 0;
  #bytes = 0;

  /**
   * @param maxEvents The most events that are kept.
   * @param maxBytes The most bytes that they may take, approximately.
   */
  constructor(maxEvents: number, maxBytes: number) {
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  /** How many events are kept. */
  get size(): number {
    return this.#size;
  }

  /** The seq of the oldest event; Infinity if there is none. */
  get oldest(): number {
    const page = this.#pages[0];
    return page ? page.seqs[page.head] : Infinity;
  }

  /** Adds an event, as a text, and adds the seqs of those that there is no room for any more to `dropped`. */
  add(seq: number, text: string, dropped: number[]): void {
    const page = this.#pageFor(text), start = endOf(page);
    const end = writeUtf8(text, page.bytes, start);
    page.seqs.push(seq);
    page.ends.push(end);
    this.#size++;
    this.#bytes += end - start + PLACE_BYTES;
    while (this.#size > this.#maxEvents || this.#bytes > this.#maxBytes && this.#size > 1) dropped.push(this.#drop());
  }

  /** Drops the events before a seq, and adds their seqs to `dropped`. */
  dropBefore(seq: number, dropped: number[]): void {
    while (this.oldest < seq) dropped.push(this.#drop());
  }

  /** The text of the event with a seq; undefined if it is not kept. */
  get(seq: number): string | undefined {
    const page = this.#pageOf(seq);
    const index = page ? page.seqs.indexOf(seq, page.head) : -1;
    return index < 0 ? undefined : decodeUtf8(page!.bytes.subarray(startOf(page!, index), page!.ends[index]));
  }

  /** The page that has the event with a seq, if any has it, by binary search. */
  #pageOf(seq: number): Page | undefined {
    let low = 0, high = this.#pages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#pages[middle].seqs[0] <= seq) low = middle + 1;
      else high = middle;
    }
    return this.#pages[low - 1];
  }

  /** The last page if a text fits into what is left of it, otherwise a new one. */
  #pageFor(text: string): Page {
    const last = this.#pages.at(-1);
    if (last && !isLongerThan(text, last.bytes.length - endOf(last))) return last;
    const length = byteLength(text);
    const spare = this.#spare && this.#spare.length >= length ? this.#spare : undefined;
    this.#spare = undefined;
    const page = { bytes: spare ?? new Uint8Array(Math.max(PAGE_BYTES, length)), seqs: [], ends: [], head: 0 };
    this.#pages.push(page);
    return page;
  }

  /** Drops the oldest event, and returns its seq. */
  #drop(): number {
    const page = this.#pages[0], { seqs, ends, head } = page;
    this.#size--;
    this.#bytes -= ends[head] - startOf(page, head) + PLACE_BYTES;
    if (++page.head === seqs.length) {
      this.#pages.shift();
      if (page.bytes.length === PAGE_BYTES) this.#spare = page.bytes;
    }
    return seqs[head];
  }
}

function startOf({ ends }: Page, index: number): number {
  return index === 0 ? 0 : ends[index - 1];
}

/** Where the next event begins. */
function endOf(page: Page): number {
  return startOf(page, page.ends.length);
}
