/**
 * How fast octets are delivered: draft-cheng-iccrg-delivery-rate-estimation, section 3.
 *
 * @module
 */
import type { SentPacket } from "./sent_log.ts";

/** What an acknowledgement says of the rate. */
export interface RateSample {
  /** Octets a millisecond. */
  rate: number;
  /** Whether it is so low because there was nothing to send. */
  isLimited: boolean;
  /** How many octets had been delivered when the packet was sent that was acknowledged last. */
  delivered: number;
  /** How many octets were under way then. */
  underWay: number;
}

/** Measures the rate, from when each packet was sent and when it was acknowledged. */
export class DeliveryRate {
  /** How many octets were delivered, and when the last ones were. */
  #delivered = 0;
  #deliveredAt = 0;
  /** When the packet was sent that was acknowledged last. */
  #firstSentAt = 0;
  /** Until so many are delivered, the sender has had too little to send. */
  #limitedUntil = 0;
  /** The packet that was sent last of those that the present acknowledgement is about. */
  #latest: SentPacket | undefined;

  get delivered(): number {
    return this.#delivered;
  }

  /** What the record of a packet says that is being sent. */
  stamp(underWay: number, now: number): Pick<SentPacket, "delivered" | "deliveredAt" | "firstSentAt" | "isLimited"> {
    if (underWay === 0) this.#firstSentAt = this.#deliveredAt = now;
    return {
      ...{ delivered: this.#delivered, deliveredAt: this.#deliveredAt, firstSentAt: this.#firstSentAt },
      isLimited: this.#limitedUntil > 0,
    };
  }

  /** Notes that there is nothing more to send, with so many octets under way. */
  noteLimited(underWay: number): void {
    this.#limitedUntil = Math.max(1, this.#delivered + underWay);
  }

  /** Notes that a packet has arrived. */
  note(packet: SentPacket, now: number): void {
    this.#delivered += packet.length;
    this.#deliveredAt = now;
    if (!this.#latest || packet.id > this.#latest.id) this.#latest = packet;
  }

  /**
   * The sample of one acknowledgement, behind the last {@linkcode note} of it; undefined if it says nothing.
   *
   * @param shortest The shortest round trip: what has taken less time than that is a burst of acknowledgements.
   */
  sample(shortest: number): RateSample | undefined {
    const latest = this.#latest;
    this.#latest = undefined;
    if (this.#limitedUntil > 0 && this.#delivered > this.#limitedUntil) this.#limitedUntil = 0;
    if (!latest) return undefined;
    this.#firstSentAt = latest.sentAt;
    const interval = Math.max(latest.sentAt - latest.firstSentAt, this.#deliveredAt - latest.deliveredAt);
    const { isLimited, delivered, underWay } = latest;
    const rate = interval > 0 && interval >= shortest ? (this.#delivered - delivered) / interval : 0;
    return { rate, isLimited, delivered, underWay };
  }
}
