/**
 * Who is here: the members of the room by address, token and name, and how long each has been silent.
 *
 * @module
 */
import { type Dialect, MAX_DATAGRAM_BYTES } from "../protocol.ts";
import { nameKey } from "../protocol/fields.ts";
import type { MessageStream } from "../protocol/message_stream.ts";
import type { TokenBucket } from "../protocol/token_bucket.ts";

/**
 * One who has greeted.
 *
 * A crowd of a hundred thousand has as many of these, so the times are small integers: a number of milliseconds since
 * 1970 would be an object of its own.
 */
export interface Member {
  address: string;
  dialect: Dialect;
  /** What each v1 packet of the member must carry; empty for a classic member. */
  token: string;
  name: string | undefined;
  /** When the member joined, in Unix seconds. */
  since: number;
  /** When the member was last heard; {@linkcode Members.heardAt} knows since when it counts. */
  heard: number;
  /** The run of messages that the member is sending, once there is one. */
  stream: MessageStream | undefined;
  bucket: TokenBucket | undefined;
  /** The same for what the member asks for. */
  requests: TokenBucket | undefined;
  /** Where the delivery keeps the member. */
  slot?: number;
}

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
  /** Kept in the order in which they were last heard, the longest silent first. */
  readonly #v1 = new Map<string, Member>();
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
   * @param token Of a v1 member; empty for a classic one.
   * @param since When it came, in Unix milliseconds.
   */
  add(address: string, dialect: Dialect, token: string, since: number, now: number): Member {
    const member: Member = {
      address: compact(address),
      dialect,
      token,
      name: undefined,
      since: Math.floor(since / 1000),
      heard: 0,
      stream: undefined,
      bucket: undefined,
      requests: undefined,
      slot: undefined,
    };
    this.restore(member, now);
    return member;
  }

  /** Adds a member as it was kept elsewhere, with its name and token. */
  restore(member: Member, now: number): void {
    member.heard = this.#sinceOrigin(now);
    this.#at(member).set(member.address, member);
    if (member.token) this.#byToken.set(member.token, member);
    if (member.name !== undefined) this.#setName(member, member.name);
  }

  remove(member: Member): void {
    this.#at(member).delete(member.address);
    this.#byToken.delete(member.token);
    this.#dropName(member);
  }

  /** Notes that a member was heard. */
  touch(member: Member, now: number): void {
    member.heard = this.#sinceOrigin(now);
    if (member.dialect !== "v1") return;
    this.#v1.delete(member.address);
    this.#v1.set(member.address, member);
  }

  /** When a member was last heard, in milliseconds. */
  heardAt(member: Member): number {
    return this.#origin! + member.heard;
  }

  /** Gives a v1 member another address, and another token, which only who is at that address has learned. */
  move(member: Member, address: string, token: string): void {
    this.#v1.delete(member.address);
    this.#byToken.delete(member.token);
    member.address = compact(address);
    member.token = token;
    this.#v1.set(member.address, member);
    this.#byToken.set(member.token, member);
  }

  /** Gives a member a name, in place of the one that it may have; whether the name is free is the caller's to ask. */
  rename(member: Member, name: string): void {
    this.#dropName(member);
    this.#setName(member, name);
  }

  /** The v1 members, the one that has been silent for the longest time first. */
  bySilence(): IterableIterator<Member> {
    return this.#v1.values();
  }

  /** The names behind `after`, sorted without case, as many as fit into one datagram with a separator behind each. */
  namesAfter(after: string | undefined, separator = "\n"): NamePage {
    const keys = this.#sortedKeys ??= [...this.#byName.keys()].sort();
    const names: string[] = [];
    let i = after === undefined ? 0 : firstAfter(keys, nameKey(after));
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

  #at(member: Member): Map<string, Member> {
    return member.dialect === "v1" ? this.#v1 : this.#classic;
  }

  #setName(member: Member, name: string): void {
    member.name = name;
    const key = nameKey(name);
    this.#byName.set(key, member);
    // once there is a sorted list it is kept so: sorting anew after each change would let a few stop a large room
    this.#sortedKeys?.splice(firstAfter(this.#sortedKeys, key), 0, key);
  }

  #dropName(member: Member): void {
    if (member.name === undefined) return;
    const key = nameKey(member.name);
    this.#byName.delete(key);
    this.#sortedKeys?.splice(firstAfter(this.#sortedKeys, key) - 1, 1);
    member.name = undefined;
  }
}

const decoder = new TextDecoder();

/** The same text in as little memory as it takes: one that was put together keeps the parts that it was made of. */
function compact(text: string): string {
  return decoder.decode(encoder.encode(text));
}

/** The index of the first key that sorts behind another, by halving. */
function firstAfter(sorted: string[], key: string): number {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
