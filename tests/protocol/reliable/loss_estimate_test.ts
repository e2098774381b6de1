/** Which share of what the server sends is lost, as a client can know it. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { copyCount } from "../../../protocol/reliable/copies.ts";
import { LossEstimate } from "../../../protocol/reliable/loss_estimate.ts";
import { RoundTrip } from "../../../protocol/reliable/round_trip.ts";
import { seededRandom } from "../../../server/doors/network_emulator.ts";

/** An estimate on a network with a round trip of 20 ms. */
function estimate() {
  const roundTrip = new RoundTrip();
  roundTrip.sample(20);
  const loss = new LossEstimate(roundTrip);
  loss.begin(0);
  return { loss, roundTrip };
}

/** Lets events come of which every so many-th first copy is lost, so that only a further copy or a repeat comes. */
function events(loss: LossEstimate, from: number, to: number, every = Infinity): void {
  for (let seq = from; seq <= to; seq++) loss.noteEvent(seq, seq % every !== 0, true);
}

Deno.test("loss estimate: nothing is lost until something is", () => {
  const { loss } = estimate();
  assertEquals([loss.share, loss.curable, loss.percent], [0, 0, undefined]);
  events(loss, 1, 500);
  for (let i = 0; i < 100; i++) loss.noteAnswer(0);
  assertEquals([loss.share, loss.curable, loss.percent], [0, 0, undefined]);
});

Deno.test("loss estimate: it finds the share of first copies that are lost, and forgets it when the network is good", () => {
  for (const share of [0.05, 0.1, 0.3, 0.5]) {
    const { loss } = estimate(), random = seededRandom(7);
    let sum = 0;
    for (let seq = 1; seq <= 4000; seq++) {
      loss.noteEvent(seq, random() >= share, true);
      if (seq > 1000) sum += loss.share / 3000;
    }
    assertLess(Math.abs(sum - share), 0.03);
    events(loss, 4001, 4250);
    assertEquals(loss.percent, undefined, `${loss.share}`);
  }
});

Deno.test("loss estimate: a loss among the first events counts, but not as if all were lost", () => {
  const { loss } = estimate();
  loss.noteEvent(1, false, true);
  assertEquals(loss.share, 1 / 4, "as if three had arrived before");
});

Deno.test("loss estimate: a first copy that comes after a further one was only late, and is no loss", () => {
  const { loss } = estimate();
  events(loss, 1, 100, 2);
  for (let seq = 101; seq <= 200; seq++) {
    loss.noteEvent(seq, false, true);
    const missed = loss.share;
    loss.noteEvent(seq, true, false);
    assertLess(loss.share, missed);
    // a second copy of it takes nothing back again
    const late = loss.share;
    for (const isFirstCopy of [true, false]) loss.noteEvent(seq, isFirstCopy, false);
    assertEquals(loss.share, late);
  }
  assertLess(loss.share, 0.05);
});

Deno.test("loss estimate: one that comes when its loss is nearly forgotten takes no more than there is", () => {
  const { loss } = estimate();
  events(loss, 1, 100);
  loss.noteEvent(101, false, true);
  events(loss, 102, 200);
  loss.noteEvent(101, true, false);
  assertEquals([loss.share, loss.percent], [0, undefined]);
});

Deno.test("loss estimate: the answer to a RESEND is a loss once, and further copies of what has come are none", () => {
  const { loss } = estimate();
  events(loss, 1, 100);
  for (const isFirstCopy of [false, true]) {
    for (let seq = 50; seq <= 100; seq++) loss.noteEvent(seq, isFirstCopy, false);
  }
  assertEquals(loss.share, 0);
  loss.noteEvent(101, false, true);
  const once = loss.share;
  assertGreater(once, 0);
  for (let i = 0; i < 5; i++) loss.noteEvent(101, false, false);
  assertEquals(loss.share, once);
});

Deno.test("loss estimate: what was said before this program was there is not counted, nor the history", () => {
  const { loss } = estimate();
  loss.begin(1000);
  // after a change of epoch all is asked for that was said since
  for (let seq = 1; seq <= 1000; seq++) loss.noteEvent(seq, false, true);
  // the history asks for what has its place already
  events(loss, 1001, 1300);
  for (let seq = 1001; seq <= 1300; seq++) loss.noteEvent(seq, false, false);
  assertEquals(loss.share, 0);
  loss.noteEvent(1301, false, true);
  assertGreater(loss.share, 0);
});

Deno.test("loss estimate: another line begins anew, but the network is the same", () => {
  const { loss } = estimate();
  events(loss, 1, 100, 4);
  const before = loss.share;
  assertGreater(before, 0.1);
  loss.begin(0);
  assertEquals(loss.share, before);
  events(loss, 1, 10, 1);
  assertGreater(loss.share, before, "the same numbers count again");
});

