/**
 * The interface of the accounts: the names that are protected by a password, and what is kept in place of it.
 *
 * @module
 */
import { skeletons } from "../../protocol/look_alikes.ts";
import { nameKey } from "../../protocol/names.ts";
import type { StoredKeys } from "../../protocol/scram.ts";

/** A protected name. */
export interface Account extends StoredKeys {
  name: string;
  /** 16 bytes. */
  salt: Uint8Array;
  rounds: number;
  /** Whether whoever has the name may keep order. */
  isOperator: boolean;
}

/** Keeps the accounts. Names are compared without case. It answers at once; {@linkcode put} and {@linkcode remove} write first. */
export interface Accounts {
  readonly size: number;
  get(name: string): Account | undefined;
  /** An account whose name looks like a name, the one with this very name included. */
  lookAlikeOf(name: string): Account | undefined;
  /** Adds an account, or changes the one with its name. */
  put(account: Account): void;
  /** Returns whether there was one. */
  remove(name: string): boolean;
  /** All accounts, sorted by their names. */
  all(): Account[];
}

/** Accounts in memory alone. */
export class MemoryAccounts implements Accounts {
  readonly #byName = new Map<string, Account>();
  readonly #bySkeleton = new Map<string, Account>();

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
    this.remove(account.name);
    this.#byName.set(nameKey(account.name), account);
    for (const skeleton of skeletons(account.name)) this.#bySkeleton.set(skeleton, account);
  }

  remove(name: string): boolean {
    const account = this.get(name);
    if (!account) return false;
    this.#byName.delete(nameKey(name));
    for (const skeleton of skeletons(account.name)) {
      // another name may look the same
      if (this.#bySkeleton.get(skeleton) === account) this.#bySkeleton.delete(skeleton);
    }
    return true;
  }

  all(): Account[] {
    return [...this.#byName.values()].sort((a, b) => nameKey(a.name) < nameKey(b.name) ? -1 : 1);
  }
}
