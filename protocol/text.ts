/**
 * The text of a message: safe to show on any terminal, and cut into pieces that fit into datagrams.
 *
 * @module
 */

const encoder = new TextEncoder();

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
  while (encoder.encode(text).length > limit) {
    const head = longestHead(text, limit);
    const space = head.lastIndexOf(" ");
    // a space just behind the head is as good a place as one inside it
    const end = text[head.length] === " " ? head.length : space > head.length / 2 ? space : head.length;
    pieces.push(text.slice(0, end));
    text = text.slice(text[end] === " " ? end + 1 : end);
  }
  if (text !== "" || pieces.length === 0) pieces.push(text);
  return pieces;
}

/** The longest beginning of a text that fits and ends between two characters. */
function longestHead(text: string, limit: number): string {
  // encodeInto stops at the last code point that fits
  const { read } = encoder.encodeInto(text, new Uint8Array(limit));
  // what follows decides whether the cut is inside a character, so a little more than the head is looked at
  let end = 0;
  for (const { index, segment } of graphemes.segment(text.slice(0, read + 64))) {
    if (index + segment.length > read) break;
    end = index + segment.length;
  }
  return text.slice(0, end || read);
}
