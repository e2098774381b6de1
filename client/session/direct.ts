/**
 * Direct messages: the server tells the peer's address, the message goes straight to the peer, and the peer
 * acknowledges it.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import { messageLine } from "../../protocol/lines.ts";
import { nameKey } from "../../protocol/names.ts";
import { type MessagePacket, ReceiveStream } from "../../protocol/reliable/receive_stream.ts";
import { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import { type Draft, SendStream } from "../../protocol/reliable/send_stream.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { printable } from "../../protocol/text.ts";
import { type Answer, earliest, type Fact, type Question, type Timed } from "./facts.ts";
import type { Self } from "./membership.ts";
import type { Transactions } from "./transactions.ts";
import type { Send } from "./v1_link.ts";

type PeerPacket = Extract<V1Packet, { type: "PEER" }>;

type WhereQuestion = Extract<Question, { ask: "where" }>;
type SenderQuestion = Extract<Question, { ask: "sender" }>;

/** The messages that are under way to one name. */
interface Conversation {
  name: string;
  address?: string;
  sendStream: SendStream;
  /** When the peer was last looked up, in milliseconds, and the look-up that has no answer yet. */
  askedAt: number;
  question?: WhereQuestion;
}

/** The sender of direct messages at one address. */
interface DirectSender {
  /** When its first message came, in milliseconds. */
  since: number;
  streams: Map<string, ReceiveStream>;
  /** The messages that wait until the server says who has the address. */
  unconfirmed: MessagePacket[];
  who?: { name?: string; confirmed: boolean; until: number };
}

/** How long a peer may acknowledge nothing before the messages to it are given up, in milliseconds. */
const DELIVERY_DEADLINE_MS = 5000;
/** How often a peer that does not answer is looked up again, so that both NATs are opened again, in milliseconds. */
const LOOK_UP_AGAIN_MS = 1000;
/** How long the server's answer about who has an address is believed, in milliseconds. */
const CONFIRMED_FOR_MS = 10_000;
/** How many senders are remembered, and of each how many streams, and how many messages that wait for its name. */
const MAX_SENDERS = 256;
const MAX_STREAMS = 4;
const MAX_UNCONFIRMED = 64;
/** How many senders of which nothing is known yet are remembered, and for how long at least, in milliseconds. */
const MAX_STRANGERS = 32;
const STRANGER_DEADLINE_MS = 5000;
/**
 * The rate limit for all senders together that the server has not confirmed, in messages a second. Each new sender
 * costs the server an answer, and the user's screen a line. A real sender repeats what is not acknowledged.
 */
const STRANGERS_RATE: TokenBucketOptions = { rate: 5, burst: 32 };

/** All direct messages of one session, out and in. */
export class DirectMessages implements Timed {
  readonly #transactions: Transactions;
  readonly #self: Pick<Self, "name" | "address">;
  readonly #send: Send;
  readonly #conversations = new Map<string, Conversation>();
  readonly #senders = new Map<string, DirectSender>();
  #strangersBucket: TokenBucket | undefined;

  /**
   * @param self This member, as the server knows it.
   * @param send Sends a packet to a peer.
   */
  constructor(transactions: Transactions, self: Pick<Self, "name" | "address">, send: Send) {
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
    return earliest(busy.flatMap(({ sendStream, askedAt, question }) => [
      sendStream,
      { nextWake: sendStream.progressAt + DELIVERY_DEADLINE_MS },
      { nextWake: question ? undefined : askedAt + LOOK_UP_AGAIN_MS },
    ]));
  }

  /** Sends pieces of text to the member with a name. */
  say(name: string, drafts: Draft[], now: number): void {
    let conversation = this.#conversations.get(nameKey(name));
    if (!conversation) {
      conversation = { name, sendStream: new SendStream(new RoundTrip()), askedAt: -Infinity };
      this.#conversations.set(nameKey(name), conversation);
    }
    if (conversation.sendStream.size === 0) {
      // the name may have another address by now
      conversation.sendStream.close();
      conversation.askedAt = -Infinity;
    }
    for (const draft of drafts) conversation.sendStream.add(draft, now);
    this.#lookUp(conversation, now);
    this.#transmit(conversation, now);
  }

