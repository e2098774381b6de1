/**
 * Compares the events that were delivered with the digests that the server names, so that a forged event is noticed
 * although the true one was lost.
 *
 * @module
 */
import { isBare, type Place } from "./event_place.ts";
import { digestAfter, digestBefore, type Hash } from "./line_digest.ts";

/** The digest of all events up to a seq, as the server names it. */
export interface Checkpoint {
  seq: number;
  digest: string;
}

/** What a comparison has shown of the events from one seq to another, both included. */
export interface Finding {
  from: number;
  to: number;
  /** Whether they are the server's; undefined when that can't be computed, because not all of them are known here. */
  isTrue: boolean | undefined;
}

/** Compares the delivered events with the server's digests. */
export class LineCheck {
  readonly #hash: Hash | undefined;
  /** What the next comparison begins behind; undefined before the first digest. */
  #base: Checkpoint | undefined;
  /**
   * What is still to be compared: the first checkpoint behind the base, and the latest. The first is kept although there
   * are later ones, or a line that always lags would never be compared.
   */
  #waiting: Checkpoint[] = [];
  /**
   * Whether the first that waits was compared and differs, while some of its events are disputed. It saves the hashing:
   * otherwise each event of a flood would cost that of up to thousands.
   */
  #differs = false;

  /** @param hash Without it nothing is compared. */
  constructor(hash: Hash | undefined) {
    this.#hash = hash;
  }

  /** Begins another epoch with the events behind `seq`. */
  begin(epoch: string, seq: number): void {
    this.#base = seq === 0 ? { seq, digest: digestBefore(epoch) } : undefined;
    this.#waiting = [];
    this.#differs = false;
  }

  /** Notes a digest that the server has named. */
  note(checkpoint: Checkpoint): void {
    if (this.#base === undefined) this.#base = checkpoint;
    const known = [this.#base, ...this.#waiting];
    const { seq, digest } = checkpoint;
    // a server that was started again has another digest for the same events
    for (const other of known) if (other.seq === seq) other.digest = digest;
    if (seq <= known.at(-1)!.seq) return;
    this.#waiting.splice(1, 1, checkpoint);
  }

  /**
   * Compares the events up to the first checkpoint that waits, if they are all delivered. If they differ, and some of
   * them are disputed, it waits until the server has decided about these, because they may be all that differs.
   *
   * @param next The seq of the next event to deliver.
   */
  compare(next: number, delivered: ReadonlyMap<number, Place>, disputed: Iterable<number>): Finding | undefined {
    const [checkpoint] = this.#waiting;
    if (!this.#hash || !this.#base || !checkpoint || checkpoint.seq >= next) return undefined;
    const from = this.#base.seq + 1, to = checkpoint.seq;
    const isDisputed = hasIn(disputed, from, to);
    if (this.#differs && isDisputed) return undefined;
    const digest = this.#digestOf(delivered, from, to, this.#hash);
    const isTrue = digest === undefined ? undefined : digest === checkpoint.digest;
    this.#differs = isTrue === false && isDisputed;
    if (this.#differs) return undefined;
    this.#base = checkpoint;
    this.#waiting.shift();
    return { from, to, isTrue };
  }

  /** The digest up to `to`; undefined when an event is not known here as the server has said it first. */
  #digestOf(delivered: ReadonlyMap<number, Place>, from: number, to: number, hash: Hash): string | undefined {
    let { digest } = this.#base!;
    for (let seq = from; seq <= to; seq++) {
      const { event, isVouched } = delivered.get(seq) ?? {};
      // only the server itself may leave out the members of a notice
      if (!event || isVouched && isBare(event)) return undefined;
      digest = digestAfter(digest, event, hash);
    }
    return digest;
  }
}

function hasIn(seqs: Iterable<number>, from: number, to: number): boolean {
  for (const seq of seqs) if (seq >= from && seq <= to) return true;
  return false;
}
