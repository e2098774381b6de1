/**
 * Who is here: the members of the room by peer, token and name, and how long each has been silent.
 *
 * @module
 */
import { type Dialect, MAX_DATAGRAM_BYTES, RELAY_MARK } from "../../protocol.ts";
import { addressKey, type Family, familyOf, hasKeyOf, isLoopback } from "../../protocol/address_key.ts";
import { skeletons } from "../../protocol/look_alikes.ts";
import { compareKeys, nameKey } from "../../protocol/names.ts";
import { detach } from "../../protocol/utf8.ts";
import type { KeptMember } from "../journal/past.ts";
import type { Active } from "./activity.ts";
import { Counter } from "./counter.ts";
import type { Recipient } from "./delivery.ts";
import { HeardOrder, type Ordered } from "./heard_order.ts";
import type { Peer } from "./peer.ts";

/**
 * A peer that has joined the room.
 *
 * A crowd of a hundred thousand has as many of these, so the times are small integers: a number of milliseconds since
 * 1970 would take an object of its own in memory.
 */
export interface Member extends Recipient, Ordered<Member>, Active {
  key: string;
  address: string;
  validated: boolean;
  direct: boolean;
  via: string | undefined;
  dialect: Dialect;
  /** Each v1 packet of the member must carry this, from whatever address it comes; empty for a classic member. */
  token: string;
  name: string | undefined;
  /** When the member joined, in Unix seconds. */
  since: number;
  /** When the member was last heard, in milliseconds since an origin; {@linkcode Members.heardAt} adds the origin. */
  heard: number;
  /** The index under which the delivery keeps the member. */
  slot?: number;
}

/** What is known of a member when it joins, before it has a name or a stream. */
export type NewMember = Pick<Member, "dialect" | "token"> & { peer: Peer };

/** Names as a USERS packet lists them, and whether there are more behind them. */
export interface NamePage {
  names: string[];
  more: boolean;
  /** Those of the names that are marked; missing if there are none. */
  onlyRelayed?: string[];
}

/** How a page of names is made. */
export interface NamePageOptions {
  /** What stands behind each name. Default: a line feed. */
  separator?: string;
  /** Which members are marked. Default: none. */
  isOnlyRelayed?: (member: Member) => boolean;
}

/** Bytes of a USERS packet that are left for the names behind the longest header. */
const NAME_PAGE_BYTES = MAX_DATAGRAM_BYTES - 120;
/** At how many members is looked for one with an IP address: as many as a hall has, and so few that it takes no time. */
const MAX_LOOKED_AT = 128;
const encoder = new TextEncoder();

/**
 * The members of a room. Joining, leaving and every look-up take constant time, but for the sorted list of names and the
 * most silent classic member of one address.
 */
export class Members {
  readonly #byKey = new Map<string, Member>();
  /** The v1 members, the classic ones and those that speak in lines, each in the order in which they were last heard. */
  readonly #v1 = new HeardOrder<Member>();
  readonly #classic = new HeardOrder<Member>();
  readonly #lines = new HeardOrder<Member>();
  /** Those that have a connection, by their addresses. */
  readonly #connected = new Map<string, Member>();
  readonly #byToken = new Map<string, Member>();
  readonly #byName = new Map<string, Member>();
  /** How many names members with one IP address have. */
  readonly #namesByAddress = new Counter();
  /** Members by the skeletons of their names. A skeleton that is the key of the name is not here, which saves memory. */
  readonly #bySkeleton = new Map<string, Member>();
  /** How many send datagrams from elsewhere than this machine's loopback, by the family of their addresses. */
  readonly #elsewhere = new Counter();
  #sortedKeys: string[] | undefined;
  /** The time from which `heard` counts, in milliseconds. */
  #origin: number | undefined;

  get size(): number {
    return this.#byKey.size;
  }

  get v1Size(): number {
    return this.#v1.size;
  }

  get lineSize(): number {
    return this.#lines.size;
  }

  /** How many members are told who comes and goes: classic programs do not know such notices. */
  get toldSize(): number {
    return this.#v1.size + this.#lines.size;
  }

  get named(): number {
    return this.#byName.size;
  }

  /** Whether a member sends datagrams from an address of a family that is no loopback address. */
  hasElsewhere(family: Family): boolean {
    return this.#elsewhere.get(family) > 0;
  }

  /** The member whose peer has a key. The key of a peer that sends datagrams is its address. */
  withKey(key: string): Member | undefined {
    return this.#byKey.get(key);
  }

