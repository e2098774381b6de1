/** A line that is typed and not shown. */
import { assertEquals } from "@std/assert";
import { HiddenLine } from "../../../client/terminal/hidden_line.ts";

/** What comes of typing this. */
function typed(...chunks: string[]): string | undefined {
  const line = new HiddenLine();
  let text: string | undefined;
  for (const chunk of chunks) {
    const key = line.type(chunk);
    if (key) text = key.is === "answer" ? key.text : key.is;
  }
  return text;
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
  assertEquals(typed("a\x1b", "[", "1;", "5D", "b\r"), "ab");
});

Deno.test("hidden line: Ctrl-C interrupts, Ctrl-D ends an empty one", () => {
  assertEquals(typed("secret\x03"), "interrupt");
  assertEquals(typed("\x04"), "end");
  assertEquals(typed("a\x04"), undefined);
});

Deno.test("hidden line: what was answered is forgotten", () => {
  const line = new HiddenLine();
  assertEquals(line.type("secret\r"), { is: "answer", text: "secret" });
  assertEquals(line.type("\r"), { is: "answer", text: "" });
});

Deno.test("hidden line: it takes no unbounded memory", () => {
  assertEquals(typed("x".repeat(5000), "\r")!.length, 1024);
});
