/** Octets of a file over a way that loses, repeats, reorders and is cut, in virtual time. `RUNS=1000` plays more. */
import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { DataReceiver, MAX_ROOM_BYTES } from "../../../protocol/reliable/data_receiver.ts";
import { DataSender } from "../../../protocol/reliable/data_sender.ts";
import { seededRandom } from "../../../server/doors/network_emulator.ts";
import { DataTransfer } from "../../support/data_transfer.ts";
import { Clock, Path } from "../../support/path.ts";

const RUNS = Number(Deno.env.get("RUNS") ?? 60);
const SEED = Deno.env.get("SEED") ?? "1";
const PLAY = { numRuns: RUNS, seed: SEED === "random" ? Date.now() : Number(SEED) };

const way = fc.record({
  rate: fc.constantFrom(30, 250, 2500, Infinity),
  queue: fc.integer({ min: 3_000, max: 60_000 }),
  delay: fc.constantFrom(0.1, 5, 20, 100),
  loss: fc.constantFrom(0, 0.01, 0.1, 0.3),
  reordered: fc.constantFrom(0, 0.1, 0.9),
  reordering: fc.integer({ min: 0, max: 50 }),
  doubled: fc.constantFrom(0, 0.1),
});

Deno.test("data: whatever the way does, the octets arrive whole and in order, and no end thinks that the other lies", () => {
  const schedule = fc.record({
    seed: fc.nat(),
    size: fc.integer({ min: 0, max: 300_000 }),
    from: fc.integer({ min: 0, max: 300_000 }),
    ways: fc.array(fc.tuple(way, way), { minLength: 1, maxLength: 3 }),
    cutAt: fc.integer({ min: 0, max: 2000 }),
    cutFor: fc.constantFrom(0, 300, 3000),
    changeAt: fc.integer({ min: 1, max: 1500 }),
    lateness: fc.constantFrom(0, 5, 50),
    disk: fc.constantFrom(0.2, 20),
  });
  fc.assert(
    fc.property(schedule, ({ seed, size, from, ways, cutAt, cutFor, changeAt, lateness, disk }) => {
      const clock = new Clock(), random = seededRandom(seed);
      const paths = ways.map((both) => both.map((options) => new Path(clock, random, options)));
      const [there, back] = paths[0];
      const late = () => random() < 0.2 ? lateness * random() : 0;
      from = Math.min(from, size);
      const transfer = new DataTransfer(clock, { size, from, random, there, back, disk, lateness: late });
      const setCut = (isCut: boolean) => paths.flat().forEach((path) => path.isCut = isCut);
      clock.at(cutAt, () => setCut(cutFor > 0));
      clock.at(cutAt + cutFor, () => setCut(false));
      paths.slice(1).forEach(([there, back], i) =>
        clock.at((i + 1) * changeAt, () => {
          Object.assign(transfer, { there, back });
          transfer.sender.changeWay(clock.now);
          transfer.run();
        })
      );
      // what has come when nothing was left to be sent is written at once
      const isDone = () => transfer.receiver.isWhole && transfer.sender.isWhole;
      while (!isDone() && clock.step(120_000));
      assert(isDone(), `at ${clock.now} ms ${transfer.receiver.received} of ${size} are there`);
      assert(!transfer.hasLied);
      assertEquals(transfer.sender.nextWake, undefined);
    }),
    PLAY,
  );
});

Deno.test("data: where the receiver can't write, no more than its room is sent, and it goes on when it can", () => {
  const clock = new Clock(), random = seededRandom(1), size = 3 * MAX_ROOM_BYTES;
  const there = new Path(clock, random, { rate: 20_000, delay: 1 }), back = new Path(clock, random, { delay: 1 });
  const transfer = new DataTransfer(clock, { size, random, there, back, isDiskStuck: true });
  while (clock.step(20_000));
  assertEquals(transfer.receiver.received, Math.floor(MAX_ROOM_BYTES / 1000) * 1000);
  const { sent } = transfer.sender.statistics;
  assertLess(sent, 1.1 * MAX_ROOM_BYTES / 1000, "it does not send into a full receiver again and again");
  transfer.freeDisk();
  while (transfer.wholeAt === undefined && clock.step(60_000));
  assert(transfer.wholeAt);
});

Deno.test("data: both ends keep a bounded part of the file, however long it is", () => {
  const clock = new Clock(), random = seededRandom(1), size = 30_000_000;
  const there = new Path(clock, random, { rate: 20_000, queue: 1_000_000, delay: 20, loss: 0.02 });
  const transfer = new DataTransfer(clock, { size, random, there, back: new Path(clock, random, { delay: 20 }) });
  let most = 0;
  while (transfer.wholeAt === undefined && clock.step(60_000)) {
    most = Math.max(most, transfer.supplied - transfer.sender.acknowledged);
  }
  assert(transfer.wholeAt);
  assertLessOrEqual(most, MAX_ROOM_BYTES + 3 * 262_000);
});

