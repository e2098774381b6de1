/**
 * Admission: lets members join, move and leave, and tells the delivery, the other members and the observer.
 *
 * @module
 */
import { type DatagramDialect, MEMBER_TIMEOUT_MS } from "../../protocol.ts";
import type { Journal } from "../journal/journal.ts";
import type { KeptMember } from "../journal/past.ts";
import { AddressValidation } from "./address_validation.ts";
import { BoundedMap } from "./bounded_map.ts";
import { ClassicEntry } from "./classic_entry.ts";
import type { ClassicPolicyOptions, ClassicRefusal } from "./classic_policy.ts";
import type { Delivery } from "./delivery.ts";
import { FormerNames } from "./former_names.ts";
import type { Ignored } from "./ignored.ts";
import type { Limits } from "./limits.ts";
import { holderOf, isClassic, type Member, Members, type NewMember } from "./members.ts";
import { LocalNames, type Names } from "./names.ts";
import type { Peer } from "./peer.ts";
import { PresenceNotices } from "./presence.ts";
import type { EntryRules } from "./entry_rules.ts";
import type { Expulsion } from "./expulsions.ts";

/**
 * Why a member is removed: it said `goodbye`; its `silence` was too long (of a classic member only if its place is
 * needed); its connection has ended (`disconnect`); its address is `taken` by another client; a member of an earlier
 * run is `refused`, because it may not join now; it was told to go (`expelled`); or `upgrade`: a classic member turns
 * out to speak v1, and a new v1 member replaces it.
 */
export type Departure = "goodbye" | "silence" | "disconnect" | "taken" | "refused" | "expelled" | "upgrade";

/** Callbacks for members that come and go, called at the moment when it happens. */
export interface MemberObserver {
  joined?(member: Member): void;
  /**
   * A member has another name or address.
   *
   * @param before The name that it had, as far as it was told that the member is here.
   */
  changed?(member: Member, before: string | undefined): void;
  left?(member: Member, how: Departure): void;
  /** A classic peer may not join. This is called for each of its greetings. */
  refused?(peer: Pick<Peer, "address">, why: ClassicRefusal): void;
}

/** The limits of admission. */
export interface AdmissionOptions {
  /**
   * Silence after which a v1 member is removed, and a classic one if its place is needed, in milliseconds. Default
   * 60,000.
   */
  timeout?: number;
  /** The most members. Default 1,000,000: enough for every honest crowd, and a limit for a forged one. */
  maxMembers?: number;
  /** Who may speak the classic dialect. Default: whoever is nearby. */
  classic?: ClassicPolicyOptions;
}

/** What admission needs of the room. */
export interface AdmissionContext {
  delivery: Delivery;
  journal: Journal;
  limits: Limits;
  /** Default: the names of this server alone. */
  names?: Names;
  ignored: Ignored;
  observer: MemberObserver;
  /** Who may not come in. */
  rules: EntryRules;
  /** The time that is shown to people, in Unix milliseconds. */
  time: (now: number) => number;
}

/** What the room knows of a client that wants to join, and whose peer is validated. */
export interface JoinRequest {
  peer: Peer;
  token: string;
  name?: string;
}

/**
 * What each member adds to the keep-alive interval, in milliseconds. It keeps greetings below 500 datagrams a second,
 * until the interval reaches its maximum, a third of the timeout.
 */
