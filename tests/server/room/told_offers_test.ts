/** What members read of files that they can't take. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { offerLines } from "../../../server/room/told_offers.ts";
import { ALICE, HASH } from "../../support/file_room.ts";

const START = `<- <From ${ALICE}:Alice> (through the server): * Alice offers you the file "`;
const END = "; your program can't take it";

function lineOf(text: string, size = 2011): string {
  const offer = { dialect: "v1", type: "OFFER", pass: "", file: "", size, hash: HASH, text } as const;
  const lines = offerLines(offer, { address: ALICE, name: "Alice" });
  assertEquals(lines.length, 1);
  return lines[0].trimEnd();
}

Deno.test("told offers: the name of a file stands between quotes, harmless, and not long", () => {
  const names = [
    ["notes.txt", "notes.txt"],
    ["../../.bashrc", "bashrc"],
    ["x\r\n[Server] The room is closed", "x [Server] The room is closed"],
    ["\x1b[2J\u202egpj.exe", "[2Jgpj.exe"],
    ["a> : b", "a_ _ b"],
    ['a" (1 B)', "a_ (1 B)"],
    [`a${"\u3000".repeat(60)}<From 1.2.3.4:5:Bob> : hi`, "a _From 1.2.3.4_5_Bob_ _ hi"],
    ["é".repeat(127), `${"é".repeat(59)}…`],
    ["😀".repeat(60), "😀".repeat(49)],
  ];
  for (const [name, shown] of names) assertEquals(lineOf(name), `${START}${shown}" (2.01 kB)${END}`);
});

Deno.test("told offers: whatever a file is called, the line is its sender's, and nothing ends the name early", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 255 }), (name) => {
    const line = lineOf(name), shown = line.slice(START.length, -`" (2.01 kB)${END}`.length);
    assert(line.startsWith(START) && line.endsWith(`" (2.01 kB)${END}`), line);
    assert(!/["<>\p{Cc}\u202e]| {2}/u.test(shown) && [...shown].length <= 60, line);
  }));
});

Deno.test("told offers: the size has three digits", () => {
  const sizes: [number, string][] = [
    ...[[0, "0 B"], [999, "999 B"], [1000, "1 kB"], [2_345_678, "2.35 MB"], [999_999, "1 MB"]] as [number, string][],
    [Number.MAX_SAFE_INTEGER, "9.01 PB"],
  ];
  for (const [size, words] of sizes) assertEquals(lineOf("a", size), `${START}a" (${words})${END}`);
});
