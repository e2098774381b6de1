/**
 * Direct messages to others: the server tells the peer's address, the message goes straight to the peer, and the peer
 * acknowledges it. The peer takes it only if the server has told it of this client by a PUNCH a short while ago, so it
 * is looked up again and again while something waits.
 *
 * @module
 */
import type { RelayedPacket, V1Packet } from "../../protocol.ts";
import { earliest } from "../../protocol/earliest.ts";
import { messageLine } from "../../protocol/lines.ts";
import { Retry } from "../../protocol/reliable/retry.ts";
import { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import { type Draft, SendStream } from "../../protocol/reliable/send_stream.ts";
import type { Answer, Fact, Question, Timed } from "./facts.ts";
import type { Self } from "./membership.ts";
import { relay } from "./relay.ts";
import { reasonOf, undelivered } from "./refusals.ts";
import type { Transactions } from "./transactions.ts";
import type { Send } from "./v1_link.ts";
import { keyOf, nameOf, type Who } from "./who.ts";

type PeerPacket = Extract<V1Packet, { type: "PEER" }>;

type WhereQuestion = Extract<Question, { ask: "where" }>;

/** The messages that are under way to one member. */
interface Conversation {
  /** Whom the user writes to, and what it is called. */
  who: Who;
  name: string;
  address?: string;
  /** Shows the peer that the messages come from this client, and this client that the peer has taken them. */
  pass?: string;
  /** Whether they pass through the server, and whether the user has been told so. */
  isRelayed: boolean;
  isToldOfRelay: boolean;
  sendStream: SendStream;
  /** Whether anything was acknowledged since the messages began to wait. */
  isHeard: boolean;
  /** The look-ups since the messages began to wait, and the one that has no answer yet. */
  lookUps: Retry;
  question?: WhereQuestion;
}

/** How long a peer may acknowledge nothing before the messages to it are given up, in milliseconds. */
const DELIVERY_DEADLINE_MS = 5000;
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
  /** When the server last began anew, in milliseconds. */
  #begunAnewAt = -Infinity;

  /**
   * @param self This member, as the server knows it.
   * @param send Sends a packet to a peer, or to the server.
   */
  constructor(transactions: Transactions, self: Self, send: Send) {
    this.#transactions = transactions;
    this.#self = self;
    this.#send = send;
  }

  /** How many messages have not been acknowledged by their peers. */
  get waiting(): number {
    return [...this.#conversations.values()].reduce((sum, { sendStream }) => sum + sendStream.size, 0);
  }

  get nextWake(): number | undefined {
    const busy = [...this.#conversations.values()].filter(({ sendStream }) => sendStream.size > 0);
    return earliest(busy.flatMap(({ sendStream, lookUps, question }) => [
      sendStream.nextWake,
      sendStream.progressAt + DELIVERY_DEADLINE_MS,
      question ? undefined : lookUps.dueAt,
    ]));
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
        isRelayed: false,
        isToldOfRelay: false,
        sendStream: new SendStream(new RoundTrip()),
        isHeard: false,
        lookUps: new Retry(),
      };
      this.#conversations.set(keyOf(who), conversation);
    }
    if (conversation.sendStream.size === 0) {
      // the name may have another address, or another owner, by now
      conversation.sendStream.close();
      conversation.address = undefined;
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
   */
  receiveAck({ pass, stream, id }: V1Packet & { type: "ACK" }, now: number): Fact[] {
    for (const conversation of this.#conversations.values()) {
      const { name, sendStream, isRelayed } = conversation;
      if (pass === undefined || pass !== conversation.pass || stream !== sendStream.name) continue;
      const settled = sendStream.acknowledge(stream, id, now);
      conversation.isHeard ||= settled.length > 0;
      this.#transmit(conversation, now);
      return settled.map((draft) =>
        delivered("Delivered to", isRelayed ? `${name} (through the server)` : name, draft)
      );
    }
    return [];
  }

  wake(now: number): Fact[] {
    const facts: Fact[] = [];
    for (const [key, conversation] of this.#conversations) {
      const { sendStream, address, isRelayed } = conversation;
      if (sendStream.size === 0) continue;
      if (now >= sendStream.progressAt + DELIVERY_DEADLINE_MS) {
        const reason = address && isRelayed
          ? `${address} has not taken it: it has left, or more is sent than the server lets through`
          : address
          ? `${address} does not answer: it has left, can't be reached directly from here, or takes no direct messages`
          : "the server does not say where it is";
        facts.push(...this.#giveUp(key, conversation, reason));
        continue;
      }
      this.#lookUp(conversation, now);
      this.#transmit(conversation, now);
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
    if (isNobody && now < this.#begunAnewAt + DELIVERY_DEADLINE_MS) return [];
    return this.#giveUp(key, conversation, isNobody ? nobodyIs(question.who) : reasonOf(answer));
  }

  #found(key: string, conversation: Conversation, answer: PeerPacket, now: number): Fact[] {
    const { address, name, pass, classic, relay: isRelayed = false, transport } = answer;
    const { sendStream } = conversation;
    if (sendStream.size === 0) return [];
    conversation.name = name ?? conversation.name;
    if (classic) {
      const { address: from, name } = this.#self;
      return sendStream.clear().map((draft) => {
        const line = messageLine({ from: from!, name, ...draft });
        this.#send({ dialect: "classic", type: "INCOMING", line }, address);
        return delivered("Sent, as a classic client does not confirm, to", conversation.name, draft);
      });
    }
    if (pass === undefined) return this.#giveUp(key, conversation, `${address} can't be reached directly`);
    // Somebody else may have the name by now. Whoever had it knows the stream, and could acknowledge in it. But what is
    // under way stays in its stream: if the name goes back, it must not be shown twice.
    if (pass !== conversation.pass && !sendStream.isOpen) sendStream.restart(now);
    const isOther = address !== conversation.address || pass !== conversation.pass;
    Object.assign(conversation, { address, pass, isRelayed });
    // the PUNCH that was sent with this answer may be the first that has arrived, so what waits goes out at once
    if (isOther || !conversation.isHeard) sendStream.open(now);
    this.#transmit(conversation, now);
    if (!isRelayed || conversation.isToldOfRelay) return [];
    conversation.isToldOfRelay = true;
    const why = transport === "tcp" ? "has a TCP connection" : "can't be reached directly";
    return [{ type: "notice", text: `${conversation.name} ${why}: what you send passes through the server` }];
  }

  #transmit({ sendStream, address, pass, isRelayed }: Conversation, now: number): void {
    for (const message of sendStream.wake(now)) {
      const packet: RelayedPacket = { dialect: "v1", type: "MESSAGE", pass: pass!, ...message };
      if (isRelayed) this.#send(relay(packet, this.#self, address!));
      else this.#send(packet, address!);
    }
  }

  #giveUp(key: string, conversation: Conversation, reason: string): Fact[] {
    this.#conversations.delete(key);
    const drafts = conversation.sendStream.clear();
    // a late answer to a look-up may find that everything has arrived
    return drafts.length === 0 ? [] : undelivered(drafts, reason, conversation.name);
  }
}

function nobodyIs(who: Who): string {
  return "name" in who ? "nobody here has that name" : "nobody is there any more";
}

function delivered(how: string, name: string, { text }: Draft): Fact {
  return { type: "notice", text: `${how} ${name}: ${text}` };
}
