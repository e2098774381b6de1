/** What is shown of files: while they are under way, in a list, and at their end. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import type { TransferEnd, TransferState } from "../../../client/session/transfers/transfer.ts";
import { endSentence, formatDuration, progressLines, transferLines } from "../../../client/terminal/progress.ts";
import { formatShown } from "../../../client/terminal/rendering.ts";
import { cellsOf } from "../../../client/terminal/wrapping.ts";

const MB = 1_000_000;
const PLAIN = { colour: false, times: false };

function transfer(fields: Partial<TransferState> = {}): TransferState {
  return {
    ...{ number: 1, direction: "out", peer: "Bob", file: "lecture 3.pdf", size: 28.6 * MB, state: "running" },
    ...{ done: 12.3 * MB, rate: 3.2 * MB, isRelayed: false },
    ...fields,
  };
}

function end(fields: Partial<TransferEnd> = {}): TransferEnd {
  return { number: 1, direction: "out", peer: "Bob", file: "a.pdf", size: 28.8 * MB, took: 9000, had: 0, ...fields };
}

Deno.test("progress: share, bytes, rate and time left, in both directions", () => {
  assertEquals(progressLines([transfer()], 80), [
    "-> lecture 3.pdf to Bob: 43%, 12.3 MB of 28.6 MB, 3.2 MB/s, 5 s left",
  ]);
  assertEquals(progressLines([transfer({ direction: "in", peer: "Alice", isRelayed: true })], 100), [
    "<- lecture 3.pdf from Alice: 43%, 12.3 MB of 28.6 MB, 3.2 MB/s, 5 s left (through the server)",
  ]);
  // what is not known yet is left out
  assertEquals(progressLines([transfer({ done: 0, rate: undefined })], 80), [
    "-> lecture 3.pdf to Bob: 0%, 0 B of 28.6 MB",
  ]);
  assertEquals(progressLines([transfer({ done: 0, rate: 0 })], 80), [
    "-> lecture 3.pdf to Bob: 0%, 0 B of 28.6 MB, 0 B/s",
  ]);
  // not before all of it is there
  assertEquals(progressLines([transfer({ size: 1000, done: 999, rate: 1e6 })], 80), [
    "-> lecture 3.pdf to Bob: 99%, 999 B of 1 kB, 1 MB/s, 1 s left",
  ]);
  assertEquals(progressLines([transfer({ size: 0, done: 0, rate: undefined })], 80), [
    "-> lecture 3.pdf to Bob: 100%, 0 B of 0 B",
  ]);
});

Deno.test("progress: what is done before and behind; what waits for somebody has no line", () => {
  const states = (["preparing", "offered", "asked", "finishing"] as const).map((state) => transfer({ state }));
  assertEquals(progressLines(states, 80), [
    "-> lecture 3.pdf to Bob: is being read",
    "-> lecture 3.pdf to Bob: is being checked",
  ]);
  assertEquals(progressLines([], 80), []);
});

Deno.test("progress: three files have a line each, and further ones share one", () => {
  const files = (count: number) => Array.from({ length: count }, (_, i) => transfer({ file: `${i}` }));
  assertEquals(progressLines(files(3), 80).length, 3);
  assertEquals(progressLines([...files(5), transfer({ state: "asked" })], 80).slice(3), [
    "and 2 more, /files lists them",
  ]);
});

Deno.test("progress: the note, then the name of the file give way, and the numbers stay", () => {
  const numbers = "43%, 12.3 MB of 28.6 MB, 3.2 MB/s, 5 s left";
  const long = transfer({ file: "x".repeat(100), isRelayed: true });
  assertEquals(progressLines([long], 100), [`-> ${"x".repeat(21)}… to Bob: ${numbers} (through the server)`]);
  assertEquals(progressLines([long], 80), [`-> ${"x".repeat(22)}… to Bob: ${numbers}`]);
  // then the bytes give way, and then the rate
  assertEquals(progressLines([long], 50), [`-> ${"x".repeat(12)}… to Bob: 43%, 3.2 MB/s, 5 s left`]);
  assertEquals(progressLines([long], 40), [`-> ${"x".repeat(12)}… to Bob: 43%, 5 s left`]);
  assertEquals(progressLines([long], 20), [`-> ${"x".repeat(10)}… to Bob: 43%, 5 s left`]);
  // by cells, and not within a character
  assertEquals(progressLines([transfer({ file: "語".repeat(50) })], 80), [`-> ${"語".repeat(11)}… to Bob: ${numbers}`]);
});

Deno.test("progress: a line fits the terminal if it is not too narrow for share and time", () => {
  const names = fc.string({ unit: "grapheme", minLength: 1, maxLength: 100 });
  fc.assert(fc.property(names, fc.boolean(), fc.integer({ min: 38, max: 200 }), (file, isRelayed, columns) => {
    const [line] = progressLines([transfer({ file, isRelayed })], columns);
    assertLessOrEqual(cellsOf(line), columns - 1);
    assert(line.includes(": 43%, ") && line.includes(", 5 s left"));
    if (columns >= 72) assert(line.includes(": 43%, 12.3 MB of 28.6 MB, 3.2 MB/s, 5 s left"));
  }));
});

Deno.test("progress: /files says of each what it waits for", () => {
  assertEquals(transferLines([]), ["No file is offered or under way"]);
  const transfers = [
    transfer({ direction: "in", peer: "Alice", state: "asked" }),
    transfer({ number: 2, state: "offered" }),
    transfer({ number: 5, isRelayed: true }),
    transfer({ number: 6, state: "preparing", size: 0 }),
  ];
  const lines = [
    "-- 1. lecture 3.pdf (28.6 MB) from Alice: waits for your /accept 1 or /decline 1",
    "-- 2. lecture 3.pdf (28.6 MB) to Bob: waits for Bob to accept it",
    "-- 5. lecture 3.pdf (28.6 MB) to Bob: 43%, 12.3 MB of 28.6 MB, 3.2 MB/s, 5 s left (through the server)",
    "-- 6. lecture 3.pdf to Bob: is being read",
  ];
  assertEquals(formatShown({ kind: "transfers", transfers }, PLAIN), lines.join("\n"));
});

Deno.test("progress: an offer says where the file goes, in a line that fits a terminal", () => {
  const offer = { kind: "offered", number: 4, peer: "Alice", file: "notes.txt", size: 3 * MB } as const;
  const line = "-- Alice offers you notes.txt (3 MB), for /home/bob: /accept 4 or /decline 4";
  assertEquals(formatShown({ ...offer, folder: "/home/bob" }, PLAIN), line);
  assertLessOrEqual(cellsOf(line), 79);
});

Deno.test("progress: how it has ended is one line, with the path where the file is", () => {
  const shown = (fields: Partial<TransferEnd>) => formatShown({ kind: "transferred", ...end(fields) }, PLAIN);
  assertEquals(shown({}), "-- a.pdf (28.8 MB, 9 s, 3.2 MB/s) has reached Bob");
  assertEquals(
    shown({ direction: "in", peer: "Alice", path: "./a (2).pdf" }),
    "-- a.pdf (28.8 MB, 9 s, 3.2 MB/s) from Alice is here: ./a (2).pdf",
  );
  assertEquals(shown({ problem: "there is no room" }), "!! a.pdf did not get to Bob: there is no room");
  assertEquals(
    shown({ direction: "in", peer: "Alice", problem: "it was cancelled" }),
    "!! a.pdf from Alice did not get here: it was cancelled",
  );
  const problem = "there is no file a.pdf";
  assertEquals(shown({ problem, unread: true }), "!! Nothing was offered to Bob: there is no file a.pdf");
  assertEquals(shown({ problem: "Bob is away", unread: true }), "!! a.pdf did not get to Bob: Bob is away");
  // what the operating system writes into a sentence or a path begins no other line
  const odd = end({ direction: "in", path: "./a\n+> b", problem: undefined });
  assertEquals(endSentence(odd), "a.pdf (28.8 MB, 9 s, 3.2 MB/s) from Bob is here: ./a?+> b");
  assertEquals(endSentence({ ...odd, problem: "x\x1b[2Jy" }), "a.pdf from Bob did not get here: x?[2Jy");
});

Deno.test("progress: what was there before does not count for the rate", () => {
  assertEquals(
    endSentence(end({ had: 19.2 * MB })),
    "a.pdf (28.8 MB, 19.2 MB of it before, 9 s, 1.07 MB/s) has reached Bob",
  );
  assertEquals(endSentence(end({ had: 28.8 * MB })), "a.pdf (28.8 MB, all of it before) has reached Bob");
  assertEquals(endSentence(end({ size: 0 })), "a.pdf (0 B) has reached Bob");
  assertEquals(endSentence(end({ size: 10, took: 0 })), "a.pdf (10 B, 1 ms) has reached Bob");
  assertEquals(endSentence(end({ size: 10, took: 40 })), "a.pdf (10 B, 40 ms, 250 B/s) has reached Bob");
});

Deno.test("progress: durations as people say them", () => {
  const seconds = [0, 0.049, 0.05, 0.44, 0.96, 9, 59.6, 125, 3600, 11_430, 359_999, 360_000, 1e9];
  assertEquals(seconds.map((number) => formatDuration(number * 1000)), [
    ...["1 ms", "49 ms", "0.1 s", "0.4 s", "1 s", "9 s", "1 min 0 s", "2 min 5 s", "1 h 0 min", "3 h 10 min"],
    ...["99 h 59 min", "more than 100 h", "more than 100 h"],
  ]);
});
