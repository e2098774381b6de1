/**
 * The field `sum`: a checksum over a datagram without the field itself and the space before it.
 *
 * @module
 */
import { crc32 } from "./crc32.ts";

/** The number of hexadecimal digits of a checksum. */
const DIGITS = 8;
/** What stands in a datagram in place of the field until {@linkcode writeChecksum} is called. */
export const SUM_PLACEHOLDER = ` sum=${"0".repeat(DIGITS)}`;

const SPACE = 0x20, LINE_FEED = 0x0a, CARRIAGE_RETURN = 0x0d;
/** The bytes of ` sum=`. */
const KEY = [0x20, 0x73, 0x75, 0x6d, 0x3d];
const HEX_DIGITS = new TextEncoder().encode("0123456789abcdef");

/** Writes the checksum into a datagram that has {@linkcode SUM_PLACEHOLDER} at an index. */
export function writeChecksum(datagram: Uint8Array, at: number): void {
  const end = at + SUM_PLACEHOLDER.length;
  let crc = checksumWithout(datagram, at, end);
  for (let i = end - 1; i >= end - DIGITS; i--, crc >>>= 4) datagram[i] = HEX_DIGITS[crc & 0xf];
}

/** Whether a datagram has the right checksum, or none. */
export function verifyChecksum(datagram: Uint8Array): boolean {
  return checksumProblem(datagram) === undefined;
}

/** What is wrong with the checksum of a datagram, in words; undefined when it is right, or there is none. */
export function checksumProblem(datagram: Uint8Array): string | undefined {
  const header = headerLength(datagram);
  const at = findField(datagram, header);
  if (at === undefined) return undefined;
  const from = at + KEY.length;
  let end = from;
  while (end < header && datagram[end] !== SPACE) end++;
  if (end - from !== DIGITS) return `sum has to be ${DIGITS} digits of 0-9 and a-f`;
  const crc = checksumWithout(datagram, at, end);
  for (let i = end - 1, rest = crc; i >= from; i--, rest >>>= 4) {
    if (datagram[i] !== HEX_DIGITS[rest & 0xf]) return describeMismatch(datagram.subarray(from, end), crc);
  }
  return undefined;
}

function describeMismatch(digits: Uint8Array, crc: number): string {
  const found = String.fromCharCode(...digits);
  if (!/^[0-9a-f]+$/.test(found)) return `sum has to be ${DIGITS} digits of 0-9 and a-f`;
  const computed = (crc >>> 0).toString(16).padStart(DIGITS, "0");
  return `the checksum does not match: it is sum=${found}, and was computed as sum=${computed}`;
}

/** The checksum of a datagram without the bytes from `start` (included) to `end` (not included). */
function checksumWithout(datagram: Uint8Array, start: number, end: number): number {
  return crc32(datagram, end, datagram.length, crc32(datagram, 0, start));
}

/** The number of bytes of the first line, without the line ending. */
function headerLength(datagram: Uint8Array): number {
  const lineFeed = datagram.indexOf(LINE_FEED);
  const length = lineFeed < 0 ? datagram.length : lineFeed;
  return datagram[length - 1] === CARRIAGE_RETURN ? length - 1 : length;
}

/** The index of the space before the field; undefined when the header has no such field. */
function findField(datagram: Uint8Array, header: number): number | undefined {
  for (let at = datagram.indexOf(SPACE); at >= 0 && at < header; at = datagram.indexOf(SPACE, at + 1)) {
    if (KEY.every((byte, i) => datagram[at + i] === byte)) return at;
  }
  return undefined;
}
