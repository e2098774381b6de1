/**
 * Admission: lets members join, move and leave, and tells the delivery, the other members and the observer.
 *
 * @module
 */
import { type Dialect, MEMBER_TIMEOUT_MS } from "../../protocol.ts";
import { ReceiveStream } from "../../protocol/reliable/receive_stream.ts";
import type { KeptMember } from "../journal/past.ts";
import { AddressValidation } from "./address_validation.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Delivery } from "./delivery.ts";
import { type Member, Members, type NewMember } from "./members.ts";
import { PresenceNotices } from "./presence.ts";

/**
 * Why a member is removed: it said `goodbye`; its `silence` was too long; its address is `taken` by another client; or
 * `upgrade`: a classic member turns out to speak v1, and a new v1 member replaces it.
 */
export type Departure = "goodbye" | "silence" | "taken" | "upgrade";

/** Callbacks for members that come and go, called at the moment when it happens. */
export interface MemberObserver {
  joined?(member: Member): void;
  /** A member has another name or address. */
  changed?(member: Member): void;
  left?(member: Member, how: Departure): void;
}

/** The limits of admission. */
export interface AdmissionOptions {
  /** Silence after which a v1 member is removed, in milliseconds. Default 60,000. */
  timeout?: number;
  /** The most members. Default 1,000,000: enough for every honest crowd, and a limit for a forged one. */
  maxMembers?: number;
}

/** What admission needs of the room. */
export interface AdmissionContext {
  delivery: Delivery;
  observer: MemberObserver;
  /** The time that is shown to people, in Unix milliseconds. */
  time: (now: number) => number;
}

/** What the room knows of a client that wants to join. */
export interface JoinRequest {
  address: string;
  token: string;
  cookie?: string;
  name?: string;
}

/** The most silent members that one call removes, so that removing a large crowd does not delay the others. */
const MAX_REMOVED = 1000;

/**
 * How long after its goodbye a token is not admitted again, in milliseconds: a datagram from before the goodbye may be
 * under way for as long.
 */
const JUST_LEFT_MS = 5000;

/** The members of one room, and the clients that want to join. */
export class Admission {
  readonly members: Members = new Members();
  /** Arrivals and departures that the members were not told of yet. */
  readonly presence: PresenceNotices = new PresenceNotices();
  /** Silence after which a v1 member is removed, in milliseconds. */
  readonly timeout: number;
  /**
   * How many members have joined since the room began. A member that moves is not counted again; a classic member that
   * turns out to speak v1 is.
   */
  joined = 0;
  readonly #maxMembers: number;
  readonly #validation = new AddressValidation();
  /** The time of each recent goodbye by the member's token, in milliseconds. */
  readonly #justLeft = new BoundedMap<number>();
  /** The receive streams of members that were removed without a goodbye, by their tokens. */
  readonly #interrupted = new BoundedMap<ReceiveStream>();
  readonly #context: AdmissionContext;
  #silenceCheckAt: number | undefined;

  constructor({ timeout = MEMBER_TIMEOUT_MS, maxMembers = 1_000_000 }: AdmissionOptions, context: AdmissionContext) {
    this.timeout = timeout;
    this.#maxMembers = maxMembers;
    this.#context = context;
  }

  get isFull(): boolean {
    return this.members.size >= this.#maxMembers;
  }

  /** When {@linkcode removeSilent} is to be called, in milliseconds of the room's clock; undefined for never. */
  get silenceCheckAt(): number | undefined {
    return this.#silenceCheckAt;
  }

  /** Whether a name is free, or one of `selves` has it. */
  isNameFree(name: string, ...selves: (Member | undefined)[]): boolean {
    const holder = this.members.withName(name);
    return holder === undefined || selves.includes(holder);
  }

  /** Whether a client has just greeted in version 1 from an address that is not validated for it. */
  isValidating(address: string, now: number): boolean {
    return this.#validation.hasGreetedRecently(address, now);
  }

  /** The cookie for an address. A newcomer or a moving member sends it back to show that it receives packets there. */
  cookieFor(address: string, now: number): string {
    return this.#validation.cookieFor(address, now);
  }

