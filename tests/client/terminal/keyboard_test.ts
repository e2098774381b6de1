/** The keyboard of a terminal: what goes to node:readline, and what does not. */
import { assert, assertEquals } from "@std/assert";
import type process from "node:process";
import { PassThrough } from "node:stream";
import { Keyboard } from "../../../client/terminal/keyboard.ts";

/** A keyboard, what it has called, and what node:readline got. */
class FakeTerminal {
  readonly keys = new PassThrough();
  readonly calls: string[] = [];
  readonly keyboard = new Keyboard({
    input: this.keys as unknown as typeof process.stdin,
    setRawMode: (raw) => void this.calls.push(raw ? "raw" : "lines"),
    answered: (text) => void this.calls.push(`answered ${text}`),
    interrupted: () => void this.calls.push("interrupted"),
  });

  /** Presses keys, in as many reads as there are arguments, and waits until they are read. */
  async press(...reads: (string | Uint8Array)[]): Promise<void> {
    for (const read of reads) {
      this.keys.write(typeof read === "string" ? new TextEncoder().encode(read) : read);
      await until(() => this.keys.readableLength === 0);
    }
    await turn();
  }

  /** What node:readline got since the last call. */
  get shown(): string {
    let text = "";
    for (let chunk; (chunk = this.keyboard.read()) !== null;) text += chunk;
    return text;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Waits until a condition is true. */
async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 5000; !condition(); await turn()) assert(Date.now() < end, `${condition}`);
}

Deno.test("keyboard: what is typed goes to node:readline, the keys of signals too", async () => {
  const terminal = new FakeTerminal();
  await terminal.press("hello", "\r\x03\x1a");
  assertEquals([terminal.shown, terminal.calls], ["hello\r\x03\x1a", []]);
  assertEquals(terminal.keyboard.setRawMode(true), terminal.keyboard);
  assertEquals(terminal.calls, ["raw"]);
});

Deno.test("keyboard: a hidden line goes nowhere else, nor does what is typed behind it until something is shown", async () => {
  const terminal = new FakeTerminal();
  terminal.keyboard.hide();
  await terminal.press("correct ", "horsf\x7fe\rhello\reverybody", "!\r");
  assertEquals([terminal.shown, terminal.calls], ["", ["answered correct horse"]]);
  // it is told that something is lost, once
  assertEquals([terminal.keyboard.show(), terminal.keyboard.show()], [true, false]);
  await terminal.press("hello\r");
  assertEquals(terminal.shown, "hello\r");
  assertEquals(terminal.calls.length, 1);
});

Deno.test("keyboard: a question that is asked again begins with an empty line", async () => {
  const terminal = new FakeTerminal();
  terminal.keyboard.hide();
  await terminal.press("half a");
  terminal.keyboard.hide();
  await terminal.press("whole\r");
  assertEquals(terminal.keyboard.hide(), false);
  await terminal.press("\rlate");
  assertEquals([terminal.keyboard.hide(), terminal.keyboard.show()], [true, false]);
  assertEquals(terminal.calls, ["answered whole", "answered "]);
});

Deno.test("keyboard: a character may come in two reads, and half a one of another question does no harm", async () => {
  const terminal = new FakeTerminal(), bytes = new TextEncoder().encode("é🐎\r");
  terminal.keyboard.hide();
  await terminal.press(...Array.from(bytes, (byte) => Uint8Array.of(byte)));
  terminal.keyboard.hide();
  await terminal.press(bytes.subarray(0, 1));
  terminal.keyboard.show();
  terminal.keyboard.hide();
  await terminal.press("horse\r");
  assertEquals(terminal.calls, ["answered é🐎", "answered horse"]);
});

Deno.test("keyboard: Ctrl-C interrupts while a line is hidden and behind it, Ctrl-Z does nothing, Ctrl-D ends", async () => {
  const terminal = new FakeTerminal();
  terminal.keyboard.hide();
  await terminal.press("a\x1ab\x03", "\r", "\x1a\x03");
  assertEquals(terminal.calls, ["interrupted", "answered ab", "interrupted"]);
  terminal.keyboard.hide();
  let hasEnded = false;
  terminal.keyboard.on("end", () => hasEnded = true).resume();
  await terminal.press("a\x04\x7f");
  assertEquals(hasEnded, false);
  await terminal.press("\x04");
  await until(() => hasEnded);
  // nothing is read any more
  terminal.keyboard.on("error", ({ message }) => terminal.calls.push(message));
  terminal.keyboard.show();
  await terminal.press("late");
  assertEquals(terminal.calls.length, 3);
});

Deno.test("keyboard: behind a hidden line, also in the same read, Ctrl-C interrupts and Ctrl-D ends", async () => {
  const terminal = new FakeTerminal();
  let hasEnded = false;
  terminal.keyboard.on("end", () => hasEnded = true).resume();
  terminal.keyboard.hide();
  await terminal.press("one\r\x03");
  assertEquals(terminal.calls, ["answered one", "interrupted"]);
  terminal.keyboard.hide();
  await terminal.press("two\r", "late\x04\x04\x03", "\x04");
  await until(() => hasEnded);
  assertEquals(terminal.calls.slice(2), ["answered two", "interrupted"]);
});

Deno.test("keyboard: Ctrl-D may be an answer, and does not end then", async () => {
  const terminal = new FakeTerminal();
  terminal.keyboard.hide(true);
  await terminal.press("\x04");
  assertEquals([terminal.calls, terminal.keyboard.writableEnded], [["answered "], false]);
});

Deno.test("keyboard: the end of the terminal ends it, also if that is a read that fails", async () => {
  for (const end of ["end", "error"]) {
    const { keys, keyboard } = new FakeTerminal();
    let hasEnded = false;
    keyboard.on("end", () => hasEnded = true).resume();
    if (end === "end") keys.end();
    else keys.emit("error", new Error("EIO"));
    await until(() => hasEnded);
  }
});

Deno.test("keyboard: as long as node:readline does not read, nothing more is read", async () => {
  const terminal = new FakeTerminal();
  await terminal.press("x".repeat(1 << 20));
  assertEquals(terminal.keys.isPaused(), true);
  await until(() => terminal.keyboard.read() === null && !terminal.keys.isPaused());
  terminal.keyboard.stop();
  assertEquals(terminal.keys.isPaused(), true);
});
