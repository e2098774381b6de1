/**
 * BBR: sends at the rate that the way delivers, with about as much under way as fits into it without a queue. From
 * Cardwell, Cheng, Gunn, Yeganeh and Jacobson, "BBR: Congestion-Based Congestion Control" (2016), and the third version
 * of it in draft-ietf-ccwg-bbr, whose sections are named below. Other than there: round_losses.ts says which losses
 * count, the windows are smaller, so that a queue stays short for chat, and a long way is probed more gently.
 *
 * @module
 */
import { MAX_DATA_BYTES } from "../packets.ts";
import type { CongestionControl, Feedback } from "./congestion_control.ts";
import { MaxFilter } from "./max_filter.ts";
import { RoundLosses, type RoundOutcome } from "./round_losses.ts";

const PACKET_BYTES = MAX_DATA_BYTES;
/** RFC 6928: ten packets before anything is known; here at this pace, in octets a millisecond. */
const INITIAL_WINDOW_BYTES = 10 * PACKET_BYTES, INITIAL_PACING = PACKET_BYTES / 2;
/** The least under way (section 2.7), and the slowest pace, in octets a millisecond. */
const MIN_WINDOW_BYTES = 3 * PACKET_BYTES, MIN_PACING = PACKET_BYTES / 20;
/** Section 5.3.1.2: the way is full when the rate has not grown by this factor in so many round trips. */
const FULL_GROWTH = 1.25, FULL_ROUNDS = 3;
/**
 * Section 5.3.3: how much faster than the way it is probed for more. On a long way the probe begins more gently: in a
 * round trip it makes a queue of no more than so many milliseconds, if it can. It grows where there was room.
 */
const PROBE_GAIN = 0.25, MIN_PROBE_GAIN = 0.08, PROBE_QUEUE_MS = 10;
/** A probe ends when there is a queue of this share of the shortest round trip, and so many milliseconds. */
const QUEUE_SHARE = 0.25, QUEUE_MS = 4;
/** RFC 9406 (HyStart++): the beginning ends when so many round trips in a row show one; event loops are late at times. */
const STARTUP_QUEUE_MS = 10, STARTUP_SAMPLES = 8;
/** A probe has so many round trips at least: the first one still sends into the old rate. */
const MIN_PROBE_ROUNDS = 2;
/** The pause between probes in milliseconds, random so that flows do not probe together; and in round trips. */
const MIN_PAUSE_MS = 600, MAX_PAUSE_MS = 1200, MIN_PAUSE_ROUNDS = 10;
/** Behind a probe that has found a full queue the pause is longer: a TCP flow there needs time to grow. */
const FULL_PAUSE_FACTOR = 3;
/** Section 5.5.9: so many milliseconds more for late acknowledgements and timers, with bounds in octets. */
const ALLOWANCE_MS = 3, MIN_ALLOWANCE_BYTES = 2 * PACKET_BYTES, MAX_ALLOWANCE_BYTES = 64 * PACKET_BYTES;
/**
 * Section 2.7: the share that is left of the window when a queue was full, and the share of that which is used between
 * probes, so that others find room: 0.85 in the draft.
 */
const BETA = 0.7, HEADROOM = 0.8;
/** Section 5.3.4: the shortest round trip is measured anew after so long, for so long. */
const PROBE_RTT_PAUSE_MS = 5000, PROBE_RTT_MS = 200;
/** What a way that always loses some of it gets more while it is probed, has this limit. */
const MAX_USUAL_LOSS = 0.2;
/** For how long the queue of a probe is emptied at most: so many round trips, and milliseconds. */
const MAX_DOWN_ROUNDS = 4, MAX_DOWN_MS = 100;

/**
 * Section 5.3: the beginning; its queue is emptied; a probe for more; its queue is emptied; the pause behind it; the
 * shortest round trip is measured anew.
 */
type State = "startup" | "drain" | "up" | "down" | "cruise" | "probe-rtt";

/** How many times the rate of the way is sent. */
const GAINS = { startup: 2.77, drain: 0.5, up: 1 + PROBE_GAIN, down: 0.75, cruise: 1, "probe-rtt": 1 };
/** How many times the bandwidth-delay product is under way at most: 2 in the draft, and 2.25 in a probe. */
const WINDOW_GAINS = { startup: 2.77, drain: 2.77, up: 1.75, down: 1.5, cruise: 1.5, "probe-rtt": 0.5 };

/** The congestion control of one way. */
export class Bbr implements CongestionControl {
  readonly #random: () => number;
  #limit = Infinity;
  #model: Model;

  /** @param random Gives a number from 0 to 1. */
  constructor(now: number, random: () => number) {
    this.#random = random;
    this.#model = new Model(now, random);
  }