  /**
   * Lets a newcomer join that has sent back the cookie of its address, either beside its token or as its token. Returns
   * undefined when the cookie is wrong, the token is a member's or has just said goodbye, or the room is full. The
   * caller checks that the name is free.
   */
  admit({ address, token, cookie, name }: JoinRequest, now: number): Member | undefined {
    const isValidated = this.#validation.isCookieOf(address, cookie) || this.#validation.isCookieOf(address, token);
    if (!isValidated || this.members.withToken(token) || this.#hasJustLeft(token, now)) return undefined;
    if (this.isFull && !this.members.at(address)) return undefined;
    const classic = this.members.classicAt(address);
    if (classic) this.#drop(classic, "upgrade");
    this.#vacate(address, now);
    return this.#join({ address, dialect: "v1", token }, now, { name, isUpgrade: classic !== undefined });
  }

  /** Moves a member to an address if the cookie is the right one for it; returns whether the member is there now. */
  moveTo(member: Member, address: string, cookie: string | undefined, now: number): boolean {
    if (member.address === address) return true;
    if (!this.#validation.isCookieOf(address, cookie)) return false;
    this.#vacate(address, now);
    const { delivery, observer } = this.#context;
    delivery.leave(member);
    this.presence.moved(member.address, address);
    this.members.move(member, address);
    delivery.join(member);
    observer.changed?.(member);
    return true;
  }

  /** Lets a client join that speaks the classic dialect; returns undefined when the room is full. */
  admitClassic(address: string, dialect: Exclude<Dialect, "v1">, now: number): Member | undefined {
    return this.isFull ? undefined : this.#join({ address, dialect, token: "" }, now);
  }

  /** Adds a member of an earlier run of the server. */
  restore(kept: KeptMember, now: number): void {
    const member = this.members.restore(kept, now);
    this.#context.delivery.join(member);
    this.#watchSilence(member, now);
  }

  /** Gives a member another name. The caller checks that the name is free. */
  rename(member: Member, name: string, now: number): void {
    if (member.name === name) return;
    this.members.rename(member, name);
    this.presence.renamed(member, now, this.members.v1Size);
    this.#context.observer.changed?.(member);
  }

  /** Removes the member whose token is in a goodbye from an address; returns whether there was one. */
  leave(token: string, address: string, now: number): boolean {
    const member = this.members.withToken(token);
    // without a member, the goodbye may have overtaken the greeting that was sent before it
    if (member || this.#validation.has(address)) this.#justLeft.set(token, now);
    if (member) this.#remove(member, "goodbye", now);
    return member !== undefined;
  }

  /** Removes the members that have been silent for too long. */
  removeSilent(now: number): void {
    if (this.#silenceCheckAt === undefined || this.#silenceCheckAt > now) return;
    this.#silenceCheckAt = undefined;
    let removed = 0;
    for (const member of this.members.bySilence()) {
      const dueAt = this.members.heardAt(member) + this.timeout;
      if (dueAt > now || removed === MAX_REMOVED) {
        this.#silenceCheckAt = Math.max(dueAt, now);
        return;
      }
      this.#remove(member, "silence", now);
      removed++;
    }
  }

  #join(who: NewMember, now: number, { name, isUpgrade = false }: { name?: string; isUpgrade?: boolean } = {}): Member {
    const { delivery, observer, time } = this.#context;
    const member = this.members.add(who, time(now), now);
    // messages from before the interruption must not be taken again
    member.stream = this.#interrupted.take(who.token);
    if (name !== undefined) this.members.rename(member, name);
    this.joined++;
    delivery.join(member);
    this.#watchSilence(member, now);
    // the others have been told of a classic member, and must be told when it leaves
    if (isUpgrade) this.presence.renamed(member, now, this.members.v1Size);
    else this.presence.arrived(member, now, this.members.v1Size);
    observer.joined?.(member);
    return member;
  }

  /**
   * An address is validated for a new client, so the member that had it before is removed. This happens when a NAT
   * restarts.
   */
  #vacate(address: string, now: number): void {
    this.#validation.forget(address);
    const before = this.members.at(address);
    if (before) this.#remove(before, "taken", now);
  }

  #remove(member: Member, how: Departure, now: number): void {
    const { address, name, stream, token } = member;
    // messages that are held back are not kept: their sender repeats them, and the entry takes little memory
    if (stream && how !== "goodbye") this.#interrupted.set(token, new ReceiveStream(stream.name, stream.next));
    this.#drop(member, how);
    this.presence.departed({ address, name }, now, this.members.v1Size);
  }

  /** Removes a member without a notice to the others. */
  #drop(member: Member, how: Departure): void {
    const { name } = member;
    this.members.remove(member);
    this.#context.delivery.leave(member);
    this.#context.observer.left?.({ ...member, name }, how);
  }

  /** A client repeats no earlier packet after its goodbye, but one that it sent before may still be under way. */
  #hasJustLeft(token: string, now: number): boolean {
    return now < (this.#justLeft.get(token) ?? -Infinity) + JUST_LEFT_MS;
  }

  #watchSilence(member: Member, now: number): void {
    if (member.dialect === "v1") this.#silenceCheckAt ??= now + this.timeout;
  }
}
