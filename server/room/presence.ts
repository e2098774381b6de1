/**
 * Puts arrivals and departures together into few notices, so that a room where everyone joins at once is not flooded.
 *
 * @module
 */
import { MAX_DATAGRAM_BYTES, type Presence, type Renamed } from "../../protocol.ts";
import { memberLine } from "../../protocol/members.ts";
import { byteLength } from "../../protocol/utf8.ts";
import type { NewEvent } from "../journal/journal.ts";

/** The shortest time for which notices are collected, in milliseconds. */
const MIN_WAIT_MS = 100;
/** The longest time for which notices are collected, in milliseconds. */
const MAX_WAIT_MS = 5000;
/**
 * What each member adds to this time, in milliseconds. With up to 2,500 members, a notice that fits into one datagram
 * then takes at most 500 datagrams a second in all.
 */
const WAIT_PER_MEMBER_MS = 2;
/** Bytes of an ONLINE, OFFLINE or RENAMED packet that are left for the members behind the longest header. */
const NOTICE_BYTES = MAX_DATAGRAM_BYTES - 110;

/** A member as it is told of, and the key of its peer, which tells it from others at the same address. */
export interface Arrival extends Presence {
  readonly key: string;
}

/** Collects arrivals and departures until they are due. */
export class PresenceNotices {
  /** By the keys of their peers. */
  readonly #arrived = new Map<string, Presence>();
  /** The same for those that have lost their names: the names that the others know. */
  readonly #unnamed = new Map<string, Presence>();
  /** The same for those that have another name. */
  readonly #renamed = new Map<string, Renamed>();
  #departed: Presence[] = [];
  #dueAt: number | undefined;

  /** When the notices are due, in milliseconds of the room's clock; undefined while there are none. */
  get dueAt(): number | undefined {
    return this.#dueAt;
  }

  /** Drops the notices that wait, because no member is here that could receive them. */
  clear(): void {
    this.#arrived.clear();
    this.#unnamed.clear();
    this.#renamed.clear();
    this.#departed = [];
    this.#dueAt = undefined;
  }

  /** Notes that a member came. */
  arrived({ key, address, name }: Arrival, now: number, members: number): void {
    this.#arrived.set(key, { address, name });
    this.#schedule(now, members);
  }

  /**
   * Notes that a member has another name, or its first one. If its arrival still waits to be told, that is told with
   * the new name; and a name that it had for a moment only is not told.
   *
   * @param before The name that it had, if it had one.
   */
  renamed(member: Arrival, before: string | undefined, now: number, members: number): void {
    const { key, address, name } = member;
    if (this.#arrived.has(key)) return this.arrived(member, now, members);
    const knownAs = this.#knownAs(key, before);
    this.#renamed.delete(key);
    this.#unnamed.delete(key);
    if (knownAs === name) return;
    if (name === undefined) this.#unnamed.set(key, { address, name: knownAs });
    else this.#renamed.set(key, { address, name, before: knownAs });
    this.#schedule(now, members);
  }

  /**
   * Notes that a member has another address. A move alone is not told, but an arrival or a new name that still waits to
   * be told is told with the new address.
   *
   * @param from The key of the peer that it had before.
   */
  moved(from: string, { key, address }: Pick<Arrival, "key" | "address">): void {
    const unnamed = this.#unnamed.get(from);
    if (unnamed) {
      // told at its new address alone, the name would stay at the old one
      this.#unnamed.delete(from);
      this.#departed.push(unnamed);
      this.#arrived.set(key, { address });
    }
    for (const told of [this.#arrived, this.#renamed] as Map<string, Presence>[]) {
      const member = told.get(from);
      if (!member) continue;
      told.delete(from);
      told.set(key, { ...member, address });
    }
  }

  /** Notes that a member went. If its arrival still waits to be told, neither is told. */
  departed({ key, address, name }: Arrival, now: number, members: number): void {
    const isUntold = this.#arrived.delete(key), knownAs = this.#knownAs(key, name);
    this.#renamed.delete(key);
    this.#unnamed.delete(key);
    if (!isUntold) this.#departed.push({ address, name: knownAs });
    this.#schedule(now, members);
  }

  /**
   * Takes the notices that are due, in as few events as they fit into: departures before new names, these before
   * arrivals.
   *
   * @param at The time of the events, in Unix milliseconds.
   */
  takeDue(now: number, at = now): NewEvent[] {
    if (this.#dueAt === undefined || this.#dueAt > now) return [];
    this.#dueAt = undefined;
    const events: NewEvent[] = [
      ...batches(this.#departed).map((members): NewEvent => ({ type: "OFFLINE", at, members })),
      ...batches(this.#renamed.values()).map((members): NewEvent => ({ type: "RENAMED", at, members })),
      ...batches(this.#newlyOnline()).map((members): NewEvent => ({ type: "ONLINE", at, members })),
    ];
    this.#departed = [];
    this.#renamed.clear();
    this.#unnamed.clear();
    this.#arrived.clear();
    return events;
  }

  /** The name by which the others know a member that has a name now, or has none. */
  #knownAs(key: string, name: string | undefined): string | undefined {
    const renamed = this.#renamed.get(key), unnamed = this.#unnamed.get(key);
    return renamed ? renamed.before : unnamed ? unnamed.name : name;
  }

  /** Who has come, and who has no name any more, which is told in the same way. */
  *#newlyOnline(): Iterable<Presence> {
    for (const { address } of this.#unnamed.values()) yield { address };
    yield* this.#arrived.values();
  }

  #schedule(now: number, members: number): void {
    this.#dueAt ??= now + Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, members * WAIT_PER_MEMBER_MS));
  }
}

/** Splits members into groups, each of which fits into one datagram. */
function batches<T extends Presence>(members: Iterable<T>): T[][] {
  const groups: T[][] = [];
  let free = 0;
  for (const member of members) {
    const bytes = byteLength(memberLine(member)) + 1;
    if (bytes > free) {
      groups.push([]);
      free = NOTICE_BYTES;
    }
    groups.at(-1)!.push(member);
    free -= bytes;
  }
  return groups;
}
