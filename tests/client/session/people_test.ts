/** Names to complete, and people not to be heard. */
import { assertEquals } from "@std/assert";
import { People, type PeopleEvent } from "../../../client/session/people.ts";
import { EPOCH } from "../../support/fake_session.ts";

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

/** Somebody has taken another name: `Mal` is now `Ben`. */
function renamed(...changes: [before: string | undefined, name: string, address?: string][]): PeopleEvent {
  const members = changes.map(([before, name, address = AT]) => ({ address, name, before }));
  return { dialect: "v1", type: "RENAMED", epoch: EPOCH, seq: 1, at: 1, members };
}

function presence(type: "ONLINE" | "OFFLINE", name: string, address = AT): PeopleEvent {
  return { dialect: "v1", type, epoch: EPOCH, seq: 1, at: 1, members: [{ address, name }] };
}

/** Takes an event; returns the names that the user is told of. */
const take = (people: People, event: PeopleEvent) => people.take(event).map(({ before, name }) => `${before} ${name}`);

Deno.test("people: who is ignored and takes another name stays so, however often, and whoever has the old one too", () => {
  const people = new People();
  people.remember("Alice");
  people.ignore("ALICE");
  assertEquals([take(people, renamed(["Alice", "Alicia"])), take(people, renamed([undefined, "Bob", "10.0.0.1:1"]))], [
    ["Alice Alicia"],
    [],
  ]);
  assertEquals([people.names, people.ignored], [["Alicia", "Bob"], ["ALICE", "Alicia"]]);
  for (let i = 0; i < 1000; i++) {
    assertEquals(take(people, renamed([i === 0 ? "Alicia" : `A${i - 1}`, `A${i}`])), [], "told once");
  }
  assertEquals(people.ignored, ["ALICE", "A999"], "an earlier name may be another's");
  assertEquals([take(people, renamed(["A999", "Alice"])), people.ignored], [[], ["ALICE"]]);
  assertEquals([take(people, renamed(["Alice", "Ali"])), people.ignored], [[], ["ALICE", "Ali"]]);
  assertEquals([people.unignore("Ali"), people.ignored], [true, ["ALICE"]]);
  assertEquals(take(people, renamed(["Alice", "Al"])), ["Alice Al"], "somebody else is followed");
  assertEquals([people.unignore("alice"), people.ignored], [true, []]);
});

Deno.test("people: one that is ignored makes nobody else ignored by taking and leaving names", () => {
  const people = new People();
  people.ignore("Mal");
  const told = [];
  for (let i = 0; i < 1000; i++) {
    told.push(...take(people, presence("ONLINE", "Mal")), ...take(people, renamed(["Mal", `Honest${i}`])));
    assertEquals(people.isIgnored({ address: AT, name: `honest${i}` }), true);
    told.push(...take(people, presence("OFFLINE", `Honest${i}`)));
    assertEquals(people.isIgnored({ address: AT, name: `Honest${i}` }), false);
  }
  assertEquals([people.ignored, told], [["Mal"], ["Mal Honest0"]]);
});

Deno.test("people: who was ignored by a name is followed to its end, not whoever has that name next", () => {
  const people = new People();
  people.ignore("Mal");
  take(people, renamed(["Mal", "Troll"]));
  take(people, renamed(["Mal", "Honest", "10.0.0.1:1"]));
  assertEquals(people.ignored, ["Mal", "Troll"]);
  // back in a new epoch, at the same address
  take(people, presence("ONLINE", "Troll"));
  assertEquals(people.ignored, ["Mal", "Troll"]);
});

Deno.test("people: a name that was followed is heard when another has it, though nobody saw the first one go", () => {
  for (const event of [presence("ONLINE", "Ann", "10.0.0.1:1"), renamed(["Bob", "ANN", "10.0.0.1:1"])]) {
    const people = new People();
    people.ignore("Mal");
    take(people, renamed(["Mal", "Ann"]));
    take(people, event);
    assertEquals([people.ignored, people.isIgnored({ address: AT, name: "Ann" })], [["Mal"], false]);
  }
});

Deno.test("people: two members that swap their names in one event stay who they are", () => {
  for (const swap of [renamed(["Ben", "Ann"], ["Ann", "Ben"]), renamed(["Ann", "Ben"], ["Ben", "Ann"])]) {
    const people = new People();
    people.ignore("Mal");
    take(people, renamed(["Mal", "Ben"]));
    take(people, presence("ONLINE", "Ann"));
    assertEquals(take(people, swap), []);
    assertEquals([people.ignored, people.names], [["Mal", "Ann"], ["Ann", "Ben"]]);
  }
});

Deno.test("people: what is forged makes nobody ignored or heard, in whatever order it is found out", () => {
  const forged = [renamed(["Ben", "Zoe"]), renamed(["Zoe", "Ann"]), presence("OFFLINE", "Ann")];
  for (const found of [forged, forged.toReversed()]) {
    const people = new People();
    people.ignore("Mal");
    take(people, renamed(["Mal", "Ben"]));
    for (const event of forged) take(people, event);
    assertEquals(people.ignored, ["Mal"]);
    for (const event of found) people.takeBack(event);
    assertEquals(people.ignored, ["Mal", "Ben"]);
    people.takeBack(renamed(["Mal", "Ben"]));
    assertEquals(people.ignored, ["Mal", "Ben"], "this one is true");
  }
});

Deno.test("people: more forged events than are remembered leave nobody ignored who was not", () => {
  const people = new People();
  people.ignore("Mal");
  const forged = Array.from({ length: 100 }, (_, i) => renamed([i === 0 ? "Mal" : `A${i - 1}`, `A${i}`]));
  for (const event of forged) take(people, event);
  for (const event of forged) people.takeBack(event);
  assertEquals(people.ignored, ["Mal"]);
});
