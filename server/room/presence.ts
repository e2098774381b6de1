/**
 * Puts arrivals and departures together into few notices, so that a room where everyone joins at once is not flooded.
 *
 * @module
 */
import { MAX_DATAGRAM_BYTES, type Presence } from "../../protocol.ts";
import { byteLength } from "../../protocol/text.ts";
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
/** Bytes of an ONLINE or OFFLINE packet that are left for the members behind the longest header. */
const NOTICE_BYTES = MAX_DATAGRAM_BYTES - 110;

/** A member as it is told of, and the key of its peer, which tells it from others at the same address. */
export interface Arrival extends Presence {
  readonly key: string;
}

/** Collects arrivals and departures until they are due. */
export class PresenceNotices {
  /** By the keys of their peers. */
  readonly #arrived = new Map<string, Presence & { isNew: boolean }>();
  #departed: Presence[] = [];
  #dueAt: number | undefined;

  /** When the notices are due, in milliseconds of the room's clock; undefined while there are none. */
  get dueAt(): number | undefined {
    return this.#dueAt;
  }

  /** Drops the notices that wait, because no member is here that could receive them. */
  clear(): void {
    this.#arrived.clear();
    this.#departed = [];
    this.#dueAt = undefined;
  }

  /** Notes that a member came. */
  arrived({ key, address, name }: Arrival, now: number, members: number): void {
    this.#arrived.set(key, { address, name, isNew: true });
    this.#schedule(now, members);
  }

  /** Notes that a member has another name, which is told as an arrival. */
  renamed({ key, address, name }: Arrival, now: number, members: number): void {
    this.#arrived.set(key, { address, name, isNew: this.#arrived.get(key)?.isNew ?? false });
    this.#schedule(now, members);
  }

  /**
   * Notes that a member has another address. A move alone is not told, but an arrival or a new name that still waits to
   * be told is told with the new address.
   *
   * @param from The key of the peer that it had before.
   */
  moved(from: string, { key, address }: Pick<Arrival, "key" | "address">): void {
    const arrival = this.#arrived.get(from);
    if (!arrival) return;
    this.#arrived.delete(from);
    this.#arrived.set(key, { ...arrival, address });
  }

  /** Notes that a member went. If its arrival still waits to be told, neither is told. */
  departed({ key, address, name }: Arrival, now: number, members: number): void {
    const arrival = this.#arrived.get(key);
    this.#arrived.delete(key);
    if (!arrival?.isNew) this.#departed.push({ address, name });
    this.#schedule(now, members);
  }

  /**
   * Takes the notices that are due, in as few events as they fit into: departures before arrivals.
   *
   * @param at The time of the events, in Unix milliseconds.
   */
  takeDue(now: number, at = now): NewEvent[] {
    if (this.#dueAt === undefined || this.#dueAt > now) return [];
    this.#dueAt = undefined;
    const events: NewEvent[] = [
      ...batches(this.#departed).map((members): NewEvent => ({ type: "OFFLINE", at, members })),
      ...batches(this.#arrived.values()).map((members): NewEvent => ({ type: "ONLINE", at, members })),
    ];
    this.#departed = [];
    this.#arrived.clear();
    return events;
  }

  #schedule(now: number, members: number): void {
    this.#dueAt ??= now + Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, members * WAIT_PER_MEMBER_MS));
  }
}

/** Splits members into groups, each of which fits into one datagram. */
function batches(members: Iterable<Presence>): Presence[][] {
  const groups: Presence[][] = [];
  let free = 0;
  for (const member of members) {
    const bytes = member.address.length + byteLength(member.name ?? "") + 2;
    if (bytes > free) {
      groups.push([]);
      free = NOTICE_BYTES;
    }
    groups.at(-1)!.push({ address: member.address, name: member.name });
    free -= bytes;
  }
  return groups;
}
