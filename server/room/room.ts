/**
 * The room handles the packets of clients: it knows its members, limits what they send, and broadcasts events.
 *
 * It is plain synchronous code without sockets and without a clock. {@linkcode Room.receive} takes the packets, each
 * call brings the time, and the room sends through a {@linkcode Delivery}.
 *
 * @module
 */
import { type Packet, TO_SERVER, type V1Packet } from "../../protocol.ts";
import { earlier } from "../../protocol/earliest.ts";
import type { Entry, Journal, NewEvent } from "../journal/journal.ts";
import { shortened } from "./address_validation.ts";
import { Admission } from "./admission.ts";
import { ClassicMembers } from "./classic_members.ts";
import type { Delivery } from "./delivery.ts";
import { Directory, type UsersPage } from "./directory.ts";
import { hasToken } from "./first_look.ts";
import { FanOut } from "./fan_out.ts";
import { type Greeting, Greetings } from "./greeting.ts";
import { Ignored, type IgnoreReason } from "./ignored.ts";
import { Limits } from "./limits.ts";
import { LineMembers } from "./line_members.ts";
import type { Member, Members } from "./members.ts";
import { Messages } from "./messages.ts";
import type { NameClaim } from "./names.ts";
import { OrderKeeping, type RoomOrder } from "./order_keeping.ts";
import type { OrderAnswer } from "./orders.ts";
import { Passes } from "./passes.ts";
import type { Peer } from "./peer.ts";
import { PrivateMessages } from "./private_messages.ts";
import { newProtection, type Protection } from "./protection.ts";
import type { Refusal } from "./refusal.ts";
import { Repair } from "./repair.ts";
import type { RoomOptions, RoomParts, RoomStatistics } from "./room_options.ts";

/** What a member sends to the server beside greetings, with its token. */
type Request = Exclude<Extract<V1Packet, { type: typeof TO_SERVER[number] }>, Greeting> & { token: string };

const GREET_FIRST: Refusal = { code: "not-joined", text: "Greet first" };
const BEGUN_ANEW: Refusal = { code: "not-joined", text: "The room has begun anew: greet again" };
const REQUESTS: ReadonlySet<V1Packet["type"]> = new Set(TO_SERVER);

/** One room, both dialects. */
export class Room {
  readonly #delivery: Delivery;
  readonly #journal: Journal;
  readonly #limits: Limits;
  readonly #wallClock: (() => number) | undefined;
  readonly #admission: Admission;
  readonly #members: Members;
  readonly #directory: Directory;
  readonly #greetings: Greetings;
  readonly #messages: Messages;
  readonly #classic: ClassicMembers;
  readonly #lines: LineMembers;
  readonly #privateMessages: PrivateMessages;
  readonly #repair: Repair;
  readonly #order: RoomOrder;
  readonly #protection: Protection;
  readonly #fanOut: FanOut;
  /** The parts that want to be woken; each datagram asks them all. */
  readonly #timed: readonly { readonly dueAt: number | undefined }[];
  readonly #ignored: Ignored;

