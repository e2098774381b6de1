/**
 * What is under way of a file: which packets have arrived, which are lost, and when that is to be looked at again.
 *
 * @module
 */
import { DeliveryRate, type RateSample } from "./delivery_rate.ts";
import type { SeqRange } from "./requested_ranges.ts";
import { SentLog, type SentPacket } from "./sent_log.ts";

/**
 * RFC 9002, section 6.1.1: a packet is lost if one is acknowledged that was sent so many later. Where packets overtake
 * each other by more, it grows up to a limit; without such, it shrinks again after so many round trips.
 */
const PACKET_THRESHOLD = 3, MAX_PACKET_THRESHOLD = 300, CALM_ROUND_TRIPS = 16;
/** RFC 9002, section 6.1.2: the time threshold, in round trips, and the shortest, in milliseconds. */
const TIME_THRESHOLD = 9 / 8, MAX_TIME_THRESHOLD = 2, GRANULARITY_MS = 1;
/** RFC 9002, section 6.2.2: the round trip before the first is measured, in milliseconds. */
const INITIAL_ROUND_TRIP_MS = 150;
/**
 * How much longer than the round trip a probe waits at least, in milliseconds: the receiver delays its acknowledgement,
 * and busy event loops are late.
 */
const PROBE_MARGIN_MS = 15;
/** The longest wait for a probe, in milliseconds: a way that is back is found within this time. */
const MAX_PROBE_WAIT_MS = 1000;
/** For how many round trips, and milliseconds, a lost packet is remembered: it may only be late. */
const REMEMBERED_ROUND_TRIPS = 3, REMEMBERED_MS = 500;
/** How many packets are remembered at most, lost ones included. */
const MOST_REMEMBERED = 1 << 15;
/** RFC 9000, section 21.4: one number in so many is left out, at least and at most. */
const LEAST_SKIP = 32, MOST_SKIP = 256;

/** What has become of packets. */
export interface Outcome {
  /** The packets that have arrived, and those that count as lost from now on. */
  arrived: SentPacket[];
  lost: SentPacket[];
  roundTrip: number | undefined;
  sample: RateSample | undefined;
}

/** The packets of one file that are under way. All times are milliseconds. */
export class SentData {
  readonly #random: () => number;
  readonly #log = new SentLog();
  readonly #rate = new DeliveryRate();
  /** Those before it are settled, or count as lost. */
  #lostBefore = 1;
  /** Those before it were sent on another way. */
  #wayFrom = 1;
  /** When all that was sent on another way counts as lost. */
  #otherWayUntil = Infinity;
  #greatest = 0;
  #skipped: number[] = [];
  #skipAt: number;
  #underWay = 0;
  #lastSentAt = 0;
  #probes = 0;
  #smoothed: number | undefined;
  #variation = 0;
  #shortest = Infinity;
  #packetThreshold = PACKET_THRESHOLD;
  #timeThreshold = TIME_THRESHOLD;
  #lastSpuriousAt = 0;
  #late = 0;

  constructor(random: () => number) {
    this.#random = random;
    this.#skipAt = this.#someLater(1);
  }

  /** How many octets are under way. */
  get underWay(): number {
    return this.#underWay;
  }

  /** How many octets have arrived, as far as packets were acknowledged by their numbers. */
  get delivered(): number {
    return this.#rate.delivered;
  }

  /** The number of the first packet that was sent on the present way. */
  get wayFrom(): number {
    return this.#wayFrom;
  }

  /** The smoothed round trip, in milliseconds. */
  get roundTrip(): number | undefined {
    return this.#smoothed;
  }

  /** How many packets that counted as lost were only late. */
  get late(): number {
    return this.#late;
  }

  /** How many probes were sent since anything was acknowledged. */
  get probes(): number {
    return this.#probes;
  }

