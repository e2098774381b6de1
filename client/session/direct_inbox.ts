/**
 * Direct messages from others: takes those of known senders, and acknowledges them.
 *
 * A datagram's source address can be forged. So a sender is known by the pass that the server has given to both: the
 * sender gets it when it looks this client up, and this client gets it with the server's PUNCH. What has no such pass is
 * dropped: its sender repeats it, and looks this client up again, which repeats the PUNCH.
 *
 * @module
 */
import type { Presence, V1Packet } from "../../protocol.ts";
import { nameKey } from "../../protocol/names.ts";
import type { MessagePacket } from "../../protocol/reliable/receive_stream.ts";
import { ReceiveStreams } from "../../protocol/reliable/receive_streams.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { printable } from "../../protocol/text.ts";
import type { Fact, PunchPacket, RelayPacket } from "./facts.ts";
import type { Self } from "./membership.ts";
import type { People } from "./people.ts";
import { relay } from "./relay.ts";
import type { Send } from "./v1_link.ts";

/** What the server has said of a member that has looked this client up. */
interface Introduction {
  address: string;
  name?: string;
  /** Names with the same key are the same. */
  nameKey?: string;
  /** Until when this is believed, in milliseconds. */
  until: number;
}

/**
 * A message, when it was said, in milliseconds of this client's clock, and whether it has passed through the server: it
 * may be held for an earlier one that comes by the other way.
 */
type HeldMessage = MessagePacket & { saidAt: number; relayed: boolean };

/** A message that the server has passed on. */
type RelayedMessage = RelayPacket["packet"] & { type: "MESSAGE" };

/** A member that has written. */
interface DirectSender extends Introduction {
  streams: ReceiveStreams<HeldMessage>;
  /** The messages that it may send. */
  bucket: TokenBucket;
  /** The acknowledgements that it may cause to its own address. */
  ackBucket: TokenBucket;
  /** The acknowledgements that it may cause to other addresses. */
  ackBucketElsewhere: TokenBucket;
}

/** How long it is believed who has a pass, in milliseconds: the name may be another's soon. */
const PASS_LIFETIME_MS = 10_000;
/** How many senders are remembered. */
const MAX_SENDERS = 256;
/** How many members are remembered that have looked this client up and have not written: more than a flood can name. */
const MAX_ANNOUNCED = 4096;
/** How many messages a second one sender may send: more than a person types, and few enough to stop reading. */
const SENDER_RATE: TokenBucketOptions = { rate: 100, burst: 200 };
/** How many acknowledgements a second one sender may cause. A real one does with fewer: each settles all before it. */
const ACK_RATE: TokenBucketOptions = { rate: 100, burst: 200 };
/**
 * How many acknowledgements a second all senders together may cause to addresses that the server has not named for them.
 * Behind some NATs, and on the server's own machine, a real sender's messages come from such an address, but so do those
 * that are to make this client send to somebody else.
 */
const ACK_RATE_ELSEWHERE: TokenBucketOptions = { rate: 20, burst: 200 };
/** How many of them one sender may cause, so that none takes those of the others. */
const SENDER_ACK_RATE_ELSEWHERE: TokenBucketOptions = { rate: 2, burst: 5 };

/** The direct messages of one session from others. */
export class DirectInbox {
  readonly #send: Send;
  readonly #self: Pick<Self, "token">;
  readonly #people: Pick<People, "isIgnored">;
  /** Those that have not written, by their passes, the one that was longest without a PUNCH first. */
  readonly #announced = new Map<string, Introduction>();
  /** Those that have written, by their passes. A PUNCH takes nobody's place here, so that no repeat is shown again. */
  readonly #senders = new Map<string, DirectSender>();
  readonly #ackBucketElsewhere = new TokenBucket(ACK_RATE_ELSEWHERE, 0);

  /**
   * @param send Sends a packet to a peer, or to the server.
   * @param self This member, as the server knows it.
   * @param people Whom the user ignores.
   */
  constructor(send: Send, self: Pick<Self, "token">, people: Pick<People, "isIgnored">) {
    this.#send = send;
    this.#self = self;
    this.#people = people;
  }

