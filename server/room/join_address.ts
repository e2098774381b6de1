/**
 * Where a member on the server's own machine could join, so that others reach it directly.
 *
 * @module
 */
import { type Family, familyOf, isLoopback } from "../../protocol/address_key.ts";
import type { Members } from "./members.ts";
import type { Peer } from "./peer.ts";

/**
 * Returns the address of this server at which others join, of a family; undefined if there is none that reaches it from
 * elsewhere. It is called for each greeting from a loopback address.
 *
 * @param via By which IP address of the server one of the others has asked it, if that is known.
 */
export type JoinAddress = (family: Family, via?: string) => string | undefined;

/** Where a member at a loopback address could join, so that others reach it directly; undefined if all do already. */
export function joinInsteadOf({ address }: Peer, members: Members, joinAddress: JoinAddress): string | undefined {
  if (!isLoopback(address)) return undefined;
  const families: Family[] = familyOf(address) === "IPv4" ? ["IPv4", "IPv6"] : ["IPv6", "IPv4"];
  return families.filter((family) => members.hasElsewhere(family))
    // of several addresses, not each is in a network of the others
    .map((family) => joinAddress(family, members.lastHeardElsewhere(family)?.via))
    .find((address) => address !== undefined);
}
