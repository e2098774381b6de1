/**
 * The room: who is here, who may speak, and what follows from a packet. It knows no sockets and no clock.
 *
 * Everything is plain synchronous code: packets go in with {@linkcode Room.receive}, the time with each call, and what
 * is to be sent goes out through a {@linkcode Delivery}.
 *
 * @module
 */
import { type ClassicPacket, MAX_TEXT_BYTES, type Packet } from "../../protocol.ts";
import type { EventPacket, V1Packet } from "../../protocol.ts";
import { NAME_RULE, normalizeName } from "../../protocol/fields.ts";
import { printable, splitText } from "../../protocol/text.ts";
import { Admission, type AdmissionOptions, type MemberObserver } from "./admission.ts";
import type { Delivery } from "./delivery.ts";
import { EventLog, type NewEvent, type WindowOptions } from "../journal/event_log.ts";
import type { RoomPast } from "../journal/past.ts";
import { Limits } from "./limits.ts";
import type { Member, Members } from "./members.ts";
import { type MessagePacket, ReceiveStream } from "../../protocol/reliable/receive_stream.ts";
import { Repair } from "./repair.ts";
import type { TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";

/** Who wants to know what happens in the room, at the moment when it does. */
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
  /** The time that people are told, in Unix milliseconds, where it is not the one by which the room waits. */
  wallClock?: () => number;
}

/** What the room has seen since it began. */
export interface RoomStatistics {
  /** How many have joined; one that moves stays, one that turns out to speak v1 joins again. */
  joined: number;
  /** The messages that were accepted. */
  messages: number;
  /** The packets that nothing followed from. */
  ignored: number;
}

