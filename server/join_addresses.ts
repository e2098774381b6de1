/**
 * At which address of this server a client should join that is at a loopback address, so that others reach it directly.
 *
 * @module
 */
import { isIPv6, isLoopback } from "../protocol/address_key.ts";
import { formatAddress } from "../protocol/fields.ts";
import { now } from "../runtime/clock.ts";
import { isWildcard, ownAddresses } from "../runtime/own_addresses.ts";

/** How long an answer of the system is kept, in milliseconds. A laptop may change its Wi-Fi while the server runs. */
const KEEP_MS = 10_000;

/** Asks the system for the addresses of this machine, now and then. */
export class JoinAddresses {
  readonly #bound: Deno.NetAddr;
  #addresses: string[] = [];
  #askedAt = -Infinity;

  /** @param bound The address that the socket is bound to. */
  constructor(bound: Deno.NetAddr) {
    this.#bound = bound;
  }

  /**
   * Returns the first address of a family that the server prints to be joined at, as it was 10 s ago at the latest.
   *
   * @returns undefined if there is none that other machines reach.
   */
  first(isOfIPv6: boolean, time = now()): string | undefined {
    if (time >= this.#askedAt + KEEP_MS) {
      const { hostname, port } = this.#bound;
      const hosts = isWildcard(hostname) ? ownAddresses(hostname) ?? [] : [hostname];
      this.#addresses = hosts.map((hostname) => formatAddress({ hostname, port }));
      this.#askedAt = time;
    }
    return this.#addresses.find((address) => isIPv6(address) === isOfIPv6 && !isLoopback(address));
  }
}