  get pacing(): number {
    return Math.min(this.#limit, this.#model.pacing);
  }

  get window(): number {
    return this.#model.window;
  }

  note(feedback: Feedback, now: number): void {
    this.#model.note(feedback, now);
  }

  noteSilence(): void {
    this.#model.isSilent = true;
  }

  changeWay(now: number): void {
    this.#model = new Model(now, this.#random);
  }

  limit(rate: number): void {
    this.#limit = Math.max(MIN_PACING, rate);
  }
}

/** What is known of the way, and what is being found out. */
class Model {
  /** Set when nothing was acknowledged for long; the next acknowledgement ends it. */
  isSilent = false;
  readonly #random: () => number;
  #state: State = "startup";
  #since: number;
  /** The rates that were delivered, by the probe in which they were: the greatest of the last two counts. */
  readonly #rates = new MaxFilter();
  #probes = 0;
  #shortest = Infinity;
  #shortestAt = 0;
  /** The shortest round trip since it is measured anew. */
  #newShortest = Infinity;
  #newShortestUntil: number | undefined;
  /** A round trip ends when a packet is acknowledged that was sent when so much was delivered. */
  #roundEnd = 0;
  readonly #losses = new RoundLosses();
  #fullRate = 0;
  #fullRounds = 0;
  #isFull = false;
  /** How many round trips in a row were long. */
  #longOnes = 0;
  /** The `inflight_longterm` and `inflight_shortterm` of the draft: what a queue has been too small for. */
  #longTerm = Infinity;
  #shortTerm = Infinity;
  #pause = 0;
  /** Whether the last probe has found a full queue. */
  #wasFull = false;
  #probeRounds = 0;
  #probeRate = 0;

  constructor(now: number, random: () => number) {
    this.#since = now;
    this.#random = random;
  }

  /** Octets a millisecond; 0 before any was measured. */
  get rate(): number {
    return this.#rates.max;
  }

