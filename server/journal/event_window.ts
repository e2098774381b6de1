/**
 * Numbers the events of the room, and keeps a window of the recent ones.
 *
 * @module
 */
import type { EventPacket } from "../../protocol.ts";
import type { NewEvent, WindowOptions } from "./journal.ts";

/** The recent events of one epoch: as many as fit into the limits. */
export class EventWindow {
  readonly epoch: string;
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #events = new Map<number, EventPacket>();
  #bytes = 0;
  #seq: number;

  /** @param seq The seq of the latest event so far; 0 before the first. */
  constructor(epoch: string, seq: number, { events = 10_000, bytes = 8 << 20 }: WindowOptions = {}) {
    this.epoch = epoch;
    this.#seq = seq;
    this.#maxEvents = events;
    this.#maxBytes = bytes;
  }

  /** The seq of the latest event; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /** The seq of the earliest event in the window; one more than {@linkcode seq} when it is empty. */
  get first(): number {
    return this.#seq - this.#events.size + 1;
  }

  /** The event with a seq, while the window has it. */
  get(seq: number): EventPacket | undefined {
    return this.#events.get(seq);
  }

  /** Returns an event with the next seq. It does not have that place before {@linkcode keep}. */
  number(event: NewEvent): EventPacket {
    return { dialect: "v1", epoch: this.epoch, seq: this.#seq + 1, ...event } as EventPacket;
  }

  /** Keeps an event. It is the next one, or one of an earlier run, in order and without a gap. */
  keep(event: EventPacket): void {
    this.#seq = event.seq;
    this.#events.set(event.seq, event);
    this.#bytes += sizeOf(event);
    while (this.#events.size > this.#maxEvents || this.#bytes > this.#maxBytes && this.#events.size > 1) {
      const { first } = this;
      this.#bytes -= sizeOf(this.#events.get(first)!);
      this.#events.delete(first);
    }
  }
}

/** Roughly how much memory an event takes, in bytes. */
function sizeOf(event: EventPacket): number {
  return 300 + 2 * (event.type === "INCOMING" ? event.text.length : 60 * event.members.length);
}
