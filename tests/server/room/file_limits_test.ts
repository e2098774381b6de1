/** Files through the server: how much passes, and what a hostile member can take from others. */
import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual, assertMatch } from "@std/assert";
import { encode, type FilePacket, type Packet } from "../../../protocol.ts";
import { explain } from "../../../server/ignored_words.ts";
import { Ignored } from "../../../server/room/ignored.ts";
import { ignoredBy, outline } from "../../support/fake_room.ts";
import {
  ALICE,
  BOB,
  countOf,
  DATA_BYTES,
  dataOf,
  endOf,
  FILE,
  FileRoom,
  offerOf,
  OTHER_FILE,
  RATE,
  roomOfPairs,
  sackOf,
  TIM,
} from "../../support/file_room.ts";
import { largestMap } from "../../support/largest_map.ts";

Deno.test("relayed files: a new offer costs as much as a message, its repeats nothing, up to thirty", () => {
  const room = new FileRoom({ rate: { rate: 1, burst: 3 } }), { toBob } = room;
  const files = ["1", "2", "3", "4"].map((digit) => digit.repeat(16));
  assertEquals(files.map((file) => room.offer(toBob, file).length), [1, 1, 1, 0]);
  assertEquals(room.room.statistics.ignored["fast-messages"], 1);
  room.now += 500;
  assertEquals(countOf(30, () => room.offer(toBob, files[0])), 30);
  assertEquals(room.offer(toBob, files[0]), []);
  room.now += 500;
  assertEquals(room.offer(toBob, files[0]).length, 1);
});

Deno.test("relayed files: one member gets no more offers than private messages, however many are sent", () => {
  const room = new FileRoom(), { toBob } = room;
  let passed = 0, file = 0;
  for (const end = room.now + 5000; room.now < end; room.now += 10) {
    for (let i = 0; i < 10; i++) passed += countOf(1, () => room.offer(toBob, (++file).toString(16).padStart(16, "0")));
  }
  assertLess(passed, 700);
  // and private messages pass meanwhile
  const packet = { dialect: "v1", type: "MESSAGE", pass: toBob.pass, stream: FILE, id: 1, text: "hi" } as const;
  assertEquals(outline(room.v1(ALICE, "RELAY", { token: toBob.token, address: BOB, packet })), [`${BOB} RELAY`]);
});

Deno.test("relayed files: octets cost neither messages nor requests, and neither does what answers them", () => {
  const room = new FileRoom({ rate: { rate: 1, burst: 2 }, relayRate: 1_000_000 }), { toBob, toAlice } = room;
  room.offer(toBob);
  room.accept(toAlice);
  let passed = 0, sacks = 0;
  for (let i = 0; i < 1600; i++, room.now += 1.25) {
    if (room.sendFast(toBob, dataOf(toBob, 1 + i))) passed++;
    if (i % 2 === 0 && room.sendFast(toAlice, sackOf(toAlice, i), 250)) sacks++;
  }
  assertEquals([passed, sacks, ignoredBy(room.room)], [1600, 800, {}]);
  assertEquals(room.peer(ALICE, toBob.token, BOB).address, BOB);
});

Deno.test("relayed files: a member sends, and gets, so many bytes a second; and all together four times as many", () => {
  const host = (subnet: number, i: number) => `10.${subnet}.${i}.1:5000`;
  const range = (length: number) => Array.from({ length }, (_, i) => i);
  const cases: [what: string, pairs: [string, string][], factor: number][] = [
    ["one to one", [[ALICE, BOB]], 1],
    ["one to two", [[ALICE, BOB], [ALICE, TIM]], 1],
    ["two to one", [[ALICE, TIM], [BOB, TIM]], 1],
    ["one address", range(7).map((i) => [`10.0.9.9:${1000 + i}`, host(2, i)]), 4],
    ["all", range(12).map((i) => [host(1, i), host(2, i)]), 4],
    ["this machine", range(10).map((i) => [`127.0.0.1:${1000 + i}`, `127.0.0.1:${2000 + i}`]), 4],
  ];
  for (const [what, pairs, factor] of cases) {
    const { room, ways } = roomOfPairs(pairs);
    // what may be sent at once is gone
    room.rateOf(ways, 300, 3 * RATE);
    const passed = room.rateOf(ways, 2000, 2 * RATE);
    assertLessOrEqual(passed, factor * RATE * 1.02, what);
    assertGreater(passed, factor * RATE * 0.9, what);
    assertEquals(Object.keys(ignoredBy(room.room)), ["fast-files"], what);
  }
});

