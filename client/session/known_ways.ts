/**
 * What this client has found out of the ways between it and others, whatever way is in use for what it sends.
 *
 * @module
 */
import type { Presence, Renamed } from "../../protocol.ts";
import { keyOf, type Who } from "./who.ts";

/** A member as the server has named it, with the pass of this client and that member. */
export interface Named {
  pass: string;
  address: string;
  name?: string;
}

/** What was found out last of the way to or from one member. */
interface KnownWay {
  /** What it is called. */
  keys: string[];
  /** Whether what came last has come through the server, or the direct way has stayed silent since. */
  isRelayed: boolean;
  /** When that was found out, in milliseconds. */
  at: number;
  /** From where the last packet has come directly, and when, in milliseconds. */
  from?: string;
  fromAt: number;
  /** When a check last went there, in milliseconds. */
  checkedAt: number;
}

/** Of how many members this is remembered. */
export const MAX_KNOWN = 512;
/**
 * For how long it is remembered from where a packet came, in milliseconds: so long NATs are open (RFC 4787, section
 * 4.3).
 */
const FROM_LIFETIME_MS = 120_000;
/**
 * For how long what has come through the server says that the direct way is closed, in milliseconds: a person answers
 * within.
 */
const RELAYED_LIFETIME_MS = 60_000;
/** The shortest time from one check of where a packet came from to the next, in milliseconds. */
const CHECK_PAUSE_MS = 1000;

/** The ways that are known, by the passes. The members that were heard of last are remembered. */
export class KnownWays {
  readonly #ways = new Map<string, KnownWay>();
  /** The pass of each that is called so. */
  readonly #passes = new Map<string, string>();

  /** Notes that a packet with a pass that is believed has come: from an address, or through the server. */
  heard(named: Named, from: string | undefined, now: number): void {
    this.#note(named, from === undefined ? { isRelayed: true } : { isRelayed: false, from, fromAt: now }, now);
  }

  /** Notes that the direct way to a member has stayed silent. */
  silent(named: Named, now: number): void {
    this.#note(named, { isRelayed: true, from: undefined }, now);
  }

  /** Takes the server's word on who has a pass: what is known of another one does not go for that name and address. */
  named({ pass, ...named }: Named): void {
    for (const key of keysOf(named)) if (this.#passes.get(key) !== pass) this.#passes.delete(key);
  }

  /**
   * Takes note of who has come, or has left: what is known of who was called so does not go for who is called so next.
   */
  noteMembers(members: Presence[], isHere: boolean): void {
    for (const member of members) {
      const keys = keysOf(member);
      for (const key of keys) {
        const known = this.#ways.get(this.#passes.get(key) ?? "");
        if (!isHere || known?.keys.join() !== keys.join()) this.#passes.delete(key);
      }
    }
  }

  /** Takes note of who has another name: what is known of it goes for that. */
  noteRenamed(members: Renamed[]): void {
    for (const { address, name, before } of members) {
      const pass = this.#passes.get(before === undefined ? address : keyOf({ name: before })) ?? "";
      const way = this.#ways.get(pass);
      if (before !== undefined) this.#passes.delete(keyOf({ name: before }));
      this.noteMembers([{ address, name }], true);
      if (!way?.keys.includes(address)) continue;
      way.keys = keysOf({ address, name });
      for (const key of way.keys) this.#passes.set(key, pass);
    }
  }

  /** Whether a member is reached, or has reached this client, through the server only, as far as is known. */
  isRelayed(who: Who | { pass: string }): boolean {
    const pass = "pass" in who ? who.pass : this.#passes.get(keyOf(who)) ?? "";
    return this.#ways.get(pass)?.isRelayed === true;
  }

  /** Whether a packet with a pass has come through the server a short while ago, and none directly since. */
  isJustRelayed(pass: string, now: number): boolean {
    const way = this.#ways.get(pass);
    return way !== undefined && way.isRelayed && now < way.at + RELAYED_LIFETIME_MS;
  }

  /** From where the last packet with a pass has come directly, if a check may go there now. */
  checkable(pass: string, now: number): string | undefined {
    const way = this.#ways.get(pass);
    if (!way || now >= way.fromAt + FROM_LIFETIME_MS || now < way.checkedAt + CHECK_PAUSE_MS) return undefined;
    return way.from;
  }

  /** Notes that a check goes there. */
  checked(pass: string, now: number): void {
    const way = this.#ways.get(pass);
    if (way) way.checkedAt = now;
  }

  #note({ pass, address, name }: Named, found: Pick<KnownWay, "isRelayed"> & Partial<KnownWay>, now: number): void {
    const before = this.#ways.get(pass), keys = keysOf({ address, name });
    this.#forget(pass);
    this.#ways.set(pass, { fromAt: -Infinity, checkedAt: -Infinity, ...before, ...found, keys, at: now });
    for (const key of keys) this.#passes.set(key, pass);
    if (this.#ways.size > MAX_KNOWN) this.#forget(this.#ways.keys().next().value!);
  }

  #forget(pass: string): void {
    for (const key of this.#ways.get(pass)?.keys ?? []) if (this.#passes.get(key) === pass) this.#passes.delete(key);
    this.#ways.delete(pass);
  }
}

function keysOf({ address, name }: Omit<Named, "pass">): string[] {
  return [address, ...(name === undefined ? [] : [keyOf({ name })])];
}