  /** Takes a packet that came from another address than the server's. */
  receive(packet: V1Packet, from: string, now: number): Fact[] {
    if (packet.type === "ACK") return this.#receiveAck(packet, from, now);
    if (packet.type === "MESSAGE" && packet.token === undefined) return this.#receiveMessage(packet, from, now);
    return [];
  }

  /** Takes the answer to a question; undefined when there was none in time. */
  answered(question: WhereQuestion | SenderQuestion, answer: Answer | undefined, now: number): Fact[] {
    return question.ask === "where" ? this.#located(question, answer, now) : this.#confirmed(question, answer, now);
  }

  wake(now: number): Fact[] {
    const facts: Fact[] = [];
    for (const [key, conversation] of this.#conversations) {
      const { sendStream, address } = conversation;
      if (sendStream.size === 0) continue;
      if (now >= sendStream.progressAt + DELIVERY_DEADLINE_MS) {
        const reason = address
          ? `${address} does not answer: it has left, or it can't be reached directly from here`
          : "the server does not say where it is";
        facts.push(...this.#giveUp(key, conversation, reason));
        continue;
      }
      this.#lookUp(conversation, now);
      this.#transmit(conversation, now);
    }
    return facts;
  }

  /**
   * Shows the messages that still wait until the server says who sent them. They are acknowledged, so nobody will
   * repeat them.
   */
  showUnconfirmed(now: number): Fact[] {
    return [...this.#senders].flatMap(([address, sender]) => {
      if (!sender.who || now >= sender.who.until) sender.who = { confirmed: false, until: 0 };
      return showHeld(address, sender);
    });
  }

