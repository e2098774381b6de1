/**
 * Who is banned: names and what looks like them, the tokens of those who had them, and networks.
 *
 * Whoever is not here yet may ask at any rate, so each look-up takes the same short time however many bans there are.
 *
 * @module
 */
import { isLoopback } from "../../protocol/address_key.ts";
import { splitAddress } from "../../protocol/fields.ts";
import { addressBytes, formatNetwork, type IPNetwork, isInNetwork, parseNetwork } from "../../protocol/ip_network.ts";
import { skeletons } from "../../protocol/look_alikes.ts";
import { nameKey } from "../../protocol/names.ts";
import type { KeptBan } from "../journal/past.ts";

/** Keeps the bans for the next run of the server. Each method writes before it returns. */
export interface BanKeeper {
  putBan(ban: KeptBan): void;
  dropBans(whats: readonly string[]): void;
}

/** What bans need of the room. */
export interface BansContext {
  /** The bans of an earlier run of the server. */
  kept?: readonly KeptBan[];
  keeper?: BanKeeper;
  /** The addresses of this machine, 16 bytes each, which no ban hits. Default: only those of loopback. */
  ownAddresses?: () => readonly Uint8Array[];
  /** The time that is shown to people, in Unix milliseconds: bans outlive the server's own clock. */
  time: (now: number) => number;
}

/** The most bans. */
export const MAX_BANS = 10_000;

/** The bans of one room. */
export class Bans {
  readonly #context: BansContext;
  /** By {@linkcode keyOf}, in the order in which they were made. */
  readonly #byKey = new Map<string, KeptBan>();
  readonly #byHolder = new Map<string, KeptBan>();
  /** Several banned names may look alike. */
  readonly #bySkeleton = new Map<string, Set<KeptBan>>();
  /** By the lengths of their prefixes, then by the prefixes as hexadecimal digits. */
  readonly #networks = new Map<number, Map<string, KeptBan>>();

  constructor(context: BansContext) {
    this.#context = context;
    for (const ban of context.kept ?? []) this.#insert(ban);
  }

  /** How many there are, those included that have ended since {@linkcode clear}. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Adds a ban, in place of one of the same name or network: whoever that one has hit is hit by this one too. */
  add(added: KeptBan): void {
    const { keeper } = this.#context, before = this.#byKey.get(keyOf(added.what));
    const ban = { ...added, holder: added.holder || (before?.holder ?? "") };
    keeper?.putBan(ban);
    if (before) this.#drop(before);
    // it may be spelled otherwise
    if (before && before.what !== ban.what) keeper?.dropBans([before.what]);
    this.#insert(ban);
  }

  /** Whether there is a ban of a name or network, also one that has ended since {@linkcode clear}. */
  has(what: string): boolean {
    return this.#byKey.has(keyOf(what));
  }

  /** Ends a ban; returns whether there was one. */
  remove(what: string): boolean {
    const ban = this.#byKey.get(keyOf(what));
    if (ban) this.#end([ban]);
    return ban !== undefined;
  }

