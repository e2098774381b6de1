/** What members with a connection say in a large room: each line waits for its copies, in turn. */
import { assert, assertEquals } from "@std/assert";
import { FakeRoom } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

const at = (i: number) => `tcp 10.1.${i >> 8}.${i & 255}:1000`;

/** A room with so many members that have a connection. */
function crowd(size: number): FakeRoom {
  const room = new FakeRoom({ rate: { rate: 20, burst: 40 } });
  for (let i = 0; i < size; i++) room.room.connected(peerOf(at(i)), room.now);
  room.settle();
  return room;
}

Deno.test("line turns: among hundreds that always have a line, one that says its first is heard in its turn", () => {
  const room = crowd(1000);
  const waits = new Map<number, number>();
  let heardAfter: number | undefined;
  for (let ms = 0; ms < 20_000 && heardAfter === undefined; ms += 10, room.now += 10) {
    for (let i = 0; i < 500; i++) {
      if ((waits.get(i) ?? 0) <= room.now) {
        waits.set(i, room.now + Math.max(10, room.room.receiveLine("flood", peerOf(at(i)), room.now)));
      }
    }
    // the honest one begins when the others have used up what may be said at once
    if (ms >= 1000 && (waits.get(999) ?? 0) <= room.now) {
      const pause = room.room.receiveLine("may I ask something?", peerOf(at(999)), room.now);
      waits.set(999, room.now + pause);
      if (pause === 0) heardAfter = ms - 1000;
    }
    room.delivery.take();
  }
  // 500 lines before it, 1,000 copies each, 50,000 copies a second
  assert(heardAfter! <= 11_000, `${heardAfter}`);
});

Deno.test("line turns: who leaves gives its turn back, so that nobody waits for those who are gone", () => {
  const room = crowd(1000);
  for (let i = 0; i < 900; i++) {
    room.room.receiveLine("flood", peerOf(at(i)), room.now);
    room.delivery.take();
  }
  for (let i = 0; i < 900; i++) room.room.hungUp(peerOf(at(i)), room.now);
  room.now += 3000;
  assertEquals(room.room.receiveLine("hello", peerOf(at(950)), room.now), 0);
});