  get pacing(): number {
    return this.rate > 0 ? Math.max(MIN_PACING, this.#gain * this.rate) : INITIAL_PACING;
  }

  get window(): number {
    if (this.isSilent) return MIN_WINDOW_BYTES;
    if (!(this.rate > 0)) return INITIAL_WINDOW_BYTES;
    const allowance = Math.min(MAX_ALLOWANCE_BYTES, Math.max(MIN_ALLOWANCE_BYTES, ALLOWANCE_MS * this.rate));
    const isProbing = this.#state === "startup" || this.#state === "up";
    const most = Math.min(this.#shortTerm, isProbing ? this.#longTerm : HEADROOM * this.#longTerm);
    return Math.max(MIN_WINDOW_BYTES, Math.min(most, WINDOW_GAINS[this.#state] * this.#product + allowance));
  }

  note(feedback: Feedback, now: number): void {
    const { roundTrip, sample, delivered, underWay } = feedback;
    // what an outage has lost says nothing of a queue
    this.#losses.note(this.isSilent ? { ...feedback, lost: 0 } : feedback);
    if (feedback.arrived > 0) this.isSilent = false;
    if (roundTrip !== undefined) this.#noteRoundTrip(roundTrip, now);
    if (sample) {
      const counts = sample.rate > 0 && (!sample.isLimited || sample.rate >= this.rate);
      if (counts) this.#rates.add(this.#probes, sample.rate);
      if (sample.delivered >= this.#roundEnd) {
        this.#roundEnd = delivered;
        this.#endRound(this.#losses.end(this.#shortest), sample.isLimited, now);
      }
    }
    this.#advance(underWay, now);
  }

  /** The bandwidth-delay product in octets. */
  get #product(): number {
    return this.rate * this.#shortest;
  }

  get #gain(): number {
    if (this.#state !== "up") return GAINS[this.#state];
    return (1 + this.#probeGain) / (1 - Math.min(MAX_USUAL_LOSS, this.#losses.usual));
  }

  get #probeGain(): number {
    const first = Math.max(MIN_PROBE_GAIN, Math.min(PROBE_GAIN, PROBE_QUEUE_MS / this.#shortest));
    return Math.min(PROBE_GAIN, first * Math.max(1, this.#probeRounds + 1 - MIN_PROBE_ROUNDS));
  }

  #noteRoundTrip(roundTrip: number, now: number): void {
    this.#newShortest = Math.min(this.#newShortest, roundTrip);
    if (this.#state === "startup") {
      const isLong = roundTrip > (1 + QUEUE_SHARE) * this.#shortest + STARTUP_QUEUE_MS;
      this.#longOnes = isLong ? this.#longOnes + 1 : 0;
      if (this.#longOnes >= STARTUP_SAMPLES) this.#isFull = true;
    }
    if (roundTrip > this.#shortest) return;
    this.#shortest = roundTrip;
    this.#shortestAt = now;
  }

  #endRound({ isCongested, roundTrip, underWay }: RoundOutcome, isLimited: boolean, now: number): void {
    if (this.#state === "startup") {
      if (!isLimited) this.#noteGrowth();
      if (roundTrip !== undefined && roundTrip > (1 + QUEUE_SHARE) * this.#shortest + STARTUP_QUEUE_MS) {
        this.#isFull = true;
      }
      if (isCongested) {
        this.#isFull = true;
        this.#longTerm = Math.max(this.#product, BETA * underWay);
      }
    } else if (isCongested) this.#makeRoom(underWay, now);
    else if (this.#state === "up") this.#endProbeRound(roundTrip, underWay, now);
  }

  #noteGrowth(): void {
    if (this.rate >= FULL_GROWTH * this.#fullRate) {
      this.#fullRate = this.rate;
      this.#fullRounds = 0;
    } else if (++this.#fullRounds >= FULL_ROUNDS) this.#isFull = true;
  }

  /** Sections 5.5.10.2 and 5.5.10.3: a queue was full. */
  #makeRoom(underWay: number, now: number): void {
    if (this.#state === "up") {
      this.#wasFull = true;
      this.#longTerm = Math.max(MIN_WINDOW_BYTES, BETA * Math.min(underWay, this.#longTerm));
      this.#enter("down", now);
    } else this.#shortTerm = Math.max(MIN_WINDOW_BYTES, BETA * Math.min(underWay, this.#shortTerm));
  }

  /** A probe goes on as long as it finds more and makes no queue. */
  #endProbeRound(roundTrip: number | undefined, underWay: number, now: number): void {
    this.#probeRounds++;
    if (underWay + 2 * PACKET_BYTES >= this.#longTerm) this.#longTerm *= 1 + PROBE_GAIN;
    const hasGrown = this.rate >= (1 + this.#probeGain / 4) * this.#probeRate;
    this.#probeRate = this.rate;
    const hasQueue = roundTrip !== undefined && roundTrip > (1 + QUEUE_SHARE) * this.#shortest + QUEUE_MS;
    if (this.#probeRounds >= MIN_PROBE_ROUNDS && (hasQueue || !hasGrown)) {
      this.#wasFull = false;
      this.#enter("down", now);
    }
  }

  #enter(state: State, now: number): void {
    this.#state = state;
    this.#since = now;
    if (state === "up") {
      this.#rates.expire(this.#probes++);
      this.#probeRounds = 0;
      this.#probeRate = this.rate;
      this.#shortTerm = Infinity;
    } else if (state === "cruise") {
      const factor = this.#wasFull ? FULL_PAUSE_FACTOR : 1;
      const pause = factor * (MIN_PAUSE_MS + (MAX_PAUSE_MS - MIN_PAUSE_MS) * this.#random());
      this.#pause = Math.max(pause, MIN_PAUSE_ROUNDS * this.#shortest);
    } else if (state === "probe-rtt") {
      this.#newShortest = Infinity;
      this.#newShortestUntil = undefined;
    }
  }

  #advance(underWay: number, now: number): void {
    const elapsed = now - this.#since, product = this.#product;
    if (this.#state === "startup" && this.#isFull) this.#enter("drain", now);
    else if (this.#state === "drain" && underWay <= product + 2 * PACKET_BYTES) this.#enter("down", now);
    else if (this.#state === "down") {
      const isEmpty = underWay <= Math.min(product, HEADROOM * this.#longTerm) + PACKET_BYTES;
      if (isEmpty || elapsed > MAX_DOWN_ROUNDS * this.#shortest + MAX_DOWN_MS) this.#enter("cruise", now);
    } else if (this.#state === "cruise" && elapsed >= this.#pause) this.#enter("up", now);
    else if (this.#state === "probe-rtt") this.#measureShortest(underWay, now);
    const isOld = now - this.#shortestAt > PROBE_RTT_PAUSE_MS && this.#shortest < Infinity;
    if (isOld && this.#state !== "probe-rtt") this.#enter("probe-rtt", now);
  }

  #measureShortest(underWay: number, now: number): void {
    if (underWay <= this.window) this.#newShortestUntil ??= now + Math.max(PROBE_RTT_MS, this.#shortest);
    if (!(now >= this.#newShortestUntil!)) return;
    if (this.#newShortest < Infinity) this.#shortest = this.#newShortest;
    this.#shortestAt = now;
    this.#enter(this.#isFull ? "cruise" : "startup", now);
  }
}
