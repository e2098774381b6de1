/**
 * Chooses what the server is asked for at one time.
 *
 * @module
 */

/** A range of seqs, both ends included. */
export interface SeqRange {
  from: number;
  to: number;
}

/** How many ranges are asked for at once. */
const MAX_RANGES = 8;
/** How many of them are left for disputed events, however many are missing. */
const RANGES_FOR_DISPUTES = 2;
/**
 * How many disputed events are asked for at once. A server answers a few hundred a second (ours 500), and what is
 * missing must not wait until it answers again.
 */
const MAX_DISPUTES = 64;
/** Disputed events that are no further apart are asked for together. */
const MAX_DISTANCE = 4;

/** What a feed knows of its line. */
export interface LineState {
  /** The seq of the next event to deliver. */
  next: number;
  /** The last seq to ask for. */
  end: number;
  /** How many missing events are asked for at most. */
  most?: number;
  /** Whether an event from `next` on is here, and nobody disputes it. */
  isHere: (seq: number) => boolean;
  /** The seqs of disputed events, in any order. */
  disputed: Iterable<number>;
}

/**
 * The ranges to ask for: first what is missing, because all behind it waits, then the latest of the events that were
 * delivered and are disputed.
 */
export function chooseRanges({ next, end, most = Infinity, isHere, disputed }: LineState): SeqRange[] {
  const latest = [...disputed].filter((seq) => seq < next).sort((a, b) => b - a).slice(0, MAX_DISPUTES);
  const disputes: SeqRange[] = [];
  for (const seq of latest) {
    const range = disputes.at(-1);
    if (range && range.from - seq <= MAX_DISTANCE) range.from = seq;
    else disputes.push({ from: seq, to: seq });
  }
  const gaps: SeqRange[] = [];
  const maxGaps = MAX_RANGES - Math.min(RANGES_FOR_DISPUTES, disputes.length);
  for (let seq = next, left = most; seq <= end; seq++) {
    if (isHere(seq)) continue;
    if (left-- <= 0) break;
    const range = gaps.at(-1);
    if (range?.to === seq - 1) range.to = seq;
    else if (gaps.length === maxGaps) break;
    else gaps.push({ from: seq, to: seq });
  }
  return [...gaps, ...disputes.slice(0, MAX_RANGES - gaps.length)];
}