  /** When {@linkcode detectLosses} is to be called though nothing has come. */
  get lossDueAt(): number | undefined {
    const oldest = this.#log.open(this.#lostBefore);
    if (oldest && oldest.id < this.#wayFrom) return this.#otherWayUntil;
    if (!oldest || oldest.id > this.#greatest) return undefined;
    return oldest.sentAt + this.#lossDelay;
  }

  /** When a probe is to be sent (RFC 9002, section 6.2); undefined if nothing is under way. */
  get probeDueAt(): number | undefined {
    if (this.#underWay <= 0) return undefined;
    const smoothed = this.#smoothed ?? INITIAL_ROUND_TRIP_MS;
    const variation = this.#smoothed === undefined ? INITIAL_ROUND_TRIP_MS / 2 : this.#variation;
    const wait = (smoothed + Math.max(4 * variation, PROBE_MARGIN_MS)) * 2 ** Math.min(this.#probes, 10);
    return this.#lastSentAt + Math.min(wait, Math.max(MAX_PROBE_WAIT_MS, 2 * smoothed));
  }

  get #lossDelay(): number {
    return Math.max(GRANULARITY_MS, this.#timeThreshold * (this.#smoothed ?? INITIAL_ROUND_TRIP_MS));
  }

  /** Notes that a part is being sent. Returns the number of its packet: no two have the same. */
  send(part: number, length: number, now: number): number {
    const log = this.#log;
    if (log.end >= this.#skipAt) {
      this.#skipped.push(log.end);
      log.skip();
      this.#skipAt = this.#someLater(log.end);
    }
    const id = log.end, stamp = this.#rate.stamp(this.#underWay, now);
    this.#underWay += length;
    log.add({ id, part, length, sentAt: now, underWay: this.#underWay, ...stamp });
    this.#lastSentAt = now;
    return id;
  }

  /** Notes that there is nothing more to send. */
  noteLimited(): void {
    this.#rate.noteLimited(this.#underWay);
  }

  /**
   * Notes that a probe is being sent, unless nothing is under way any more: a copy of what has arrived is not.
   *
   * @returns The oldest packet that is under way.
   */
  probe(hasArrived: (part: number) => boolean): SentPacket | undefined {
    let oldest;
    while ((oldest = this.#log.open(this.#lostBefore)) && hasArrived(oldest.part)) this.#settle(oldest);
    if (oldest) this.#probes++;
    return oldest;
  }

  /** Whether these packets can have arrived: all of them were sent, as far as that is remembered. */
  canHaveArrived(ids: readonly SeqRange[]): boolean {
    for (const { from, to } of ids) {
      if (!(from > 0 && from <= to && to < this.#log.end)) return false;
      for (let i = this.#skipped.length; i-- > 0 && this.#skipped[i] >= from;) {
        if (this.#skipped[i] <= to) return false;
      }
    }
    return true;
  }

  /** Takes an acknowledgement of packets that {@linkcode canHaveArrived}. */
  acknowledge(ids: readonly SeqRange[], delay: number, now: number): Outcome {
    const arrived: SentPacket[] = [], log = this.#log, before = this.#greatest;
    let greatest = 0, roundTrip: number | undefined, spurious = 0;
    for (const { from, to } of ids) {
      greatest = Math.max(greatest, to);
      for (let packet = log.open(from); packet && packet.id <= to; packet = log.open(packet.id + 1)) {
        this.#settle(packet);
        arrived.push(packet);
        if (packet.id < this.#wayFrom) continue;
        if (packet.id < this.#lostBefore) spurious = Math.max(spurious, before - packet.id);
        this.#rate.note(packet, now);
        if (packet.id === greatest) roundTrip = now - packet.sentAt;
      }
    }
    this.#greatest = Math.max(before, greatest);
    if (roundTrip !== undefined) this.#noteRoundTrip(roundTrip, delay);
    if (arrived.length > 0) this.#probes = 0;
    if (spurious > 0) this.#noteSpurious(spurious, now);
    const lost = this.detectLosses(now), sample = this.#rate.sample(this.#shortest);
    this.#forget(now);
    return { arrived, lost, roundTrip, sample };
  }

  /** Settles a packet whose part has arrived, though nothing says so of the packet itself. */
  settle(id: number): void {
    const packet = this.#log.get(id);
    if (packet) this.#settle(packet);
  }

  /** The packets that count as lost from now on (RFC 9002, section 6.1). */
  detectLosses(now: number): SentPacket[] {
    const lost: SentPacket[] = [], log = this.#log;
    const sentBefore = now - this.#lossDelay, idBefore = this.#greatest - this.#packetThreshold;
    for (let packet; (packet = log.open(this.#lostBefore));) {
      const { id } = packet, isOther = id < this.#wayFrom;
      if (isOther ? now < this.#otherWayUntil : id > this.#greatest || id > idBefore && packet.sentAt > sentBefore) {
        break;
      }
      lost.push(packet);
      if (!isOther) this.#underWay -= packet.length;
      this.#lostBefore = id + 1;
    }
    return lost;
  }

  /**
   * The packets take another way from now on: what was measured does not hold there. What is under way on the old one
   * has the time of a round trip to arrive.
   */
  changeWay(now: number): void {
    this.#wayFrom = this.#log.end;
    this.#otherWayUntil = now + Math.min(this.#lossDelay, MAX_PROBE_WAIT_MS);
    this.#underWay = 0;
    this.#probes = 0;
    this.#smoothed = undefined;
    this.#shortest = Infinity;
    this.#packetThreshold = PACKET_THRESHOLD;
    this.#timeThreshold = TIME_THRESHOLD;
  }

  #someLater(id: number): number {
    return id + LEAST_SKIP + Math.floor(this.#random() * (MOST_SKIP - LEAST_SKIP));
  }

  #settle({ id, length }: SentPacket): void {
    this.#log.settle(id);
    if (id >= this.#lostBefore && id >= this.#wayFrom) this.#underWay -= length;
  }

  /** RFC 9002, section 5.3. */
  #noteRoundTrip(measured: number, delay: number): void {
    this.#shortest = Math.min(this.#shortest, measured);
    const sample = measured - delay >= this.#shortest ? measured - delay : measured;
    if (this.#smoothed === undefined) {
      this.#smoothed = sample;
      this.#variation = sample / 2;
      return;
    }
    this.#variation += (Math.abs(this.#smoothed - sample) - this.#variation) / 4;
    this.#smoothed += (sample - this.#smoothed) / 8;
    const calm = CALM_ROUND_TRIPS * this.#smoothed;
    if (this.#packetThreshold > PACKET_THRESHOLD && this.#lastSentAt - this.#lastSpuriousAt > calm) {
      this.#packetThreshold = PACKET_THRESHOLD;
      this.#timeThreshold = TIME_THRESHOLD;
    }
  }

  /** RFC 9002, section 6.1, lets the thresholds grow where packets are reordered, as RFC 8985, section 3.3, does. */
  #noteSpurious(distance: number, now: number): void {
    this.#late++;
    this.#lastSpuriousAt = now;
    this.#packetThreshold = Math.min(MAX_PACKET_THRESHOLD, Math.max(this.#packetThreshold, distance + 1));
    this.#timeThreshold = Math.min(MAX_TIME_THRESHOLD, this.#timeThreshold + 1 / 8);
  }

  #forget(now: number): void {
    const before = now - REMEMBERED_MS - REMEMBERED_ROUND_TRIPS * (this.#smoothed ?? INITIAL_ROUND_TRIP_MS);
    const tooOld = this.#log.end - MOST_REMEMBERED;
    this.#log.forget(({ id, sentAt }) => id < this.#lostBefore && (sentAt < before || id < tooOld));
    const { low } = this.#log;
    let old = 0;
    while (old < this.#skipped.length && this.#skipped[old] < low) old++;
    if (old > 0) this.#skipped.splice(0, old);
  }
}
