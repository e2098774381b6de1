/**
 * Values that only this server can make, and that are good for a while: cookies and nonces.
 *
 * @module
 */
import { type KeyedHash, newKeyedHash } from "./keyed_hash.ts";

/** A keyed hash whose key changes (RFC 9147, section 5.1). The server keeps nothing of the values that it makes. */
export class RotatingHash {
  readonly #lifetime: number;
  #hash: KeyedHash = newKeyedHash();
  #previousHash: KeyedHash = newKeyedHash();
  #since = -Infinity;

  /** @param lifetime How long a key is in use, in milliseconds. A value is known for once to twice as long. */
  constructor(lifetime: number) {
    this.#lifetime = lifetime;
  }

  /** The value for a text: 16 hexadecimal digits. */
  of(text: string, now: number): string {
    this.#changeKey(now);
    return this.#hash(text);
  }

  /** Whether a value was made for a text, not long ago. */
  isOf(text: string, value: string | undefined, now: number): boolean {
    if (value === undefined) return false;
    this.#changeKey(now);
    return value === this.#hash(text) || value === this.#previousHash(text);
  }

  #changeKey(now: number): void {
    if (now < this.#since + this.#lifetime) return;
    // after a long pause, both keys are old
    this.#previousHash = now < this.#since + 2 * this.#lifetime ? this.#hash : newKeyedHash();
    this.#hash = newKeyedHash();
    this.#since = now;
  }
}
