/** The way to one peer: when it changes, when it is checked, and for how long what waits is not given up. */
import { assertEquals } from "@std/assert";
import { type Reachable, Way } from "../../../client/session/way.ts";

const BOB: Reachable = { address: "192.0.2.22:40112", pass: "e04b7d19c5a2638f" };

/** A way on which a packet was sent directly at 0, after the server has said where the peer is. */
function begun(place: Partial<Reachable> = {}, isRelayAllowed = true): Way {
  const way = new Way(isRelayAllowed);
  way.begin(0);
  way.locate({ ...BOB, ...place }, 0);
  if (!way.isRelayed) way.sent(0);
  return way;
}

/** A way that was silent, and is the server's since 1,000. */
function silent(): Way {
  const way = begun();
  way.wake(1000);
  return way;
}

/** When the copies of checks are sent until a time, and of which check each is. */
function checksUntil(way: Way, end: number, ids: number[] = []): [at: number, check: number][] {
  const sent: [number, number][] = [];
  for (let at; (at = way.nextWake(false)) !== undefined && at <= end;) {
    const id = way.takeCheck(at)!;
    if (!ids.includes(id)) ids.push(id);
    sent.push([at, ids.length]);
  }
  return sent;
}

/** Hands the answer to a check to the way that has sent it; returns whether what waits is due again. */
function answer(way: Way, id: number, now: number): boolean {
  const address = way.checked(id);
  return address !== undefined && way.answered(address, now);
}

Deno.test("way: without an answer for a second it is the server's, and what waits is due again, once", () => {
  const way = begun();
  assertEquals([way.isRelayed, way.nextWake(true)], [false, 1000]);
  assertEquals([way.wake(999), way.isRelayed], [false, false]);
  assertEquals([way.wake(1000), way.isRelayed], [true, true]);
  assertEquals([way.wake(1001), way.isRelayed], [false, true]);
  assertEquals([way.nextWake(true), way.nextWake(false)], [11_000, undefined]);
});

Deno.test("way: the second counts from the first packet that went directly, or from what last came directly", () => {
  const way = new Way(true);
  way.begin(0);
  way.locate(BOB, 700);
  assertEquals(way.nextWake(true), 5700);
  way.sent(700);
  way.sent(800);
  assertEquals(way.nextWake(true), 1700);
  way.heard(1500);
  way.progressed(1500);
  assertEquals([way.wake(2499), way.wake(2500)], [false, true]);
});

Deno.test("way: what came before does not count for what begins to wait later", () => {
  const way = begun();
  way.heard(100);
  way.progressed(100);
  way.begin(50_000);
  assertEquals([way.wake(50_000), way.isLocated, way.nextWake(true)], [false, false, 60_000]);
  way.locate(BOB, 50_100);
  way.sent(50_100);
  assertEquals([way.wake(51_099), way.wake(51_100)], [false, true]);
});

Deno.test("way: the server's word that there is none makes it the server's at once, and no answer changes that", () => {
  const way = begun({ relay: true });
  assertEquals([way.isRelayed, way.nextWake(false), way.heard(100), way.isRelayed], [true, undefined, false, true]);
  // until it says otherwise
  assertEquals([way.locate(BOB, 200), way.isRelayed], [true, false]);
  way.sent(200);
  assertEquals([way.wake(1199), way.wake(1200)], [false, true]);
});

Deno.test("way: what comes directly opens it again, and what waits is due at once", () => {
  const way = silent();
  assertEquals([way.heard(1400), way.isRelayed], [true, false]);
  way.sent(1400);
  assertEquals([way.heard(1500), way.wake(2499), way.wake(2500)], [false, false, true]);
});

Deno.test("way: for another pass or address it is direct again, for the same ones it stays the server's", () => {
  for (const change of [{ address: "192.0.2.22:40113" }, { pass: "2be90f4417d6a3c8" }]) {
    const way = silent();
    assertEquals([way.locate(BOB, 1100), way.isRelayed], [false, true]);
    assertEquals([way.locate({ ...BOB, ...change }, 1200), way.isRelayed], [true, false]);
    assertEquals(checksUntil(way, 60_000), []);
    way.sent(1200);
    assertEquals([way.wake(2199), way.wake(2200)], [false, true]);
  }
});