Deno.test("data: an acknowledgement of what was never sent is a lie", () => {
  const sack = (next: number, ids: [number, number][]) => ({
    ...{ next, room: 1 << 20, delay: 0 },
    ids: ids.map(([from, to]) => ({ from, to })),
  });
  const sender = () => {
    const it = new DataSender({ size: 100_000, from: 0, random: seededRandom(1) }, 0);
    it.supply(0, new Uint8Array(100_000));
    it.acknowledge(sack(0, []), 0);
    return { it, sent: it.take(0) };
  };
  const { it, sent } = sender(), last = sent.at(-1)!;
  assertEquals(it.acknowledge(sack(1000, [[1, 1]]), 1), "taken");
  // the same, and older ones, again
  assertEquals([it.acknowledge(sack(1000, [[1, 1]]), 2), it.acknowledge(sack(0, []), 2)], ["taken", "taken"]);
  assertEquals(it.acknowledged, 1000);
  assertEquals(sender().it.acknowledge(sack(0, [[last.id + 1, last.id + 1]]), 1), "false");
  assertEquals(sender().it.acknowledge(sack(0, [[1, last.id + 1]]), 1), "false");
  assertEquals(sender().it.acknowledge(sack(last.at + last.octets.length + 1, []), 1), "false");
  assertEquals(sender().it.acknowledge(sack(0, [[0, 1]]), 1), "false", "they count from 1");
  const end = last.at + last.octets.length;
  assertEquals(sender().it.acknowledge(sack(end, [[last.id, last.id]]), 1), "taken", "others may be left out");
  assertEquals(sender().it.acknowledge(sack(end, []), 1), "false", "the greatest may not");
});

for (
  const [name, lie] of [
    ["lost packets have arrived", (greatest: number) => [{ from: 1, to: greatest }]],
    ["packets have arrived that are still under way", (greatest: number) => [{ from: greatest + 5, to: greatest + 5 }]],
  ] as const
) {
  Deno.test(`data: a receiver that says that ${name} is found out`, () => {
    for (let seed = 1; seed <= 20; seed++) {
      const clock = new Clock(), random = seededRandom(seed);
      const there = new Path(clock, random, { rate: 2500, queue: 60_000, delay: 10, loss: 0.05 });
      const transfer = new DataTransfer(clock, {
        ...{ size: 2_000_000, random, there, back: new Path(clock, random, { delay: 10 }) },
        forge: (sack) => ({ ...sack, ids: sack.ids.length > 1 ? [...lie(sack.ids[0].to)] : sack.ids }),
      });
      while (!transfer.hasLied && transfer.wholeAt === undefined && clock.step(20_000));
      assert(transfer.hasLied, `seed ${seed}`);
      assertLess(transfer.sender.acknowledged, 1_000_000);
    }
  });
}

const number = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: 400_000 }),
  fc.nat(),
  fc.constantFrom(2 ** 53 - 1, 2 ** 40, 4_194_304),
);

Deno.test("data: no acknowledgement makes the sender throw, wait for nothing, or hold what it never had", () => {
  const range = fc.tuple(number, fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 }), number));
  const sack = fc.record({ next: number, room: number, ids: fc.array(range, { maxLength: 24 }), delay: number });
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(fc.tuple(sack, fc.integer({ min: 0, max: 400 })), { maxLength: 60 }),
      (seed, all) => {
        const size = 400_000, sender = new DataSender({ size, from: 0, random: seededRandom(seed) }, 0);
        let now = 0;
        for (const [{ next, room, ids, delay }, later] of all) {
          now += later;
          const ranges = ids.map(([from, more]) => ({ from, to: from + more }));
          sender.acknowledge({ next, room, ids: ranges, delay }, now);
          const { wanted } = sender;
          if (wanted) sender.supply(wanted.at, new Uint8Array(wanted.length));
          for (const { at, octets } of sender.take(now)) assert(octets.length > 0 && at + octets.length <= size);
          assertLessOrEqual(sender.acknowledged, size);
        }
      },
    ),
    PLAY,
  );
});

Deno.test("data: no packet makes the receiver throw, or keep what is not asked for", () => {
  const part = fc.record({ id: number, at: number, length: fc.integer({ min: 0, max: 1000 }) });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 300 }), (parts) => {
      const receiver = new DataReceiver({ size: 400_000, from: 1000 });
      let written = 1000;
      for (const [now, { id, at, length }] of parts.entries()) {
        const isTaken = receiver.receive({ id, at, octets: new Uint8Array(length) }, now);
        assert(!isTaken || at + length <= 400_000);
        const block = receiver.takeBlock();
        if (block) receiver.written(written = block.at + block.octets.length);
        assertLessOrEqual(receiver.received, 400_000);
        assertLessOrEqual(written, receiver.received);
        assertLessOrEqual(receiver.takeSack(now)?.ids.length ?? 0, 24);
      }
    }),
    PLAY,
  );
});

Deno.test("data: single octets in the worst order are work and memory with bounds", () => {
  const receiver = new DataReceiver({ size: 1 << 20, from: 0 }), octet = new Uint8Array(1);
  let kept = 0;
  for (let at = (1 << 20) - 1, id = 1; at > 0; at -= 2, id += 2) {
    if (receiver.receive({ id, at, octets: octet }, 0)) kept++;
  }
  assertLessOrEqual(kept, 2200);
});
