/**
 * Who has greeted in version 1 and has yet to show that it gets what is sent to its address.
 *
 * @module
 */
import { randomHex64 } from "../../protocol/fields.ts";
import { BoundedMap } from "./bounded_map.ts";

/** For how long a greeting shows that whoever is at its address speaks version 1, in milliseconds. */
const FRESH_FOR_MS = 5000;

/** Somebody at an address that is not known to be its own. */
interface Newcomer {
  cookie: string;
  /** When it last greeted, in milliseconds. */
  greetedAt: number;
}

/**
 * The cookies that were sent to addresses, to see whether they come back.
 *
 * A source address can be forged, but what is sent there does not reach who has forged it: only who sends the cookie
 * back is let in, or moves there (the return routability check of RFC 9000, section 8.1, and the cookie of RFC 9147,
 * section 5.1). Until then an address costs this one entry, and gets nothing but answers to its own greetings.
 */
export class AddressValidation {
  readonly #byAddress = new BoundedMap<Newcomer>();

  /** The cookie for an address; the same until {@linkcode forget} is called, or too many others have come. */
  cookieFor(address: string, now: number): string {
    let newcomer = this.#byAddress.get(address);
    if (!newcomer) {
      newcomer = { cookie: randomHex64(), greetedAt: now };
      this.#byAddress.set(address, newcomer);
    }
    newcomer.greetedAt = now;
    return newcomer.cookie;
  }

  /** Whether something that came from an address is the cookie that was sent there. */
  isCookieOf(address: string, cookie: string | undefined): boolean {
    return cookie !== undefined && this.#byAddress.get(address)?.cookie === cookie;
  }

  /** Whether a cookie was sent to an address. */
  has(address: string): boolean {
    return this.#byAddress.get(address) !== undefined;
  }

  /**
   * Whether somebody has just greeted from an address. Our own client, when it hears nothing, tries the classic words as
   * well; what it says in them is not to be taken, for it will say the same in version 1. One forged greeting keeps
   * nobody else out for long.
   */
  isFresh(address: string, now: number): boolean {
    const newcomer = this.#byAddress.get(address);
    return newcomer !== undefined && now < newcomer.greetedAt + FRESH_FOR_MS;
  }

  /** Takes an address off the list. */
  forget(address: string): void {
    this.#byAddress.take(address);
  }
}
