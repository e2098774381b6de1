/** The latest seq: what the server vouches for only grows, and a claim holds until the server is asked. */
import { assertEquals } from "@std/assert";
import { LatestSeq, MAX_LEAD } from "../../../protocol/reliable/latest_seq.ts";

Deno.test("latest seq: an old event that the server sends again takes nothing back", () => {
  const latest = new LatestSeq(0);
  latest.vouch(5000);
  latest.vouch(3);
  latest.confirm(4, 10);
  assertEquals([latest.vouched, latest.seq], [5000, 5000]);
  assertEquals(latest.claim(5000 + MAX_LEAD, 20), true);
});

Deno.test("latest seq: a claim is asked about when it leads by more than half of what is believed", () => {
  const latest = new LatestSeq(10);
  latest.claim(10 + MAX_LEAD / 2, 0);
  assertEquals(latest.isDoubtful, false);
  latest.claim(11 + MAX_LEAD / 2, 0);
  assertEquals([latest.isDoubtful, latest.vouched, latest.seq], [true, 10, 11 + MAX_LEAD / 2]);
  assertEquals(latest.claim(11 + MAX_LEAD, 0), false, "too far to be believed");
});

Deno.test("latest seq: an answer of the server ends the claims from before the question, and no others", () => {
  for (const [at, seq] of [[9, 12], [10, 20], [11, 20]]) {
    const latest = new LatestSeq(10);
    latest.claim(20, at);
    latest.confirm(12, 10);
    assertEquals([latest.vouched, latest.seq], [12, seq], `claimed at ${at}`);
  }
});
