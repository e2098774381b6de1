/**
 * What an address tells: of which family it is, whether it is of this machine alone, and which others count as the same
 * where it is limited how much comes from one place.
 *
 * The addresses are valid ones. They are not checked again, because thousands may be compared in a row.
 *
 * @module
 */

/** Between addresses of two families no datagram goes. */
export type Family = "IPv4" | "IPv6";

const KEY_GROUPS = 4, GROUPS = 8;
const COLON = ":".charCodeAt(0), DOT = ".".charCodeAt(0), NINE = "9".charCodeAt(0);

/**
 * The part of an address that its limits are for: the IP address; for IPv6 its first 64 bits, because a host has as many
 * addresses in its network as it likes (RFC 4291, section 2.5.1).
 */
export function addressKey(address: string): string {
  return isIPv6(address) ? keyGroups(address).join(":") : address.slice(0, address.lastIndexOf(":"));
}

/** Returns a test of whether addresses have the key of this one. */
export function hasKeyOf(address: string): (other: string) => boolean {
  if (!isIPv6(address)) {
    const start = `${addressKey(address)}:`;
    return (other) => other.startsWith(start);
  }
  const wanted = keyGroups(address), found = [0, 0, 0, 0];
  return (other) => isIPv6(other) && keyGroups(other, found).every((group, i) => group === wanted[i]);
}

/** Whether an address is of this machine alone, as a socket reports it. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address.startsWith("[::1]");
}

/** The family of an address. */
export function familyOf(address: string): Family {
  return isIPv6(address) ? "IPv6" : "IPv4";
}

function isIPv6(address: string): boolean {
  return address.startsWith("[");
}

/**
 * Reads the groups of 16 bits in the key of an IPv6 address. For so few a plain array is five times as fast as a typed
 * one, and this is done for each message.
 */
function keyGroups(address: string, groups = [0, 0, 0, 0]): number[] {
  groups.fill(0);
  // where a group begins, or at the second colon of "::"
  let at = address.charCodeAt(1) === COLON ? 2 : 1;
  for (let i = 0; i < KEY_GROUPS; i++) {
    if (address.charCodeAt(at) === COLON) {
      // it stands for as many zeros as are missing
      i = GROUPS - groupsFrom(address, ++at);
      if (i >= KEY_GROUPS) break;
    }
    for (; at < address.length && address.charCodeAt(at) !== COLON; at++) {
      const code = address.charCodeAt(at);
      groups[i] = 16 * groups[i] + (code & 0xf) + (code <= NINE ? 0 : 9);
    }
    at++;
  }
  return groups;
}

/** How many groups an IPv6 address has from a place on. */
function groupsFrom(address: string, at: number): number {
  let count = 0;
  for (let isFirst = true; at < address.length && address[at] !== "]" && address[at] !== "%"; at++) {
    if (isFirst) count++;
    isFirst = address.charCodeAt(at) === COLON;
    // an IPv4 address at the end stands for two groups
    if (address.charCodeAt(at) === DOT) return count + 1;
  }
  return count;
}