  /** The member that others know by an address; the one that sends datagrams from there before one with a connection. */
  withAddress(address: string): Member | undefined {
    return this.#byKey.get(address) ?? this.#connected.get(address);
  }

  /** The member that has a connection from an address. */
  withConnection(address: string): Member | undefined {
    return this.#connected.get(address);
  }

  withToken(token: string): Member | undefined {
    return this.#byToken.get(token);
  }

  withName(name: string): Member | undefined {
    return this.#byName.get(nameKey(name));
  }

  /** How many names members have with the same IP address; those that may be forged and the others are counted apart. */
  namesAt(peer: Pick<Peer, "address" | "validated">): number {
    return this.#namesByAddress.get(nameCountKey(peer));
  }

  /** The members whose names look like a name, the one with this very name included. */
  lookAlikesOf(name: string): Member[] {
    const wanted = skeletons(name);
    return wanted.flatMap((skeleton) => [this.#bySkeleton.get(skeleton), this.#byName.get(skeleton)])
      .filter((member) => member !== undefined)
      .filter((member) => skeletons(member.name!).some((skeleton) => wanted.includes(skeleton)));
  }

  /**
   * Adds a new member.
   *
   * @param since When it joined, in Unix milliseconds.
   */
  add(who: NewMember, since: number, now: number): Member {
    return this.#insert(who, Math.floor(since / 1000), now);
  }

  /** Adds a member of an earlier run of the server, with its name. */
  restore({ address, dialect, token, name, since }: KeptMember, now: number): Member {
    const peer = { key: address, address, validated: dialect === "v1", direct: true };
    const member = this.#insert({ peer, dialect, token }, since, now);
    if (name !== undefined) this.#setName(member, name);
    return member;
  }

  /** @param since When it joined, in Unix seconds. */
  #insert({ peer, dialect, token }: NewMember, since: number, now: number): Member {
    const member: Member = {
      key: "",
      address: "",
      validated: false,
      direct: false,
      via: undefined,
      dialect,
      token: detach(token),
      name: undefined,
      since,
      heard: this.#sinceOrigin(now),
      activity: undefined,
      slot: undefined,
      previousHeard: undefined,
      nextHeard: undefined,
    };
    this.#setPeer(member, peer);
    this.#orderOf(member).add(member);
    if (token) this.#byToken.set(member.token, member);
    return member;
  }

  remove(member: Member): void {
    this.#dropPeer(member);
    this.#orderOf(member).remove(member);
    this.#byToken.delete(member.token);
    this.#dropName(member);
  }

  /** Notes that a member was heard. */
  touch(member: Member, now: number): void {
    member.heard = this.#sinceOrigin(now);
    this.#orderOf(member).heard(member);
  }

  /** When a member was last heard, in milliseconds. */
  heardAt(member: Member): number {
    return this.#origin! + member.heard;
  }

  /** Gives a member another peer. */
  move(member: Member, peer: Peer): void {
    this.#dropPeer(member);
    if (member.name !== undefined) this.#namesByAddress.remove(nameCountKey(member));
    this.#setPeer(member, peer);
    if (member.name !== undefined) this.#namesByAddress.add(nameCountKey(member));
  }

  /** Gives a member a name or none, in place of the one that it may have. The caller checks that the name is free. */
  rename(member: Member, name: string | undefined): void {
    this.#dropName(member);
    if (name !== undefined) this.#setName(member, name);
  }

  /** All members. */
  all(): Iterable<Member> {
    return this.#byKey.values();
  }

  /** The v1 members, the one that has been silent for the longest time first. */
  bySilence(): Iterable<Member> {
    return this.#v1;
  }

  /** The members that speak in lines over a connection. */
  speakingLines(): Iterable<Member> {
    return this.#lines;
  }

  /**
   * The classic member that has been silent for the longest time. If an address is given, the one of those whose IP
   * address counts as the same; to find it takes time in proportion to how many have been silent for longer.
   */
  longestSilentClassic(address?: string): Member | undefined {
    if (address === undefined) return this.#classic.longestSilent();
    const isThere = hasKeyOf(address);
    return this.#classic.longestSilent((member) => isThere(member.address));
  }

  /**
   * The classic member with the very IP address of another one that was last heard, if it is among the last few of all.
   */
  lastHeardClassicAt(address: string): Member | undefined {
    const host = address.slice(0, address.lastIndexOf(":") + 1);
    return this.#classic.lastHeard((member) => member.address.startsWith(host), MAX_LOOKED_AT);
  }

  /**
   * The member of those that {@linkcode hasElsewhere} knows of which was last heard, a v1 member before a classic one, if
   * it is among the last few of all.
   */
  lastHeardElsewhere(family: Family): Member | undefined {
    const isThere = (member: Member) => isElsewhere(member) && familyOf(member.address) === family;
    return this.#v1.lastHeard(isThere, MAX_LOOKED_AT) ?? this.#classic.lastHeard(isThere, MAX_LOOKED_AT);
  }

  /** The names behind `after`, sorted by their keys, as many as fit into one datagram with what stands behind each. */
  namesAfter(
    after: string | undefined,
    { separator = "\n", isOnlyRelayed = () => false }: NamePageOptions = {},
  ): NamePage {
    const keys = this.#sortedKeys ??= [...this.#byName.keys()].sort(compareKeys);
    const names: string[] = [], onlyRelayed: string[] = [];
    let i = after === undefined ? 0 : upperBound(keys, nameKey(after));
    for (let bytes = 0; i < keys.length; i++) {
      const member = this.#byName.get(keys[i])!, name = member.name!, isMarked = isOnlyRelayed(member);
      bytes += encoder.encode(name).length + separator.length + (isMarked ? RELAY_MARK.length : 0);
      if (bytes > NAME_PAGE_BYTES) break;
      names.push(name);
      if (isMarked) onlyRelayed.push(name);
    }
    return { names, more: i < keys.length, ...(onlyRelayed.length > 0 && { onlyRelayed }) };
  }

  #orderOf({ dialect }: Pick<Member, "dialect">): HeardOrder<Member> {
    return dialect === "v1" ? this.#v1 : dialect === "line" ? this.#lines : this.#classic;
  }

