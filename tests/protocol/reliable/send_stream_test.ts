/** Messages to one destination: numbered, repeated, settled. */
import { assert, assertEquals, assertGreater, assertLessOrEqual, assertMatch, assertNotEquals } from "@std/assert";
import { RoundTrip } from "../../../protocol/reliable/round_trip.ts";
import { SendStream } from "../../../protocol/reliable/send_stream.ts";

/** A stream, and a way to wake it whenever it is due. */
function openStream() {
  const roundTrip = new RoundTrip();
  const stream = new SendStream(roundTrip);
  const times = (from: number, to: number): number[] => {
    const at: number[] = [];
    for (let next; (next = stream.nextWake) !== undefined && next <= to;) {
      for (const _ of stream.wake(Math.max(from, next))) at.push(next);
    }
    return at;
  };
  return { stream, times, roundTrip };
}

Deno.test("send stream: keeps what it gets until the destination is there, then sends it in order", () => {
  const { stream } = openStream();
  for (const text of ["a", "b"]) stream.add({ text }, 0);
  assertEquals([stream.wake(0), stream.nextWake, stream.isOpen, stream.size], [[], undefined, false, 2]);
  stream.open(5);
  assertEquals(stream.nextWake, 5);
  assertEquals(stream.wake(5).map(({ id, first, text }) => [id, first, text]), [[1, undefined, "a"], [2, 1, "b"]]);
  stream.add({ text: "c", action: true }, 6);
  assertEquals(stream.nextWake, 6);
  assertEquals(stream.wake(6).map(({ id, action }) => [id, action]), [[3, true]]);
});

Deno.test("send stream: each stream has a name of its own, 64 random bits", () => {
  const [a, b] = [openStream().stream.name, openStream().stream.name];
  assertMatch(a, /^[0-9a-f]{16}$/);
  assertNotEquals(a, b);
});

Deno.test("send stream: repeats at growing intervals, with the same id, and counts the repeats", () => {
  const { stream, times } = openStream();
  stream.open(0);
  stream.add({ text: "a" }, 0);
  stream.wake(0);
  const at = times(0, 10_000);
  const pauses = at.map((time, i) => time - (at[i - 1] ?? 0));
  for (let i = 1; i < pauses.length; i++) assert(pauses[i] >= pauses[i - 1]);
  assertGreater(at.length, 5, "a second apart at most");
  assertEquals(stream.repeated, at.length);
});

Deno.test("send stream: an acknowledgement settles all before it, and lets the next ones go", () => {
  const { stream } = openStream();
  stream.open(0);
  for (let i = 1; i <= 40; i++) stream.add({ text: `${i}` }, 0);
  assertEquals(stream.wake(0).length, 32);
  assertEquals(stream.acknowledge(stream.name, 3, 10).map(({ text }) => text), ["1", "2", "3"]);
  assertEquals(stream.wake(10).map(({ id, first }) => [id, first]), [[33, 4], [34, 4], [35, 4]]);
  assertEquals([stream.size, stream.progressAt], [37, 10]);
});

Deno.test("send stream: acknowledgements of other streams, of settled ids and of unsent ids are ignored", () => {
  const { stream } = openStream();
  stream.open(0);
  for (const text of ["a", "b"]) stream.add({ text }, 0);
  stream.wake(0);
  stream.acknowledge(stream.name, 1, 1);
  stream.add({ text: "c" }, 1);
  const { name } = stream;
  for (const [of, id] of [["0000000000000000", 2], [undefined, 2], [name, 1], [name, 3], [name, 4]] as const) {
    assertEquals(stream.acknowledge(of, id, 2), []);
  }
  assertEquals(stream.size, 2);
});

Deno.test("send stream: when it is opened again, it sends all waiting messages again, and no settled one", () => {
  const { stream } = openStream();
  stream.open(0);
  for (const text of ["a", "b", "c"]) stream.add({ text }, 0);
  stream.wake(0);
  stream.acknowledge(stream.name, 1, 1);
  stream.close();
  assertEquals([stream.wake(10_000), stream.nextWake], [[], undefined]);
  stream.open(20_000);
  assertEquals(stream.wake(20_000).map(({ id, first }) => [id, first]), [[2, undefined], [3, 2]]);
});

