/**
 * Direct messages: the server tells the peer's address, the message goes straight to the peer, and the peer
 * acknowledges it.
 *
 * @module
 */
import type { Transactions } from "./transactions.ts";
import type { ClassicPacket, V1Packet } from "../../protocol.ts";
import { messageLine } from "../../protocol/lines.ts";
import { nameKey } from "../../protocol/names.ts";
import { type MessagePacket, ReceiveStream } from "../../protocol/reliable/receive_stream.ts";
import { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import { type Draft, SendStream } from "../../protocol/reliable/send_stream.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { printable } from "../../protocol/text.ts";

type PeerPacket = Extract<V1Packet, { type: "PEER" }>;

/** A message from a peer. */
export interface DirectMessage extends Draft {
  address: string;
  /** The name that the server confirmed for the address. */
  name?: string;
  /** Whether the server said that a member has this address. */
  confirmed: boolean;
}

/** What direct messages need from the session. */
export interface DirectOptions {
  transactions: Transactions;
  /** The token, address and name of this member, as the server gave them. */
  self: () => { token: string; address: string; name?: string };
  /** Sends a packet to a peer. */
  send: (packet: V1Packet | ClassicPacket, address: string) => void;
  arrived: (message: DirectMessage) => void;
  delivered: (name: string, draft: Draft, acknowledged: boolean) => void;
  failed: (name: string, drafts: Draft[], reason: string) => void;
}

/** The messages that are under way to one name. */
interface Conversation {
  name: string;
  address?: string;
  sendStream: SendStream;
  /** When the peer was last looked up, in milliseconds, and whether that look-up has no answer yet. */
  askedAt: number;
  isAsking: boolean;
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
export class DirectMessages {
  readonly #options: DirectOptions;
  readonly #conversations = new Map<string, Conversation>();
  readonly #senders = new Map<string, DirectSender>();
  #strangersBucket: TokenBucket | undefined;

  constructor(options: DirectOptions) {
    this.#options = options;
  }

  /** How many messages have not been acknowledged by their peers. */
  get waiting(): number {
    return [...this.#conversations.values()].reduce((sum, { sendStream }) => sum + sendStream.size, 0);
  }

  get nextWake(): number | undefined {
    const times: number[] = [];
    for (const { sendStream, askedAt, isAsking } of this.#conversations.values()) {
      if (sendStream.size === 0) continue;
      times.push(sendStream.progressAt + DELIVERY_DEADLINE_MS);
      if (!isAsking) times.push(askedAt + LOOK_UP_AGAIN_MS);
      if (sendStream.nextWake !== undefined) times.push(sendStream.nextWake);
    }
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Sends pieces of text to the member with a name. */
  say(name: string, drafts: Draft[], now: number): void {
    let conversation = this.#conversations.get(nameKey(name));
    if (!conversation) {
      conversation = { name, sendStream: new SendStream(new RoundTrip()), askedAt: -Infinity, isAsking: false };
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
  receive(packet: V1Packet, from: string, now: number): void {
    if (packet.type === "ACK") this.#receiveAck(packet, from, now);
    else if (packet.type === "MESSAGE" && packet.token === undefined) this.#receiveMessage(packet, from, now);
  }

  wake(now: number): void {
    for (const [key, conversation] of this.#conversations) {
      const { sendStream, address } = conversation;
      if (sendStream.size === 0) continue;
      if (now >= sendStream.progressAt + DELIVERY_DEADLINE_MS) {
        const reason = address
          ? `${address} does not answer: it has left, or it can't be reached directly from here`
          : "the server does not say where it is";
        this.#giveUp(key, conversation, reason);
        continue;
      }
      this.#lookUp(conversation, now);
      this.#transmit(conversation, now);
    }
  }

  /**
   * Shows the messages that still wait until the server says who sent them. They are acknowledged, so nobody will
   * repeat them.
   */
  showUnconfirmed(): void {
    for (const [address, sender] of this.#senders) {
      sender.who ??= { confirmed: false, until: 0 };
      this.#showHeld(address, sender);
    }
  }

  #lookUp(conversation: Conversation, now: number): void {
    if (conversation.isAsking || now < conversation.askedAt + LOOK_UP_AGAIN_MS) return;
    conversation.askedAt = now;
    conversation.isAsking = true;
    this.#options.transactions.begin({
      packet: (id) => {
        return { dialect: "v1", type: "LOOKUP", id, token: this.#options.self().token, name: conversation.name };
      },
      answered: (answer, now) => {
        conversation.isAsking = false;
        if (answer.type === "PEER") this.#found(conversation, answer, now);
        else if (answer.type === "ERROR") {
          this.#giveUp(nameKey(conversation.name), conversation, "nobody here has that name");
        }
      },
      failed: () => conversation.isAsking = false,
    }, now);
  }

  #found(conversation: Conversation, { address, name, classic }: PeerPacket, now: number): void {
    if (conversation.sendStream.size === 0) return;
    conversation.name = name ?? conversation.name;
    if (classic) {
      const self = this.#options.self();
      for (const draft of conversation.sendStream.clear()) {
        const line = messageLine({ from: self.address, name: self.name, ...draft });
        this.#options.send({ dialect: "classic", type: "INCOMING", line }, address);
        this.#options.delivered(conversation.name, draft, false);
      }
      return;
    }
    const isNew = conversation.address !== address;
    conversation.address = address;
    if (isNew || !conversation.sendStream.isOpen) conversation.sendStream.open(now);
    this.#transmit(conversation, now);
  }

  #transmit({ sendStream, address }: Conversation, now: number): void {
    for (const message of sendStream.wake(now)) {
      this.#options.send({ dialect: "v1", type: "MESSAGE", ...message }, address!);
    }
  }

  #giveUp(key: string, conversation: Conversation, reason: string): void {
    if (this.#conversations.get(key) === conversation) this.#conversations.delete(key);
    const drafts = conversation.sendStream.clear();
    // a late answer to a look-up may find that everything has arrived, or was given up before
    if (drafts.length > 0) this.#options.failed(conversation.name, drafts, reason);
  }

  #receiveAck({ stream, id }: V1Packet & { type: "ACK" }, from: string, now: number): void {
    for (const conversation of this.#conversations.values()) {
      const { name, address, sendStream } = conversation;
      if (address !== from || stream !== sendStream.name) continue;
      for (const draft of sendStream.acknowledge(stream, id, now)) this.#options.delivered(name, draft, true);
      this.#transmit(conversation, now);
      return;
    }
  }

  #receiveMessage(packet: MessagePacket, from: string, now: number): void {
    let sender = this.#senders.get(from);
    // a message may be dropped here and below: its sender repeats what is not acknowledged
    const isStranger = !sender || sender.who?.confirmed === false;
    if (isStranger && this.#exceedsStrangersRate(now)) return;
    sender ??= this.#addSender(from, now);
    if (!sender) return;
    let stream = sender.streams.get(packet.stream);
    if (!stream) {
      stream = new ReceiveStream(packet.stream, packet.first);
      sender.streams.set(packet.stream, stream);
      if (sender.streams.size > MAX_STREAMS) {
        sender.streams.delete(sender.streams.keys().next().value!);
      }
    }
    if (sender.unconfirmed.length >= MAX_UNCONFIRMED) return;
    for (const message of stream.take(packet)) {
      sender.unconfirmed.push(message);
      this.#confirm(from, sender, now);
    }
    if (stream.next > 1) {
      this.#options.send({ dialect: "v1", type: "ACK", stream: packet.stream, id: stream.next - 1 }, from);
    }
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
      const [[oldest, { since }]] = strangers;
      if (now < since + STRANGER_DEADLINE_MS) return undefined;
      this.#senders.delete(oldest);
    }
    if (this.#senders.size >= MAX_SENDERS) {
      // unconfirmed senders are removed first, so that many of them can't push out the confirmed ones
      const known = [...this.#senders];
      const [gone] = known.find(([, { who }]) => who && !who.confirmed) ?? known.find(([, { who }]) => who) ?? [];
      if (gone === undefined) return undefined;
      this.#senders.delete(gone);
    }
    const sender: DirectSender = { since: now, streams: new Map(), unconfirmed: [] };
    this.#senders.set(address, sender);
    return sender;
  }

  /** Shows what an address has sent, once the server has said who has that address. */
  #confirm(address: string, sender: DirectSender, now: number): void {
    if (sender.who && now < sender.who.until) return this.#showHeld(address, sender);
    if (sender.unconfirmed.length > 1) return; // asked already
    const settle = (name: string | undefined, confirmed: boolean, now: number) => {
      sender.who = { name, confirmed, until: now + CONFIRMED_FOR_MS };
      this.#showHeld(address, sender);
    };
    this.#options.transactions.begin({
      packet: (id) => ({ dialect: "v1", type: "LOOKUP", id, token: this.#options.self().token, address }),
      answered: (answer, now) => {
        if (answer.type === "PEER" && answer.address === address) settle(answer.name, true, now);
        else settle(undefined, false, now);
      },
      failed: (now) => settle(undefined, false, now),
    }, now);
  }

  #showHeld(address: string, { who, unconfirmed }: DirectSender): void {
    for (const { text, action } of unconfirmed.splice(0)) {
      this.#options.arrived({
        address,
        name: who!.name,
        confirmed: who!.confirmed,
        text: printable(text),
        ...(action && { action }),
      });
    }
  }
}
