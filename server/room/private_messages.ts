/**
 * Private messages that pass through the server: to and from members that have a connection, to those that speak classic,
 * and wherever else there is no direct way. Both sides are told so. They are never kept. Files take the same way.
 *
 * @module
 */
import { MAX_TEXT_BYTES, type RelayedPacket, type V1Packet } from "../../protocol.ts";
import { earlier } from "../../protocol/earliest.ts";
import { linesOf, privateLine } from "../../protocol/lines.ts";
import { printable, splitText } from "../../protocol/text.ts";
import { ChargedMessages } from "./charged_messages.ts";
import type { Delivery } from "./delivery.ts";
import type { Ignored } from "./ignored.ts";
import { LastWriters } from "./last_writers.ts";
import type { Limits } from "./limits.ts";
import { type Member, type Members, nameOf } from "./members.ts";
import type { Passes } from "./passes.ts";
import { PrivateInbox } from "./private_inbox.ts";
import { type Outcome, PrivateOutbox } from "./private_outbox.ts";
import { passOn, receiverAt, RELAY_COST } from "./private_relay.ts";
import { ReceiverLimits } from "./receiver_limits.ts";
import { RelayedFiles } from "./relayed_files.ts";

/** What private messages need of the room. */
export interface PrivateMessagesContext {
  members: Members;
  delivery: Delivery;
  limits: Limits;
  ignored: Ignored;
  passes: Passes;
  /** Whether private messages may pass through the server. */
  isRelaying: boolean;
  /** How many bytes a second of files pass for each member; 0 for no limit. */
  relayRate: number;
}

/** How long a member's next line waits when too many of its texts wait already, in milliseconds: a poll. */
const FULL_PAUSE_MS = 100;
const NOT_RELAYING = "this server passes no private messages on";

/** The private messages of one room that pass through the server. */
export class PrivateMessages {
  readonly #context: PrivateMessagesContext;
  readonly #inbox: PrivateInbox;
  readonly #outbox: PrivateOutbox;
  readonly #receiverLimits = new ReceiverLimits();
  readonly #charged = new ChargedMessages();
  /** How many tokens a member has paid for the line that it hands over again. */
  readonly #paid = new WeakMap<Member, number>();
  readonly #lastWriters = new LastWriters();
  readonly #files: RelayedFiles;

