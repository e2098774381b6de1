/**
 * What was lost in one round trip, and whether a full queue has lost it.
 *
 * BBR counts each loss above 2% as a sign of congestion (draft-ietf-ccwg-bbr, section 5.5.10.2). A radio loses more than
 * that at any rate. As in TCP Veno (Fu and Liew 2003), a loss counts only while the round trip is longer than the
 * shortest: then datagrams wait in a queue. What is lost without one is how much this way always loses.
 *
 * @module
 */
import { MAX_DATA_BYTES } from "../packets.ts";
import type { Feedback } from "./congestion_control.ts";

/**
 * What a way may lose above what it always loses: the `LossThresh` of BBR. A few packets are no share:
 * they are judged when there are so many octets, if more than one packet is lost.
 */
const LOSS_THRESHOLD = 0.02, MIN_BYTES = 20_000, MIN_LOST_BYTES = 2000;
/** How much more than what it always loses may be lost by chance: a factor, and so many standard deviations. */
const CHANCE_FACTOR = 1.5, CHANCE_DEVIATIONS = 1.5, PACKET_BYTES = MAX_DATA_BYTES;
/**
 * There is a queue when the mean round trip is so much longer than the shortest: by so many milliseconds, as event loops
 * are late, and by a share of the shortest, up to so many milliseconds. A short queue has 20.
 */
const QUEUE_MS = 2, QUEUE_SHARE = 0.1, MAX_QUEUE_SHARE_MS = 4;
/** The weight of a round trip of so many octets in the mean of what is always lost. */
const WEIGHT = 1 / 4, FULL_WEIGHT_BYTES = 100_000;

/** What a round trip has shown. */
export interface RoundOutcome {
  /** Whether a queue was so full that it lost packets. */
  isCongested: boolean;
  /** The mean round trip in milliseconds; undefined if none was measured. */
  roundTrip: number | undefined;
  /** The most octets that were under way when one of its packets was sent. */
  underWay: number;
}

/** Collects what a round trip shows. */
export class RoundLosses {
  #lost = 0;
  #arrived = 0;
  /** The round trips that were measured since losses were judged, and in the last round trip. */
  readonly #since = new Mean();
  readonly #last = new Mean();
  #underWay = 0;
  #usual = 0;

  /** The share that is lost where there is no queue, from 0 to 1. */
  get usual(): number {
    return this.#usual;
  }

  note({ lost, arrived, roundTrip, sample }: Feedback): void {
    this.#lost += lost;
    this.#arrived += arrived;
    if (sample) this.#underWay = Math.max(this.#underWay, sample.underWay);
    if (roundTrip === undefined) return;
    this.#since.add(roundTrip);
    this.#last.add(roundTrip);
  }

  /** Ends a round trip, and begins the next one. `shortest` is the shortest round trip in milliseconds. */
  end(shortest: number): RoundOutcome {
    const roundTrip = this.#last.take(), underWay = this.#underWay;
    this.#underWay = 0;
    return { isCongested: this.#judge(shortest), roundTrip, underWay };
  }

  #judge(shortest: number): boolean {
    const lost = this.#lost, all = lost + this.#arrived;
    if (all < MIN_BYTES) return false;
    this.#lost = this.#arrived = 0;
    const roundTrip = this.#since.take(), share = lost / all, usual = this.#usual;
    if (roundTrip === undefined) return false;
    if (roundTrip > shortest + QUEUE_MS + Math.min(MAX_QUEUE_SHARE_MS, QUEUE_SHARE * shortest)) {
      const deviation = Math.sqrt(usual * (1 - usual) * PACKET_BYTES / all);
      const most = LOSS_THRESHOLD + CHANCE_FACTOR * usual + CHANCE_DEVIATIONS * deviation;
      return lost >= MIN_LOST_BYTES && share > most;
    }
    this.#usual += WEIGHT * Math.min(1, all / FULL_WEIGHT_BYTES) * (share - usual);
    return false;
  }
}

class Mean {
  #sum = 0;
  #count = 0;

  add(value: number): void {
    this.#sum += value;
    this.#count++;
  }

  /** The mean, undefined of nothing; begins anew. */
  take(): number | undefined {
    const mean = this.#count > 0 ? this.#sum / this.#count : undefined;
    this.#sum = this.#count = 0;
    return mean;
  }
}
