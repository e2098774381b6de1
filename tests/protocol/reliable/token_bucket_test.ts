/** How often a member may speak. */
import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { TokenBucket } from "../../../protocol/reliable/token_bucket.ts";

Deno.test("token bucket: a burst is free, then each token takes its time", () => {
  const limit = { rate: 4, burst: 2 };
  const bucket = new TokenBucket(limit, 0);
  assertEquals([0, 0, 0, 250, 250, 500].map((now) => bucket.take(limit, now)), [0, 0, 250, 0, 250, 0]);
});

Deno.test("token bucket: it holds no more than its burst, however long the pause", () => {
  const limit = { rate: 1000, burst: 3 };
  const bucket = new TokenBucket(limit, 0);
  assertEquals(Array.from({ length: 4 }, () => bucket.take(limit, 1e9)), [0, 0, 0, 1]);
});

Deno.test("token bucket: a rate of 0 is no limit", () => {
  const limit = { rate: 0, burst: 0 };
  const bucket = new TokenBucket(limit, 0);
  for (let i = 0; i < 1000; i++) assertEquals(bucket.take(limit, 0), 0);
});

Deno.test("token bucket: a clock that goes back takes nothing away", () => {
  const limit = { rate: 1, burst: 2 };
  const bucket = new TokenBucket(limit, 5000);
  assertEquals([bucket.take(limit, 5000), bucket.take(limit, 0)], [0, 0]);
});

Deno.test("token bucket: the wait that it returns is enough except for rounding, and never much too long", () => {
  const limits = fc.record({ rate: fc.integer({ min: 1, max: 500 }), burst: fc.integer({ min: 1, max: 20 }) });
  fc.assert(fc.property(limits, fc.array(fc.nat(50), { maxLength: 100 }), (limit, pauses) => {
    const bucket = new TokenBucket(limit, 0);
    let now = 0, taken = 0;
    for (const pause of pauses) {
      now += pause;
      const wait = bucket.take(limit, now);
      if (wait === 0) taken++;
      else {
        assertLessOrEqual(wait, Math.ceil(1000 / limit.rate) + 1);
        const again = bucket.take(limit, now + wait);
        now += wait;
        // the sum of many small refills may be a rounding error short of a token
        assertLessOrEqual(again, 1);
        if (again === 0) taken++;
      }
    }
    assertGreaterOrEqual(limit.burst + now * limit.rate / 1000 + 1e-6, taken);
  }));
});

Deno.test("token bucket: tokens that are taken ahead come one after the other, and one that is given back is there", () => {
  const limit = { rate: 4, burst: 1 };
  const bucket = new TokenBucket(limit, 0);
  assertEquals([0, 0, 0, 250].map((now) => bucket.takeAhead(limit, now)), [0, 250, 500, 500]);
  bucket.giveBack();
  assertEquals([250, 500, 750].map((now) => bucket.take(limit, now)), [500, 250, 0]);
});

Deno.test("token bucket: it is full when it is new, and again when its tokens have come back", () => {
  const limit = { rate: 4, burst: 2 };
  const bucket = new TokenBucket(limit, 0);
  assertEquals(bucket.isFull(limit, 0), true);
  bucket.take(limit, 0);
  assertEquals([249, 250].map((now) => bucket.isFull(limit, now)), [false, true]);
  assertEquals(bucket.isFull({ rate: 0, burst: 0 }, 0), true);
});
