/**
 * The conversations with other members, by what these are called. A member may be written to by its name and by its
 * address: while the server's word on that is fresh, both lead to the same conversation, so that the texts arrive in
 * order.
 *
 * @module
 */
import type { Renamed } from "../../protocol.ts";
import { Retry } from "../../protocol/reliable/retry.ts";
import { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import { SendStream } from "../../protocol/reliable/send_stream.ts";
import type { Question } from "./facts.ts";
import { Way } from "./way.ts";
import { keyOf, nameOf, type Who } from "./who.ts";

/** A question where a member is. */
export type WhereQuestion = Extract<Question, { ask: "where" }>;

/**
 * The pass of this client and a member, by which it is known to be the same one, and when it was told, in milliseconds.
 */
export interface Identity {
  pass: string;
  at: number;
}

/** The messages that are under way to one member. */
export interface Conversation {
  /** Whom the user writes to, and what it is called. */
  who: Who;
  name: string;
  /** What leads to it, and when the server last said so, in milliseconds. */
  keys: string[];
  namedAt: number;
  /** Whom what waits is for, and nobody else; undefined if it is for whoever has the name. */
  identity?: Identity;
  /** Whether any of it was written to an address: nobody sees who has that. */
  isToAddress: boolean;
  /** Whether it speaks classic, so that nothing tells whether it has read what the server hands on. */
  isClassic: boolean;
  way: Way;
  sendStream: SendStream;
  /** The ids of those that have gone through the server and are not acknowledged. */
  relayed: Set<number>;
  /** Whether anything was acknowledged since the messages began to wait. */
  isHeard: boolean;
  /** The look-ups since the messages began to wait, and the one that has no answer yet. */
  lookUps: Retry;
  question?: WhereQuestion;
}

/** How long it is believed that a name and an address are the same member's, in milliseconds. */
const NAMED_FOR_MS = 10_000;

/** All conversations of a session. */
export class Conversations {
  readonly #byKey = new Map<string, Conversation>();

  /** Each of them, once. */
  get all(): Conversation[] {
    return [...new Set(this.#byKey.values())];
  }

  /** Those in which something waits. */
  get waiting(): Conversation[] {
    return this.all.filter(isWaiting);
  }

  /** The one that texts to a member are put to. */
  with(who: Who): Conversation | undefined {
    return this.#byKey.get(keyOf(who));
  }

  /** Those with whoever the server has last named with a pass. */
  withPass(pass: string | undefined): Conversation[] {
    return pass === undefined ? [] : this.all.filter(({ way }) => way.place?.pass === pass);
  }

  /**
   * Lets one in which nothing waits begin anew.
   *
   * @param identity Whom what will wait is for, if it is not for whoever has the name or the address.
   */
  begin(conversation: Conversation, who: Who, identity: Identity | undefined, now: number): void {
    // an answer that is still to come is about another name
    if (keyOf(who) !== keyOf(conversation.who)) conversation.question = undefined;
    Object.assign(conversation, { who, identity, isToAddress: "address" in who, isHeard: false });
    if (now >= conversation.namedAt + NAMED_FOR_MS) this.#call(conversation, [keyOf(who)]);
  }

  /** Takes what the server calls the member: its name and its address lead to this conversation for a while. */
  call(conversation: Conversation, { address, name }: { address: string; name?: string }, now: number): void {
    const keys = [address, ...(name === undefined ? [] : [keyOf({ name })])].filter((key) => {
      const other = this.#byKey.get(key);
      return !other || other === conversation || !isWaiting(other);
    });
    this.#call(conversation, [keyOf(conversation.who), ...keys]);
    conversation.namedAt = now;
  }

  /**
   * Makes one conversation of two with the member that has a pass, which was written to by two names. Returns the one
   * that has what waits.
   */
  join(conversation: Conversation, pass: string, now: number): Conversation {
    const { sendStream, way: { isRelayAllowed } } = conversation;
    const other = this.withPass(pass).find((other) => other !== conversation);
    // what may have been sent stays in its stream
    if (!other || sendStream.isOpen) return conversation;
    if (!isWaiting(other)) {
      this.forget(other);
      conversation.way = other.way;
      conversation.way.allowRelay(isRelayAllowed, now);
      conversation.way.begin(now);
      return conversation;
    }
    // what was said under the ban keeps to it
    if (!other.way.isLocated || other.way.isRelayAllowed && !isRelayAllowed) return conversation;
    this.forget(conversation);
    sendStream.moveTo(other.sendStream, now);
    other.isToAddress ||= conversation.isToAddress;
    other.identity = { pass, at: now };
    return other;
  }

  /**
   * Goes on with a member under its new name, as far as it is known whom the server has meant by the old one. What
   * waits is for nobody else.
   *
   * @returns Whether it does.
   */
  rename({ address, name, before }: Renamed, now: number): boolean {
    const conversation = before === undefined ? undefined : this.with({ name: before });
    if (!conversation || this.with({ name })) return false;
    const { way, keys, who } = conversation;
    if (!way.isLocated && !conversation.identity || way.place?.address !== address) return false;
    conversation.identity ??= { pass: way.place.pass, at: now };
    conversation.name = name;
    if ("name" in who) {
      conversation.who = { name };
      // an answer that is still to come is about the old name
      conversation.question = undefined;
    }
    this.#call(conversation, keys.map((key) => key === keyOf({ name: before! }) ? keyOf({ name }) : key));
    return true;
  }

  forget(conversation: Conversation): void {
    this.#call(conversation, []);
  }

  #call(conversation: Conversation, keys: string[]): void {
    for (const key of conversation.keys) if (this.#byKey.get(key) === conversation) this.#byKey.delete(key);
    conversation.keys = keys;
    for (const key of keys) this.#byKey.set(key, conversation);
  }
}

/** One with a member to which nothing was written yet. */
export function newConversation(who: Who, isRelayAllowed: boolean): Conversation {
  return {
    who,
    name: nameOf(who),
    keys: [],
    namedAt: -Infinity,
    isToAddress: false,
    isClassic: false,
    way: new Way(isRelayAllowed),
    sendStream: new SendStream(new RoundTrip()),
    relayed: new Set(),
    isHeard: false,
    lookUps: new Retry(),
  };
}

function isWaiting({ sendStream }: Conversation): boolean {
  return sendStream.size > 0;
}
