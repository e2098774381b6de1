/** Who is here: found by address, token and name, listed in order, the longest silent first. */
import { assert, assertEquals, assertLess, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { byteLength } from "../../protocol.ts";
import { Members } from "../../server/members.ts";

const A = "127.0.0.1:1", B = "127.0.0.1:2", C = "127.0.0.1:3";

Deno.test("members: one is found by address, token and name, whatever its dialect", () => {
  const members = new Members();
  const alice = members.add(A, "v1", 5);
  const bob = members.add(B, "classic", 6);
  members.rename(alice, "Alice");
  members.rename(bob, "Bob");
  assertEquals([members.at(A), members.withToken(alice.token), members.withName("ALICE")], [alice, alice, alice]);
  assertEquals([members.at(B), members.withName("bob")], [bob, bob]);
  assertEquals([members.at(C), members.withToken("x"), members.withName("Carol")], [undefined, undefined, undefined]);
  assertEquals([members.size, members.v1Size, members.named], [2, 1, 2]);
  assertEquals(new Set(members), new Set([alice, bob]));
  assertEquals([alice.since, alice.heard], [5, 5]);
});

Deno.test("members: a classic member has no token, so that none finds it", () => {
  const members = new Members();
  const bob = members.add(A, "classic", 0);
  assertEquals(bob.token, "");
  assertEquals(members.withToken(""), undefined);
});

Deno.test("members: who is removed is not found any more, and its name is free", () => {
  const members = new Members();
  const alice = members.add(A, "v1", 0);
  members.rename(alice, "Alice");
  const { token } = alice;
  assertEquals(members.namesAfter(undefined).names, ["Alice"]);
  members.remove(alice);
  assertEquals([members.at(A), members.withToken(token), members.withName("Alice"), members.size, members.named], [
    undefined,
    undefined,
    undefined,
    0,
    0,
  ]);
  assertEquals(members.namesAfter(undefined), { names: [], more: false });
});

Deno.test("members: a new name frees the old one", () => {
  const members = new Members();
  const alice = members.add(A, "v1", 0);
  members.rename(alice, "Alice");
  assertEquals(members.namesAfter(undefined).names, ["Alice"]);
  members.rename(alice, "Alicia");
  assertEquals([members.withName("Alice"), members.withName("Alicia")], [undefined, alice]);
  assertEquals(members.namesAfter(undefined).names, ["Alicia"]);
});

Deno.test("members: who moves is found at the new address only, with its token and name", () => {
  const members = new Members();
  const alice = members.add(A, "v1", 0);
  members.rename(alice, "Alice");
  members.move(alice, B);
  assertEquals([members.at(A), members.at(B), members.withToken(alice.token)], [undefined, alice, alice]);
  assertEquals([alice.address, members.size, members.withName("alice")], [B, 1, alice]);
});

Deno.test("members: the most silent v1 member is the one heard longest ago; classic ones don't count", () => {
  const members = new Members();
  members.add("127.0.0.1:9", "classic", 0);
  assertEquals(members.mostSilent, undefined);
  const [a, b, c] = [A, B, C].map((address, i) => members.add(address, "v1", i));
  members.touch(a, 10);
  assertEquals([members.mostSilent, a.heard], [b, 10]);
  members.touch(b, 11);
  assertEquals(members.mostSilent, c);
  members.remove(c);
  assertEquals(members.mostSilent, a);
});

Deno.test("members: tokens are 64 random bits", () => {
  const members = new Members();
  const tokens = new Set(Array.from({ length: 1000 }, (_, i) => members.add(`10.0.0.1:${i + 1}`, "v1", 0).token));
  assertEquals(tokens.size, 1000);
  for (const token of tokens) assert(/^[0-9a-f]{16}$/.test(token));
  assertNotEquals([...tokens].sort(), [...tokens]);
});

Deno.test("members: pages follow each other without a gap or a repeat, whatever the names", () => {
  const nameOf = fc.string({
    unit: fc.constantFrom("a", "B", "ß", "é", "李", "σ", "ς", "𝔘", "_", "9"),
    minLength: 1,
    maxLength: 32,
  });
  fc.assert(
    fc.property(fc.uniqueArray(nameOf, { maxLength: 120 }), (names) => {
      const members = new Members();
      const kept: string[] = [];
      for (const [i, name] of names.entries()) {
        if (members.withName(name)) continue;
        members.rename(members.add(`10.0.0.1:${i + 1}`, "v1", 0), name);
        kept.push(name);
      }
      const listed: string[] = [];
      for (let more = true; more;) {
        const page = members.namesAfter(listed.at(-1));
        assert(page.names.length > 0 || listed.length === kept.length);
        assertLess(byteLength(page.names.join("\n")), 1132);
        listed.push(...page.names);
        more = page.more;
      }
      assertEquals(new Set(listed), new Set(kept));
      assertEquals(listed.length, kept.length);
    }),
    { numRuns: 50 },
  );
});
