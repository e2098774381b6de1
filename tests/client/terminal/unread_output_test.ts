/** Output that nobody reads, and output that can't be written. */
import { assertEquals } from "@std/assert";
import { UnreadOutput } from "../../../client/terminal/unread_output.ts";

Deno.test("unread output: while it is read nothing ends the client", () => {
  const output = new UnreadOutput(0);
  output.noteLine(500);
  assertEquals([output.leavesAt, output.failure], [undefined, undefined]);
});

Deno.test("unread output: when its reader is gone the client leaves a second after the last line", () => {
  const output = new UnreadOutput(0);
  output.failed(new Deno.errors.BrokenPipe("Broken pipe (os error 32)"));
  assertEquals(output.leavesAt, 1000);
  output.noteLine(700);
  assertEquals([output.leavesAt, output.failure], [1700, "Standard output can't be written: Broken pipe"]);
});

Deno.test("unread output: with a full disk the client stays, and says so at the end", () => {
  const output = new UnreadOutput(0);
  output.failed(new Error("No space left on device (os error 28)"));
  assertEquals([output.leavesAt, output.failure], [
    undefined,
    "Standard output can't be written: No space left on device",
  ]);
});