  #sinceOrigin(now: number): number {
    this.#origin ??= now;
    return now - this.#origin;
  }

  #setPeer(member: Member, { key, address, validated, direct, via }: Peer): void {
    member.address = detach(address);
    // UDP peers, of which there may be very many, have one text in memory for both
    member.key = key === address ? member.address : detach(key);
    member.validated = validated;
    member.direct = direct;
    member.via = via;
    this.#byKey.set(member.key, member);
    if (member.key !== member.address) this.#connected.set(member.address, member);
    if (isElsewhere(member)) this.#elsewhere.add(familyOf(member.address));
  }

  #dropPeer(member: Member): void {
    const { key, address } = member;
    if (isElsewhere(member)) this.#elsewhere.remove(familyOf(address));
    this.#byKey.delete(key);
    if (this.#connected.get(address)?.key === key) this.#connected.delete(address);
  }

  #setName(member: Member, name: string): void {
    member.name = detach(name);
    const key = nameKey(name);
    this.#byName.set(key, member);
    this.#namesByAddress.add(nameCountKey(member));
    for (const skeleton of skeletons(name)) if (skeleton !== key) this.#bySkeleton.set(skeleton, member);
    // the list stays sorted: if each change sorted it anew, a few members could stop a large room with their renames
    this.#sortedKeys?.splice(upperBound(this.#sortedKeys, key), 0, key);
  }

  #dropName(member: Member): void {
    if (member.name === undefined) return;
    const key = nameKey(member.name);
    this.#byName.delete(key);
    this.#namesByAddress.remove(nameCountKey(member));
    for (const skeleton of skeletons(member.name)) {
      // a member of an earlier run of the server may have a name that looks the same
      if (this.#bySkeleton.get(skeleton) === member) this.#bySkeleton.delete(skeleton);
    }
    this.#sortedKeys?.splice(upperBound(this.#sortedKeys, key) - 1, 1);
    member.name = undefined;
  }
}

function nameCountKey({ address, validated }: Pick<Peer, "address" | "validated">): string {
  return `${validated ? "" : "unvalidated "}${addressKey(address)}`;
}

/** Whether datagrams of other machines reach a member. */
function isElsewhere({ address, direct }: Pick<Peer, "address" | "direct">): boolean {
  return direct && !isLoopback(address);
}

/** The index of the first key that sorts behind another, by binary search. */
function upperBound(sorted: string[], key: string): number {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(sorted[middle], key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How a member is called: by its name, or its address if it has none. */
export function nameOf({ name, address }: Pick<Member, "name" | "address">): string {
  return name ?? address;
}

/** Who holds the name of a member, as the names know it: its token, or the key of its peer if it has none. */
export function holderOf({ token, key }: Pick<Member, "token" | "key">): string {
  return token || key;
}

/** Whether a member speaks the classic dialect in datagrams. */
export function isClassic({ dialect }: Pick<Member, "dialect">): boolean {
  return dialect === "classic" || dialect === "classic-line";
}
