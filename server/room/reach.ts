/**
 * Says whether there is a direct way between two members, as far as the server knows.
 *
 * @module
 */
import { familyOf, isLoopback } from "../../protocol/address_key.ts";
import type { Member } from "./members.ts";

/**
 * Whether datagrams of two members may reach each other. They do not if one has a connection, if their addresses are of
 * different families, or if one is at a loopback address and the other is not. What is between them, a NAT or client
 * isolation, the server does not know.
 */
export function reachEachOther(
  one: Pick<Member, "address" | "direct">,
  other: Pick<Member, "address" | "direct">,
): boolean {
  return one.direct && other.direct &&
    familyOf(one.address) === familyOf(other.address) &&
    isLoopback(one.address) === isLoopback(other.address);
}
