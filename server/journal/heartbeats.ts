/**
 * Schedules heartbeats: they show a member that has lost the latest event that there was one.
 *
 * @module
 */

/** The pause between an event and the first heartbeat, in milliseconds; each further pause is twice as long. */
const FIRST_PAUSE_MS = 100;
/** The most heartbeats after an event. Their pauses double, so in a room of up to 100 they go on for 25 s. */
const MAX_HEARTBEATS = 8;
/** The most datagrams for the heartbeats of one event. At least two heartbeats are sent, even if they take more. */
const MAX_DATAGRAMS = 800;

/** The heartbeats after the latest event. Their pauses grow like those of PGM's source path messages (RFC 3208, 5.1.5). */
export class Heartbeats {
  #next: { at: number; pause: number; left: number } | undefined;

  /** When the next heartbeat is due, in milliseconds of the room's clock; undefined for never. */
  get dueAt(): number | undefined {
    return this.#next?.at;
  }

  /**
   * Schedules a series of heartbeats, after an event or when members may have missed earlier ones.
   *
   * @param listeners How many members get the heartbeats: the more there are, the fewer heartbeats are sent.
   */
  schedule(now: number, listeners: number): void {
    const left = Math.max(2, Math.min(MAX_HEARTBEATS, Math.floor(MAX_DATAGRAMS / Math.max(1, listeners))));
    this.#next = { at: now + FIRST_PAUSE_MS, pause: FIRST_PAUSE_MS, left };
  }

  /** Returns whether a heartbeat is due, and schedules the next one if it was. */
  takeDue(now: number): boolean {
    const next = this.#next;
    if (!next || next.at > now) return false;
    next.pause *= 2;
    next.at = now + next.pause;
    if (--next.left === 0) this.#next = undefined;
    return true;
  }
}
