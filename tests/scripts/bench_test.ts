import { assertEquals } from "@std/assert";
import {
  fanoutTable,
  markdownTable,
  type Measurement,
  median,
  quantile,
  readable,
  summarize,
} from "../../scripts/bench/table.ts";

Deno.test("the median is the middle number, or the mean of the two in the middle", () => {
  assertEquals(median([5, 1, 3]), 3);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  assertEquals(median([]), NaN);
});

Deno.test("a quantile is a number that was measured", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assertEquals(quantile(hundred, 0.5), 50);
  assertEquals(quantile(hundred, 0.99), 99);
  assertEquals(quantile(hundred, 1), 100);
  assertEquals(quantile([7], 0.01), 7);
  assertEquals(quantile([], 0.5), NaN);
});

Deno.test("numbers have as many digits as are useful, and a missing one is a dash", () => {
  assertEquals([1234567.8, 12.34, 1.234, 0.0456, 0].map(readable), ["1,234,568", "12.3", "1.23", "0.046", "0.000"]);
  assertEquals([undefined, NaN, Infinity].map(readable), ["–", "–", "–"]);
});

Deno.test("a table's columns are as wide as their widest cells", () => {
  assertEquals(
    markdownTable(["Who", "much"], [["somebody", "1"], ["you", "12,345"]]),
    "| Who      |   much |\n| -------- | -----: |\n| somebody |      1 |\n| you      | 12,345 |",
  );
});

/** A measurement in which only the rate matters. */
function measurement(program: string, members: number, round: number, perSecond: number): Measurement {
  return { program, members, round, perSecond, cpuPerDelivery: 2, lost: 1, serverBusy: 1, loadBusy: 0.5 };
}

Deno.test("a ratio compares measurements of the same round and the same size", () => {
  const [c, ours, large] = summarize([
    measurement("c", 10, 1, 100),
    measurement("ours", 10, 1, 90),
    measurement("ours", 1000, 1, 50),
    measurement("c", 10, 2, 200),
    measurement("ours", 10, 2, 220),
    measurement("ours", 10, 3, 1),
  ]);
  assertEquals(c.ratio, { median: 1, lowest: 1, highest: 1 });
  assertEquals(ours.ratio, { median: 1, lowest: 0.9, highest: 1.1 });
  assertEquals(ours.cpuRatio, { median: 1, lowest: 1, highest: 1 });
  assertEquals([ours.perSecond, ours.rounds, ours.lost], [90, 3, 3]);
  assertEquals(large.ratio, undefined);
});

Deno.test("the table has a line for each size and program, smallest rooms first", () => {
  const summaries = summarize([measurement("ours", 1000, 1, 250_000), measurement("c", 10, 1, 100)]);
  const cells = fanoutTable(summaries, { c: "C" }).split("\n").slice(2).map((line) =>
    line.split(/ *\| */).slice(1, -1)
  );
  assertEquals(cells, [
    ["10, C", "100", "1.00 (1.00 to 1.00)", "1.00", "2.00", "–", "–", "–", "1"],
    ["1,000, ours", "250,000", "–", "–", "2.00", "–", "–", "–", "1"],
  ]);
});
