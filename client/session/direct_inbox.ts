/**
 * Direct messages from others: takes those of known senders, and acknowledges them.
 *
 * A datagram's source address can be forged. So a sender is known by the pass that the server has given to both: the
 * sender gets it when it looks this client up, and this client gets it with the server's PUNCH. What has no such pass
 * is dropped: its sender repeats it, and looks this client up again, which repeats the PUNCH.
 *
 * @module
 */
import type { Presence, V1Packet } from "../../protocol.ts";
import { nameKey } from "../../protocol/names.ts";
import type { MessagePacket } from "../../protocol/reliable/receive_stream.ts";
import { ReceiveStreams } from "../../protocol/reliable/receive_streams.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { printable } from "../../protocol/text.ts";
import { detach } from "../../protocol/utf8.ts";
import type { Fact, RelayPacket } from "./facts.ts";
import type { KnownWays, Named } from "./known_ways.ts";
import type { People } from "./people.ts";
import { relay } from "./relay.ts";
import type { Self, Send } from "./self.ts";

/** What the server has said of a member that has looked this client up, or that this client has. */
interface Introduction {
  address: string;
  name?: string;
  /** Names with the same key are the same. */
  nameKey?: string;
  /** Until when this is believed, in milliseconds. */
  until: number;
}

/** A member that the server has named with its pass. */
interface Announced extends Introduction {
  /** The answers that it may cause to its own address. */
  ackBucket: TokenBucket;
  /** The answers and checks that it may cause to other addresses. */
  ackBucketElsewhere: TokenBucket;
}

/**
 * A message, when it was said, in milliseconds of this client's clock, and whether it has passed through the server: it
 * may be held for an earlier one that comes by the other way.
 */
type HeldMessage = MessagePacket & { saidAt: number; relayed: boolean };

/** A message that the server has passed on. */
type RelayedMessage = RelayPacket["packet"] & { type: "MESSAGE" };

/** A member that has written. */
interface DirectSender extends Announced {
  streams: ReceiveStreams<HeldMessage>;
  /** Whether anything was shown of it: who is silent is forgotten first. */
  hasShown: boolean;
  /** When it last had an acknowledgement through the server, in milliseconds. */
  relayedAckAt: number;
  /** The messages that it may send. */
  bucket: TokenBucket;
}

/** How long it is believed who has a pass, in milliseconds: the name may be another's soon. */
const PASS_LIFETIME_MS = 10_000;
/** How many senders are remembered. */
const MAX_SENDERS = 256;
/**
 * Of how many others it is remembered what was shown: those that were forgotten, or whose address has another pass now.
 */
const MAX_PAST = 10_000;
/** How many members are remembered that have looked this client up and have not written: more than a flood can name. */
const MAX_ANNOUNCED = 4096;
/** How many messages a second one sender may send: more than a person types, and few enough to stop reading. */
const SENDER_RATE: TokenBucketOptions = { rate: 100, burst: 200 };
/** How many answers a second one sender may cause. A real one does with fewer: each settles all before it. */
const ACK_RATE: TokenBucketOptions = { rate: 100, burst: 200 };
/**
 * How many answers and checks a second all senders together may cause to addresses that the server has not named for
 * them. Behind some NATs, and on the server's own machine, a real sender's messages come from such an address, but so
 * do those that are to make this client send to somebody else.
 */
const ACK_RATE_ELSEWHERE: TokenBucketOptions = { rate: 20, burst: 200 };
/** How many of them one sender may cause, so that none takes those of the others. */
const SENDER_ACK_RATE_ELSEWHERE: TokenBucketOptions = { rate: 2, burst: 5 };
/**
 * How many acknowledgements a second all together may cause through the server: about as many packets come that way.
 * Each costs this client 2 of its 500 requests, which it needs for what its user does too.
 */
const RELAYED_ACK_RATE: TokenBucketOptions = { rate: 100, burst: 200 };
/**
 * How many of them are kept for senders that have had none for a while, and for how long, in milliseconds: a crowd that
 * repeats without end must not take those of who writes a line.
 */
const FIRST_ACK_RESERVE = 50, FIRST_ACK_AFTER_MS = 10_000;

/** The direct messages of one session from others. */
export class DirectInbox {
  readonly #send: Send;
  readonly #self: Pick<Self, "token">;
  readonly #people: Pick<People, "isIgnored">;
  readonly #known: KnownWays;
  /** Those that have not written, by their passes, the one that was longest without a PUNCH first. */
  readonly #announced = new Map<string, Announced>();
  /** Those that have written, by their passes. A PUNCH takes nobody's place here, so that no repeat is shown again. */
  readonly #senders = new Map<string, DirectSender>();
  /** What was shown of others, by their passes, the one that was forgotten first before the others. */
  readonly #past = new Map<string, ReceiveStreams["begun"]>();
  readonly #ackBucketElsewhere = new TokenBucket(ACK_RATE_ELSEWHERE, 0);
  readonly #relayedAckBucket = new TokenBucket(RELAYED_ACK_RATE, 0);

