/**
 * Who comes, stays, moves and goes, and who is told of it: the delivery, the others in the room, the observer.
 *
 * @module
 */
import { type Dialect, MEMBER_TIMEOUT_MS } from "../../protocol.ts";
import { ReceiveStream } from "../../protocol/reliable/receive_stream.ts";
import type { KeptMember } from "../journal/past.ts";
import type { Delivery } from "./delivery.ts";
import { type Member, Members, type NewMember } from "./members.ts";
import { AddressValidation } from "./address_validation.ts";
import { PresenceNotices } from "./presence.ts";
import { BoundedMap } from "./bounded_map.ts";

/**
 * How a member leaves: with a `goodbye`, by its `silence`, because its address is `taken` by another client; or by
 * `upgrade`, when a classic member turns out to speak v1, and is here as another.
 */
export type Departure = "goodbye" | "silence" | "taken" | "upgrade";

/** Who wants to know who comes and goes, at the moment when it happens. */
export interface MemberObserver {
  joined?(member: Member): void;
  /** A member has another name or address. */
  changed?(member: Member): void;
  left?(member: Member, how: Departure): void;
}

/** Where attendance has a limit. */
export interface AdmissionOptions {
  /** Silence after which a v1 member is taken for gone, in milliseconds. Default 60,000. */
  timeout?: number;
  /** The most members. Default 1,000,000: room for every honest crowd, and an end for a forged one. */
  maxMembers?: number;
}

/** What attendance needs of the room. */
export interface AdmissionContext {
  delivery: Delivery;
  observer: MemberObserver;
  /** The time that people are told, in Unix milliseconds. */
  time: (now: number) => number;
}

/** What somebody who would come in has shown of itself. */
export interface JoinRequest {
  address: string;
  token: string;
  cookie?: string;
  name?: string;
}

/** The most members that are removed at once, so that a crowd that has gone does not keep the others waiting. */
const MAX_REMOVED = 1000;

/** For how long a datagram may be under way: so long nobody comes back who has said goodbye, in milliseconds. */
const JUST_LEFT_MS = 5000;

/** The members of one room, and those who would be. */
export class Admission {
  readonly members: Members = new Members();
  /** Who has come and gone and nobody was told of yet. */
  readonly presence: PresenceNotices = new PresenceNotices();
  /** Silence after which a v1 member is taken for gone, in milliseconds. */
  readonly timeout: number;
  /** How many have joined since the room began; one that moves stays, one that turns out to speak v1 joins again. */
  joined = 0;
  readonly #maxMembers: number;
  readonly #validation = new AddressValidation();
  /** When those who have said goodbye did, by their tokens, in milliseconds. */
  readonly #justLeft = new BoundedMap<number>();
  /** What those were saying who have fallen silent, or whose addresses others have now, by their tokens. */
  readonly #interrupted = new BoundedMap<ReceiveStream>();
  readonly #surroundings: AdmissionContext;
  #silenceCheckAt: number | undefined;

  constructor({ timeout = MEMBER_TIMEOUT_MS, maxMembers = 1_000_000 }: AdmissionOptions, to: AdmissionContext) {
    this.timeout = timeout;
    this.#maxMembers = maxMembers;
    this.#surroundings = to;
  }

  get isFull(): boolean {
    return this.members.size >= this.#maxMembers;
  }

  /** When {@linkcode removeSilent} is to be called, in milliseconds of the room's clock; undefined for never. */
  get silenceCheckAt(): number | undefined {
    return this.#silenceCheckAt;
  }

  /** Whether nobody has a name but one of these. */
  isNameFree(name: string, ...selves: (Member | undefined)[]): boolean {
    const holder = this.members.withName(name);
    return holder === undefined || selves.includes(holder);
  }

  /** Whether somebody has just greeted from an address in version 1 who is not known to be there. */
  isValidating(address: string, now: number): boolean {
    return this.#validation.isFresh(address, now);
  }

  /** What shows, when it comes back, that a newcomer, or a member that is moving, gets what is sent to an address. */
  cookieFor(address: string, now: number): string {
    return this.#validation.cookieFor(address, now);
  }

