/**
 * Checks and normalises IP addresses as text. This is our own implementation because a browser has no such checks.
 *
 * @module
 */

/** Whether a text is an IPv4 address: four numbers from 0 to 255 in their shortest form, `127.0.0.1`. */
export function isIPv4(text: string): boolean {
  const octets = text.split(".");
  return octets.length === 4 && octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255);
}

/**
 * Whether a text is an IPv6 address (RFC 4291, section 2.2): eight groups of hexadecimal digits, where `::` stands once
 * for one or more groups of zeros, and an IPv4 address may stand for the last two. A zone may follow (RFC 4007,
 * section 11): `fe80::1%eth0`.
 */
export function isIPv6(text: string): boolean {
  const [, address] = /^([^%]*)(?:%[\w.:-]+)?$/.exec(text) ?? [];
  if (address === undefined) return false;
  const [left, right, ...more] = address.split("::").map((half) => half === "" ? [] : half.split(":"));
  if (more.length > 0) return false;
  const groups = [...left, ...right ?? []];
  let length = groups.length;
  if (isIPv4((right ?? left).at(-1) ?? "")) {
    groups.pop();
    length++;
  }
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  return right === undefined ? length === 8 : length < 8;
}

/**
 * The form of an IPv6 address that sockets report (RFC 5952). For an IPv4-mapped address, `::ffff:10.0.0.1`, it is the
 * IPv4 address. The text must not have a zone.
 *
 * @throws {TypeError} when the text is not such an address.
 */
export function canonicalIPv6(text: string): string {
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonical) ?? [];
  if (high === undefined) return canonical;
  return [high, low].map((word) => parseInt(word, 16)).flatMap((word) => [word >> 8, word & 0xff]).join(".");
}
