/**
 * Direct messages to others: the server tells the peer's address, the message goes straight to the peer, or through the
 * server where there is no direct way, and the peer acknowledges it. The peer takes it only if the server has told it of
 * this client by a PUNCH a short while ago, so it is looked up again and again while something waits.
 *
 * @module
 */
import { ageOf, type RelayedPacket, type V1Packet } from "../../protocol.ts";
import { earliest } from "../../protocol/earliest.ts";
import { messageLine } from "../../protocol/lines.ts";
import { Retry } from "../../protocol/reliable/retry.ts";
import { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import { type Draft, SendStream } from "../../protocol/reliable/send_stream.ts";
import type { Answer, Fact, PeerPacket, Question, Timed } from "./facts.ts";
import type { DirectInbox } from "./direct_inbox.ts";
import type { KnownWays, Named } from "./known_ways.ts";
import type { Self } from "./membership.ts";
import { relay } from "./relay.ts";
import { givenUp, reasonOf } from "./refusals.ts";
import type { Transactions } from "./transactions.ts";
import type { Send } from "./v1_link.ts";
import { type Found, Way } from "./way.ts";
import {
  type Forbidden,
  isOwnLoopback,
  relayNotice,
  sentNotice,
  whyNoAnswer,
  whyNotDirectly,
  whyNoWay,
} from "./way_words.ts";
import { keyOf, nameOf, type Who } from "./who.ts";

type WhereQuestion = Extract<Question, { ask: "where" }>;

/** The messages that are under way to one member. */
interface Conversation {
  /** Whom the user writes to, and what it is called. */
  who: Who;
  name: string;
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

/** For how long after a new start of the server others may still be on their way back, in milliseconds. */
const COME_BACK_MS = 5000;
/**
 * The pauses after the first look-ups, and after each further one, in milliseconds. Each opens both NATs again, and tells
 * the peer who this is: what it is not told for 10 s it forgets. The first pauses are short, as the first may be lost.
 */
const LOOK_UP_PAUSES_MS = [250, 500];
const LOOK_UP_PAUSE_MS = 1000;

/** What the direct messages to others need. */
export interface DirectOptions {
  transactions: Transactions;
  /** This member, as the server knows it. */
  self: Self;
  /** Sends a packet to a peer, or to the server. */
  send: Send;
  /** The direct messages from others. It is told who has which pass, and says whose packets it believes. */
  inbox: DirectInbox;
  known: KnownWays;
  /** Whether texts may go through the server where there is no direct way. */
  isRelayAllowed: boolean;
}

/** The direct messages of one session to others. */
export class DirectMessages implements Timed {
  readonly #transactions: Transactions;
  readonly #self: Self;
  readonly #send: Send;
  readonly #inbox: DirectInbox;
  readonly #known: KnownWays;
  readonly #conversations = new Map<string, Conversation>();
  /** With which pass of a peer the user was told that the texts to it go through the server. */
  readonly #told = new Map<string, string>();
  /** Whether what is said now may go through the server, and what has last forbidden it. */
  #isRelayAllowed: boolean;
  #forbiddenBy: Exclude<Forbidden, "before"> = "flag";
  /** When the server last began anew, in milliseconds. */
  #begunAnewAt = -Infinity;

  constructor({ transactions, self, send, inbox, known, isRelayAllowed }: DirectOptions) {
    this.#transactions = transactions;
    this.#self = self;
    this.#send = send;
    this.#inbox = inbox;
    this.#known = known;
    this.#isRelayAllowed = isRelayAllowed;
  }

  /** How many messages have not been acknowledged by their peers. */
  get waiting(): number {
    return [...this.#conversations.values()].reduce((sum, { sendStream }) => sum + sendStream.size, 0);
  }

  /** Whether what is said now may go through the server. */
  get isRelayAllowed(): boolean {
    return this.#isRelayAllowed;
  }

  /** When the time began after which the last of what waits is given up, in milliseconds. */
  get waitsSince(): number {
    const busy = [...this.#conversations.values()].filter(({ sendStream }) => sendStream.size > 0);
    return Math.max(-Infinity, ...busy.map(({ way }) => way.waitsSince));
  }

  get nextWake(): number | undefined {
    return earliest(
      [...this.#conversations.values()].flatMap(({ sendStream, way, lookUps, question }) =>
        sendStream.size === 0
          ? [way.nextWake(false)]
          : [sendStream.nextWake, way.nextWake(true), question ? undefined : lookUps.dueAt]
      ),
    );
  }

  /** Whether a member is reached, or has reached this client, through the server only, as far as this client has found out. */
  isRelayed(who: Who): boolean {
    return this.#known.isRelayed(who) || this.#conversations.get(keyOf(who))?.way.isRelayed === true;
  }

  /**
   * Allows that what is said from now on goes through the server; or forbids that anything does: what waits there is taken
   * off that way.
   */
  allowRelay(isAllowed: boolean, now: number): Fact[] {
    this.#isRelayAllowed = isAllowed;
    if (!isAllowed) this.#forbiddenBy = "command";
    const facts: Fact[] = [];
    for (const [key, conversation] of this.#conversations) {
      const { way, sendStream } = conversation;
      // what was said under the ban keeps to it
      if (isAllowed || sendStream.size === 0) continue;
      const isDueAgain = way.allowRelay(false, now);
      const isLost = way.isLocated && way.isClosed;
      if (isLost) facts.push(...this.#giveUp(key, conversation, this.#noWay(conversation, way.place!)));
      else if (isDueAgain && conversation.isClassic) facts.push(...this.#sendStraight(conversation, way.place!));
      else if (isDueAgain) this.#again(conversation, now);
    }
    return facts;
  }

  /** Notes that the server has begun anew, so that for a while it does not know everybody. */
  beginAnew(now: number): void {
    this.#begunAnewAt = now;
  }

  /** Sends pieces of text to a member; they were said at a time in milliseconds. */
  say(who: Who, drafts: Draft[], now: number, saidAt: number = now): void {
    let conversation = this.#conversations.get(keyOf(who));
    if (!conversation) {
      conversation = {
        who,
        name: nameOf(who),
        isClassic: false,
        way: new Way(this.#isRelayAllowed),
        sendStream: new SendStream(new RoundTrip()),
        relayed: new Set(),
        isHeard: false,
        lookUps: new Retry(),
      };
      this.#conversations.set(keyOf(who), conversation);
    }
    if (conversation.sendStream.size === 0) {
      // the name may have another address, or another owner, by now
      conversation.sendStream.close();
      conversation.way.allowRelay(this.#isRelayAllowed, now);
      conversation.way.begin(now);
      conversation.isHeard = false;
      conversation.lookUps.start(now);
    }
    for (const draft of drafts) conversation.sendStream.add(draft, now, saidAt);
    this.#lookUp(conversation, now);
    this.#transmit(conversation, now);
  }

  /**
   * Takes the acknowledgement of a peer, from whatever address. It must have the pass: who had the name before knows the
   * stream, and can forge the address of who has it now.
   *
   * @param from From where it came directly; undefined if it came through the server.
   */
  receiveAck({ pass, stream, id }: V1Packet & { type: "ACK" }, from: string | undefined, now: number): Fact[] {
    const facts: Fact[] = [], those = this.#withPass(pass);
    const checked = stream === undefined ? those.map(({ way }) => way.checked(id)).find(Boolean) : undefined;
    for (const conversation of those) {
      const { way, sendStream } = conversation;
      if (stream === undefined ? checked === undefined || from === undefined : stream !== sendStream.name) continue;
      if (from !== undefined) this.#known.heard(named(conversation), from, now);
      const settled = sendStream.acknowledge(stream, id, now);
      const isDueAgain = checked === undefined ? from !== undefined && way.heard(now) : way.answered(checked, now);
      if (settled.length > 0) way.progressed(now);
      conversation.isHeard ||= settled.length > 0;
      if (isDueAgain) this.#again(conversation, now);
      this.#transmit(conversation, now);
      facts.push(
        ...settled.map((message) => delivered(conversation, message, conversation.relayed.delete(message.id))),
      );
    }
    return facts;
  }

  /** Checks, if it is worth it, the way back to where a packet of a peer has come from directly. */
  checkBack({ type, pass }: V1Packet & { type: "MESSAGE" | "OPEN" }, now: number): void {
    for (const conversation of this.#withPass(pass)) {
      // where nothing is said two that check each other must not go on for ever
      if (type === "MESSAGE" || conversation.sendStream.size > 0) this.#checkBack(conversation, now);
    }
  }

  #withPass(pass: string | undefined): Conversation[] {
    if (pass === undefined) return [];
    return [...this.#conversations.values()].filter(({ way }) => way.place?.pass === pass);
  }

  #checkBack({ way }: Conversation, now: number): void {
    const { pass } = way.place!, from = this.#known.checkable(pass, now);
    if (from === undefined || !way.wantsCheck(from, now) || !this.#inbox.mayCheck(pass, from, now)) return;
    this.#known.checked(pass, now);
    this.#send({ dialect: "v1", type: "OPEN", pass, id: way.check(from) }, from);
  }

  wake(now: number): Fact[] {
    const facts: Fact[] = [];
    for (const [key, conversation] of this.#conversations) {
      const { sendStream, way } = conversation, id = way.takeCheck(now);
      const { address, pass } = way.place ?? {};
      if (id !== undefined) this.#send({ dialect: "v1", type: "OPEN", pass, id }, address);
      if (sendStream.size === 0) continue;
      if (way.wake(now)) {
        if (way.isRelayed) this.#known.silent(named(conversation), now);
        this.#again(conversation, now);
      }
      if (way.isOver(now)) {
        if (way.isLocated) this.#known.silent(named(conversation), now);
        facts.push(
          ...this.#giveUp(key, conversation, whyNoAnswer(conversation.name, way, this.#forbidden(conversation))),
        );
        continue;
      }
      this.#lookUp(conversation, now);
      facts.push(...this.#tellOrTransmit(key, conversation, now));
    }
    return facts;
  }

  /** Makes all that waits due at once, unless it is not known yet whom to send it to. */
  #again({ sendStream }: Conversation, now: number): void {
    if (sendStream.isOpen) sendStream.open(now);
  }

  #lookUp(conversation: Conversation, now: number): void {
    const { lookUps } = conversation;
    if (conversation.question || !lookUps.isDue(now)) return;
    lookUps.tried(now + (LOOK_UP_PAUSES_MS[lookUps.times] ?? LOOK_UP_PAUSE_MS));
    conversation.question = { ask: "where", who: conversation.who };
    this.#transactions.begin(conversation.question, now);
  }

  /** Takes the answer to a question; undefined when there was none in time. */
  located(question: WhereQuestion, answer: Answer | undefined, now: number): Fact[] {
    const key = keyOf(question.who);
    const conversation = this.#conversations.get(key);
    // a late answer may find that its messages were given up, and that others are under way to the same name
    if (conversation?.question !== question) return [];
    conversation.question = undefined;
    if (answer?.type === "PEER") return this.#found(key, conversation, answer, now);
    if (answer?.type !== "ERROR") return [];
    const isNobody = answer.code === "no-such-user";
    // after a new start of the server the others come back within a few seconds
    if (isNobody && now < this.#begunAnewAt + COME_BACK_MS) return [];
    return this.#giveUp(key, conversation, isNobody ? nobodyIs(question.who) : reasonOf(answer));
  }

  #found(key: string, conversation: Conversation, answer: PeerPacket, now: number): Fact[] {
    const { address, name, pass, classic = false, relay, norelay } = answer;
    const { sendStream, way } = conversation;
    // with it the server has said who has the pass, as with a PUNCH
    if (pass !== undefined) this.#inbox.punched({ address, name, pass }, now);
    if (sendStream.size === 0) return [];
    conversation.name = name ?? conversation.name;
    conversation.isClassic = classic;
    const isPassedOn = pass !== undefined && !norelay && way.isRelayAllowed;
    if (classic && !relay && !isPassedOn) return this.#sendStraight(conversation, answer);
    if (pass === undefined) return this.#giveUp(key, conversation, this.#noWay(conversation, answer));
    const isFirst = pass !== way.place?.pass;
    // Somebody else may have the name by now. Whoever had it knows the stream, and could acknowledge in it. But what is
    // under way stays in its stream: if the name goes back, it must not be shown twice.
    if (isFirst && !sendStream.isOpen) sendStream.restart(now);
    const isDueAgain = way.locate({ ...answer, pass }, now, isFirst && this.#known.isJustRelayed(pass, now));
    if (way.isClosed) return this.#giveUp(key, conversation, this.#noWay(conversation, answer));
    this.#checkBack(conversation, now);
    // the PUNCH that was sent with this answer may be the first that has arrived, so what waits goes out at once
    if (isDueAgain || !conversation.isHeard) sendStream.open(now);
    return this.#tellOrTransmit(key, conversation, now);
  }

  /** Sends what waits to a classic peer directly, once, as nothing would acknowledge it. */
  #sendStraight(conversation: Conversation, { address }: Found): Fact[] {
    const { address: from, name } = this.#self, isRelayed = conversation.relayed.size > 0;
    conversation.relayed.clear();
    return conversation.sendStream.clear().map((draft) => {
      this.#send({ dialect: "classic", type: "INCOMING", line: messageLine({ from: from!, name, ...draft }) }, address);
      return delivered(conversation, draft, isRelayed);
    });
  }

  /** Tells the user that the texts to a peer go through the server; or sends what is due, if the user knows. */
  #tellOrTransmit(key: string, conversation: Conversation, now: number): Fact[] {
    const { name, way: { isRelayed, place } } = conversation;
    // what lies on this side is told once, not of each peer
    const [about, told] = place && isOwnLoopback(place, this.#self.address) ? ["", ""] : [key, place?.pass];
    if (!isRelayed || !place || this.#told.get(about) === told) {
      this.#transmit(conversation, now);
      return [];
    }
    this.#told.set(about, told!);
    // what is due is sent at the next wake, when the user has read this
    return [{ type: "notice", text: relayNotice(whyNotDirectly(name, place, this.#self.address)) }];
  }

  #transmit(conversation: Conversation, now: number): void {
    const { sendStream, way } = conversation;
    for (const { saidAt, ...message } of sendStream.wake(now)) {
      const { address, pass } = way.place!;
      const packet: RelayedPacket = { dialect: "v1", type: "MESSAGE", pass, ...ageOf(saidAt, now), ...message };
      if (way.isRelayed) {
        conversation.relayed.add(message.id);
        this.#send(relay(packet, this.#self, address));
      } else {
        way.sent(now);
        this.#send(packet, way.address);
      }
    }
  }

  /** What forbids that what waits goes through the server; undefined if it may. */
  #forbidden({ way }: Conversation): Forbidden | undefined {
    if (way.isRelayAllowed) return undefined;
    return this.#isRelayAllowed ? "before" : this.#forbiddenBy;
  }

  #noWay(conversation: Conversation, peer: Found): string {
    const { address: self, join } = this.#self;
    return whyNoWay(conversation.name, peer, { self, join, forbidden: this.#forbidden(conversation) });
  }

  #giveUp(key: string, conversation: Conversation, reason: string): Fact[] {
    this.#conversations.delete(key);
    // of nothing, when a late answer to a look-up finds that everything has arrived
    return givenUp(conversation.sendStream.clear(), reason, conversation.name);
  }
}

/** Who is written to, as the server has named it. */
function named({ name, who, way: { place } }: Conversation): Named {
  const { address, pass } = place!;
  return { address, pass, ...("name" in who || name !== who.address ? { name } : {}) };
}

function nobodyIs(who: Who): string {
  return "name" in who ? "nobody here has that name" : "nobody is there any more";
}

function delivered({ name, isClassic }: Conversation, { text }: Draft, isRelayed: boolean): Fact {
  return { type: "notice", text: sentNotice(name, text, { isClassic, isRelayed }) };
}
