/** How many further copies a lossy network is worth. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { COPY_DELAYS_MS, copyCount } from "../../../protocol/reliable/copies.ts";
import { MAX_COPY } from "../../../protocol/packets.ts";

Deno.test("copies: none where nothing is lost, more where more is, and never more than have a time and a number", () => {
  assertEquals([copyCount(0), copyCount(0.01), copyCount(1)], [0, 0, COPY_DELAYS_MS.length]);
  const counts = Array.from({ length: 101 }, (_, percent) => copyCount(percent / 100));
  assertEquals(counts, counts.toSorted((a, b) => a - b));
  assertEquals(new Set(counts), new Set(Array.from({ length: COPY_DELAYS_MS.length + 1 }, (_, i) => i)));
  assertEquals(COPY_DELAYS_MS.length, MAX_COPY);
});

Deno.test("copies: with them about one datagram in a hundred arrives by none, up to the loss that they are made for", () => {
  for (const percent of [0, 1, 2, 5, 7, 10, 15, 19, 30]) {
    const share = percent / 100;
    assertLessOrEqual(share ** (1 + copyCount(share)), 0.0151, `${percent}%`);
  }
});

Deno.test("copies: each goes out some milliseconds after the one before, further apart each time", () => {
  const pauses = COPY_DELAYS_MS.map((at, i) => at - (COPY_DELAYS_MS[i - 1] ?? 0));
  assert(pauses[0] > 0);
  assertEquals(pauses, pauses.toSorted((a, b) => a - b));
});
