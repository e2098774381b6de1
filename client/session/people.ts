/**
 * The other people in the room: their names for completion, and those whom the user ignores.
 *
 * @module
 */
import type { EventPacket, Renamed } from "../../protocol.ts";
import { nameKey } from "../../protocol/names.ts";

/** How many names are remembered for completion. */
const MAX_NAMES = 5000;
/** How many steps can be taken back. An event that may be forged is found out, or not, within seconds. */
const MAX_STEPS = 8;

/** An event that says who came, who went or who has another name. */
export type PeopleEvent = Exclude<EventPacket, { type: "INCOMING" | "NOTICE" }>;

/** The sender of a message. */
export interface Person {
  address: string;
  name?: string;
}

/** Whom the user ignores beside the name that was typed, since an event. */
interface Step {
  readonly event: PeopleEvent;
  /** The one that had this name, under the name that it has taken; undefined for nobody. */
  readonly followed?: { key: string; name: string; address: string };
}

/** A name or an address that the user has typed to be ignored. */
interface Ignored {
  readonly who: string;
  /** The last one holds. */
  readonly steps: Step[];
  /** Whether the user was told that somebody is followed. */
  isTold: boolean;
}

/** The names that were seen, and the names and addresses that are ignored. */
export class People {
  readonly #names = new Map<string, string>();
  /** By the keys of what was typed. */
  readonly #ignored = new Map<string, Ignored>();

  /** The names that were seen, sorted. */
  get names(): string[] {
    return [...this.#names.values()].sort((a, b) => a.localeCompare(b));
  }

  /** The names that were seen, without `own`, sorted. */
  namesBut(own: string | undefined): string[] {
    return this.names.filter((name) => own === undefined || nameKey(name) !== nameKey(own));
  }

  /** The names and addresses that the user ignores: those that were typed, each with the name that is followed. */
  get ignored(): string[] {
    const ignored = new Map<string, string>();
    for (const [key, entry] of this.#ignored) {
      ignored.set(key, entry.who);
      const followed = followedBy(entry);
      if (followed && !this.#ignored.has(followed.key)) ignored.set(followed.key, followed.name);
    }
    return [...ignored.values()];
  }

  /** Remembers that someone is here, and forgets who was heard of the longest time ago if there are too many. */
  remember(name: string | undefined): void {
    if (name === undefined) return;
    const key = nameKey(name);
    this.#names.delete(key);
    this.#names.set(key, name);
    if (this.#names.size <= MAX_NAMES) return;
    const [oldest] = this.#names.keys();
    this.#names.delete(oldest);
  }

  /** Forgets someone who has left. */
  forget(name: string | undefined): void {
    if (name !== undefined) this.#names.delete(nameKey(name));
  }

  /** Ignores a name or an address. */
  ignore(who: string): void {
    const { steps = [], isTold = false } = this.#ignored.get(nameKey(who)) ?? {};
    this.#ignored.set(nameKey(who), { who, steps, isTold });
  }

  /**
   * Takes note of who came, went or has another name. Of each name that the user ignores one member is followed:
   * whoever had it first, from name to name, until it goes. Whoever has the name that was typed stays ignored too.
   *
   * @returns Who is newly ignored, for the user to be told: once for each name that was typed.
   */
  take(event: PeopleEvent): Renamed[] {
    this.#noteNames(event);
    const told: Renamed[] = [];
    for (const [key, entry] of this.#ignored) {
      const before = followedBy(entry), renamed = nextOf(event, key, before);
      if (renamed === undefined) continue;
      const { address, name } = renamed ?? {}, nextKey = nameKey(name ?? "");
      const followed = renamed && nextKey !== key ? { key: nextKey, name: name!, address: address! } : undefined;
      entry.steps.push({ event, followed });
      if (entry.steps.length > MAX_STEPS) entry.steps.shift();
      if (!followed || entry.isTold || this.#ignored.has(nextKey)) continue;
      entry.isTold = true;
      told.push(renamed!);
    }
    return told;
  }

  /** Takes back what an event has changed of who is ignored, as somebody has forged it. */
  takeBack(event: PeopleEvent): void {
    for (const { steps } of this.#ignored.values()) {
      const index = steps.findIndex((step) => step.event === event);
      // what came behind it was about another member
      if (index >= 0) steps.splice(index);
    }
  }

  /** Stops ignoring a name or an address; returns whether it was ignored. */
  unignore(who: string): boolean {
    const key = nameKey(who);
    let isUndone = this.#ignored.delete(key);
    for (const entry of this.#ignored.values()) {
      if (followedBy(entry)?.key !== key) continue;
      entry.steps.length = 0;
      // whoever is followed next is somebody else
      entry.isTold = false;
      isUndone = true;
    }
    return isUndone;
  }

  isIgnored({ address, name }: Person): boolean {
    if (this.#ignored.size === 0) return false;
    if (this.#ignored.has(nameKey(address))) return true;
    if (name === undefined) return false;
    const key = nameKey(name);
    return this.#ignored.has(key) || [...this.#ignored.values()].some((entry) => followedBy(entry)?.key === key);
  }

  #noteNames(event: PeopleEvent): void {
    if (event.type === "RENAMED") { for (const { before } of event.members) this.forget(before); }
    for (const { name } of event.members) event.type === "OFFLINE" ? this.forget(name) : this.remember(name);
  }
}

function followedBy({ steps }: Ignored): Step["followed"] {
  return steps.at(-1)?.followed;
}

/**
 * Whom to follow after an event, for an ignored name with this key.
 *
 * @returns Null for nobody any more, undefined for no change.
 */
function nextOf(event: PeopleEvent, key: string, followed: Step["followed"]): Renamed | null | undefined {
  if (event.type === "OFFLINE") {
    return followed && event.members.some(({ name }) => hasKey(name, followed.key)) ? null : undefined;
  }
  if (event.type === "RENAMED") {
    const renamed = event.members.find(({ before }) => hasKey(before, followed?.key ?? key));
    if (renamed) return renamed;
  }
  // whoever has this name now is another one
  const isAnothers = event.members.some(({ name, address }) => {
    return followed && hasKey(name, followed.key) && address !== followed.address;
  });
  return isAnothers ? null : undefined;
}

function hasKey(name: string | undefined, key: string): boolean {
  return name !== undefined && nameKey(name) === key;
}
