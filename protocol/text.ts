/**
 * The text of a message: safe to show on any terminal, and cut into pieces that fit into datagrams.
 *
 * @module
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The number of bytes that a text takes in a datagram, in UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/**
 * The same text in as little memory as it takes, to be kept: one that was cut out of a datagram keeps the whole of it,
 * one that was put together the parts that it was made of.
 */
export function detach(text: string): string {
  return decoder.decode(encoder.encode(text));
}

/**
 * What could move a terminal's cursor, colour it, reorder its line or hide in it: control characters (C0, DEL, C1),
 * line and paragraph separators, the bidirectional marks, overrides and isolates of UAX #9, interlinear annotations
 * and tag characters. Zero-width joiners stay, for the scripts and emoji that need them.
 */
const UNPRINTABLE =
  // deno-lint-ignore no-control-regex -- control characters are the point
  /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/**
 * A text that does nothing to a terminal but appear: each dangerous character is shown as `?`, a tab as a space. Never
 * longer than it was, in bytes.
 */
export function printable(text: string): string {
  return text.replaceAll("\t", " ").replace(UNPRINTABLE, "?");
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * Cuts a text into pieces of at most `limit` bytes of UTF-8: at a space where there is one in the second half of a
 * piece (that space is dropped), otherwise between two characters as people count them, and inside such a character
 * only where it alone is longer than a piece.
 *
 * @param limit The longest piece in bytes, at least 4.
 */
export function splitText(text: string, limit: number): string[] {
  const pieces: string[] = [];
  // no text has fewer bytes than UTF-16 units, so a long one need not be encoded to be known as too long
  while (text.length > limit || encoder.encode(text).length > limit) {
    const { end, space } = longestHead(text, limit);
    // a space just behind the head is as good a place as one inside it
    const atSpace = space > end / 2;
    const cut = atSpace ? space : end;
    pieces.push(text.slice(0, cut));
    text = text.slice(atSpace ? cut + 1 : cut);
  }
  if (text !== "" || pieces.length === 0) pieces.push(text);
  return pieces;
}

/** Where the longest beginning of a text that fits ends, between two characters, and where its last space is, or 0. */
function longestHead(text: string, limit: number): { end: number; space: number } {
  // encodeInto stops at the last code point that fits
  const { read } = encoder.encodeInto(text, new Uint8Array(limit));
  let end = 0, space = 0;
  // what follows decides whether the cut is inside a character, so a little more than the head is looked at
  for (const { index, segment } of graphemes.segment(text.slice(0, read + 64))) {
    // a space that carries an accent is no place to cut
    if (segment === " " && index <= read) space = index;
    if (index + segment.length > read) break;
    end = index + segment.length;
  }
  return { end: end || read, space };
}

/** A number and what it counts, in the plural but for one: `1 member`, `2 members`. */
export function pluralize(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
