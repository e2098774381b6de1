/** What is written to draw lines again in their place. */
import { assertEquals } from "@std/assert";
import { StatusLines } from "../../../client/terminal/status_lines.ts";

const SPACE = { columns: 20, rows: 10 };

/** Lines that are on the screen. */
function drawn(...lines: string[]): StatusLines {
  const status = new StatusLines();
  status.set(lines);
  status.draw(SPACE);
  return status;
}

Deno.test("status lines: only what has changed is written, and the cursor comes back", () => {
  const status = drawn("one", "two");
  assertEquals([status.isCurrent(SPACE), status.redraw(SPACE, 0)], [true, ""]);
  status.set(["one", "2"]);
  assertEquals(status.isCurrent(SPACE), false);
  // the last line is one row above the first row of what is typed; the cursor is in its third one
  assertEquals(status.redraw(SPACE, 2), "\x1b[?7l\x1b7\x1b[3A\r2\x1b[K\x1b8\x1b[?7h");
  assertEquals([status.isCurrent(SPACE), status.redraw(SPACE, 2)], [true, ""]);
  status.set(["1", "2"]);
  assertEquals(status.redraw(SPACE, 0), "\x1b[?7l\x1b7\x1b[2A\r1\x1b[K\x1b8\x1b[?7h");
});

Deno.test("status lines: more, fewer or broken ones are drawn anew", () => {
  const status = drawn("a line of 19 cells.", "two");
  status.set(["one"]);
  assertEquals(status.redraw(SPACE, 0), undefined);
  status.set(["one", "two", "three"]);
  assertEquals(status.redraw(SPACE, 0), undefined);
  const narrow = { columns: 10, rows: 10 };
  status.set(["one", "two"]);
  assertEquals([status.rows(20), status.rows(10)], [2, 3]);
  assertEquals(status.redraw(narrow, 0), undefined);
  assertEquals(status.draw(narrow), "one\ntwo\n");
  status.drawn = [];
  assertEquals([status.rows(10), status.isCurrent(narrow)], [0, false]);
});

Deno.test("status lines: they are cut to the terminal, by its width and its height", () => {
  const status = drawn();
  status.set(["12345678901234567890", "語語語語語語語語語語", "three"]);
  assertEquals(status.draw({ columns: 20, rows: 2 }), "12345678901234567…\n語語語語語語語語…\n");
  assertEquals(status.draw({ columns: 20, rows: -1 }), "");
});
