/** The way to one peer: when it changes, when it is checked, and for how long what waits is not given up. */
import { assertEquals } from "@std/assert";
import { type Place, Way } from "../../../client/session/way.ts";

const BOB: Place = { address: "192.0.2.22:40112", pass: "e04b7d19c5a2638f" };

/** A way on which a packet was sent directly at 0, after the server has said where the peer is. */
function begun(place: Partial<Place> = {}, isForbidden = false): Way {
  const way = new Way(isForbidden);
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

/** When the copies of a check are sent until a time, and its ids. */
function checksUntil(way: Way, end: number): [at: number, id: number][] {
  const sent: [number, number][] = [];
  for (let at; (at = way.nextWake(false)) !== undefined && at <= end;) sent.push([at, way.takeCheck(at)!]);
  return sent;
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
  const way = new Way(false);
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
  const way = silent();
  way.locate(BOB, 1700);
  assertEquals(checksUntil(way, 60_000), [[1700, 1], [1950, 1], [2700, 1]]);
  way.begin(11_699);
  way.locate(BOB, 11_699);
  assertEquals([way.isRelayed, checksUntil(way, 60_000)], [true, []]);
  way.locate(BOB, 11_700);
  assertEquals(checksUntil(way, 60_000), [[11_700, 2], [11_950, 2], [12_700, 2]]);
});

Deno.test("way: only the answer to the last check opens it, and no copy follows", () => {
  const way = silent();
  for (const id of [0, 1]) assertEquals(way.answered(id, 1100), false);
  way.locate(BOB, 1700);
  way.takeCheck(1700);
  for (const id of [0, 2]) assertEquals([way.answered(id, 1800), way.isRelayed], [false, true]);
  assertEquals([way.answered(1, 1800), way.isRelayed, checksUntil(way, 60_000)], [true, false, []]);
  assertEquals(way.answered(1, 1900), false);
});

Deno.test("way: one that is direct, or the server's by its word, is not checked", () => {
  for (const way of [begun(), begun({ relay: true })]) assertEquals(checksUntil(way, 60_000), []);
});

Deno.test("way: directly what waits is given up after 5 s without progress, if the server's way is closed", () => {
  for (const way of [begun({}, true), begun({ norelay: true })]) {
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

Deno.test("way: however the place changes and whatever a peer sends, it ends within 15 s", () => {
  const way = new Way(false);
  way.begin(0);
  let at = 0;
  for (let i = 0; i < 1000; i++, at += 100) {
    way.wake(at);
    if (way.isOver(at)) break;
    if (i % 5 === 0) way.locate({ ...BOB, address: `192.0.2.22:${1 + i}` }, at);
    if (!way.isRelayed) way.sent(at);
    way.heard(at);
  }
  assertEquals(at, 15_000);
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
  assertEquals([way.forbid(true, 4000), way.isRelayed, checksUntil(way, 60_000)], [true, false, []]);
  way.sent(4000);
  assertEquals([way.wake(8999), way.isOver(8999), way.isOver(9000)], [false, false, true]);
  assertEquals([way.forbid(false, 8000), way.wake(8000), way.isRelayed], [false, true, true]);
});

Deno.test("way: where there is none directly and the server's is forbidden or refused, it is closed", () => {
  assertEquals([begun().isClosed, begun({ relay: true }).isClosed], [false, false]);
  for (const way of [begun({ relay: true }, true), begun({ relay: true, norelay: true })]) {
    assertEquals([way.isClosed, way.isRelayed], [true, false]);
  }
  const way = begun({ relay: true });
  assertEquals([way.forbid(true, 100), way.isClosed], [true, true]);
});

Deno.test("way: a server that passes nothing on any more makes it direct", () => {
  const way = silent();
  assertEquals([way.locate({ ...BOB, norelay: true }, 2000), way.isRelayed], [true, false]);
  assertEquals([way.wake(4999), way.isRelayed, way.isOver(4999)], [false, false, false]);
});