  /** Ends the bans of all networks inside another one; returns how many there were. */
  removeInside(network: IPNetwork): number {
    const inside = [...this.#networks.values()].flatMap((bans) => [...bans.values()]).filter(({ what }) => {
      const { bytes, prefixLength } = parseNetwork(what)!;
      return prefixLength > network.prefixLength && isInNetwork(bytes, network);
    });
    this.#end(inside);
    return inside.length;
  }

  /** Forgets those that have ended. */
  clear(now: number): void {
    this.#end([...this.#byKey.values()].filter((ban) => !this.#isValid(ban, now)));
  }

  /** All bans, the latest first. */
  all(now: number): KeptBan[] {
    return [...this.#byKey.values()].filter((ban) => this.#isValid(ban, now)).reverse();
  }

  /** How long a ban lasts yet, in milliseconds; undefined for without end. */
  left({ until }: KeptBan, now: number): number | undefined {
    return until === undefined ? undefined : Math.max(0, until - this.#context.time(now));
  }

  /** The ban of a name, or of one that looks like it. */
  ofName(name: string, now: number): KeptBan | undefined {
    if (this.#bySkeleton.size === 0) return undefined;
    const alike = skeletons(name).flatMap((skeleton) => [...this.#bySkeleton.get(skeleton) ?? []]);
    return [this.#byKey.get(nameKey(name)), ...alike].find((ban) => ban && this.#isValid(ban, now));
  }

  /** The ban of whoever has a token, or the key of a peer. */
  ofHolder(holder: string, now: number): KeptBan | undefined {
    const ban = this.#byHolder.get(holder);
    return ban && this.#isValid(ban, now) ? ban : undefined;
  }

  /** The ban of the network that an address is in; undefined also if the address is this machine's own. */
  ofAddress(address: string, now: number): KeptBan | undefined {
    if (this.#networks.size === 0 || isLoopback(address)) return undefined;
    const bytes = addressBytes(splitAddress(address).hostname)!, digits = digitsOf(bytes);
    for (const [length, bans] of this.#networks) {
      const ban = bans.get(prefixOf(digits, length));
      if (ban && this.#isValid(ban, now)) return this.isOwn(bytes) ? undefined : ban;
    }
    return undefined;
  }

  /** A ban of a network that another one is in. */
  around({ bytes, prefixLength }: IPNetwork, now: number): KeptBan | undefined {
    const digits = digitsOf(bytes);
    return [...this.#networks].filter(([length]) => length <= prefixLength)
      .map(([length, bans]) => bans.get(prefixOf(digits, length))).find((ban) => ban && this.#isValid(ban, now));
  }

  /** Whether an address of 16 bytes is this machine's own. */
  isOwn(address: Uint8Array): boolean {
    const digits = digitsOf(address), { ownAddresses = () => [] } = this.#context;
    return digits.startsWith("00000000000000000000ffff7f") || digits === "1".padStart(32, "0") ||
      ownAddresses().some((own) => digitsOf(own) === digits);
  }

  #isValid({ until }: KeptBan, now: number): boolean {
    return until === undefined || until > this.#context.time(now);
  }

  #insert(ban: KeptBan): void {
    this.#byKey.set(keyOf(ban.what), ban);
    if (ban.holder !== "") this.#byHolder.set(ban.holder, ban);
    const network = parseNetwork(ban.what);
    if (network) return void this.#networkMap(network).set(prefixIn(network), ban);
    for (const skeleton of skeletons(ban.what)) {
      const alike = this.#bySkeleton.get(skeleton);
      if (alike) alike.add(ban);
      else this.#bySkeleton.set(skeleton, new Set([ban]));
    }
  }

  #end(bans: KeptBan[]): void {
    if (bans.length === 0) return;
    this.#context.keeper?.dropBans(bans.map(({ what }) => what));
    for (const ban of bans) this.#drop(ban);
  }

  #drop(ban: KeptBan): void {
    this.#byKey.delete(keyOf(ban.what));
    if (this.#byHolder.get(ban.holder) === ban) this.#byHolder.delete(ban.holder);
    const network = parseNetwork(ban.what);
    if (network) {
      const bans = this.#networkMap(network);
      bans.delete(prefixIn(network));
      if (bans.size === 0) this.#networks.delete(network.prefixLength);
      return;
    }
    for (const skeleton of skeletons(ban.what)) {
      const alike = this.#bySkeleton.get(skeleton);
      alike?.delete(ban);
      if (alike?.size === 0) this.#bySkeleton.delete(skeleton);
    }
  }

  #networkMap({ prefixLength }: IPNetwork): Map<string, KeptBan> {
    let bans = this.#networks.get(prefixLength);
    if (!bans) this.#networks.set(prefixLength, bans = new Map());
    return bans;
  }
}

/** What two bans of the same name, or of the same network, have in common. No name is a network too. */
function keyOf(what: string): string {
  const network = parseNetwork(what);
  return network ? formatNetwork(network) : nameKey(what);
}

function prefixIn({ bytes, prefixLength }: IPNetwork): string {
  return prefixOf(digitsOf(bytes), prefixLength);
}

function digitsOf(bytes: Uint8Array): string {
  let digits = "";
  for (const byte of bytes) digits += (byte < 16 ? "0" : "") + byte.toString(16);
  return digits;
}

/** The first bits of an address, as hexadecimal digits; the last one has zeros behind the prefix. */
function prefixOf(digits: string, length: number): string {
  const whole = length >> 2, rest = length & 3;
  if (rest === 0) return digits.slice(0, whole);
  return digits.slice(0, whole) + (parseInt(digits[whole], 16) >> 4 - rest << 4 - rest).toString(16);
}
