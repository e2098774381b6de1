/** The window of events: sequence numbers without a gap, and only the recent events. */
import { assert, assertEquals, assertLess, assertLessOrEqual, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import type { EventPacket } from "../../../protocol.ts";
import { digestAfter, digestBefore } from "../../../protocol/reliable/line_digest.ts";
import { sha256Hex128 } from "../../../runtime/sha256.ts";
import { EventWindow } from "../../../server/journal/event_window.ts";
import type { NewEvent, WindowOptions } from "../../../server/journal/journal.ts";

const EPOCH = "91c4be20d7a35f68";

function said(text: string): NewEvent {
  return { type: "INCOMING", from: "127.0.0.1:1", at: 0, text };
}

function arrived(name: string): NewEvent {
  return { type: "ONLINE", at: 5, members: [{ address: "127.0.0.1:1", name }] };
}

/** A window that has kept these texts. */
function after(texts: string[], options?: WindowOptions): EventWindow {
  const window = new EventWindow(EPOCH, 0, options);
  for (const text of texts) window.keep(window.number(said(text)));
  return window;
}

const digits = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}`);

Deno.test("event window: seqs count from 1 without a gap, all in one epoch", () => {
  const window = after([]);
  assertEquals([window.seq, window.first], [0, 1]);
  const events = ["a", "b", "c"].map((text) => {
    const event = window.number(said(text));
    window.keep(event);
    return event;
  });
  assertEquals(events.map(({ seq, epoch }) => [seq, epoch]), [1, 2, 3].map((seq) => [seq, EPOCH]));
  assertEquals([window.seq, window.first, window.get(2)], [3, 1, events[1]]);
});

Deno.test("event window: an event that is numbered and not kept takes no place", () => {
  const window = after(["a"]);
  assertEquals([window.number(said("b")).seq, window.number(said("c")).seq, window.seq], [2, 2, 1]);
});

Deno.test("event window: it keeps the last messages, at most as many as it is told", () => {
  const window = after(digits(10), { events: 3 });
  assertEquals([window.first, window.seq], [8, 10]);
  assertEquals([7, 8, 10, 11].map((seq) => window.get(seq) !== undefined), [false, true, true, false]);
});

Deno.test("event window: it is bounded in bytes, and keeps the latest event whatever its size", () => {
  const window = after(Array.from({ length: 100 }, () => "x".repeat(880)), { bytes: 10_000 });
  assertLess(window.seq - window.first, 10);
  const tiny = after(digits(5), { bytes: 1 });
  assertEquals([tiny.first, tiny.get(5)?.seq], [5, 5]);
});

Deno.test("event window: by default it keeps 10,000 messages", () => {
  assertEquals(after(digits(10_001)).first, 2);
});

Deno.test("event window: a restored one goes on behind its last seq, within its own limits", () => {
  const before = after(["a", "b", "c", "d"]);
  const window = new EventWindow(EPOCH, 4, { events: 3 });
  for (const seq of [1, 2, 3, 4]) window.keep(before.get(seq)!);
  assertEquals([window.seq, window.first, window.get(4)], [4, 2, before.get(4)]);
  assertEquals(window.number(said("e")).seq, 5);
  const empty = new EventWindow(EPOCH, 4);
  assertEquals([empty.first, empty.seq], [5, 4]);
});

Deno.test("event window: arrivals and departures push no message out, and leave no hole", () => {
  const window = after(["a", "b", "c"], { events: 8 });
  for (let i = 0; i < 10_000; i++) window.keep(window.number(arrived(`n${i}`)));
  assertEquals([window.first, window.seq, window.gaps], [1, 10_003, 9999]);
  assertEquals([1, 2, 3].map((seq) => window.get(seq)?.type), ["INCOMING", "INCOMING", "INCOMING"]);
  assertEquals(window.get(10_003), { dialect: "v1", epoch: EPOCH, seq: 10_003, ...arrived("n9999") } as EventPacket);
  for (const seq of [4, 5000, 10_002]) {
    assertEquals(window.get(seq), { dialect: "v1", type: "ONLINE", epoch: EPOCH, seq, at: 0, members: [] });
  }
  assertEquals([0, 10_004].map((seq) => window.get(seq)), [undefined, undefined]);
});

Deno.test("event window: a message that is dropped takes the arrivals before it along", () => {
  const window = new EventWindow(EPOCH, 0, { events: 2 });
  const keep = (event: NewEvent) => window.keep(window.number(event));
  assertEquals([arrived("x"), said("a"), said("b")].flatMap(keep), []);
  assertEquals(keep(said("c")), [2, 1]);
  assertEquals([window.first, window.seq, window.gaps], [3, 4, 0]);
});

Deno.test("event window: without a message it begins with the oldest arrival that it has", () => {
  const window = new EventWindow(EPOCH, 0, { events: 80 });
  for (let i = 1; i <= 100; i++) window.keep(window.number(arrived(`n${i}`)));
  assertEquals([window.first, window.seq, window.gaps], [91, 100, 0]);
});

Deno.test("event window: after any events the line is whole, within the limits, and a restored window is the same", () => {
  const event = fc.record({ isMessage: fc.boolean(), size: fc.nat(900), times: fc.nat({ max: 12 }) });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), fc.integer({ min: 1, max: 20 }), (steps, events) => {
      const limits = { events, bytes: 16_000 };
      const window = new EventWindow(EPOCH, 0, limits), all: EventPacket[] = [], kept = new Set<number>();
      for (const { isMessage, size, times } of steps) {
        for (let i = 0; i < times; i++) {
          const next = window.number(isMessage ? said("x".repeat(size)) : arrived(`n${size}`));
          all.push(next);
          kept.add(next.seq);
          for (const seq of window.keep(next)) assert(kept.delete(seq), `${seq} is dropped once`);
        }
      }
      const { first, seq } = window;
      assertEquals(seq, all.length);
      let gaps = 0;
      for (const event of all) {
        const got = window.get(event.seq);
        assertEquals(got !== undefined, event.seq >= first, `${event.seq} of ${first} to ${seq}`);
        if (kept.has(event.seq)) assertEquals(got, event);
        if (!got || kept.has(event.seq)) continue;
        assertEquals([event.type, got.seq, got.type === "ONLINE" && got.members.length], ["ONLINE", event.seq, 0]);
        gaps++;
      }
      assertEquals(window.gaps, gaps);
      const isMessage = (seq: number) => all[seq - 1].type === "INCOMING";
      const messages = [...kept].filter(isMessage), spoken = all.filter(({ type }) => type === "INCOMING");
      assertEquals(messages, spoken.slice(spoken.length - messages.length).map(({ seq }) => seq));
      assertLessOrEqual(messages.length, events);
      assertLessOrEqual(kept.size - messages.length, Math.ceil(events / 8));

      const again = new EventWindow(EPOCH, seq, limits);
      for (const seq of kept) assertEquals(again.keep(all[seq - 1]), []);
      assertEquals([again.first, again.seq, again.gaps], [first, seq, gaps]);
    }),
    { seed: 1 },
  );
});

Deno.test("event window: the digest stands for all events, whatever the window still has of them", () => {
  const window = after(digits(50), { events: 3 });
  let digest = digestBefore(EPOCH);
  for (const [i, text] of digits(50).entries()) {
    const event = { dialect: "v1", epoch: EPOCH, seq: i + 1, ...said(text) } as EventPacket;
    digest = digestAfter(digest, event, sha256Hex128);
  }
  assertEquals(window.digest, digest);
  const before = window.digest;
  window.number(said("not kept"));
  assertEquals(window.digest, before);
});

/** Any text, with characters of all lengths in UTF-8. */
const anyText = fc.string({ unit: "binary", minLength: 1, maxLength: 300 }).map((text) => text.toWellFormed());
const anyName = fc.constantFrom("Alice", "Zoë", "Ωmega", "x.y-z_1");
const anyAddress = fc.constantFrom("127.0.0.1:1", "10.0.0.7:65535", "[fe80::1%eth0]:5000", "[2001:db8::1]:9");
const hex = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((value) => value.toString(16).padStart(16, "0"));
const anyPresence = fc.record({ address: anyAddress, name: anyName }, { requiredKeys: ["address"] });
const at = fc.maxSafeNat();
const anyEvent: fc.Arbitrary<NewEvent> = fc.oneof(
  fc.record(
    {
      type: fc.constant("INCOMING" as const),
      at,
      from: anyAddress,
      name: anyName,
      stream: hex,
      id: fc.maxSafeNat(),
      action: fc.constant(true as const),
      text: anyText,
    },
    { requiredKeys: ["type", "at", "from", "text"] },
  ),
  fc.record({ type: fc.constant("NOTICE" as const), at, text: anyText }),
  fc.record({ type: fc.constantFrom("ONLINE" as const, "OFFLINE" as const), at, members: fc.array(anyPresence) }),
  fc.record({
    type: fc.constant("RENAMED" as const),
    at,
    members: fc.array(
      fc.record({ address: anyAddress, name: anyName, before: anyName }, { requiredKeys: ["address", "name"] }),
    ),
  }),
);

Deno.test("event window: whatever an event says, it comes out as it went in, and the digest is that of all events", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(anyEvent, fc.boolean()), { maxLength: 200 }),
      fc.integer({ min: 1, max: 300 }),
      fc.nat(100),
      (steps, events, before) => {
        const window = new EventWindow(EPOCH, before, { events });
        let digest = before === 0 ? digestBefore(EPOCH) : window.digest;
        const all: EventPacket[] = [];
        for (const [event, isAsked] of steps) {
          const next = window.number(event);
          all.push(next);
          digest = digestAfter(digest, next, sha256Hex128);
          for (const seq of window.keep(next)) delete all[seq - before - 1];
          assertEquals(window.get(next.seq), next);
          if (isAsked && steps.length < 50) assertEquals(window.digest, digest);
        }
        all.forEach((event) => assertEquals(window.get(event.seq), event));
        assertEquals(window.digest, digest);
      },
    ),
    { seed: 1 },
  );
});

Deno.test("event window: an event that was asked for again is dropped as any other", () => {
  const window = new EventWindow(EPOCH, 0, { events: 8 });
  window.keep(window.number(said("a")));
  window.keep(window.number(arrived("x")));
  assertEquals([window.get(1)?.type, window.get(2)], ["INCOMING", window.get(2)]);
  assertEquals(window.get(2)?.at, 5);
  window.keep(window.number(arrived("y")));
  assertEquals(window.get(2), { dialect: "v1", type: "ONLINE", epoch: EPOCH, seq: 2, at: 0, members: [] });
  for (const text of digits(8)) window.keep(window.number(said(text)));
  assertEquals([window.get(1), window.get(2)], [undefined, undefined]);
});

Deno.test("event window: all events can be asked for again, however many they are", () => {
  const window = after(digits(1000));
  for (let round = 0; round < 2; round++) {
    for (let seq = 1; seq <= 1000; seq++) {
      assertEquals(window.get(seq), { dialect: "v1", epoch: EPOCH, seq, ...said(`${seq}`) } as EventPacket);
    }
  }
});

Deno.test("event window: the last 128 that were asked for are remembered, as several members miss the same ones", () => {
  const window = after(digits(200));
  const events = Array.from({ length: 129 }, (_, i) => window.get(i + 1));
  const isSame = (seq: number) => window.get(seq) === events[seq - 1];
  assertEquals([2, 3, 129, 1].map(isSame), [true, true, true, false]);
});

Deno.test("event window: what is undefined or false in an event is as if it were not there", () => {
  const window = new EventWindow(EPOCH, 0);
  window.keep(window.number({ ...said("a"), name: undefined, action: false } as NewEvent));
  assertEquals(window.get(1), { dialect: "v1", epoch: EPOCH, seq: 1, ...said("a") } as EventPacket);
});

Deno.test("event window: after a restart the digest begins at random, and what the run before has kept is not in it", () => {
  const [one, other] = [1, 2].map(() => {
    const window = new EventWindow(EPOCH, 3);
    const begin = window.digest;
    for (const event of [1, 2, 3].map((seq) => after(digits(3)).get(seq)!)) window.keep(event);
    assertEquals(window.digest, begin);
    window.keep(window.number(said("4")));
    assertNotEquals(window.digest, begin);
    return begin;
  });
  assertNotEquals(one, other);
});