Deno.test("way: with the server's word a silent one is checked by three copies, and 10 s later again", () => {
  const way = silent(), ids: number[] = [];
  way.locate(BOB, 1700);
  assertEquals(checksUntil(way, 60_000, ids), [[1700, 1], [1950, 1], [2700, 1]]);
  way.begin(11_699);
  way.locate(BOB, 11_699);
  assertEquals([way.isRelayed, checksUntil(way, 60_000)], [true, []]);
  way.locate(BOB, 11_700);
  assertEquals(checksUntil(way, 60_000, ids), [[11_700, 2], [11_950, 2], [12_700, 2]]);
});

Deno.test("way: only the answer to the last check opens it, and no copy follows", () => {
  const way = silent();
  for (const id of [0, 1]) assertEquals(answer(way, id, 1100), false);
  way.locate(BOB, 1700);
  const id = way.takeCheck(1700)!;
  for (const wrong of [0, 1, id + 1]) assertEquals([answer(way, wrong, 1800), way.isRelayed], [false, true]);
  assertEquals([answer(way, id, 1800), way.isRelayed, checksUntil(way, 60_000)], [true, false, []]);
  assertEquals(answer(way, id, 1900), false);
});

const ELSEWHERE = "192.0.2.22:1025";

Deno.test("way: an address that has answered a check with its id is used, with no copy of it", () => {
  for (const way of [begun(), silent(), begun({}, false)]) {
    assertEquals([way.wantsCheck(ELSEWHERE, 1100), way.address], [true, BOB.address]);
    const first = way.check("192.0.2.22:1024"), id = way.check(ELSEWHERE);
    assertEquals([first, id + 1].map((wrong) => answer(way, wrong, 1200)), [false, false]);
    assertEquals([answer(way, id, 1200), way.isRelayed, way.address], [true, false, ELSEWHERE]);
    assertEquals([way.nextWake(false), answer(way, id, 1300)], [undefined, false]);
    // that others come from elsewhere says nothing new for 30 s
    assertEquals([31_199, 31_200].map((at) => way.wantsCheck(BOB.address, at)), [false, true]);
  }
});

Deno.test("way: an address that has answered and falls silent for a second is left", () => {
  for (const isRelayAllowed of [false, true]) {
    const way = begun({}, isRelayAllowed);
    answer(way, way.check(ELSEWHERE), 100);
    way.sent(200);
    way.heard(300);
    assertEquals([way.wake(1299), way.address], [false, ELSEWHERE]);
    assertEquals([way.wake(1300), way.isRelayed, way.address], [true, isRelayAllowed, BOB.address]);
    // at once it is worth a check again
    assertEquals([way.wantsCheck(ELSEWHERE, 1300), way.isOver(4999)], [true, false]);
  }
});

Deno.test("way: an address that has answered is left for what the server says, and after 30 s with the next message", () => {
  for (const change of [{ address: "192.0.2.22:40113" }, { pass: "2be90f4417d6a3c8" }, { relay: true }]) {
    const way = begun(), place = { ...BOB, ...change };
    answer(way, way.check(ELSEWHERE), 100);
    const later = way.check("192.0.2.22:1026");
    way.locate(place, 200);
    assertEquals([way.address, answer(way, later, 300), way.address], [place.address, false, place.address]);
  }
  for (const [pause, address] of [[29_999, ELSEWHERE], [30_000, BOB.address]] as const) {
    const way = begun();
    answer(way, way.check(ELSEWHERE), 100);
    way.begin(100 + pause);
    assertEquals(way.address, address);
  }
});

Deno.test("way: no check is made of where packets go, nor where the server says that no answer comes", () => {
  const direct = begun();
  assertEquals(direct.wantsCheck(BOB.address, 100), false);
  for (const place of [{ relay: true }, { classic: true }]) {
    const way = begun(place);
    assertEquals([way.isRelayed, way.wantsCheck(ELSEWHERE, 100), way.heard(100), way.isRelayed], [
      true,
      false,
      false,
      true,
    ]);
  }
  // one of the server's address is under way
  const doubtful = silent();
  doubtful.locate(BOB, 1100);
  assertEquals([doubtful.wantsCheck(BOB.address, 1100), doubtful.wantsCheck(ELSEWHERE, 1100)], [false, true]);
  checksUntil(doubtful, 5000);
  assertEquals(doubtful.wantsCheck(BOB.address, 5000), true);
});

