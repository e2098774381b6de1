/** What files are called that come from the network. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { harmlessName, numberedName } from "../../protocol/file_names.ts";
import { printable } from "../../protocol/text.ts";
import { byteLength } from "../../protocol/utf8.ts";

Deno.test("harmlessName: usual names stay as they are", () => {
  const usual = [
    "report.pdf",
    "report (2).pdf",
    "archive.tar.gz",
    "README",
    "lecture 3 - notes.md",
    "Übung_1.txt",
    "講義ノート.pdf",
    "конспект.docx",
    "क्षि.txt",
    "😀.png",
    "a,b;c=d+e&f'g!h#i~j@k%l^m{n}[o].txt",
    "console.log",
    "COM10.txt",
    "null",
  ];
  for (const name of usual) assertEquals(harmlessName(name), name);
});

Deno.test("harmlessName: a name leads nowhere, hides nothing and is nobody's device", () => {
  const names: [name: string, harmless: string][] = [
    ["../../.bashrc", "bashrc"],
    ["..\\..\\evil.bat", "evil.bat"],
    ["/etc/passwd", "passwd"],
    ["C:\\Windows\\notes.txt", "notes.txt"],
    ["C:notes.txt", "C_notes.txt"],
    ["notes.txt:stream", "notes.txt_stream"],
    ["folder/", "file"],
    ["..", "file"],
    ["", "file"],
    [" . ", "file"],
    ["\u202e", "file"],
    ["photo\u202egpj.exe", "photogpj.exe"],
    ["a\u001b[2Jb\r\n.txt", "a[2Jb .txt"],
    ["a\u0000b", "ab"],
    ["zero\u200bwidth\ufeff", "zerowidth"],
    ["\ud83d.txt", "txt"],
    ["tab\there", "tab here"],
    ["no\u00a0break\u3000.txt", "no break .txt"],
    ['what?*<>|".txt', "what______.txt"],
    ["-rf", "rf"],
    ["--checkpoint=1", "checkpoint=1"],
    ["  .  hidden", "hidden"],
    ["dots... ", "dots"],
    ["CON", "_CON"],
    ["nul.tar.gz", "_nul.tar.gz"],
    ["Aux .txt", "_Aux .txt"],
    ["com1", "_com1"],
    ["LPT\u00b9.log", "_LPT\u00b9.log"],
    ["CONIN$", "_CONIN$"],
    ["..con", "_con"],
    ["con.", "_con"],
    ["Rene\u0301.txt", "Ren\u00e9.txt"],
    // only without what was between them these two are one letter
    ["e\u200b\u0301", "\u00e9"],
    ["a" + "\u0316".repeat(60), "a" + "\u0316".repeat(4)],
  ];
  for (const [name, harmless] of names) assertEquals(harmlessName(name), harmless, JSON.stringify(name));
});

Deno.test("harmlessName: what follows on many blanks does not stand out of sight, or on a line of its own", () => {
  for (const blank of [" ", "\t", "\u00a0", "\u2003", "\u3000", "\u2800", "\u{1d159}", " \u200b", " \u0301", "\r\n"]) {
    assertEquals(harmlessName(`holiday.jpg${blank.repeat(50)}.exe`), "holiday.jpg .exe");
  }
  assertEquals(harmlessName("a" + "\u00a0".repeat(78) + "!! The server ends"), "a !! The server ends");
  // a mark would stand on what is before the name
  for (const name of [" \u0301x", "\u0301x", ".\u0301x", "-\u20dd. \u0301x"]) assertEquals(harmlessName(name), "x");
  assertEquals(harmlessName(" \u0301"), "file");
  assertEquals(numberedName("x .txt", 2), "x (2).txt");
});

Deno.test("harmlessName: what is too long is cut, and keeps its extension", () => {
  assertEquals(harmlessName("a".repeat(300) + ".tar.gz"), "a".repeat(196) + ".gz");
  assertEquals(harmlessName("a".repeat(300)), "a".repeat(199));
  assertEquals(harmlessName("😀".repeat(100) + ".png"), "😀".repeat(48) + ".png");
  assertEquals(harmlessName("a." + "b".repeat(300)), "a." + "b".repeat(197));
  assertEquals(harmlessName("con." + "b".repeat(300)), "_con." + "b".repeat(195));
});

Deno.test("numberedName: the number stands before the extension", () => {
  assertEquals(numberedName("report.pdf", 2), "report (2).pdf");
  assertEquals(numberedName("archive.tar.gz", 10), "archive.tar (10).gz");
  assertEquals(numberedName("README", 3), "README (3)");
  assertEquals(numberedName("a. " + "b".repeat(60), 2), "a. " + "b".repeat(60) + " (2)");
});

/** Names with what is dangerous in them more often than chance would have it. */
const piece = fc.oneof(
  fc.constantFrom(
    ...["/", "\\", ".", " ", "-", ":", "CON", "nul", "com1", "\u202e", "\u200d", "\u0301", "\ud800", "\0", ".txt", "e"],
    ...["\u037e", "\u1fef", "\u212b", "\u2800", "\u115f", "\ufe0f", "\u{e0100}", "\u{fdd0}", "\u09c7", "\u09be"],
  ),
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.string({ unit: "binary", maxLength: 120 }),
);
const anyName = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));

Deno.test("harmlessName: any name becomes harmless, short, printable as it is, and stays the same after that", () => {
  fc.assert(
    fc.property(anyName, fc.integer({ min: 2, max: 9999 }), (text, n) => {
      const name = harmlessName(text);
      assertEquals(harmlessName(name), name);
      for (const each of [name, numberedName(name, n)]) {
        assert(each !== "" && !/[<>:"/\\|?*\p{C}]/u.test(each.replace(/\p{Cn}|\p{Co}/gu, "")), each);
        assert(!/\p{Default_Ignorable_Code_Point}|\p{Noncharacter_Code_Point}/u.test(each), each);
        assert(!/^[.\s\p{M}-]|[.\s]$|\s[\s\p{M}]/u.test(each), each);
        assert(!/^(con|prn|aux|nul|com\d|lpt\d)\s*(\.|$)/i.test(each), each);
        assertEquals(each.normalize("NFC"), each);
        assertEquals(printable(each), each);
      }
      assert(byteLength(name) <= 200, name);
      assert(byteLength(`.${numberedName(name, n)}.0123456789abcdef.part`) <= 255, name);
    }),
    { numRuns: Number(Deno.env.get("RUNS") ?? 1000) },
  );
});

Deno.test("harmlessName: a long name costs as much as its length", () => {
  for (const unit of [".", " ", "a.", "\u0301", " \u0301", "\u202e", "../"]) {
    for (const end of ["x", "/x"]) assert(byteLength(harmlessName(unit.repeat(300_000) + end)) <= 200);
  }
});
