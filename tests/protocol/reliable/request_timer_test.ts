/** When the server is asked for missing events. */
import { assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { RequestTimer } from "../../../protocol/reliable/request_timer.ts";
import { RoundTrip } from "../../../protocol/reliable/round_trip.ts";
import { FakeLine, FakeScreen } from "../../support/fake_screen.ts";

/** A timer of which each request is for so many events, of which so many come. Waits are in the middle of their range. */
class Requests {
  readonly timer = new RequestTimer(new RoundTrip(), () => 0.5);
  next = 1;

  /** Returns the pause behind the request, in milliseconds. */
  ask(count: number, came = 0): number {
    const from = this.next;
    this.next += count;
    this.timer.requested([{ from, to: this.next - 1 }], 1000);
    for (let seq = from; seq < from + came; seq++) this.timer.noteEvent(seq);
    return this.timer.dueAt! - 1000;
  }

  /** The window when this was asked for, and as much of it came. */
  windowAfter(count: number, came: number): number {
    this.ask(count, came);
    this.ask(1, 1);
    return this.timer.window;
  }
}

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

Deno.test("request timer: the window shrinks by half when less than a quarter comes, and grows fourfold when half does", () => {
  const after = (count: number, came: number) => new Requests().windowAfter(count, came);
  assertEquals([after(100, 0), after(100, 24), after(100, 25), after(100, 49)], [64, 64, 128, 128]);
  assertEquals([after(100, 50), after(100, 100)], [512, 512]);
  assertEquals([after(1, 0), after(2, 0)], [128, 64], "of a single one that does not come nothing can be told");
  assertEquals(new Requests().timer.window, 128);
});

Deno.test("request timer: the window has at least one event and at most 1,024", () => {
  const requests = new Requests(), { timer } = requests, windows: number[] = [];
  for (let i = 0; i < 10; i++) {
    requests.ask(2, 0);
    windows.push(timer.window);
  }
  assertEquals(windows, [128, 64, 32, 16, 8, 4, 2, 1, 1, 1]);
  for (let i = 0; i < 8; i++) requests.ask(2, 2);
  assertEquals(timer.window, 1024);
});

Deno.test("request timer: any event ends the back-off; where little comes of what is asked for, only such a one does", () => {
  const second = new RoundTrip().timeout(2);
  for (const [shrinks, anyEnds] of [[0, true], [3, true], [4, false], [10, false]] as const) {
    for (const isRequested of [true, false]) {
      const requests = new Requests(), { timer } = requests;
      requests.ask(1);
      for (let i = 0; i < shrinks; i++) requests.ask(2);
      requests.ask(1);
      assertEquals(timer.window, Math.max(1, 128 / 2 ** shrinks));
      requests.ask(1);
      timer.noteEvent(isRequested ? requests.next - 1 : requests.next);
      const next = requests.ask(1);
      if (isRequested || anyEnds) assertEquals(next, second, `${shrinks} times less, ${isRequested}`);
      else assertGreater(next, second, `${shrinks} times less`);
    }
  }
});

Deno.test("request timer: a server of whose answers little comes is asked for less and less, and soon for much when they come", () => {
  const line = new FakeLine(2000), screen = new FakeScreen(), asked: number[] = [];
  screen.confirm(2000, 0);
  /** Lets a share of the next answers come. */
  const serve = (rounds: number, share: number) => {
    for (let i = 0; i < rounds; i++) {
      const now = screen.feed.nextWake!, requests = screen.requests(now);
      const seqs = requests.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
      asked.push(seqs.length);
      for (const seq of seqs.slice(0, share * seqs.length)) screen.take(line.event(seq), now + 1, true);
    }
  };
  serve(10, 0.2);
  for (let i = 2; i < asked.length; i++) assertLess(asked[i], Math.max(2, asked[i - 1]));
  assertEquals([asked[0], asked.at(-1)], [128, 1]);
  asked.length = 0;
  serve(6, 1);
  assertGreater(asked.at(-1)!, 128);
});

Deno.test("request timer: whatever answers come, no more than 60 requests a second go out", () => {
  const roundTrip = new RoundTrip();
  for (let i = 0; i < 50; i++) roundTrip.sample(0.1);
  const timer = new RequestTimer(roundTrip, () => 0);
  let requests = 0, seq = 0;
  for (let now = 0; now < 10_000; now++) {
    timer.schedule(now);
    if (!timer.isDue(now)) continue;
    timer.requested(Array.from({ length: 8 }, () => ({ from: ++seq, to: seq })), now);
    requests += 8;
    for (let i = 0; i < 8; i++) timer.noteEvent(seq - i);
    timer.stop();
  }
  assertLessOrEqual(requests, 60 + 10 * 60 + 8);
});