  /**
   * @param send Sends a packet to a peer, or to the server.
   * @param self This member, as the server knows it.
   * @param people Whom the user ignores.
   * @param known Is told by which way packets come.
   */
  constructor(send: Send, self: Pick<Self, "token">, people: Pick<People, "isIgnored">, known: KnownWays) {
    this.#send = send;
    this.#self = self;
    this.#people = people;
    this.#known = known;
  }

  /**
   * Takes note that the server has said who has a pass: a member that wants to send something, or that this client
   * does; returns whether that member has written before.
   */
  punched({ address, name, pass }: Named, now: number): boolean {
    this.noteMembers([{ address, name }], now);
    this.#known.named({ address, name, pass });
    const introduction = { address, name, nameKey: keyOf(name), until: now + PASS_LIFETIME_MS };
    const isKnown = this.#senders.has(pass) || this.#past.has(pass);
    const key = isKnown ? pass : this.#passAt(address) ?? pass, sender = this.#senders.get(key);
    const announced = this.#announced.get(pass);
    this.#announced.delete(pass);
    if (sender) {
      // it may as well be another member, and the one before may come back from elsewhere
      if (key !== pass) this.#remember(key, sender);
      this.#senders.delete(key);
      this.#senders.set(pass, Object.assign(sender, introduction));
      return true;
    }
    this.#announced.set(pass, announced ? Object.assign(announced, introduction) : newAnnounced(introduction, now));
    if (this.#announced.size > MAX_ANNOUNCED) this.#announced.delete(this.#announced.keys().next().value!);
    return false;
  }

  /**
   * The pass of the sender at an address. A server that has begun anew gives the same member another pass, and what was
   * shown of it must not be shown again.
   */
  #passAt(at: string): string | undefined {
    for (const [pass, { address }] of this.#senders) if (address === at) return pass;
  }

  /**
   * Takes note of what the server has said of members. Whom it names with another name now, or whose name at another
   * address, is not believed any more, until it is named by a PUNCH again.
   */
  noteMembers(members: Presence[], now: number): void {
    const said = members.map(({ address, name }) => ({ address, key: keyOf(name) }));
    const keyAt = new Map(said.map(({ address, key }) => [address, key]));
    const addressOf = new Map(said.map(({ address, key }) => [key, address]));
    for (const introductions of [this.#announced, this.#senders]) {
      for (const known of introductions.values()) {
        const { address, nameKey: key } = known;
        const isOther = keyAt.has(address) && keyAt.get(address) !== key;
        const isElsewhere = key !== undefined && (addressOf.get(key) ?? address) !== address;
        if (isOther || isElsewhere) known.until = Math.min(known.until, now);
      }
    }
  }

  /** Takes a message that came from an address. It may be dropped: its sender repeats what is not acknowledged. */
  receive(packet: MessagePacket, from: string, now: number): Fact[] {
    return this.#receive(packet, from, false, now);
  }

  /** Takes a message that the server has passed on. With it the server has said whose it is, as with a PUNCH. */
  receiveRelayed(
    packet: RelayedMessage,
    { address, name }: Pick<RelayPacket, "address" | "name">,
    now: number,
  ): Fact[] {
    this.punched({ address, name, pass: packet.pass }, now);
    return this.#receive(packet, address, true, now);
  }

  /**
   * Takes an OPEN. If it has an id, a member asks with it whether there is a direct way, and gets an answer as its
   * messages do, no oftener.
   */
  opened({ pass, id }: V1Packet & { type: "OPEN" }, from: string, now: number): void {
    const member = pass === undefined ? undefined : this.#memberWith(pass, now);
    if (!member) return;
    this.#known.heard({ pass: pass!, address: member.address, name: member.name }, from, now);
    if (id === undefined || !takeAckToken(member, from, this.#ackBucketElsewhere, now)) return;
    this.#send({ dialect: "v1", type: "ACK", pass, id }, from);
  }

  /** Whom the server has named with a pass, if that is believed and the user hears it. */
  introduced(pass: string, now: number): { address: string; name?: string } | undefined {
    return this.#memberWith(pass, now);
  }

  /**
   * Whether a check, or an answer, may go to where a packet has come from. A source address can be forged: to one that the server has
   * not named as few go as answers.
   */
  mayCheck(pass: string, to: string, now: number): boolean {
    const member = this.#memberWith(pass, now);
    return member !== undefined && takeAckToken(member, to, this.#ackBucketElsewhere, now);
  }

  #receive(packet: MessagePacket, from: string, relayed: boolean, now: number): Fact[] {
    const { token, pass } = packet;
    // what has a token is for a server
    const sender = token === undefined && pass !== undefined ? this.#senderWith(pass, now) : undefined;
    if (!sender) return [];
    this.#known.heard({ pass: pass!, address: sender.address, name: sender.name }, relayed ? undefined : from, now);
    const stream = sender.streams.of(packet);
    // a repeat is acknowledged again; it shows nothing, so it takes no token
    const isNew = !stream.isRepeat(packet) && !stream.isHeld(packet);
    if (isNew && sender.bucket.take(SENDER_RATE, now) > 0) return [];
    stream.hold({ ...packet, saidAt: now - (packet.age ?? 0), relayed });
    const shown: HeldMessage[] = [];
    for (let message; (message = stream.takeNext());) shown.push(message);
    sender.hasShown ||= shown.length > 0;
    const isAnswered = stream.isBegun && takeAckToken(sender, from, this.#ackBucketElsewhere, now);
    if (isAnswered && (!relayed || this.#takeRelayedAckToken(sender, now))) {
      const ack = { dialect: "v1", type: "ACK", pass: pass!, stream: packet.stream, id: stream.next - 1 } as const;
      // the way that the message came
      if (relayed) this.#send(relay(ack, this.#self, from));
      else this.#send(ack, from);
    }
    // with the address that the server has named, since whoever has a pass can send with any other
    const { address, name } = sender;
    return shown.map(({ text, action, saidAt, relayed }) => {
      const age = now - saidAt, how = { ...(action && { action }), ...(relayed && { relayed }) };
      return { type: "direct", message: { address, name, pass: pass!, text: printable(text), age, ...how } };
    });
  }

  /** Takes a token for an acknowledgement through the server; returns whether there was one for this sender. */
  #takeRelayedAckToken(sender: DirectSender, now: number): boolean {
    const isFirst = now >= sender.relayedAckAt + FIRST_ACK_AFTER_MS, reserve = isFirst ? 0 : FIRST_ACK_RESERVE;
    if (this.#relayedAckBucket.pause(RELAYED_ACK_RATE, now, 1 + reserve) > 0) return false;
    this.#relayedAckBucket.take(RELAYED_ACK_RATE, now);
    sender.relayedAckAt = now;
    return true;
  }

  /**
   * Whoever has a pass, if that is believed and the user hears it: an answer says that a message was shown, so ignored
   * people get none.
   */
  #memberWith(pass: string, now: number): Announced | undefined {
    const member = this.#senders.get(pass) ?? this.#announced.get(pass);
    return !member || now >= member.until || this.#people.isIgnored(member) ? undefined : member;
  }

  /** The same, which from now on is remembered as one that has written. */
  #senderWith(pass: string, now: number): DirectSender | undefined {
    const member = this.#memberWith(pass, now), known = this.#senders.get(pass);
    if (!member || known) return member && known;
    const past = this.#past.get(pass);
    this.#past.delete(pass);
    if (this.#senders.size >= MAX_SENDERS) this.#forgetSender();
    this.#announced.delete(pass);
    const sender: DirectSender = {
      ...member,
      streams: new ReceiveStreams(past),
      hasShown: past !== undefined,
      relayedAckAt: -Infinity,
      bucket: new TokenBucket(SENDER_RATE, now),
    };
    this.#senders.set(pass, sender);
    return sender;
  }

  /**
   * Forgets the sender of whom nothing was shown, or else any, that has been longest without a PUNCH. It may still
   * write, and none of its repeats is shown again.
   */
  #forgetSender(): void {
    const [pass, sender] = [...this.#senders].reduce((first, other) =>
      isForgottenBefore(other[1], first[1]) ? other : first
    );
    this.#senders.delete(pass);
    this.#remember(pass, sender);
    const { streams: _, bucket: __, hasShown: ___, relayedAckAt: ____, ...announced } = sender;
    this.#announced.set(pass, announced);
  }

  /** Remembers of a sender what was shown. */
  #remember(pass: string, { streams: { begun } }: DirectSender): void {
    if (begun.length === 0) return;
    this.#past.set(detach(pass), begun);
    if (this.#past.size > MAX_PAST) this.#past.delete(this.#past.keys().next().value!);
  }
}

function newAnnounced(introduction: Introduction, now: number): Announced {
  return {
    ...introduction,
    ackBucket: new TokenBucket(ACK_RATE, now),
    ackBucketElsewhere: new TokenBucket(SENDER_ACK_RATE_ELSEWHERE, now),
  };
}

/**
 * Takes a token for an answer of a member, or a check, to an address; returns whether there was one.
 *
 * @param ofAll The bucket of all members for addresses that the server has not named.
 */
function takeAckToken(member: Announced, to: string, ofAll: TokenBucket, now: number): boolean {
  if (member.address === to) return member.ackBucket.take(ACK_RATE, now) === 0;
  return member.ackBucketElsewhere.take(SENDER_ACK_RATE_ELSEWHERE, now) === 0 &&
    ofAll.take(ACK_RATE_ELSEWHERE, now) === 0;
}

function isForgottenBefore(one: DirectSender, other: DirectSender): boolean {
  return one.hasShown === other.hasShown ? one.until < other.until : other.hasShown;
}

/** What is the same for all spellings of a name. */
function keyOf(name: string | undefined): string | undefined {
  return name === undefined ? undefined : nameKey(name);
}
