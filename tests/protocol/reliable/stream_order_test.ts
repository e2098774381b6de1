/** The order of one sender's messages, when the server keeps its memory and when it does not. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type StreamMessage, StreamOrder } from "../../../protocol/reliable/stream_order.ts";
import { incoming } from "../../support/fake_session.ts";

const S = "00000000000000cc", T = "00000000000000dd";
const HOLD_MS = 10_000;

function message(id: number, stream = S): StreamMessage {
  return incoming(1, { stream, id, text: `${stream.slice(-1)}${id}` }) as StreamMessage;
}

function open() {
  const order = new StreamOrder();
  const texts = (shown: StreamMessage[]) => shown.map(({ text }) => text);
  return {
    order,
    take: (id: number, stream = S) => texts(order.take(message(id, stream))),
    early: (id: number, now = 0, stream = S) => texts(order.takeEarly(message(id, stream), false, now)),
    expired: (now: number) => texts(order.takeExpired(now)),
  };
}

Deno.test("stream order: each message is shown once, and a missed one when it comes after all", () => {
  const { order, take } = open();
  assertEquals([4, 5, 5, 8, 4, 7, 6, 7].map((id) => take(id)), [["c4"], ["c5"], [], ["c8"], [], ["c7"], ["c6"], []]);
  assertEquals([take(3), take(3), order.duplicates], [["c3"], [], 4]);
});

Deno.test("stream order: an id that is far ahead hides nothing that comes after it", () => {
  const { take } = open();
  for (const id of [1, Number.MAX_SAFE_INTEGER]) take(id);
  assertEquals([2, 3, 1000, Number.MAX_SAFE_INTEGER].map((id) => take(id).length), [1, 1, 1, 0]);
});

Deno.test("stream order: what is known of a stream is bounded; what is forgotten is shown again, not hidden", () => {
  const { take } = open();
  for (let id = 1; id <= 401; id += 2) take(id);
  assertEquals([take(401), take(277), take(1)], [[], [], ["c1"]]);
});

Deno.test("stream order: an early message whose predecessor was shown, or that is the first, is shown at once", () => {
  const { order, take, early } = open();
  take(4);
  assertEquals([early(5), early(6), early(1, 0, T), early(2, 0, T)], [["c5"], ["c6"], ["d1"], ["d2"]]);
  assertEquals(order.nextWake, undefined);
});

Deno.test("stream order: an early message waits for the one before it, which its sender repeats", () => {
  const { order, take, early } = open();
  take(1);
  assertEquals([early(3), early(4), early(6)], [[], [], []]);
  assertEquals([take(1), take(2)], [[], ["c2", "c3", "c4"]]);
  // and what was held comes again as well
  assertEquals([take(3), take(4), take(5), take(6)], [[], [], ["c5", "c6"], []]);
  assertEquals(order.nextWake, undefined);
});

Deno.test("stream order: what a sender does not repeat is settled, so what is held goes before its next message", () => {
  const { take, early, order } = open();
  assertEquals([early(7), early(5)], [[], []]);
  assertEquals(take(9), ["c5", "c7", "c9"]);
  assertEquals([take(6), order.nextWake], [["c6"], undefined], "better late than never");
});

Deno.test("stream order: a held message that comes again is shown once", () => {
  const { take, early } = open();
  early(5);
  early(5);
  assertEquals([take(5), take(5)], [["c5"], []]);
});

Deno.test("stream order: held messages are shown after 10 s, each stream by itself, in its order", () => {
  const { order, early, expired, take } = open();
  early(5, 100);
  early(3, 200);
  early(9, 300, T);
  assertEquals(order.nextWake, 100 + HOLD_MS);
  assertEquals(expired(order.nextWake! - 1), []);
  assertEquals(expired(order.nextWake!), ["c3", "c5"]);
  assertEquals(order.nextWake, 300 + HOLD_MS);
  assertEquals([expired(300 + HOLD_MS), order.nextWake], [["d9"], undefined]);
  assertEquals(take(4), ["c4"]);
});

Deno.test("stream order: what is held is bounded; the stream that has held longest gives way", () => {
  const { order, early } = open();
  const name = (n: number) => n.toString(16).padStart(16, "0");
  for (let n = 0; n < 2048; n++) assertEquals(early(5, n, name(n)), []);
  assertEquals(early(5, 9999, name(5000)).length, 1);
  assertEquals(order.nextWake, 1 + HOLD_MS);
});

Deno.test("stream order: a stream that is forgotten shows what it holds first", () => {
  const { early, take, order } = open();
  early(5);
  let shown: string[] = [];
  for (let n = 1; n <= 4096 && shown.length < 2; n++) shown = take(1, (n + 2 ** 20).toString(16).padStart(16, "0"));
  assertEquals([shown[0], order.nextWake], ["c5", undefined]);
});

Deno.test("stream order: one sender's messages keep their order, each once, while its repeats come in time", () => {
  // a sender says 1 to `count`; the old room's server took all, this client has got only some of them
  const scenario = fc.record({
    count: fc.integer({ min: 1, max: 20 }),
    got: fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
    /** How many events from the beginning came without a gap. */
    inOrder: fc.nat(20),
    /** The first id that is not settled when the server has forgotten everything. */
    settled: fc.nat(20),
    again: fc.boolean(),
  });
  fc.assert(fc.property(scenario, ({ count, got, inOrder, settled, again }) => {
    const order = new StreamOrder();
    const shown: number[] = [];
    const show = (messages: StreamMessage[]) => shown.push(...messages.map(({ id }) => id));
    for (let id = 1; id <= Math.min(inOrder, count); id++) show(order.take(message(id)));
    const early = Array.from({ length: count }, (_, i) => i + 1).filter((id) => id > inOrder + 1 && got[id - 1]);
    for (const id of early) show(order.takeEarly(message(id), false, 0));
    // the room may be forgotten once more while some are held
    if (again) { for (const id of early) if (id > settled) show(order.takeEarly(message(id), false, 1000)); }
    for (let id = settled + 1; id <= count + 1; id++) show(order.take(message(id)));
    show(order.takeExpired(HOLD_MS));
    assertEquals(shown, shown.toSorted((a, b) => a - b), "in order");
    assertEquals(new Set(shown).size, shown.length, "each once");
    for (const id of early) assert(shown.includes(id), `${id} was here`);
    for (let id = settled + 1; id <= count + 1; id++) assert(shown.includes(id), `${id} was repeated`);
  }));
});

