/**
 * Numbers the events of the room, and keeps a window of the recent ones.
 *
 * @module
 */
import type { EventPacket } from "../../protocol.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import { digestAfter, digestBefore } from "../../protocol/reliable/line_digest.ts";
import { sha256Hex128 } from "../../runtime/sha256.ts";
import type { NewEvent, WindowOptions } from "./journal.ts";

/** Arrivals and departures have this part of the limits for themselves, so that a crowd pushes no message out. */
const PRESENCE_SHARE = 1 / 8;

/**
 * The recent events of one epoch: as many messages and notices of the server as fit into the limits, and beside them
 * the latest arrivals and departures.
 *
 * An arrival or departure that is dropped leaves its place on the number line: {@linkcode EventWindow.get} returns a
 * notice about nobody for it, so that a member that repairs its line finds no hole. A message that is dropped ends the
 * window: nothing before it is kept.
 */
export class EventWindow {
  readonly epoch: string;
  readonly #events = new Map<number, EventPacket>();
  readonly #messages: Share;
  readonly #presence: Share;
  #seq: number;
  #digest: string;

  /** @param seq The seq of the latest event so far; 0 before the first. */
  constructor(epoch: string, seq: number, { events = 10_000, bytes = 8 << 20 }: WindowOptions = {}) {
    this.epoch = epoch;
    this.#seq = seq;
    this.#digest = seq === 0 ? digestBefore(epoch) : randomHex64() + randomHex64();
    this.#messages = new Share(events, bytes);
    this.#presence = new Share(Math.ceil(PRESENCE_SHARE * events), PRESENCE_SHARE * bytes);
  }

  /** The seq of the latest event; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /** The digest of all events up to {@linkcode seq}. Where those of an earlier run come in, it begins at random. */
  get digest(): string {
    return this.#digest;
  }

  /** The seq of the earliest event in the window; one more than {@linkcode seq} when it is empty. */
  get first(): number {
    return Math.min(this.#messages.oldest, this.#presence.oldest, this.#seq + 1);
  }

  /** How many places from {@linkcode first} on belong to arrivals and departures that were dropped. */
  get gaps(): number {
    return this.#seq - this.first + 1 - this.#events.size;
  }

  /** The event with a seq, while the window has it; a notice about nobody for one that was dropped from its middle. */
  get(seq: number): EventPacket | undefined {
    const event = this.#events.get(seq);
    if (event || seq < this.first || seq > this.#seq) return event;
    return { dialect: "v1", type: "ONLINE", epoch: this.epoch, seq, at: 0, members: [] };
  }

  /** Returns an event with the next seq. It does not have that place before {@linkcode keep}. */
  number(event: NewEvent): EventPacket {
    return { dialect: "v1", epoch: this.epoch, seq: this.#seq + 1, ...event } as EventPacket;
  }

  /**
   * Keeps an event. It is the next one, or one of an earlier run, in order.
   *
   * @returns The seqs of the events that are dropped for it.
   */
  keep(event: EventPacket): number[] {
    const { seq } = event;
    if (seq > this.#seq) {
      this.#seq = seq;
      this.#digest = digestAfter(this.#digest, event, sha256Hex128);
    }
    this.#events.set(seq, event);
    const isMessage = !("members" in event);
    const dropped = (isMessage ? this.#messages : this.#presence).add(seq, sizeOf(event));
    if (isMessage && dropped.length > 0) dropped.push(...this.#presence.dropBefore(dropped.at(-1)!));
    for (const seq of dropped) this.#events.delete(seq);
    return dropped;
  }
}

/** The events of one kind that are kept, the oldest first. It has at least the latest one, whatever its size. */
class Share {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  #seqs: number[] = [];
  #sizes: number[] = [];
  /** The index of the oldest one that is kept. */
  #head = 0;
  #bytes = 0;

  constructor(maxEvents: number, maxBytes: number) {
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  /** The seq of the oldest event; Infinity if there is none. */
  get oldest(): number {
    return this.#seqs[this.#head] ?? Infinity;
  }

  /** Adds an event, and returns the seqs of those that there is no room for any more. */
  add(seq: number, size: number): number[] {
    this.#seqs.push(seq);
    this.#sizes.push(size);
    this.#bytes += size;
    const dropped: number[] = [];
    while (this.#count > this.#maxEvents || this.#bytes > this.#maxBytes && this.#count > 1) dropped.push(this.#drop());
    return dropped;
  }

  /** Drops the events before a seq, and returns their seqs. */
  dropBefore(seq: number): number[] {
    const dropped: number[] = [];
    while (this.oldest < seq) dropped.push(this.#drop());
    return dropped;
  }

  get #count(): number {
    return this.#seqs.length - this.#head;
  }

  #drop(): number {
    const seq = this.#seqs[this.#head];
    this.#bytes -= this.#sizes[this.#head++];
    // to move all of them at each drop would take long in a large window
    if (this.#head > this.#seqs.length / 2) {
      this.#seqs = this.#seqs.slice(this.#head);
      this.#sizes = this.#sizes.slice(this.#head);
      this.#head = 0;
    }
    return seq;
  }
}

/** Roughly how much memory an event takes, in bytes. */
function sizeOf(event: EventPacket): number {
  return 300 + 2 * ("members" in event ? 60 * event.members.length : event.text.length);
}