  #lookUp(conversation: Conversation, now: number): void {
    if (conversation.question || now < conversation.askedAt + LOOK_UP_AGAIN_MS) return;
    conversation.askedAt = now;
    conversation.question = { ask: "where", name: conversation.name };
    this.#transactions.begin(conversation.question, now);
  }

  #located(question: WhereQuestion, answer: Answer | undefined, now: number): Fact[] {
    const key = nameKey(question.name);
    const conversation = this.#conversations.get(key);
    // a late answer may find that its messages were given up, and that others are under way to the same name
    if (conversation?.question !== question) return [];
    conversation.question = undefined;
    if (answer?.type === "PEER") return this.#found(conversation, answer, now);
    return answer?.type === "ERROR" ? this.#giveUp(key, conversation, "nobody here has that name") : [];
  }

  #found(conversation: Conversation, { address, name, classic }: PeerPacket, now: number): Fact[] {
    if (conversation.sendStream.size === 0) return [];
    conversation.name = name ?? conversation.name;
    if (classic) {
      const { address: from, name } = this.#self;
      return conversation.sendStream.clear().map((draft) => {
        const line = messageLine({ from: from!, name, ...draft });
        this.#send({ dialect: "classic", type: "INCOMING", line }, address);
        return delivered("Sent, as a classic client does not confirm, to", conversation.name, draft);
      });
    }
    const isNew = conversation.address !== address;
    conversation.address = address;
    if (isNew || !conversation.sendStream.isOpen) conversation.sendStream.open(now);
    this.#transmit(conversation, now);
    return [];
  }

  #transmit({ sendStream, address }: Conversation, now: number): void {
    for (const message of sendStream.wake(now)) {
      this.#send({ dialect: "v1", type: "MESSAGE", ...message }, address!);
    }
  }

  #giveUp(key: string, conversation: Conversation, reason: string): Fact[] {
    this.#conversations.delete(key);
    const { length } = conversation.sendStream.clear();
    // a late answer to a look-up may find that everything has arrived
    if (length === 0) return [];
    return [
      { type: "shortfall", what: "undelivered", count: length },
      { type: "problem", text: `Not delivered to ${conversation.name}: ${reason}` },
    ];
  }

  #receiveAck({ stream, id }: V1Packet & { type: "ACK" }, from: string, now: number): Fact[] {
    for (const conversation of this.#conversations.values()) {
      const { name, address, sendStream } = conversation;
      if (address !== from || stream !== sendStream.name) continue;
      const settled = sendStream.acknowledge(stream, id, now);
      this.#transmit(conversation, now);
      return settled.map((draft) => delivered("Delivered to", name, draft));
    }
    return [];
  }

  #receiveMessage(packet: MessagePacket, from: string, now: number): Fact[] {
    let sender = this.#senders.get(from);
    // a message may be dropped here and below: its sender repeats what is not acknowledged
    const isStranger = !sender || sender.who?.confirmed === false;
    if (isStranger && this.#exceedsStrangersRate(now)) return [];
    sender ??= this.#addSender(from, now);
    if (!sender) return [];
    let stream = sender.streams.get(packet.stream);
    if (!stream) {
      stream = new ReceiveStream(packet.stream, packet.first);
      sender.streams.set(packet.stream, stream);
      if (sender.streams.size > MAX_STREAMS) {
        sender.streams.delete(sender.streams.keys().next().value!);
      }
    }
    if (sender.unconfirmed.length >= MAX_UNCONFIRMED) return [];
    const facts: Fact[] = [];
    for (const message of stream.take(packet)) {
      sender.unconfirmed.push(message);
      facts.push(...this.#confirm(from, sender, now));
    }
    if (stream.next > 1) this.#send({ dialect: "v1", type: "ACK", stream: packet.stream, id: stream.next - 1 }, from);
    return facts;
  }

  /** Takes a token for a message from a stranger; returns whether there was none left. */
  #exceedsStrangersRate(now: number): boolean {
    this.#strangersBucket ??= new TokenBucket(STRANGERS_RATE, now);
    return this.#strangersBucket.take(STRANGERS_RATE, now) > 0;
  }

  /** Adds a sender; returns undefined when there is no room for one more. */
  #addSender(address: string, now: number): DirectSender | undefined {
    const strangers = [...this.#senders].filter(([, { who }]) => !who);
    if (strangers.length >= MAX_STRANGERS) {
      // a sender that started in the middle of a stream and never sent the beginning must not keep its place
      const [oldest, sender] = strangers.find(isIdle) ?? [];
      if (!sender || now < sender.since + STRANGER_DEADLINE_MS) return undefined;
      this.#senders.delete(oldest!);
    }
    if (this.#senders.size >= MAX_SENDERS) {
      // unconfirmed senders are removed first, so that many of them can't push out the confirmed ones
      const known = [...this.#senders].filter(isIdle);
      const [gone] = known.find(([, { who }]) => who && !who.confirmed) ?? known.find(([, { who }]) => who) ?? [];
      if (gone === undefined) return undefined;
      this.#senders.delete(gone);
    }
    const sender: DirectSender = { since: now, streams: new Map(), unconfirmed: [] };
    this.#senders.set(address, sender);
    return sender;
  }

  /** Shows what an address has sent, or asks the server first who has that address. */
  #confirm(address: string, sender: DirectSender, now: number): Fact[] {
    if (sender.who && now < sender.who.until) return showHeld(address, sender);
    // with more than one, it was asked before
    if (sender.unconfirmed.length === 1) this.#transactions.begin({ ask: "sender", address }, now);
    return [];
  }

  #confirmed({ address }: SenderQuestion, answer: Answer | undefined, now: number): Fact[] {
    const sender = this.#senders.get(address);
    if (!sender) return [];
    const isPeer = answer?.type === "PEER" && answer.address === address;
    sender.who = { name: isPeer ? answer.name : undefined, confirmed: isPeer, until: now + CONFIRMED_FOR_MS };
    return showHeld(address, sender);
  }
}

/** Whether a sender has no message that waits: such a message is acknowledged, so it must not be lost. */
function isIdle([, { unconfirmed }]: [string, DirectSender]): boolean {
  return unconfirmed.length === 0;
}

/** What was held until it was known who has the address. */
function showHeld(address: string, { who, unconfirmed }: DirectSender): Fact[] {
  return unconfirmed.splice(0).map(({ text, action }) => {
    const { name, confirmed } = who!;
    return {
      type: "direct",
      message: { address, name, confirmed, text: printable(text), ...(action && { action }) },
    };
  });
}

function delivered(how: string, name: string, { text }: Draft): Fact {
  return { type: "notice", text: `${how} ${name}: ${text}` };
}
