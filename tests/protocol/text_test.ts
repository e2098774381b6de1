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
      "\u{e0100}",
      "\u200b",
      "\ufe0f",
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
    assert(!/[\p{M}\u200c\u200d]{5}/u.test(shown), "no more than four marks in a row");
  }));
});

Deno.test("printable: a control, separator, bidirectional or invisible character is replaced, no other one is", () => {
  // this engine's Unicode version may have other ones than the table: then the table has to be looked at again
  const dangerous = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/u;
  // joiners and variation selectors, which some scripts and emoji need
  const needed = /[\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f]/u;
  const wrong: string[] = [];
  for (let point = 0; point < 0x110000; point++) {
    const character = String.fromCodePoint(point);
    const expected = character === "\t" ? " " : dangerous.test(character) && !needed.test(character) ? "?" : character;
    if (printable(`a${character}b`) !== `a${expected}b`) wrong.push(`U+${point.toString(16)}`);
  }
  assertEquals(wrong, []);
});

Deno.test("printable: a variation selector of Han characters is left behind one of them only", () => {
  for (const han of ["\u3400", "葛", "\u9fff", "\ufa0e", "\u{20000}", "\u{2f81a}", "\u{30000}"]) {
    for (const selector of ["\u{e0100}", "\u{e01ef}"]) {
      assertEquals(printable(`${han}${selector}城`), `${han}${selector}城`);
      assertEquals(printable(`${han}${selector}${selector}`), `${han}${selector}?`, "one variant is enough");
      assertEquals(printable(`${han} ${selector}`), `${han} ?`);
    }
  }
  // radicals, the iteration mark, a hexagram and a syllable have no such variants
  for (const other of ["a", "⺀", "々", "䷀", "가", "\u{1f600}"]) {
    assertEquals(printable(`${other}\u{e0100}`), `${other}?`);
  }
});

Deno.test("printable: what people write stays as it is", () => {
  const texts = [
    ...["Hello World!", "?", "", "Grüße, 語, عربي, עברית", "Việt Nam".normalize("NFD"), "שָׁלוֹם", "مُحَمَّد"],
    ...["👨‍👩‍👧‍👦 🇫🇷 👁\ufe0f\u200d🗨\ufe0f 1\ufe0f\u20e3 ❤\ufe0e", "क्षि क्\u200dष", "می\u200cخواهم", "น้ำ", "မြွှာ", "རྐྱེན"],
    // variants of a Mongolian letter and of a Han character
    ...["ᠠ\u180b ᠨ\u180d", "葛\u{e0100}城"],
  ];
  for (const text of texts) assertEquals(printable(text), text);
});

Deno.test("printable: characters that show nothing, one beside the other", () => {
  assertEquals(printable("two\u200bwords soft\u00adhyphen \u3164\uffa0"), "two?words soft?hyphen ??");
});

Deno.test("printable: of combining marks in a row four are left, also when joiners are between them", () => {
  const tower = "\u0301\u0302\u0303\u0304\u0305\u0306".repeat(50);
  assertEquals(printable(`a${tower}b${tower}`), "a\u0301\u0302\u0303\u0304b\u0301\u0302\u0303\u0304");
  assertEquals(printable(`a${"\u0301\u200d".repeat(30)}b`), "a\u0301\u200d\u0301\u200db");
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
