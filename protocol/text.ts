/**
 * The text of a message: safe to show on any terminal, and cut into pieces that fit into datagrams.
 *
 * @module
 */
import { isLongerThan } from "./utf8.ts";

/**
 * Characters that could move a terminal's cursor, colour it, reorder its line or hide in it: in each line the first and
 * the last code point of a range. They are listed, and not taken from Unicode's properties, so that programs with other
 * versions of Unicode replace the same ones. Some scripts and emoji need joiners and variation selectors, so these are
 * not here; those of Han characters are in {@linkcode MISPLACED_SELECTOR}.
 */
const UNPRINTABLE: readonly (readonly [first: number, last: number])[] = [
  [0x0000, 0x001f], // control characters (C0); tabs are spaces by then
  [0x007f, 0x009f], // DEL and control characters (C1)
  [0x00ad, 0x00ad], // soft hyphen
  [0x034f, 0x034f], // combining grapheme joiner
  [0x061c, 0x061c], // Arabic letter mark
  [0x115f, 0x1160], // Hangul fillers
  [0x17b4, 0x17b5], // Khmer inherent vowels
  [0x180e, 0x180e], // Mongolian vowel separator
  [0x200b, 0x200b], // zero width space
  [0x200e, 0x200f], // left-to-right and right-to-left mark
  [0x2028, 0x202e], // line and paragraph separator, bidirectional embeddings and overrides
  [0x2060, 0x206f], // word joiner, invisible operators, bidirectional isolates, deprecated format characters
  [0x3164, 0x3164], // Hangul filler
  [0xd800, 0xdfff], // surrogates that are not one of a pair
  [0xfeff, 0xfeff], // zero width no-break space (byte order mark)
  [0xffa0, 0xffa0], // half-width Hangul filler
  [0xfff0, 0xfffb], // unassigned and invisible; interlinear annotations
  [0x1bca0, 0x1bca3], // shorthand format controls
  [0x1d173, 0x1d17a], // musical format controls
  [0xe0000, 0xe00ff], // tags
  [0xe01f0, 0xe0fff], // unassigned and invisible
];

/** A variation selector of Han characters that does not stand directly behind one, of blocks that are kept for them. */
const MISPLACED_SELECTOR = "[\\u{e0100}-\\u{e01ef}]" +
  "(?<![\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}][\\u{e0100}-\\u{e01ef}])";

const escaped = (point: number) => `\\u{${point.toString(16)}}`;
const RANGES = UNPRINTABLE.map(([first, last]) => `${escaped(first)}-${escaped(last)}`).join("");
const REPLACED = new RegExp(`[${RANGES}]|${MISPLACED_SELECTOR}`, "gu");

/** A text with none of all these, as most are. */
const PLAIN = /^[\x20-\x7e]*$/;

/** Four combining marks or joiners in a row, and those behind them: a tower that would cover other lines. */
const TOWER = /([\p{M}\u200c\u200d]{4})[\p{M}\u200c\u200d]+/gu;

/**
 * Makes a text safe for a terminal: each dangerous or invisible character becomes `?`, a tab becomes a space, and of
 * combining marks in a row only the first four are left. The result never has more bytes than the text.
 */
export function printable(text: string): string {
  return PLAIN.test(text) ? text : text.replaceAll("\t", " ").replace(REPLACED, "?").replace(TOWER, "$1");
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * Cuts a text into pieces of at most `limit` bytes of UTF-8. When the second half of a piece has a space, the cut is at
 * that space, and the space is dropped. Otherwise the cut is between two grapheme clusters (characters as people count
 * them). It is inside a grapheme cluster only when that cluster alone is longer than a piece.
 *
 * @param limit The longest piece in bytes, at least 4.
 */
export function splitText(text: string, limit: number): string[] {
  const pieces: string[] = [];
  while (isLongerThan(text, limit)) {
    const { end, space } = longestHead(text, limit);
    // the space may also be just behind the head
    const atSpace = space > end / 2;
    const cut = atSpace ? space : end;
    pieces.push(text.slice(0, cut));
    text = text.slice(atSpace ? cut + 1 : cut);
  }
  if (text !== "" || pieces.length === 0) pieces.push(text);
  return pieces;
}

/**
 * Finds the longest head of a text that fits into `limit` bytes. Returns where it ends, between two grapheme clusters,
 * and where its last space is, or 0 when it has none.
 */
function longestHead(text: string, limit: number): { end: number; space: number } {
  const read = unitsThatFit(text, limit);
  let end = 0, space = 0;
  // the text behind the cut decides whether the cut is inside a grapheme cluster, so look at 64 units more
  for (const { index, segment } of graphemes.segment(text.slice(0, read + 64))) {
    // a space with a combining mark is a longer segment: it must not be cut
    if (segment === " " && index <= read) space = index;
    if (index + segment.length > read) break;
    end = index + segment.length;
  }
  return { end: end || read, space };
}

/**
 * How many UTF-16 units of a text, in whole code points, fit into `limit` bytes of UTF-8. TextEncoder.encodeInto would
 * tell, but Deno 2.4 miscounts letters from U+0080 to U+00FF in it, once the code has run often enough to be compiled.
 */
function unitsThatFit(text: string, limit: number): number {
  let units = 0, bytes = 0;
  while (units < text.length) {
    const code = text.codePointAt(units)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes > limit) break;
    units += code < 0x10000 ? 1 : 2;
  }
  return units;
}

/** A number and a noun, in the plural unless the number is 1: `1 member`, `2 members`. */
export function pluralize(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** Splits a text into at most `most` words; the last one is the rest of the text. */
export function splitWords(text: string, most: number): string[] {
  const values: string[] = [];
  while (text !== "" && values.length < most - 1) {
    const [word] = /^\S+/.exec(text)!;
    values.push(word);
    text = text.slice(word.length).trimStart();
  }
  return text === "" || most === 0 ? values : [...values, text];
}