Deno.test("relayed files: crowds with few addresses do not take what others may send", () => {
  for (const honest of [ALICE, "127.0.0.1:5"]) {
    const crowds = Array.from(
      { length: 30 },
      (_, i): [string, string] => [`10.0.6.${i % 3}:${7 + i}`, `10.7.${i}.1:7`],
    );
    const receiver = honest === ALICE ? BOB : "127.0.0.1:6";
    const { room, ways: [way, ...others] } = roomOfPairs([[honest, receiver], ...crowds]);
    let passed = 0;
    for (let i = 0; i < 300; i++, room.now += 12) {
      for (const other of others) for (let j = 0; j < 2; j++) room.sendFast(other, dataOf(other));
      if (room.sendFast(way, dataOf(way))) passed++;
    }
    assertEquals(passed, 300);
  }
});

Deno.test("relayed files: little passes at once, and with a low limit still a few datagrams; without one all passes", () => {
  for (const [relayRate, bytes] of [[1_000_000, 65_536], [100_000, 25_000], [1000, 4928], [0, Infinity]]) {
    const { room, ways: [way] } = roomOfPairs([[ALICE, BOB]], relayRate);
    room.now += 1000;
    assertEquals(countOf(200, () => room.sendFast(way, dataOf(way))), Math.min(200, Math.floor(bytes / DATA_BYTES)));
  }
});

Deno.test("relayed files: SACKs have limits of their own, so octets the other way do not keep them back", () => {
  const { room, ways: [way] } = roomOfPairs([[ALICE, BOB]]), back = { ...room.toAlice, pass: way.pass };
  // Alice sends all that she may, and gets all that she may
  room.accept(way, OTHER_FILE);
  let sacks = 0;
  for (let i = 0; i < 1000; i++, room.now += 10) {
    for (const id of [1, 2, 3]) {
      room.sendFast(way, dataOf(way, id));
      room.sendFast(back, dataOf(back, id, OTHER_FILE));
    }
    if (i % 2 === 0 && room.sendFast(back, sackOf(back, i), 300)) sacks++;
  }
  assertEquals(sacks, 500);
  // but they are no way around the limit
  const passed = Array.from({ length: 2000 }, () => {
    room.now += 1;
    room.sendFast(way, offerOf(way), 250);
    return room.sendFast(back, sackOf(back, 1), 600);
  });
  assertLess(passed.filter((isPassed) => isPassed).length * 600 / 2, 0.8 * RATE);
});

Deno.test("relayed files: DATA with one octet are limited by their number, and the longest by their bytes", () => {
  for (const bytes of [128, 1100, 1232]) {
    const { room, ways: [way] } = roomOfPairs([[ALICE, BOB]]);
    let passed = 0;
    for (let i = 0; i < 4000; i++, room.now++) if (room.sendFast(way, dataOf(way), bytes)) passed++;
    const most = (4 + 1 / 4) * RATE / Math.max(1100, bytes);
    assertLessOrEqual(passed, most, String(bytes));
    assertGreater(passed, 0.95 * most, String(bytes));
  }
});

Deno.test("relayed files: the shortest SACKs are limited by their number", () => {
  const { room, ways: [way] } = roomOfPairs([[ALICE, BOB]]), back = { ...room.toAlice, pass: way.pass };
  let passed = 0;
  for (let i = 0; i < 2000; i++, room.now++) {
    room.sendFast(way, dataOf(way));
    if (room.sendFast(back, sackOf(back), 100)) passed++;
  }
  assertLess(passed, 2.3 * RATE / 2 / 512);
  assertGreater(passed, 1.9 * RATE / 2 / 512);
});

Deno.test("relayed files: what nobody wants takes nothing from those who are wanted", () => {
  const eve = "10.0.0.66:6", { room, ways: [way] } = roomOfPairs([[ALICE, BOB]]);
  room.join(eve, "Eve");
  const [evil] = room.ways(eve, BOB), forged = { ...evil, pass: OTHER_FILE };
  let passed = 0;
  for (let i = 0; i < 1000; i++, room.now += 12) {
    for (let j = 0; j < 5; j++) assert(!room.sendFast(evil, dataOf(evil)) && !room.sendFast(forged, dataOf(forged)));
    if (room.sendFast(way, dataOf(way))) passed++;
    // Bob goes on accepting
    if (i % 100 === 0) room.accept(room.toAlice);
  }
  assertEquals(passed, 1000);
});

