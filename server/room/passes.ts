/**
 * The passes of pairs of members: by its pass, one member knows that a datagram comes from the other.
 *
 * @module
 */
import { newKeyedHash } from "./keyed_hash.ts";

/**
 * Makes the pass of each pair. A source address can be forged, but only the server and these two members know the pass.
 * It is a keyed hash of their tokens, so it needs no memory.
 */
export class Passes {
  readonly #hash = newKeyedHash();

  /** The pass of two members, by their tokens in any order. */
  of(token: string, other: string): string {
    return this.#hash(token < other ? `${token} ${other}` : `${other} ${token}`);
  }
}
