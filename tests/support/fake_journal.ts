/**
 * A journal for tests: it can answer late and in batches, outlive its server, and fail.
 *
 * @module
 */
import type { EventPacket } from "../../protocol.ts";
import { EventWindow } from "../../server/journal/event_window.ts";
import type { Entry, Journal, KeptStream, NewEvent, Origin, WindowOptions } from "../../server/journal/journal.ts";
import { StreamTable } from "../../server/journal/stream_table.ts";

/** How the journal behaves. */
export interface FakeJournalOptions {
  epoch?: string;
  window?: WindowOptions;
  /** Whether it answers only when the test calls {@linkcode FakeJournal.keep}. */
  isLate?: boolean;
}

/** Keeps events at once, or when the test says so. */
export class FakeJournal implements Journal {
  /** Every event that was kept, in order. */
  readonly kept: EventPacket[] = [];
  /** If set, the next event can't be kept. */
  failure: Error | undefined;
  isLate: boolean;
  readonly #options: WindowOptions | undefined;
  #window: EventWindow;
  #streams = new StreamTable();
  /** The last id of each stream that is kept, and its owner. */
  readonly #keptStreams = new Map<string, { name: string; owner: string; lastId: number }>();
  readonly #waiting: { event: NewEvent; origin?: Origin }[] = [];

  constructor({ epoch = "91c4be20d7a35f68", window, isLate = false }: FakeJournalOptions = {}) {
    this.isLate = isLate;
    this.#options = window;
    this.#window = new EventWindow(epoch, 0, window);
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

  get pending(): number {
    return this.#waiting.length;
  }

  get(seq: number): EventPacket | undefined {
    return this.#window.get(seq);
  }

  append(event: NewEvent, origin?: Origin): EventPacket | undefined {
    if (this.failure) throw this.failure;
    if (event.type === "INCOMING" && event.stream !== undefined && origin) {
      this.#streams.append(event.stream, origin.token, event.id!);
    }
    if (this.isLate) return void this.#waiting.push({ event, origin });
    return this.#keep(event);
  }

  /** Keeps the events that wait, the oldest first and at most `count`, and returns them for `Room.appended`. */
  keep(count = Infinity): Entry[] {
    return this.#waiting.splice(0, count).map(({ event, origin }) => ({ event: this.#keep(event), origin }));
  }

  /** The server ends: what waits is lost, and so are the streams that it would have begun, and the digest. */
  end(): void {
    this.#waiting.length = 0;
    this.#window = new EventWindow(this.epoch, this.seq, this.#options);
    for (const event of this.kept) this.#window.keep(event);
    this.#streams = new StreamTable();
    for (const stream of this.#keptStreams.values()) this.#streams.restore(stream);
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

  #keep(event: NewEvent): EventPacket {
    const kept = this.#window.number(event);
    this.#window.keep(kept);
    this.kept.push(kept);
    if (kept.type !== "INCOMING" || kept.stream === undefined) return kept;
    this.#streams.keep(kept.stream, kept.id!);
    const stream = this.#streams.get(kept.stream);
    if (stream) this.#keptStreams.set(stream.name, { ...stream });
    return kept;
  }
}
