/**
 * What decides how much may be under way, and how fast it is sent.
 *
 * @module
 */
import type { RateSample } from "./delivery_rate.ts";

/** What an acknowledgement, or the loss timer, has brought. All times are milliseconds, all amounts octets. */
export interface Feedback {
  /** The round trip of the packet that was sent last, if it is newly acknowledged. */
  roundTrip: number | undefined;
  sample: RateSample | undefined;
  /** How much has arrived, with all before. */
  delivered: number;
  /** How much has newly arrived, and how much newly counts as lost. */
  arrived: number;
  lost: number;
  /** How much is under way now. */
  underWay: number;
}

/** A congestion control. */
export interface CongestionControl {
  /** How much may be under way, in octets. */
  readonly window: number;
  /** How fast it is sent, in octets a millisecond. */
  readonly pacing: number;
  note(feedback: Feedback, now: number): void;
  /** Nothing has been acknowledged for so long that all may be lost. */
  noteSilence(): void;
  /** The packets take another way: what was learned does not hold. */
  changeWay(now: number): void;
  /** The most octets a millisecond that the way takes. */
  limit(rate: number): void;
}
