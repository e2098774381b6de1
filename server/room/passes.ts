/**
 * The passes of pairs of members: by its pass, one member knows that a packet comes from the other.
 *
 * @module
 */
import { randomHex64 } from "../../protocol/fields.ts";
import { type KeyedHash, newKeyedHash } from "./keyed_hash.ts";
import type { Member } from "./members.ts";

/**
 * Makes the pass of each pair. A source address can be forged, but only the server and these two members know the pass.
 * It is a keyed hash of their tokens.
 */
export class Passes {
  readonly #hash: KeyedHash;
  /** What stands in for the token of a member that has none. The next connection from the same port is another member. */
  readonly #ids = new WeakMap<Member, string>();

  /** @param key 256 bits as hexadecimal digits; with the same key the same members have the same pass. Default: random ones. */
  constructor(key?: string) {
    this.#hash = newKeyedHash(key === undefined ? undefined : new TextEncoder().encode(key));
  }

  /** The pass of two members, in any order. */
  of(one: Member, other: Member): string {
    const [first, second] = [this.#idOf(one), this.#idOf(other)].sort();
    return this.#hash(`${first} ${second}`);
  }

  #idOf(member: Member): string {
    if (member.token) return member.token;
    let id = this.#ids.get(member);
    if (id === undefined) this.#ids.set(member, id = randomHex64());
    return id;
  }
}
