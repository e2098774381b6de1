/** The window of events: sequence numbers without a gap, and only the recent events. */
import { assertEquals, assertLess } from "@std/assert";
import { EventWindow } from "../../../server/journal/event_window.ts";
import type { NewEvent, WindowOptions } from "../../../server/journal/journal.ts";

const EPOCH = "91c4be20d7a35f68";

function said(text: string): NewEvent {
  return { type: "INCOMING", from: "127.0.0.1:1", at: 0, text };
}

/** A window that has kept these texts. */
function after(texts: string[], options?: WindowOptions): EventWindow {
  const window = new EventWindow(EPOCH, 0, options);
  for (const text of texts) window.keep(window.number(said(text)));
  return window;
}

const digits = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}`);

Deno.test("event window: seqs count from 1 without a gap, all in one epoch", () => {
  const window = after([]);
  assertEquals([window.seq, window.first], [0, 1]);
  const events = ["a", "b", "c"].map((text) => {
    const event = window.number(said(text));
    window.keep(event);
    return event;
  });
  assertEquals(events.map(({ seq, epoch }) => [seq, epoch]), [1, 2, 3].map((seq) => [seq, EPOCH]));
  assertEquals([window.seq, window.first, window.get(2)], [3, 1, events[1]]);
});

Deno.test("event window: an event that is numbered and not kept takes no place", () => {
  const window = after(["a"]);
  assertEquals([window.number(said("b")).seq, window.number(said("c")).seq, window.seq], [2, 2, 1]);
});

Deno.test("event window: it keeps the last events, at most as many as it is told", () => {
  const window = after(digits(10), { events: 3 });
  assertEquals([window.first, window.seq], [8, 10]);
  assertEquals([7, 8, 10, 11].map((seq) => window.get(seq) !== undefined), [false, true, true, false]);
});

Deno.test("event window: it is bounded in bytes, and keeps the latest event whatever its size", () => {
  const window = after(Array.from({ length: 100 }, () => "x".repeat(880)), { bytes: 10_000 });
  assertLess(window.seq - window.first, 10);
  const tiny = after(digits(5), { bytes: 1 });
  assertEquals([tiny.first, tiny.get(5)?.seq], [5, 5]);
});

Deno.test("event window: by default it keeps 10,000 events", () => {
  assertEquals(after(digits(10_001)).first, 2);
});

Deno.test("event window: a restored one goes on behind its last seq, within its own limits", () => {
  const before = after(["a", "b", "c", "d"]);
  const window = new EventWindow(EPOCH, 4, { events: 3 });
  for (const seq of [1, 2, 3, 4]) window.keep(before.get(seq)!);
  assertEquals([window.seq, window.first, window.get(4)], [4, 2, before.get(4)]);
  assertEquals(window.number(said("e")).seq, 5);
  const empty = new EventWindow(EPOCH, 4);
  assertEquals([empty.first, empty.seq], [5, 4]);
});
