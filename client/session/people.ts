/**
 * Who else is around: names to complete, and people not to be heard.
 *
 * @module
 */
import { nameKey } from "../../protocol/fields.ts";

/** How many names are remembered for completion. */
const MAX_NAMES = 5000;

/** Someone as a message shows them. */
export interface Person {
  address: string;
  name?: string;
}

/** The names that were seen, and the list of the ignored. */
export class People {
  readonly #names = new Map<string, string>();
  readonly #ignored = new Map<string, string>();

  /** The names that were seen, sorted. */
  get names(): string[] {
    return [...this.#names.values()].sort((a, b) => a.localeCompare(b));
  }

  /** The names of the others, sorted: without one's own. */
  namesBut(own: string | undefined): string[] {
    return this.names.filter((name) => own === undefined || nameKey(name) !== nameKey(own));
  }

  /** Whom the user does not want to hear, by name or address. */
  get ignored(): string[] {
    return [...this.#ignored.values()];
  }

  /** Remembers that someone is here. */
  saw(name: string | undefined): void {
    if (name !== undefined && this.#names.size < MAX_NAMES) this.#names.set(nameKey(name), name);
  }

  /** Forgets someone who has left. */
  lost(name: string | undefined): void {
    if (name !== undefined) this.#names.delete(nameKey(name));
  }

  /** Hears someone no more, by name or address. */
  ignore(who: string): void {
    this.#ignored.set(nameKey(who), who);
  }

  /** Hears someone again; returns whether they were ignored. */
  unignore(who: string): boolean {
    return this.#ignored.delete(nameKey(who));
  }

  isIgnored({ address, name }: Person): boolean {
    if (this.#ignored.size === 0) return false;
    return this.#ignored.has(address) || name !== undefined && this.#ignored.has(nameKey(name));
  }
}
