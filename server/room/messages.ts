/**
 * Takes the messages of members, each once and in the order of its sender, and appends them to the journal.
 *
 * @module
 */
import { type ClassicPacket, MAX_TEXT_BYTES, SEND_WINDOW } from "../../protocol.ts";
import { type MessagePacket, ReceiveStream } from "../../protocol/reliable/receive_stream.ts";
import { printable, splitText } from "../../protocol/text.ts";
import type { Journal, KeptStream, NewEvent } from "../journal/journal.ts";
import type { Delivery } from "./delivery.ts";
import type { IgnoredCounts } from "./ignored.ts";
import type { Limits } from "./limits.ts";
import { activityOf, type Member } from "./members.ts";

/** What messages need of the room. */
export interface MessagesContext {
  delivery: Delivery;
  journal: Journal;
  limits: Limits;
  ignored: IgnoredCounts;
  /** Appends a message to the journal. */
  publish: (message: NewEvent, origin: Member, now: number) => void;
  /** The time that is shown to people, in Unix milliseconds. */
  time: (now: number) => number;
}

type ClassicMessage = Extract<ClassicPacket, { type: "MESSAGE" }>;

/** What a member said. */
type Said = Pick<MessagePacket, "text" | "action"> & Partial<Pick<MessagePacket, "stream" | "id">>;

/**
 * The most messages that may wait for an earlier one, over all members. Further ones are dropped, and their senders
 * repeat them.
 */
const MAX_EARLY = 10_000;
/** The most events that may wait for the journal. While there are as many, messages are dropped in the same way. */
const MAX_PENDING = 10_000;

/** The messages of one room, before they are events. */
export class Messages {
  readonly #context: MessagesContext;
  /** How many messages wait for an earlier one, over all members. */
  #early = 0;

  constructor(context: MessagesContext) {
    this.#context = context;
  }

  /** Forgets what was held back for a member that has left. */
  forget(member: Member): void {
    this.#early -= member.activity?.stream?.heldCount ?? 0;
  }

  /** Takes a classic text. Counts it as ignored if a part of it can't be taken. */
  receiveClassic(packet: ClassicMessage, member: Member, now: number): void {
    // to look at a long text takes time, so there must be a token before
    if (!this.#takesClassic(member, now)) return;
    const [first, ...others] = splitText(printable(packet.text), MAX_TEXT_BYTES);
    if (first !== undefined) this.#publish(member, { text: first }, now);
    for (const text of others) {
      if (!this.#takesClassic(member, now)) return;
      this.#publish(member, { text }, now);
    }
  }

  /** Takes a MESSAGE in version 1. */
  receive(packet: MessagePacket, member: Member, now: number): void {
    const { delivery, journal, limits, ignored } = this.#context;
    const kept = journal.stream(packet.stream);
    if (!journal.isFreeFor(member.token, packet.stream)) {
      const { id, stream } = packet, text = "This stream is not yours";
      const { token } = member, code = "stream-taken";
      if (!limits.takeRequestTokens(member, 1, now)) return;
      return delivery.send(member, { dialect: "v1", type: "ERROR", token, code, id, stream, text });
    }
    const stream = this.#streamOf(member, packet, kept);
    if (stream.isRepeat(packet)) return this.#acknowledge(packet, kept, member, now);
    const isBehind = kept !== undefined && kept.appendedId - kept.lastId >= SEND_WINDOW;
    if (isBehind || journal.pending >= MAX_PENDING) return void ignored["queue-full"]++;
    // a repeat of a held message takes no token; otherwise repeats could take the tokens that the missing message needs
    const wait = stream.isHeld(packet) ? 0 : limits.takeMessageToken(member, now);
    if (wait > 0) {
      const { id } = packet, { token } = member, text = "Too many messages";
      return delivery.send(member, { dialect: "v1", type: "ERROR", token, code: "slow-down", id, wait, text });
    }
    const before = stream.heldCount;
    const ready = stream.take(packet, this.#early < MAX_EARLY);
    this.#early += stream.heldCount - before;
    for (const { stream, id, action, text } of ready) {
      this.#publish(member, { stream, id, action, text: printable(text) }, now);
    }
  }

  /** Whether another classic message of a member can be taken. Takes a token for it, or counts it as ignored. */
  #takesClassic(member: Member, now: number): boolean {
    const { journal, limits, ignored } = this.#context;
    const reason = journal.pending >= MAX_PENDING
      ? "queue-full"
      : limits.takeMessageToken(member, now) > 0
      ? "fast-messages"
      : undefined;
    if (reason) ignored[reason]++;
    return reason === undefined;
  }

  /** The receive stream for a packet. A stream that its owner has used before goes on behind what was appended. */
  #streamOf(member: Member, packet: MessagePacket, kept: KeptStream | undefined): ReceiveStream {
    const activity = activityOf(member);
    if (activity.stream?.name === packet.stream) return activity.stream;
    this.#early -= activity.stream?.heldCount ?? 0;
    return activity.stream = new ReceiveStream(packet.stream, kept && kept.appendedId + 1);
  }

  /**
   * Answers a repeat. Its sender has missed its own INCOMING, and perhaps nothing else shows it the gap. What the
   * journal has not kept yet is not acknowledged.
   */
  #acknowledge(
    { stream, id, first = id }: MessagePacket,
    kept: KeptStream | undefined,
    member: Member,
    now: number,
  ): void {
    const { delivery, journal, limits } = this.#context;
    if (!kept || kept.lastId < first || !limits.takeRequestTokens(member, 1, now)) return;
    const { token } = member, { epoch, seq } = journal;
    delivery.send(member, { dialect: "v1", type: "HEARTBEAT", token, epoch, seq });
    delivery.send(member, { dialect: "v1", type: "ACK", token, stream, id: Math.min(id, kept.lastId) });
  }

  #publish(member: Member, said: Said, now: number): void {
    const { publish, time } = this.#context;
    publish({ type: "INCOMING", from: member.address, name: member.name, at: time(now), ...said }, member, now);
  }
}
