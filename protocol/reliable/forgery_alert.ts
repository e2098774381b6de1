/**
 * For how long a client is on its guard after somebody has forged events.
 *
 * @module
 */

/** How long an alert lasts after the last forged event that was found, in milliseconds. */
const ALERT_MS = 60_000;

/** Whether somebody has forged events lately. */
export class ForgeryAlert {
  #until = -Infinity;

  /** Notes that a forged event was found. */
  raise(now: number): void {
    this.#until = now + ALERT_MS;
  }

  isRaised(now: number): boolean {
    return now < this.#until;
  }
}
