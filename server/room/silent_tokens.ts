/**
 * The tokens of those who were here until they fell silent: a closed lid must not keep anybody out of a locked room.
 *
 * @module
 */
import { addressKey, isLoopback } from "../../protocol/address_key.ts";
import { detach } from "../../protocol/utf8.ts";

/** The most tokens. */
const MAX_TOKENS = 10_000;
/**
 * The most tokens of one IP address but loopback, so that one machine can't push out the others: a hall behind a NAT.
 */
const MAX_PER_ADDRESS = 200;

/** Those who fell silent in one room: by their tokens, or who has none by the keys of their peers. */
export class SilentTokens {
  /** By holder, in the order in which they fell silent: the keys of their IP addresses. */
  readonly #addresses = new Map<string, string>();
  /** The holders with an IP address, in the same order. Those of loopback are one machine's, and are not limited. */
  readonly #byAddress = new Map<string, Set<string>>();

  /** How many there are. */
  get size(): number {
    return this.#addresses.size;
  }

  has(holder: string): boolean {
    return this.#addresses.has(holder);
  }

  /** Notes that somebody at an address fell silent. Too many push out those that fell silent first. */
  add(holder: string, address: string): void {
    this.delete(holder);
    const key = detach(addressKey(address)), limit = isLoopback(address) ? MAX_TOKENS : MAX_PER_ADDRESS;
    let there = this.#byAddress.get(key);
    if (!there) this.#byAddress.set(key, there = new Set());
    const kept = detach(holder);
    this.#addresses.set(kept, key);
    there.add(kept);
    if (there.size > limit) this.delete(there.keys().next().value!);
    if (this.#addresses.size > MAX_TOKENS) this.delete(this.#addresses.keys().next().value!);
  }

  delete(holder: string): void {
    const key = this.#addresses.get(holder);
    if (key === undefined) return;
    this.#addresses.delete(holder);
    const there = this.#byAddress.get(key)!;
    there.delete(holder);
    if (there.size === 0) this.#byAddress.delete(key);
  }

  /** Forgets all that fell silent at the IP address of somebody who has to go; all of loopback may be anybody's. */
  forgetAt(address: string): void {
    if (isLoopback(address)) return;
    for (const holder of this.#byAddress.get(addressKey(address)) ?? []) this.delete(holder);
  }
}
