/** How many offers and answers there may be, counted. */
import { assertEquals } from "@std/assert";
import { AnswerLimits, OfferLimits } from "../../../../client/session/transfers/offer_limits.ts";

type Coming = Parameters<OfferLimits["take"]>[1][number];
const coming = (pass: string, state: "asked" | "running") => ({ pass, state: { state } }) as Coming;
const times = (count: number, take: () => unknown) => Array.from({ length: count }, take);
/** How many of so many offers are taken of a member whose earlier ones have ended. */
const taken = (limits: OfferLimits, pass: string, count: number, now: number) =>
  times(count, () => limits.take(pass, [], now)).filter((refusal) => refusal === undefined).length;
const answered = (limits: AnswerLimits, pass: string, count: number, isKnown: boolean, now: number) =>
  times(count, () => limits.take(pass, isKnown, now)).filter((is) => is).length;

Deno.test("offer limits: eight of one member are offered or under way at once", () => {
  const some = (count: number) =>
    [...times(count, () => coming("bob", "running")), coming("carol", "asked")] as Coming[];
  assertEquals(new OfferLimits().take("bob", some(7), 0), undefined);
  assertEquals(new OfferLimits().take("bob", some(8), 0), "busy");
});

Deno.test("offer limits: of one member whose offers have ended eight are new at once, and then one in ten seconds", () => {
  const limits = new OfferLimits();
  assertEquals([0, 9900, 10_000, 19_900, 20_000].map((now) => taken(limits, "bob", 20, now)), [8, 0, 1, 0, 1]);
});

Deno.test("offer limits: 32 are offered or under way at a time, and one of who has most of them makes room", () => {
  const running = (count: number) => Array.from({ length: count }, (_, i) => coming(`${i}`, "running"));
  assertEquals(new OfferLimits().take("bob", running(31), 0), undefined);
  assertEquals(new OfferLimits().take("bob", running(32), 0), "busy");
  const crowd = [...running(30), coming("carol", "asked"), coming("carol", "asked")];
  assertEquals(new OfferLimits().take("bob", crowd, 0), crowd[30]);
  // who has one already makes nobody yield
  assertEquals(new OfferLimits().take("0", crowd, 0), "busy");
});

Deno.test("offer limits: of 60 new ones at once 20 are left for who has offered nothing, and two a second come back", () => {
  const limits = new OfferLimits();
  assertEquals(taken(limits, "first", 1, 0), 1);
  assertEquals([1, 2, 3, 4].map((i) => taken(limits, `${i}`, 8, 0)), [8, 8, 8, 8]);
  assertEquals(taken(limits, "last", 7, 0), 7);
  assertEquals(taken(limits, "first", 1, 0), 0);
  const strangers = Array.from({ length: 30 }, (_, i) => taken(limits, `stranger ${i}`, 1, 0));
  assertEquals(strangers.reduce((sum, count) => sum + count), 20);
  assertEquals([taken(limits, "a", 1, 499), taken(limits, "a", 1, 500), taken(limits, "b", 1, 999)], [0, 1, 0]);
});

Deno.test("answer limits: one member has 40 answers at once and 20 a second, whatever the others have", () => {
  const limits = new AnswerLimits();
  assertEquals([0, 1000].map((now) => answered(limits, "bob", 1000, true, now)), [40, 20]);
  assertEquals(answered(limits, "carol", 1000, true, 1000), 40);
});

Deno.test("answer limits: packets of no known transfer have 200 answers at once and 100 a second, and take none of the others'", () => {
  const limits = new AnswerLimits();
  const strange = (now: number) =>
    Array.from({ length: 10 }, (_, i) => answered(limits, `${i}`, 100, false, now)).reduce((sum, count) => sum + count);
  assertEquals([strange(0), strange(1000)], [200, 100]);
  assertEquals(answered(limits, "bob", 100, true, 1000), 40);
});

Deno.test("answer limits: who is over its own limit takes nothing of what all strangers have", () => {
  const limits = new AnswerLimits();
  assertEquals(answered(limits, "mallory", 10_000, false, 0), 40);
  const others = [1, 2, 3, 4].map((i) => answered(limits, `${i}`, 40, false, 0));
  assertEquals(others, [40, 40, 40, 40]);
});
