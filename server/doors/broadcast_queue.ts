/**
 * A queue of broadcasts, which are sent portion by portion. The queue of classic broadcasts gives way to the one of
 * version 1 between two portions, so that a crowd of classic members, which may be forged, delays no version 1 member.
 *
 * @module
 */
import type { DatagramDialect } from "../../protocol.ts";
import type { Recipient } from "../room/delivery.ts";

/** The same bytes for all recipients of a dialect, except one. */
export interface Broadcast {
  dialect: DatagramDialect;
  bytes: Uint8Array;
  except?: Recipient;
}

/** What a queue sends with. Each dialect has a progress of its own. */
export interface PortionSender {
  /** Begins a broadcast to all current recipients of its dialect. */
  begin(broadcast: Broadcast): void;
  /** How many recipients of a dialect still wait for the broadcast that has begun. */
  remaining(dialect: DatagramDialect): number;
  /** Sends the next copies. Returns undefined if more can follow at once, otherwise a promise to await. */
  sendPortion(broadcast: Broadcast): Promise<unknown> | undefined;
  /** Lets the event loop handle what has arrived, for so many milliseconds at most. */
  pause(milliseconds: number): Promise<void>;
}

/** A portion that has been handed to the system. */
interface Portion {
  /** In milliseconds, by `performance.now`. */
  startedAt: number;
  /** Resolves when the next one can follow; undefined if it can at once. */
  wait: Promise<unknown> | undefined;
}

/** The most broadcasts in a queue. */
const MAX_WAITING = 1_000;

/** Broadcasts in their order. */
export class BroadcastQueue {
  readonly #sender: PortionSender;
  readonly #urgent: BroadcastQueue | undefined;
  /** The first one is the one that is being sent. */
  readonly #broadcasts: Broadcast[] = [];
  #sending: Promise<void> | undefined;

  /** @param urgent The queue whose broadcasts go before each portion of this one. */
  constructor(sender: PortionSender, urgent?: BroadcastQueue) {
    this.#sender = sender;
    this.#urgent = urgent;
  }

  /** Resolves when all is sent; undefined if nothing waits. */
  get sending(): Promise<void> | undefined {
    return this.#sending;
  }

  /**
   * Sends a broadcast as soon as those before it have been sent. If nothing waits, its first portion, which is all of it
   * in a small room, is sent before this returns.
   *
   * @returns False if the queue is full.
   */
  push(broadcast: Broadcast): boolean {
    if (this.#broadcasts.length >= MAX_WAITING) return false;
    let first: Portion | undefined;
    if (!this.#sending && !this.#urgent?.sending) {
      this.#sender.begin(broadcast);
      first = this.#sendPortion(broadcast);
      // in a small room that was all, without a promise
      if (!first.wait && this.#sender.remaining(broadcast.dialect) === 0) return true;
    }
    this.#broadcasts.push(broadcast);
    if (this.#sending) return true;
    const sending = this.#sendAll(first);
    if (this.#broadcasts.length > 0) this.#sending = sending;
    return true;
  }

  /** Drops the broadcasts that have not begun. */
  dropWaiting(): void {
    this.#broadcasts.splice(this.#sending ? 1 : 0);
  }

  /** @param first The portion that has been sent of the first broadcast; undefined if it has not begun. */
  async #sendAll(first: Portion | undefined): Promise<void> {
    for (let broadcast; (broadcast = this.#broadcasts[0]); this.#broadcasts.shift()) {
      let portion = first;
      first = undefined;
      if (!portion) this.#sender.begin(broadcast);
      while (true) {
        if (portion?.wait) await portion.wait;
        if (this.#sender.remaining(broadcast.dialect) === 0) break;
        if (portion) await this.#sender.pause(performance.now() - portion.startedAt);
        while (this.#urgent?.sending) await this.#urgent.sending;
        portion = this.#sendPortion(broadcast);
      }
    }
    this.#sending = undefined;
  }

  #sendPortion(broadcast: Broadcast): Portion {
    return { startedAt: performance.now(), wait: this.#sender.sendPortion(broadcast) };
  }
}
