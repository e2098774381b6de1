/**
 * Estimates which share of the datagrams from the server is lost.
 *
 * @module
 */
import type { SeqRange } from "./requested_ranges.ts";
import type { RoundTrip } from "./round_trip.ts";

/** The weight of the latest datagram in the estimate, once there were many. */
const WEIGHT = 1 / 32;
/** How many datagrams that arrived are thought of before the first one, so that one loss does not count as all. */
const ASSUMED = 3;
/** How much of a lost round trip was lost on the way back: either way may have lost it. */
const SHARE_OF_ROUND_TRIP = 1 / 2;
/** How many times the share that answers to greetings lose the events may lose, and how much more, by chance. */
const CHANCE_FACTOR = 2, CHANCE_SHARE = 0.01;
/** The most in a row that count as lost. If there are more, the server or the network was away. */
const MOST_IN_A_ROW = 4;
/** How many of the last events are remembered. */
const REMEMBERED = 128;

/**
 * The share of datagrams that is lost on the way to this program, from two things that are there anyhow: the first
 * copies of the room's events, which have numbers without a gap, and the answers to greetings.
 */
export class LossEstimate {
  readonly #roundTrip: RoundTrip;
  /**
   * The events that came of late, or are missing. Of those that are lost only a further copy has come so far, or a repeat;
   * those that were missed while the network was away do not count.
   */
  readonly #events = new Map<number, "came" | "lost" | "away">();
  /** How many events in a row have not come. */
  #missedInARow = 0;
  readonly #all = new Average();
  readonly #answers = new Average();
  /** The last event that was there before this program was: its first copy was sent to others only. */
  #before = 0;

  constructor(roundTrip: RoundTrip) {
    this.#roundTrip = roundTrip;
  }

  /** The share that is lost, from 0 to 1. */
  get share(): number {
    return this.#all.value;
  }

  /**
   * The share for which further copies help, from 0 to 1. None while datagrams wait in a queue on the way: what is lost
   * there is lost because there is too much already. So it is with a short queue into which the copies of one event for
   * many members do not fit: they are lost, and the answers to greetings, which come one by one, are not.
   */
  get curable(): number {
    if (this.#roundTrip.isQueueing) return 0;
    return Math.min(this.share, CHANCE_FACTOR * this.#answers.value + CHANCE_SHARE);
  }

  /** The same in percent, as greetings have it; undefined for none. */
  get percent(): number | undefined {
    return Math.round(100 * this.curable) || undefined;
  }

  /** Begins to count the events behind `seq`. */
  begin(seq: number): void {
    this.#events.clear();
    this.#before = seq;
  }

  /**
   * Notes that an event has come.
   *
   * @param isFirstCopy Whether it is the copy that all members get, not a further one or the answer to a RESEND.
   * @param isNew Whether its place was open.
   */
  noteEvent(seq: number, isFirstCopy: boolean, isNew: boolean): void {
    const fate = this.#events.get(seq);
    if (fate === undefined) {
      if (isNew && seq > this.#before) this.#note(seq, isFirstCopy);
    } else if (isFirstCopy) {
      // it was only late
      if (fate === "lost") this.#all.takeBack();
      this.#events.set(seq, "came");
      this.#missedInARow = 0;
    }
  }

  /** Notes that these events are missing: others behind them are here. */
  noteMissing({ from, to }: SeqRange): void {
    const first = Math.max(from, this.#before + 1);
    for (let seq = first; seq <= Math.min(to, first + MOST_IN_A_ROW - 1); seq++) {
      if (!this.#events.has(seq)) this.#note(seq, false);
    }
  }

  /** Notes an answer to a greeting, and how many greetings before it had none. */
  noteAnswer(unanswered: number): void {
    const samples = [...Array(Math.min(unanswered, MOST_IN_A_ROW)).fill(SHARE_OF_ROUND_TRIP), 0];
    for (const lost of samples) {
      this.#all.add(lost);
      this.#answers.add(lost);
    }
  }

  #note(seq: number, hasCome: boolean): void {
    this.#missedInARow = hasCome ? 0 : this.#missedInARow + 1;
    const fate = hasCome ? "came" : this.#missedInARow <= MOST_IN_A_ROW ? "lost" : "away";
    this.#events.set(seq, fate);
    if (fate !== "away") this.#all.add(hasCome ? 0 : 1);
    if (this.#events.size > REMEMBERED) this.#events.delete(this.#events.keys().next().value!);
  }
}

/** An average of samples from 0 to 1 in which the latest count most. It begins with 0. */
class Average {
  value = 0;
  #samples = ASSUMED;

  get #weight(): number {
    return Math.max(WEIGHT, 1 / this.#samples);
  }

  add(sample: number): void {
    this.#samples++;
    this.value += this.#weight * (sample - this.value);
  }

  /** Makes a sample that was 1 a 0. */
  takeBack(): void {
    this.value = Math.max(0, this.value - this.#weight);
  }
}
