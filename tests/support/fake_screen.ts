/**
 * A feed of events and the screen that it writes to, and the line of a server.
 *
 * @module
 */
import type { EventPacket } from "../../protocol.ts";
import { EventFeed } from "../../protocol/reliable/event_feed.ts";
import type { FeedItem } from "../../protocol/reliable/feed_items.ts";
import { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import { digestAfter, digestBefore } from "../../protocol/reliable/line_digest.ts";
import { sha256Hex128 } from "../../runtime/sha256.ts";
import { EPOCH, incoming } from "./fake_session.ts";

/** The screen of a client: its lines in order, without those that were reported as forged. */
export class FakeScreen {
  readonly roundTrip = new RoundTrip();
  readonly feed = new EventFeed({ roundTrip: this.roundTrip, random: () => 0, hash: sha256Hex128 });
  /** The lines that count. */
  readonly believed: string[] = [];
  /** Everything that was printed. */
  readonly printed: string[] = [];
  /** What could not be checked before the server began anew. */
  readonly unchecked: string[] = [];
  reports = 0;

  constructor(seq = 0) {
    this.feed.begin(EPOCH, seq, 0);
  }

  give(items: FeedItem[]): void {
    for (const item of items) {
      if ("unchecked" in item) this.unchecked.push(...item.unchecked.map(textOf));
      else if ("missed" in item) this.printed.push(`missed ${item.missed}`);
      else if ("forged" in item) {
        this.reports++;
        for (const event of item.forged) this.believed.splice(this.believed.indexOf(textOf(event)), 1);
      } else {
        this.printed.push(textOf(item.event));
        this.believed.push(textOf(item.event));
      }
    }
  }

  take(event: EventPacket, now: number, isVouched = false): void {
    this.give(this.feed.take({ epoch: EPOCH, seq: event.seq, event, isVouched }, now));
  }

  confirm(seq: number, askedAt: number, digest?: string): void {
    this.give(this.feed.confirmLatest({ epoch: EPOCH, seq, digest }, askedAt, askedAt + 1));
  }

  latest(seq: number, now: number): void {
    this.feed.noteLatest({ epoch: EPOCH, seq, isVouched: false }, now);
  }

  gone(from: number, to: number): void {
    this.give(this.feed.markGone(EPOCH, { from, to }, 0));
  }

  /** The server begins anew. */
  beginAnew(): void {
    this.give(this.feed.begin("00000000000000ee", 0, 0));
  }

  /** The ranges that the client asks for now. */
  requests(now: number): [number, number][] {
    const { items, requests } = this.feed.wake(now);
    this.give(items);
    return requests.map(({ from, to }) => [from, to]);
  }
}

function textOf(event: EventPacket): string {
  return event.type === "INCOMING" ? event.text : event.type;
}

/** The line of a server that has said 1, 2, 3... */
export class FakeLine {
  readonly #events: EventPacket[] = [];
  readonly #digests: string[];

  /** @param digest The digest before the first event, if the server was started again. */
  constructor(
    length: number,
    digest = digestBefore(EPOCH),
    fields: (seq: number) => Parameters<typeof incoming>[1] = () => ({}),
  ) {
    this.#digests = [digest];
    for (let seq = 1; seq <= length; seq++) {
      const event = incoming(seq, fields(seq));
      this.#events.push(event);
      this.#digests.push(digestAfter(this.#digests[seq - 1], event, sha256Hex128));
    }
  }

  event(seq: number): EventPacket {
    return this.#events[seq - 1];
  }

  /** The digest of the events up to a seq. */
  digest(seq: number): string {
    return this.#digests[seq];
  }
}
