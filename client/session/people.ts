/**
 * The other people in the room: their names for completion, and those whom the user ignores.
 *
 * @module
 */
import { nameKey } from "../../protocol/names.ts";

/** How many names are remembered for completion. */
const MAX_NAMES = 5000;

/** The sender of a message. */
export interface Person {
  address: string;
  name?: string;
}

/** The names that were seen, and the names and addresses that are ignored. */
export class People {
  readonly #names = new Map<string, string>();
  /** Those whom the user ignores, by their keys; and under which name, if that is one that somebody ignored has taken. */
  readonly #ignored = new Map<string, { who: string; before?: string }>();

  /** The names that were seen, sorted. */
  get names(): string[] {
    return [...this.#names.values()].sort((a, b) => a.localeCompare(b));
  }

  /** The names that were seen, without `own`, sorted. */
  namesBut(own: string | undefined): string[] {
    return this.names.filter((name) => own === undefined || nameKey(name) !== nameKey(own));
  }

  /** The names and addresses that the user ignores. */
  get ignored(): string[] {
    return [...this.#ignored.values()].map(({ who }) => who);
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
    this.#ignored.set(nameKey(who), { who });
  }

  /**
   * Takes note that somebody has another name: who is ignored by the old one stays so. Returns whether the user is to be
   * told of it.
   */
  renamed(before: string | undefined, name: string): boolean {
    this.forget(before);
    this.remember(name);
    const old = before === undefined ? undefined : this.#ignored.get(nameKey(before));
    // of each name that the user has typed one that was taken since is remembered, however often it changes
    if (old?.before !== undefined) this.#ignored.delete(nameKey(before!));
    if (!old || this.#ignored.has(nameKey(name))) return false;
    this.#ignored.set(nameKey(name), { who: name, before });
    return true;
  }

  /** Takes back what {@linkcode renamed} was told, as somebody has forged it. */
  notRenamed(before: string | undefined, name: string): void {
    if (before !== undefined && this.#ignored.get(nameKey(name))?.before === before) this.unignore(name);
  }

  /** Stops ignoring a name or an address; returns whether it was ignored. */
  unignore(who: string): boolean {
    return this.#ignored.delete(nameKey(who));
  }

  isIgnored({ address, name }: Person): boolean {
    if (this.#ignored.size === 0) return false;
    return this.#ignored.has(nameKey(address)) || name !== undefined && this.#ignored.has(nameKey(name));
  }
}
