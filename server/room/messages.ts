/**
 * Takes the messages of members, each once and in the order of its sender, and appends them to the journal.
 *
 * @module
 */
import { type ClassicPacket, MAX_TEXT_BYTES, SEND_WINDOW } from "../../protocol.ts";
import { type MessagePacket, ReceiveStream } from "../../protocol/reliable/receive_stream.ts";
import { printable, splitText } from "../../protocol/text.ts";
import type { Journal, KeptStream, NewEvent } from "../journal/journal.ts";
import { activityOf } from "./activity.ts";
import type { Delivery } from "./delivery.ts";
import type { Ignored } from "./ignored.ts";
import type { Limits } from "./limits.ts";
import type { Member } from "./members.ts";
import { Pacing } from "./pacing.ts";

/** What messages need of the room. */
export interface MessagesContext {
  delivery: Delivery;
  journal: Journal;
  limits: Limits;
  ignored: Ignored;
  /** How many members hear what is said. */
  audience: () => number;
  /** Why a member may not say anything now, in words: `muted for 4 more minutes`; undefined if it may. */
  muteOf: (member: Member, now: number) => string | undefined;
  /** Sends a member the event that its message became; returns whether that was one of the latest. */
  answerRepeat: (packet: MessagePacket, member: Member) => boolean;
  /** Appends a message to the journal. */
  publish: (message: NewEvent, origin: Member, now: number) => void;
  /** The time that is shown to people, in Unix milliseconds. */
  time: (now: number) => number;
}

type ClassicMessage = Extract<ClassicPacket, { type: "MESSAGE" | "TEXT" }>;

/** What a member said. */
type Said = Pick<MessagePacket, "text" | "action"> & Partial<Pick<MessagePacket, "stream" | "id">>;

/** The most messages that may be held, over all members. Further ones are dropped, and their senders repeat them. */
const MAX_HELD = 10_000;
/** The most events that may wait for the journal. While there are as many, messages are held, and classic ones dropped. */
const MAX_PENDING = 10_000;
/** How long a member waits before it is looked again whether the journal has caught up, in milliseconds: a poll. */
const JOURNAL_PAUSE_MS = 10;

/** The longest time for which a message is not to be repeated, in milliseconds: what is held may have to be dropped. */
const MAX_WAIT_MS = 10_000;

/**
 * The messages of one room, before they are events.
 *
 * A message in version 1 is held until those before it are published and its sender has a token for it. Meanwhile
 * nothing settles it, so the window of the stream is what slows the sender down. Who repeats it is told to wait.
 */
export class Messages {
  readonly #context: MessagesContext;
  readonly #pacing = new Pacing();
  /** How many messages are held, over all members. */
  #held = 0;

  constructor(context: MessagesContext) {
    this.#context = context;
  }

  /** When {@linkcode wake} is to be called, in milliseconds of the room's clock; undefined for never. */
  get dueAt(): number | undefined {
    return this.#pacing.dueAt;
  }

