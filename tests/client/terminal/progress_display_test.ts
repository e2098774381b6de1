/** When the progress of files is drawn. */
import { assertEquals } from "@std/assert";
import { ProgressDisplay } from "../../../client/terminal/progress_display.ts";
import { transferState } from "../../support/fake_transfers.ts";

/** A display, and what it has drawn. */
function display() {
  const drawn: string[][] = [];
  const progress = new ProgressDisplay({ columns: 80, status: (lines) => void drawn.push(lines) });
  return { progress, drawn: () => drawn.splice(0) };
}

const running = transferState({ state: "running", done: 50, rate: undefined });
const line = "<- a.pdf from Alice: 50%, 50 B of 100 B";

Deno.test("progress display: it is drawn four times a second while something is under way, and gone at the end", () => {
  const { progress, drawn } = display();
  progress.show([], 0);
  assertEquals([progress.nextWake, drawn()], [undefined, []]);
  for (const now of [1000, 1001, 1249]) progress.show([running], now);
  assertEquals([progress.nextWake, drawn()], [1250, []]);
  for (const now of [1250, 1251, 1400, 1500]) progress.show([running], now);
  assertEquals([progress.nextWake, drawn()], [1750, [[line], [line]]]);
  progress.show([], 1501);
  assertEquals([progress.nextWake, drawn()], [undefined, [[]]]);
  for (const now of [1600, 1750, 1751, 5000]) progress.show([], now);
  assertEquals([progress.nextWake, drawn()], [undefined, []]);
});

Deno.test("progress display: what is over at once has no line, and what waits for somebody wakes nobody", () => {
  const { progress, drawn } = display();
  progress.show([running], 1000);
  progress.show([], 1100);
  progress.show([], 1250);
  assertEquals([progress.nextWake, drawn()], [undefined, [[]]]);
  progress.show([transferState()], 2000);
  progress.show([transferState({ state: "offered" })], 3000);
  assertEquals([progress.nextWake, drawn()], [undefined, []]);
});
