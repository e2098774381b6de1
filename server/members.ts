/**
 * Who is here: the members of the room by address, token and name, and how long each has been silent.
 *
 * @module
 */
import { type Dialect, MAX_DATAGRAM_BYTES } from "../protocol.ts";
import { nameKey, randomHex64 } from "../protocol/fields.ts";
import type { MessageStream } from "../protocol/message_stream.ts";
import type { TokenBucket } from "./token_bucket.ts";

/** One who has greeted. */
export interface Member {
  address: string;
  dialect: Dialect;
  /** What each v1 packet of the member must carry; empty for a classic member. */
  token: string;
  name: string | undefined;
  /** When the member joined, in Unix milliseconds. */
  since: number;
  /** When the member was last heard, in milliseconds of the room's clock. */
  heard: number;
  /** The run of messages that the member is sending, once there is one. */
  stream: MessageStream | undefined;
  bucket: TokenBucket | undefined;
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

/** The members of a room. Joining, leaving and every look-up take constant time; listing sorts once per change. */
export class Members {
  /** Kept in the order in which they were last heard, the longest silent first. */
  readonly #v1 = new Map<string, Member>();
  readonly #classic = new Map<string, Member>();
  readonly #byToken = new Map<string, Member>();
  readonly #byName = new Map<string, Member>();
  #sortedKeys: string[] | undefined;

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

  /** Adds a member who was not here; a v1 member gets a new token. */
  add(address: string, dialect: Dialect, now: number): Member {
    const member: Member = {
      address,
      dialect,
      token: dialect === "v1" ? randomHex64() : "",
      name: undefined,
      since: now,
      heard: now,
      stream: undefined,
      bucket: undefined,
      slot: undefined,
    };
    this.restore(member);
    return member;
  }

  /** Adds a member as it was kept elsewhere, with its name and token. */
  restore(member: Member): void {
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
    member.heard = now;
    if (member.dialect !== "v1") return;
    this.#v1.delete(member.address);
    this.#v1.set(member.address, member);
  }

  /** Gives a member another address. */
  move(member: Member, address: string): void {
    this.#at(member).delete(member.address);
    member.address = address;
    this.#at(member).set(address, member);
  }

  /** Gives a member a name, in place of the one that it may have; whether the name is free is the caller's to ask. */
  rename(member: Member, name: string): void {
    this.#dropName(member);
    this.#setName(member, name);
  }

  /** The v1 member that has been silent for the longest time. */
  get mostSilent(): Member | undefined {
    return this.#v1.values().next().value;
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

  #at(member: Member): Map<string, Member> {
    return member.dialect === "v1" ? this.#v1 : this.#classic;
  }

  #setName(member: Member, name: string): void {
    member.name = name;
    this.#byName.set(nameKey(name), member);
    this.#sortedKeys = undefined;
  }

  #dropName(member: Member): void {
    if (member.name === undefined) return;
    this.#byName.delete(nameKey(member.name));
    this.#sortedKeys = undefined;
    member.name = undefined;
  }
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