Deno.test("send stream: measures the round trip only of messages that were sent once", () => {
  const { stream, roundTrip } = openStream();
  stream.open(0);
  stream.add({ text: "a" }, 0);
  stream.wake(0);
  stream.wake(stream.nextWake!);
  stream.acknowledge(stream.name, 1, 10_000);
  assertEquals(roundTrip.smoothed, undefined, "nobody knows which copy was answered");
  stream.add({ text: "b" }, 10_000);
  stream.wake(10_000);
  stream.acknowledge(stream.name, 2, 10_040);
  assertEquals(roundTrip.smoothed, 40);
});

Deno.test("send stream: what had to wait for another message says nothing of the round trip", () => {
  const { stream, roundTrip } = openStream();
  stream.open(0);
  for (const text of ["a", "b"]) stream.add({ text }, 0);
  stream.wake(0);
  stream.settle(1, 10);
  // a server that paces its members takes this one later
  stream.settle(2, 60);
  assertEquals(roundTrip.smoothed, 10);
});

Deno.test("send stream: is stuck when the destination has taken nothing for 1.5 s", () => {
  const { stream } = openStream();
  stream.open(0);
  assertEquals(stream.isStuck(9000), false);
  for (const text of ["a", "b"]) stream.add({ text }, 9000);
  stream.wake(9000);
  assertEquals([stream.isStuck(10_499), stream.isStuck(10_500)], [false, true]);
  stream.acknowledge(stream.name, 1, 10_500);
  assertEquals([stream.isStuck(11_999), stream.isStuck(12_000)], [false, true]);
  stream.open(13_000);
  assertEquals([stream.isStuck(14_499), stream.isStuck(14_500)], [false, true]);
  stream.close();
  assertEquals(stream.isStuck(14_500), false);
});

Deno.test("send stream: while a slow destination goes on, what is not next is repeated less and less", () => {
  const { stream } = openStream();
  stream.open(0);
  for (let id = 1; id <= 30; id++) stream.add({ text: `${id}` }, 0);
  const sentAt: number[] = [];
  // it takes one message a second
  for (let now = 0; now <= 12_000; now += 10) {
    if (now > 0 && now % 1000 === 0) stream.settle(now / 1000, now);
    for (const { id } of stream.wake(now)) if (id === 30) sentAt.push(now);
  }
  const pauses = sentAt.slice(1).map((at, i) => at - sentAt[i]);
  assertLessOrEqual(Math.max(...pauses.slice(0, 4)), 500);
  assertGreater(pauses.at(-1)!, 2000);
  assertLessOrEqual(sentAt.length, 20);
  // when its turn comes next, it need not wait for so long
  for (let id = 13; id <= 29; id++) stream.settle(id, 12_010);
  assertLessOrEqual(stream.nextWake!, 12_510);
});

Deno.test("send stream: while nothing gets through, all is repeated as often as the oldest", () => {
  const { stream } = openStream();
  stream.open(0);
  for (const text of ["a", "b"]) stream.add({ text }, 0);
  const sentAt: Record<number, number[]> = { 1: [], 2: [] };
  for (let now = 0; now <= 10_000; now += 10) for (const { id } of stream.wake(now)) sentAt[id].push(now);
  assertEquals(sentAt[2], sentAt[1]);
});

Deno.test("send stream: clear gives up all waiting messages, and the ids continue after them", () => {
  const { stream } = openStream();
  for (const text of ["a", "b"]) stream.add({ text }, 0);
  const unsent = { wasSent: false };
  assertEquals(stream.clear(), [{ text: "a", ...unsent }, { text: "b", ...unsent }]);
  assertEquals(stream.size, 0);
  stream.open(0);
  stream.add({ text: "c" }, 0);
  assertEquals(stream.wake(0).map(({ id, first }) => [id, first]), [[3, undefined]]);
});

Deno.test("send stream: what is given up tells whether a copy was ever sent, also under an earlier name", () => {
  const { stream } = openStream();
  stream.open(0);
  stream.add({ text: "a", action: true }, 0);
  stream.wake(0);
  stream.add({ text: "b" }, 0);
  stream.restart(10);
  assertEquals(stream.clear(), [{ text: "a", action: true, wasSent: true }, { text: "b", wasSent: false }]);
});

