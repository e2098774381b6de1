/**
 * CRC-32 as in Ethernet, gzip and PNG (ISO 3309). This is our own implementation because a browser has none.
 *
 * @module
 */

/** The polynomial x^32 + x^26 + ... + 1 in reflected form: its bits are in the order in which they arrive. */
const POLYNOMIAL = 0xedb88320;

/** The remainder for each value of a byte. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? remainder >>> 1 ^ POLYNOMIAL : remainder >>> 1;
  return remainder;
});

/**
 * The CRC-32 of bytes, as an unsigned number.
 *
 * @param start The index of the first byte.
 * @param end The index behind the last byte.
 * @param before The CRC-32 of the bytes before these.
 *
 * @example
 * ```ts ignore
 * crc32(new TextEncoder().encode("123456789")).toString(16); // "cbf43926"
 * ```
 */
export function crc32(bytes: Uint8Array, start = 0, end: number = bytes.length, before = 0): number {
  let crc = ~before;
  for (let i = start; i < end; i++) crc = crc >>> 8 ^ TABLE[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}
