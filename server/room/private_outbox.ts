/**
 * Private messages from members that have a connection to version 1 members: the server sends them in their stead, and
 * says whether they have arrived.
 *
 * @module
 */
import { ageOf, type RelayedPacket } from "../../protocol.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import type { Delivery } from "./delivery.ts";
import type { Limits } from "./limits.ts";
import { type Member, type Members, nameOf } from "./members.ts";
import type { Passes } from "./passes.ts";
import { Timeline } from "./timeline.ts";

/** What the outbox needs of the room. */
export interface PrivateOutboxContext {
  members: Members;
  delivery: Delivery;
  limits: Limits;
  passes: Passes;
  /** Tells a member what has become of a text. */
  told: (from: Member, to: string, text: string, outcome: Outcome) => void;
}

/** What has become of a text: it has arrived; or it has not, as far as is known, and may have been sent, and why. */
export type Outcome = "arrived" | { wasSent: boolean; why: string };

/** A text, and when it was handed over, in milliseconds. */
interface Waiting {
  text: string;
  saidAt: number;
}

/** The texts of one member to one other. */
interface Conversation {
  from: Member;
  /** The token of the receiver, and the name that it was called by. */
  token: string;
  name: string;
  pass: string;
  /** The texts that have not arrived, in order. Only the first is under way. */
  waiting: Waiting[];
  /** The stream, and the id in it of the text that is under way, or was last. */
  stream: string;
  id: number;
  roundTrip: RoundTrip;
  /** How often this text was sent; when first, and last, in milliseconds. */
  tries: number;
  begunAt: number;
  sentAt: number;
  /** Whether the token of the receiver for the next try is taken. */
  hasToken: boolean;
  /**
   * Whether a text was given up, and nothing for this sender has come from the receiver since: it may ignore this one.
   */
  isMute: boolean;
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
/** How long a text may be without an answer before it is given up, in milliseconds. */
const DEADLINE_MS = 8000;
/** The shortest pause before the second try, in milliseconds: all tries together must outlast a short outage. */
const MIN_PAUSE_MS = 100;
/**
 * How often a text is sent in this time, how many times as long as the one before each pause is, and the longest pause in
 * milliseconds. Whoever gives no answer makes the server send so many times the bytes that it gets. At 30% loss each way two
 * texts in 20,000 did not arrive, and of one more its sender did not learn that it had.
 */
const MAX_TRIES = 14, BACK_OFF = 1.25, MAX_PAUSE_MS = 600;
/** How often one is sent to a member that gave no answer to the one before. */
const TRIES_TO_MUTE = 4;
/** How many texts and repeats a second are sent to one member, and how many at once: a whole class may write to its teacher. */
const RECEIVER_RATE: TokenBucketOptions = { rate: 100, burst: 200 };
const NO_ANSWER = `no answer for ${DEADLINE_MS / 1000} s`, HAS_LEFT = "has left";

/** Sends the texts, one after the other to each receiver, and repeats each until it is acknowledged. */
export class PrivateOutbox {
  readonly #context: PrivateOutboxContext;
  /** Nothing more is kept of a member than the member itself is. */
  readonly #senders = new WeakMap<Member, Sender>();
  /** What may be sent to each version 1 member. */
  readonly #buckets = new WeakMap<Member, TokenBucket>();
  /** Those of all members in which something waits. */
  readonly #busy = new Timeline<Conversation>();

  constructor(context: PrivateOutboxContext) {
    this.#context = context;
  }

  /** When {@linkcode wake} is to be called, in milliseconds of the room's clock; undefined for never. */
  get dueAt(): number | undefined {
    return this.#busy.dueAt;
  }

