/**
 * Numbers the events of the room, and keeps a window of the recent ones.
 *
 * @module
 */
import { decode, type EventPacket } from "../../protocol.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import { canonicalText, digestAfterText, digestBefore } from "../../protocol/reliable/line_digest.ts";
import { encodeUtf8 } from "../../protocol/utf8.ts";
import { sha256Hex128 } from "../../runtime/sha256.ts";
import { EventPages } from "./event_pages.ts";
import type { NewEvent, WindowOptions } from "./journal.ts";

/** Arrivals and departures have this part of the limits for themselves, so that a crowd pushes no message out. */
const PRESENCE_SHARE = 1 / 8;
/**
 * How many events that were read back are remembered, because several members miss the same ones: to read one takes
 * longer than to send it.
 */
const MAX_READ = 128;

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
  readonly #messages: EventPages;
  readonly #presence: EventPages;
  readonly #read = new Map<number, EventPacket>();
  #seq: number;
  #digest: string;

  /** @param seq The seq of the latest event so far; 0 before the first. */
  constructor(epoch: string, seq: number, { events = 10_000, bytes = 8 << 20 }: WindowOptions = {}) {
    this.epoch = epoch;
    this.#seq = seq;
    this.#digest = seq === 0 ? digestBefore(epoch) : randomHex64() + randomHex64();
    this.#messages = new EventPages(events, bytes);
    this.#presence = new EventPages(Math.ceil(PRESENCE_SHARE * events), PRESENCE_SHARE * bytes);
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
    return this.#seq - this.first + 1 - this.#messages.size - this.#presence.size;
  }

  /** The event with a seq, while the window has it; a notice about nobody for one that was dropped from its middle. */
  get(seq: number): EventPacket | undefined {
    if (seq < this.first || seq > this.#seq) return undefined;
    const known = this.#read.get(seq);
    if (known) return known;
    const text = this.#messages.get(seq) ?? this.#presence.get(seq), { epoch } = this;
    const event = (text === undefined ? undefined : readEvent(text, epoch)) ??
      { dialect: "v1", type: "ONLINE", epoch, seq, at: 0, members: [] };
    // the one that was read first goes
    if (this.#read.size === MAX_READ) this.#read.delete(this.#read.keys().next().value!);
    this.#read.set(seq, event);
    return event;
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
    const { seq } = event, text = canonicalText(event), dropped: number[] = [];
    if (seq > this.#seq) {
      this.#seq = seq;
      this.#digest = digestAfterText(this.#digest, text, sha256Hex128);
    }
    if ("members" in event) this.#presence.add(seq, text, dropped);
    else {
      this.#messages.add(seq, text, dropped);
      if (dropped.length > 0) this.#presence.dropBefore(dropped.at(-1)!, dropped);
    }
    if (this.#read.size > 0) { for (const seq of dropped) this.#read.delete(seq); }
    return dropped;
  }
}

/** Reads an event back from its canonical text, which lacks the epoch; undefined if no client could read it either. */
function readEvent(text: string, epoch: string): EventPacket | undefined {
  const decoded = decode(encodeUtf8(text.replace("/1", `/1 epoch=${epoch}`)));
  return decoded.ok ? decoded.packet as EventPacket : undefined;
}
