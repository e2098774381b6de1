import { assertEquals } from "@std/assert";
import { Timeline } from "../../../server/room/timeline.ts";

Deno.test("timeline: what is due is taken in the order of its time, once, and not too early", () => {
  const timeline = new Timeline<string>();
  assertEquals([timeline.dueAt, timeline.takeDue(1000)], [undefined, []]);
  timeline.set("later", 25);
  timeline.set("soon", 11);
  timeline.set("as soon", 20);
  assertEquals([timeline.dueAt, timeline.takeDue(19)], [20, []]);
  assertEquals(timeline.takeDue(29), ["soon", "as soon"]);
  assertEquals([timeline.dueAt, timeline.has("soon"), timeline.has("later")], [30, false, true]);
  assertEquals([timeline.takeDue(100), timeline.dueAt], [["later"], undefined]);
});

Deno.test("timeline: what is put off or forgotten is not due at the time from before", () => {
  const timeline = new Timeline<string>();
  for (const thing of ["a", "b", "c"]) timeline.set(thing, 10);
  timeline.set("a", 50);
  timeline.delete("b");
  timeline.delete("never there");
  assertEquals(timeline.takeDue(10), ["c"]);
  assertEquals([timeline.dueAt, timeline.takeDue(50)], [50, ["a"]]);
});