  constructor(
    { delivery, journal, names, order: kept, protection: parts, tellTerminal, ignored = new Ignored() }: RoomParts,
    options: RoomOptions,
    now: number,
  ) {
    this.#delivery = delivery;
    this.#journal = journal;
    this.#ignored = ignored;
    const echoes = { datagrams: true, lines: false, ...options.echo }, echo = echoes.datagrams;
    const limits = this.#limits = new Limits(options.rate ?? { rate: 0, burst: 0 }, ignored);
    this.#wallClock = options.wallClock;
    const time = (now: number) => this.#wallTime(now);
    const { observer = {}, ownAddresses } = options, accounts = parts?.accounts;
    const announce = (event: NewEvent, now: number) => this.#publish(event, now);
    const unlocked = (now: number) => this.#lines.unlocked(now);
    const keeping = new OrderKeeping({ accounts, kept, ownAddresses, publish: announce, tellTerminal, time, unlocked });
    this.#admission = new Admission(options, {
      delivery,
      journal,
      limits,
      names,
      ignored,
      observer: {
        joined: (member) => {
          this.#order.mutes.bind(member);
          observer.joined?.(member);
        },
        changed: (...args) => {
          this.#order.mutes.bind(args[0]);
          observer.changed?.(...args);
        },
        left: (member, how) => {
          this.#messages.forget(member);
          this.#fanOut.copies.forget(member);
          keeping.lock.left(member, how === "silence");
          this.#privateMessages.forget(member);
          observer.left?.(member, how);
        },
        refused: (peer, why) => observer.refused?.(peer, why),
      },
      rules: keeping.rules,
      time,
    });
    const members = this.#members = this.#admission.members;
    this.#fanOut = new FanOut({
      ...{ delivery, journal, members, echo: echoes },
      tellPresence: (event) => this.#lines.tellPresence(event),
    });
    const protectionContext = { members, delivery, limits, parts, tellTerminal, secret: options.passKey };
    const protection = this.#protection = newProtection(options, protectionContext);
    const { logins, lineLogins } = protection;
    const order = this.#order = keeping.over(
      { admission: this.#admission, delivery, ignored, limits },
      protection.commands,
    );
    const { mutes, operators, targets } = order;
    const { relay: isRelaying = true, relayRate = 0 } = options;
    const passes = new Passes(options.passKey);
    const shared = { members, delivery, limits, ignored, logins, passes, targets, isRelaying, relayRate };
    this.#directory = new Directory(shared);
    this.#privateMessages = new PrivateMessages(shared);
    this.#greetings = new Greetings({
      admission: this.#admission,
      delivery,
      journal,
      limits,
      ignored,
      logins,
      echo,
      joinAddress: options.joinAddress ?? (() => undefined),
      copies: this.#fanOut.copies,
      isOperator: (member) => targets.isOperator(member),
      mutedNameOf: (member, name, now) => mutes.nameRefusal(member, name, now),
      topic: () => keeping.topic.text,
    });
    const publish = (message: NewEvent, origin: Member, now: number) => this.#publish(message, now, origin);
    const audience = () => this.#members.size;
    const muteOf = (member: Member, now: number) => mutes.of(member, now);
    const repair = this.#repair = new Repair({ delivery, journal, echo });
    const answerRepeat = repair.answerRepeat.bind(repair);
    this.#messages = new Messages({
      delivery,
      journal,
      limits,
      ignored,
      audience,
      muteOf,
      answerRepeat,
      publish,
      time,
    });
    const ways = {
      admission: this.#admission,
      delivery,
      directory: this.#directory,
      greetings: this.#greetings,
      limits,
      logins,
      messages: this.#messages,
      operators,
    };
    this.#classic = new ClassicMembers({ ...ways, ignored });
    this.#lines = new LineMembers({
      ...ways,
      ignored,
      lineLogins,
      privateMessages: this.#privateMessages,
      isRelaying,
    });
    const { presence } = this.#admission, { registrations } = protection;
    this.#timed = [
      presence,
      this.#fanOut,
      this.#messages,
      this.#privateMessages,
      mutes,
      registrations,
    ];
    for (const kept of options.members ?? []) this.#admission.restore(kept, now, protection.mayStay(kept));
    if (this.#members.v1Size > 0) this.#fanOut.scheduleHeartbeats(now);
    keeping.tellEnded(now);
  }

  get statistics(): Readonly<RoomStatistics> {
    return { joined: this.#admission.joined, messages: this.#fanOut.messageCount, ignored: this.#ignored.counts };
  }

  /** How many members are here. */
  get size(): number {
    return this.#members.size;
  }

  /** How many of them speak in lines over a connection. */
  get lineSize(): number {
    return this.#members.lineSize;
  }

  /**
   * Whether a datagram that is not read yet counts as a stranger's: its peer is no member, or it lacks the token of the
   * v1 member that its peer is. A classic member has nothing that shows who it is, so what is too much for one member
   * counts as a stranger's.
   */
  isFromStranger(bytes: Uint8Array, { key, validated }: Pick<Peer, "key" | "validated">, now: number): boolean {
    if (validated) return false;
    const member = this.#members.withKey(key);
    if (member === undefined) return true;
    return member.dialect === "v1" ? !hasToken(bytes, member.token) : !this.#limits.takeDatagramToken(member, now);
  }

  /** The names of the members, as many as fit into one line, and the totals. */
  users(): UsersPage {
    return this.#directory.users();
  }

  /** Whether a line of the server's terminal is an order to the room. */
  isOrder(line: string): boolean {
    return this.#order.orders.isKnown(line);
  }

  /** What can be ordered from the server's terminal, a line for each command. */
  get orderHelp(): string[] {
    return this.#order.orders.help(true);
  }

  /** What is in force of the orders, a line for each: a lock, mutes, the topic. */
  get orderState(): string[] {
    return this.#order.state();
  }

  /** Carries out an order from the server's terminal. */
  order(line: string, now: number): OrderAnswer {
    return this.#order.orders.execute(line, undefined, now);
  }

  /** Names the run of the number line; see PROTOCOL.md. */
  get epoch(): string {
    return this.#journal.epoch;
  }

  /** When {@linkcode wake} is to be called next, in milliseconds of the caller's clock; undefined for never. */
  get nextWake(): number | undefined {
    let first = this.#admission.silenceCheckAt;
    for (const { dueAt } of this.#timed) first = earlier(first, dueAt);
    return first;
  }

  /** Does what is due: removes silent members, publishes held messages and notices of presence, sends a heartbeat. */
  wake(now: number): void {
    const { presence } = this.#admission;
    this.#admission.removeSilent(now);
    this.#order.mutes.wake(now);
    this.#messages.wake(now);
    this.#privateMessages.wake(now);
    this.#protection.registrations.wake(now);
    // while nobody is told of them, the notices would only fill the window
    if (this.#members.toldSize === 0) presence.clear();
    for (const event of presence.takeDue(now, this.#wallTime(now))) this.#publish(event, now);
    this.#fanOut.wake(now);
  }

  /** Tells the members that the server is going away; classic programs do not know such a notice. */
  close(): void {
    this.#delivery.broadcast({ dialect: "v1", type: "CLOSING", epoch: this.epoch });
  }

  /** The classic member that was last heard with the IP address of a peer, if it has spoken of late. */
  classicMemberAt({ address }: Pick<Peer, "address">): Pick<Peer, "address"> | undefined {
    return this.#members.lastHeardClassicAt(address);
  }

  /** Counts a datagram that has no effect. */
  ignore(reason: IgnoreReason): void {
    this.#ignored.count(reason);
  }

  /**
   * Handles a packet from a peer.
   *
   * @param bytes The length of the datagram. The answer to an address that may be forged depends on it.
   */
  receive(packet: Packet, peer: Peer, now: number, bytes: number): void {
    if (packet.dialect === "classic") this.#classic.receive(packet, peer, now);
    else this.#receiveV1(packet, peer, now, bytes);
  }

  /** Lets a new connection join; returns whether it has. */
  connected(peer: Peer, now: number): boolean {
    return this.#lines.connected(peer, now);
  }

  /** Handles a line of a connection. Returns 0 if it was taken, otherwise the milliseconds until it is handed over again. */
  receiveLine(line: string, peer: Peer, now: number): number {
    const member = this.#members.withKey(peer.key);
    return member ? this.#lines.receive(line, member, now) : this.#lines.receiveOutside(line, peer, now);
  }

  /** Handles the end of a peer's connection. */
  hungUp(peer: Peer, now: number): void {
    this.#greetings.forgetPeer(peer);
    this.#lines.hungUp(peer);
    this.#admission.disconnect(peer, "disconnect", now);
  }

  /** Handles an event that the journal has kept: only now it is counted and told. */
  appended(entry: Entry, now: number): void {
    this.#fanOut.tell(entry, now);
  }

  /** Handles an answer of the names that came later. */
  claimed(claim: NameClaim, isGranted: boolean, now: number): void {
    this.#greetings.claimed(claim, isGranted, now);
  }

  /** Handles a SaltedPassword whose derivation was begun; undefined if it could not be made. */
  derived(saltedPassword: Uint8Array | undefined, now: number): void {
    this.#protection.derivations.derived(saltedPassword, now);
  }

  #receiveV1(packet: V1Packet, peer: Peer, now: number, bytes: number): void {
    if (isGreeting(packet)) return this.#greetings.receive(packet, peer, now, bytes);
    if (!isRequest(packet)) return this.ignore("not-for-server");
    if (packet.type === "LEAVE") return this.#receiveLeave(packet, peer, now, bytes);
    const member = this.#members.withToken(packet.token);
    if (member?.key !== peer.key) return this.#answerStranger(packet, peer, now, bytes);
    this.#members.touch(member, now);
    this.#admission.setVia(member, peer.via);
    switch (packet.type) {
      case "MESSAGE":
        return this.#messages.receive(packet, member, now);
      case "RESEND":
        return this.#receiveResend(member, packet, now);
      case "LIST":
        return this.#directory.list(member, packet, now);
      case "LOOKUP":
        return this.#directory.lookUp(member, packet, now);
      case "RELAY":
        return this.#privateMessages.receive(packet, member, bytes, now);
      case "COMMAND":
        return this.#order.operators.receive(packet, member, now);
      case "REGISTER":
      case "UNREGISTER":
        return this.#protection.registrations.receive(packet, member, now);
    }
  }

  /** Handles a goodbye. It may come from any peer, because only the answer is sent there. */
  #receiveLeave(packet: V1Packet & { type: "LEAVE" }, peer: Peer, now: number, bytes: number): void {
    const { id, token } = packet;
    this.#greetings.forgetToken(token);
    if (this.#admission.leave(token, peer, now)) {
      return this.#delivery.send({ ...peer, dialect: "v1" }, { dialect: "v1", type: "ACK", token, id });
    }
    // this may be the repeated goodbye of a member that has left
    this.#answerStranger(packet, peer, now, bytes);
  }

  /** Answers a request of somebody who is no member at this address, which may be forged. */
  #answerStranger(packet: Request, peer: Peer, now: number, bytes: number): void {
    this.ignore("not-joined");
    // another member has this address: it gets no answer
    if (this.#members.withKey(peer.key)?.dialect === "v1") return;
    const { token } = packet, id = "id" in packet ? packet.id : undefined;
    const stream = packet.type === "MESSAGE" ? packet.stream : undefined;
    const { code, text } = this.#admission.rules.expulsions.of(token, peer, now) ?? GREET_FIRST;
    const error = { dialect: "v1", type: "ERROR", token, code, id, stream, text } as const;
    this.#delivery.send({ ...peer, dialect: "v1" }, shortened(error, bytes));
  }

  /** Appends an event to the journal. The journal may keep it at once or later. */
  #publish(event: NewEvent, now: number, origin?: Member): void {
    const kept = this.#journal.append(event, origin);
    if (kept) this.appended({ event: kept, origin }, now);
  }

  #receiveResend(member: Member, packet: V1Packet & { type: "RESEND" }, now: number): void {
    const isOfToday = packet.epoch === this.epoch;
    if (packet.loss !== undefined) this.#fanOut.copies.noteLoss(member, packet.loss);
    const cost = isOfToday ? this.#repair.cost(packet) : 1;
    if (cost === 0 || !this.#limits.takeRequestTokens(member, cost, now)) return;
    if (isOfToday) this.#repair.answer(packet, member);
    else this.#delivery.send(member, { dialect: "v1", type: "ERROR", token: member.token, ...BEGUN_ANEW });
  }

  /** The time that is shown to people, in Unix milliseconds. */
  #wallTime(now: number): number {
    return this.#wallClock?.() ?? now;
  }
}

function isGreeting(packet: V1Packet): packet is Greeting {
  return packet.type === "GREETING" || packet.type === "SIGN-IN";
}

function isRequest(packet: Exclude<V1Packet, Greeting>): packet is Request {
  return REQUESTS.has(packet.type) && "token" in packet && packet.token !== undefined;
}
