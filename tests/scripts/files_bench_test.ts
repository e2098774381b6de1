import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../runtime/program.ts";
import { readOptions } from "../../scripts/bench/bench.ts";
import type { ChatRun } from "../../scripts/bench/file_chat.ts";
import { bytesIn, type Copy, makeFile } from "../../scripts/bench/file_copies.ts";
import {
  chatTable,
  copiesTable,
  formatFiles,
  lossesTable,
  memoryTable,
  sharesTable,
} from "../../scripts/bench/file_tables.ts";
import type { LossRun, ShareRun } from "../../scripts/bench/files.ts";

/** A table's cells, without its head. */
function cellsOf(table: string): string[][] {
  return table.split("\n").slice(2).map((line) => line.split(/ *\| */).slice(1, -1));
}

function copy(way: Copy["way"], round: number, seconds: number): Copy {
  const memory = [{ share: 0.5, sender: 2 ** 20, receiver: 2 ** 21 }, { share: 1, sender: 2 ** 21, receiver: 2 ** 22 }];
  return { way, round, bytes: 100e6, seconds, senderCpu: 1, receiverCpu: 2, memory };
}

Deno.test("bench files: a copy is compared with TCP in the same round", () => {
  const cells = cellsOf(copiesTable([
    copy("direct", 1, 4),
    copy("tcp", 1, 2),
    copy("direct", 2, 8),
    copy("tcp", 2, 1),
    { ...copy("relayed", 1, 10), serverCpu: 3 },
  ]));
  assertEquals(cells, [
    ["100 MB, udp-chat, directly", "6.00 (4.00 to 8.00)", "18.8", "0.313 (0.125 to 0.500)", "1.00", "2.00", "–"],
    ["100 MB, nc, TCP", "1.50 (1.00 to 2.00)", "75.0", "1.00 (1.00 to 1.00)", "1.00", "2.00", "–"],
    ["100 MB, udp-chat, through the server", "10.0", "10.0", "0.200", "1.00", "2.00", "3.00"],
  ]);
});

Deno.test("bench files: what comes through loss is compared with CUBIC at the same loss in the same round", () => {
  const run = (round: number, loss: number, sender: string, rate: number): LossRun => (
    { round, loss, sender, rates: [8e6 * rate], dropped: 0.25, tcpDropped: NaN }
  );
  const cells = cellsOf(lossesTable([
    run(1, 1, "udp-chat", 3),
    run(1, 1, "cubic", 2),
    run(1, 10, "udp-chat", 3),
    run(2, 1, "udp-chat", 4),
    run(2, 1, "cubic", 1),
    run(1, 10, "cubic", 0.1),
  ]));
  assertEquals(cells.map(([, ...rest]) => rest), [
    ["3.50 (3.00 to 4.00)", "2.75 (1.50 to 4.00)", "25.0%"],
    ["1.50 (1.00 to 2.00)", "1.00 (1.00 to 1.00)", "–"],
    ["3.00", "30.0", "25.0%"],
    ["0.100", "1.00", "–"],
  ]);
  assertEquals(cells.map(([what]) => what), ["1%, udp-chat", "1%, TCP, cubic", "10%, udp-chat", "10%, TCP, cubic"]);
});

Deno.test("bench files: what TCP gets beside a file is compared with TCP alone and beside another, in the same queue", () => {
  const run = (queue: number, senders: string[], ...rates: number[]): ShareRun => (
    { round: 1, queue, senders, rates: rates.map((rate) => 1e6 * rate), dropped: 0.5, tcpDropped: 0.25 }
  );
  const cells = cellsOf(sharesTable([
    run(24, ["cubic", "udp-chat"], 6, 12),
    run(24, ["cubic", "cubic"], 8, 12),
    run(24, ["cubic"], 20),
    run(250, ["cubic"], 10),
    run(250, ["udp-chat"], 18),
  ]));
  assertEquals(cells, [
    ["24 ms, 1 TCP", "–", "20.0", "100%", "200%", "50.0%", "25.0%"],
    ["24 ms, 2 TCP", "–", "10.0", "50%", "100%", "50.0%", "25.0%"],
    ["24 ms, a file, 1 TCP", "12.0", "6.00", "30%", "60%", "50.0%", "25.0%"],
    ["250 ms, 1 TCP", "–", "10.0", "100%", "–", "50.0%", "25.0%"],
    ["250 ms, a file", "18.0", "–", "–", "–", "50.0%", "25.0%"],
  ]);
});

Deno.test("bench files: the times of chat are of all rounds, and what was not shown took for ever", () => {
  const run = (round: number, hasFile: boolean, delays: number[], expected: number): ChatRun => (
    { round, pair: "others", hasFile, delays, expected }
  );
  const cells = cellsOf(chatTable([run(1, false, [1, 2], 2), run(1, true, [4], 2), run(2, false, [3], 1)]));
  assertEquals(cells, [
    ["Without a file, between two others", "2.00", "3.00", "3.00", "3.00", "3 of 3"],
    ["Beside a file, between two others", "4.00", "–", "–", "–", "1 of 2"],
  ]);
});

Deno.test("bench files: the memory has a column for each share of a file, and what is missing is said", () => {
  assertEquals(cellsOf(memoryTable([copy("direct", 1, 1)])), [["100 MB", "1.00", "2.00", "2.00", "4.00"]]);
  const nothing = { copies: [], losses: [], shares: [], chats: [], memory: [] };
  assertEquals(
    formatFiles({ ...nothing, missing: ["loss is left out: it takes root"] }),
    "Loss is left out: it takes root.",
  );
});

Deno.test("bench files: --tables chooses, and is for files", () => {
  const read = (...args: string[]) => {
    const options = readOptions(args);
    if (typeof options === "string") throw new Error("help was not asked for");
    return options;
  };
  assertEquals(read("files").tables, undefined);
  const { parts, tables } = read("--tables", "memory,loss");
  assertEquals([parts, tables], [["files"], ["loss", "memory"]]);
  assertThrows(() => read("--tables", "loss,disk"), UsageError, "--tables knows no 'disk'");
});

Deno.test("bench files: a file is made without writing it, and what has come to a folder is counted", async () => {
  const folder = await Deno.makeTempDir();
  try {
    assertEquals(bytesIn(folder), 0);
    assertEquals((await Deno.stat(await makeFile(folder, 5_000_000))).size, 5_000_000);
    await makeFile(folder, 7);
    assertEquals(bytesIn(folder), 5_000_007);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
