/** The room's events in order, each once, whatever the network does to them. */
import { assert, assertEquals, assertGreaterOrEqual, assertLess, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { EventFeed } from "../../../protocol/reliable/event_feed.ts";
import type { FeedItem } from "../../../protocol/reliable/feed_items.ts";
import { RoundTrip } from "../../../protocol/reliable/round_trip.ts";
import type { EventPacket } from "../../../protocol.ts";
import { EPOCH, incoming, type V1 } from "../../support/fake_session.ts";

type Fields = Partial<V1<"INCOMING">> & { isVouched?: boolean };

const OTHER = "00000000000000ee";

function textOf(event: EventPacket): string {
  return event.type === "INCOMING" ? event.text : event.type;
}

/** A feed that begins after `seq`, and what it has given: texts, and for missed events how many. */
function openFeed(seq = 0, random = 0.5) {
  const given: (string | number)[] = [];
  const give = (items: FeedItem[]) => {
    for (const item of items) {
      if ("unchecked" in item) given.push(`unchecked: ${item.unchecked.length}`);
      else if ("missed" in item) given.push(item.missed);
      else if ("forged" in item) given.push(`forged: ${item.forged.map(textOf)}`);
      else given.push(textOf(item.event));
    }
  };
  const feed = new EventFeed({ roundTrip: new RoundTrip(), random: () => random });
  const begin = (epoch: string, seq: number, now = 0) => give(feed.begin(epoch, seq, now));
  begin(EPOCH, seq);
  const take = (seq: number, now = 0, { isVouched = false, ...fields }: Fields = {}) => {
    give(feed.take({ epoch: fields.epoch ?? EPOCH, seq, event: incoming(seq, fields), isVouched }, now));
  };
  const latest = (seq: number, isVouched = true, epoch = EPOCH) => feed.noteLatest({ epoch, seq, isVouched }, 0);
  const confirm = (seq: number, askedAt: number, now = askedAt) =>
    give(feed.confirmLatest({ epoch: EPOCH, seq }, askedAt, now));
  const gone = (from: number, to: number, epoch = EPOCH) => give(feed.markGone(epoch, { from, to }, 0));
  /** Wakes the feed until `end`; returns its requests, each as a time and the ranges. */
  const pass = (end: number) => {
    const asked: [number, ...[number, number][]][] = [];
    for (let at; (at = feed.nextWake) !== undefined && at <= end;) {
      const { items, requests } = feed.wake(at);
      give(items);
      const ranges = requests.map(({ from, to }): [number, number] => [from, to]);
      if (ranges.length > 0) asked.push([at, ...ranges]);
    }
    return asked;
  };
  return { feed, given, give, begin, take, latest, confirm, gone, pass };
}

Deno.test("event feed: in whatever order and however often events come, each is given once and in order", () => {
  const arrivals = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 200 });
  fc.assert(fc.property(arrivals, (seqs) => {
    const { feed, given, take } = openFeed();
    for (const seq of seqs) take(seq);
    for (let seq = 1; seq <= 30; seq++) take(seq);
    assertEquals(given, Array.from({ length: 30 }, (_, i) => `${i + 1}`));
    assertEquals([feed.received, feed.duplicates, feed.backlog, feed.nextWake], [30, seqs.length, 0, undefined]);
  }));
});

Deno.test("event feed: asks for a gap after a short random pause, and again at growing intervals", () => {
  const { take, pass } = openFeed(0, 1);
  take(3, 1000);
  const asked = pass(10_000);
  assertLessOrEqual(asked[0][0], 1030);
  assertEquals(asked[0].slice(1), [[1, 2]]);
  // who never gets anything asks for less and less
  for (const [, ...ranges] of asked) assertEquals(ranges[0][0], 1);
  const pauses = asked.slice(1).map(([at], i) => at - asked[i][0]);
  assertGreaterOrEqual(pauses[0], 100);
  for (let i = 1; i < pauses.length; i++) assertGreaterOrEqual(pauses[i], pauses[i - 1]);
  assertGreaterOrEqual(asked.length, 8, "it does not give up");
  assertLess(asked.length, 30);
});

Deno.test("event feed: the first pause is random, so that thirty clients do not ask at once", () => {
  const first = (random: number) => {
    const { feed, take } = openFeed(0, random);
    take(2, 1000);
    return feed.nextWake!;
  };
  assertEquals([first(0), first(0.5), first(1)], [1000, 1015, 1030]);
});

