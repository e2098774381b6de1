/**
 * Who is here: the members of the room by address, token and name, and how long each has been silent.
 *
 * @module
 */
import { type Dialect, MAX_DATAGRAM_BYTES } from "../../protocol.ts";
import { nameKey } from "../../protocol/fields.ts";
import { detach } from "../../protocol/text.ts";
import { ReceiveStream } from "../../protocol/reliable/receive_stream.ts";
import type { KeptMember } from "../journal/past.ts";
import type { TokenBucket } from "../../protocol/reliable/token_bucket.ts";

/** The buckets of one member, each from the first time that it matters. */
export interface MemberBuckets {
  speaking: TokenBucket | undefined;
  asking: TokenBucket | undefined;
}

/**
 * One who has greeted.
 *
 * A crowd of a hundred thousand has as many of these, so the times are small integers: a number of milliseconds since
 * 1970 would be an object of its own.
 */
export interface Member {
  address: string;
  dialect: Dialect;
  /** What each v1 packet of the member must carry, wherever it is; empty for a classic member. */
  token: string;
  name: string | undefined;
  /** When the member joined, in Unix seconds. */
  since: number;
  /** When the member was last heard; {@linkcode Members.heardAt} knows since when it counts. */
  heard: number;
  /** The run of messages that the member is sending, once there is one. */
  stream: ReceiveStream | undefined;
  /** How much the member may say and ask for, once that matters. */
  buckets: MemberBuckets | undefined;
  /** Where the delivery keeps the member. */
  slot?: number;
  /** Of the v1 members, the one that was heard last before this one was, and the first that was heard since. */
  heardBefore?: Member;
  heardAfter?: Member;
}

/** What makes a member, before it has a name or says anything. */
export type NewMember = Pick<Member, "address" | "dialect" | "token">;

/** Names as a USERS packet lists them, and whether there are more behind them. */
export interface NamePage {
  names: string[];
  more: boolean;
}

/** Bytes of a USERS packet that are left for the names behind the longest header. */
const NAME_PAGE_BYTES = MAX_DATAGRAM_BYTES - 100;
const encoder = new TextEncoder();

/** The members of a room. Joining, leaving and every look-up take constant time; only names are sorted. */
export class Members {
  readonly #v1 = new Map<string, Member>();
  /**
   * The ends of the row in which the v1 members stand as they were last heard. A Map that is kept in this order, by
   * taking each out and putting it in again, is twice as large: what was taken out leaves a hole for a while.
   */
  #longestSilent: Member | undefined;
  #lastHeard: Member | undefined;
  readonly #classic = new Map<string, Member>();
  readonly #byToken = new Map<string, Member>();
  readonly #byName = new Map<string, Member>();
  #sortedKeys: string[] | undefined;
  /** The time from which `heard` counts, in milliseconds. */
  #origin: number | undefined;

  get size(): number {
    return this.#v1.size + this.#classic.size;
  }

  get v1Size(): number {
    return this.#v1.size;
  }

  get named(): number {
    return this.#byName.size;
  }

  at(address: string): Member | undefined {
    return this.#v1.get(address) ?? this.#classic.get(address);
  }

  v1At(address: string): Member | undefined {
    return this.#v1.get(address);
  }

  classicAt(address: string): Member | undefined {
    return this.#classic.get(address);
  }

  withToken(token: string): Member | undefined {
    return this.#byToken.get(token);
  }

  withName(name: string): Member | undefined {
    return this.#byName.get(nameKey(name));
  }

  /** Every member, in no particular order. */
  *[Symbol.iterator](): Generator<Member> {
    yield* this.#classic.values();
    yield* this.#v1.values();
  }

  /**
   * Adds a member who was not here.
   *
   * @param since When it came, in Unix milliseconds.
   */
  add({ address, dialect, token }: NewMember, since: number, now: number): Member {
    const name = undefined, stream = undefined;
    return this.restore({ address, dialect, token, name, since: Math.floor(since / 1000), stream }, now);
  }

