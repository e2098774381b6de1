/**
 * Who has greeted in version 1 and has yet to show that it gets what is sent to its address.
 *
 * @module
 */
import { randomHex64 } from "../protocol/fields.ts";

/** The most newcomers that are waited for at once; beyond it the first is forgotten, and has to greet again. */
const MAX_NEWCOMERS = 10_000;

/** Somebody at an address that no member has. */
interface Newcomer {
  token: string;
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
   * The token for an address; always the same, until the address is {@linkcode admit}ted or forgotten.
   *
   * @param was The token of the member that says it has moved here, if one does.
   */
  tokenFor(address: string, was?: string): string {
    let newcomer = this.#byAddress.get(address);
    if (!newcomer) {
      newcomer = { token: randomHex64() };
      this.#byAddress.set(address, newcomer);
      if (this.#byAddress.size > MAX_NEWCOMERS) this.#byAddress.delete(this.#byAddress.keys().next().value!);
    }
    if (was !== undefined) newcomer.was = was;
    return newcomer.token;
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
