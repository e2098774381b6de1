/** Who may join: whoever sends back the token that was sent to its address. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Newcomers } from "../../server/newcomers.ts";

const A = "192.0.2.1:1", B = "192.0.2.1:2";

Deno.test("newcomers: each address has a token of its own, the same until it is used", () => {
  const newcomers = new Newcomers();
  const token = newcomers.tokenFor(A, 0);
  assertEquals(newcomers.tokenFor(A, 0), token);
  assertNotEquals(newcomers.tokenFor(B, 0), token);
  assertEquals([newcomers.at(B, token), newcomers.at(A, "")], [undefined, undefined]);
  assertEquals(newcomers.at(A, token), { token, greetedAt: 0 });
  newcomers.forget(A);
  assertEquals(newcomers.at(A, token), undefined);
  assertNotEquals(newcomers.tokenFor(A, 0), token);
});

Deno.test("newcomers: tokens are 64 random bits", () => {
  const newcomers = new Newcomers();
  const tokens = new Set(Array.from({ length: 1000 }, (_, i) => newcomers.tokenFor(`10.0.0.1:${i + 1}`, 0)));
  assertEquals(tokens.size, 1000);
  for (const token of tokens) assert(/^[0-9a-f]{16}$/.test(token));
  assertNotEquals([...tokens].sort(), [...tokens]);
});

Deno.test("newcomers: of a flood of forged addresses the latest 10,000 are remembered", () => {
  const newcomers = new Newcomers();
  const first = newcomers.tokenFor(A, 0);
  const tokens = Array.from({ length: 10_000 }, (_, i) => newcomers.tokenFor(`10.0.0.1:${i + 1}`, 0));
  assertEquals(newcomers.at(A, first), undefined);
  assertEquals(newcomers.at("10.0.0.1:1", tokens[0]), { token: tokens[0], greetedAt: 0 });
});

Deno.test("newcomers: for five seconds from its last greeting on, a newcomer is a fresh one", () => {
  const newcomers = new Newcomers();
  const fresh = (now: number) => newcomers.isFresh(A, now);
  assertEquals(fresh(0), false);
  newcomers.tokenFor(A, 0);
  assertEquals([fresh(0), fresh(4999), fresh(5000)], [true, true, false]);
  newcomers.tokenFor(A, 5000);
  assertEquals([fresh(9999), fresh(10_000), newcomers.isFresh(B, 9999)], [true, false, false]);
});