const KEEPALIVE_PER_MEMBER_MS = 2;
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
  readonly names: Names;
  readonly formerNames: FormerNames = new FormerNames(this.members);
  /** Who may not come in. */
  readonly rules: EntryRules;
  /** Silence after which a v1 member is removed, and a classic one if its place is needed, in milliseconds. */
  readonly timeout: number;
  /**
   * How many members have joined since the room began. A member that moves is not counted again; a classic member that
   * turns out to speak v1 is.
   */
  joined = 0;
  readonly #maxMembers: number;
  readonly #classic: ClassicEntry;
  readonly #validation = new AddressValidation();
  /** The time of each recent goodbye by the member's token, in milliseconds. */
  readonly #justLeft = new BoundedMap<number>();
  /** The keys of the members that nobody was told of, because too many came at once. */
  readonly #unannounced = new Set<string>();
  readonly #context: AdmissionContext;
  #silenceCheckAt: number | undefined;

  constructor(options: AdmissionOptions, context: AdmissionContext) {
    const { timeout = MEMBER_TIMEOUT_MS, maxMembers = 1_000_000, classic } = options;
    this.timeout = timeout;
    this.rules = context.rules;
    this.#maxMembers = maxMembers;
    this.#classic = new ClassicEntry(classic, { ...context, members: this.members, timeout });
    this.#context = context;
    this.names = context.names ?? new LocalNames((name) => {
      const member = this.members.withName(name);
      return member && holderOf(member);
    });
  }

  get isFull(): boolean {
    return this.members.size >= this.#maxMembers;
  }

  /** When {@linkcode removeSilent} is to be called, in milliseconds of the room's clock; undefined for never. */
  get silenceCheckAt(): number | undefined {
    return this.#silenceCheckAt;
  }

  /** Whether a client has just greeted in version 1 from a peer that is not validated for it. */
  hasGreetedRecently(peer: Peer, now: number): boolean {
    return this.#validation.hasGreetedRecently(peer.key, now);
  }

  /** Notes that a client has greeted in version 1 from a peer that is not validated for it. */
  noteGreeting(peer: Peer, now: number): void {
    this.#validation.noteGreeting(peer.key, now);
  }

  /** The cookie for a peer. A newcomer or a moving member sends it back to show that it receives packets there. */
  cookieFor(peer: Peer, now: number): string {
    return this.#validation.cookieFor(peer.key, now);
  }

  /** Whether a peer receives what is sent to it: it has a connection, or it has sent back its cookie. */
  isValidated(peer: Peer, cookie: string | undefined, now: number): boolean {
    return peer.validated || this.#validation.isCookieOf(peer.key, cookie, now);
  }

  /**
   * Lets a newcomer join whose peer is validated. Returns undefined when the token is a member's or has just said
   * goodbye, or the room is full. The caller checks that the name is free.
   */
  admit({ peer, token, name }: JoinRequest, now: number): Member | undefined {
    if (this.members.withToken(token) || this.#hasJustLeft(token, now)) return undefined;
    const before = this.members.withKey(peer.key);
    if (this.isFull && !before) return undefined;
    const upgraded = before !== undefined && isClassic(before) ? { ...before } : undefined;
    if (upgraded) this.#drop(before!, "upgrade", now);
    this.#vacate(peer, now);
    return this.#join({ peer: { ...peer, validated: true }, dialect: "v1", token }, now, { name, upgraded });
  }

  /** Moves a member to a peer that is validated. */
  moveTo(member: Member, peer: Peer, now: number): void {
    if (member.key === peer.key) return this.setVia(member, peer.via);
    this.#vacate(peer, now);
    const { delivery, limits, observer } = this.#context;
    delivery.leave(member);
    limits.keepUnsaid(member, now);
    this.presence.moved(member.key, peer);
    this.members.move(member, { ...peer, validated: true });
    delivery.join(member);
    observer.changed?.(member, member.name);
  }

  /** Notes by which address of the server a member asks now. The caller knows that the packet is the member's. */
  setVia(member: Member, via: string | undefined): void {
    if (member.via === via) return;
    const { delivery } = this.#context;
    delivery.leave(member);
    member.via = via;
    delivery.join(member);
  }

  /** Lets a peer join that speaks the classic dialect; returns undefined when it may not, or when the room is full. */
  admitClassic(peer: Peer, dialect: Exclude<DatagramDialect, "v1">, now: number): Member | undefined {
    const { ignored } = this.#context;
    // who may not speak classic at all gets nothing, whatever is banned or locked: the address may be forged
    const expulsion = this.#classic.isWelcome(peer) ? this.rules.refusalOf({ peer }, now) : undefined;
    if (expulsion) return void this.#classic.noteExpelled({ ...peer, dialect }, expulsion, now);
    const refusal = this.#classicRefusal(peer, now);
    if (refusal) return void this.#classic.noteRefused({ ...peer, dialect }, refusal, now);
    if (this.isFull) return void ignored.count("room-full");
    return this.#join({ peer, dialect, token: "" }, now);
  }

  /**
   * Lets a peer join that speaks in lines over a connection; returns undefined when the room is full. When too many
   * connections come from its IP address, nobody is told of it before {@linkcode announce}.
   */
  admitConnection(peer: Peer, now: number): Member | undefined {
    if (this.isFull) return void this.#context.ignored.count("room-full");
    const isQuiet = !this.#context.limits.takeArrivalToken(peer, now);
    return this.#join({ peer, dialect: "line", token: "" }, now, { isQuiet });
  }

  /** Tells the others of a member, unless they know of it. */
  announce(member: Member, now: number): void {
    if (!this.#unannounced.delete(member.key)) return;
    this.presence.arrived(member, now, this.members.toldSize);
    this.#context.observer.joined?.(member);
  }

  /**
   * Adds a member of an earlier run of the server; without its name, if another has it by now. Removes it again if it
   * may not join now.
   *
   * @param mayStay Whether it may, unless it speaks classic and may not.
   */
  restore(kept: KeptMember, now: number, mayStay = true): void {
    const { name, token, address } = kept;
    const isRefused = name !== undefined &&
      this.names.claim({ name, holder: holderOf({ token, key: address }) }) === false;
    const member = this.members.restore(isRefused ? { ...kept, name: undefined } : kept, now);
    // the server may have crashed between a ban and its effect
    const isBanned = this.rules.banOf({ ...kept, peer: member }, now) !== undefined;
    const isAllowed = mayStay && !isBanned && (!isClassic(member) || !this.#classicRefusal(member, now));
    if (isClassic(member)) this.#classic.joined(member);
    if (member.token) this.#context.journal.ownerJoined(member.token);
    this.#context.delivery.join(member);
    this.#watchSilence(member, now);
    if (!isAllowed) this.#remove(member, "refused", now);
  }

  /** How often each member is to greet, in milliseconds. */
  get keepAlive(): number {
    return Math.floor(Math.max(1000, Math.min(this.timeout / 3, this.members.v1Size * KEEPALIVE_PER_MEMBER_MS)));
  }

  /**
   * After how long the name of a member is free that seems to have crashed, because it has missed its greetings, in
   * milliseconds. It is 0 for a classic member that has been silent for as long as one in version 1 may be, which has
   * no goodbye to say; undefined for the others.
   */
  nameFreeIn(member: Member, now: number): number | undefined {
    const silence = now - this.members.heardAt(member);
    if (isClassic(member)) return silence >= this.timeout ? 0 : undefined;
    const isLate = member.dialect === "v1" && silence > 2 * this.keepAlive;
    return isLate ? Math.max(1, this.timeout - silence) : undefined;
  }

  /** Gives a member another name, which the names have given to it; undefined takes its name away. */
  rename(member: Member, name: string | undefined, now: number): void {
    const before = member.name;
    if (before === name) return;
    this.members.rename(member, name);
    if (before !== undefined) this.formerNames.add(before, member, now);
    if (before !== undefined && this.members.withName(before) !== member) this.names.release(before, holderOf(member));
    this.presence.renamed(member, before, now, this.members.toldSize);
    this.#context.observer.changed?.(member, this.#unannounced.has(member.key) ? name : before);
  }

  /** Removes the member whose token is in a goodbye from a peer; returns whether there was one. */
  leave(token: string, peer: Peer, now: number): boolean {
    const member = this.members.withToken(token);
    // without a member, the goodbye may have overtaken the greeting that was sent before it
    if (member || this.hasGreetedRecently(peer, now)) this.#justLeft.set(token, now);
    if (member) this.#remove(member, "goodbye", now);
    return member !== undefined;
  }

  /**
   * Removes a member that has to go, and tells it why.
   *
   * @param what What happened to it, if its name is kept out for a while too: `kicked by Alice (flooding)`.
   */
  expel(member: Member, expulsion: Expulsion, now: number, what?: string): void {
    const { delivery } = this.#context, { token, dialect } = member, { code, text } = expulsion;
    this.rules.expel(member, expulsion, now, { keepAlive: this.keepAlive, what });
    if (isClassic(member)) this.#classic.noteTold(member, now);
    if (dialect === "v1") delivery.send(member, { dialect: "v1", type: "ERROR", token, code, text });
    else delivery.send(member, { dialect: "classic", type: "INCOMING", line: `!! ${text}` });
    this.#remove(member, "expelled", now);
  }

  /** Removes a member whose connection has ended, or is to end because the member has said goodbye; if it is one. */
  disconnect(peer: Peer, how: "disconnect" | "goodbye", now: number): void {
    const member = this.members.withKey(peer.key);
    if (member) this.#remove(member, how, now);
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

  #join(
    who: NewMember,
    now: number,
    { name, upgraded, isQuiet = false }: { name?: string; upgraded?: Member; isQuiet?: boolean } = {},
  ): Member {
    const { delivery, journal, observer, time } = this.#context;
    const member = this.members.add(who, time(now), now);
    if (name !== undefined) this.members.rename(member, name);
    this.joined++;
    if (isClassic(member)) this.#classic.joined(member);
    if (member.token) journal.ownerJoined(member.token);
    delivery.join(member);
    this.#watchSilence(member, now);
    // the others have been told of a classic member, and must be told when it leaves
    if (isQuiet) this.#unannounced.add(member.key);
    else if (upgraded) this.presence.renamed(member, upgraded.name, now, this.members.toldSize);
    else this.presence.arrived(member, now, this.members.toldSize);
    if (!isQuiet) observer.joined?.(member);
    return member;
  }

  /**
   * An address is validated for a new client, so the member that had it before is removed. This happens when a NAT
   * restarts.
   */
  #vacate(peer: Peer, now: number): void {
    const before = this.members.withKey(peer.key);
    if (before) this.#remove(before, "taken", now);
  }

  #remove(member: Member, how: Departure, now: number): void {
    const { key, address, name } = member;
    const isKnown = !this.#unannounced.has(key);
    this.#drop(member, how, now);
    if (isKnown) this.presence.departed({ key, address, name }, now, this.members.toldSize);
  }

  /** Removes a member without a notice to the others. */
  #drop(member: Member, how: Departure, now: number): void {
    const { name } = member;
    const { delivery, journal, limits, observer } = this.#context;
    this.members.remove(member);
    limits.keepUnsaid(member, now);
    if (isClassic(member)) this.#classic.left(member);
    if (name !== undefined) this.names.release(name, holderOf(member));
    delivery.leave(member);
    if (member.token) journal.ownerLeft(member.token, how === "goodbye");
    if (!this.#unannounced.delete(member.key)) observer.left?.({ ...member, name }, how);
  }

  /** Why a peer may not join in the classic dialect. Whoever has been silent for long makes room for it. */
  #classicRefusal(peer: Peer, now: number): ClassicRefusal | undefined {
    let refusal = this.#classic.refusal(peer);
    const silent = refusal && this.#classic.whoMakesRoom(peer, refusal, now);
    if (silent) {
      this.#remove(silent, "silence", now);
      refusal = this.#classic.refusal(peer);
    }
    if (refusal) this.#context.observer.refused?.(peer, refusal);
    return refusal;
  }

  /** A client repeats no earlier packet after its goodbye, but one that it sent before may still be under way. */
  #hasJustLeft(token: string, now: number): boolean {
    return now < (this.#justLeft.get(token) ?? -Infinity) + JUST_LEFT_MS;
  }

  #watchSilence(member: Member, now: number): void {
    if (member.dialect === "v1") this.#silenceCheckAt ??= now + this.timeout;
  }
}
