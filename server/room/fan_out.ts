/**
 * Tells the members of each event that the journal has kept: once to all, then further copies to those that lose much,
 * and heartbeats against a lost last one.
 *
 * @module
 */
import type { EventPacket } from "../../protocol.ts";
import { earlier } from "../../protocol/earliest.ts";
import { Heartbeats } from "../journal/heartbeats.ts";
import type { Entry, Journal, Origin } from "../journal/journal.ts";
import type { Delivery } from "./delivery.ts";
import { EventCopies } from "./event_copies.ts";
import type { Member, Members } from "./members.ts";
import type { EchoOptions } from "./room_options.ts";

/** What telling needs of the room. */
export interface FanOutContext {
  delivery: Delivery;
  journal: Journal;
  members: Members;
  echo: Required<EchoOptions>;
  /** Tells those that speak in lines who comes and goes. */
  tellPresence: (event: Extract<EventPacket, { members: unknown }>) => void;
}

/** The way of an event to all members. */
export class FanOut {
  readonly copies: EventCopies;
  readonly #context: FanOutContext;
  readonly #heartbeats = new Heartbeats();
  #messageCount = 0;

  constructor(context: FanOutContext) {
    this.#context = context;
    this.copies = new EventCopies(context.delivery);
  }

  /** How many messages were told. */
  get messageCount(): number {
    return this.#messageCount;
  }

  /** When {@linkcode wake} is to be called, in milliseconds of the room's clock; undefined for never. */
  get dueAt(): number | undefined {
    return earlier(this.#heartbeats.dueAt, this.copies.dueAt);
  }

  /** Sends the further copies and the heartbeat that are due. */
  wake(now: number): void {
    this.copies.wake(now);
    if (!this.#heartbeats.takeDue(now)) return;
    const { delivery, journal: { epoch, seq } } = this.#context;
    delivery.broadcast({ dialect: "v1", type: "HEARTBEAT", epoch, seq });
  }

  /** Lets heartbeats follow, as members may have missed what is latest. */
  scheduleHeartbeats(now: number): void {
    this.#heartbeats.schedule(now, this.#context.members.v1Size);
  }

  /** Tells an event, and counts it if it is a message. */
  tell({ event, origin }: Entry, now: number): void {
    const { delivery, echo, tellPresence } = this.#context;
    this.scheduleHeartbeats(now);
    const author = event.type === "INCOMING" ? this.#authorOf(event.stream, origin) : undefined;
    if (this.copies.areWanted) this.copies.plan(event, author, now);
    if (event.type !== "INCOMING") {
      delivery.broadcast(event);
      if ("members" in event) tellPresence(event);
      return;
    }
    this.#messageCount++;
    const { epoch, seq, stream, id } = event;
    const hasEcho = author === undefined || (author.dialect === "line" ? echo.lines : echo.datagrams);
    if (hasEcho) return delivery.broadcast(event);
    delivery.broadcast(event, author);
    if (stream === undefined || id === undefined) return;
    delivery.send(author, { dialect: "v1", type: "ACK", token: author.token, stream, id, epoch, seq });
  }

  /** The member that said something, if it is here. A stream is bound to its owner; a classic member has none. */
  #authorOf(stream: string | undefined, origin: Origin | undefined): Member | undefined {
    const { journal, members } = this.#context;
    if (stream === undefined) return origin && members.withKey(origin.key);
    const owner = journal.stream(stream)?.owner;
    return owner === undefined ? undefined : members.withToken(owner);
  }
}