  constructor(context: PrivateMessagesContext) {
    this.#context = context;
    const shown = (from: Member, to: Member, now: number) => this.#lastWriters.note(from, to, now);
    this.#inbox = new PrivateInbox({ ...context, shown });
    this.#files = new RelayedFiles({ ...context, shown });
    this.#outbox = new PrivateOutbox({
      ...context,
      told: (from, to, text, outcome) => this.#tell(from, outcomeLine(to, text, outcome)),
    });
  }

  /** When {@linkcode wake} is to be called, in milliseconds of the room's clock; undefined for never. */
  get dueAt(): number | undefined {
    return earlier(this.#inbox.dueAt, this.#outbox.dueAt);
  }

  /**
   * Repeats what has no answer, and gives up what has had none for too long, or has waited for another for too long.
   */
  wake(now: number): void {
    this.#inbox.wake(now);
    this.#outbox.wake(now);
  }

  /** Drops what waits of and for a member that has left. */
  forget(member: Pick<Member, "key">): void {
    this.#inbox.forget(member);
  }

  /** Whom an answer of a member may be for: whoever has written last to it, and who has just before. */
  lastWritersTo(member: Member, now: number): Member[] {
    const { members } = this.#context;
    return this.#lastWriters.of(member, (writer) => members.withKey(writer.key) === writer, now);
  }

  /**
   * Sends a text from a member with a connection to another member alone. Each piece of it costs as much as one that is
   * said to all.
   *
   * @returns 0 if it was taken; otherwise the milliseconds until it is to be handed over again.
   */
  send(text: string, from: Member, to: Member, now: number): number {
    if (this.#outbox.isFull(from)) return FULL_PAUSE_MS;
    // to look at a long text takes time, so there must be a token before
    const pause = this.#pay(1, from, now);
    if (pause > 0) return pause;
    const pieces = splitText(printable(text), MAX_TEXT_BYTES);
    const nextPause = this.#pay(pieces.length, from, now);
    if (nextPause > 0) return nextPause;
    this.#paid.delete(from);
    this.#send(pieces, from, to, now);
    return 0;
  }

  /**
   * Takes what a version 1 member sends to another member. Nothing answers what has not the pass of the two.
   *
   * @param bytes The length of the datagram.
   */
  receive({ address, packet }: V1Packet & { type: "RELAY" }, from: Member, bytes: number, now: number): void {
    const { limits, ignored, isRelaying } = this.#context;
    if (!isRelaying) return ignored.count("no-relay");
    if (packet.type !== "MESSAGE" && packet.type !== "ACK") {
      return this.#files.receive(packet, address, from, bytes, now);
    }
    if (!limits.takeRequestTokens(from, RELAY_COST, now)) return;
    const to = receiverAt(address, packet.pass, from, this.#context);
    if (!to) return ignored.count("not-joined", "pass");
    if (packet.type === "MESSAGE" && !this.#charge(packet, from, now)) return ignored.count("fast-messages");
    // there is nothing to acknowledge, and nobody is to get these from whom it does not write to
    if (packet.type === "ACK" && to.dialect === "v1" && !this.#charged.hasFrom(to, packet.pass)) {
      return ignored.count("not-joined", "ack");
    }
    const isForwarded = to.dialect === "v1" || packet.type === "MESSAGE";
    if (isForwarded && !this.#receiverLimits.take(to, from, now)) return ignored.count("fast-requests", "receiver");
    if (to.dialect === "v1") return passOn(packet, from, to, this.#context.delivery);
    if (to.dialect === "line") this.#outbox.heard(from, to);
    if (packet.type === "ACK") this.#outbox.acknowledge(packet, from, to, now);
    else this.#inbox.receive(packet, from, to, now);
  }

  /** Takes what a message costs, unless it is a repeat: one to a single member must not be cheaper than one to all. */
  #charge(message: RelayedPacket & { type: "MESSAGE" }, from: Member, now: number): boolean {
    if (this.#charged.takeRepeat(from, message)) return true;
    if (!this.#context.limits.takeMessageTokenNow(from, now)) return false;
    this.#charged.add(from, message);
    return true;
  }

  /** Takes tokens until so many are paid. Returns 0 if they are, otherwise the milliseconds until the next. */
  #pay(tokens: number, from: Member, now: number): number {
    for (let paid = this.#paid.get(from) ?? 0; paid < tokens; paid++) {
      const pause = this.#context.limits.takeMessageToken(from, now);
      if (pause > 0) return pause;
      this.#paid.set(from, paid + 1);
    }
    return 0;
  }

  #send(pieces: string[], from: Member, to: Member, now: number): void {
    if (to === from) return this.#tell(from, "That is you");
    if (!this.#context.isRelaying) {
      const outcome: Outcome = { wasSent: false, why: NOT_RELAYING };
      return pieces.forEach((text) => this.#tell(from, outcomeLine(nameOf(to), text, outcome)));
    }
    if (to.dialect === "v1") return this.#outbox.add(pieces, from, to, now);
    this.#lastWriters.note(from, to, now);
    const how = to.dialect === "line" ? "" : ", as a classic program does not confirm";
    for (const text of pieces) {
      for (const line of linesOf({ from: from.address, name: from.name, text }, privateLine)) this.#tell(to, line);
      this.#tell(from, `-> ${nameOf(to)} (through the server${how}): ${text}`);
    }
  }

  #tell(member: Member, line: string): void {
    this.#context.delivery.send(member, { dialect: "classic", type: "INCOMING", line });
  }
}

/** What its sender reads of a text. Without an answer nobody knows whether the receiver has seen it, or will. */
function outcomeLine(to: string, text: string, outcome: Outcome): string {
  if (outcome === "arrived") return `-> ${to} (through the server): ${text}`;
  return `!! Not ${outcome.wasSent ? "known to be " : ""}delivered to ${to} (${outcome.why}): ${text}`;
}
