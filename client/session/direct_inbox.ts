/**
 * Direct messages from others: finds out who sent each, and acknowledges it.
 *
 * A datagram's source address can be forged. So a sender is believed by the pass that the server has given to both: the
 * sender gets it when it looks this client up, and this client gets it with the server's PUNCH.
 *
 * @module
 */
import { type MessagePacket, ReceiveStream } from "../../protocol/reliable/receive_stream.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { detach, printable } from "../../protocol/text.ts";
import type { Answer, Fact, PunchPacket, Question } from "./facts.ts";
import type { Transactions } from "./transactions.ts";
import type { Send } from "./v1_link.ts";

type SenderQuestion = Extract<Question, { ask: "sender" }>;

/** A sender of direct messages: whoever has a pass, or whoever sends from an address without a pass. */
interface DirectSender {
  /** When it was first heard of, in milliseconds. */
  since: number;
  streams: Map<string, ReceiveStream>;
  /** The messages that wait until the server says who sent them, and where each came from. */
  held: { message: MessagePacket; from: string }[];
  /** The messages that it may send. */
  bucket?: TokenBucket;
  /** The acknowledgements that it may cause. */
  ackBucket?: TokenBucket;
  /** What the server has said of it; if it is confirmed, the address that the server has named for its pass. */
  who?: { name?: string; address?: string; confirmed: boolean; until: number };
}

/** How long it is believed who has a pass, in milliseconds: the name may be another's soon. */
const CONFIRMED_FOR_MS = 10_000;
/** How many senders are remembered, and of each how many streams, and how many messages that wait for its name. */
const MAX_SENDERS = 256;
const MAX_STREAMS = 4;
const MAX_HELD = 64;
/** How many senders of which nothing is known yet are remembered, and for how long at least, in milliseconds. */
const MAX_STRANGERS = 32;
const STRANGER_DEADLINE_MS = 5000;
/** How many messages a second one sender may send: more than a person types, and few enough to stop reading. */
const SENDER_RATE: TokenBucketOptions = { rate: 100, burst: 200 };
/**
 * How many acknowledgements a second one sender may cause. A real one does with fewer: each settles all messages before
 * it. One to an address that the server has not named counts tenfold: behind some NATs, and on the server's own machine,
 * a real sender's messages come from such an address, but so do those that are to make this client send to somebody
 * else.
 */
const ACK_RATE: TokenBucketOptions = { rate: 100, burst: 200 };
const ACK_COST_ELSEWHERE = 10;
/**
 * The rate limit for all senders together that have no pass which is known here, in messages a second. Each costs the
 * user's screen a line, or the server an answer. A real sender repeats what is not acknowledged.
 */
const STRANGERS_RATE: TokenBucketOptions = { rate: 5, burst: 32 };

/** The direct messages of one session from others. */
export class DirectInbox {
  readonly #transactions: Transactions;
  readonly #send: Send;
  /** By their passes; a sender without one by its address. */
  readonly #senders = new Map<string, DirectSender>();
  #strangersBucket: TokenBucket | undefined;

  /** @param send Sends a packet to a peer. */
  constructor(transactions: Transactions, send: Send) {
    this.#transactions = transactions;
    this.#send = send;
  }

  /** Takes note that the server has given a pass to a member that wants to send something. */
  punched({ address, name, pass }: PunchPacket, now: number): Fact[] {
    const sender = this.#senders.get(pass) ?? this.#addSender(pass, now);
    if (!sender) return [];
    sender.who = { name, address, confirmed: true, until: now + CONFIRMED_FOR_MS };
    return showHeld(sender);
  }

