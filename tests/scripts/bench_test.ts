import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../runtime/program.ts";
import { readOptions } from "../../scripts/bench/bench.ts";
import { type IrcMeasurement, ircTable } from "../../scripts/bench/irc.ts";
import { ROOT } from "../../scripts/programs.ts";
import {
  fanoutTable,
  markdownTable,
  type Measurement,
  median,
  quantile,
  readable,
  summarize,
} from "../../scripts/bench/table.ts";
import { type TcpMeasurement, tcpTable } from "../../scripts/bench/tcp.ts";

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

/** A measurement of a room with connections, in which only the rate and the processor time matter. */
function tcpMeasurement(server: string, round: number, perSecond: number, cpuPerDelivery: number): TcpMeasurement {
  const memory = { empty: 2 ** 20, members: 2 * 2 ** 20, all: 3 * 2 ** 20, after: 4 * 2 ** 20 };
  const counts = { members: 1024, connections: server === "datagrams" ? 0 : 1024, linesPerRead: 1, serverBusy: 1 };
  const rates = { datagramsPerSecond: perSecond / 2, linesPerSecond: perSecond / 2, cpuPerDelivery };
  const latencies = { datagramLatency: [1, 2], lineLatency: [3, 4] } satisfies Partial<TcpMeasurement>;
  const faults = { lost: 1, disordered: 1, disconnected: 3 };
  return { server, round, memory, ...counts, ...rates, ...latencies, ...faults };
}

Deno.test("the table of rooms with connections compares each server with the one in C of the same round", () => {
  const cells = tcpTable([
    tcpMeasurement("c", 1, 100, 1),
    tcpMeasurement("paced", 1, 50, 4),
    tcpMeasurement("c", 2, 200, 1),
    tcpMeasurement("paced", 2, 300, 4),
    tcpMeasurement("datagrams", 2, 300, 4),
  ]).split("\n").slice(2).map((line) => line.split(/ *\| */).slice(2, -1));
  const paced = ["175", "87.5", "1.00 (0.50 to 1.50)", "0.25", "4.00", "1.00, 2.00", "3.00, 4.00", "1.00", "1.00"];
  assertEquals(cells[1], [...paced, "4.00", "4, 6"]);
  assertEquals(cells[2], ["300", "–", "–", "–", "4.00", "1.00, 2.00", "–", "1.00", "–", "4.00", "2, 3"]);
});

Deno.test("the table of rooms beside ngIRCd compares processor time within a round", () => {
  const one = (server: string, round: number, cpuPerDelivery: number, perSecond = 100): IrcMeasurement => {
    return { server, round, cpuPerDelivery, perSecond, median: 1, p99: 2, memory: 3 * 2 ** 20, lost: 1, closed: 2 };
  };
  const cells = ircTable([
    ...[one("irc", 1, 4), one("lines", 1, 8, 50)],
    ...[one("irc", 2, 5), one("lines", 2, 20), one("lines", 3, 1)],
  ]).split("\n").slice(2).map((line) => line.split(/ *\| */).slice(1, -1));
  assertEquals(cells[0], ["ngIRCd, TCP", "100", "4.50", "1.00 (1.00 to 1.00)", "1.00", "2.00", "3.00", "2, 4"]);
  assertEquals(cells[1], ["udp-chat, TCP", "100", "8.00", "3.00 (2.00 to 4.00)", "1.00", "2.00", "3.00", "3, 6"]);
});

Deno.test("the benchmark measures the parts that are named, those that a flag is for, or all", () => {
  const read = (...args: string[]) => {
    const options = readOptions(args);
    assert(typeof options === "object");
    return options;
  };
  const parts = (...args: string[]) => read(...args).parts.join(" ");
  assertEquals(parts("irc", "fanout", "--load", "80"), "fanout irc");
  assertEquals(parts("--members", "10"), "fanout");
  assertEquals(parts("--members", "10", "--against", ROOT, "--svg", "x.svg"), "latency");
  assertEquals(parts("--against", ROOT), "latency bottleneck");
  assertEquals(parts("--quick"), parts());
  assert(parts().includes("startup"));
  assertEquals([read("--against", `${ROOT}/docs/..`).against, read().against], [ROOT, undefined]);
  assertEquals(read("--members", "100,10").sizes, [10, 100]);
  assertThrows(() => read("--against", `${ROOT}/docs`), UsageError, "--against takes the folder");
  assertThrows(() => read("--members", "10,0"), UsageError, "--members takes numbers from 1");
});
