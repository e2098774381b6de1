/** What the sender of a file does where acknowledgements are late, lost or lies, in explicit time. `RUNS=1000` plays more. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import { ArrivedIds } from "../../../protocol/reliable/arrived_ids.ts";
import { type DataPart, DataSender } from "../../../protocol/reliable/data_sender.ts";
import { seededRandom } from "../../../server/doors/network_emulator.ts";

const RUNS = Number(Deno.env.get("RUNS") ?? 100);
const ROOM = 4 << 20;

/** A sender that may send. */
function started(size: number, from = 0, room = ROOM, random = seededRandom(1)): DataSender {
  const sender = new DataSender({ size, from, random }, 0);
  sender.acknowledge({ next: from, room, ids: [], delay: 0 }, 0);
  return sender;
}

/** What a receiver knows that may have lost packets on the way. */
class Arrived {
  next: number;
  readonly #ids = new ArrivedIds(24);
  readonly #early = new Set<number>();
  readonly #size: number;

  constructor(size: number, from = 0) {
    this.#size = size;
    this.next = from;
  }

  add({ id, at }: DataPart): void {
    this.#ids.add(id);
    this.#early.add(at);
    while (this.#early.delete(this.next)) this.next = Math.min(this.#size, this.next + 1000);
  }

  sack(room = ROOM) {
    return { next: this.next, room, ids: this.#ids.ranges, delay: 0 };
  }
}

Deno.test("data sender: when a probe is lost, and all has arrived before the next block is read, it waits for the block", () => {
  const sender = started(1_000_000), arrived = new Arrived(1_000_000);
  sender.supply(0, new Uint8Array(262_000));
  let now = 0;
  while (arrived.next < 262_000) {
    for (const part of sender.take(now)) arrived.add(part);
    if (arrived.next < 262_000) sender.acknowledge(arrived.sack(), now);
    now += 5;
  }
  // the last acknowledgement is late
  const probe: DataPart[] = [];
  while (probe.length === 0) probe.push(...sender.take(now = sender.nextWake!));
  assertLess(probe[0].at, 262_000);
  assertEquals(sender.acknowledge(arrived.sack(), now), "taken");
  for (let i = 0; i < 10 && sender.nextWake !== undefined; i++) assertEquals(sender.take(now += 1000), []);
  assertEquals(sender.nextWake, undefined);
  sender.supply(262_000, new Uint8Array(262_000));
  assertEquals(sender.take(now)[0].at, 262_000);
});

Deno.test("data sender: whatever is lost, and however slow the disk is, it never calls an honest receiver false", () => {
  const schedule = fc.record({
    ...{ seed: fc.nat(), size: fc.integer({ min: 1, max: 800_000 }), from: fc.integer({ min: 0, max: 99_999 }) },
    ...{ room: fc.constantFrom(1500, 20_000, ROOM), disk: fc.constantFrom(0, 50, 3000) },
    ...{ loss: fc.constantFrom(0.01, 0.1, 0.4), answered: fc.constantFrom(0.1, 0.5, 1) },
  });
  fc.assert(
    fc.property(schedule, ({ seed, size, from, room, disk, loss, answered }) => {
      from = Math.min(from, size);
      const random = seededRandom(seed), sender = started(size, from, room, random), arrived = new Arrived(size, from);
      const sacks = [arrived.sack(room)];
      let now = 0, readAt = Infinity;
      for (let step = 0; step < 1000 && !sender.isWhole; step++) {
        const { wanted } = sender;
        if (wanted && readAt === Infinity) readAt = now + disk * random();
        if (wanted && now >= readAt) {
          readAt = Infinity;
          sender.supply(wanted.at, new Uint8Array(random() < 0.3 ? 1 + wanted.length * random() : wanted.length));
        }
        for (const part of sender.take(now)) if (random() >= loss) arrived.add(part);
        if (random() < 0.02) sender.changeWay(now);
        if (random() < answered) {
          sacks.push(arrived.sack(room));
          const some = random() < 0.2 ? sacks[Math.floor(random() * sacks.length)] : sacks.at(-1)!;
          assertEquals(sender.acknowledge(some, now), "taken");
        }
        const wake = sender.nextWake ?? now;
        now += random() < 0.7 ? 3 * random() : wake > now ? wake - now : 100;
      }
    }),
    { numRuns: RUNS },
  );
});

Deno.test("data sender: who says that all has arrived, but not with which number, lies", () => {
  // no number at all, and only one that has arrived
  for (const isFirst of [false, true]) {
    const sender = started(100_000_000);
    let packets = 0, next = 0, first: DataPart | undefined, verdict = "taken";
    for (let now = 0; now < 5000 && verdict === "taken"; now++) {
      const { wanted } = sender;
      if (wanted) sender.supply(wanted.at, new Uint8Array(wanted.length));
      for (const { id, at, octets } of sender.take(now)) {
        packets++;
        first ??= { id, at, octets };
        next = Math.max(next, at + octets.length);
      }
      const ids = isFirst && first ? [{ from: first.id, to: first.id }] : [];
      verdict = sender.acknowledge({ next, room: ROOM, ids, delay: 0 }, now);
    }
    assertEquals(verdict, "false");
    assertLess(packets, 200);
  }
});

Deno.test("data sender: a slow way does not hold up the one that comes after it", () => {
  const sender = started(1_000_000);
  sender.supply(0, new Uint8Array(262_000));
  sender.limitRate(1);
  assertEquals(sender.take(0).length, 1);
  assertEquals(sender.take(10).length, 0, "one a quarter of an hour");
  sender.changeWay(100);
  sender.limitRate(undefined);
  let packets = 0;
  for (let now = 100; now < 120; now++) packets += sender.take(now).length;
  assertGreater(packets, 5);
  assert(sender.nextWake! < 2000);
});