/** A message with words of its own. */
function words(id: number, text: string, action?: boolean): StreamMessage {
  return incoming(1, { stream: S, id, text, action }) as StreamMessage;
}

Deno.test("stream order: in the place of a doubtful message other words are shown, and the same ones are not", () => {
  const { order, take } = open();
  const said = (id: number, text: string, action?: boolean) => order.take(words(id, text, action)).length;
  take(1);
  for (const id of [2, 3, 4]) said(id, "perhaps forged");
  for (const id of [2, 3, 4, 5]) order.doubt(words(id, "perhaps forged"));
  assertEquals([said(1, "other"), said(2, "perhaps forged"), said(2, "true"), said(2, "true")], [0, 0, 1, 0]);
  assertEquals([said(3, "perhaps forged", true), said(5, "first words"), said(5, "other")], [1, 1, 0]);
  // what was taken back comes again, what was shown before it does not
  said(4, "forged now");
  order.forget(words(4, "forged now"));
  assertEquals([said(4, "perhaps forged"), said(4, "true")], [0, 1]);
  // and it is still known that the ids were shown
  assertEquals(order.takeEarly(words(5, "first words"), false, 0), []);
  assertEquals(order.takeEarly(words(6, "six"), false, 0).length, 1);
});

Deno.test("stream order: words that were held and may be forged keep no other words away", () => {
  for (const isDoubtful of [true, false]) {
    const { order } = open();
    order.takeEarly(words(2, "held"), isDoubtful, 0);
    assertEquals(order.take(words(2, "true")).map(({ text }) => text), isDoubtful ? ["held", "true"] : ["held"]);
    assertEquals(order.take(words(2, "held")), []);
  }
});

Deno.test("stream order: as many doubtful messages as a feed remembers are known, and no more than twice as many", () => {
  const { order } = open();
  const said = (id: number) => order.take(words(id, "other")).length;
  for (let id = 1; id <= 10_000; id++) {
    order.take(words(id, "perhaps forged"));
    order.doubt(words(id, "perhaps forged"));
  }
  assertEquals([said(10_000), said(10_000 - 2559), said(10_000 - 5120), said(1)], [1, 1, 0, 0]);
  // nor are the words of one
  for (let i = 0; i < 1000; i++) order.take(words(9000, `${i}`));
  assertEquals(order.take(words(9000, "0")).length, 1);
});