Deno.test("send stream: what is moved to another stream goes behind what waits there, with when it was said", () => {
  const { stream } = openStream();
  stream.add({ text: "c", action: true }, 20, 5);
  stream.add({ text: "d" }, 20);
  const other = openStream().stream;
  for (const text of ["a", "b"]) other.add({ text }, 0);
  stream.moveTo(other, 30);
  other.open(30);
  assertEquals(stream.size, 0);
  assertEquals(other.wake(30).map(({ id, text, action, saidAt }) => [id, text, action, saidAt]), [
    [1, "a", undefined, 0],
    [2, "b", undefined, 0],
    [3, "c", true, 5],
    [4, "d", undefined, 20],
  ]);
});

Deno.test("send stream: it knows what it has said, as it is or made safe to print", () => {
  const { stream } = openStream();
  stream.open(0);
  for (const text of ["a\tb", "c"]) stream.add({ text }, 0);
  stream.wake(0);
  const said = ([id, text]: [number, string]) => stream.hasSaid(id, text);
  const pairs: [number, string][] = [[1, "a b"], [1, "a\tb"], [2, "c"], [1, "forged"], [3, "c"]];
  assertEquals(pairs.map(said), [true, true, true, false, false]);
  stream.acknowledge(stream.name, 1, 5);
  assertEquals([said([1, "settled long ago"]), said([2, "forged"])], [true, false]);
});

Deno.test("send stream: restarted, it has another name, and the waiting messages are numbered from 1 and sent", () => {
  const { stream, times } = openStream();
  const { name } = stream;
  stream.open(0);
  for (const text of ["a", "b", "c"]) stream.add({ text }, 0);
  stream.wake(0);
  stream.acknowledge(name, 1, 5);
  stream.restart(10);
  assertNotEquals(stream.name, name);
  assertEquals(stream.nextWake, 10);
  const sent = stream.wake(10);
  assertEquals(sent.map(({ stream: of, id, first, text }) => [of === stream.name, id, first, text]), [
    [true, 1, undefined, "b"],
    [true, 2, 1, "c"],
  ]);
  assertEquals(stream.acknowledge(name, 3, 20), [], "the old name settles nothing");
  stream.add({ text: "d" }, 20);
  assertEquals(stream.wake(20).map(({ id }) => id), [3]);
  assertEquals(stream.acknowledge(stream.name, 3, 30).length, 3);
  assertEquals(times(30, 9999), []);
});

Deno.test("send stream: restarted again and again, it sends once a second", () => {
  const { stream } = openStream();
  stream.open(0);
  stream.add({ text: "a" }, 0);
  let sent = 0;
  for (let now = 0; now < 10_000; now++) {
    const count = stream.wake(now).length;
    sent += count;
    if (count > 0) stream.restart(now);
  }
  assertEquals(sent, 11, "at once, and then after each second");
});

Deno.test("send stream: an answer to one message alone settles it and no other, whatever its place", () => {
  const { stream, roundTrip } = openStream();
  stream.open(0);
  for (const text of ["a", "b", "c"]) stream.add({ text }, 0);
  stream.wake(0);
  assertEquals([stream.settle(3, 10), stream.settle(3, 20), stream.settle(7, 20)], [
    { id: 3, text: "c" },
    undefined,
    undefined,
  ]);
  assertEquals([stream.size, stream.progressAt, roundTrip.smoothed], [2, 10, undefined]);
  assertEquals(stream.wake(5000).map(({ text }) => text), ["a", "b"]);
  assertEquals([stream.settle(1, 5010), stream.size], [{ id: 1, text: "a" }, 1]);
  assertEquals([stream.acknowledge(stream.name, 3, 5020), stream.nextWake], [[{ id: 2, text: "b" }], undefined]);
});

