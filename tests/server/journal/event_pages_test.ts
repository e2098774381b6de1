/** Events as bytes in pages: each comes out as it went in, and what is dropped gives its memory back. */
import { assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { EventPages } from "../../../server/journal/event_pages.ts";

Deno.test("event pages: they keep the latest events, as a plain list does", () => {
  const step = fc.record({
    gap: fc.integer({ min: 1, max: 3 }),
    text: fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }).map((text) => text.toWellFormed()),
      fc.integer({ min: 0, max: 20_000 }).map((length) => "é".repeat(length)),
    ),
    dropBefore: fc.option(fc.nat(600), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 100 }), (steps, most) => {
      const pages = new EventPages(most, Infinity);
      let kept: { seq: number; text: string }[] = [], seq = 0;
      for (const { gap, text, dropBefore } of steps) {
        seq += gap;
        kept.push({ seq, text });
        const dropped: number[] = [];
        pages.add(seq, text, dropped);
        assertEquals(dropped, kept.splice(0, Math.max(0, kept.length - most)).map(({ seq }) => seq));
        if (dropBefore !== undefined && dropBefore <= seq) {
          const before: number[] = [];
          pages.dropBefore(dropBefore, before);
          assertEquals(before, kept.filter(({ seq }) => seq < dropBefore).map(({ seq }) => seq));
          kept = kept.filter(({ seq }) => seq >= dropBefore);
        }
        assertEquals([pages.size, pages.oldest], [kept.length, kept[0]?.seq ?? Infinity]);
      }
      for (let asked = 0; asked <= seq + 1; asked++) {
        assertEquals(pages.get(asked), kept.find(({ seq }) => seq === asked)?.text);
      }
    }),
    { seed: 1 },
  );
});

Deno.test("event pages: they are bounded in bytes, and keep the latest event whatever its size", () => {
  const pages = new EventPages(1000, 10_000), dropped: number[] = [];
  for (let seq = 1; seq <= 100; seq++) pages.add(seq, "x".repeat(900), dropped);
  assertEquals([pages.size, pages.oldest, dropped.length], [10, 91, 90]);
  pages.add(101, "x".repeat(20_000), dropped);
  assertEquals([pages.size, pages.get(101)?.length], [1, 20_000]);
});

Deno.test("event pages: each event counts as 100 bytes more than its text has, until it is dropped", () => {
  const pages = new EventPages(Infinity, 100_000);
  for (let seq = 1; seq <= 10_000; seq++) pages.add(seq, "x", []);
  assertEquals(pages.size, Math.floor(100_000 / 101));
  pages.dropBefore(10_000, []);
  for (let seq = 10_001; seq <= 20_000; seq++) pages.add(seq, "é", []);
  assertEquals(pages.size, Math.floor(100_000 / 102));
});

Deno.test("event pages: the memory does not grow with the events that have passed", () => {
  const pages = new EventPages(100, Infinity), before = Deno.memoryUsage().external;
  for (let seq = 1; seq <= 200_000; seq++) pages.add(seq, "x".repeat(500), []);
  assertLess(Deno.memoryUsage().external - before, 10e6);
});
