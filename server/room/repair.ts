/**
 * Sends events again that a member has missed.
 *
 * @module
 */
import { type EventPacket, SEND_WINDOW, type V1Packet } from "../../protocol.ts";
import type { MessagePacket } from "../../protocol/reliable/receive_stream.ts";
import { printable } from "../../protocol/text.ts";
import type { Journal } from "../journal/journal.ts";
import type { Delivery } from "./delivery.ts";
import type { Member } from "./members.ts";

/** What repairing needs of the room. */
export interface RepairOptions {
  delivery: Delivery;
  journal: Journal;
  /** Whether a sender gets copies of its own messages. */
  echo: boolean;
}

/** The most events that one RESEND brings. */
const MAX_RESEND = 128;
/** How far back the event of a repeated message is looked for: as many as one sender may have under way, and others. */
const LOOK_BACK = 2 * SEND_WINDOW;

/** Answers RESENDs, and repeats of messages, from the recent events of the journal. */
export class Repair {
  readonly #options: RepairOptions;

  constructor(options: RepairOptions) {
    this.#options = options;
  }

  /** How many datagrams the answer to a RESEND takes. */
  cost({ from, to }: V1Packet & { type: "RESEND" }): number {
    return (from < this.#options.journal.first ? 1 : 0) + this.#countEvents(from, to);
  }

  /** Sends a member the events that it asks for, and says which of them are gone. */
  answer(packet: V1Packet & { type: "RESEND" }, member: Member): void {
    const { delivery, journal } = this.#options;
    const { first, epoch } = journal;
    if (packet.from < first) {
      const to = Math.min(packet.to, first - 1);
      delivery.send(member, { dialect: "v1", type: "GONE", token: member.token, epoch, from: packet.from, to });
    }
    const from = Math.max(packet.from, first);
    const end = from + this.#countEvents(from, packet.to);
    for (let seq = from; seq < end; seq++) this.#send(journal.get(seq)!, member);
  }

  /**
   * Answers a repeated message with the event that it became, which its sender has missed.
   *
   * @returns Whether that was one of the latest events.
   */
  answerRepeat({ stream, id, text }: MessagePacket, member: Member): boolean {
    const { journal } = this.#options;
    for (let seq = journal.seq; seq > journal.seq - LOOK_BACK; seq--) {
      const event = journal.get(seq);
      if (event?.type !== "INCOMING" || event.stream !== stream || event.id !== id) continue;
      // an honest repeat is as long as what it is answered by
      if (event.text !== printable(text)) return false;
      this.#send(event, member);
      return true;
    }
    return false;
  }

  #send(event: EventPacket, member: Member): void {
    const { delivery, echo } = this.#options;
    delivery.send(member, { ...(echo ? event : this.#withoutEcho(event, member)), token: member.token });
  }

  /** How many events the answer to a RESEND has. */
  #countEvents(from: number, to: number): number {
    const { first, seq } = this.#options.journal;
    const start = Math.max(from, first);
    return Math.max(0, Math.min(to, seq, start + MAX_RESEND - 1) - start + 1);
  }

  /** What a member gets for an event: an ACK for its own message, and any other event as it is. */
  #withoutEcho(event: EventPacket, member: Member): EventPacket | V1Packet & { type: "ACK" } {
    const { epoch, seq } = event;
    const { stream, id } = event.type === "INCOMING" ? event : {};
    const isOwn = stream !== undefined && id !== undefined &&
      this.#options.journal.stream(stream)?.owner === member.token;
    return isOwn ? { dialect: "v1", type: "ACK", stream, id, epoch, seq } : event;
  }
}
