/** Which packets count as lost, and when. */
import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { SentData } from "../../../protocol/reliable/sent_data.ts";

/** One that leaves no number out among the first 255, and has sent so many packets of 1000 octets, one a millisecond. */
function sent(count: number): SentData {
  const data = new SentData(() => 0.999);
  for (let part = 0; part < count; part++) data.send(part, 1000, part);
  return data;
}

const ids = (...ranges: [number, number][]) => ranges.map(([from, to]) => ({ from, to }));
const numbers = (packets: { id: number }[]) => packets.map(({ id }) => id);

Deno.test("sent data: a packet is lost when one has arrived that was sent three later", () => {
  const data = sent(10);
  assertEquals(data.acknowledge(ids([3, 3]), 0, 40).lost, []);
  assertEquals(numbers(data.acknowledge(ids([4, 4]), 0, 41).lost), [1]);
  assertEquals(numbers(data.acknowledge(ids([9, 9]), 0, 46).lost), [2, 5, 6]);
  assertEquals(data.underWay, 3000);
});

Deno.test("sent data: the last ones are lost some time after one behind them has arrived, without anything new", () => {
  const data = sent(3), { lost, roundTrip } = data.acknowledge(ids([3, 3]), 0, 22);
  assertEquals([lost, roundTrip], [[], 20]);
  // 9/8 of a round trip behind the first
  assertEquals(data.lossDueAt, 22.5);
  assertEquals(numbers(data.detectLosses(22.5)), [1]);
  assertEquals(numbers(data.detectLosses(23.5)), [2]);
  assertEquals([data.lossDueAt, data.underWay, data.probeDueAt], [undefined, 0, undefined]);
});

Deno.test("sent data: packets that were only late are settled, and make it wait for later ones longer", () => {
  const data = sent(60);
  assertEquals(data.acknowledge(ids([12, 12]), 0, 70).lost.length, 9);
  assertEquals(numbers(data.acknowledge(ids([12, 12], [1, 11]), 0, 71).arrived).length, 11);
  assertGreater(data.late, 0);
  assertEquals(data.acknowledge(ids([22, 22]), 0, 80).lost, [], "they overtook each other by as many before");
  assertEquals(data.underWay, 47_000);
});

Deno.test("sent data: a probe is due when nothing comes; the next ones later and later, but each second at least", () => {
  const data = sent(1);
  data.acknowledge(ids([1, 1]), 0, 40);
  assertEquals(data.probeDueAt, undefined);
  let now = 100;
  data.send(1, 1000, now);
  const waits = [];
  for (let i = 0; i < 12; i++) {
    waits.push(data.probeDueAt! - now);
    now = data.probeDueAt!;
    assertEquals(data.probe(() => false)?.id, 2);
    data.send(1, 1000, now);
  }
  assertLessOrEqual(waits[0], 40 + 4 * 20);
  for (const [i, wait] of waits.slice(1).entries()) assert(wait > waits[i] || wait === 1000);
  assertEquals(waits.at(-1), 1000);
  assertEquals(numbers(data.acknowledge(ids([14, 14]), 0, now + 40).lost), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
});

Deno.test("sent data: numbers are left out, and nobody can have them", () => {
  const data = new SentData(Math.random), used = new Set<number>();
  for (let part = 0; part < 5000; part++) used.add(data.send(part, 1, part));
  const most = Math.max(...used), left = Array.from({ length: most }, (_, i) => i + 1).filter((id) => !used.has(id));
  assertGreater(left.length, 10);
  assertLess(left.length, 170);
  for (const id of left) {
    assert(!data.canHaveArrived(ids([id, id])));
    assert(!data.canHaveArrived(ids([id - 1, id + 1])));
    assert(data.canHaveArrived(ids([id + 1, id + 1], [id - 1, id - 1])));
  }
  assert(!data.canHaveArrived(ids([most + 1, most + 1])));
});

Deno.test("sent data: what was sent on another way is no measure of this one, and is lost after a round trip", () => {
  const data = sent(10);
  data.acknowledge(ids([1, 1]), 0, 30);
  data.changeWay(35);
  assertEquals([data.underWay, data.roundTrip], [0, undefined]);
  const id = data.send(10, 1000, 36);
  const { arrived, roundTrip, sample } = data.acknowledge(ids([2, 5]), 0, 36);
  assertEquals([arrived.length, roundTrip, sample], [4, undefined, undefined]);
  const due = data.lossDueAt!;
  assertLess(due, 80);
  assertEquals(numbers(data.detectLosses(due)), [6, 7, 8, 9, 10]);
  assertEquals([data.underWay, data.lossDueAt], [1000, undefined]);
  assertEquals(data.acknowledge(ids([id, id]), 0, 100).roundTrip, 64);
});

Deno.test("sent data: it remembers a bounded number of packets, and a range costs what is new in it", () => {
  const data = new SentData(Math.random);
  let now = 0;
  const before = performance.now();
  for (let part = 0; part < 200_000; part++) {
    const id = data.send(part, 1000, now);
    now += 0.01;
    // each tenth is lost; always 24 long ranges
    if (part % 16 > 0) continue;
    const ranges = [];
    for (let i = 0; i < 24; i++) ranges.push({ from: Math.max(1, id - 10 * i - 8), to: Math.max(1, id - 10 * i) });
    const told = ranges.filter((range) => data.canHaveArrived([range]));
    data.acknowledge(told, 0, now);
  }
  assertLess(performance.now() - before, 10_000, "not the square of it");
});
