/** When the first of several things is due. */
import { assertEquals } from "@std/assert";
import { earliest, earliestWake } from "../../protocol/earliest.ts";

Deno.test("earliest: the first of the times that there are", () => {
  assertEquals([[], [undefined], [3, undefined, 0, 2], [-1, 5]].map(earliest), [undefined, undefined, 0, -1]);
  assertEquals(earliestWake([{ nextWake: undefined }, { nextWake: 7 }, { nextWake: 4 }]), 4);
  assertEquals(earliestWake(new Set()), undefined);
});
