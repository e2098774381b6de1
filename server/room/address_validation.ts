/**
 * Address validation: a client in version 1 must show that it receives what is sent to its address.
 *
 * @module
 */
import { encode, type V1Packet } from "../../protocol.ts";
import { splitText } from "../../protocol/text.ts";
import { byteLength } from "../../protocol/utf8.ts";
import { BoundedMap } from "./bounded_map.ts";
import { RotatingHash } from "./rotating_hash.ts";

/** How long a key is in use, in milliseconds. A cookie is accepted for once to twice as long. */
const KEY_LIFETIME_MS = 30_000;
/** How long after a greeting its address counts as one of a client that speaks version 1, in milliseconds. */
const RECENT_GREETING_MS = 5000;
/**
 * How many times the bytes that came from an address may go there before it is validated (RFC 9000, section 8.1). Each
 * answer keeps to this alone, so the limit holds for all addresses of a network together, and needs no memory.
 */
const AMPLIFICATION_LIMIT = 3;

/** What stands at the end of a text that was cut. */
const CUT = "…";

/** Whether an answer is short enough for an address that may be forged, to a request of so many bytes. */
export function isShortEnough(answer: V1Packet, requestBytes: number): boolean {
  return encode(answer).length <= AMPLIFICATION_LIMIT * requestBytes;
}

/**
 * An ERROR to an address that may be forged, its text cut so that it is short enough. Without a text it always is: the
 * request has the token, the id and the stream too.
 */
export function shortened<T extends V1Packet & { type: "ERROR" }>(error: T, requestBytes: number): T {
  const tooMany = encode(error).length - AMPLIFICATION_LIMIT * requestBytes;
  if (tooMany <= 0) return error;
  const left = byteLength(error.text) - tooMany - byteLength(CUT);
  return { ...error, text: left > 0 ? splitText(error.text, left)[0] + CUT : "" };
}

/**
 * Makes and checks cookies.
 *
 * A source address can be forged, but the forger does not receive what is sent there. So a client must send back the
 * cookie of its address before it joins or moves there (the return routability check of RFC 9000, section 8.1). A
 * cookie is a keyed hash of the address, and the key changes: the server keeps nothing, so forged greetings can't push
 * out the cookie of an honest client.
 */
export class AddressValidation {
  readonly #cookies = new RotatingHash(KEY_LIFETIME_MS);
  /** When a client last greeted in version 1, by address, in milliseconds. */
  readonly #greetedAt = new BoundedMap<number>();

  /** The cookie for an address. */
  cookieFor(address: string, now: number): string {
    return this.#cookies.of(address, now);
  }

  /** Whether a value that came from an address is the cookie that was sent to this address, not long ago. */
  isCookieOf(address: string, cookie: string | undefined, now: number): boolean {
    return this.#cookies.isOf(address, cookie, now);
  }

  /** Notes that a client has greeted in version 1 from an address. */
  noteGreeting(address: string, now: number): void {
    this.#greetedAt.set(address, now);
  }

  /**
   * Whether a client has just greeted from an address. The room ignores classic packets from there: our own client also
   * tries the classic dialect when it hears nothing, and repeats the same text in version 1. The time is short, so that
   * one forged greeting can't keep a classic client out for long.
   */
  hasGreetedRecently(address: string, now: number): boolean {
    return now < (this.#greetedAt.get(address) ?? -Infinity) + RECENT_GREETING_MS;
  }
}
