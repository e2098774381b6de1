/** When the server is greeted. */
import { assert, assertEquals, assertLessOrEqual, assertNotEquals } from "@std/assert";
import { Greeter } from "../../../client/session/greeter.ts";
import { RoundTrip } from "../../../protocol/reliable/round_trip.ts";

function greeter(firstId?: number) {
  const ids: number[] = [];
  const roundTrip = new RoundTrip();
  return { greeter: new Greeter(roundTrip, (id) => ids.push(id), firstId), ids, roundTrip };
}

Deno.test("greeter: nothing before the start, then one greeting at once and more at growing pauses", () => {
  const { greeter: g, ids } = greeter(100);
  assertEquals([g.nextWake, g.tries, g.silentSince], [undefined, 0, undefined]);
  g.start(1000);
  const times = [1000];
  while (times.length < 20) {
    times.push(g.nextWake!);
    g.wake(g.nextWake!);
  }
  assertEquals(ids, Array.from({ length: 20 }, (_, i) => 101 + i));
  const pauses = times.slice(1).map((at, i) => at - times[i]);
  for (let i = 1; i < pauses.length; i++) assert(pauses[i] >= pauses[i - 1], `${pauses}`);
  assertEquals(pauses.at(-1), 1000);
  assertLessOrEqual(pauses[0], 500);
  assertEquals([g.tries, g.silentSince], [20, 1000]);
});

Deno.test("greeter: an answer ends the silence, and the next greeting is due after the keep-alive", () => {
  const { greeter: g, ids, roundTrip } = greeter();
  g.start(0);
  g.wake(g.nextWake!);
  assertEquals(g.answered(ids[1], 20_000, 140), true);
  assertEquals([g.tries, g.silentSince, g.nextWake, roundTrip.smoothed], [0, undefined, 20_140, 40]);
  g.wake(20_139);
  assertEquals(ids.length, 2);
  g.wake(20_140);
  assertEquals([ids.length, g.silentSince], [3, 20_140]);
});

Deno.test("greeter: an answer counts once, and only to a greeting of the last sixteen", () => {
  const { greeter: g, ids } = greeter();
  g.start(0);
  assertEquals([g.answered(ids[0] + 1, 1000, 5), g.answered(ids[0], 1000, 5), g.answered(ids[0], 1000, 6)], [
    false,
    true,
    false,
  ]);
  for (let i = 0; i < 17; i++) g.wake(g.nextWake!);
  assertEquals([g.isRecent(ids[1]), g.isRecent(ids[2]), g.isRecent(undefined)], [false, true, false]);
  assertEquals(g.answered(ids[1], 1000, 99_999), false);
});

Deno.test("greeter: once stopped it is silent until it is started again", () => {
  const { greeter: g, ids } = greeter();
  g.start(0);
  g.stop();
  g.wake(99_999);
  assertEquals([ids.length, g.nextWake], [1, undefined]);
  g.start(100_000);
  assertEquals(ids.length, 2);
});

Deno.test("greeter: its ids begin somewhere at random, so that nobody elsewhere can forge an answer", () => {
  const [first, second] = [greeter(), greeter()];
  first.greeter.start(0);
  second.greeter.start(0);
  assertNotEquals(first.ids, second.ids);
  for (const id of [...first.ids, ...second.ids]) assert(Number.isSafeInteger(id) && id > 0);
});
