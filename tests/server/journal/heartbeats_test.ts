/** Heartbeats: their pauses after an event, and how many there are. */
import { assert, assertEquals } from "@std/assert";
import { Heartbeats } from "../../../server/journal/heartbeats.ts";

/** The times at which heartbeats follow an event at 0. */
function beats(listeners: number): number[] {
  const heartbeats = new Heartbeats(), times: number[] = [];
  heartbeats.schedule(0, listeners);
  for (let at; (at = heartbeats.dueAt) !== undefined;) {
    assert(!heartbeats.takeDue(at - 1), "not before its time");
    assert(heartbeats.takeDue(at));
    times.push(at);
  }
  return times;
}

Deno.test("heartbeats: they follow at 100 ms and then at pauses that double, for 25 s", () => {
  assertEquals(beats(30), [100, 300, 700, 1500, 3100, 6300, 12_700, 25_500]);
});

Deno.test("heartbeats: a large room gets fewer, but never fewer than two", () => {
  assertEquals([0, 1, 100, 200, 300, 400, 10_000].map((listeners) => beats(listeners).length), [8, 8, 8, 4, 2, 2, 2]);
});

Deno.test("heartbeats: there are none before the first event, and another event starts them again", () => {
  const heartbeats = new Heartbeats();
  assertEquals([heartbeats.dueAt, heartbeats.takeDue(1000)], [undefined, false]);
  heartbeats.schedule(0, 1);
  heartbeats.schedule(80, 1);
  assertEquals(heartbeats.dueAt, 180);
  assert(heartbeats.takeDue(180));
  heartbeats.schedule(190, 1);
  assertEquals(heartbeats.dueAt, 290);
});

Deno.test("heartbeats: a late wake takes one, not all that were missed", () => {
  const heartbeats = new Heartbeats();
  heartbeats.schedule(0, 1);
  assertEquals([heartbeats.takeDue(10_000), heartbeats.takeDue(10_000), heartbeats.dueAt], [true, false, 10_200]);
});
