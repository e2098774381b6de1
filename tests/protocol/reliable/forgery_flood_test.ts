/** A flood of forged events: few of them are shown, and the true lines arrive all the same. Simulated time. */
import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { MAX_LEAD } from "../../../protocol/reliable/latest_seq.ts";
import { TokenBucket } from "../../../protocol/reliable/token_bucket.ts";
import { FakeLine, FakeScreen } from "../../support/fake_screen.ts";
import { incoming } from "../../support/fake_session.ts";

const SECONDS = 40;
const KEEPALIVE_MS = 1000;
const ROUND_TRIP_MS = 20;
/** The pause between two true lines, in milliseconds. */
const PAUSE_MS = 100;
/** What the server answers a member, in datagrams. */
const REQUEST_RATE = { rate: 500, burst: 1000 };

/**
 * Lets somebody forge events for 40 s, and the server go on for 10 s more. Returns how many forged lines were printed,
 * and the longest time from a true line to its display, in milliseconds.
 *
 * @param forgedPerMs How many events are forged in each millisecond.
 */
function flood(forgedPerMs: number, aim: "ahead" | "next") {
  const length = SECONDS * 1000 / PAUSE_MS;
  const line = new FakeLine(length), screen = new FakeScreen(), bucket = new TokenBucket(REQUEST_RATE, 0);
  const underWay: { at: number; run: () => void }[] = [];
  const shownAt = new Map<string, number>();
  const later = (now: number, run: () => void) => void underWay.push({ at: now + ROUND_TRIP_MS, run });
  let printed = 0, said = 0, forged = 0, greetsAt = 1;
  for (let now = 1; now <= 1000 * SECONDS + 10_000; now++) {
    while (underWay[0]?.at <= now) underWay.shift()!.run();
    if (now % PAUSE_MS === 0 && said < length) screen.take(line.event(++said), now);
    if (now <= 1000 * SECONDS) {
      for (let i = 0; i < forgedPerMs; i++, forged++) {
        const seq = aim === "next" ? screen.feed.next : said + 1 + forged % MAX_LEAD;
        screen.take(incoming(seq, { text: `forged ${forged}` }), now);
      }
    }
    const isDoubtful = screen.feed.isDoubtful && greetsAt > now + ROUND_TRIP_MS;
    if (now >= greetsAt || isDoubtful) {
      greetsAt = now + KEEPALIVE_MS;
      const askedAt = now, seq = said;
      later(now, () => screen.confirm(seq, askedAt, line.digest(seq)));
      if (isDoubtful) greetsAt = now + ROUND_TRIP_MS;
    }
    if ((screen.feed.nextWake ?? Infinity) <= now) {
      for (const [from, last] of screen.requests(now)) {
        const to = Math.min(last, from + 127, said);
        if (to < from || bucket.take(REQUEST_RATE, now, to - from + 1) > 0) continue;
        later(now, () => {
          for (let seq = from; seq <= to; seq++) screen.take(line.event(seq), now + ROUND_TRIP_MS, true);
        });
      }
    }
    for (; printed < screen.printed.length; printed++) {
      if (!screen.printed[printed].startsWith("forged")) shownAt.set(screen.printed[printed], now);
    }
  }
  assertEquals(screen.believed.length, length, "nothing forged is left, and nothing true is missing");
  const delays = Array.from(shownAt, ([text, at]) => at - PAUSE_MS * Number(text));
  return { forgedLines: screen.printed.filter((text) => text.startsWith("forged")).length, delay: Math.max(...delays) };
}

for (const aim of ["ahead", "next"] as const) {
  Deno.test(`forgery: of 640,000 forged events in 40 s few are shown, and true lines arrive (forged for places ${aim})`, () => {
    const { forgedLines, delay } = flood(16, aim);
    console.log(`  ${forgedLines} forged lines shown, a true line after ${delay} ms at the latest`);
    assertLess(forgedLines, MAX_LEAD + 200 + 100 * SECONDS + 200);
    assertLessOrEqual(delay, 2 * KEEPALIVE_MS);
  });
}

Deno.test("forgery: a single forged event a second holds nothing up in a lively room", () => {
  const screen = new FakeScreen(), line = new FakeLine(600);
  for (let seq = 1; seq <= 600; seq++) {
    const now = 10 * seq;
    screen.take(line.event(seq), now);
    if (seq % 100 === 1) screen.take(incoming(seq, { text: "forged" }), now);
    if (seq % 100 === 0) screen.confirm(seq, now, line.digest(seq));
    assertEquals(screen.feed.next, seq + 1);
  }
});

Deno.test("forgery: after forged events that a WELCOME has shown, a flood is limited too", () => {
  const screen = new FakeScreen();
  screen.take(incoming(1, { text: "forged" }), 10);
  screen.confirm(0, 20);
  for (let seq = 1; seq <= 600; seq++) screen.take(incoming(seq), 30);
  assertEquals(screen.feed.next, 201, "no more than the burst");
});
