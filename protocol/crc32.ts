/**
 * CRC-32 as in Ethernet, gzip and PNG (ISO 3309). This is our own implementation because a browser has none.
 *
 * @module
 */

/** The polynomial x^32 + x^26 + ... + 1 in reflected form: its bits are in the order in which they arrive. */
const POLYNOMIAL = 0xedb88320;

/**
 * The remainder for each value of a byte; behind them the remainders for a byte that one, two and three others follow, so
 * that four bytes are done at once (Kounavis and Berry, "A Systematic Approach to Building High Performance, Software-based,
 * CRC Generators", 2005).
 */
const TABLE = new Uint32Array(4 * 256);
for (let i = 0; i < TABLE.length; i++) {
  let remainder = i < 256 ? i : TABLE[i - 256];
  if (i >= 256) remainder = remainder >>> 8 ^ TABLE[remainder & 0xff];
  else for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? remainder >>> 1 ^ POLYNOMIAL : remainder >>> 1;
  TABLE[i] = remainder;
}

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
  let i = start;
  for (; i + 4 <= end; i += 4) {
    crc ^= bytes[i] | bytes[i + 1] << 8 | bytes[i + 2] << 16 | bytes[i + 3] << 24;
    crc = TABLE[768 + (crc & 0xff)] ^ TABLE[512 + (crc >>> 8 & 0xff)] ^ TABLE[256 + (crc >>> 16 & 0xff)] ^
      TABLE[crc >>> 24];
  }
  for (; i < end; i++) crc = crc >>> 8 ^ TABLE[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}