  /**
   * Lets a newcomer in who has sent the cookie of its address back, beside its token or in place of one; undefined if
   * that is not so, or the room is full. Whether its name is free is the caller's to ask.
   */
  admit({ address, token, cookie, name }: JoinRequest, now: number): Member | undefined {
    const isShown = this.#validation.isCookieOf(address, cookie) || this.#validation.isCookieOf(address, token);
    if (!isShown || this.members.withToken(token) || this.#hasJustLeft(token, now)) return undefined;
    if (this.isFull && !this.members.at(address)) return undefined;
    const classic = this.members.classicAt(address);
    // it turns out to speak v1
    if (classic) this.#drop(classic, "upgrade");
    this.#vacate(address, now);
    return this.#join({ address, dialect: "v1", token }, now, name);
  }

  /** Moves a member to the address that it has come from with the right cookie; returns whether it is there now. */
  moveTo(member: Member, address: string, cookie: string | undefined, now: number): boolean {
    if (member.address === address) return true;
    if (!this.#validation.isCookieOf(address, cookie)) return false;
    this.#vacate(address, now);
    const { delivery, observer } = this.#surroundings;
    delivery.leave(member);
    this.presence.moved(member.address, address);
    this.members.move(member, address);
    delivery.join(member);
    observer.changed?.(member);
    return true;
  }

  /** Lets somebody in who speaks the classic dialect; undefined where the room is full. */
  admitClassic(address: string, dialect: Exclude<Dialect, "v1">, now: number): Member | undefined {
    return this.#join({ address, dialect, token: "" }, now);
  }

  /** Adds a member of an earlier run of the server. */
  restore(kept: KeptMember, now: number): void {
    const member = this.members.restore(kept, now);
    this.#surroundings.delivery.join(member);
    this.#watchSilence(member, now);
  }

  /** Gives a member another name; whether it is free is the caller's to ask. */
  rename(member: Member, name: string, now: number): void {
    if (member.name === name) return;
    this.members.rename(member, name);
    this.presence.renamed(member, now, this.members.v1Size);
    this.#surroundings.observer.changed?.(member);
  }

  /** Lets the member go whose token says goodbye from an address; returns whether there was one. */
  leave(token: string, address: string, now: number): boolean {
    const member = this.members.withToken(token);
    // a goodbye may overtake the greeting that it follows
    if (member || this.#validation.has(address)) this.#justLeft.set(token, now);
    if (member) this.#remove(member, "goodbye", now);
    return member !== undefined;
  }

  /** Removes who has been silent for too long. */
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

  #join(who: NewMember, now: number, name?: string): Member | undefined {
    if (this.isFull) return undefined;
    const { delivery, observer, time } = this.#surroundings;
    const member = this.members.add(who, time(now), now);
    // what it has said before is not said again
    member.stream = this.#interrupted.take(who.token);
    if (name !== undefined) this.members.rename(member, name);
    this.joined++;
    delivery.join(member);
    this.#watchSilence(member, now);
    this.presence.arrived(member, now, this.members.v1Size);
    observer.joined?.(member);
    return member;
  }

  /** Somebody has shown that an address is its own: whoever had it before is gone, as when a NAT was restarted. */
  #vacate(address: string, now: number): void {
    this.#validation.forget(address);
    const before = this.members.at(address);
    if (before) this.#remove(before, "taken", now);
  }

  #remove(member: Member, how: Departure, now: number): void {
    const { address, name, stream, token } = member;
    // without what is held back, which is repeated anyway, so that this takes little room
    if (stream && how !== "goodbye") this.#interrupted.set(token, new ReceiveStream(stream.name, stream.next));
    this.#drop(member, how);
    this.presence.departed({ address, name }, now, this.members.v1Size);
  }

  /** Removes a member without a word to the others. */
  #drop(member: Member, how: Departure): void {
    const { name } = member;
    this.members.remove(member);
    this.#surroundings.delivery.leave(member);
    this.#surroundings.observer.left?.({ ...member, name }, how);
  }

  /** A client that says goodbye repeats nothing, but what it has said before may still be under way. */
  #hasJustLeft(token: string, now: number): boolean {
    return now < (this.#justLeft.get(token) ?? -Infinity) + JUST_LEFT_MS;
  }

  #watchSilence(member: Member, now: number): void {
    if (member.dialect === "v1") this.#silenceCheckAt ??= now + this.timeout;
  }
}
