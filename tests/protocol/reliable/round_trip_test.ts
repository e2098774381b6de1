/** How long to wait for an answer. */
import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLess, assertLessOrEqual } from "@std/assert";
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

Deno.test("round trip: the wait is the round trip and some milliseconds for a busy machine, and at most the limit", () => {
  // RFC 9002, section 6.2.1, has no floor of 100 ms: on a fast network a loss is noticed at once
  for (const measured of [0, 0.2, 1, 10, 40, 150]) {
    const steady = new RoundTrip();
    for (let i = 0; i < 100; i++) steady.sample(measured);
    // the delays of a busy machine must not look like losses
    assertLess(Math.abs(steady.timeout() - measured - 8), 0.001);
  }
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

Deno.test("round trip: on a fast network a dead peer is tried some ten times in its first second, not a hundred", () => {
  const fast = new RoundTrip();
  for (let i = 0; i < 100; i++) fast.sample(0.2);
  let waited = 0, times = 0;
  while (waited < 1000) waited += fast.timeout(++times);
  assertLessOrEqual(times, 12);
  assertGreaterOrEqual(times, 5, "at 30% loss each way one try in two fails");
});

/** One that had so many samples of a length. */
function measured(...samples: [count: number, ms: number][]): RoundTrip {
  const roundTrip = new RoundTrip();
  for (const [count, ms] of samples) for (let i = 0; i < count; i++) roundTrip.sample(ms);
  return roundTrip;
}

Deno.test("round trip: one that is much longer than the shortest is that of a queue, whatever the shortest is", () => {
  assertEquals(new RoundTrip().isQueueing, false);
  for (const base of [0.2, 5, 50, 200]) {
    const roundTrip = measured([20, base]);
    assertEquals(roundTrip.isQueueing, false, `${base} ms`);
    for (let i = 0; i < 40; i++) roundTrip.sample(2 * base + 30);
    assertEquals(roundTrip.isQueueing, true, `${base} ms`);
    for (let i = 0; i < 40; i++) roundTrip.sample(base);
    assertEquals(roundTrip.isQueueing, false, `${base} ms, the queue is empty again`);
  }
});

Deno.test("round trip: a busy machine, a few datagrams ahead or some jitter are no queue", () => {
  assertEquals(measured([20, 0.2], [100, 8]).isQueueing, false, "8 ms more");
  assertEquals(measured([20, 200], [100, 260]).isQueueing, false, "a third more");
  const jitter = new RoundTrip();
  for (let i = 0; i < 200; i++) {
    jitter.sample(40 + i * 7 % 20);
    assertEquals(jitter.isQueueing, false);
  }
  assertEquals(measured([50, 10], [1, 150]).isQueueing, false, "one slow answer");
});

Deno.test("round trip: the shortest one is forgotten after a while, as the way may have become longer", () => {
  for (const before of [190, 200, 210, 220, 230, 240, 250]) {
    const roundTrip = measured([before, 5]);
    let samples = 0;
    for (; !roundTrip.isQueueing; samples++) {
      assertLess(samples, 10, `${before}`);
      roundTrip.sample(120);
    }
    for (; roundTrip.isQueueing; samples++) {
      assertLess(samples, 300);
      roundTrip.sample(120);
    }
    assertGreater(samples, 50, "a queue may stand for a minute");
  }
});

Deno.test("round trip: among the first eight samples a much shorter one counts alone, as programs are slow when they start", () => {
  for (const before of [1, 3, 7]) assertEquals(measured([before, 40], [1, 19]).smoothed, 19, `${before} before it`);
  assertEquals(measured([7, 40], [1, 19]).timeout(), 19 + 4 * 19 / 2, "as the very first");
  assertEquals(measured([7, 40], [1, 20]).smoothed, 37.5, "half as long is not much shorter");
  assertEquals(measured([8, 40], [1, 16]).smoothed, 37, "the ninth");
});

Deno.test("round trip: what others have overtaken is waited for a part of the round trip, within limits", () => {
  const waits = [0.2, 1, 20, 60, 10_000].map((ms) => measured([10, ms]).reordering);
  assertEquals(waits, waits.toSorted((a, b) => a - b));
  for (const [i, ms] of [0.2, 1, 20, 60].entries()) assertLess(waits[i], ms / 2 + 5);
  assertEquals([measured([10, 4]).reordering, measured([10, 20]).reordering], [3, 7]);
  assertEquals(measured([10, 20], [30, 100]).reordering, 7, "the shortest round trip counts, a queue does not");
  assertEquals([new RoundTrip().reordering, waits.at(-1)], [30, 30], "before anything is measured, too");
});

Deno.test("round trip: one slow answer is forgotten after some fast ones", () => {
  const roundTrip = new RoundTrip();
  for (let i = 0; i < 20; i++) roundTrip.sample(10);
  roundTrip.sample(500);
  for (let i = 0; i < 30; i++) roundTrip.sample(10);
  assertLess(roundTrip.smoothed!, 20);
});

Deno.test("round trip: answers to repeats make the timeouts longer until something is measured", () => {
  const roundTrip = new RoundTrip();
  for (let i = 0; i < 50; i++) roundTrip.sample(1);
  const before = roundTrip.timeout();
  for (let i = 0; i < 3; i++) roundTrip.noteAmbiguous();
  assertGreaterOrEqual(roundTrip.timeout(), 3 * before);
  for (let i = 0; i < 1000; i++) roundTrip.noteAmbiguous();
  assertEquals(roundTrip.timeout(), MAX_TIMEOUT_MS);
  roundTrip.sample(1);
  assertLessOrEqual(roundTrip.timeout(), before);
});