Deno.test("loss estimate: of a greeting without an answer half is lost on the way back", () => {
  for (const share of [0.1, 0.3]) {
    const { loss } = estimate(), random = seededRandom(3);
    let sum = 0, unanswered = 0;
    for (let i = 0; i < 6000; i++) {
      if (random() < share || random() < share) {
        unanswered++;
        continue;
      }
      loss.noteAnswer(unanswered);
      unanswered = 0;
      sum += loss.share;
    }
    // a greeting is lost if either way loses it
    assertLess(Math.abs(sum / (6000 * (1 - share) ** 2) - (1 - (1 - share) ** 2) / 2), 0.03);
  }
});

Deno.test("loss estimate: an outage is not much of a loss, however many greetings it took", () => {
  const after = [4, 10, 1000, 2 ** 40].map((unanswered) => {
    const { loss } = estimate();
    for (let i = 0; i < 100; i++) loss.noteAnswer(0);
    loss.noteAnswer(unanswered);
    return loss.share;
  });
  assertEquals(new Set(after).size, 1);
  assertLess(after[0], 0.1);
});

Deno.test("loss estimate: while datagrams wait in a queue no further copies are worth it, and none are asked for", () => {
  const { loss, roundTrip } = estimate();
  for (let i = 0; i < 10; i++) loss.noteAnswer(1);
  events(loss, 1, 100, 3);
  const { share } = loss;
  assertEquals([loss.curable, loss.percent], [share, Math.round(100 * share)]);
  for (let i = 0; i < 20; i++) roundTrip.sample(200);
  assertEquals([loss.share, loss.curable, loss.percent], [share, 0, undefined]);
  for (let i = 0; i < 30; i++) roundTrip.sample(20);
  assertEquals(loss.curable, share);
});

Deno.test("loss estimate: where a short queue is full for the many copies of an event, and not for single answers, none help", () => {
  const { loss } = estimate();
  for (let i = 0; i < 40; i++) loss.noteAnswer(0);
  events(loss, 1, 100, 2);
  assertGreater(loss.share, 0.3);
  assertEquals(copyCount(loss.curable), 0);
  assertEquals(loss.curable, 0.01);
  // a greeting in vain is half a loss on this way, one of 32, and the answer behind it none
  loss.noteAnswer(1);
  assertEquals(loss.curable, 0.01 + 2 * (1 / 2 / 32) * (31 / 32), "twice as much as the answers lose, and 1% more");
  for (let i = 0; i < 40; i++) loss.noteAnswer(1);
  assertGreater(loss.curable, 0.2);
});

Deno.test("loss estimate: what was missed while the program slept is not much of a loss", () => {
  const { loss } = estimate();
  events(loss, 1, 200);
  loss.noteMissing({ from: 201, to: 320 });
  for (let seq = 201; seq <= 320; seq++) loss.noteEvent(seq, false, true);
  assertGreater(loss.share, 0);
  assertLess(loss.share, 5 / 32);
});

Deno.test("loss estimate: what is missing when others behind it are here is lost, once, unless it was only late", () => {
  const { loss } = estimate();
  events(loss, 1, 20);
  loss.noteMissing({ from: 21, to: 22 });
  const missing = loss.share;
  assertGreater(missing, 0);
  loss.noteMissing({ from: 21, to: 22 });
  loss.noteEvent(21, false, true);
  assertEquals(loss.share, missing);
  for (const seq of [21, 22]) loss.noteEvent(seq, true, true);
  assertLess(loss.share, 0.01);
  // an outage, or a forged heartbeat, is not as many losses
  loss.noteMissing({ from: 1000, to: 2 ** 53 - 1 });
  assertLess(loss.share, 0.25);
  const other = estimate().loss;
  other.begin(50);
  other.noteMissing({ from: 1, to: 50 });
  assertEquals(other.share, 0);
});

Deno.test("loss estimate: only the last 128 events are remembered, so an older one that comes takes nothing back", () => {
  for (const [others, isRemembered] of [[127, true], [128, false]] as const) {
    const { loss } = estimate();
    for (let seq = 1; seq <= 1 + others; seq++) loss.noteEvent(seq, false, true);
    const before = loss.share;
    loss.noteEvent(1, true, false);
    assertEquals(loss.share < before, isRemembered, `${others} behind it`);
  }
  const { loss } = estimate();
  for (let seq = 1; seq < 2 ** 20; seq += 4) loss.noteMissing({ from: seq, to: seq + 3 });
  const before = loss.share;
  loss.noteEvent(2 ** 19, true, true);
  assertEquals(loss.share < before, true, "it is counted as one that is new");
});

Deno.test("loss estimate: whatever anybody forges, it is a share, and percent is what a greeting may have", () => {
  const random = seededRandom(11), roundTrip = new RoundTrip(), loss = new LossEstimate(roundTrip);
  for (let i = 0; i < 20_000; i++) {
    const seq = random() < 0.1 ? 2 ** 53 - 1 : Math.floor(300 * random());
    if (i % 5000 < 2500) loss.noteEvent(seq, random() < 0.5, random() < 0.5);
    else loss.noteEvent(i, false, true);
    if (random() < 0.1) loss.noteAnswer(Math.floor(20 * random()));
    assert(loss.share >= 0 && loss.share <= 1, `${loss.share}`);
    const { percent = 1 } = loss;
    assert(Number.isInteger(percent) && percent >= 1 && percent <= 100, `${percent}`);
  }
});
