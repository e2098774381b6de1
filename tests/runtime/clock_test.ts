/** The clock, and the alarm in fake time. */
import { assert, assertEquals } from "@std/assert";
import { Alarm, now } from "../../runtime/clock.ts";
import { withFakeTime } from "../support/fake_time.ts";

Deno.test("clock: the time is Unix time in whole milliseconds, and never goes back", () => {
  assert(Math.abs(now() - Date.now()) < 5000);
  let last = now();
  for (let i = 0; i < 1000; i++) {
    const time = now();
    assert(Number.isInteger(time) && time >= last);
    last = time;
  }
});

Deno.test("clock: the time does not jump when the system's clock is set", () => {
  const { now: dateNow } = Date;
  const before = now();
  try {
    Date.now = () => 0;
    assert(now() >= before);
  } finally {
    Date.now = dateNow;
  }
});

Deno.test("alarm: rings once at the time it was last set to", () =>
  withFakeTime(async ({ advance, delays }) => {
    let rings = 0;
    const alarm = new Alarm(() => rings++);
    alarm.set(now() + 600_000);
    alarm.set(now() + 60_000);
    alarm.set(now() + 500_000);
    assertEquals(delays().length, 1);
    await advance(499_999);
    assertEquals(rings, 0);
    await advance(1);
    assertEquals([rings, delays()], [1, []]);
  }));

Deno.test("alarm: keeps its timer when it is set to the same time again or to a later one, has none when it is set to never", () =>
  withFakeTime(({ delays }) => {
    const alarm = new Alarm(() => {});
    const at = now() + 1000;
    alarm.set(at);
    const { setTimeout } = globalThis;
    globalThis.setTimeout = (() => {
      throw new Error("a new timer");
    }) as unknown as typeof setTimeout;
    alarm.set(at);
    for (let later = 0; later < 1000; later++) alarm.set(at + later);
    alarm.set(at);
    globalThis.setTimeout = setTimeout;
    assertEquals(delays().length, 1);
    alarm.set(undefined);
    assertEquals(delays(), []);
  }));

Deno.test("alarm: a time that is past rings at once, and one far away does not overflow", () =>
  withFakeTime(({ delays }) => {
    new Alarm(() => {}).set(0);
    new Alarm(() => {}).set(Number.MAX_SAFE_INTEGER);
    assertEquals(delays(), [0, 2 ** 31 - 1]);
  }));

Deno.test("alarm: can be set again while it rings, even to the same time", () =>
  withFakeTime(async ({ advance }) => {
    let rings = 0;
    const at = now() + 1000;
    const alarm: Alarm = new Alarm(() => {
      if (++rings === 1) alarm.set(at);
    });
    alarm.set(at);
    await advance(1000);
    assertEquals(rings, 2);
  }));
