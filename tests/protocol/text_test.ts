/** Texts: harmless on a terminal, and cut into pieces that fit. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { printable, splitText } from "../../protocol/text.ts";

const byteLength = (text: string) => new TextEncoder().encode(text).length;
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Texts of difficult characters: long ones, joiners, accents on spaces, flags, lone surrogates. */
const trickyText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 200, size: "max" }),
  fc.string({ unit: "binary", maxLength: 200, size: "max" }),
  fc.string({
    unit: fc.constantFrom(
      " ",
      "a",
      "\t",
      "\n",
      "\u001b[31m",
      "é",
      "e\u0301",
      "\u0301",
      "語",
      "👨‍👩‍👧‍👦",
      "🇫🇷",
      "🇫",
      "\u200d",
      "\u202e",
      "\u2067",
      "क्षि",
      "\ud83d",
      "\udc68",
      "\u{e0061}",
    ),
    maxLength: 200,
    size: "max",
  }),
);

Deno.test("printable: nothing is left that a terminal obeys", () => {
  fc.assert(fc.property(trickyText, (text) => {
    const shown = printable(text);
    assert(!/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(shown), JSON.stringify(shown));
    assert(byteLength(shown) <= byteLength(text));
    assertEquals(printable(shown), shown);
  }));
});

Deno.test("printable: every single control or bidirectional character is replaced", () => {
  for (let point = 0; point < 0x110000; point++) {
    const character = String.fromCodePoint(point);
    if (!/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(character)) continue;
    assertEquals(printable(`a${character}b`), point === 9 ? "a b" : "a?b");
  }
});

Deno.test("printable: what people write stays as it is", () => {
  for (const text of ["Hello World!", "Grüße, 語, عربي, עברית", "👨‍👩‍👧‍👦 🇫🇷", "क्षि", "?", ""]) {
    assertEquals(printable(text), text);
  }
});

Deno.test("printable: an escape sequence becomes harmless text", () => {
  assertEquals(printable("\u001b[2J\u001b]0;owned\u0007"), "?[2J?]0;owned?");
  assertEquals(printable("one\r\ntwo\tthree"), "one??two three");
});

Deno.test("splitText: pieces fit, lose nothing but spaces at cuts, and cut no character that fits", () => {
  fc.assert(
    fc.property(trickyText, fc.integer({ min: 4, max: 120 }), (text, limit) => {
      const segments = new Map(Array.from(graphemes.segment(text), ({ index, segment }) => [index, segment]));
      let at = 0;
      const pieces = splitText(text, limit);
      for (const [i, piece] of pieces.entries()) {
        assert(byteLength(piece) <= limit, "a piece fits");
        assertEquals(text.slice(at, at + piece.length), piece, "nothing is lost or changed");
        assert(piece !== "" || text === "", "no piece is empty");
        at += piece.length;
        if (i === pieces.length - 1 && at === text.length) break;
        if (!segments.has(at)) {
          assert(byteLength(graphemeAround(text, at)) > limit, "the cut is between two characters");
        }
        if (segments.get(at) === " ") at++;
      }
      assertEquals(at, text.length);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("splitText: letters of two bytes are counted right, however often it was called before", () => {
  // Deno 2.4 compiles what was called some thousand times, and then counted such letters as one byte
  for (let i = 0; i < 20_000; i++) {
    const text = `${i % 10}\u00e9\u00e9\u00e9`;
    assertEquals(splitText(text, 4), [text.slice(0, 2), text.slice(2)]);
  }
});

function graphemeAround(text: string, at: number): string {
  return graphemes.segment(text).containing(at)!.segment;
}

Deno.test("splitText: a text that fits stays whole, spaces included", () => {
  for (const text of ["", " ", " a ", "eight bytes".slice(0, 8)]) assertEquals(splitText(text, 8), [text]);
});

Deno.test("splitText: cuts at the last space that leaves at least half a piece", () => {
  assertEquals(splitText("hello world", 8), ["hello", "world"]);
  assertEquals(splitText("hello world", 5), ["hello", "world"]);
  assertEquals(splitText("a bcdefghijk", 8), ["a bcdefg", "hijk"]);
  assertEquals(splitText("one two  three", 8), ["one two ", "three"]);
});

Deno.test("splitText: keeps what people see as one character together", () => {
  assertEquals(splitText("aa👨‍👩‍👧‍👦bb", 26), ["aa", "👨‍👩‍👧‍👦b", "b"]);
  assertEquals(splitText("🇫🇷🇩🇪🇮🇹", 20), ["🇫🇷🇩🇪", "🇮🇹"]);
  assertEquals(splitText("aaaae\u0301", 5), ["aaaa", "e\u0301"]);
  assertEquals(splitText("aaaaa \u0301bbb", 7), ["aaaaa", " \u0301bbb"]);
});

Deno.test("splitText: a character longer than a piece is cut between code points", () => {
  assertEquals(splitText("e" + "\u0301".repeat(4), 4), ["e\u0301", "\u0301\u0301", "\u0301"]);
  assertEquals(splitText("👨‍👩", 4), ["👨", "\u200d", "👩"]);
});

Deno.test("splitText: a megabyte in one line", () => {
  const text = "word ".repeat(200_000);
  const pieces = splitText(text, 880);
  assertEquals(pieces.join(" ").trimEnd(), text.trimEnd());
});
