/**
 * Who has greeted in version 1 and has yet to show that it gets what is sent to its address.
 *
 * @module
 */
import { randomHex64 } from "../protocol/fields.ts";

/** The most newcomers that are waited for at once; beyond it the first is forgotten, and has to greet again. */
const MAX_NEWCOMERS = 10_000;
/** For how long a greeting shows that whoever is at its address speaks version 1, in milliseconds. */
const FRESH_FOR_MS = 5000;

/** Somebody at an address that no member has. */
interface Newcomer {
  token: string;
  /** When it last greeted, in milliseconds. */
  greetedAt: number;
  /** The token of the member that says it has moved here. */
  was?: string;
}

/**
 * The tokens that were sent to addresses which are no members yet.
 *
 * A source address can be forged, but what is sent there does not reach who has forged it: only who sends the token
 * back is let in (the return routability check of RFC 9000, section 8.1, and RFC 9147, section 5.1). Until then an
 * address costs this one entry, and gets nothing but answers to its own greetings.
 */
export class Newcomers {
  readonly #byAddress = new Map<string, Newcomer>();

  /**
   * The token for an address; the same until {@linkcode forget} is called, or too many others have come.
   *
   * @param was The token of the member that says it has moved here, if one does.
   */
  tokenFor(address: string, now: number, was?: string): string {
    let newcomer = this.#byAddress.get(address);
    if (!newcomer) {
      newcomer = { token: randomHex64(), greetedAt: now };
      this.#byAddress.set(address, newcomer);
      if (this.#byAddress.size > MAX_NEWCOMERS) this.#byAddress.delete(this.#byAddress.keys().next().value!);
    }
    newcomer.greetedAt = now;
    if (was !== undefined) newcomer.was = was;
    return newcomer.token;
  }

  /**
   * Whether somebody has just greeted from an address. Our own client, when it hears nothing, tries the classic words as
   * well; what it says in them is not to be taken, for it will say the same in version 1. A forged greeting keeps
   * nobody else out for long.
   */
  isFresh(address: string, now: number): boolean {
    const newcomer = this.#byAddress.get(address);
    return newcomer !== undefined && now < newcomer.greetedAt + FRESH_FOR_MS;
  }

  /** Who has sent the token of an address from there; undefined for anybody else. */
  at(address: string, token: string): Readonly<Newcomer> | undefined {
    const newcomer = this.#byAddress.get(address);
    return newcomer?.token === token ? newcomer : undefined;
  }

  /** Takes an address off the list. */
  forget(address: string): void {
    this.#byAddress.delete(address);
  }
}
