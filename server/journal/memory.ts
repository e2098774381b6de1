/**
 * A journal in memory: it keeps each event at once, and forgets all when the server ends.
 *
 * @module
 */
import type { EventPacket } from "../../protocol.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import { EventWindow } from "./event_window.ts";
import type { Journal, KeptStream, NewEvent, Origin, WindowOptions } from "./journal.ts";
import { StreamTable } from "./stream_table.ts";

/** A journal in memory. */
export class MemoryJournal implements Journal {
  readonly pending = 0;
  readonly #window: EventWindow;
  readonly #streams = new StreamTable();

  constructor(window?: WindowOptions) {
    this.#window = new EventWindow(randomHex64(), 0, window);
  }

  get epoch(): string {
    return this.#window.epoch;
  }

  get seq(): number {
    return this.#window.seq;
  }

  get digest(): string {
    return this.#window.digest;
  }

  get first(): number {
    return this.#window.first;
  }

  get(seq: number): EventPacket | undefined {
    return this.#window.get(seq);
  }

  append(event: NewEvent, origin?: Origin): EventPacket {
    const kept = this.#window.number(event);
    this.#window.keep(kept);
    const { stream, id } = kept.type === "INCOMING" ? kept : {};
    if (origin && stream !== undefined && id !== undefined && this.#streams.append(stream, origin.token, id)) {
      this.#streams.keep(stream, id);
    }
    return kept;
  }

  stream(name: string): KeptStream | undefined {
    return this.#streams.get(name);
  }

  isFreeFor(token: string, stream: string): boolean {
    return this.#streams.isFreeFor(token, stream);
  }

  ownerJoined(token: string): void {
    this.#streams.ownerJoined(token);
  }

  ownerLeft(token: string, isForGood: boolean): void {
    this.#streams.ownerLeft(token, isForGood);
  }
}
