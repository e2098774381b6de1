/**
 * Address validation: a client in version 1 must show that it receives what is sent to its address.
 *
 * @module
 */
import { randomHex64 } from "../../protocol/fields.ts";
import { BoundedMap } from "./bounded_map.ts";

/** How long after a greeting its address counts as one of a client that speaks version 1, in milliseconds. */
const RECENT_GREETING_MS = 5000;

/** An address that a client has greeted from and that is not validated yet. */
interface PendingAddress {
  cookie: string;
  /** When a client last greeted from there, in milliseconds. */
  greetedAt: number;
}

/**
 * The cookies that were sent to addresses and have not come back yet.
 *
 * A source address can be forged, but the forger does not receive what is sent there. So a client must send back the
 * cookie of its address before it joins or moves there (the return routability check of RFC 9000, section 8.1, and the
 * cookie of RFC 9147, section 5.1). Until then an address costs this one entry, and gets only answers to the packets
 * that come from it.
 */
export class AddressValidation {
  readonly #byAddress = new BoundedMap<PendingAddress>();

  /** The cookie for an address; the same until {@linkcode forget} is called or too many other addresses follow. */
  cookieFor(address: string, now: number): string {
    let pending = this.#byAddress.get(address);
    if (!pending) {
      pending = { cookie: randomHex64(), greetedAt: now };
      this.#byAddress.set(address, pending);
    }
    pending.greetedAt = now;
    return pending.cookie;
  }

  /** Whether a value that came from an address is the cookie that was sent to this address. */
  isCookieOf(address: string, cookie: string | undefined): boolean {
    return cookie !== undefined && this.#byAddress.get(address)?.cookie === cookie;
  }

  /** Whether a cookie was sent to an address. */
  has(address: string): boolean {
    return this.#byAddress.get(address) !== undefined;
  }

  /**
   * Whether a client has just greeted from an address. The room ignores classic packets from there: our own client also
   * tries the classic dialect when it hears nothing, and repeats the same text in version 1. The time is short, so that
   * one forged greeting can't keep a classic client out for long.
   */
  hasGreetedRecently(address: string, now: number): boolean {
    const pending = this.#byAddress.get(address);
    return pending !== undefined && now < pending.greetedAt + RECENT_GREETING_MS;
  }

  /** Forgets an address and its cookie. */
  forget(address: string): void {
    this.#byAddress.take(address);
  }
}
