/**
 * Texts as bytes of UTF-8, with as little garbage as possible: a new array of bytes costs a microsecond, more than
 * everything else that is done with a short text.
 *
 * @module
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The most bytes of UTF-8 that a UTF-16 unit takes; the two units of a pair take four together. */
const MAX_BYTES_PER_UNIT = 3;
/** The size of a page in bytes: some thirty packets. */
const PAGE_BYTES = 8192;

/** What is encoded only to be looked at. */
const scratch = new Uint8Array(PAGE_BYTES);
/** The page that encoded texts are put in, one behind the other, and where the next one begins. */
let page = new Uint8Array(0), free = 0;

/**
 * Encodes a text. Many short texts share one piece of memory, of which each has a part of its own: nothing is ever
 * written over it.
 */
export function encodeUtf8(text: string): Uint8Array {
  const most = MAX_BYTES_PER_UNIT * text.length;
  if (most > PAGE_BYTES / 2) return encoder.encode(text);
  if (most > page.length - free) {
    page = new Uint8Array(PAGE_BYTES);
    free = 0;
  }
  const start = free;
  free = writeUtf8(text, page, start);
  return page.subarray(start, free);
}

/** Writes a text into bytes, which have room for it, from an index on; returns the index behind it. */
export function writeUtf8(text: string, into: Uint8Array, at: number): number {
  return at + encoder.encodeInto(text, into.subarray(at)).written;
}

/** Decodes bytes; undefined if they are not UTF-8. A byte order mark is a character as any other. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  // this decoder is twice as fast
  if (isAscii(bytes)) return decoder.decode(bytes);
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The number of bytes that a text takes in a datagram, in UTF-8. */
export function byteLength(text: string): number {
  if (MAX_BYTES_PER_UNIT * text.length > scratch.length) return encoder.encode(text).length;
  return encoder.encodeInto(text, scratch).written;
}

/** Whether a text takes more bytes than a limit. */
export function isLongerThan(text: string, limit: number): boolean {
  // a text has at least as many bytes as UTF-16 units
  return MAX_BYTES_PER_UNIT * text.length > limit && (text.length > limit || byteLength(text) > limit);
}

/**
 * Copies a text that is to be kept, so that it uses as little memory as possible. A text that was cut out of a datagram
 * keeps the whole datagram in memory, and a text that was put together keeps its parts.
 */
export function detach(text: string): string {
  if (MAX_BYTES_PER_UNIT * text.length > scratch.length) return decoder.decode(encoder.encode(text));
  return decoder.decode(scratch.subarray(0, encoder.encodeInto(text, scratch).written));
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] > 0x7f) return false;
  return true;
}
