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
import type { Self } from "./membership.ts";
import { relay } from "./relay.ts";
import { givenUp, reasonOf } from "./refusals.ts";
import type { Transactions } from "./transactions.ts";
import type { Send } from "./v1_link.ts";
import { type Peer, Way } from "./way.ts";
import { isOwnLoopback, relayNotice, sentNotice, whyNoAnswer, whyNotDirectly, whyNoWay } from "./way_words.ts";
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
  /** The highest id that has gone through the server: all that were waiting then have. */
  relayedTo: number;
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

/** The direct messages of one session to others. */
export class DirectMessages implements Timed {
  readonly #transactions: Transactions;
  readonly #self: Self;
  readonly #send: Send;
  readonly #conversations = new Map<string, Conversation>();
  /** With which pass of a peer the user was told that the texts to it go through the server. */
  readonly #told = new Map<string, string>();
  /** Why nothing may go through the server; undefined if it may. */
  #forbidden: string | undefined;
  /** When the server last began anew, in milliseconds. */
  #begunAnewAt = -Infinity;

  /**
   * @param self This member, as the server knows it.
   * @param send Sends a packet to a peer, or to the server.
   * @param forbidden Why nothing may go through the server; undefined if it may.
   */
  constructor(transactions: Transactions, self: Self, send: Send, forbidden?: string) {
    this.#transactions = transactions;
    this.#self = self;
    this.#send = send;
    this.#forbidden = forbidden;
  }

  /** How many messages have not been acknowledged by their peers. */
  get waiting(): number {
    return [...this.#conversations.values()].reduce((sum, { sendStream }) => sum + sendStream.size, 0);
  }

  /** Whether nothing may go through the server. */
  get isForbidden(): boolean {
    return this.#forbidden !== undefined;
  }

  /** From when the time counts after which the last of what waits is given up, in milliseconds. */
  get progressAt(): number {
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

  /** Whether texts to a member go through the server, as far as this client has found out. */
  isRelayed(who: Who): boolean {
    return this.#conversations.get(keyOf(who))?.way.isRelayed === true;
  }

  /** Forbids that anything goes through the server, and says why; or allows it. What waits there is taken off that way. */
  forbid(forbidden: string | undefined, now: number): Fact[] {
    this.#forbidden = forbidden;
    const facts: Fact[] = [];
    for (const [key, conversation] of this.#conversations) {
      const { way, sendStream } = conversation;
      const isDueAgain = way.forbid(this.isForbidden, now);
      const isLost = way.isLocated && way.isClosed;
      if (isLost) facts.push(...this.#giveUp(key, conversation, this.#noWay(conversation, way.place!)));
      else if (isDueAgain && sendStream.isOpen) sendStream.open(now);
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
        way: new Way(this.isForbidden),
        sendStream: new SendStream(new RoundTrip()),
        relayedTo: 0,
        isHeard: false,
        lookUps: new Retry(),
      };
      this.#conversations.set(keyOf(who), conversation);
    }
    if (conversation.sendStream.size === 0) {
      // the name may have another address, or another owner, by now
      conversation.sendStream.close();
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
   * @param isDirect Whether it came directly.
   */
  receiveAck({ pass, stream, id }: V1Packet & { type: "ACK" }, isDirect: boolean, now: number): Fact[] {
    const facts: Fact[] = [];
    for (const conversation of this.#conversations.values()) {
      const { way, sendStream } = conversation;
      if (pass === undefined || pass !== way.place?.pass || stream !== undefined && stream !== sendStream.name) {
        continue;
      }
      const settled = sendStream.acknowledge(stream, id, now);
      const isDueAgain = isDirect && (stream === undefined ? way.answered(id, now) : way.heard(now));
      if (settled.length > 0) way.progressed(now);
      conversation.isHeard ||= settled.length > 0;
      if (isDueAgain && sendStream.isOpen) sendStream.open(now);
      this.#transmit(conversation, now);
      const first = id - settled.length + 1;
      facts.push(...settled.map((draft, i) => delivered(conversation, draft, first + i <= conversation.relayedTo)));
    }
    return facts;
  }

  wake(now: number): Fact[] {
    const facts: Fact[] = [];
    for (const [key, conversation] of this.#conversations) {
      const { sendStream, way } = conversation, id = way.takeCheck(now);
      const { address, pass } = way.place ?? {};
      if (id !== undefined) this.#send({ dialect: "v1", type: "OPEN", pass, id }, address);
      if (sendStream.size === 0) continue;
      if (way.wake(now)) sendStream.open(now);
      if (way.isOver(now)) {
        facts.push(...this.#giveUp(key, conversation, whyNoAnswer(conversation.name, way, this.#forbidden)));
        continue;
      }
      this.#lookUp(conversation, now);
      facts.push(...this.#tellOrTransmit(key, conversation, now));
    }
    return facts;
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
    const { address, name, pass, classic = false, relay } = answer;
    const { sendStream, way } = conversation;
    if (sendStream.size === 0) return [];
    conversation.name = name ?? conversation.name;
    conversation.isClassic = classic;
    if (classic && !relay) {
      const { address: from, name } = this.#self;
      return sendStream.clear().map((draft) => {
        const line = messageLine({ from: from!, name, ...draft });
        this.#send({ dialect: "classic", type: "INCOMING", line }, address);
        return delivered(conversation, draft, false);
      });
    }
    if (pass === undefined) return this.#giveUp(key, conversation, this.#noWay(conversation, answer));
    // Somebody else may have the name by now. Whoever had it knows the stream, and could acknowledge in it. But what is
    // under way stays in its stream: if the name goes back, it must not be shown twice.
    if (pass !== way.place?.pass && !sendStream.isOpen) {
      sendStream.restart(now);
      conversation.relayedTo = 0;
    }
    const isDueAgain = way.locate({ ...answer, pass }, now);
    if (way.isClosed) return this.#giveUp(key, conversation, this.#noWay(conversation, answer));
    // the PUNCH that was sent with this answer may be the first that has arrived, so what waits goes out at once
    if (isDueAgain || !conversation.isHeard) sendStream.open(now);
    return this.#tellOrTransmit(key, conversation, now);
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
        conversation.relayedTo = Math.max(conversation.relayedTo, message.id);
        this.#send(relay(packet, this.#self, address));
      } else {
        way.sent(now);
        this.#send(packet, address);
      }
    }
  }

  #noWay({ name }: Conversation, peer: Peer): string {
    return whyNoWay(name, peer, { self: this.#self.address, join: this.#self.join, forbidden: this.#forbidden });
  }

  #giveUp(key: string, conversation: Conversation, reason: string): Fact[] {
    this.#conversations.delete(key);
    // of nothing, when a late answer to a look-up finds that everything has arrived
    return givenUp(conversation.sendStream.clear(), reason, conversation.name);
  }
}

function nobodyIs(who: Who): string {
  return "name" in who ? "nobody here has that name" : "nobody is there any more";
}

function delivered({ name, isClassic }: Conversation, { text }: Draft, isRelayed: boolean): Fact {
  return { type: "notice", text: sentNotice(name, text, { isClassic, isRelayed }) };
}
