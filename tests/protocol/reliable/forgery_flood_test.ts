/** A flood of forged events: few of them are shown, and the true lines arrive all the same. Simulated time. */
import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { MAX_LEAD } from "../../../protocol/reliable/latest_seq.ts";
import { TokenBucket } from "../../../protocol/reliable/token_bucket.ts";
import { FakeLine, FakeScreen } from "../../support/fake_screen.ts";
import { incoming } from "../../support/fake_session.ts";

const SECONDS = 120;
const KEEPALIVE_MS = 1000;
const ROUND_TRIP_MS = 20;
/** What the server answers a member, in datagrams. */
const REQUEST_RATE = { rate: 500, burst: 1000 };

/** What is forged, and how much true lines there are. */
interface Flood {
  /** How many events are forged in a second. */
  rate: number;
  /** For which places: for all that are believed, for the next 120, or for the very next. */
  aim: "ahead" | "near" | "next";
  /** The pause between two true lines, in milliseconds. */
  pause: number;
}

/**
 * Lets somebody forge events for two minutes, and the server go on for 10 s more. Returns how many forged lines were
 * printed, the median and the longest time from a true line to its display, in milliseconds, and how many datagrams the
 * server has sent for it alone.
 */
function flood({ rate, aim, pause }: Flood) {
  const length = SECONDS * 1000 / pause;
  const line = new FakeLine(length), screen = new FakeScreen(), bucket = new TokenBucket(REQUEST_RATE, 0);
  screen.roundTrip.sample(ROUND_TRIP_MS);
  const underWay: { at: number; run: () => void }[] = [];
  const shownAt = new Map<string, number>();
  const later = (now: number, run: () => void) => void underWay.push({ at: now + ROUND_TRIP_MS, run });
  let printed = 0, said = 0, forged = 0, greetsAt = 1, resent = 0;
  for (let now = 1; now <= 1000 * SECONDS + 10_000; now++) {
    while (underWay[0]?.at <= now) underWay.shift()!.run();
    if (now % pause === 0 && said < length) screen.take(line.event(++said), now);
    if (now <= 1000 * SECONDS) {
      for (; forged < now * rate / 1000; forged++) {
        const seq = aim === "next" ? screen.feed.next : said + 1 + forged % (aim === "near" ? 120 : MAX_LEAD);
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
        resent += to - from + 1;
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
  const delays = Array.from(shownAt, ([text, at]) => at - pause * Number(text)).sort((a, b) => a - b);
  return {
    forgedLines: screen.printed.filter((text) => text.startsWith("forged")).length,
    median: delays[delays.length >> 1],
    longest: delays.at(-1)!,
    resent,
  };
}

for (const aim of ["ahead", "near", "next"] as const) {
  for (const [rate, pause] of [[400, 100], [400, 10], [16_000, 100]]) {
    const what = `${rate} forged a second for places ${aim}, ${1000 / pause} true lines a second`;
    Deno.test(`forgery: a flood shows few forged lines, however long it lasts: ${what}`, () => {
      const { forgedLines, median, longest, resent } = flood({ rate, aim, pause });
      console.log(`  ${forgedLines} forged lines shown, a true line after ${median} ms, ${longest} ms at the latest`);
      // what comes in the first second, and during the alert until forged lines were found three times
      assertLess(forgedLines, Math.min(rate, MAX_LEAD) + 200 + 400);
      assertLessOrEqual(median, 100);
      // each WELCOME finds what was forged since the last one; after three, nothing without the token is taken
      assertLessOrEqual(longest, 3 * KEEPALIVE_MS + 15 * ROUND_TRIP_MS);
      assertLessOrEqual(resent, 1.05 * 1000 * SECONDS / pause, "each true line is asked for about once");
    });
  }
}

Deno.test("forgery: when nothing forged comes any more, events without the token are taken again a minute later", () => {
  const screen = new FakeScreen(), line = new FakeLine(10);
  for (let seq = 1; seq <= 3; seq++) {
    screen.take(incoming(seq, { text: "forged" }), 1000 * seq);
    screen.take(line.event(seq), 1000 * seq + 1, true);
  }
  screen.take(line.event(4), 4000);
  assertEquals(screen.feed.next, 4, "not now");
  screen.take(line.event(4), 4001, true);
  screen.take(line.event(5), 62_900);
  assertEquals(screen.feed.next, 5, "nor while the alert lasts");
  // a lie about the end of the line makes it last
  screen.latest(100, 62_900);
  screen.confirm(4, 62_950);
  screen.take(line.event(5), 120_000);
  assertEquals(screen.feed.next, 5);
  screen.take(line.event(5), 124_000);
  screen.take(line.event(6), 124_000);
  assertEquals(screen.feed.next, 7);
  // it begins mildly again
  screen.take(incoming(7, { text: "forged" }), 125_000);
  screen.take(line.event(7), 125_001, true);
  screen.take(line.event(8), 125_002);
  assertEquals(screen.feed.next, 9);
});

Deno.test("forgery: what is found at nearly one time counts once, so a short attack changes little", () => {
  const screen = new FakeScreen(), line = new FakeLine(10);
  for (let seq = 1; seq <= 9; seq++) {
    screen.take(incoming(seq, { text: "forged" }), 1000);
    screen.take(line.event(seq), 1001 + 50 * seq, true);
  }
  screen.take(line.event(10), 2000);
  assertEquals(screen.feed.next, 11);
});

Deno.test("forgery: an alert begins with a forged event, too, that was not shown because its id was", () => {
  const screen = new FakeScreen();
  const said = { stream: "00000000000000bb", id: 7 };
  for (const seq of [1, 2]) screen.take(incoming(seq, said), 10);
  // somebody claims more after the question
  screen.latest(400, 30);
  screen.confirm(1, 20);
  assertEquals([screen.reports, screen.feed.next], [1, 2]);
  for (let seq = 2; seq <= 302; seq++) screen.take(incoming(seq), 40);
  assertEquals(screen.feed.next, 202);
});

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