Deno.test("event feed: an event that is only late is not asked for", () => {
  const { take, pass, feed } = openFeed();
  take(2, 0);
  take(1, 10);
  assertEquals([pass(10_000), feed.repaired], [[], 0]);
});

Deno.test("event feed: asks for several gaps at once, each as a range", () => {
  const { take, pass } = openFeed();
  for (const seq of [3, 4, 6, 10]) take(seq);
  assertEquals(pass(30), [[15, [1, 2], [5, 5], [7, 9]]]);
  take(1, 20);
  take(2, 20);
  take(5, 20);
  const [[, ...ranges]] = pass(1000);
  assertEquals(ranges, [[7, 9]]);
});

Deno.test("event feed: asks for the events up to the latest seq that it is told of", () => {
  const { feed, latest, pass } = openFeed(5);
  latest(5);
  assertEquals(feed.nextWake, undefined);
  latest(8, false);
  latest(7);
  latest(100, true, OTHER);
  assertEquals([feed.backlog, pass(20)], [3, [[15, [6, 8]]]]);
});

Deno.test("event feed: events of another epoch are ignored", () => {
  const { feed, given, take, gone } = openFeed();
  take(1, 0, { epoch: OTHER });
  gone(1, 5, OTHER);
  feed.confirmLatest({ epoch: OTHER, seq: 7 }, 0, 0);
  assertEquals([given, feed.next, feed.backlog], [[], 1, 0]);
});

Deno.test("event feed: gone events are counted and told in their place, events that are here are given", () => {
  const { feed, given, take, latest, gone } = openFeed();
  take(3);
  take(7);
  latest(9);
  gone(1, 5);
  assertEquals(given, [2, "3", 2]);
  take(6);
  assertEquals(given, [2, "3", 2, "6", "7"]);
  assertEquals([feed.lost, feed.next, feed.backlog], [4, 8, 2]);
});

Deno.test("event feed: a GONE that does not cover the next seq, or goes beyond the latest, is ignored", () => {
  const { feed, given, take, gone } = openFeed(5);
  take(8);
  for (const [from, to] of [[1, 4], [1, 5], [7, 8], [6, 100]]) gone(from, to);
  assertEquals([given, feed.next, feed.lost], [[], 6, 0]);
});

Deno.test("event feed: an event that is not to be shown fills its place", () => {
  const { feed, given, give, take } = openFeed();
  take(2);
  give(feed.take({ epoch: EPOCH, seq: 1, event: undefined, isVouched: true }, 0));
  assertEquals([given, feed.next], [["2"], 3]);
});

Deno.test("event feed: it holds a bounded number of early events, and asks for later ones in their turn", () => {
  const { feed, given, take, latest, pass } = openFeed();
  latest(5000);
  for (let seq = 2; seq <= 5000; seq++) take(seq);
  take(1);
  assertEquals(given.length, 2048);
  assertEquals(feed.backlog, 5000 - 2048);
  const [[, [from]]] = pass(1000);
  assertEquals(from, 2049);
});

Deno.test("event feed: asks for at most eight ranges at once", () => {
  const { take, pass } = openFeed();
  for (let seq = 2; seq <= 200; seq += 2) take(seq);
  const [[, ...ranges]] = pass(20);
  assertEquals(ranges.length, 8);
});

Deno.test("event feed: an epoch that ends gives what is here and tells what was missing", () => {
  const { feed, given, take, begin } = openFeed();
  take(3);
  take(5, 0, { isVouched: true });
  begin(OTHER, 40);
  assertEquals(given.filter((value) => typeof value === "string"), ["3", "5"]);
  assertEquals(feed.lost, 3);
  assertEquals(given.filter((value) => typeof value === "number").reduce((sum, missed) => sum + missed, 0), 3);
  assertEquals([feed.next, feed.backlog, feed.nextWake, feed.epoch], [41, 0, undefined, OTHER]);
});

Deno.test("event feed: what was asked for in one epoch is not counted as repaired in the next", () => {
  const { feed, take, begin, pass } = openFeed();
  take(4);
  assertEquals(pass(20), [[15, [1, 3]]]);
  begin(OTHER, 0);
  for (let seq = 1; seq <= 3; seq++) take(seq, 30, { epoch: OTHER });
  assertEquals(feed.repaired, 0);
});

