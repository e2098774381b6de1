/** How long to wait for an answer. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { MAX_TIMEOUT_MS, RoundTrip } from "../../../protocol/reliable/round_trip.ts";

Deno.test("round trip: before anything is measured it waits 300 ms", () => {
  const roundTrip = new RoundTrip();
  assertEquals([roundTrip.smoothed, roundTrip.timeout()], [undefined, 300]);
});

Deno.test("round trip: the first and the later samples count as in RFC 6298", () => {
  const roundTrip = new RoundTrip();
  roundTrip.sample(100);
  assertEquals([roundTrip.smoothed, roundTrip.timeout()], [100, 300]);
  roundTrip.sample(140);
  assertEquals(roundTrip.smoothed, 105);
  // variation 3/4 * 50 + 1/4 * |100 - 140| = 47.5
  assertEquals(roundTrip.timeout(), 105 + 4 * 47.5);
});

Deno.test("round trip: the wait is at least 100 ms on a fast network, and at most the limit on a slow one", () => {
  const fast = new RoundTrip();
  for (let i = 0; i < 100; i++) fast.sample(0.2);
  assertEquals(fast.timeout(), 100);
  const slow = new RoundTrip();
  slow.sample(60_000);
  assertEquals(slow.timeout(), MAX_TIMEOUT_MS);
});

Deno.test("round trip: each further wait is longer, up to the limit", () => {
  const roundTrip = new RoundTrip();
  roundTrip.sample(40);
  const waits = [1, 2, 3, 4, 5, 20].map((times) => roundTrip.timeout(times));
  for (let i = 1; i < waits.length; i++) assert(waits[i] > waits[i - 1] || waits[i] === MAX_TIMEOUT_MS);
  assertEquals(waits.at(-1), MAX_TIMEOUT_MS);
});

Deno.test("round trip: one slow answer is forgotten after some fast ones", () => {
  const roundTrip = new RoundTrip();
  for (let i = 0; i < 20; i++) roundTrip.sample(10);
  roundTrip.sample(500);
  for (let i = 0; i < 30; i++) roundTrip.sample(10);
  assertLess(roundTrip.smoothed!, 20);
});
