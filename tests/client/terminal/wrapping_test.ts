/** Rows on a terminal: none but the first of a line begins with what somebody has written. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { cellsOf, cutToCells, wrap } from "../../../client/terminal/wrapping.ts";

const MARK = "| ";
const ESCAPE = "\x1b";

const texts = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 300, size: "max" }),
  fc.string({
    unit: fc.constantFrom("a", " ", "|", "語", "e\u0301", "👨‍👩‍👧‍👦", "❤\ufe0f", "\u0301", "\u200d", "क्षि", `${ESCAPE}[31m`),
    maxLength: 300,
    size: "max",
  }),
).map((text) => text.replaceAll(/[\n\r]/g, " "));

const withoutColours = (text: string) => text.replaceAll(`${ESCAPE}[31m`, "");

Deno.test("wrap: no row is wider than the terminal, each row but the first has the mark, and nothing is lost", () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 5, max: 100 }), (text, columns) => {
      const [first, ...further] = wrap(text, columns).split("\n");
      for (const row of [first, ...further]) assertLessOrEqual(cellsOf(withoutColours(row)), columns);
      for (const row of further) assert(row.startsWith(MARK), row);
      assertEquals(first + further.map((row) => row.slice(MARK.length)).join(""), text);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("wrap: blanks up to the edge do not begin a row with another member's message", () => {
  const forged = "02:22 <From 127.0.0.1:1:Alice>: I quit";
  for (let blanks = 0; blanks < 200; blanks++) {
    const text = `02:21 <From 127.0.0.1:2:Bob>: hm${" ".repeat(blanks)}${forged}`;
    const [, ...further] = wrap(text, 80).split("\n");
    for (const row of further) assert(row.startsWith(MARK), row);
  }
});

Deno.test("wrap: a line that fits stays as it is; a longer one is broken behind a blank", () => {
  assertEquals(wrap("one two three", 14), "one two three");
  assertEquals(wrap("one two three", 13), "one two \n| three");
  assertEquals(wrap("abcdefghijklmn", 11), "abcdefghij\n| klmn");
  assertEquals(wrap("a bcdefghijklmn", 11), "a bcdefghi\n| jklmn", "a blank in the first half is no place to break");
  assertEquals(wrap("one two three\nshort\n\nfour five six", 13), "one two \n| three\nshort\n\nfour five \n| six");
});

Deno.test("wrap: colours take no room and stay where they are", () => {
  const red = `${ESCAPE}[31m`, end = `${ESCAPE}[39m`;
  assertEquals(wrap(`${red}one two${end} three`, 14), `${red}one two${end} three`);
  assertEquals(wrap(`${red}one two three${end}`, 13), `${red}one two \n| three${end}`);
});

Deno.test("wrap: what people see as one character is cut only where it alone is longer than a row", () => {
  assertEquals(wrap("aaaaaaae\u0301", 9), "aaaaaaae\u0301");
  assertEquals(wrap("aaaaaaaae\u0301", 9), "aaaaaaaa\n| e\u0301");
  assertEquals(wrap("aaaaaaa語", 9), "aaaaaaa\n| 語");
  assertEquals(wrap("aaa👩‍👩", 9), "aaa👩‍👩");
  assertEquals(wrap("aaaa👩‍👩", 9), "aaaa\n| 👩‍👩");
  assertEquals(wrap("👨‍👩‍👧‍👦", 9), "👨‍👩‍👧\n| \u200d👦");
});

Deno.test("wrap: a terminal that is hardly there ends no loop and loses nothing", () => {
  for (const columns of [-1, 0, 1, 2, 3, 4, NaN]) {
    const rows = wrap("one 語 👨‍👩‍👧‍👦", columns).split("\n");
    assertEquals(rows.map((row, i) => i === 0 ? row : row.slice(MARK.length)).join(""), "one 語 👨‍👩‍👧‍👦");
  }
});

Deno.test("cellsOf: wide characters and emoji have two cells, marks over a character none", () => {
  for (
    const [text, cells] of [
      ["", 0],
      ["abc", 3],
      ["Ярослав", 7],
      ["e\u0301", 1],
      ["ภาษาไทย", 7],
      ["น้ำ", 2],
      ["語", 2],
      ["한국어", 6],
      ["Ａ１", 4],
      ["🙂", 2],
      ["⌚", 2],
      ["❤\ufe0f", 3],
      ["🇫🇷", 4],
      ["\u{20000}", 2],
      ["\u{1f6dc}", 2],
    ] as const
  ) assertEquals(cellsOf(text), cells, text);
});

Deno.test("cutToCells: what is cut has a mark, and no half character", () => {
  assertEquals(cutToCells("lecture.pdf", 11), "lecture.pdf");
  assertEquals(cutToCells("lecture.pdf", 10), "lecture.…");
  assertEquals(cutToCells("語語語語", 7), "語語…");
  assertEquals(cutToCells("ab", 1), "");
  fc.assert(
    fc.property(texts, fc.nat(80), (text, cells) => assertLessOrEqual(cellsOf(cutToCells(text, cells)), cells)),
  );
});
