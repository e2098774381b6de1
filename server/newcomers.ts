/**
 * Who has greeted in version 1 and has yet to show that it gets what is sent to its address.
 *
 * @module
 */
import { randomHex64 } from "../protocol/fields.ts";
import type { Member } from "./members.ts";

/** The most newcomers that are waited for at once; beyond it the first is forgotten, and has to greet again. */
const MAX_NEWCOMERS = 10_000;

/** Somebody at an address that no member has. */
interface Newcomer {
  token: string;
  /** The member that says it has moved here. */
  was?: Member;
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
   * @param was The member that says it has moved here, if one does.
   */
  tokenFor(address: string, was?: Member): string {
    let newcomer = this.#byAddress.get(address);
    if (!newcomer) {
      newcomer = { token: randomHex64() };
      this.#byAddress.set(address, newcomer);
      if (this.#byAddress.size > MAX_NEWCOMERS) this.#byAddress.delete(this.#byAddress.keys().next().value!);
    }
    if (was) newcomer.was = was;
    return newcomer.token;
  }

  /** The member that says it has moved to an address, where the token shows who says so. */
  moving(address: string, token: string): Member | undefined {
    const newcomer = this.#byAddress.get(address);
    return newcomer?.token === token ? newcomer.was : undefined;
  }

  /** Takes an address off the list if it has sent its token back; undefined if it has not. */
  admit(address: string, token: string): Newcomer | undefined {
    const newcomer = this.#byAddress.get(address);
    if (newcomer?.token !== token) return undefined;
    this.#byAddress.delete(address);
    return newcomer;
  }
}
