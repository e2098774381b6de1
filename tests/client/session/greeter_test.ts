/** When the server is greeted. */
import { assert, assertEquals, assertLessOrEqual, assertNotEquals } from "@std/assert";
import { Greeter } from "../../../client/session/greeter.ts";
import { RequestIds } from "../../../client/session/request_ids.ts";
import { RoundTrip } from "../../../protocol/reliable/round_trip.ts";

function greeter(requestIds?: RequestIds) {
  const ids: number[] = [];
  const roundTrip = new RoundTrip();
  /** How many greetings before each that was answered had no answer. */
  const unanswered: number[] = [];
  const loss = { noteAnswer: (count: number) => void unanswered.push(count) };
  const greeter = new Greeter({ roundTrip, loss }, requestIds);
  const wake = (now: number) => {
    const id = greeter.wake(now);
    if (id !== undefined) ids.push(id);
  };
  const start = (now: number) => {
    greeter.start(now);
    wake(now);
  };
  return { greeter, start, wake, ids, roundTrip, unanswered };
}

Deno.test("greeter: nothing before the start, then one greeting at once and more at growing pauses", () => {
  const { greeter: g, start, wake, ids } = greeter(new RequestIds(100));
  assertEquals([g.nextWake, g.tries, g.silentSince], [undefined, 0, undefined]);
  start(1000);
  const times = [1000];
  while (times.length < 20) {
    times.push(g.nextWake!);
    wake(g.nextWake!);
  }
  assertEquals(ids, Array.from({ length: 20 }, (_, i) => 101 + i));
  const pauses = times.slice(1).map((at, i) => at - times[i]);
  for (let i = 1; i < pauses.length; i++) assert(pauses[i] >= pauses[i - 1], `${pauses}`);
  assertLessOrEqual(pauses[0], 500);
  assertEquals([g.tries, g.silentSince], [20, 1000]);
  // a server that has never answered is joined in 2 s when it comes in the first 8, later in a quarter of the time
  for (let i = 0; i < pauses.length; i++) {
    const waited = times[i] - 1000;
    assertLessOrEqual(pauses[i], Math.max(waited / 4, 1000) + 1);
    if (waited > 10_000) assertLessOrEqual(waited / 4, pauses[i] + 1);
  }
  while (g.nextWake! < 200_000) wake(g.nextWake!);
  const last = g.nextWake!;
  wake(last);
  assertEquals(g.nextWake! - last, 10_000);
});

Deno.test("greeter: a server that has answered before is greeted each second when it is silent", () => {
  const { greeter: g, start, wake, ids } = greeter();
  start(0);
  wake(60_000);
  g.answered(ids[1], 1000, 60_010);
  for (let i = 0; i < 40; i++) wake(g.nextWake!);
  const last = g.nextWake!;
  wake(last);
  assertEquals(g.nextWake! - last, 1000);
});

Deno.test("greeter: in a hurry it keeps the pause that it is told, for so many greetings", () => {
  const { greeter: g, start, wake } = greeter();
  start(0);
  wake(20_000);
  g.hurry({ greetings: 3, pause: 250 }, 20_000);
  const pauses = [];
  for (let now = 20_000, i = 0; i < 5; i++) {
    pauses.push(g.nextWake! - now);
    wake(now = g.nextWake!);
  }
  assertEquals(pauses.slice(0, 4), [250, 250, 250, 250]);
  assert(pauses[4] > 4000, `${pauses}`);
});

Deno.test("greeter: an answer ends the silence, and the next greeting is due after the keep-alive", () => {
  const { greeter: g, start, wake, ids, roundTrip } = greeter();
  start(0);
  wake(g.nextWake!);
  assertEquals(g.answered(ids[1], 20_000, 140), 100);
  assertEquals([g.tries, g.silentSince, g.nextWake, roundTrip.smoothed], [0, undefined, 20_140, 40]);
  wake(20_139);
  assertEquals(ids.length, 2);
  wake(20_140);
  assertEquals([ids.length, g.silentSince], [3, 20_140]);
});

Deno.test("greeter: an answer counts once, and only to a greeting of the last sixteen", () => {
  const { greeter: g, start, wake, ids } = greeter();
  start(0);
  assertEquals([g.answered(ids[0] + 1, 1000, 5), g.answered(ids[0], 1000, 5), g.answered(ids[0], 1000, 6)], [
    undefined,
    0,
    undefined,
  ]);
  for (let i = 0; i < 17; i++) wake(g.nextWake!);
  assertEquals([g.isRecent(ids[1]), g.isRecent(ids[2]), g.isRecent(undefined)], [false, true, false]);
  assertEquals(g.answered(ids[1], 1000, 99_999), undefined);
});

Deno.test("greeter: once stopped it is silent until it is started again", () => {
  const { greeter: g, start, wake, ids } = greeter();
  start(0);
  g.stop();
  wake(99_999);
  assertEquals([ids.length, g.nextWake], [1, undefined]);
  start(100_000);
  assertEquals(ids.length, 2);
});

Deno.test("greeter: its ids begin somewhere at random, so that nobody elsewhere can forge an answer", () => {
  const [first, second] = [greeter(), greeter()];
  first.start(0);
  second.start(0);
  assertNotEquals(first.ids, second.ids);
  for (const id of [...first.ids, ...second.ids]) assert(Number.isSafeInteger(id) && id > 0);
});

Deno.test("greeter: asked to start again at once, it keeps its shortest pause", () => {
  const { greeter: g, start, wake, ids } = greeter();
  g.startAgain(0);
  wake(0);
  assertEquals(ids.length, 1, "the first greeting does not wait");
  g.answered(ids[0], 1000, 10);
  g.startAgain(20);
  assertEquals(g.nextWake, 100);
  wake(99);
  assertEquals(ids.length, 1);
  wake(100);
  g.startAgain(5000);
  assertEquals([ids.length, g.nextWake], [2, 5000]);
  // a cookie is sent back at once
  start(110);
  assertEquals([ids.length, g.greetings], [3, 3]);
});

Deno.test("greeter: it tells how many greetings had no answer, but not of those before the server has ever answered", () => {
  const { greeter: g, start, wake, ids, unanswered } = greeter();
  start(0);
  while (ids.length < 5) wake(g.nextWake!);
  // the server may not have been there
  g.answered(ids[4], 1000, g.nextWake! - 1);
  assertEquals(unanswered, []);
  wake(g.nextWake!);
  g.answered(ids[5], 1000, g.nextWake! - 1);
  while (ids.length < 9) wake(g.nextWake!);
  g.answered(ids[8], 1000, g.nextWake! - 1);
  // a late answer counts for nothing, whatever it answers
  for (const id of [ids[7], ids[8], 4711]) g.answered(id, 1000, g.nextWake! - 1);
  assertEquals(unanswered, [0, 2]);
});
