/**
 * Which addresses count as one where the room limits how much comes from one place.
 *
 * @module
 */
import { splitAddress } from "../../protocol/fields.ts";
import { addressBytes } from "../../protocol/ip_network.ts";

/**
 * The part of an address that its limits are for: the IP address; for IPv6 its first 64 bits, because a host has as many
 * addresses in its network as it likes (RFC 4291, section 2.5.1).
 */
export function addressKey(address: string): string {
  const { hostname } = splitAddress(address);
  return hostname.includes(":") ? addressBytes(hostname)!.subarray(0, 8).join(".") : hostname;
}
