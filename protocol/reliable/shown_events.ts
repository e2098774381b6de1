/**
 * Which events of the line are shown: each message of a stream once, and what was forged taken back.
 *
 * @module
 */
import type { EventPacket } from "../packets.ts";
import type { Place } from "./event_place.ts";
import { type StreamMessage, StreamOrder } from "./stream_order.ts";

/** An event that is to be shown. */
export interface ShownEvent {
  event: EventPacket;
}

/** Shows events. Its methods return those that are to be shown now, in order. */
export class ShownEvents {
  readonly #order = new StreamOrder();
  #count = 0;

  /** How many events were shown. */
  get count(): number {
    return this.#count;
  }

  /** How many messages were dropped because they had been shown before. */
  get duplicates(): number {
    return this.#order.duplicates;
  }

  /** How many messages of an epoch that has ended are held back for an earlier one of their sender. */
  get heldCount(): number {
    return this.#order.heldCount;
  }

  /** When {@linkcode takeExpired} is to be called, in milliseconds; undefined while nothing is held. */
  get nextWake(): number | undefined {
    return this.#order.nextWake;
  }

  /** Shows an event that the server has put in order. */
  show(place: Place): ShownEvent[] {
    const { event } = place;
    if (!event) return [];
    const shown = isOfStream(event) ? this.#order.take(event) : [event];
    place.isShown = shown.includes(event);
    return this.#counted(shown);
  }

  /**
   * Takes back that a forged message was shown, and shows the true one that was dropped because of it.
   *
   * @param delivered Where the true one may be.
   */
  unshow({ event, isShown }: Place, delivered: Iterable<Place>): ShownEvent[] {
    if (!isShown || !event || !isOfStream(event)) return [];
    const { stream, id } = event;
    this.#order.forget(event);
    for (const place of delivered) {
      const other = place.event;
      const isDropped = !place.isShown && other && isOfStream(other) && other.stream === stream && other.id === id;
      if (isDropped) return this.show(place);
    }
    return [];
  }

  /** Shows an event that arrived before an earlier one, whose server has forgotten everything in between. */
  showEarly({ event, isVouched }: Place, now: number): ShownEvent[] {
    if (!event) return [];
    return this.#counted(isOfStream(event) ? this.#order.takeEarly(event, !isVouched, now) : [event]);
  }

  /** Notes that nobody can find out any more whether a shown event was forged. */
  doubt({ event }: Place): void {
    if (event && isOfStream(event)) this.#order.doubt(event);
  }

  /** Shows the messages that were held back for long enough. */
  takeExpired(now: number): ShownEvent[] {
    return this.#counted(this.#order.takeExpired(now));
  }

  #counted(events: EventPacket[]): ShownEvent[] {
    this.#count += events.length;
    return events.map((event) => ({ event }));
  }
}

function isOfStream(event: EventPacket): event is StreamMessage {
  return event.type === "INCOMING" && event.stream !== undefined && event.id !== undefined;
}
