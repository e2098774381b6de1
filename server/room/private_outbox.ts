/**
 * Private messages from members that have a connection to version 1 members: the server sends them in their stead, and
 * says whether they have arrived.
 *
 * @module
 */
import type { RelayedPacket } from "../../protocol.ts";
import { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import { SendStream } from "../../protocol/reliable/send_stream.ts";
import type { Delivery } from "./delivery.ts";
import type { Member, Members } from "./members.ts";
import type { Passes } from "./passes.ts";

/** What the outbox needs of the room. */
export interface PrivateOutboxContext {
  members: Members;
  delivery: Delivery;
  passes: Passes;
  /** Tells a member what has become of a text. */
  told: (from: Member, to: string, text: string, outcome: Outcome) => void;
}

/** What has become of a text: it has arrived; or it has not, as far as is known, and may have been sent, and why. */
export type Outcome = "arrived" | { wasSent: boolean; why: string };

/** The texts of one member to one other. */
interface Conversation {
  from: Member;
  /** The token of the receiver, and the name that it was called by. */
  token: string;
  name: string;
  pass: string;
  /** The texts that have not arrived, in order. Only the first is under way. */
  waiting: string[];
  stream: SendStream;
  /** When it is to be looked at again, in milliseconds. */
  dueAt: number;
}

/** What one member with a connection sends. */
interface Sender {
  /** By the tokens of the receivers, the one that was written to first before the others. */
  conversations: Map<string, Conversation>;
  /** How many texts have not arrived. */
  waiting: number;
}

/** How many texts of one member may wait. Then its next line does. */
const MAX_WAITING = 32;
/**
 * To how many members one may write before the first stream is forgotten to which nothing waits. There are more places
 * than texts that wait, so such a stream there is.
 */
const MAX_CONVERSATIONS = MAX_WAITING + 1;
/**
 * How long a text may be without an answer before it is given up, in milliseconds: at 30% loss each way all repeats in this
 * time fail once in fifty thousand times. In 5 s, as long as a client tries with many under way, it is once in a thousand.
 */
const DEADLINE_MS = 8000;
const NO_ANSWER = `no answer for ${DEADLINE_MS / 1000} s`, HAS_LEFT = "has left";
/** The times are rounded up to a multiple of this, in milliseconds, so that one pass serves many. */
const STEP_MS = 10;

/** Sends the texts, one after the other to each receiver, and repeats each until it is acknowledged. */
export class PrivateOutbox {
  readonly #context: PrivateOutboxContext;
  /** Nothing more is kept of a member than the member itself is. */
  readonly #senders = new WeakMap<Member, Sender>();
  /** Those of all members in which something waits. */
  readonly #busy = new Set<Conversation>();
  #dueAt: number | undefined;

  constructor(context: PrivateOutboxContext) {
    this.#context = context;
  }

  /** When {@linkcode wake} is to be called, in milliseconds of the room's clock; undefined for never. */
  get dueAt(): number | undefined {
    return this.#dueAt;
  }

  /** Whether so many texts of a member wait that no further one may be added. */
  isFull(from: Member): boolean {
    return (this.#senders.get(from)?.waiting ?? 0) >= MAX_WAITING;
  }

  /** Takes the pieces of a text, each no longer than that of a MESSAGE. */
  add(pieces: string[], from: Member, to: Member, now: number): void {
    let sender = this.#senders.get(from);
    if (!sender) this.#senders.set(from, sender = { conversations: new Map(), waiting: 0 });
    const conversation = sender.conversations.get(to.token) ?? this.#begin(sender, from, to, now);
    conversation.name = to.name ?? to.address;
    conversation.waiting.push(...pieces);
    sender.waiting += pieces.length;
    if (this.#busy.has(conversation) || pieces.length === 0) return;
    this.#busy.add(conversation);
    this.#sendNext(conversation, now);
  }

  /** Takes the acknowledgement of a version 1 member for a member with a connection. Its pass was checked. */
  acknowledge({ stream, id }: RelayedPacket & { type: "ACK" }, by: Member, to: Member, now: number): void {
    const conversation = this.#senders.get(to)?.conversations.get(by.token);
    if (!conversation || conversation.stream.acknowledge(stream, id, now).length === 0) return;
    this.#settle(conversation, conversation.waiting.splice(0, 1));
    this.#sendNext(conversation, now);
  }

  /** Repeats what has no answer, and gives up what has had none for too long. */
  wake(now: number): void {
    if (this.#dueAt === undefined || now < this.#dueAt) return;
    this.#dueAt = undefined;
    for (const conversation of this.#busy) {
      if (conversation.dueAt <= now) this.#advance(conversation, now);
      else this.#wakeAt(conversation.dueAt);
    }
  }

  #begin(sender: Sender, from: Member, to: Member, now: number): Conversation {
    const { conversations } = sender, { token } = to;
    if (conversations.size >= MAX_CONVERSATIONS) {
      for (const [other, { waiting }] of conversations) {
        if (waiting.length > 0) continue;
        conversations.delete(other);
        break;
      }
    }
    const stream = new SendStream(new RoundTrip());
    stream.open(now);
    const pass = this.#context.passes.of(from, to);
    const conversation: Conversation = { from, token, name: "", pass, waiting: [], stream, dueAt: now };
    conversations.set(token, conversation);
    return conversation;
  }

  #sendNext(conversation: Conversation, now: number): void {
    const [text] = conversation.waiting;
    if (text === undefined) return void this.#busy.delete(conversation);
    conversation.stream.add({ text }, now);
    this.#advance(conversation, now);
  }

  #advance(conversation: Conversation, now: number): void {
    const { from, token, pass, stream, waiting } = conversation, { members, delivery } = this.#context;
    // nobody is there to be told of it
    if (members.withKey(from.key) !== from) return void this.#busy.delete(conversation);
    const to = members.withToken(token), deadline = stream.progressAt + DEADLINE_MS;
    if (!to || now >= deadline) {
      stream.clear();
      this.#busy.delete(conversation);
      return this.#settle(conversation, waiting.splice(0), to ? NO_ANSWER : HAS_LEFT);
    }
    const { address, name } = from;
    for (const message of stream.wake(now)) {
      const packet = { dialect: "v1", type: "MESSAGE", pass, ...message } as const;
      delivery.send(to, { dialect: "v1", type: "RELAY", token, address, name, packet });
    }
    conversation.dueAt = Math.ceil(Math.min(stream.nextWake ?? Infinity, deadline) / STEP_MS) * STEP_MS;
    this.#wakeAt(conversation.dueAt);
  }

  /** @param failure Why the texts have not arrived; undefined if they have. */
  #settle({ from, name }: Conversation, texts: string[], failure?: string): void {
    this.#senders.get(from)!.waiting -= texts.length;
    for (const [i, text] of texts.entries()) {
      // the first of those that wait is under way
      const outcome = failure === undefined ? "arrived" : { wasSent: i === 0, why: failure };
      this.#context.told(from, name, text, outcome);
    }
  }

  #wakeAt(time: number): void {
    this.#dueAt = Math.min(this.#dueAt ?? Infinity, time);
  }
}
