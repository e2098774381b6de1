/**
 * At which addresses of this server others join, and at which of them a client should that is at a loopback address, so
 * that others reach it directly.
 *
 * @module
 */
import { type Family, familyOf, isLoopback } from "../protocol/address_key.ts";
import { formatAddress } from "../protocol/fields.ts";
import { now } from "../runtime/clock.ts";
import { isWildcard, ownAddresses } from "../runtime/own_addresses.ts";

/** How long an answer of the system is kept, in milliseconds. A laptop may change its Wi-Fi while the server runs. */
const KEEP_MS = 10_000;

/**
 * Returns the hosts at which others join, without the port; none if the system does not tell.
 *
 * @param bound The host that the socket is bound to.
 * @param given The host as the user gave it.
 */
export function joinHosts(bound: string, given = bound): string[] {
  return isWildcard(bound) ? ownAddresses(bound) ?? [] : [given];
}

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
   * Returns an address of a family that the server prints to be joined at, as it was 10 s ago at the latest.
   *
   * @param via The IP address of the one that is wanted, if it is among them. Default: the first.
   * @returns undefined if there is none that other machines reach.
   */
  choose(family: Family, via?: string, time = now()): string | undefined {
    const { hostname, port } = this.#bound;
    if (time >= this.#askedAt + KEEP_MS) {
      this.#addresses = joinHosts(hostname).map((hostname) => formatAddress({ hostname, port }));
      this.#askedAt = time;
    }
    const found = this.#addresses.filter((address) => familyOf(address) === family && !isLoopback(address));
    const wanted = via === undefined ? undefined : formatAddress({ hostname: via, port });
    return wanted !== undefined && found.includes(wanted) ? wanted : found[0];
  }
}