  /** Publishes the held messages whose time has come. */
  wake(now: number): void {
    for (const member of this.#pacing.takeDue(now)) {
      if (member.dialect === "line") {
        this.#publishLine(member, now);
        continue;
      }
      const stream = member.activity?.stream;
      if (!stream) continue;
      // a stream is nobody's before its first message is published, so another member may have been faster
      if (this.#context.journal.isFreeFor(member.token, stream.name)) this.#publishReady(member, stream, now);
      else this.#drop(member);
    }
  }

  /** Forgets what was held for a member that has left. */
  forget(member: Member): void {
    this.#pacing.forget(member);
    if (member.activity?.stream) this.#drop(member);
  }

  /**
   * Takes a line of a member with a connection. If a part of it has no token yet, that waits, and so must the next line:
   * the caller asks {@linkcode linePause} first.
   *
   * @returns 0 if it was taken; otherwise the milliseconds until it is to be handed over again.
   */
  receiveLine(line: Pick<Said, "text" | "action">, member: Member, now: number): number {
    const { limits, muteOf } = this.#context, mute = muteOf(member, now);
    if (mute !== undefined) {
      const pause = limits.requestPause(member, 1, now);
      if (pause === 0) this.#tellMuted(member, mute);
      return pause;
    }
    const pause = this.#takeLineToken(member, now);
    if (pause > 0) return pause;
    const [first, ...others] = splitText(printable(line.text), MAX_TEXT_BYTES).map((text) => ({ ...line, text }));
    this.#publish(member, first, now);
    if (others.length > 0) {
      activityOf(member).line = others;
      this.#publishLine(member, now);
    }
    return 0;
  }

  /** How long the next line of a member must wait because a part of the one before does, in milliseconds. */
  linePause(member: Member, now: number): number {
    const until = this.#pacing.waitsUntil(member);
    return until === undefined ? 0 : Math.max(1, until - now);
  }

  /** Takes a classic text. Counts it as ignored if a part of it can't be taken. */
  receiveClassic(packet: ClassicMessage, member: Member, now: number): void {
    const { limits, ignored, muteOf } = this.#context, mute = muteOf(member, now);
    if (mute !== undefined) {
      ignored.count("muted");
      const isTold = limits.takeRequestTokens(member, 1, now) && limits.takeAnswerBytes(member, notSaid(mute), now);
      return isTold ? this.#tellMuted(member, mute) : undefined;
    }
    // to look at a long text takes time, so there must be a token before
    if (!this.#takesClassic(member, now)) return;
    const said = textOf(packet, member);
    if (said === "") return this.#context.ignored.count("no-packet");
    const [first, ...others] = splitText(printable(said), MAX_TEXT_BYTES);
    if (first !== undefined) this.#publish(member, { text: first }, now);
    for (const text of others) {
      if (!this.#takesClassic(member, now)) return;
      this.#publish(member, { text }, now);
    }
  }

  /** Takes a MESSAGE in version 1. */
  receive(packet: MessagePacket, member: Member, now: number): void {
    const { delivery, journal, limits, ignored, muteOf } = this.#context;
    const kept = journal.stream(packet.stream);
    if (!journal.isFreeFor(member.token, packet.stream)) {
      const { id, stream } = packet, text = "This stream is not yours";
      const { token } = member, code = "stream-taken";
      if (!limits.takeRequestTokens(member, 1, now)) return;
      return delivery.send(member, { dialect: "v1", type: "ERROR", token, code, id, stream, text });
    }
    const stream = this.#streamOf(member, packet, kept);
    if (stream.isRepeat(packet)) return this.#acknowledge(packet, kept, member, now);
    const mute = muteOf(member, now);
    if (mute !== undefined || stream.isRefused(packet)) return this.#refuse(packet, member, stream, mute, now);
    const before = stream.heldCount, wasHeld = stream.isHeld(packet);
    stream.hold(packet);
    this.#held += stream.heldCount - before;
    this.#publishReady(member, stream, now);
    if (wasHeld && stream.isHeld(packet)) this.#tellHeld(packet, member, stream, now);
    if (!stream.isRepeat(packet)) ignored.hold(stream.isReady ? "rate" : `id ${stream.next}`);
    if (this.#held <= MAX_HELD || !stream.isHeld(packet)) return;
    stream.drop(packet);
    this.#held--;
    ignored.count("queue-full");
  }

  /** Publishes what is left of a member's line, as far as there are tokens for it. */
  #publishLine(member: Member, now: number): void {
    const { line = [] } = activityOf(member), mute = this.#context.muteOf(member, now);
    if (mute !== undefined && line.length > 0) {
      line.length = 0;
      this.#tellMuted(member, mute);
    }
    while (line.length > 0) {
      const pause = this.#takeLineToken(member, now);
      if (pause > 0) return this.#pacing.wait(member, now + pause);
      this.#publish(member, line.shift()!, now);
    }
    activityOf(member).line = undefined;
  }

  /** Takes a token for a part of a line. Returns 0 if there was one, otherwise how long it waits. */
  #takeLineToken(member: Member, now: number): number {
    const { audience, journal, limits } = this.#context;
    return journal.pending >= MAX_PENDING ? JOURNAL_PAUSE_MS : limits.takeLineToken(member, audience(), now);
  }

  /** Publishes the messages whose turn it is, as many as there are tokens for. The next one waits for its token. */
  #publishReady(member: Member, stream: ReceiveStream, now: number): void {
    const mute = this.#context.muteOf(member, now);
    if (mute !== undefined) {
      for (const packet of stream.held) this.#refuse(packet, member, stream, mute, now);
    }
    while (stream.isReady) {
      const pause = this.#takeToken(member, stream, now);
      if (pause > 0) return this.#pacing.wait(member, now + pause);
      const { id, action, text } = stream.takeNext()!;
      this.#held--;
      this.#publish(member, { stream: stream.name, id, action, text: printable(text) }, now);
    }
  }

  /** Takes a token for a member's next message. Returns 0 if it can be published, otherwise how long it waits. */
  #takeToken(member: Member, stream: ReceiveStream, now: number): number {
    const { journal, limits } = this.#context;
    const kept = journal.stream(stream.name);
    const isBehind = kept !== undefined && kept.appendedId - kept.lastId >= SEND_WINDOW;
    return isBehind || journal.pending >= MAX_PENDING ? JOURNAL_PAUSE_MS : limits.takeMessageToken(member, now);
  }

