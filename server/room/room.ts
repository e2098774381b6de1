/**
 * The room handles the packets of clients: it knows its members, limits what they send, and broadcasts events.
 *
 * It is plain synchronous code without sockets and without a clock. {@linkcode Room.receive} takes the packets, each
 * call brings the time, and the room sends through a {@linkcode Delivery}.
 *
 * @module
 */
import { type ClassicPacket, type EventPacket, MAX_TEXT_BYTES, type Packet, type V1Packet } from "../../protocol.ts";
import { NAME_RULE, normalizeName } from "../../protocol/names.ts";
import { type MessagePacket, ReceiveStream } from "../../protocol/reliable/receive_stream.ts";
import type { TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { printable, splitText } from "../../protocol/text.ts";
import { EventLog, type NewEvent, type WindowOptions } from "../journal/event_log.ts";
import type { RoomPast } from "../journal/past.ts";
import { Admission, type AdmissionOptions, type MemberObserver } from "./admission.ts";
import type { Delivery } from "./delivery.ts";
import { Limits } from "./limits.ts";
import type { Member, Members } from "./members.ts";
import { Repair } from "./repair.ts";

/** Callbacks for what happens in the room, called at the moment when it happens. */
export interface RoomObserver extends MemberObserver {
  /** Called before anybody is told of the event. */
  happened?(event: EventPacket, from?: Member): void;
}

/** How a room behaves. */
export interface RoomOptions extends AdmissionOptions {
  /** Whether the sender of a message gets a copy too. Default true. */
  echo?: boolean;
  /** How often a member may speak. Default: as often as it likes. */
  rate?: TokenBucketOptions;
  window?: WindowOptions;
  observer?: RoomObserver;
  past?: RoomPast;
  /** The time that is shown to people, in Unix milliseconds. Default: the time that each call is given. */
  wallClock?: () => number;
}

/** What the room has seen since it began. */
export interface RoomStatistics {
  /**
   * How many members have joined. A member that moves is not counted again; a classic member that turns out to speak v1
   * is.
   */
  joined: number;
  /** The messages that were accepted. */
  messages: number;
  /** Ignored packets, and datagrams that are no packets. */
  ignored: number;
}

/**
 * The most messages that may wait for an earlier one, over all members. Further ones are dropped, and their senders
 * repeat them.
 */
const MAX_EARLY_MESSAGES = 10_000;
/**
 * What each member adds to the keep-alive interval, in milliseconds. It keeps greetings below 500 datagrams a second,
 * until the interval reaches its maximum, a third of the timeout.
 */
const KEEPALIVE_PER_MEMBER_MS = 2;

/** One room, both dialects. */
export class Room {
  readonly #delivery: Delivery;
  readonly #echo: boolean;
  readonly #limits: Limits;
  readonly #observer: RoomObserver;
  readonly #wallClock: (() => number) | undefined;
  readonly #admission: Admission;
  readonly #members: Members;
  readonly #events: EventLog;
  readonly #repair: Repair;
  #messages = 0;
  #ignored = 0;
  /** How many messages wait for an earlier one, over all members. */
  #earlyMessages = 0;

  constructor(delivery: Delivery, options: RoomOptions, now: number) {
    this.#delivery = delivery;
    this.#echo = options.echo ?? true;
    this.#limits = new Limits(options.rate ?? { rate: 0, burst: 0 });
    const observer = this.#observer = options.observer ?? {};
    this.#wallClock = options.wallClock;
    this.#admission = new Admission(options, {
      delivery,
      observer: {
        joined: (member) => observer.joined?.(member),
        changed: (member) => observer.changed?.(member),
        left: (member, how) => {
          this.#earlyMessages -= member.stream?.heldCount ?? 0;
          observer.left?.(member, how);
        },
      },
      time: (now) => this.#wallTime(now),
    });
    this.#members = this.#admission.members;
    this.#events = new EventLog(options.window, options.past);
    this.#repair = new Repair({
      delivery,
      events: this.#events,
      echo: this.#echo,
      memberAt: (address) => this.#members.at(address),
    });
    for (const member of options.past?.members ?? []) this.#admission.restore(member, now);
    if (this.#members.v1Size > 0) this.#events.scheduleHeartbeats(now, this.#members.v1Size);
  }

  get statistics(): Readonly<RoomStatistics> {
    return { joined: this.#admission.joined, messages: this.#messages, ignored: this.#ignored };
  }

  /** How many members are here. */
  get size(): number {
    return this.#members.size;
  }

  /** A page of the names that sort behind `after`, as many as fit into a datagram, and the totals of all members. */
  users(after?: string, separator?: string) {
    const { size, named } = this.#members;
    const page = this.#members.namesAfter(after, separator);
    return { dialect: "v1", type: "USERS", total: named, unnamed: size - named, ...page } as const;
  }

  /** Names the run of the number line; see PROTOCOL.md. */
  get epoch(): string {
    return this.#events.epoch;
  }

  /** When {@linkcode wake} is to be called next, in milliseconds of the caller's clock; undefined for never. */
  get nextWake(): number | undefined {
    const times = [this.#admission.presence.dueAt, this.#events.heartbeatAt, this.#admission.silenceCheckAt];
    const due = times.filter((time) => time !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Does what is due: removes silent members, broadcasts arrivals and departures, sends a heartbeat. */
  wake(now: number): void {
    const { presence } = this.#admission;
    this.#admission.removeSilent(now);
    // classic members get no notices, so without a v1 member the notices would only fill the window
    if (this.#members.v1Size === 0) presence.clear();
    for (const event of presence.takeDue(now, this.#wallTime(now))) this.#publish(event, now);
    const heartbeat = this.#events.takeHeartbeat(now);
    if (heartbeat) this.#delivery.broadcast(heartbeat);
  }

  /** Tells the v1 members that the server is going away. */
  close(): void {
    this.#delivery.broadcast({ dialect: "v1", type: "CLOSING", epoch: this.epoch });
  }

  /** Counts an ignored packet, or a datagram that is no packet. */
  ignore(): void {
    this.#ignored++;
  }

  /** Handles a packet from an address. */
  receive(packet: Packet, from: string, now: number): void {
    if (packet.dialect === "classic") this.#receiveClassic(packet, from, now);
    else this.#receiveV1(packet, from, now);
  }

  #receiveClassic(packet: ClassicPacket, from: string, now: number): void {
    // a token protects a v1 member, and a classic packet carries none
    if (this.#members.v1At(from)) return this.ignore();
    const member = this.#members.classicAt(from);
    if (!member && this.#admission.isValidating(from, now)) return this.ignore();
    switch (packet.type) {
      case "GREETING":
        if (!member) this.#admitClassic(from, packet.line ? "classic-line" : "classic", now);
        return;
      case "SIGN-IN":
        if (member && !this.#takeTokens(member, 1, now)) return;
        return this.#signInClassic(member ?? this.#admitClassic(from, "classic-line", now), packet.name, now);
      case "MESSAGE":
        if (!member) return this.ignore();
        for (const text of splitText(printable(packet.text), MAX_TEXT_BYTES)) {
          if (this.#limits.takeMessageToken(member, now) > 0) return this.ignore();
          this.#publishMessage(member, { text }, now);
        }
        return;
      case "LIST":
        if (!member) return this.ignore();
        return this.#sendUsers(member, {}, now);
      default:
        return this.ignore();
    }
  }

  #admitClassic(from: string, dialect: "classic" | "classic-line", now: number): Member | undefined {
    const member = this.#admission.admitClassic(from, dialect, now);
    if (!member) this.ignore();
    return member;
  }

  #signInClassic(member: Member | undefined, wanted: string, now: number): void {
    if (!member) return;
    const name = normalizeName(wanted);
    if (name === undefined) {
      return this.#sendLine(member, NAME_RULE);
    }
    if (!this.#admission.isNameFree(name, member)) {
      return this.#sendLine(member, `The name ${name} is taken; choose another`);
    }
    this.#admission.rename(member, name, now);
    this.#sendLine(member, `Signed in as ${name}`);
  }

  #receiveV1(packet: V1Packet, from: string, now: number): void {
    if (packet.type === "GREETING" || packet.type === "SIGN-IN") return this.#receiveGreeting(packet, from, now);
    if (!("token" in packet) || packet.token === undefined) return this.ignore();
    if (packet.type === "LEAVE") return this.#receiveLeave(packet, from, now);
    const known = this.#members.withToken(packet.token);
    const member = known ?? this.#admission.admit({ address: from, token: packet.token }, now);
    if (member?.address !== from) {
      this.ignore();
      // another member has this address, which may be forged: it gets no answer
      if (this.#members.v1At(from)) return;
      const id = "id" in packet ? packet.id : undefined;
      return this.#sendError({ address: from, dialect: "v1" }, "not-joined", "Greet first", { id });
    }
    this.#members.touch(member, now);
    switch (packet.type) {
      case "MESSAGE":
        return this.#receiveMessage(member, packet, now);
      case "RESEND":
        return this.#receiveResend(member, packet, now);
      case "LIST":
        return this.#sendUsers(member, packet, now);
      case "LOOKUP":
        if (!this.#takeTokens(member, 2, now)) return;
        return this.#receiveLookup(member, packet);
    }
  }

  /** Handles a goodbye. It may come from any address, because only the answer is sent there. */
  #receiveLeave({ id, token }: V1Packet & { type: "LEAVE" }, from: string, now: number): void {
    const there = { address: from, dialect: "v1" } as const;
    if (this.#admission.leave(token, from, now)) this.#delivery.send(there, { dialect: "v1", type: "ACK", id });
    else if (this.#members.v1At(from)) this.ignore();
    // this may be the repeated goodbye of a member that has left
    else this.#sendError(there, "not-joined", "Greet first", { id });
  }

  /**
   * Handles a GREETING or SIGN-IN: sends a newcomer its cookie, lets it join when the cookie comes back, keeps a member
   * alive, gives it a name, or moves it to another address.
   */
  #receiveGreeting(packet: V1Packet & { type: "GREETING" | "SIGN-IN" }, from: string, now: number): void {
    const { id, token, cookie } = packet;
    const name = packet.type === "SIGN-IN" ? packet.name : undefined;
    let member = token === undefined ? undefined : this.#members.withToken(token);
    if (name !== undefined && !this.#admission.isNameFree(name, member, this.#members.at(from))) {
      if (member?.address === from) this.#members.touch(member, now);
      const text = `The name ${name} is taken; choose another`;
      return this.#sendError({ address: from, dialect: "v1" }, "name-taken", text, packet);
    }
    if (!member && token !== undefined) member = this.#admission.admit({ address: from, token, cookie, name }, now);
    if (!member && this.#admission.isFull && !this.#members.at(from)) {
      return this.#sendError({ address: from, dialect: "v1" }, "room-full", "The room is full", packet);
    }
    // the token identifies a member whose address has changed (another Wi-Fi, another port of a NAT), but the new
    // address may be forged, so the member moves only with the right cookie
    if (member && this.#admission.moveTo(member, from, cookie, now)) {
      this.#members.touch(member, now);
      if (name !== undefined) this.#admission.rename(member, name, now);
    }
    // a client that is not known at this address gets its cookie; the address may be forged, so nothing changes there
    const here = member?.address === from ? member : undefined;
    this.#delivery.send({ address: from, dialect: "v1" }, {
      dialect: "v1",
      type: "WELCOME",
      id,
      address: from,
      token: here?.token ?? this.#admission.cookieFor(from, now),
      pending: !here,
      epoch: this.epoch,
      seq: this.#events.seq,
      name: here?.name,
      timeout: this.#admission.timeout,
      keepalive: Math.floor(
        Math.max(1000, Math.min(this.#admission.timeout / 3, this.#members.v1Size * KEEPALIVE_PER_MEMBER_MS)),
      ),
      noecho: !this.#echo,
    });
  }

  #receiveMessage(member: Member, packet: MessagePacket, now: number): void {
    if (member.stream?.name !== packet.stream) {
      this.#earlyMessages -= member.stream?.heldCount ?? 0;
      member.stream = new ReceiveStream(packet.stream, packet.first);
    }
    const stream = member.stream;
    if (stream.isRepeat(packet)) {
      // the sender has missed its own INCOMING, and perhaps nothing else shows it the gap
      this.#delivery.send(member, { dialect: "v1", type: "HEARTBEAT", epoch: this.epoch, seq: this.#events.seq });
      return this.#delivery.send(member, { dialect: "v1", type: "ACK", stream: packet.stream, id: packet.id });
    }
    // a repeat of a held message takes no token; otherwise repeats could take the tokens that the missing message needs
    if (stream.isHeld(packet)) return;
    const wait = this.#limits.takeMessageToken(member, now);
    if (wait > 0) return this.#sendError(member, "slow-down", "Too many messages", { id: packet.id }, wait);
    const before = stream.heldCount;
    const ready = stream.take(packet, this.#earlyMessages < MAX_EARLY_MESSAGES);
    this.#earlyMessages += stream.heldCount - before;
    for (const { stream, id, action, text } of ready) {
      const { seq } = this.#publishMessage(member, { stream, id, action, text: printable(text) }, now);
      if (!this.#echo) this.#delivery.send(member, { dialect: "v1", type: "ACK", stream, id, epoch: this.epoch, seq });
    }
  }

  #publishMessage(member: Member, said: { stream?: string; id?: number; action?: boolean; text: string }, now: number) {
    this.#messages++;
    const message = {
      type: "INCOMING" as const,
      from: member.address,
      name: member.name,
      at: this.#wallTime(now),
      ...said,
    };
    return this.#publish(message, now, member);
  }

  /** Gives an event its place on the number line and broadcasts it. */
  #publish(event: NewEvent, now: number, from?: Member) {
    const packet = this.#events.append(event, now, this.#members.v1Size);
    if (from) this.#repair.recordAuthor(packet, from);
    this.#observer.happened?.(packet, from);
    this.#delivery.broadcast(packet, this.#echo ? undefined : from);
    return packet;
  }

  /** Takes the tokens for a request; returns false when there are too few. The member then asks again later. */
  #takeTokens(member: Member, cost: number, now: number): boolean {
    if (this.#limits.takeRequestTokens(member, cost, now)) return true;
    this.ignore();
    return false;
  }

  #sendUsers(member: Member, { id = 0, after }: { id?: number; after?: string }, now: number): void {
    if (!this.#takeTokens(member, 1, now)) return;
    this.#delivery.send(member, { id, ...this.users(after, member.dialect === "v1" ? "\n" : ", ") });
  }

  #receiveResend(member: Member, packet: V1Packet & { type: "RESEND" }, now: number): void {
    if (packet.epoch !== this.epoch) {
      return this.#sendError(member, "not-joined", "The room has begun anew: greet again", {});
    }
    const cost = this.#repair.cost(packet);
    if (cost === 0 || this.#takeTokens(member, cost, now)) this.#repair.answer(packet, member);
  }

  #receiveLookup(asker: Member, { id, name, address }: V1Packet & { type: "LOOKUP" }): void {
    const found = name === undefined ? this.#members.at(address!) : this.#members.withName(name);
    if (!found) return this.#sendError(asker, "no-such-user", `${name ?? address} is not here`, { id });
    this.#delivery.send(asker, {
      dialect: "v1",
      type: "PEER",
      id,
      address: found.address,
      name: found.name,
      since: 1000 * found.since,
      classic: found.dialect !== "v1",
    });
    if (name !== undefined && found.dialect === "v1" && found !== asker) {
      // UDP hole punching (RFC 5128, section 3.3): the peer's datagram opens its NAT for the asker's
      this.#delivery.send(found, { dialect: "v1", type: "PUNCH", address: asker.address });
    }
  }

  /** The time that is shown to people, in Unix milliseconds. */
  #wallTime(now: number): number {
    return this.#wallClock?.() ?? now;
  }

  /** Sends one classic member a line that reads well on its own. */
  #sendLine(member: Member, line: string): void {
    this.#delivery.send(member, { dialect: "classic", type: "INCOMING", line });
  }

  #sendError(
    to: Parameters<Delivery["send"]>[0],
    code: string,
    text: string,
    { id }: { id?: number },
    wait?: number,
  ): void {
    this.#delivery.send(to, { dialect: "v1", type: "ERROR", code, id, wait, text });
  }
}
