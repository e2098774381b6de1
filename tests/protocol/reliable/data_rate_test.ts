/** How fast a file passes, how long the queue is that it makes, and what it leaves to TCP, in virtual time. */
import { assert, assertGreater, assertLess } from "@std/assert";
import { seededRandom } from "../../../server/doors/network_emulator.ts";
import { DataTransfer } from "../../support/data_transfer.ts";
import { Clock, OVERHEAD, Path, type PathOptions } from "../../support/path.ts";
import { TcpFlow } from "../../support/tcp_flow.ts";

interface Network {
  mbit: number;
  /** Milliseconds of round trip without a queue, and of the queue. */
  roundTrip: number;
  queue: number;
  /** Of each way. */
  loss?: number;
  lateness?: number;
  hasTcp?: boolean;
  seconds?: number;
  options?: PathOptions;
}

/** Plays a transfer without an end; measures all but its first seconds. */
function play({ mbit, roundTrip, queue, loss = 0, lateness = 0, hasTcp, seconds = 8, options }: Network) {
  const clock = new Clock(), random = seededRandom(7), rate = 125 * mbit, delay = roundTrip / 2;
  const there = new Path(clock, random, { rate, queue: rate * queue, delay, loss, ...options });
  const back = new Path(clock, random, { delay, loss });
  const tcp = hasTcp ? new TcpFlow(clock, there, back) : undefined;
  const late = () => random() < 0.02 ? lateness * random() : 0;
  const transfer = new DataTransfer(clock, { size: 1e9, random, there, back, lateness: late, octetAt: () => 0 });
  const received = () => transfer.receiver.received * (1000 + OVERHEAD) / 1000;
  const begin = hasTcp ? 1000 * seconds / 3 : 10 * roundTrip + 1500;
  while (clock.step(begin));
  const before = { ours: received(), tcp: tcp?.delivered ?? 0, waits: there.waits.length };
  while (clock.step(1000 * seconds));
  const capacity = rate * (1000 * seconds - begin);
  const waits = there.waits.slice(before.waits).sort((a, b) => a - b);
  assert(!transfer.hasLied);
  return {
    ours: (received() - before.ours) / capacity,
    tcp: ((tcp?.delivered ?? 0) - before.tcp) / capacity,
    /** The wait in the queue that 95% have at most, in milliseconds. */
    wait: waits[Math.floor(0.95 * waits.length)],
  };
}

for (const [mbit, roundTrip] of [[2, 20], [20, 1], [20, 40], [100, 20], [20, 200]]) {
  for (const [loss, share] of [[0, 0.8], [0.01, 0.8], [0.1, 0.7]]) {
    if (loss > 0 && mbit !== 20) continue;
    const name = `data: at ${mbit} Mbit/s, ${roundTrip} ms and a loss of ${
      100 * loss
    }% it fills the way, not its queue`;
    Deno.test(name, () => {
      const { ours, wait } = play({ mbit, roundTrip, queue: 250, loss, seconds: mbit > 20 ? 4 : 8 });
      assertGreater(ours, share);
      // a quarter of the round trip, or some packets
      assertLess(wait, Math.max(20, roundTrip / 4, 12_000 / (125 * mbit)) * 1.2);
    });
  }
}

for (const queue of [24, 250]) {
  for (const roundTrip of [1, 20, 40]) {
    Deno.test(`data: a TCP flow beside it, with ${roundTrip} ms and a queue of ${queue} ms, keeps half of its share`, () => {
      const { ours, tcp } = play({ mbit: 10, roundTrip, queue, hasTcp: true, seconds: 30 });
      assertGreater(tcp, 0.25);
      assertGreater(ours, 0.1);
    });
  }
}

Deno.test("data: event loops that are late by up to 50 ms cost little of the rate, and overrun no short queue", () => {
  for (const lateness of [5, 50]) {
    assertGreater(play({ mbit: 20, roundTrip: 20, queue: 24, lateness }).ours, 0.6, `${lateness} ms`);
  }
});

Deno.test("data: into a socket that holds 200 datagrams, a tenth of a millisecond away, it sends what is taken from it", () => {
  const { ours } = play({ mbit: 200, roundTrip: 0.2, queue: 200 * 1.13 / 25, lateness: 5, seconds: 3 });
  assertGreater(ours, 0.7);
});

Deno.test("data: when a way is cut for some seconds, it goes on soon, and as fast as before", () => {
  const clock = new Clock(), random = seededRandom(7), rate = 2500;
  const there = new Path(clock, random, { rate, queue: 24 * rate, delay: 20 });
  const back = new Path(clock, random, { delay: 20 });
  const transfer = new DataTransfer(clock, { size: 1e9, random, there, back, octetAt: () => 0 });
  while (clock.step(3000));
  there.isCut = back.isCut = true;
  const { sent } = transfer.sender.statistics;
  while (clock.step(8000));
  assertLess(transfer.sender.statistics.sent - sent, 300, "it does not send into nowhere");
  there.isCut = back.isCut = false;
  while (clock.step(9500));
  const { received } = transfer.receiver;
  while (clock.step(11_500));
  assertGreater(transfer.receiver.received - received, 0.7 * 2000 * rate);
});

Deno.test("data: on another way it finds the rate of that, also if it is a tenth or ten times as much", () => {
  for (const [before, after] of [[2500, 250], [250, 2500]]) {
    const clock = new Clock(), random = seededRandom(7), back = new Path(clock, random, { delay: 20 });
    const there = (rate: number) => new Path(clock, random, { rate, queue: 24 * rate, delay: 20 });
    const transfer = new DataTransfer(clock, { size: 1e9, random, there: there(before), back, octetAt: () => 0 });
    while (clock.step(3000));
    transfer.there = there(after);
    transfer.sender.changeWay(clock.now);
    transfer.run();
    while (clock.step(4000));
    const { received } = transfer.receiver;
    while (clock.step(7000));
    assertGreater(transfer.receiver.received - received, 0.6 * 3000 * after, `from ${before} to ${after}`);
  }
});

Deno.test("data: it sends no more than the server says that it passes on", () => {
  const clock = new Clock(), random = seededRandom(7);
  const there = new Path(clock, random, { rate: 2500, queue: 60_000, delay: 20 });
  const back = new Path(clock, random, { delay: 20 });
  const transfer = new DataTransfer(clock, { size: 1e9, random, there, back, octetAt: () => 0 });
  transfer.sender.limitRate(500_000);
  while (clock.step(1000));
  const { sent } = transfer.sender.statistics;
  while (clock.step(5000));
  const packets = transfer.sender.statistics.sent - sent;
  assertLess(packets, 2020);
  assertGreater(packets, 1800);
});