Deno.test("event feed: a message that was given is not given again under another seq or in another epoch", () => {
  const stream = "00000000000000cc";
  const { feed, given, take, begin } = openFeed();
  take(1, 0, { stream, id: 7, text: "seven" });
  take(2, 0, { stream, id: 7, text: "seven" });
  begin(OTHER, 0);
  take(1, 0, { epoch: OTHER, stream, id: 7, text: "seven" });
  take(2, 0, { epoch: OTHER, stream, id: 8, text: "eight" });
  assertEquals([given, feed.duplicates], [["seven", "eight"], 2]);
  feed.noteDuplicate();
  assertEquals(feed.duplicates, 3);
});

Deno.test("event feed: a message is known by its stream and id, wherever its sender is by then", () => {
  const stream = "00000000000000cc";
  const { given, take, begin } = openFeed();
  take(1, 0, { stream, id: 1, text: "once" });
  begin(OTHER, 0);
  take(1, 0, { epoch: OTHER, stream, id: 1, from: "10.0.0.9:9", text: "once" });
  take(2, 0, { epoch: OTHER, stream, id: 2, from: "10.0.0.9:9", text: "and then" });
  assertEquals(given, ["once", "and then"]);
});

Deno.test("event feed: a GONE up to the highest possible seq is counted at once", () => {
  const { feed, given, take, latest, gone } = openFeed();
  const last = Number.MAX_SAFE_INTEGER;
  take(3);
  latest(last);
  gone(1, last);
  assertEquals(given, [2, "3", last - 3]);
  assertEquals([feed.lost, feed.backlog, feed.nextWake], [last - 1, 0, undefined]);
});

Deno.test("event feed: a message that was missing when the epoch ended is given when its sender says it again", () => {
  const stream = "00000000000000cc";
  const { given, take, begin } = openFeed();
  take(1, 0, { stream, id: 1, text: "one" });
  take(3, 0, { stream, id: 3, text: "three" }); // two is on its way, or lost
  begin(OTHER, 0);
  for (const [seq, text] of [[1, "two"], [2, "three"]] as const) {
    take(seq, 0, { epoch: OTHER, stream, id: seq + 1, text });
  }
  const texts = given.filter((value) => typeof value === "string");
  assertEquals(texts, ["one", "two", "three"], "each exactly once, in the order of its sender");
});

Deno.test("event feed: a message that is missing before the first given one of its stream is given later", () => {
  const stream = "00000000000000cc";
  const { given, take, begin } = openFeed();
  take(2, 0, { stream, id: 4, text: "four" }); // three is on its way, or lost
  begin(OTHER, 0);
  for (const [seq, text] of [[1, "three"], [2, "four"]] as const) {
    take(seq, 0, { epoch: OTHER, stream, id: seq + 2, text });
  }
  assertEquals(given.filter((value) => typeof value === "string"), ["three", "four"]);
});

Deno.test("event feed: the streams that it remembers are bounded, the latest are kept", () => {
  const { given, take, latest } = openFeed();
  latest(5002);
  const stream = (n: number) => n.toString(16).padStart(16, "0");
  for (let n = 1; n <= 5000; n++) take(n, 0, { stream: stream(n), id: 1 });
  take(5001, 0, { stream: stream(5000), id: 1, text: "again" });
  assertEquals(given.length, 5000);
  assert(!given.includes("again"));
  take(5002, 0, { stream: stream(1), id: 1, text: "forgotten" });
  assertEquals(given.at(-1), "forgotten");
});

Deno.test("event feed: what is held back for its sender is shown after 10 s, and nextWake says so", () => {
  const stream = "00000000000000cc";
  const { feed, given, take, begin, pass } = openFeed();
  take(1, 0, { stream, id: 1, text: "one" });
  take(3, 0, { stream, id: 3, text: "three", isVouched: true });
  begin(OTHER, 0, 5000);
  assertEquals([given, feed.nextWake, feed.heldCount], [["one", 1], 15_000, 1]);
  pass(14_999);
  assertEquals(given, ["one", 1]);
  pass(15_000);
  assertEquals([given, feed.nextWake, feed.received, feed.heldCount], [["one", 1, "three"], undefined, 2, 0]);
  take(1, 16_000, { epoch: OTHER, stream, id: 2, text: "two" });
  assertEquals(given.at(-1), "two", "late, but not lost");
});

Deno.test("event feed: what is held back is shown in time although the next request is due later", () => {
  const stream = "00000000000000cc";
  const { feed, take, begin } = openFeed();
  take(1, 0, { stream, id: 1 });
  take(3, 0, { stream, id: 3, isVouched: true });
  begin(OTHER, 0, 5000);
  take(2, 14_990, { epoch: OTHER });
  assertEquals(feed.nextWake, 15_000);
});
