/** The clock, and the alarm with fake timers. */
import { assert, assertEquals } from "@std/assert";
import { Alarm, now } from "../../runtime/clock.ts";

/** Replaces the runtime's timers by ones that ring when they are told to, as long as `body` runs. */
function withFakeTimers(body: (timers: { ring(): void; delays: () => number[] }) => void): void {
  const { setTimeout, clearTimeout } = globalThis;
  const timers = new Map<number, { run: () => void; delay: number }>();
  let id = 0;
  globalThis.setTimeout = ((run: () => void, delay: number) => {
    timers.set(++id, { run, delay });
    return id;
  }) as unknown as typeof setTimeout;
  globalThis.clearTimeout = ((id: number) => void timers.delete(id)) as typeof clearTimeout;
  try {
    body({
      ring() {
        const [[id, { run }]] = timers;
        timers.delete(id);
        run();
      },
      delays: () => [...timers.values()].map(({ delay }) => delay),
    });
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
}

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

Deno.test("alarm: rings once at the time it was last set to", () => {
  let rings = 0;
  withFakeTimers(({ ring, delays }) => {
    const alarm = new Alarm(() => rings++);
    alarm.set(now() + 60_000);
    alarm.set(now() + 500_000);
    const [delay, ...others] = delays();
    assert(delay > 400_000 && delay <= 500_000 && others.length === 0);
    ring();
    assertEquals([rings, delays()], [1, []]);
  });
});

Deno.test("alarm: keeps its timer when it is set to the same time again, has none when it is set to never", () => {
  withFakeTimers(({ delays }) => {
    const alarm = new Alarm(() => {});
    const at = now() + 1000;
    alarm.set(at);
    const { setTimeout } = globalThis;
    globalThis.setTimeout = (() => {
      throw new Error("a new timer");
    }) as unknown as typeof setTimeout;
    alarm.set(at);
    globalThis.setTimeout = setTimeout;
    assertEquals(delays().length, 1);
    alarm.set(undefined);
    assertEquals(delays(), []);
  });
});

Deno.test("alarm: a time that is past rings at once, and one far away does not overflow", () => {
  withFakeTimers(({ delays }) => {
    new Alarm(() => {}).set(0);
    new Alarm(() => {}).set(Number.MAX_SAFE_INTEGER);
    assertEquals(delays(), [0, 2 ** 31 - 1]);
  });
});

Deno.test("alarm: can be set again while it rings, even to the same time", () => {
  withFakeTimers(({ ring, delays }) => {
    const at = now() + 1000;
    const alarm: Alarm = new Alarm(() => alarm.set(at));
    alarm.set(at);
    ring();
    assertEquals(delays().length, 1);
  });
});
