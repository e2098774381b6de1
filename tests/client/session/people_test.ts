/** Names to complete, and people not to be heard. */
import { assertEquals } from "@std/assert";
import { People } from "../../../client/session/people.ts";

const AT = "192.0.2.21:52207";

Deno.test("people: names are kept once, in their last spelling, sorted as people sort", () => {
  const people = new People();
  for (const name of ["bob", "Alice", "Émile", "Zoë", "BOB", undefined]) people.remember(name);
  assertEquals(people.names, ["Alice", "BOB", "Émile", "Zoë"]);
  people.forget("alice");
  people.forget("nobody");
  people.forget(undefined);
  assertEquals(people.names, ["BOB", "Émile", "Zoë"]);
});

Deno.test("people: one name in two forms of Unicode is one name", () => {
  const people = new People();
  people.remember("Zo\u00eb");
  people.remember("Zoe\u0308");
  assertEquals(people.names.length, 1);
  people.ignore("ZOE\u0308");
  assertEquals(people.isIgnored({ address: AT, name: "Zo\u00eb" }), true);
});

Deno.test("people: ignored by name in any case or by address, until undone", () => {
  const people = new People();
  assertEquals(people.isIgnored({ address: AT, name: "Alice" }), false);
  people.ignore("aLICE");
  assertEquals(people.isIgnored({ address: AT, name: "Alice" }), true);
  assertEquals(people.isIgnored({ address: AT }), false);
  assertEquals(people.isIgnored({ address: AT, name: "Bob" }), false);
  people.ignore(AT);
  assertEquals(people.isIgnored({ address: AT, name: "Bob" }), true);
  assertEquals(people.ignored, ["aLICE", AT]);
  assertEquals([people.unignore("ALICE"), people.unignore("Alice")], [true, false]);
  assertEquals(people.unignore(AT), true);
  assertEquals(people.isIgnored({ address: AT, name: "Alice" }), false);
});

Deno.test("people: an IPv6 address is ignored however its letters are written", () => {
  const people = new People();
  people.ignore("[FE80::1]:9090");
  assertEquals(people.isIgnored({ address: "[fe80::1]:9090" }), true);
  people.ignore("[fe80::1%Ethernet]:5");
  assertEquals(people.isIgnored({ address: "[fe80::1%Ethernet]:5" }), true);
});

Deno.test("people: of names from the network those that were heard of last are remembered", () => {
  const people = new People();
  people.remember("Alice");
  people.remember("Bob");
  // somebody forges arrivals
  for (let i = 0; i < 4998; i++) people.remember(`user${i}`);
  people.remember("Alice");
  for (let i = 0; i < 10; i++) people.remember(`more${i}`);
  assertEquals(people.names.length, 5000);
  const has = (name: string) => people.names.includes(name);
  assertEquals(["Alice", "Bob", "user8", "user9", "more9"].map(has), [true, false, false, true, true]);
  people.forget("user9");
  people.remember("Newcomer");
  assertEquals([has("user10"), has("Newcomer")], [true, true]);
});

Deno.test("people: who is ignored and takes another name stays so, however often, and whoever has the old one too", () => {
  const people = new People();
  people.remember("Alice");
  people.ignore("ALICE");
  assertEquals([people.renamed("Alice", "Alicia"), people.renamed(undefined, "Bob")], [true, false]);
  assertEquals([people.names, people.ignored], [["Alicia", "Bob"], ["ALICE", "Alicia"]]);
  for (let i = 0; i < 1000; i++) people.renamed(i === 0 ? "Alicia" : `A${i - 1}`, `A${i}`);
  assertEquals(people.ignored, ["ALICE", "A999"], "an earlier name may be another's");
  assertEquals([people.renamed("A999", "Alice"), people.ignored], [false, ["ALICE"]]);
  assertEquals([people.renamed("Alice", "Ali"), people.renamed("Bob", "Ali")], [true, false]);
  assertEquals(people.unignore("Ali"), true);
});

Deno.test("people: nobody is ignored because somebody has forged a new name", () => {
  const people = new People();
  people.ignore("Alice");
  people.renamed("Alice", "Bob");
  people.notRenamed("Alice", "Bob");
  people.notRenamed(undefined, "Alice");
  people.notRenamed("Bob", "Alice");
  assertEquals(people.ignored, ["Alice"]);
});
