/** What has arrived of a file: octets and numbers of packets; and when that is acknowledged. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import { ArrivedIds } from "../../../protocol/reliable/arrived_ids.ts";
import { ArrivedOctets } from "../../../protocol/reliable/arrived_octets.ts";
import { DataReceiver, MAX_ROOM_BYTES } from "../../../protocol/reliable/data_receiver.ts";
import { MaxFilter } from "../../../protocol/reliable/max_filter.ts";
import { Pacer } from "../../../protocol/reliable/pacer.ts";

Deno.test("arrived ids: they are the ranges of a set, the greatest first", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 80 }), (all) => {
    const ids = new ArrivedIds(100);
    for (const id of all) ids.add(id);
    const listed = ids.ranges.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => to - i));
    assertEquals(listed, [...new Set(all)].sort((a, b) => b - a));
    for (const [i, { to }] of ids.ranges.slice(1).entries()) assertLess(to + 1, ids.ranges[i].from);
    assertEquals(ids.greatest, Math.max(0, ...all));
  }));
});

Deno.test("arrived ids: of many ranges the greatest are kept", () => {
  const ids = new ArrivedIds(3);
  for (const id of [1, 3, 5, 7, 2]) ids.add(id);
  assertEquals(ids.ranges, [{ from: 7, to: 7 }, { from: 5, to: 5 }, { from: 2, to: 3 }]);
});

Deno.test("arrived octets: any pieces in any order, also those that overlap, become the file", () => {
  const piece = fc.record({ at: fc.integer({ min: 0, max: 120 }), length: fc.integer({ min: 1, max: 30 }) });
  fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 0, max: 20 }), (pieces, from) => {
    const octets = new ArrivedOctets(110, from, 64), has = new Set<number>();
    let next = from;
    for (const { at, length } of pieces) {
      const end = Math.min(110, next + 64), isTaken = octets.add(at, Uint8Array.from({ length }, (_, i) => at + i));
      assertEquals(isTaken, at + length <= end);
      if (isTaken) { for (let i = at; i < at + length; i++) has.add(i); }
      let ready = next;
      while (has.has(ready)) ready++;
      assertEquals(octets.next, ready);
      assertEquals([...octets.read(next, ready - next)], Array.from({ length: ready - next }, (_, i) => next + i));
      octets.free(next = ready);
    }
  }));
});

const octets = new Uint8Array(1000);

Deno.test("receiver: each second packet is acknowledged, of fast ones fewer, a gap and the end at once", () => {
  const receiver = new DataReceiver({ size: 100_000, from: 0 });
  assert(receiver.takeSack(0), "it says where to go on");
  const receive = (id: number, now: number) => {
    receiver.receive({ id, at: (id - 1) * 1000, octets }, now);
    return receiver.takeSack(now) !== undefined;
  };
  assertEquals([receive(1, 10), receive(2, 20), receive(3, 30), receive(4, 40)], [false, true, false, true]);
  assertEquals(Array.from({ length: 16 }, (_, i) => receive(5 + i, 40)), [...Array(15).fill(false), true]);
  assertEquals([receive(22, 41), receive(23, 41.1), receive(24, 41.2)], [true, false, false]);
  assertEquals(receiver.nextWake, 43);
  assertEquals(receiver.takeSack(43)?.ids, [{ from: 22, to: 24 }, { from: 1, to: 20 }]);
  for (let id = 25; id < 100; id++) receive(id, 50);
  receiver.takeSack(50, true);
  receive(21, 50);
  assert(receive(100, 50.2), "all is there");
  assertEquals([receiver.isWhole, receiver.nextWake], [true, undefined]);
});

Deno.test("receiver: one packet is acknowledged after some milliseconds, and that is said", () => {
  const receiver = new DataReceiver({ size: 100_000, from: 5000 });
  assertEquals(receiver.takeSack(0), { next: 5000, room: 95_000, ids: [], delay: 0 });
  receiver.receive({ id: 7, at: 5000, octets }, 100);
  assertEquals(receiver.nextWake, 104);
  assertEquals(receiver.takeSack(103), undefined);
  assertEquals(receiver.takeSack(106), { next: 6000, room: 94_000, ids: [{ from: 7, to: 7 }], delay: 6 });
});

Deno.test("receiver: when nothing comes it says so, each time later", () => {
  const receiver = new DataReceiver({ size: 100_000, from: 0 }), times = [];
  receiver.takeSack(0);
  for (let now = 0; now < 30_000; now++) if (receiver.takeSack(now)) times.push(now);
  assertGreater(times.length, 8);
  assertLess(times.length, 16);
  assertEquals(times.at(-1)! - times.at(-2)!, 5000);
});

Deno.test("receiver: what it was not asked for or has no room for is dropped; room comes back when it is written", () => {
  const receiver = new DataReceiver({ size: 2 * MAX_ROOM_BYTES, from: 0 });
  assertEquals(receiver.takeSack(0)?.room, MAX_ROOM_BYTES);
  for (const at of [MAX_ROOM_BYTES - 999, 2 * MAX_ROOM_BYTES, -1]) {
    assertEquals(receiver.receive({ id: 1, at, octets }, 0), false);
  }
  for (let at = 0, id = 1; at + 1000 <= MAX_ROOM_BYTES; at += 1000) receiver.receive({ id: id++, at, octets }, 1);
  assertLess(receiver.takeSack(1)!.room, 1000);
  assertEquals(receiver.takeSack(2), undefined);
  let at = 0;
  for (let block; (block = receiver.takeBlock()); at += block.octets.length) assertEquals(block.at, at);
  receiver.written(at);
  assertGreater(receiver.takeSack(3)!.room, MAX_ROOM_BYTES - 1000, "it does not wait to be asked");
});

Deno.test("max filter: it is the greatest of those that are not too old", () => {
  const filter = new MaxFilter();
  assertEquals(filter.max, 0);
  for (const [time, value] of [[1, 5], [2, 9], [3, 4], [4, 6]]) filter.add(time, value);
  assertEquals(filter.max, 9);
  filter.expire(3);
  assertEquals(filter.max, 6);
  filter.expire(9);
  assertEquals(filter.max, 6, "the last one stays");
});

Deno.test("pacer: it spreads packets, and makes up for a late event loop by a bounded burst", () => {
  for (const [rate, burst] of [[100, 2], [2000, 10], [100_000, 64]]) {
    const pacer = new Pacer();
    const send = (now: number) => {
      let count = 0;
      for (; pacer.canSend(rate, now); count++) pacer.sent(1000, rate, now);
      return count;
    };
    send(1000);
    assertLess(send(1000 + 2 * burst * 1000 / rate / 10), burst, "a fifth of it");
    assertLess(send(5000), burst + 2);
    assertEquals(send(5000), 0);
  }
});
