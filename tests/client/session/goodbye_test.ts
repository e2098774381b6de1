/** Saying goodbye. */
import { assertEquals } from "@std/assert";
import { Parting } from "../../../client/session/goodbye.ts";

function parting() {
  const ids: number[] = [];
  return { parting: new Parting((id) => ids.push(id)), ids };
}

Deno.test("parting: says goodbye four times, 100 ms apart, each with an id of its own, and is over then", () => {
  const { parting: p, ids } = parting();
  assertEquals([p.begun, p.over, p.nextWake], [false, false, undefined]);
  p.begin(1000);
  p.begin(1000);
  const times = [1000];
  while (!p.over) {
    p.wake(p.nextWake! - 1);
    times.push(p.nextWake!);
    p.wake(p.nextWake!);
  }
  assertEquals([times, ids.length, new Set(ids).size], [[1000, 1100, 1200, 1300, 1400], 4, 4]);
  assertEquals([p.begun, p.nextWake], [true, undefined]);
});

Deno.test("parting: a goodbye that was heard is the last", () => {
  const { parting: p, ids } = parting();
  p.begin(0);
  p.end();
  p.wake(10_000);
  assertEquals([p.over, ids.length, p.nextWake], [true, 1, undefined]);
});

Deno.test("parting: where nobody is there to hear it, no goodbye is said", () => {
  const { parting: p, ids } = parting();
  p.end();
  p.begin(0);
  assertEquals([p.begun, p.over, ids], [true, true, []]);
});
