/** Names that look like others, and names that nobody may have. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { LOOK_ALIKES } from "../../protocol/look_alike_table.ts";
import { reservedBecause, skeleton, skeletons } from "../../protocol/look_alikes.ts";
import { nameKey, normalizeName } from "../../protocol/names.ts";

const TABLE = LOOK_ALIKES.trim().split("\n").flatMap((line) => line.split(" ").slice(1))
  .map((point) => String.fromCodePoint(parseInt(point, 16)));

const names = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 10 }),
  fc.string({ unit: fc.constantFrom(...TABLE, ..."rniIl1oO0jJAa\u0307\u0323\u0301.-_"), minLength: 1, maxLength: 8 }),
).map(normalizeName).filter((name) => name !== undefined);

/** Whether two names have a skeleton in common. */
function lookAlike(one: string, other: string): boolean {
  return skeletons(one).some((text) => skeletons(other).includes(text));
}

Deno.test("skeletons: names that look like another have one in common with it", () => {
  const alike = [
    [
      "Alice",
      "Аlice",
      "Ａlice",
      "ALICE",
      "аlice",
      "AIice",
      "A1ice",
      "Alісe",
      "Αlice",
      "ꓮlice",
      "Ꭺlice",
      "𝒜lice",
      "Ali\u0307ce",
    ],
    ["Bob", "Вob", "ВOВ", "B0b", "bοb", "Bօb", "вов"],
    ["Bob1", "Bobl", "BobI", "Bob１", "Bob١"],
    ["Tom", "Torn", "ТОМ", "тom"],
    ["Фёдор", "Φёдор", "ФЁДОP"],
    ["Гена", "Γена", "гeнa", "ГЕHА"],
    ["Νίκος", "Nίκoς", "νίκος"],
    ["Đuc", "Ðuc", "Ɖuc"],
    ["Maş", "Maș"],
    ["İpek", "i\u0307pek"],
  ];
  for (const [one, ...others] of alike) {
    for (const other of others) assert(lookAlike(one, other), `${one} ${other}`);
  }
});

Deno.test("skeletons: names that can be told apart have none in common", () => {
  const different = [
    ...[["Neil", "Nell"], ["Ali", "All"], ["Lia", "Ila"], ["Zoë", "Zoe"], ["Ivan", "Iwan"], ["Eva", "Ena"], [
      "Bob",
      "Rob",
    ]],
    ...[["student-1", "student-2"], ["student-10", "student-01"], ["a.b", "ab"], ["a_b", "a-b"], ["Иван", "Ивана"]],
    ...[["李雷", "李霞"], ["やまだ", "ヤマダ"], ["Гена", "Рена"], ["محمد", "محمود"], ["שרה", "שרי"]],
  ];
  for (const [one, other] of different) assert(!lookAlike(one, other), `${one} ${other}`);
});

Deno.test("skeleton: of a skeleton it is itself, and the same name in any case has the same one", () => {
  fc.assert(
    fc.property(names, (name) => {
      const own = skeleton(name);
      assertEquals(skeleton(own), own);
      for (const same of [nameKey(name), name.toLowerCase(), name.toUpperCase(), name.normalize("NFD")]) {
        if (nameKey(same) === nameKey(name)) assertEquals(skeleton(same), own);
      }
      assert(skeletons(name).includes(own));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("skeleton: each character of the table is replaced, by what stays as it is", () => {
  assert(TABLE.length > 800, "the table was read");
  assertEquals(new Set(TABLE).size, TABLE.length);
  for (const character of TABLE) {
    assertNotEquals(skeletons(character), [character], character.codePointAt(0)!.toString(16));
    assertEquals(skeleton(skeleton(character)), skeleton(character), character.codePointAt(0)!.toString(16));
  }
});

Deno.test("reservedBecause: addresses, with look-alike digits too", () => {
  const addresses = [
    ...[
      "10.0.0.7",
      "127.0.0.1",
      "999.1.1.1",
      "1O.O.O.7",
      "l27.0.0.I",
      "１０.0.0.7",
      "१०.०.०.७",
      "١٠.٠.٠.٧",
      "10٠0٠0٠7",
    ],
    ...["127.0.0.1ː5000", "𝟏𝟎.0.0.7", "127.0.0.1.", "_127.0.0.1_", "-10.0.0.7"],
  ];
  for (const name of addresses) {
    assertEquals(normalizeName(name), name.normalize("NFC"), "it is a name otherwise");
    assertEquals(reservedBecause(name), `The name ${name} looks like an address; choose another`);
  }
  for (const name of ["1.2.3", "1.2.3.4.5", "1.2.3.4a", "1234.1.1.1", "10-0-0-7", "j.doe", "42", "v1.0.0.0"]) {
    assertEquals(reservedBecause(name), undefined, name);
  }
});

Deno.test("reservedBecause: what looks like the server", () => {
  for (const name of ["Server", "SERVER", "server", "Ѕerver", "Ｓerver", "ѕеrvеr", "_Server_", "server."]) {
    assertEquals(reservedBecause(name), `The name ${name} looks like the server; choose another`);
  }
  for (const name of ["Servera", "my-server", "Serve", "Saver", "Alice"]) {
    assertEquals(reservedBecause(name), undefined);
  }
});
