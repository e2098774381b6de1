/** When the server is asked for missing events. */
import { assertEquals, assertLess } from "@std/assert";
import { RequestTimer } from "../../../protocol/reliable/request_timer.ts";
import { RoundTrip } from "../../../protocol/reliable/round_trip.ts";

Deno.test("request timer: the first request waits a little, and each further one longer, until something arrives", () => {
  const timer = new RequestTimer(new RoundTrip(), () => 1);
  assertEquals([timer.dueAt, timer.isDue(1000)], [undefined, false]);
  timer.schedule(1000);
  timer.schedule(1020);
  assertEquals([timer.dueAt, timer.isDue(1029), timer.isDue(1030)], [1030, false, true]);
  const request = () => {
    const now = timer.dueAt!;
    timer.requested([{ from: 3, to: 4 }], now);
    return timer.dueAt! - now;
  };
  const [first, second, third] = [request(), request(), request()];
  assertEquals([second > first, third > second], [true, true]);
  timer.forgetFailures();
  assertEquals(request(), second);
  timer.stop();
  timer.schedule(9000);
  assertEquals(timer.dueAt, 9030);
});

Deno.test("request timer: the first request waits at random, no longer than what is missing may only be late", () => {
  const fast = new RoundTrip();
  fast.sample(1);
  const firstPause = (roundTrip: RoundTrip, random: number) => {
    const timer = new RequestTimer(roundTrip, () => random);
    timer.schedule(1000);
    return timer.dueAt! - 1000;
  };
  assertEquals([0, 0.5, 1].map((random) => firstPause(fast, random) / fast.reordering), [0, 0.5, 1]);
  assertLess(firstPause(fast, 1), firstPause(new RoundTrip(), 1));
});

Deno.test("request timer: it knows what was requested since the line began", () => {
  const timer = new RequestTimer(new RoundTrip(), () => 0);
  timer.begin(10);
  timer.schedule(0);
  assertEquals([timer.wasRequested(10), timer.wasRequested(11)], [true, false]);
  timer.requested([{ from: 11, to: 15 }, { from: 13, to: 13 }], 0);
  assertEquals([timer.wasRequested(15), timer.wasRequested(16)], [true, false]);
  timer.begin(20);
  assertEquals([timer.dueAt, timer.wasRequested(20), timer.wasRequested(21)], [undefined, true, false]);
});
