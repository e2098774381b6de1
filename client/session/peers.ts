/**
 * All that passes between this client and one other member alone: what it sends, what it takes, and the NATs between.
 *
 * @module
 */
import type { Presence, V1Packet } from "../../protocol.ts";
import { earliestWake } from "../../protocol/earliest.ts";
import type { Draft } from "../../protocol/reliable/send_stream.ts";
import { DirectMessages } from "./direct.ts";
import { DirectInbox } from "./direct_inbox.ts";
import type { Answer, Fact, PunchPacket, Question, RelayPacket, Timed } from "./facts.ts";
import type { Self } from "./membership.ts";
import type { People } from "./people.ts";
import { Punches } from "./punches.ts";
import type { Transactions } from "./transactions.ts";
import type { Send } from "./v1_link.ts";
import { FORBIDDEN } from "./way_words.ts";
import type { Who } from "./who.ts";

/** What the other members of a session are reached with. */
export interface PeersOptions {
  transactions: Transactions;
  /** This member, as the server knows it. */
  self: Self;
  /** Whom the user ignores. */
  people: People;
  /** Sends a packet to a peer, or to the server. */
  send: Send;
  /** Whether texts may go through the server where there is no direct way. */
  relay: boolean;
}

/** The other members, as far as this client writes to them alone, or they to it. */
export class Peers implements Timed {
  readonly #direct: DirectMessages;
  readonly #inbox: DirectInbox;
  readonly #punches: Punches;

  constructor({ transactions, self, people, send, relay }: PeersOptions) {
    this.#direct = new DirectMessages(transactions, self, send, relay ? undefined : FORBIDDEN.flag);
    this.#inbox = new DirectInbox(send, self, people);
    this.#punches = new Punches(send);
  }

  /** How many messages have not been acknowledged by their peers. */
  get waiting(): number {
    return this.#direct.waiting;
  }

  /** From when the time counts after which the last of them is given up, in milliseconds. */
  get progressAt(): number {
    return this.#direct.progressAt;
  }

  /** Whether texts may go through the server where there is no direct way. */
  get isRelayAllowed(): boolean {
    return !this.#direct.isForbidden;
  }

  get nextWake(): number | undefined {
    return earliestWake([this.#direct, this.#punches]);
  }

  wake(now: number): Fact[] {
    return [...this.#direct.wake(now), ...this.#punches.wake(now)];
  }

  /** Whether texts to a member go through the server, as far as this client has found out. */
  isRelayed(who: Who): boolean {
    return this.#direct.isRelayed(who);
  }

  /** Forbids or allows that texts go through the server. What waits there is taken off that way. */
  allowRelay(isAllowed: boolean, now: number): Fact[] {
    return this.#direct.forbid(isAllowed ? undefined : FORBIDDEN.command, now);
  }

  /** Sends pieces of text to a member; they were said at a time in milliseconds. */
  say(who: Who, drafts: Draft[], now: number, saidAt: number): void {
    this.#direct.say(who, drafts, now, saidAt);
  }

  /** Takes the server's answer to where a member is; undefined when there was none in time. */
  located(question: Question & { ask: "where" }, answer: Answer | undefined, now: number): Fact[] {
    return this.#direct.located(question, answer, now);
  }

  /** Notes that the server has begun anew, so that for a while it does not know everybody. */
  beginAnew(now: number): void {
    this.#direct.beginAnew(now);
  }

  /** Takes note of what the server has said of members. */
  noteMembers(members: Presence[], now: number): void {
    this.#inbox.noteMembers(members, now);
  }

  /** Lets a member through that wants to send something directly. */
  punched(packet: PunchPacket, now: number): void {
    this.#punches.add(packet.address, this.#inbox.punched(packet, now), now);
  }

  /** Takes a packet that came directly, from any address. */
  receive(packet: V1Packet, from: string, now: number): Fact[] {
    switch (packet.type) {
      case "ACK":
        return this.#direct.receiveAck(packet, true, now);
      case "MESSAGE":
        return this.#inbox.receive(packet, from, now);
      case "OPEN":
        this.#inbox.check(packet, from, now);
        return [];
      default:
        return [];
    }
  }

  /** Takes what the server has passed on, as if it had come from the peer. */
  receiveRelayed({ address, name, packet }: RelayPacket, now: number): Fact[] {
    if (packet.type === "ACK") return this.#direct.receiveAck(packet, false, now);
    return this.#inbox.receiveRelayed(packet, { address, name }, now);
  }
}
