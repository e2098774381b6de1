/**
 * Who came and who went, told together: a room where everyone joins at once must not drown in notices.
 *
 * @module
 */
import { MAX_DATAGRAM_BYTES, type Presence } from "../../protocol.ts";
import { byteLength } from "../../protocol/text.ts";
import type { NewEvent } from "../journal/event_log.ts";

/** The shortest wait for others that come or go, in milliseconds. */
const MIN_WAIT_MS = 100;
/** The longest, in milliseconds. */
const MAX_WAIT_MS = 5000;
/** What each member adds to the wait, in milliseconds: it keeps notices below 500 datagrams a second in all. */
const WAIT_PER_MEMBER_MS = 2;
/** Bytes of an ONLINE or OFFLINE packet that are left for the members behind the longest header. */
const NOTICE_BYTES = MAX_DATAGRAM_BYTES - 100;

/** Collects arrivals and departures until it is time to tell them. */
export class PresenceNotices {
  readonly #arrived = new Map<string, Presence & { isNew: boolean }>();
  #departed: Presence[] = [];
  #dueAt: number | undefined;

  /** When the notices are to be told, in milliseconds of the room's clock; undefined while there are none. */
  get dueAt(): number | undefined {
    return this.#dueAt;
  }

  /** Forgets what was to be told, because nobody is here who could be. */
  clear(): void {
    this.#arrived.clear();
    this.#departed = [];
    this.#dueAt = undefined;
  }

  /** Notes that a member came. */
  arrived({ address, name }: Presence, now: number, members: number): void {
    this.#arrived.set(address, { address, name, isNew: true });
    this.#schedule(now, members);
  }

  /** Notes that a member has another name, which is told as an arrival. */
  renamed({ address, name }: Presence, now: number, members: number): void {
    this.#arrived.set(address, { address, name, isNew: this.#arrived.get(address)?.isNew ?? false });
    this.#schedule(now, members);
  }

  /** Notes that a member has another address; that is not told, unless nobody was told of the old one yet. */
  moved(from: string, to: string): void {
    const arrival = this.#arrived.get(from);
    if (!arrival) return;
    this.#arrived.delete(from);
    this.#arrived.set(to, { ...arrival, address: to });
  }

  /** Notes that a member went; one whose arrival nobody was told of is forgotten instead. */
  departed({ address, name }: Presence, now: number, members: number): void {
    const arrival = this.#arrived.get(address);
    this.#arrived.delete(address);
    if (!arrival?.isNew) this.#departed.push({ address, name });
    this.#schedule(now, members);
  }

  /**
   * The notices that are due, as few events as they fit into: departures before arrivals.
   *
   * @param at The time that they tell, in Unix milliseconds.
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

/** Cuts a crowd into groups that fit into a datagram each. */
function batches(crowd: Iterable<Presence>): Presence[][] {
  const groups: Presence[][] = [];
  let free = 0;
  for (const member of crowd) {
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
