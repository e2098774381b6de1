/**
 * Members that write to each other directly, over a network in memory that drops and delays datagrams. The clock stands
 * still until a test moves it.
 *
 * @module
 */
import { DirectMessages } from "../../client/session/direct.ts";
import { DirectInbox } from "../../client/session/direct_inbox.ts";
import type { Answer, DirectMessage, Fact, Question } from "../../client/session/facts.ts";
import { KnownWays } from "../../client/session/known_ways.ts";
import { People } from "../../client/session/people.ts";
import { Transactions } from "../../client/session/transactions.ts";
import type { Who } from "../../client/session/who.ts";
import { decode, encode, type Packet, type RelayedPacket, type V1Packet } from "../../protocol.ts";
import { nameKey } from "../../protocol/names.ts";
import { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import { seededRandom } from "../../server/doors/network_emulator.ts";
import { SymmetricNats } from "./symmetric_nats.ts";

/** The server's address. */
export const SERVER = "192.0.2.1:9090";

const TOKEN = "5f1c0d9a7be2e604";

/** The pass that this server gives to the members with two tokens: the addresses at which they have joined. */
export function passOf(one: string, other: string): string {
  let hash = 0n;
  for (const byte of new TextEncoder().encode([one, other].sort().join())) {
    hash = BigInt.asUintN(64, hash * 257n + BigInt(byte));
  }
  return hash.toString(16).padStart(16, "0");
}

/** A datagram, whether it arrives or not. */
export interface OnTheWire {
  from: string;
  to: string;
  packet: Packet;
  at: number;
}

/** What the server knows of one member. */
export interface Registered {
  address: string;
  /** What its passes are made from; its address unless it is told otherwise. */
  token?: string;
  name?: string;
  classic?: boolean;
  /** Whether no datagram reaches it, which the server says. */
  isRelayed?: boolean;
}

/** One member, and everything that its user has been shown. */
export interface FakePeer {
  readonly address: string;
  readonly direct: DirectMessages;
  readonly inbox: DirectInbox;
  readonly transactions: Transactions;
  readonly shown: (DirectMessage & { at: number })[];
  readonly delivered: { name: string; text: string; acknowledged: boolean; relayed: boolean; at: number }[];
  readonly failed: { name: string; count: number; quote: string; reason: string; at: number }[];
  /** All other notices. */
  readonly notices: string[];
  /** Sends texts to a name, or to whoever has a name or an address. */
  say(who: string | Who, ...texts: string[]): void;
  /** Takes an answer of the server; returns whether it was waited for. */
  answer(packet: Answer): boolean;
  /** Does what follows from what a part has found out. */
  act(facts: Fact[]): void;
}

/** How the network behaves. */
export interface NetworkOptions {
  /** The share of datagrams that get lost, 0 to 1. */
  loss?: number;
  /** The shortest and the longest delay in milliseconds; if they differ, datagrams can overtake each other. */
  delay?: [number, number];
  seed?: number;
  /** Whether the server passes on what has no direct way. Default: not. */
  relay?: boolean;
}

/** The most wakes in a row while the clock stands still. */
const MAX_IDLE_WAKES = 1000;

/** The network, the server's memory and the clock. */
export class FakePeers {
  now = 1_732_094_000_000;
  /** The members of the room that the server knows. */
  readonly members: Registered[] = [];
  /** Whether the server answers. */
  serverAnswers = true;
  /** Whether the server passes on what has no direct way. */
  relays: boolean;
  /** Which datagrams get lost, beside those that get lost by chance. */
  loses: (datagram: OnTheWire) => boolean = () => false;
  /** Every datagram that was sent. */
  readonly wire: OnTheWire[] = [];
  /** The NATs of those who are behind a symmetric one. */
  readonly nats = new SymmetricNats(SERVER);
  readonly #loss: number;
  readonly #delay: [number, number];
  readonly #random: () => number;
  readonly #peers = new Map<string, FakePeer>();
  #underWay: OnTheWire[] = [];

  constructor({ loss = 0, delay = [5, 5], seed = 1, relay = false }: NetworkOptions = {}) {
    this.relays = relay;
    this.#loss = loss;
    this.#delay = delay;
    this.#random = seededRandom(seed);
  }

  /** Adds a member that runs the real code; the server knows it from now on. */
  join(address: string, name?: string): FakePeer {
    this.members.push({ address, token: address, name });
    const send = (packet: Packet, to = SERVER) => this.send(packet, address, to);
    const self = { token: TOKEN, address, name, isOperator: false };
    const transactions = new Transactions(new RoundTrip(), self, send);
    const shown: FakePeer["shown"] = [],
      delivered: FakePeer["delivered"] = [],
      failed: FakePeer["failed"] = [],
      notices: string[] = [];
    const known = new KnownWays(), inbox = new DirectInbox(send, self, new People(), known);
    const direct = new DirectMessages({ transactions, self, send, inbox, known, isRelayAllowed: true });
    const say = (who: string | Who, ...texts: string[]) => {
      act(direct.say(typeof who === "string" ? { name: who } : who, texts.map((text) => ({ text })), this.now));
    };
    const answered = (question: Question, answer: Answer | undefined) => {
      if (question.ask !== "where") throw new Error("Direct messages ask for no more");
      act(direct.located(question, answer, this.now));
    };
    const answer = (packet: Answer) => {
      const question = transactions.answer(packet);
      if (question) answered(question, packet);
      return question !== undefined;
    };
    let count = 0;
    const act = (facts: Fact[]) => {
      for (const fact of facts) {
        if (fact.type === "direct") shown.push({ ...fact.message, at: this.now });
        if (fact.type === "unanswered") answered(fact.question, undefined);
        if (fact.type === "shortfall") count = fact.count;
        if (fact.type === "notice") {
          const [, sure, mark, unsure, way, text] =
            /^(?:Delivered to (\S+)( \(through the server\))?|Sent (?=.* to (\S+), )(directly|through the server).*?): ([^]*)$/
              .exec(fact.text) ?? [];
          const name = sure ?? unsure, relayed = mark !== undefined || way === "through the server";
          if (text === undefined) notices.push(fact.text);
          else delivered.push({ name, text, acknowledged: sure !== undefined, relayed, at: this.now });
        }
        if (fact.type === "problem") {
          const [, name, quote, reason] = /^Not (?:known to be )?delivered to (\S+) \(([^]*?)\): (.*)$/
            .exec(fact.text)!;
          failed.push({ name, count, quote, reason, at: this.now });
        }
      }
    };
    const peer = { address, direct, inbox, transactions, shown, delivered, failed, notices, say, answer, act };
    this.#peers.set(address, peer);
    return peer;
  }

  /** Sends a datagram, which the network may drop or delay. Nothing listens at an address where nobody has joined. */
  send(packet: Packet, from: string, to: string): void {
    from = this.nats.source(from, to);
    const datagram = { from, to, packet, at: this.now };
    this.wire.push(datagram);
    if (this.#random() < this.#loss || this.loses(datagram)) return;
    const [shortest, longest] = this.#delay;
    // encodes and decodes the packet, so that a packet that no datagram can carry fails the test
    const decoded = decode(encode(packet));
    if (!decoded.ok) throw new Error(`A ${packet.type} was sent that is no packet: ${decoded.reason}`);
    const at = this.now + shortest + Math.floor(this.#random() * (longest - shortest + 1));
    this.#underWay.push({ from, to, packet: decoded.packet, at });
  }

  /** Hands a packet to a member as if it had just come from an address, without the network. */
  inject(packet: V1Packet, from: string, to: FakePeer): void {
    if (packet.type === "ACK") to.act(to.direct.receiveAck(packet, from, this.now));
    if (packet.type === "MESSAGE") to.act(to.inbox.receive(packet, from, this.now));
    if (packet.type === "OPEN") to.inbox.opened(packet, from, this.now);
    if (packet.type === "MESSAGE" || packet.type === "OPEN") to.direct.checkBack(packet, this.now);
  }

  /** The v1 packets of a type that were sent. */
  sent<T extends V1Packet["type"]>(type: T): (OnTheWire & { packet: Extract<V1Packet, { type: T }> })[] {
    const found = this.wire.filter(({ packet }) => packet.dialect === "v1" && packet.type === type);
    return found as ReturnType<typeof this.sent<T>>;
  }

  /**
   * Moves the clock on by `ms` milliseconds. It delivers each datagram and wakes the members when they are due.
   *
   * @throws {Error} when a member asks again and again to be woken at the same time, which would keep a processor busy.
   */
  pass(ms: number): void {
    const end = this.now + ms;
    let idleWakes = 0;
    for (let next; (next = this.#nextTime()) <= end;) {
      idleWakes = next > this.now ? 0 : idleWakes + 1;
      if (idleWakes > MAX_IDLE_WAKES) throw new Error(`Woken ${idleWakes} times at ${this.now}, and nothing follows`);
      this.now = Math.max(this.now, next);
      const due = this.#underWay.filter(({ at }) => at <= this.now);
      if (due.length > 0) idleWakes = 0;
      this.#underWay = this.#underWay.filter(({ at }) => at > this.now);
      for (const datagram of due.sort((a, b) => a.at - b.at)) this.#arrive(datagram);
      for (const { transactions, direct, act } of this.#peers.values()) {
        act(transactions.wake(this.now));
        act(direct.wake(this.now));
      }
    }
    this.now = end;
  }

  #nextTime(): number {
    let next = Infinity;
    for (const { at } of this.#underWay) next = Math.min(next, at);
    for (const { transactions, direct } of this.#peers.values()) {
      next = Math.min(next, transactions.nextWake ?? Infinity, direct.nextWake ?? Infinity);
    }
    // a real clock shows whole milliseconds
    return Math.ceil(next);
  }

  #arrive({ from, to, packet }: OnTheWire): void {
    if (to === SERVER) return this.#serve(packet, from);
    const peer = this.#peers.get(this.nats.target(to, from) ?? "");
    if (!peer || packet.dialect !== "v1") return;
    if (from !== SERVER) this.inject(packet, from, peer);
    else if (packet.type === "PEER" || packet.type === "ERROR") peer.answer(packet);
    else if (packet.type === "PUNCH") {
      this.send({ dialect: "v1", type: "OPEN", pass: packet.pass }, to, packet.address);
      peer.inbox.punched(packet, this.now);
    } else if (packet.type === "RELAY") {
      const { packet: inner } = packet;
      if (inner.type === "ACK") peer.act(peer.direct.receiveAck(inner, undefined, this.now));
      else if (inner.type === "MESSAGE") peer.act(peer.inbox.receiveRelayed(inner, packet, this.now));
    }
  }

  #serve(packet: Packet, from: string): void {
    if (!this.serverAnswers) return;
    if (packet.type === "RELAY") this.#passOn(packet.packet, from, packet.address);
    if (packet.type === "LOOKUP") this.#lookUp(packet, from);
  }

  #passOn(packet: RelayedPacket, from: string, to: string): void {
    const sender = this.#memberAt(from), receiver = this.#memberAt(to);
    const { address, token = address, name } = sender ?? { address: from };
    if (!this.relays || !receiver || packet.pass !== passOf(token, receiver.token ?? to)) return;
    this.send({ dialect: "v1", type: "RELAY", token: TOKEN, address, name, packet }, SERVER, to);
  }

  #memberAt(wanted: string): Registered | undefined {
    return this.members.find(({ address }) => address === wanted);
  }

  #lookUp({ id, name: wanted, address: at }: V1Packet & { type: "LOOKUP" }, from: string): void {
    const found = this.members.find(({ name, address }) =>
      wanted === undefined ? address === at : nameKey(name ?? "") === nameKey(wanted)
    );
    if (!found) {
      const text = `${wanted ?? at} is not here`;
      return this.send({ dialect: "v1", type: "ERROR", token: TOKEN, code: "no-such-user", id, text }, SERVER, from);
    }
    const { address, name, token = address, classic, isRelayed = false } = found, asker = this.#memberAt(from);
    const isWritable = isRelayed || classic ? this.relays : true;
    const pass = isWritable ? passOf(asker?.token ?? from, token) : undefined;
    if (pass !== undefined && !isRelayed) {
      this.send(
        { dialect: "v1", type: "PUNCH", token: TOKEN, address: from, name: asker?.name, pass },
        SERVER,
        address,
      );
    }
    const head = { dialect: "v1", type: "PEER", id, token: TOKEN, since: this.now } as const;
    this.send({ ...head, address, name, pass, classic, relay: isRelayed, norelay: !this.relays }, SERVER, from);
  }
}
