/**
 * Who is here: the members of the room by address, token and name, and how long each has been silent.
 *
 * @module
 */
import { type Dialect, MAX_DATAGRAM_BYTES } from "../../protocol.ts";
import { nameKey } from "../../protocol/names.ts";
import { ReceiveStream } from "../../protocol/reliable/receive_stream.ts";
import type { TokenBucket } from "../../protocol/reliable/token_bucket.ts";
import { detach } from "../../protocol/text.ts";
import type { KeptMember } from "../journal/past.ts";

/** The token buckets of one member; each is created when it is first needed. */
export interface MemberBuckets {
  messages: TokenBucket | undefined;
  requests: TokenBucket | undefined;
}

/**
 * A client that has joined the room.
 *
 * A crowd of a hundred thousand has as many of these, so the times are small integers: a number of milliseconds since
 * 1970 would take an object of its own in memory.
 */
export interface Member {
  address: string;
  dialect: Dialect;
  /** Each v1 packet of the member must carry this, from whatever address it comes; empty for a classic member. */
  token: string;
  name: string | undefined;
  /** When the member joined, in Unix seconds. */
  since: number;
  /** When the member was last heard, in milliseconds since an origin; {@linkcode Members.heardAt} adds the origin. */
  heard: number;
  /** The receive stream of the member's messages; undefined before the first message. */
  stream: ReceiveStream | undefined;
  /** The limits for messages and requests; undefined until one is first needed. */
  buckets: MemberBuckets | undefined;
  /** The index under which the delivery keeps the member. */
  slot?: number;
  /** The v1 member that was last heard just before this one was. */
  previousHeard?: Member;
  /** The v1 member that was last heard just after this one was. */
  nextHeard?: Member;
}

/** What is known of a member when it joins, before it has a name or a stream. */
export type NewMember = Pick<Member, "address" | "dialect" | "token">;

/** Names as a USERS packet lists them, and whether there are more behind them. */
export interface NamePage {
  names: string[];
  more: boolean;
}

/** Bytes of a USERS packet that are left for the names behind the longest header. */
const NAME_PAGE_BYTES = MAX_DATAGRAM_BYTES - 100;
const encoder = new TextEncoder();

/** The members of a room. Joining, leaving and every look-up take constant time, but for the sorted list of names. */
export class Members {
  readonly #v1 = new Map<string, Member>();
  /**
   * The ends of a linked list of the v1 members, in the order in which they were last heard. A Map keeps this order too
   * when a member is deleted and set again, but it is twice as large: each deleted entry leaves a hole for a while.
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
   * Adds a new member.
   *
   * @param since When it joined, in Unix milliseconds.
   */
  add({ address, dialect, token }: NewMember, since: number, now: number): Member {
    return this.#insert({ address, dialect, token }, Math.floor(since / 1000), now);
  }

  /** Adds a member of an earlier run of the server, with its name and stream. */
  restore({ address, dialect, token, name, since, stream }: KeptMember, now: number): Member {
    const member = this.#insert({ address, dialect, token }, since, now);
    member.stream = stream && new ReceiveStream(stream.name, stream.next);
    if (name !== undefined) this.#setName(member, name);
    return member;
  }

  /** @param since When it joined, in Unix seconds. */
  #insert({ address, dialect, token }: NewMember, since: number, now: number): Member {
    const member: Member = {
      address: detach(address),
      dialect,
      token: detach(token),
      name: undefined,
      since,
      heard: this.#sinceOrigin(now),
      stream: undefined,
      buckets: undefined,
      slot: undefined,
      previousHeard: undefined,
      nextHeard: undefined,
    };
    this.#mapOf(member).set(member.address, member);
    if (dialect === "v1") this.#append(member);
    if (token) this.#byToken.set(member.token, member);
    return member;
  }

  remove(member: Member): void {
    this.#mapOf(member).delete(member.address);
    if (member.dialect === "v1") this.#unlink(member);
    this.#byToken.delete(member.token);
    this.#dropName(member);
  }

  /** Notes that a member was heard. */
  touch(member: Member, now: number): void {
    member.heard = this.#sinceOrigin(now);
    if (member.dialect !== "v1" || member === this.#lastHeard) return;
    this.#unlink(member);
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

  /** Gives a member a name, in place of the one that it may have. The caller checks that the name is free. */
  rename(member: Member, name: string): void {
    this.#dropName(member);
    this.#setName(member, name);
  }

  /** The v1 members, the one that has been silent for the longest time first. */
  *bySilence(): Generator<Member> {
    for (let member = this.#longestSilent; member;) {
      // the caller may remove the one that it gets
      const next: Member | undefined = member.nextHeard;
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

  /** Puts a member at the end of the linked list: it was heard last. */
  #append(member: Member): void {
    member.previousHeard = this.#lastHeard;
    member.nextHeard = undefined;
    if (this.#lastHeard) this.#lastHeard.nextHeard = member;
    else this.#longestSilent = member;
    this.#lastHeard = member;
  }

  #unlink(member: Member): void {
    const { previousHeard, nextHeard } = member;
    if (previousHeard) previousHeard.nextHeard = nextHeard;
    else this.#longestSilent = nextHeard;
    if (nextHeard) nextHeard.previousHeard = previousHeard;
    else this.#lastHeard = previousHeard;
    member.previousHeard = member.nextHeard = undefined;
  }

  #mapOf(member: Member): Map<string, Member> {
    return member.dialect === "v1" ? this.#v1 : this.#classic;
  }

  #setName(member: Member, name: string): void {
    member.name = detach(name);
    const key = nameKey(name);
    this.#byName.set(key, member);
    // the list stays sorted: if each change sorted it anew, a few members could stop a large room with their renames
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

/** The index of the first key that sorts behind another, by binary search. */
function upperBound(sorted: string[], key: string): number {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
