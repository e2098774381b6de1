/** What the server remembers of files on their way, and of how many. */
import { assertEquals } from "@std/assert";
import { FileRecords } from "../../../server/room/file_records.ts";
import type { Member } from "../../../server/room/members.ts";
import { dataOf, endOf, FILE, FileRoom, offerOf, sackOf } from "../../support/file_room.ts";
import { largestMap } from "../../support/largest_map.ts";

Deno.test("file records: what is remembered was paid for, or is a transfer that both speak of; the rest is little", () => {
  const records = new FileRecords(), { toBob, toAlice } = new FileRoom();
  const [alice, bob] = [memberOf("a"), memberOf("b")];
  const files = Array.from({ length: 300 }, (_, i) => i.toString(16).padStart(16, "0"));
  const kept = () => files.filter((file) => records.of(bob, { pass: toBob.pass, file }, 0)).length;
  for (const file of files) {
    assertEquals(records.note(endOf(toAlice, "done", file), bob, alice, 0), undefined);
    assertEquals(records.note(sackOf(toAlice, undefined, file), bob, alice, 0), undefined);
  }
  assertEquals(kept(), 0);
  for (const file of files) records.note(sackOf(toAlice, 0, file), bob, alice, 0);
  assertEquals(kept(), 16);
  for (const file of files) records.note(dataOf(toAlice, 1, file), bob, alice, 0);
  assertEquals(kept(), 16);
  for (const file of files.slice(0, 50)) {
    records.note(offerOf(toBob, file), alice, bob, 0);
    records.note(endOf(toAlice, "declined", file), bob, alice, 0);
  }
  assertEquals(kept(), 50 + 16);
});

Deno.test("file records: what was said more than 30 s ago goes as soon as something else is said", () => {
  const records = new FileRecords(), { toBob } = new FileRoom(), [alice, bob] = [memberOf("a"), memberOf("b")];
  const sizes: number[] = [];
  const size = (note: () => void) => sizes.push(largestMap(note));
  size(() => {
    for (let i = 0; i < 50; i++) records.note(offerOf(toBob, i.toString(16).padStart(16, "0")), alice, bob, i);
  });
  size(() => records.note(offerOf(toBob, FILE), alice, bob, 30_039));
  assertEquals(sizes, [50, 11]);
});

/** A member of which only the token matters. */
function memberOf(token: string): Member {
  return { token } as Member;
}
