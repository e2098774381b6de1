/**
 * Time that stands still until a test moves it: timers, and the clock of runtime/clock.ts.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** The time, and the timers that wait for it. */
export interface FakeTime {
  /** How many milliseconds from now each timer is due, the next one first. */
  delays(): number[];
  /** Moves the time on, runs the timers that are due in their order, and lets what they began with promises go on. */
  advance(ms: number): Promise<void>;
  /** Lets all that was begun with promises go on, as far as it waits for no timer. */
  settle(): Promise<void>;
}

interface Timer {
  at: number;
  run: () => void;
}

/** Replaces the runtime's timers and clock as long as `body` runs. */
export async function withFakeTime(body: (time: FakeTime) => Promise<void> | void): Promise<void> {
  const { setTimeout, clearTimeout } = globalThis;
  const { now } = performance;
  const timers = new Map<number, Timer>();
  // whole milliseconds, so that sums of them are exact
  let time = Math.ceil(now.call(performance)), lastId = 0;
  const due = () => [...timers].sort(([, a], [, b]) => a.at - b.at);
  performance.now = () => time;
  globalThis.setTimeout = ((run: () => void, delay = 0) => {
    timers.set(++lastId, { at: time + delay, run });
    return lastId;
  }) as unknown as typeof setTimeout;
  globalThis.clearTimeout = ((id: number) => void timers.delete(id)) as typeof clearTimeout;
  try {
    await body({
      settle: () => new Promise((resolve) => setImmediate(resolve)),
      delays: () => due().map(([, { at }]) => at - time),
      async advance(ms) {
        const end = time + ms;
        for (let next, runs = 0; (next = due()[0]) && next[1].at <= end; runs++) {
          if (runs > 100_000) throw new Error("A timer is set again and again for the same time");
          const [id, { at, run }] = next;
          timers.delete(id);
          time = Math.max(time, at);
          run();
          for (let turn = 0; turn < 20; turn++) await Promise.resolve();
        }
        time = end;
      },
    });
  } finally {
    performance.now = now;
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
}