Deno.test("way: where there is a reason to believe that a new place is silent, it is the server's at once, and checked", () => {
  const way = new Way(true);
  way.begin(0);
  assertEquals([way.locate(BOB, 100, true), way.isRelayed, way.isOver(10_099), way.isOver(10_100)], [
    true,
    true,
    false,
    true,
  ]);
  assertEquals(checksUntil(way, 60_000), [[100, 1], [350, 1], [1100, 1]]);
  const forbidden = new Way(false);
  forbidden.begin(0);
  forbidden.locate(BOB, 100, true);
  assertEquals(forbidden.isRelayed, false);
  // what was known before counts more
  const known = begun();
  known.locate(BOB, 100, true);
  assertEquals(known.isRelayed, false);
});

Deno.test("way: one that is direct, or the server's by its word, is not checked", () => {
  for (const way of [begun(), begun({ relay: true })]) assertEquals(checksUntil(way, 60_000), []);
});

Deno.test("way: directly what waits is given up after 5 s without progress, if the server's way is closed", () => {
  for (const way of [begun({}, false), begun({ norelay: true })]) {
    assertEquals([way.wake(4999), way.isRelayed, way.isOver(4999), way.isOver(5000)], [false, false, false, true]);
    way.progressed(3000);
    assertEquals([way.isOver(7999), way.isOver(8000), way.waitsSince], [false, true, 3000]);
  }
});

Deno.test("way: through the server it is given up 10 s after the change or the last progress", () => {
  const way = silent();
  assertEquals([way.isOver(10_999), way.isOver(11_000), way.waitsSince], [false, true, 1000]);
  way.progressed(5000);
  assertEquals([way.isOver(14_999), way.isOver(15_000), way.waitsSince], [false, true, 5000]);
});

Deno.test("way: where the server says that there is none directly it is given up after 10 s", () => {
  const way = begun({ relay: true });
  assertEquals([way.isOver(9999), way.isOver(10_000)], [false, true]);
});

Deno.test("way: however the place changes and whatever a peer sends, it ends within 15 s", () => {
  for (const [pause, isHeard, end] of [[500, true, 15_000], [1500, false, 11_000]] as const) {
    const way = new Way(true);
    way.begin(0);
    let at = 0;
    for (; at < 100_000; at += 100) {
      way.wake(at);
      if (way.isOver(at)) break;
      if (at % pause === 0) way.locate({ ...BOB, address: `192.0.2.22:${1 + at / 100}` }, at);
      if (!way.isRelayed) way.sent(at);
      if (isHeard) way.heard(at);
    }
    assertEquals(at, end);
  }
});

Deno.test("way: without the server's word of where the peer is, it does not change, and ends after 10 s", () => {
  const way = silent();
  way.heard(1100);
  way.begin(20_000);
  assertEquals([way.wake(29_999), way.isRelayed, way.isOver(29_999), way.isOver(30_000)], [false, false, false, true]);
});

Deno.test("way: forbidden, it is direct at once with 5 s from then; allowed, the server's when that is due", () => {
  const way = silent();
  way.locate(BOB, 1700);
  assertEquals([way.allowRelay(false, 4000), way.isRelayed, checksUntil(way, 60_000)], [true, false, []]);
  way.sent(4000);
  assertEquals([way.wake(8999), way.isOver(8999), way.isOver(9000)], [false, false, true]);
  assertEquals([way.allowRelay(true, 8000), way.wake(8000), way.isRelayed], [false, true, true]);
});

Deno.test("way: where there is none directly and the server's is forbidden or refused, it is closed", () => {
  assertEquals([begun().isClosed, begun({ relay: true }).isClosed], [false, false]);
  for (const way of [begun({ relay: true }, false), begun({ relay: true, norelay: true })]) {
    assertEquals([way.isClosed, way.isRelayed], [true, false]);
  }
  const way = begun({ relay: true });
  assertEquals([way.allowRelay(false, 100), way.isClosed], [true, true]);
});

Deno.test("way: a server that passes nothing on any more makes it direct", () => {
  const way = silent();
  assertEquals([way.locate({ ...BOB, norelay: true }, 2000), way.isRelayed], [true, false]);
  assertEquals([way.wake(4999), way.isRelayed, way.isOver(4999)], [false, false, false]);
});
