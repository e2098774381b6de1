/**
 * IP networks as text, `10.0.0.0/8` and `fe80::/10`, and which addresses are in them (RFC 4632, section 3.1).
 *
 * @module
 */
import { canonicalIPv6, isIPv4, isIPv6 } from "./ip_address.ts";

/** All addresses that begin with the same bits. An IPv4 address counts as its IPv4-mapped one, `::ffff:10.0.0.1`. */
export interface IPNetwork {
  /** An address of the network, 16 bytes. */
  readonly bytes: Uint8Array;
  /** How many bits all addresses of the network share, 0 to 128. */
  readonly prefixLength: number;
}

/** The first bits of an IPv4-mapped address (RFC 4291, section 2.5.5.2): 80 of 0 and 16 of 1. */
const MAPPED_PREFIX_BITS = 96;

/**
 * The 16 bytes of an IP address; those of the IPv4-mapped one for IPv4. A zone, `fe80::1%eth0`, is left out.
 *
 * @returns undefined when the text is no address.
 */
export function addressBytes(address: string): Uint8Array | undefined {
  const bytes = new Uint8Array(16);
  let ipv4 = address;
  if (!isIPv4(address)) {
    if (!isIPv6(address)) return undefined;
    ipv4 = canonicalIPv6(address.split("%", 1)[0]);
    if (ipv4.includes(":")) {
      const [left, right = []] = ipv4.split("::").map((half) => half === "" ? [] : half.split(":"));
      const groups = [...left, ...Array(8 - left.length - right.length).fill("0"), ...right];
      bytes.set(groups.map((group) => parseInt(group, 16)).flatMap((group) => [group >> 8, group & 0xff]));
      return bytes;
    }
  }
  bytes.set([0xff, 0xff, ...ipv4.split(".").map(Number)], 10);
  return bytes;
}

/**
 * Parses a network: `10.0.0.0/8`, `fe80::/10`, or an address alone for a network of one. Bits behind the prefix may
 * have any value, as in `192.168.1.7/24`.
 *
 * @returns undefined when the text is no network.
 */
export function parseNetwork(text: string): IPNetwork | undefined {
  const [, address, digits] = /^([^/%]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const bytes = address === undefined ? undefined : addressBytes(address);
  if (!bytes) return undefined;
  const offset = isIPv4(address) ? MAPPED_PREFIX_BITS : 0;
  const prefixLength = digits === undefined ? 128 : offset + Number(digits);
  return prefixLength <= 128 ? { bytes, prefixLength } : undefined;
}

/** Whether an address, of 16 bytes, is in a network. */
export function isInNetwork(address: Uint8Array, { bytes, prefixLength }: IPNetwork): boolean {
  for (let i = 0, bits = prefixLength; bits > 0; i++, bits -= 8) {
    const difference = address[i] ^ bytes[i];
    if (bits >= 8 ? difference !== 0 : difference >> 8 - bits !== 0) return false;
  }
  return true;
}

/** The shortest text of a network, with the bits behind its prefix cleared; an address alone for a network of one. */
export function formatNetwork({ bytes, prefixLength }: IPNetwork): string {
  const cleared = bytes.map((byte, i) => byte & 0xff << Math.max(0, Math.min(8, 8 * (i + 1) - prefixLength)));
  const isMapped = prefixLength >= MAPPED_PREFIX_BITS &&
    cleared.subarray(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 0xff));
  const length = isMapped ? prefixLength - MAPPED_PREFIX_BITS : prefixLength;
  const groups = Array.from({ length: 8 }, (_, i) => (cleared[2 * i] << 8 | cleared[2 * i + 1]).toString(16));
  const address = isMapped ? cleared.subarray(12).join(".") : canonicalIPv6(groups.join(":"));
  return prefixLength === 128 ? address : `${address}/${length}`;
}
