/**
 * The simplest congestion control: as much may be under way as a socket of a receiver holds.
 *
 * @module
 */
import type { CongestionControl, Feedback } from "./congestion_control.ts";

/** A window that never changes. */
export class FixedWindow implements CongestionControl {
  readonly window = 64_000;
  readonly rate = undefined;
  #limit = 20_000;

  get pacing(): number {
    return this.#limit;
  }

  note(_: Feedback): void {}
  noteSilence(): void {}
  changeWay(): void {}

  limit(rate: number): void {
    this.#limit = Math.min(20_000, rate);
  }
}
