/**
 * Sends events again that a member has missed.
 *
 * @module
 */
import type { EventPacket, V1Packet } from "../../protocol.ts";
import type { EventLog } from "../journal/event_log.ts";
import type { Delivery } from "./delivery.ts";
import type { Member } from "./members.ts";

/** What repairing needs of the room. */
export interface RepairOptions {
  delivery: Delivery;
  events: EventLog;
  /** Whether a sender gets copies of its own messages. */
  echo: boolean;
  /** The member at an address. Only messages of an earlier run of the server need it. */
  memberAt: (address: string) => Member | undefined;
}

/** The most events that one RESEND brings. */
const MAX_RESEND = 128;

/** Answers RESEND from the window of recent events. */
export class Repair {
  readonly #options: RepairOptions;
  /** The author of each message; only a room without echo fills it. */
  readonly #authors = new WeakMap<EventPacket, Member>();

  constructor(options: RepairOptions) {
    this.#options = options;
  }

  /** Remembers the author of a message. */
  recordAuthor(event: EventPacket, author: Member): void {
    if (!this.#options.echo) this.#authors.set(event, author);
  }

  /** How many events the answer to a RESEND has, each a datagram; a GONE is not counted. */
  cost({ from, to }: V1Packet & { type: "RESEND" }): number {
    const { first, seq } = this.#options.events;
    const start = Math.max(from, first);
    return Math.max(0, Math.min(to, seq, start + MAX_RESEND - 1) - start + 1);
  }

  /** Sends a member the events that it asks for, and says which of them are gone. */
  answer(packet: V1Packet & { type: "RESEND" }, member: Member): void {
    const { delivery, events, echo } = this.#options;
    const { first, epoch } = events;
    if (packet.from < first) {
      const to = Math.min(packet.to, first - 1);
      delivery.send(member, { dialect: "v1", type: "GONE", epoch, from: packet.from, to });
    }
    const from = Math.max(packet.from, first);
    for (let seq = from; seq < from + this.cost(packet); seq++) {
      const event = events.get(seq)!;
      delivery.send(member, echo ? event : this.#withoutEcho(event, member));
    }
  }

  /** What a member gets for an event: an ACK for its own message, and any other event as it is. */
  #withoutEcho(event: EventPacket, member: Member): V1Packet {
    if (event.type !== "INCOMING" || event.id === undefined || event.stream !== member.stream?.name) return event;
    // the name of a stream is no secret, so it proves no author; after a restart only the address tells the author
    const author = this.#authors.get(event) ?? this.#options.memberAt(event.from);
    if (author !== member) return event;
    return { dialect: "v1", type: "ACK", stream: event.stream, id: event.id, epoch: event.epoch, seq: event.seq };
  }
}