Deno.test("relayed files: a pass that must be checked costs what any RELAY does, and in a transfer that is once", () => {
  const room = new FileRoom({ relayRate: 0 }), { toBob, toAlice } = room;
  room.offer(toBob);
  room.accept(toAlice);
  for (let i = 1; i <= 2000; i++) {
    assert(room.sendFast(toBob, dataOf(toBob, i)));
    assert(room.sendFast(toAlice, sackOf(toAlice, i)));
    // what goes to where Bob is not any more
    assert(!room.sendFast({ ...toBob, address: "10.9.9.9:9" }, dataOf(toBob, i)));
  }
  assertEquals(ignoredBy(room.room), { "not-joined": 2000 });
  for (let i = 0; i < 2000; i++) room.sendFast(toBob, dataOf({ ...toBob, pass: i.toString(16).padStart(16, "0") }));
  const { "not-joined": checked = 0, "fast-requests": unchecked = 0 } = ignoredBy(room.room);
  assertLessOrEqual(checked - 2000, 500);
  assertGreater(checked - 2000, 480);
  assertEquals(checked + unchecked, 4000);
  assert(room.sendFast(toBob, dataOf(toBob, 9)));
});

Deno.test("relayed files: who leaves and joins again has no more than before", () => {
  const { room, ways: [way] } = roomOfPairs([[ALICE, BOB]]);
  let passed = 0;
  for (let i = 1; i < 20; i++) {
    passed += countOf(50, () => room.sendFast(way, dataOf(way)));
    room.v1(ALICE, "LEAVE", { id: 9, token: way.token });
    way.token = i.toString(16).padStart(16, "0");
    room.move(ALICE, way.token);
    way.pass = room.peer(ALICE, way.token, BOB).pass!;
    room.accept({ ...room.toAlice, pass: way.pass });
  }
  assertEquals(passed, Math.floor(RATE / 4 / DATA_BYTES));
});

Deno.test("relayed files: a flood of offers, octets and answers takes no memory, and makes the server forget no others'", () => {
  const eve = "10.0.0.66:6", { room, ways: [way] } = roomOfPairs([[ALICE, BOB]], 0);
  room.join(eve, "Eve");
  const [evil] = room.ways(eve, BOB);
  const largest = largestMap(() => {
    for (let i = 0; i < 40_000; i++) {
      const file = i.toString(16).padStart(16, "0");
      room.sendFast(evil, [offerOf, sackOf, dataOf, endOf].map((of) => ({ ...of(evil), file }))[i % 4] as FilePacket);
    }
  });
  assertLess(largest, 110);
  assert(room.sendFast(way, dataOf(way)));
});

Deno.test("relayed files: a member may be in a hundred transfers at once", () => {
  const room = new FileRoom({ rate: { rate: 0, burst: 0 } }), { toBob, toAlice } = room;
  const files = Array.from({ length: 100 }, (_, i) => i.toString(16).padStart(16, "0"));
  for (const file of [...files, OTHER_FILE]) room.sendFast(toBob, offerOf(toBob, file), 250);
  for (const file of files) room.accept(toAlice, file);
  for (const file of files) assert(room.sendFast(toBob, dataOf(toBob, 1, file)));
  // the one that was spoken of longest ago makes room
  room.accept(toAlice, files[0]);
  room.sendFast(toBob, dataOf(toBob, 1, OTHER_FILE));
  room.accept(toAlice, OTHER_FILE);
  assertEquals(files.filter((file) => !room.sendFast(toBob, dataOf(toBob, 2, file))), [files[1]]);
});

Deno.test("relayed files: an ignored packet that is too much is told so", () => {
  const ignored = new Ignored(), room = new FileRoom({ ignored, relayRate: 1000 }), { toBob, toAlice } = room;
  room.accept(toAlice);
  const packet: Packet = { dialect: "v1", type: "RELAY", token: toBob.token, address: BOB, packet: dataOf(toBob) };
  assertGreater(countOf(20, () => !room.sendFast(toBob, dataOf(toBob))), 10);
  assertMatch(
    explain(ignored.last!, { address: ALICE, what: encode(packet) }),
    /^it is of a file, and more than --relay-rate/,
  );
});