Deno.test("send stream: first tells which message is the oldest, also when one behind it is settled before", () => {
  const { stream } = openStream();
  stream.open(0);
  for (const text of ["a", "b", "c", "d"]) stream.add({ text }, 0);
  stream.wake(0);
  stream.settle(2, 10);
  assertEquals(stream.wake(2000).map(({ id, first }) => [id, first]), [[1, undefined], [3, 1], [4, 1]]);
  stream.settle(1, 2010);
  assertEquals(stream.wake(4000).map(({ id, first }) => [id, first]), [[3, undefined], [4, 3]], "nobody waits for 2");
  assertEquals(stream.acknowledge(stream.name, 2, 4010), [], "what is settled already settles nothing before it");
});

Deno.test("send stream: the window reaches from the oldest message, however many behind it are settled", () => {
  const { stream } = openStream();
  stream.open(0);
  for (let id = 1; id <= 100; id++) stream.add({ text: `${id}` }, 0);
  stream.wake(0);
  for (let id = 2; id <= 32; id++) stream.settle(id, 10);
  assertEquals([stream.wake(10), stream.nextWake! > 10], [[], true], "a receiver would hold back no later one");
  stream.settle(1, 20);
  assertEquals(stream.wake(20).map(({ id }) => id), Array.from({ length: 32 }, (_, i) => 33 + i));
});

Deno.test("send stream: an answer to what was not sent yet is forged, and settles nothing", () => {
  const { stream } = openStream();
  stream.open(0);
  for (let n = 1; n <= 40; n++) stream.add({ text: `${n}` }, 0);
  stream.wake(0);
  for (const id of [40, 33]) assertEquals(stream.settle(id, 10), undefined);
  stream.acknowledge(stream.name, 32, 20);
  assertEquals(stream.wake(20).map(({ id }) => id), [33, 34, 35, 36, 37, 38, 39, 40]);
});

Deno.test("send stream: what is settled is not sent again, to a destination that has forgotten it or in a new stream", () => {
  const { stream } = openStream();
  stream.open(0);
  for (const text of ["a", "b", "c"]) stream.add({ text }, 0);
  stream.wake(0);
  stream.settle(2, 10);
  stream.open(20);
  assertEquals(stream.wake(20).map(({ id, text }) => [id, text]), [[1, "a"], [3, "c"]]);
  stream.restart(40);
  assertEquals(stream.wake(5000).map(({ id, text }) => [id, text]), [[1, "a"], [2, "c"]]);
});

Deno.test("send stream: a message that was sent before a second opening measures nothing, and counts as repeated", () => {
  const { stream, roundTrip } = openStream();
  stream.open(0);
  stream.add({ text: "a" }, 0);
  stream.wake(0);
  stream.open(10);
  stream.wake(10);
  stream.acknowledge(stream.name, 1, 20);
  assertEquals([roundTrip.smoothed, stream.repeated], [undefined, 1]);
});

Deno.test("send stream: an ACK of what is settled already measures nothing, though it settles what was before", () => {
  const { stream, roundTrip } = openStream();
  stream.open(0);
  for (const text of ["a", "b"]) stream.add({ text }, 0);
  stream.wake(0);
  stream.settle(2, 5);
  assertEquals(stream.acknowledge(stream.name, 2, 400), [{ id: 1, text: "a" }]);
  assertEquals(roundTrip.smoothed, undefined);
});

Deno.test("send stream: each copy of a message has the time at which it was said, also under another name", () => {
  const { stream } = openStream();
  stream.open(0);
  stream.add({ text: "a" }, 1000);
  const times = (now: number) => stream.wake(now).map(({ saidAt }) => saidAt);
  assertEquals([times(1000), times(2000)], [[1000], [1000]]);
  // one that had to wait before it could be added, and one that was under way to somebody else
  stream.add({ text: "b" }, 3000, 2500);
  assertEquals(times(3000), [1000, 2500]);
  stream.restart(4000);
  assertEquals(times(4000), [1000, 2500]);
});

Deno.test("send stream: what was never sent can be taken back, and its ids are those of what is said then", () => {
  const { stream } = openStream();
  stream.open(0);
  stream.add({ text: "a" }, 0);
  stream.wake(0);
  for (const text of ["b", "c"]) stream.add({ text }, 1);
  assertEquals([stream.withdraw(), stream.withdraw(), stream.size], [2, 0, 1]);
  stream.add({ text: "d" }, 2);
  assertEquals(stream.wake(2).map(({ id, text }) => `${id} ${text}`), ["2 d"]);
});