  /** Adds a member as an earlier run of the server has left it. */
  restore({ address, dialect, token, name, since, stream }: KeptMember, now: number): Member {
    const member: Member = {
      address: detach(address),
      dialect,
      token: detach(token),
      name: undefined,
      since,
      heard: this.#sinceOrigin(now),
      stream: stream && new ReceiveStream(stream.name, stream.next),
      buckets: undefined,
      slot: undefined,
      heardBefore: undefined,
      heardAfter: undefined,
    };
    this.#at(member).set(member.address, member);
    if (dialect === "v1") this.#append(member);
    if (token) this.#byToken.set(member.token, member);
    if (name !== undefined) this.#setName(member, name);
    return member;
  }

  remove(member: Member): void {
    this.#at(member).delete(member.address);
    if (member.dialect === "v1") this.#takeOut(member);
    this.#byToken.delete(member.token);
    this.#dropName(member);
  }

  /** Notes that a member was heard. */
  touch(member: Member, now: number): void {
    member.heard = this.#sinceOrigin(now);
    if (member.dialect !== "v1" || member === this.#lastHeard) return;
    this.#takeOut(member);
    this.#append(member);
  }

  /** When a member was last heard, in milliseconds. */
  heardAt(member: Member): number {
    return this.#origin! + member.heard;
  }

  /** Gives a v1 member another address. */
  move(member: Member, address: string): void {
    this.#v1.delete(member.address);
    member.address = detach(address);
    this.#v1.set(member.address, member);
  }

  /** Gives a member a name, in place of the one that it may have; whether the name is free is the caller's to ask. */
  rename(member: Member, name: string): void {
    this.#dropName(member);
    this.#setName(member, name);
  }

  /** The v1 members, the one that has been silent for the longest time first. */
  *bySilence(): Generator<Member> {
    for (let member = this.#longestSilent; member;) {
      // the caller may remove the one that it gets
      const next: Member | undefined = member.heardAfter;
      yield member;
      member = next;
    }
  }

  /** The names behind `after`, sorted without case, as many as fit into one datagram with a separator behind each. */
  namesAfter(after: string | undefined, separator = "\n"): NamePage {
    const keys = this.#sortedKeys ??= [...this.#byName.keys()].sort();
    const names: string[] = [];
    let i = after === undefined ? 0 : upperBound(keys, nameKey(after));
    for (let bytes = 0; i < keys.length; i++) {
      const name = this.#byName.get(keys[i])!.name!;
      bytes += encoder.encode(name).length + separator.length;
      if (bytes > NAME_PAGE_BYTES) break;
      names.push(name);
    }
    return { names, more: i < keys.length };
  }

  #sinceOrigin(now: number): number {
    this.#origin ??= now;
    return now - this.#origin;
  }

  /** Puts a member at the end of the row: nobody was heard later. */
  #append(member: Member): void {
    member.heardBefore = this.#lastHeard;
    member.heardAfter = undefined;
    if (this.#lastHeard) this.#lastHeard.heardAfter = member;
    else this.#longestSilent = member;
    this.#lastHeard = member;
  }

  #takeOut(member: Member): void {
    const { heardBefore, heardAfter } = member;
    if (heardBefore) heardBefore.heardAfter = heardAfter;
    else this.#longestSilent = heardAfter;
    if (heardAfter) heardAfter.heardBefore = heardBefore;
    else this.#lastHeard = heardBefore;
    member.heardBefore = member.heardAfter = undefined;
  }

  #at(member: Member): Map<string, Member> {
    return member.dialect === "v1" ? this.#v1 : this.#classic;
  }

  #setName(member: Member, name: string): void {
    member.name = detach(name);
    const key = nameKey(name);
    this.#byName.set(key, member);
    // once there is a sorted list it is kept so: sorting anew after each change would let a few stop a large room
    this.#sortedKeys?.splice(upperBound(this.#sortedKeys, key), 0, key);
  }

  #dropName(member: Member): void {
    if (member.name === undefined) return;
    const key = nameKey(member.name);
    this.#byName.delete(key);
    this.#sortedKeys?.splice(upperBound(this.#sortedKeys, key) - 1, 1);
    member.name = undefined;
  }
}

/** The index of the first key that sorts behind another, by halving. */
function upperBound(sorted: string[], key: string): number {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