  /**
   * Takes note that the server has given a pass to a member that wants to send something; returns whether that member
   * has written before.
   */
  punched({ address, name, pass }: Pick<PunchPacket, "address" | "name" | "pass">, now: number): boolean {
    this.noteMembers([{ address, name }], now);
    const introduction = { address, name, nameKey: keyOf(name), until: now + PASS_LIFETIME_MS };
    const key = this.#senders.has(pass) ? pass : this.#passAt(address) ?? pass, sender = this.#senders.get(key);
    this.#announced.delete(pass);
    if (sender) {
      this.#senders.delete(key);
      this.#senders.set(pass, Object.assign(sender, introduction));
      return true;
    }
    this.#announced.set(pass, introduction);
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

  /** Answers an OPEN with which a member asks whether there is a direct way; as its messages are answered, no oftener. */
  check({ pass, id }: V1Packet & { type: "OPEN" }, from: string, now: number): void {
    const sender = pass !== undefined && id !== undefined ? this.#senderWith(pass, now) : undefined;
    if (!sender || !this.#takeAckToken(sender, from, now)) return;
    this.#send({ dialect: "v1", type: "ACK", pass, id: id! }, from);
  }

  #receive(packet: MessagePacket, from: string, relayed: boolean, now: number): Fact[] {
    const { token, pass } = packet;
    // what has a token is for a server
    const sender = token === undefined && pass !== undefined ? this.#senderWith(pass, now) : undefined;
    if (!sender) return [];
    const stream = sender.streams.of(packet);
    // a repeat is acknowledged again; it shows nothing, so it takes no token
    const isNew = !stream.isRepeat(packet) && !stream.isHeld(packet);
    if (isNew && sender.bucket.take(SENDER_RATE, now) > 0) return [];
    stream.hold({ ...packet, saidAt: now - (packet.age ?? 0), relayed });
    const shown: HeldMessage[] = [];
    for (let message; (message = stream.takeNext());) shown.push(message);
    if (stream.next > 1 && this.#takeAckToken(sender, from, now)) {
      const ack = { dialect: "v1", type: "ACK", pass: pass!, stream: packet.stream, id: stream.next - 1 } as const;
      // the way that the message came
      if (relayed) this.#send(relay(ack, this.#self, from));
      else this.#send(ack, from);
    }
    // with the address that the server has named, since whoever has a pass can send with any other
    const { address, name } = sender;
    return shown.map(({ text, action, saidAt, relayed }) => {
      const age = now - saidAt, how = { ...(action && { action }), ...(relayed && { relayed }) };
      return { type: "direct", message: { address, name, text: printable(text), age, ...how } };
    });
  }

  /**
   * Whoever has a pass, if that is believed and the user hears it: an answer says that a message was shown, so ignored
   * people get none. From now on it is remembered as one that has written.
   */
  #senderWith(pass: string, now: number): DirectSender | undefined {
    const known = this.#senders.get(pass), introduction = known ?? this.#announced.get(pass);
    if (!introduction || now >= introduction.until || this.#people.isIgnored(introduction)) return undefined;
    if (known) return known;
    if (this.#senders.size >= MAX_SENDERS) this.#forgetSender();
    this.#announced.delete(pass);
    const sender: DirectSender = {
      ...introduction,
      streams: new ReceiveStreams(),
      bucket: new TokenBucket(SENDER_RATE, now),
      ackBucket: new TokenBucket(ACK_RATE, now),
      ackBucketElsewhere: new TokenBucket(SENDER_ACK_RATE_ELSEWHERE, now),
    };
    this.#senders.set(pass, sender);
    return sender;
  }

  /** Forgets what was shown of the sender that has been longest without a PUNCH. It may still write. */
  #forgetSender(): void {
    const [pass, { address, name, nameKey, until }] = [...this.#senders].reduce((first, other) =>
      other[1].until < first[1].until ? other : first
    );
    this.#senders.delete(pass);
    this.#announced.set(pass, { address, name, nameKey, until });
  }

  /** Takes a token for an acknowledgement to an address; returns whether there was one. */
  #takeAckToken({ address, ackBucket, ackBucketElsewhere }: DirectSender, to: string, now: number): boolean {
    if (address === to) return ackBucket.take(ACK_RATE, now) === 0;
    return ackBucketElsewhere.take(SENDER_ACK_RATE_ELSEWHERE, now) === 0 &&
      this.#ackBucketElsewhere.take(ACK_RATE_ELSEWHERE, now) === 0;
  }
}

/** What is the same for all spellings of a name. */
function keyOf(name: string | undefined): string | undefined {
  return name === undefined ? undefined : nameKey(name);
}
