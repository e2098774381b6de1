/** A line that is typed and not shown. */
import { assert, assertEquals } from "@std/assert";
import { HiddenLine } from "../../../client/terminal/hidden_line.ts";

/** What comes of typing this. */
function typed(...chunks: string[]): string | undefined {
  const line = new HiddenLine();
  const keys = chunks.flatMap((chunk) => line.type(chunk)).map((key) => key.is === "answer" ? key.text : key.is);
  return keys.length === 0 ? undefined : keys.join(", ");
}

Deno.test("hidden line: Enter ends it, and what is pasted behind it is taken for nothing", () => {
  assertEquals(typed("correct ", "horse"), undefined);
  assertEquals(typed("correct ", "horse", "\r"), "correct horse");
  assertEquals(typed("correct horse\nhello everybody\n"), "correct horse");
  assertEquals(typed("\r"), "");
});

Deno.test("hidden line: Backspace deletes a character, Ctrl-U and Ctrl-W all", () => {
  assertEquals(typed("pas🐎\x7f\x7fst\r"), "past");
  assertEquals(typed("\b\x7f\bpasx\bt\r"), "past");
  for (const key of ["\x15", "\x17"]) assertEquals(typed(`wrong one${key}right\r`), "right");
});

Deno.test("hidden line: Tab, arrows and other keys do nothing, however they are cut", () => {
  assertEquals(typed("a\tb\x1b[Ac\x1bOPd\x1b[1;5De\x1bx\x00f\r"), "abcdef");
  assertEquals(typed("a\x1b[", "1;", "5D", "b\r"), "ab");
  assertEquals(typed("a\x1bO", "Ab\r"), "ab");
});

Deno.test("hidden line: Esc alone does nothing, and the next key counts", () => {
  assertEquals(typed("\x1b", "secret\r"), "secret");
  assertEquals(typed("\x1b", "\x1b", "[secret\r"), "[secret");
  assertEquals(typed("secret\x1b\r"), "secret");
  for (const begun of ["\x1b", "\x1b[", "\x1b[1;", "\x1bO", "\x1b\x1b"]) {
    assertEquals([typed(`${begun}\x03`), typed(`${begun}\x04`), typed(`${begun}\r`)], ["interrupt", "end", ""]);
  }
});

Deno.test("hidden line: Ctrl-C interrupts, Ctrl-D ends an empty one", () => {
  assertEquals(typed("secret\x03"), "interrupt");
  assertEquals(typed("\x04"), "end");
  assertEquals(typed("a\x04"), undefined);
});

Deno.test("hidden line: Ctrl-D may do the same as Enter alone, but only once", () => {
  const line = new HiddenLine(true);
  assertEquals(line.type("a\x04"), []);
  assertEquals(line.type("\b\x04"), [{ is: "answer", text: "" }]);
  assertEquals(line.type("\x04"), [{ is: "end" }]);
});

Deno.test("hidden line: behind its end Ctrl-C and Ctrl-D count, also in the same read, and what is lost is known", () => {
  assertEquals(typed("secret\r\x03"), "secret, interrupt");
  assertEquals(typed("secret\r\x04"), "secret, end");
  assertEquals(typed("\x04\x03"), "end, interrupt");
  assertEquals(typed("secret\rlate\r", "later\x04"), "secret, end");
  const line = new HiddenLine();
  // neither another Enter nor an arrow is anything that could be lost
  line.type("secret\r\n\x1b[A\t\x7f");
  assertEquals(line.isLate, false);
  line.type("x");
  assertEquals(line.isLate, true);
});

Deno.test("hidden line: what was answered is forgotten", () => {
  const line = new HiddenLine();
  assertEquals(line.type("secret\r"), [{ is: "answer", text: "secret" }]);
  assertEquals(line.type("\r"), []);
  assert(!Deno.inspect(line, { depth: 9 }).includes("secret"));
});

Deno.test("hidden line: it takes no unbounded memory", () => {
  assertEquals(typed("x".repeat(5000), "\r")!.length, 1024);
});
