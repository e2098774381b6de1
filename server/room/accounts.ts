/**
 * The interface of the accounts: the names that are protected by a password, and what is kept in place of it.
 *
 * @module
 */
import { skeletons } from "../../protocol/look_alikes.ts";
import { compareKeys, nameKey } from "../../protocol/names.ts";
import type { KeptAccount } from "../journal/past.ts";

/** A protected name. */
export type Account = KeptAccount;

/** Keeps the accounts. Names are compared without case. It answers at once; what changes them writes first. */
export interface Accounts {
  readonly size: number;
  get(name: string): Account | undefined;
  /** An account whose name looks like a name, the one with this very name included. */
  lookAlikeOf(name: string): Account | undefined;
  /** Adds an account, or changes the one with its name. */
  put(account: Account): void;
  /** Returns whether there was one. */
  remove(name: string): boolean;
  /** Removes all of several that there are, at once. */
  removeAll(names: readonly string[]): void;
  /** All accounts, sorted by their names. */
  all(): Account[];
  /** The keys of the IP addresses from which an account was signed in to, the latest last. */
  knownAddresses(name: string): readonly string[];
  setKnownAddresses(name: string, addresses: readonly string[]): void;
}

/** Where the accounts are kept beyond the end of the server. Each call writes before it returns. */
export interface AccountStore {
  put(account: Account): void;
  /** Either all of them are removed or none. */
  removeAll(names: readonly string[]): void;
  setKnownAddresses(name: string, addresses: readonly string[]): void;
}

/** The most accounts of one server. */
export const MAX_ACCOUNTS = 10_000;

/** Accounts in memory, which also go into a store if there is one. */
export class MemoryAccounts implements Accounts {
  readonly #byName = new Map<string, Account>();
  readonly #bySkeleton = new Map<string, Account>();
  readonly #store: AccountStore | undefined;
  /** By the keys of the names. */
  readonly #known: Map<string, readonly string[]>;

  /**
   * @param kept What is in the store already.
   * @param known The known addresses in the store, by the keys of the names.
   */
  constructor(kept: Iterable<Account> = [], store?: AccountStore, known: Iterable<[string, readonly string[]]> = []) {
    this.#store = store;
    this.#known = new Map(known);
    for (const account of kept) this.#add(account);
  }

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): Account | undefined {
    return this.#byName.get(nameKey(name));
  }

  lookAlikeOf(name: string): Account | undefined {
    return this.get(name) ?? skeletons(name).map((skeleton) => this.#bySkeleton.get(skeleton)).find((it) => it);
  }

  put(account: Account): void {
    this.#store?.put(account);
    this.#drop(account.name);
    this.#add(account);
  }

  remove(name: string): boolean {
    if (!this.get(name)) return false;
    this.removeAll([name]);
    return true;
  }

  removeAll(names: readonly string[]): void {
    const there = names.filter((name) => this.get(name));
    if (there.length === 0) return;
    this.#store?.removeAll(there);
    for (const name of there) {
      this.#drop(name);
      this.#known.delete(nameKey(name));
    }
  }

  all(): Account[] {
    return [...this.#byName.values()].sort((a, b) => compareKeys(nameKey(a.name), nameKey(b.name)));
  }

  knownAddresses(name: string): readonly string[] {
    return this.#known.get(nameKey(name)) ?? [];
  }

  setKnownAddresses(name: string, addresses: readonly string[]): void {
    if (!this.get(name)) return;
    const before = this.knownAddresses(name);
    this.#known.set(nameKey(name), addresses);
    // their order alone is not worth a write
    const isSame = before.length === addresses.length && addresses.every((address) => before.includes(address));
    if (!isSame) this.#store?.setKnownAddresses(name, addresses);
  }

  #add(account: Account): void {
    this.#byName.set(nameKey(account.name), account);
    for (const skeleton of skeletons(account.name)) this.#bySkeleton.set(skeleton, account);
  }

  #drop(name: string): void {
    const account = this.get(name);
    if (!account) return;
    this.#byName.delete(nameKey(name));
    for (const skeleton of skeletons(account.name)) {
      // another name may look the same
      if (this.#bySkeleton.get(skeleton) === account) this.#bySkeleton.delete(skeleton);
    }
  }
}
