/**
 * Shows how far files have come, some times a second.
 *
 * @module
 */
import type { TransferState } from "../session/transfers/transfer.ts";
import { isUnderWay, progressLines } from "./progress.ts";
import type { Screen } from "./screen.ts";

/** How often it is drawn; what is over sooner is not shown at all. In milliseconds. */
const PAUSE_MS = 250;

/** The progress on one screen. */
export class ProgressDisplay {
  readonly #screen: Pick<Screen, "status" | "columns">;
  /** When it is to be drawn next, in milliseconds; undefined while nothing is under way. */
  #nextWake: number | undefined;

  constructor(screen: Pick<Screen, "status" | "columns">) {
    this.#screen = screen;
  }

  /** When {@linkcode show} is to be called, in milliseconds; undefined for never, unless something changes. */
  get nextWake(): number | undefined {
    return this.#nextWake;
  }

  /** Draws it if it is time to. To be called after whatever may have begun a transfer. */
  show(states: readonly TransferState[], now: number): void {
    const isBusy = states.some(isUnderWay);
    if (this.#nextWake === undefined && isBusy) this.#nextWake = now + PAUSE_MS;
    // the line does not stay below the one that says how it has ended
    if (this.#nextWake === undefined || isBusy && now < this.#nextWake) return;
    const lines = progressLines(states, this.#screen.columns);
    this.#screen.status(lines);
    this.#nextWake = lines.length > 0 ? now + PAUSE_MS : undefined;
  }
}
