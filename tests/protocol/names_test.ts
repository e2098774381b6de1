/** What a name may be, and when two names are the same. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { compareKeys, MAX_NAME_CHARACTERS, nameKey, normalizeName, readName } from "../../protocol/names.ts";

const anyText = fc.string({ unit: "binary" });

Deno.test("normalizeName: letters and digits of any script, _ - and ., up to 32 code points", () => {
  const good = ["A", "Alice", "bob_2", "j.doe", "-", "Ярослав", "名前", "٣", "𝒜".repeat(MAX_NAME_CHARACTERS), "क्षि"];
  for (const text of good) assertEquals(normalizeName(text), text.normalize("NFC"));
  const bad = [
    "",
    " ",
    "a b",
    "a\n",
    "a\u001b[2J",
    "<b>",
    "a:b",
    "a,b",
    "a/b",
    "a=b",
    "😀",
    "\u0301a",
    "a\u200b",
    "a\u202eb",
    "\ud835",
    "a".repeat(MAX_NAME_CHARACTERS + 1),
    "a".repeat(100_000),
  ];
  for (const text of bad) assertEquals(normalizeName(text), undefined, JSON.stringify(text.slice(0, 40)));
});

Deno.test("normalizeName: both spellings of an accent are one name", () => {
  assertEquals(normalizeName("Rene\u0301"), "Ren\u00e9");
  // 33 code points that become 32 in NFC
  assertEquals(normalizeName("a".repeat(31) + "e\u0301"), "a".repeat(31) + "\u00e9");
});

Deno.test("normalizeName: a normalized name stays as it is", () => {
  fc.assert(fc.property(anyText, (text) => {
    const normal = normalizeName(text);
    if (normal !== undefined) assertEquals(normalizeName(normal), normal);
  }));
});

Deno.test("nameKey: names that differ only in case have the same key, other names have different keys", () => {
  const same = [
    ["Alice", "aLICE"],
    ["straße", "STRASSE"],
    ["straße", "STRAẞE"],
    ["σοφός", "ΣΟΦΌΣ"],
    ["Rene\u0301", "REN\u00c9"],
    ["Ярослав", "ЯРОСЛАВ"],
    ["ǆ", "ǅ"],
  ];
  for (const [one, other] of same) assertEquals(nameKey(one), nameKey(other), `${one} ${other}`);
  for (const [one, other] of [["Alice", "Alise"], ["a", "á"], ["a.b", "ab"]]) {
    assert(nameKey(one) !== nameKey(other), `${one} ${other}`);
  }
});

Deno.test("nameKey: every letter has the key of its upper case, its lower case and its decomposition", () => {
  const wrong: string[] = [];
  for (let point = 0; point < 0x20000; point++) {
    const letter = String.fromCodePoint(point);
    if (!/\p{L}/u.test(letter)) continue;
    const key = nameKey(letter);
    const spellings = [key, letter.toUpperCase(), letter.toLowerCase(), letter.normalize("NFD")];
    if (spellings.some((spelling) => nameKey(spelling) !== key)) wrong.push(point.toString(16));
  }
  assertEquals(wrong, []);
});

Deno.test("normalizeName: refuses invisible characters and more than three combining marks in a row", () => {
  const invisible = [0x34f, 0xfe0f, 0x3164, 0x200d, 0x200b, 0xad, 0x115f, 0xffa0, 0x180e, 0xe0101];
  for (const code of invisible) {
    for (
      const text of [
        `a${String.fromCodePoint(code)}b`,
        `Alice${String.fromCodePoint(code)}`,
        String.fromCodePoint(code),
      ]
    ) {
      assertEquals(normalizeName(text), undefined, `U+${code.toString(16)} in ${JSON.stringify(text)}`);
    }
  }
  // these letters have no composed form, so the marks stay as they are
  assertEquals(normalizeName(`x${"\u0323".repeat(3)}`), `x${"\u0323".repeat(3)}`);
  for (const count of [4, 5, 30]) assertEquals(normalizeName(`x${"\u0301".repeat(count)}`), undefined);
  assertEquals(normalizeName(`x\u0323\u0301\u0302\u0303y`), undefined, "different marks make a tower too");
});

Deno.test("normalizeName: accepts names in scripts that are written with combining marks", () => {
  const names = [
    "हिन्दी",
    "क्षत्रिय",
    "ภาษาไทย",
    "น้ำทิพย์",
    "Nguyễn".normalize("NFD"),
    "Việt".normalize("NFD"),
    "தமிழ்",
    "שָׁלוֹם",
    "مُحَمَّد",
  ];
  for (const name of names) assertEquals(normalizeName(name), name.normalize("NFC"), name);
});

Deno.test("readName: a letter that only a later version of Unicode has is taken, nothing else that is no name", () => {
  // not assigned, and not likely to be soon
  for (const name of ["a\u{3fffd}", "\u{3fffd}", "\u{3fffd}".repeat(MAX_NAME_CHARACTERS)]) {
    assertEquals([readName(name), normalizeName(name)], [name, undefined]);
  }
  assertEquals(readName("\u{3fffd}".repeat(MAX_NAME_CHARACTERS + 1)), undefined);
  // noncharacters, and what would be invisible
  for (const code of [0xfdd0, 0xffff, 0x3fffe, 0x2065, 0xfff0, 0xe0002]) {
    assertEquals(readName(`a${String.fromCodePoint(code)}`), undefined, code.toString(16));
  }
  fc.assert(fc.property(anyText, (text) => {
    const assigned = text.replaceAll(/\p{Cn}/gu, "");
    assertEquals(readName(assigned), normalizeName(assigned));
  }));
});

Deno.test("compareKeys: names without case, by code points: a letter beyond U+FFFF comes behind U+FF21", () => {
  const sorted = ["-", ".", "0", "Alice", "ALICE.2", "alice_", "Bob", "Zoë", "Ярослав", "名前", "Ａ", "ａb", "𐐀", "𝒜"];
  for (const [i, one] of sorted.entries()) {
    for (const [j, other] of sorted.entries()) {
      assertEquals(Math.sign(compareKeys(nameKey(one), nameKey(other))), Math.sign(i - j), `${one} ${other}`);
    }
  }
  assertEquals(compareKeys(nameKey("straße"), nameKey("STRASSE")), 0);
});

Deno.test("compareKeys: the order is that of the bytes in UTF-8", () => {
  const bytesOf = (text: string) => new TextEncoder().encode(text);
  const unit = fc.constantFrom(
    "a",
    "b",
    "é",
    "\ud7ff",
    "\ue000",
    "\uff21",
    "\uffff",
    "\u{10000}",
    "\u{1d49c}",
    "\u{10ffff}",
  );
  const key = fc.oneof(fc.string({ unit, maxLength: 4 }), fc.string({ unit: "binary" }));
  fc.assert(fc.property(key, key, (one, other) => {
    assertEquals(Math.sign(compareKeys(one, other)), compareBytes(bytesOf(one), bytesOf(other)));
  }));
});

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const at = one.findIndex((byte, i) => byte !== other[i]);
  if (at < 0) return Math.sign(one.length - other.length);
  return at < other.length ? Math.sign(one[at] - other[at]) : 1;
}
