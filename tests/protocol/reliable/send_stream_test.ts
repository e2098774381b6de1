/** Messages to one destination: numbered, repeated, settled. */
import { assert, assertEquals, assertGreater, assertMatch, assertNotEquals } from "@std/assert";
import { type Outgoing, SendStream } from "../../../protocol/reliable/send_stream.ts";
import { RoundTrip } from "../../../protocol/reliable/round_trip.ts";

/** An outbox, what it has sent, and a way to wake it whenever it wants it. */
function outbox() {
  const sent: Outgoing[] = [];
  const roundTrip = new RoundTrip();
  const box = new SendStream(roundTrip, (message) => sent.push(message));
  const take = () => sent.splice(0);
  const times = (from: number, to: number): number[] => {
    const at: number[] = [];
    for (let next; (next = box.nextWake) !== undefined && next <= to;) {
      box.wake(Math.max(from, next));
      for (const _ of take()) at.push(next);
    }
    return at;
  };
  return { box, take, times, roundTrip };
}

Deno.test("outbox: keeps what it gets until the destination is there, then sends it in order", () => {
  const { box, take } = outbox();
  for (const text of ["a", "b"]) box.add({ text }, 0);
  assertEquals([take(), box.nextWake, box.isOpen, box.size], [[], undefined, false, 2]);
  box.open(5);
  assertEquals(take().map(({ id, first, text }) => [id, first, text]), [[1, 1, "a"], [2, 1, "b"]]);
  box.add({ text: "c", action: true }, 6);
  assertEquals(take().map(({ id, action }) => [id, action]), [[3, true]]);
});

Deno.test("outbox: each has a stream of its own, 64 random bits", () => {
  const [a, b] = [outbox().box.stream, outbox().box.stream];
  assertMatch(a, /^[0-9a-f]{16}$/);
  assertNotEquals(a, b);
});

Deno.test("outbox: repeats at growing intervals, with the same id, and counts the repeats", () => {
  const { box, take, times } = outbox();
  box.open(0);
  box.add({ text: "a" }, 0);
  take();
  const at = times(0, 10_000);
  const pauses = at.map((time, i) => time - (at[i - 1] ?? 0));
  for (let i = 1; i < pauses.length; i++) assert(pauses[i] >= pauses[i - 1]);
  assertGreater(at.length, 5, "a second apart at most");
  assertEquals(box.repeated, at.length);
});

Deno.test("outbox: an acknowledgement settles all before it, and lets the next ones go", () => {
  const { box, take } = outbox();
  box.open(0);
  for (let i = 1; i <= 40; i++) box.add({ text: `${i}` }, 0);
  assertEquals(take().length, 32);
  assertEquals(box.acknowledge(box.stream, 3, 10).map(({ text }) => text), ["1", "2", "3"]);
  assertEquals(take().map(({ id, first }) => [id, first]), [[33, 4], [34, 4], [35, 4]]);
  assertEquals([box.size, box.progressAt], [37, 10]);
});

Deno.test("outbox: acknowledgements of other streams, of the settled and of the unsent count for nothing", () => {
  const { box } = outbox();
  box.open(0);
  for (const text of ["a", "b"]) box.add({ text }, 0);
  box.acknowledge(box.stream, 1, 1);
  for (const [stream, id] of [["0000000000000000", 2], [undefined, 2], [box.stream, 1], [box.stream, 3]] as const) {
    assertEquals(box.acknowledge(stream, id, 2), []);
  }
  assertEquals(box.size, 1);
});

Deno.test("outbox: when the destination is back, all that waits goes out anew, and nothing that is settled", () => {
  const { box, take } = outbox();
  box.open(0);
  for (const text of ["a", "b", "c"]) box.add({ text }, 0);
  box.acknowledge(box.stream, 1, 1);
  box.close();
  take();
  box.wake(10_000);
  assertEquals([take(), box.nextWake], [[], undefined]);
  box.open(20_000);
  assertEquals(take().map(({ id, first }) => [id, first]), [[2, 2], [3, 2]]);
});

Deno.test("outbox: a message that is held waits, and each one behind it for as long again", () => {
  const { box, take } = outbox();
  box.open(0);
  for (const text of ["a", "b", "c"]) box.add({ text }, 0);
  take();
  box.hold(2, 5000, 0);
  box.wake(4999);
  assertEquals(take().map(({ id }) => id), [1]);
  box.acknowledge(box.stream, 1, 4999);
  box.wake(4999);
  assertEquals([take(), box.nextWake], [[], 5000]);
  box.wake(5000);
  assertEquals(take().map(({ id }) => id), [2]);
  box.acknowledge(box.stream, 2, 5001);
  assertEquals(box.nextWake, 10_000);
});

Deno.test("outbox: measures round trips of what was sent once only", () => {
  const { box, roundTrip } = outbox();
  box.open(0);
  box.add({ text: "a" }, 0);
  box.wake(box.nextWake!);
  box.acknowledge(box.stream, 1, 10_000);
  assertEquals(roundTrip.smoothed, undefined, "nobody knows which copy was answered");
  box.add({ text: "b" }, 10_000);
  box.acknowledge(box.stream, 2, 10_040);
  assertEquals(roundTrip.smoothed, 40);
});

Deno.test("outbox: is stuck when the oldest was sent four times in vain", () => {
  const { box } = outbox();
  box.open(0);
  assertEquals(box.stuck, false);
  box.add({ text: "a" }, 0);
  for (let repeats = 0; repeats < 3; repeats++) {
    assertEquals(box.stuck, false);
    box.wake(box.nextWake!);
  }
  assertEquals(box.stuck, true);
  box.close();
  assertEquals(box.stuck, false);
});

Deno.test("outbox: gives up all that waits, and counts on behind it", () => {
  const { box, take } = outbox();
  for (const text of ["a", "b"]) box.add({ text }, 0);
  assertEquals(box.clear(), [{ text: "a" }, { text: "b" }]);
  assertEquals(box.size, 0);
  box.open(0);
  box.add({ text: "c" }, 0);
  assertEquals(take().map(({ id, first }) => [id, first]), [[3, 3]]);
});