/** The most messages that may wait for an earlier one, over all members: beyond it, their senders repeat them. */
const MAX_EARLY = 10_000;
/** What each member adds to the keep-alive, in milliseconds: it keeps greetings below 500 datagrams a second. */
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
  #early = 0;

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
          this.#early -= member.stream?.early ?? 0;
          observer.left?.(member, how);
        },
      },
      time: (now) => this.#time(now),
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

  /** Who has signed in, from the name behind `after` on, as many as fit into a datagram. */
  users(after?: string, separator?: string) {
    const { size, named } = this.#members;
    const page = this.#members.namesAfter(after, separator);
    return { dialect: "v1", type: "USERS", total: named, unnamed: size - named, ...page } as const;
  }

  /** Names the run of the number line; see PROTOCOL.md. */
  get epoch(): string {
    return this.#events.epoch;
  }

  /** When {@linkcode wake} wants to be called next, in milliseconds of the caller's clock; undefined for never. */
  get nextWake(): number | undefined {
    const times = [this.#admission.presence.dueAt, this.#events.heartbeatAt, this.#admission.silenceCheckAt];
    const due = times.filter((time) => time !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Does what is due: removes the silent, tells who came and went, shows the end of the number line. */
  wake(now: number): void {
    const { presence } = this.#admission;
    this.#admission.removeSilent(now);
    // classic members are not told, so a crowd of them alone leaves nothing in the window
    if (this.#members.v1Size === 0) presence.clear();
    for (const event of presence.takeDue(now, this.#time(now))) this.#happen(event, now);
    const heartbeat = this.#events.takeHeartbeat(now);
    if (heartbeat) this.#delivery.broadcast(heartbeat);
  }

  /** Tells the v1 members that the server is going away. */
  close(): void {
    this.#delivery.broadcast({ dialect: "v1", type: "CLOSING", epoch: this.epoch });
  }

  /** Counts a datagram that was no packet. */
  ignore(): void {
    this.#ignored++;
  }

  /** Lets follow what follows from a packet that came from an address. */
  receive(packet: Packet, from: string, now: number): void {
    if (packet.dialect === "classic") this.#receiveClassic(packet, from, now);
    else this.#receiveV1(packet, from, now);
  }

  #receiveClassic(packet: ClassicPacket, from: string, now: number): void {
    // who speaks v1 is protected by a token, which a bare word does not carry
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
          this.#say(member, { text }, now);
        }
        return;
      case "LIST":
        if (!member) return this.ignore();
        return this.#list(member, {}, now);
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
      return this.#tell(member, NAME_RULE);
    }
    if (!this.#admission.isNameFree(name, member)) {
      return this.#tell(member, `The name ${name} is taken; choose another`);
    }
    this.#admission.rename(member, name, now);
    this.#tell(member, `Signed in as ${name}`);
  }

  #receiveV1(packet: V1Packet, from: string, now: number): void {
    if (packet.type === "GREETING" || packet.type === "SIGN-IN") return this.#greet(packet, from, now);
    if (!("token" in packet) || packet.token === undefined) return this.ignore();
    if (packet.type === "LEAVE") return this.#leave(packet, from, now);
    const known = this.#members.withToken(packet.token);
    const member = known ?? this.#admission.admit({ address: from, token: packet.token }, now);
    if (member?.address !== from) {
      this.ignore();
      // who has forged a member's address is not answered there
      if (this.#members.v1At(from)) return;
      const id = "id" in packet ? packet.id : undefined;
      return this.#refuse({ address: from, dialect: "v1" }, "not-joined", "Greet first", { id });
    }
    this.#members.touch(member, now);
    switch (packet.type) {
      case "MESSAGE":
        return this.#message(member, packet, now);
      case "RESEND":
        return this.#resend(member, packet, now);
      case "LIST":
        return this.#list(member, packet, now);
      case "LOOKUP":
        if (!this.#takeTokens(member, 2, now)) return;
        return this.#lookUp(member, packet);
    }
  }

  /** A goodbye: from wherever it comes, since nothing is sent there because of it but the answer. */
  #leave({ id, token }: V1Packet & { type: "LEAVE" }, from: string, now: number): void {
    const there = { address: from, dialect: "v1" } as const;
    if (this.#admission.leave(token, from, now)) this.#delivery.send(there, { dialect: "v1", type: "ACK", id });
    else if (this.#members.v1At(from)) this.ignore();
    // perhaps the repeated goodbye of somebody who has left
    else this.#refuse(there, "not-joined", "Greet first", { id });
  }

  /**
   * A greeting of either kind: sends a newcomer the cookie, lets it in when it has it, keeps alive, signs in, or brings
   * a member back from another address.
   */
  #greet(packet: V1Packet & { type: "GREETING" | "SIGN-IN" }, from: string, now: number): void {
    const { id, token, cookie } = packet;
    const name = packet.type === "SIGN-IN" ? packet.name : undefined;
    let member = token === undefined ? undefined : this.#members.withToken(token);
    if (name !== undefined && !this.#admission.isNameFree(name, member, this.#members.at(from))) {
      if (member?.address === from) this.#members.touch(member, now);
      const text = `The name ${name} is taken; choose another`;
      return this.#refuse({ address: from, dialect: "v1" }, "name-taken", text, packet);
    }
    if (!member && token !== undefined) member = this.#admission.admit({ address: from, token, cookie, name }, now);
    if (!member && this.#admission.isFull && !this.#members.at(from)) {
      return this.#refuse({ address: from, dialect: "v1" }, "room-full", "The room is full", packet);
    }
    // a member whose address has changed (another Wi-Fi, another port of a NAT) is known by its token, but the address
    // may be forged
    if (member && this.#admission.moveTo(member, from, cookie, now)) {
      this.#members.touch(member, now);
      if (name !== undefined) this.#admission.rename(member, name, now);
    }
    // who is not known at an address gets its cookie, and nothing changes there, for the source address may be forged
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

  #message(member: Member, packet: MessagePacket, now: number): void {
    if (member.stream?.name !== packet.stream) {
      this.#early -= member.stream?.early ?? 0;
      member.stream = new ReceiveStream(packet.stream, packet.first);
    }
    const stream = member.stream;
    if (stream.isRepeat(packet)) {
      // its INCOMING is lost, and perhaps nothing else will show the sender that there was one
      this.#delivery.send(member, { dialect: "v1", type: "HEARTBEAT", epoch: this.epoch, seq: this.#events.seq });
      return this.#delivery.send(member, { dialect: "v1", type: "ACK", stream: packet.stream, id: packet.id });
    }
    // a repeat of what is here costs nothing, or the repeats would leave nothing for the message that is missing
    if (stream.holds(packet)) return;
    const wait = this.#limits.takeMessageToken(member, now);
    if (wait > 0) return this.#refuse(member, "slow-down", "Too many messages", { id: packet.id }, wait);
    const before = stream.early;
    const ready = stream.take(packet, this.#early < MAX_EARLY);
    this.#early += stream.early - before;
    for (const { stream, id, action, text } of ready) {
      const { seq } = this.#say(member, { stream, id, action, text: printable(text) }, now);
      if (!this.#echo) this.#delivery.send(member, { dialect: "v1", type: "ACK", stream, id, epoch: this.epoch, seq });
    }
  }

  #say(member: Member, said: { stream?: string; id?: number; action?: boolean; text: string }, now: number) {
    this.#messages++;
    const message = {
      type: "INCOMING" as const,
      from: member.address,
      name: member.name,
      at: this.#time(now),
      ...said,
    };
    return this.#happen(message, now, member);
  }

  /** Puts an event on the number line and tells everyone. */
  #happen(event: NewEvent, now: number, from?: Member) {
    const packet = this.#events.append(event, now, this.#members.v1Size);
    if (from) this.#repair.recordAuthor(packet, from);
    this.#observer.happened?.(packet, from);
    this.#delivery.broadcast(packet, this.#echo ? undefined : from);
    return packet;
  }

  /** Takes what a request costs from its member; false where there is not enough, and the member asks again later. */
  #takeTokens(member: Member, cost: number, now: number): boolean {
    if (this.#limits.takeRequestTokens(member, cost, now)) return true;
    this.ignore();
    return false;
  }

  #list(member: Member, { id = 0, after }: { id?: number; after?: string }, now: number): void {
    if (!this.#takeTokens(member, 1, now)) return;
    this.#delivery.send(member, { id, ...this.users(after, member.dialect === "v1" ? "\n" : ", ") });
  }

  #resend(member: Member, packet: V1Packet & { type: "RESEND" }, now: number): void {
    if (packet.epoch !== this.epoch) {
      return this.#refuse(member, "not-joined", "The room has begun anew: greet again", {});
    }
    const cost = this.#repair.cost(packet);
    if (cost === 0 || this.#takeTokens(member, cost, now)) this.#repair.answer(packet, member);
  }

  #lookUp(asker: Member, { id, name, address }: V1Packet & { type: "LOOKUP" }): void {
    const found = name === undefined ? this.#members.at(address!) : this.#members.withName(name);
    if (!found) return this.#refuse(asker, "no-such-user", `${name ?? address} is not here`, { id });
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

  /** The time that people are told, in Unix milliseconds. */
  #time(now: number): number {
    return this.#wallClock?.() ?? now;
  }

  /** Says something to one classic member, in a line that reads well on its own. */
  #tell(member: Member, line: string): void {
    this.#delivery.send(member, { dialect: "classic", type: "INCOMING", line });
  }

  #refuse(
    to: Parameters<Delivery["send"]>[0],
    code: string,
    text: string,
    { id }: { id?: number },
    wait?: number,
  ): void {
    this.#delivery.send(to, { dialect: "v1", type: "ERROR", code, id, wait, text });
  }
}
