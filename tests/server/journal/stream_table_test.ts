/** The streams: each is bound to one owner, and kept for a while when its owner has left. */
import { assertEquals } from "@std/assert";
import { StreamTable } from "../../../server/journal/stream_table.ts";

const S = "c07d5f3be8192a64", T = "2be90f4417d6a3c8";
const ALICE = "aaaaaaaaaaaaaaaa", BOB = "bbbbbbbbbbbbbbbb";
/** One of many owners. */
const owner = (i: number) => i.toString(16).padStart(16, "0");

Deno.test("streams: a stream is bound at its first use, and knows what was appended and what is kept", () => {
  const streams = new StreamTable();
  assertEquals(streams.get(S), undefined);
  streams.append(S, ALICE, 7);
  assertEquals(streams.get(S), { name: S, owner: ALICE, lastId: 6, appendedId: 7 });
  streams.append(S, ALICE, 8);
  streams.keep(S, 7);
  assertEquals(streams.get(S), { name: S, owner: ALICE, lastId: 7, appendedId: 8 });
});

Deno.test("streams: another owner neither takes a stream nor changes it", () => {
  const streams = new StreamTable();
  streams.append(S, ALICE, 1);
  assertEquals(streams.append(S, BOB, 9), undefined);
  assertEquals(streams.get(S), { name: S, owner: ALICE, lastId: 0, appendedId: 1 });
});

Deno.test("streams: an owner's earlier streams stay its own, so that it can't give back what it has used", () => {
  const streams = new StreamTable();
  for (let i = 0; i < 8; i++) assertEquals(streams.append(owner(i), ALICE, 1)?.owner, ALICE);
  assertEquals([streams.isFreeFor(ALICE, owner(0)), streams.isFreeFor(BOB, owner(0))], [true, false]);
  assertEquals([streams.isFreeFor(ALICE, S), streams.append(S, ALICE, 1), streams.get(S)], [
    false,
    undefined,
    undefined,
  ], "eight are enough");
  assertEquals(streams.append(S, BOB, 1)?.owner, BOB);
  assertEquals(streams.append(owner(0), ALICE, 2)?.appendedId, 2, "it may go back to one that it has");
});

for (const isForGood of [true, false]) {
  Deno.test(`streams: of owners that have ${isForGood ? "said goodbye" : "fallen silent"} the last 10,000 are kept`, () => {
    const streams = new StreamTable();
    const count = 10_003;
    for (let i = 0; i < count; i++) {
      streams.append(owner(i), owner(i), 1);
      streams.append(owner(i + 1_000_000), owner(i), 1);
    }
    // who has left in the other way is not counted
    streams.append(S, ALICE, 1);
    streams.ownerLeft(ALICE, !isForGood);
    const forgotten: string[] = [];
    for (let i = 0; i < count; i++) {
      // the first comes back
      if (i === 5) streams.ownerJoined(owner(0));
      forgotten.push(...streams.ownerLeft(owner(i), isForGood));
    }
    assertEquals(forgotten, [owner(1), owner(2)]);
    const isKept = (i: number) => streams.get(owner(i)) !== undefined;
    assertEquals([0, 1, 2, 3, 1_000_001, 1_000_003].map(isKept), [true, false, false, true, false, true]);
    assertEquals(streams.get(S)?.owner, ALICE);
    assertEquals(streams.ownerLeft(BOB, isForGood), [], "who has never spoken takes no place");
  });
}

Deno.test("streams: what earlier runs have kept too much is forgotten when the next owner leaves", () => {
  const streams = new StreamTable();
  for (let i = 0; i < 10_005; i++) streams.restore({ name: owner(i), owner: owner(i), lastId: 1 });
  streams.ownerJoined(owner(2));
  assertEquals(streams.ownerLeft(owner(2), false), [0, 1, 3, 4, 5].map(owner));
});

Deno.test("streams: a restored stream belongs to an owner that is away until it joins", () => {
  const streams = new StreamTable();
  streams.restore({ name: S, owner: ALICE, lastId: 4 });
  streams.restore({ name: T, owner: BOB, lastId: 5 });
  assertEquals(streams.get(S), { name: S, owner: ALICE, lastId: 4, appendedId: 4 });
  streams.ownerJoined(ALICE);
  for (let i = 0; i < 10_000; i++) {
    streams.append(owner(i), owner(i), 1);
    streams.ownerLeft(owner(i), false);
  }
  assertEquals([streams.get(S) !== undefined, streams.get(T)], [true, undefined]);
});