  /** Takes a message that came from an address. It may be dropped: its sender repeats what is not acknowledged. */
  receive(packet: MessagePacket, from: string, now: number): Fact[] {
    // what has a token is for a server
    if (packet.token !== undefined) return [];
    const { pass } = packet;
    let sender = this.#senders.get(pass ?? from);
    const isStranger = sender?.who?.confirmed !== true;
    if (isStranger && this.#exceedsStrangersRate(now)) return [];
    if (!sender && this.#isFullOfStrangers(now)) return [];
    sender ??= this.#addSender(pass ?? from, now);
    if (!sender || sender.held.length >= MAX_HELD) return [];
    const stream = streamOf(sender, packet);
    // a repeat is acknowledged again; it shows nothing, so it takes no token
    if (!stream.isRepeat(packet) && !stream.isHeld(packet) && !takeToken(sender, now)) return [];
    // without a pass nothing is to be asked: the address may be forged
    if (pass === undefined) sender.who ??= { confirmed: false, until: Infinity };
    const facts: Fact[] = [];
    for (const message of stream.take(packet)) {
      sender.held.push({ message, from });
      facts.push(...this.#confirm(pass, sender, from, now));
    }
    if (stream.next > 1 && takeAckTokens(sender, from, now)) {
      this.#send({ dialect: "v1", type: "ACK", stream: packet.stream, id: stream.next - 1 }, from);
    }
    return facts;
  }

  /** Takes the answer to the question who has sent something; undefined when there was none in time. */
  answered({ address, pass }: SenderQuestion, answer: Answer | undefined, now: number): Fact[] {
    const sender = this.#senders.get(pass);
    if (!sender) return [];
    const confirmed = answer?.type === "PEER" && answer.address === address && answer.pass === pass;
    // a PUNCH that came meanwhile says more: the server may know the sender at another address than its messages
    if (!confirmed && sender.who?.confirmed && now < sender.who.until) return [];
    const until = now + CONFIRMED_FOR_MS;
    sender.who = confirmed ? { name: answer.name, address, confirmed, until } : { confirmed, until };
    return showHeld(sender);
  }

  /**
   * Shows the messages that still wait until the server says who sent them. They are acknowledged, so nobody will
   * repeat them.
   */
  showUnconfirmed(): Fact[] {
    return [...this.#senders.values()].flatMap((sender) => {
      // whoever is known has no message that waits
      sender.who = { confirmed: false, until: 0 };
      return showHeld(sender);
    });
  }

  /** Takes a token for a message from a stranger; returns whether there was none left. */
  #exceedsStrangersRate(now: number): boolean {
    this.#strangersBucket ??= new TokenBucket(STRANGERS_RATE, now);
    return this.#strangersBucket.take(STRANGERS_RATE, now) > 0;
  }

  /** Whether there is no room for one more sender of which nothing is known; makes room if it can. */
  #isFullOfStrangers(now: number): boolean {
    const strangers = [...this.#senders].filter(([, { who }]) => !who);
    if (strangers.length < MAX_STRANGERS) return false;
    // a sender that started in the middle of a stream and never sent the beginning must not keep its place
    const [oldest, sender] = strangers.find(isIdle) ?? [];
    return !sender || now < sender.since + STRANGER_DEADLINE_MS || !this.#senders.delete(oldest!);
  }

  /** Adds a sender; returns undefined when there is no room for one more. */
  #addSender(key: string, now: number): DirectSender | undefined {
    if (this.#senders.size >= MAX_SENDERS) {
      // unconfirmed senders are removed first, so that many of them can't push out the confirmed ones
      const known = [...this.#senders].filter(isIdle);
      const [gone] = known.find(([, { who }]) => who && !who.confirmed) ?? known.find(([, { who }]) => who) ?? [];
      if (gone === undefined) return undefined;
      this.#senders.delete(gone);
    }
    const sender: DirectSender = { since: now, streams: new Map(), held: [] };
    this.#senders.set(detach(key), sender);
    return sender;
  }

  /** Shows what a sender has sent, or asks the server first who it is. */
  #confirm(pass: string | undefined, sender: DirectSender, address: string, now: number): Fact[] {
    if (sender.who && now < sender.who.until) return showHeld(sender);
    // with more than one, it was asked before
    if (pass !== undefined && sender.held.length === 1) {
      this.#transactions.begin({ ask: "sender", address, pass }, now);
    }
    return [];
  }
}

/** The stream of a message, which is new if its sender has started anew. */
function streamOf({ streams }: DirectSender, { stream: name, first }: MessagePacket): ReceiveStream {
  let stream = streams.get(name);
  if (stream) return stream;
  stream = new ReceiveStream(name, first);
  streams.set(stream.name, stream);
  if (streams.size > MAX_STREAMS) streams.delete(streams.keys().next().value!);
  return stream;
}

function takeToken(sender: DirectSender, now: number): boolean {
  sender.bucket ??= new TokenBucket(SENDER_RATE, now);
  return sender.bucket.take(SENDER_RATE, now) === 0;
}

/** Takes what an acknowledgement to an address costs; returns whether there was enough. */
function takeAckTokens(sender: DirectSender, to: string, now: number): boolean {
  sender.ackBucket ??= new TokenBucket(ACK_RATE, now);
  return sender.ackBucket.take(ACK_RATE, now, sender.who?.address === to ? 1 : ACK_COST_ELSEWHERE) === 0;
}

/** Whether a sender has no message that waits: such a message is acknowledged, so it must not be lost. */
function isIdle([, { held }]: [string, DirectSender]): boolean {
  return held.length === 0;
}

/**
 * Shows what was held until it was known who sent it: with the address that the server has named for a pass, since
 * whoever has a pass can send with any other.
 */
function showHeld({ who, held }: DirectSender): Fact[] {
  const { name, address, confirmed } = who!;
  return held.splice(0).map(({ message: { text, action }, from }) => ({
    type: "direct",
    message: { address: address ?? from, name, confirmed, text: printable(text), ...(action && { action }) },
  }));
}
