/** What the server is asked for: what is missing first, and no more than it answers. */
import { assertEquals, assertLess } from "@std/assert";
import { chooseRanges } from "../../../protocol/reliable/requested_ranges.ts";
import { TokenBucket } from "../../../protocol/reliable/token_bucket.ts";
import { FakeLine, FakeScreen } from "../../support/fake_screen.ts";
import { incoming } from "../../support/fake_session.ts";

/** The ranges, as pairs, where only these seqs are missing or disputed. */
function choose(next: number, missing: number[], disputed: number[]): [number, number][] {
  const end = Math.max(next - 1, ...missing);
  const isHere = (seq: number) => !missing.includes(seq);
  return chooseRanges({ next, end, isHere, disputed }).map(({ from, to }) => [from, to]);
}

Deno.test("requested ranges: what is missing comes first, then the latest disputed events, near ones together", () => {
  assertEquals(choose(100, [100, 101, 105], [3, 90, 94, 60]), [[100, 101], [105, 105], [90, 94], [60, 60], [3, 3]]);
});

Deno.test("requested ranges: there are eight at most, and two of them are for disputes, however much is missing", () => {
  const missing = Array.from({ length: 20 }, (_, i) => 100 + 2 * i);
  const gaps = missing.map((seq) => [seq, seq]);
  assertEquals(choose(100, missing, []), gaps.slice(0, 8));
  assertEquals(choose(100, missing, [90]), [...gaps.slice(0, 7), [90, 90]]);
  assertEquals(choose(100, missing, [90, 80, 70]), [...gaps.slice(0, 6), [90, 90], [80, 80]]);
});

Deno.test("requested ranges: no more than 64 disputed events are asked for at once", () => {
  assertEquals(choose(5000, [5000], Array.from({ length: 2400 }, (_, i) => i + 1)), [[5000, 5000], [2337, 2400]]);
});

Deno.test("requested ranges: no more missing events are asked for than a feed wants, in as many ranges as they take", () => {
  const missing = [10, 11, 12, 15, 16, 20];
  const ranges = (most?: number) =>
    chooseRanges({ next: 10, end: 20, most, isHere: (seq) => !missing.includes(seq), disputed: [3] })
      .map(({ from, to }) => [from, to]);
  assertEquals(ranges(1), [[10, 10], [3, 3]]);
  assertEquals(ranges(2), [[10, 11], [3, 3]]);
  assertEquals(ranges(3), [[10, 12], [3, 3]]);
  assertEquals(ranges(4), [[10, 12], [15, 15], [3, 3]]);
  for (const most of [6, 7, undefined]) assertEquals(ranges(most), [[10, 12], [15, 16], [20, 20], [3, 3]]);
});

Deno.test("requested ranges: disputes over 2,400 places hold no true line back, at the rate at which the server answers", () => {
  const LENGTH = 2400, RTT = 20, rate = { rate: 500, burst: 1000 };
  const line = new FakeLine(LENGTH + 2), screen = new FakeScreen(), bucket = new TokenBucket(rate, 0);
  for (let seq = 1; seq <= LENGTH; seq++) {
    if (seq % 1000 === 0) screen.confirm(seq - 1, 0);
    screen.take(line.event(seq), 1);
  }
  for (let seq = 1; seq <= LENGTH; seq++) if (seq % 3 > 0) screen.take(incoming(seq, { text: "forged" }), 1);
  assertEquals(screen.feed.backlog, LENGTH * 2 / 3);
  const answers: { at: number; seq: number }[] = [];
  let shownAfter = 0;
  let now = 1;
  // the line before this one is lost when the server has answered for a second
  for (const lostAt = 1000; screen.feed.backlog > 0 && now < 60_000; now++) {
    if (now === lostAt) screen.take(line.event(LENGTH + 2), now);
    for (; answers[0]?.at <= now;) screen.take(line.event(answers.shift()!.seq), now, true);
    if (shownAfter === 0 && screen.believed.includes(`${LENGTH + 1}`)) shownAfter = now - lostAt;
    if ((screen.feed.nextWake ?? Infinity) > now) continue;
    for (const [from, last] of screen.requests(now)) {
      const to = Math.min(last, from + 127, now < lostAt ? LENGTH : LENGTH + 2);
      if (to < from || bucket.take(rate, now, to - from + 1) > 0) continue;
      for (let seq = from; seq <= to; seq++) answers.push({ at: now + RTT, seq });
    }
  }
  console.log(`  the lost line is shown after ${shownAfter} ms, the last dispute is over after ${now} ms`);
  assertLess(shownAfter, 1000);
  assertLess(now, 20_000);
  assertEquals(screen.believed.length, LENGTH + 2);
});
