/**
 * All that passes between this client and one other member alone: what it sends, what it takes, and the NATs between.
 *
 * @module
 */
import type { EventPacket, V1Packet } from "../../protocol.ts";
import { earliestWake } from "../../protocol/earliest.ts";
import type { Draft } from "../../protocol/reliable/send_stream.ts";
import type { Identity } from "./conversations.ts";
import { DirectMessages } from "./direct.ts";
import { DirectInbox } from "./direct_inbox.ts";
import { Echoes } from "./echoes.ts";
import type { Answer, Fact, PunchPacket, Question, RelayPacket, Timed } from "./facts.ts";
import { KnownWays } from "./known_ways.ts";
import { PeerLinks } from "./peer_links.ts";
import type { People } from "./people.ts";
import { Punches } from "./punches.ts";
import type { Self, Send } from "./self.ts";
import type { Transactions } from "./transactions.ts";
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
  readonly #echoes: Echoes;
  readonly #known = new KnownWays();
  /** The lasting contacts. */
  readonly links: PeerLinks;

  constructor({ transactions, self, people, send, relay }: PeersOptions) {
    const known = this.#known;
    this.#echoes = new Echoes(self);
    this.#inbox = new DirectInbox(send, self, people, known);
    const parts = { transactions, self, inbox: this.#inbox, known };
    this.#direct = new DirectMessages({ ...parts, send: this.#echoes.noting(send), isRelayAllowed: relay });
    this.#punches = new Punches(send);
    const forbidden = () => this.#direct.forbidden;
    this.links = new PeerLinks({ ...parts, send: this.#echoes.noting(send), forbidden });
  }

  /** How many messages have not been acknowledged by their peers. */
  get waiting(): number {
    return this.#direct.waiting;
  }

  /** When the time began after which the last of them is given up, in milliseconds. */
  get waitsSince(): number {
    return this.#direct.waitsSince;
  }

  /** Whether texts may go through the server where there is no direct way. */
  get isRelayAllowed(): boolean {
    return this.#direct.isRelayAllowed;
  }

  get nextWake(): number | undefined {
    return earliestWake([this.#direct, this.#punches, this.links]);
  }

  wake(now: number): Fact[] {
    return [...this.#direct.wake(now), ...this.#punches.wake(now), ...this.links.wake(now)];
  }

  /** Whom the server has named with a pass, if that is believed and the user hears it. */
  introduced(pass: string, now: number): { address: string; name?: string } | undefined {
    return this.#inbox.introduced(pass, now);
  }

  /** Whether an answer may go to the address that a packet with a pass has come from. */
  mayAnswer(pass: string, from: string, now: number): boolean {
    return this.#inbox.mayCheck(pass, from, now);
  }

  /**
   * Whether a member is reached, or has reached this client, through the server only, as far as this client has found
   * out.
   *
   * @param who What the user calls it; or its pass, if the server has just said it.
   */
  isRelayed(who: Who | { pass: string }): boolean {
    return this.#direct.isRelayed(who);
  }

  /**
   * Allows that texts go through the server, or forbids it. What waits there is then taken off that way; but what was
   * said under the ban keeps to it.
   */
  allowRelay(isAllowed: boolean, now: number): Fact[] {
    return this.#direct.allowRelay(isAllowed, now);
  }

  /**
   * Sends pieces of text to a member; they were said at a time in milliseconds.
   *
   * @param identity To whom alone, if it is an answer to somebody: the name or the address may be another's by now.
   */
  say(who: Who, drafts: Draft[], now: number, saidAt: number, identity?: Identity): Fact[] {
    return this.#direct.say(who, drafts, now, saidAt, identity);
  }

  /** Gives up all that waits. */
  giveUpAll(reason: string): Fact[] {
    return this.#direct.giveUpAll(reason);
  }

  /** Takes the server's answer to where a member is; undefined when there was none in time. */
  located(question: Question & { ask: "where" }, answer: Answer | undefined, now: number): Fact[] {
    return this.#direct.located(question, answer, now);
  }

  /** Notes that the server has begun anew, so that for a while it does not know everybody. */
  beginAnew(now: number): void {
    this.#direct.beginAnew(now);
    this.links.beginAnew(now);
  }

  /** Takes note of who the server says has come, has left, or has another name. */
  noteMembers(event: Extract<EventPacket, { members: unknown }>, now: number): void {
    this.#inbox.noteMembers(event.members, now);
    if (event.type === "RENAMED") {
      this.#known.noteRenamed(event.members);
      this.links.noteRenamed(event.members);
      return this.#direct.noteRenamed(event.members, now);
    }
    this.#known.noteMembers(event.members, event.type !== "OFFLINE");
    this.#direct.noteMembers(event.members, event.type !== "OFFLINE");
    if (event.type === "OFFLINE") this.links.noteLeft(event.members, now);
  }

  /** Lets a member through that wants to send something directly. */
  punched(packet: PunchPacket, now: number): void {
    this.#punches.add(packet, this.#inbox.punched(packet, now), now);
    this.links.named(packet, now);
  }

  /** Takes a packet that came directly, from any address. */
  receive(packet: V1Packet, from: string, now: number): Fact[] {
    if (this.#echoes.has(packet)) return [];
    const facts = this.#take(packet, from, now);
    if (packet.type === "MESSAGE" || packet.type === "OPEN") this.#direct.checkBack(packet, now);
    return facts;
  }

  #take(packet: V1Packet, from: string, now: number): Fact[] {
    switch (packet.type) {
      case "ACK":
        if (packet.stream === undefined && this.links.answered(packet, now)) return [];
        return this.#direct.receiveAck(packet, from, now);
      case "MESSAGE":
        return this.#inbox.receive(packet, from, now);
      case "OPEN":
        if (!this.links.opened(packet, from, now)) this.#inbox.opened(packet, from, now);
        return [];
      case "OFFER":
      case "DATA":
      case "SACK":
      case "END":
        return [{ type: "file packet", packet, from }];
      default:
        return [];
    }
  }

  /** Takes what the server has passed on, as if it had come from the peer. */
  receiveRelayed({ address, name, packet }: RelayPacket, now: number): Fact[] {
    if (this.#echoes.has(packet)) return [];
    if (packet.type === "ACK") return this.#direct.receiveAck(packet, undefined, now);
    if (packet.type === "MESSAGE") return this.#inbox.receiveRelayed(packet, { address, name }, now);
    // with it the server has said whose it is, as with a PUNCH; others of a transfer come without the name
    if (packet.type === "OFFER") this.#inbox.punched({ address, name, pass: packet.pass }, now);
    return [{ type: "file packet", packet, from: undefined }];
  }
}
