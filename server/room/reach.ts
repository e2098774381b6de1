/**
 * Says whether there is a direct way between two members, as far as the server knows.
 *
 * @module
 */
import { isIPv6, isLoopback } from "../../protocol/address_key.ts";
import type { Member } from "./members.ts";

/** Where a member is. */
type Place = Pick<Member, "address" | "direct">;

/**
 * Whether datagrams of two members may reach each other. They do not if one has a connection, if their addresses are of
 * different families, or if one is at a loopback address and the other is not. What is between them, a NAT or client
 * isolation, the server does not know.
 */
export function reachEachOther(one: Place, other: Place): boolean {
  return one.direct && other.direct &&
    isIPv6(one.address) === isIPv6(other.address) &&
    isLoopback(one.address) === isLoopback(other.address);
}