  /** Whether so many texts of a member wait that no further one may be added. */
  isFull(from: Member): boolean {
    return (this.#senders.get(from)?.waiting ?? 0) >= MAX_WAITING;
  }

  /** Takes the pieces of a text, each no longer than that of a MESSAGE. */
  add(pieces: string[], from: Member, to: Member, now: number): void {
    let sender = this.#senders.get(from);
    if (!sender) this.#senders.set(from, sender = { conversations: new Map(), waiting: 0 });
    const conversation = sender.conversations.get(to.token) ?? this.#begin(sender, from, to);
    conversation.name = nameOf(to);
    conversation.waiting.push(...pieces.map((text) => ({ text, saidAt: now })));
    sender.waiting += pieces.length;
    if (!this.#busy.has(conversation)) this.#sendNext(conversation, now);
  }

  /** Notes that something for a member with a connection has come from a version 1 member: it is not mute to that. */
  heard(by: Member, to: Member): void {
    const conversation = this.#senders.get(to)?.conversations.get(by.token);
    if (conversation) conversation.isMute = false;
  }

  /** Takes the acknowledgement of a version 1 member for a member with a connection. Its pass was checked. */
  acknowledge({ stream, id }: RelayedPacket & { type: "ACK" }, by: Member, to: Member, now: number): void {
    const conversation = this.#senders.get(to)?.conversations.get(by.token);
    if (!conversation || conversation.stream !== stream || conversation.id !== id) return;
    if (conversation.waiting.length === 0 || conversation.tries === 0) return;
    // which copy of a repeated one was answered is unknown (RFC 6298, section 3)
    if (conversation.tries === 1) conversation.roundTrip.sample(now - conversation.sentAt);
    this.#settle(conversation, conversation.waiting.splice(0, 1));
    this.#sendNext(conversation, now);
  }

  /** Repeats what has no answer, and gives up what has had none for too long. */
  wake(now: number): void {
    for (const conversation of this.#busy.takeDue(now)) this.#advance(conversation, now);
  }

  #begin(sender: Sender, from: Member, to: Member): Conversation {
    const { conversations } = sender, { token } = to;
    if (conversations.size >= MAX_CONVERSATIONS) {
      for (const [other, { waiting }] of conversations) {
        if (waiting.length > 0) continue;
        conversations.delete(other);
        break;
      }
    }
    const pass = this.#context.passes.of(from, to);
    const conversation: Conversation = {
      ...{ from, token, name: "", pass, waiting: [], stream: randomHex64(), id: 0, roundTrip: new RoundTrip() },
      ...{ tries: 0, begunAt: 0, sentAt: 0, hasToken: false, isMute: false },
    };
    conversations.set(token, conversation);
    return conversation;
  }

  #sendNext(conversation: Conversation, now: number): void {
    if (conversation.waiting.length === 0) return this.#busy.delete(conversation);
    conversation.id++;
    conversation.tries = 0;
    this.#advance(conversation, now);
  }

  /** Sends the text that is under way, for the first time or again, or gives it up. */
  #advance(conversation: Conversation, now: number): void {
    const { from, token, waiting, begunAt, tries, isMute } = conversation, { members } = this.#context;
    this.#busy.delete(conversation);
    // nobody is there to be told of it
    if (members.withKey(from.key) !== from) return;
    const to = members.withToken(token);
    if (!to) return this.#settle(conversation, waiting.splice(0), HAS_LEFT);
    if (tries > 0 && now >= begunAt + DEADLINE_MS) {
      conversation.isMute = true;
      return this.#settle(conversation, waiting.splice(0), NO_ANSWER);
    }
    const pause = tries < (isMute ? TRIES_TO_MUTE : MAX_TRIES) ? this.#pay(conversation, to, now) : Infinity;
    if (pause === 0) this.#send(conversation, to, now);
    const next = pause > 0
      ? now + pause
      : now + Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, conversation.roundTrip.timeout()) * BACK_OFF ** tries);
    this.#busy.set(conversation, conversation.tries > 0 ? Math.min(next, conversation.begunAt + DEADLINE_MS) : next);
  }

  /** Takes what a try costs: a token of the receiver, and for a repeat one of the sender. Returns how long it waits. */
  #pay(conversation: Conversation, to: Member, now: number): number {
    if (!conversation.hasToken) {
      conversation.hasToken = true;
      const pause = this.#bucketOf(to, now).takeAhead(RECEIVER_RATE, now);
      if (pause > 0) return pause;
    }
    return conversation.tries === 0 ? 0 : this.#context.limits.requestPause(conversation.from, 1, now);
  }

  #send(conversation: Conversation, to: Member, now: number): void {
    const { from: { address, name }, token, pass, stream, id, waiting: [{ text, saidAt }] } = conversation;
    if (conversation.tries++ === 0) conversation.begunAt = now;
    conversation.sentAt = now;
    conversation.hasToken = false;
    const packet = { dialect: "v1", type: "MESSAGE", pass, stream, id, ...ageOf(saidAt, now), text } as const;
    this.#context.delivery.send(to, { dialect: "v1", type: "RELAY", token, address, name, packet });
  }

  #bucketOf(to: Member, now: number): TokenBucket {
    let bucket = this.#buckets.get(to);
    if (!bucket) this.#buckets.set(to, bucket = new TokenBucket(RECEIVER_RATE, now));
    return bucket;
  }

  /** @param failure Why the texts have not arrived; undefined if they have. */
  #settle({ from, name, tries }: Conversation, texts: Waiting[], failure?: string): void {
    this.#senders.get(from)!.waiting -= texts.length;
    for (const [i, { text }] of texts.entries()) {
      // the first of those that wait is under way
      const outcome = failure === undefined ? "arrived" : { wasSent: i === 0 && tries > 0, why: failure };
      this.#context.told(from, name, text, outcome);
    }
  }
}
