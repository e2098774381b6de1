/** Tries: counted, and due when their user says so. */
import { assertEquals } from "@std/assert";
import { Retry } from "../../../protocol/reliable/retry.ts";

Deno.test("retry: it is due from the start, and then when the last try has said", () => {
  const retry = new Retry();
  assertEquals([retry.times, retry.dueAt, retry.isDue(Infinity)], [0, undefined, false]);
  retry.start(10);
  assertEquals([retry.isDue(9), retry.isDue(10)], [false, true]);
  retry.tried(30);
  retry.tried(70);
  assertEquals([retry.times, retry.dueAt, retry.isDue(69), retry.isDue(70)], [2, 70, false, true]);
  retry.start(5);
  assertEquals([retry.times, retry.dueAt], [0, 5]);
});

Deno.test("retry: it can be hastened, not delayed, and stopped", () => {
  const retry = new Retry();
  retry.hasten(1);
  assertEquals(retry.dueAt, undefined, "nothing was started");
  retry.start(100);
  retry.hasten(200);
  retry.hasten(50);
  assertEquals(retry.dueAt, 50);
  retry.tried(90);
  retry.stop();
  assertEquals([retry.times, retry.dueAt, retry.isDue(999)], [1, undefined, false]);
});