  /**
   * Refuses a MESSAGE. If its sender has no token for the answer, it is told when it repeats the MESSAGE. The stream
   * waits for it until its sender has settled it, which the next message says by its `first`.
   */
  #refuse(
    packet: MessagePacket,
    member: Member,
    stream: ReceiveStream,
    mute: string | undefined,
    now: number,
  ): void {
    const { delivery, limits } = this.#context, { token } = member, { id } = packet;
    const before = stream.heldCount;
    stream.refuse(packet);
    this.#held += stream.heldCount - before;
    if (!limits.takeRequestTokens(member, 1, now)) return;
    const text = mute === undefined ? "You were muted when you said this" : `You are ${mute}`;
    delivery.send(member, { dialect: "v1", type: "ERROR", token, code: "muted", id, stream: stream.name, text });
  }

  /** Answers the repeat of a MESSAGE that is here already: when its sender may repeat it next. */
  #tellHeld({ id }: MessagePacket, member: Member, stream: ReceiveStream, now: number): void {
    const { delivery, limits } = this.#context, { token } = member, { name } = stream;
    if (!limits.takeRequestTokens(member, 1, now)) return;
    const until = this.#pacing.waitsUntil(member) ?? now;
    const wait = stream.isReady
      ? Math.min(MAX_WAIT_MS, Math.ceil(until - now + limits.timeFor(id - stream.next)))
      : undefined;
    delivery.send(member, { dialect: "v1", type: "HELD", token, stream: name, id, wait });
  }

  /** Tells a member that has no ids. */
  #tellMuted(member: Member, mute: string): void {
    this.#context.delivery.send(member, { dialect: "classic", type: "INCOMING", line: notSaid(mute) });
  }

  /** Drops what a member's present stream holds; its sender was never told that it was taken. */
  #drop(member: Member): void {
    const activity = activityOf(member);
    this.#held -= activity.stream?.heldCount ?? 0;
    activity.stream = undefined;
  }

  /** Whether another classic message of a member can be taken. Takes a token for it, or counts it as ignored. */
  #takesClassic(member: Member, now: number): boolean {
    const { journal, limits, ignored } = this.#context;
    const reason = journal.pending >= MAX_PENDING
      ? "queue-full"
      : limits.takeMessageTokenNow(member, now)
      ? undefined
      : "fast-messages";
    if (reason) ignored.count(reason);
    return reason === undefined;
  }

  /** The receive stream for a packet. A stream that its owner has used before goes on behind what was appended. */
  #streamOf(member: Member, packet: MessagePacket, kept: KeptStream | undefined): ReceiveStream {
    const activity = activityOf(member);
    if (activity.stream?.name === packet.stream) return activity.stream;
    this.#drop(member);
    return activity.stream = new ReceiveStream(packet.stream, kept && kept.appendedId + 1);
  }

  /**
   * Answers a repeat. Its sender has missed its own INCOMING, and perhaps nothing else shows it the gap. What the
   * journal has not kept yet is not acknowledged.
   */
  #acknowledge(packet: MessagePacket, kept: KeptStream | undefined, member: Member, now: number): void {
    const { delivery, journal, limits, answerRepeat } = this.#context, { stream, id, first = id } = packet;
    if (!kept || kept.lastId < first || !limits.takeRequestTokens(member, 1, now)) return;
    if (answerRepeat(packet, member)) return;
    const { token } = member, { epoch, seq } = journal;
    delivery.send(member, { dialect: "v1", type: "HEARTBEAT", token, epoch, seq });
    delivery.send(member, { dialect: "v1", type: "ACK", token, stream, id: Math.min(id, kept.lastId) });
  }

  #publish(member: Member, said: Said, now: number): void {
    const { publish, time } = this.#context;
    publish({ type: "INCOMING", from: member.address, name: member.name, at: time(now), ...said }, member, now);
  }
}

function notSaid(mute: string): string {
  return `!! Not said: you are ${mute}`;
}

/**
 * What a classic member says. A colon behind the word belongs to the word as long as each MESSAGE of this member had one;
 * from the first one without, colons are text.
 */
function textOf(packet: ClassicMessage, member: Member): string {
  if (packet.type === "TEXT") return packet.text;
  const activity = activityOf(member), { text, afterColon } = packet;
  if (afterColon === undefined) activity.colonIsText = true;
  return activity.colonIsText ? text : afterColon!;
}
