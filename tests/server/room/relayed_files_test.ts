/** Files between version 1 members through the server: who gets what. */
import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual, assertMatch } from "@std/assert";
import fc from "fast-check";
import { encode, type FilePacket, MAX_DATAGRAM_BYTES } from "../../../protocol.ts";
import { explain } from "../../../server/ignored_words.ts";
import { Ignored } from "../../../server/room/ignored.ts";
import { textOf } from "../../support/fake_delivery.ts";
import { all, ignoredBy, one, outline, to } from "../../support/fake_room.ts";
import {
  ALICE,
  BOB,
  CAROL,
  countOf,
  dataOf,
  endOf,
  FILE,
  FileRoom,
  offerOf,
  OTHER_FILE,
  RATE,
  sackOf,
  TIM,
  type Way,
} from "../../support/file_room.ts";
import { peerOf } from "../../support/peer_of.ts";

Deno.test("relayed files: each packet passes as it is, with its sender; the name comes with the OFFER", () => {
  const room = new FileRoom(), { toBob, toAlice } = room;
  const steps: [Way, FilePacket, string?][] = [
    [toBob, offerOf(toBob), "Alice"],
    [toAlice, sackOf(toAlice)],
    [toAlice, sackOf(toAlice, 0)],
    [toBob, dataOf(toBob)],
    [toAlice, { ...sackOf(toAlice, 1000), ids: [{ from: 1, to: 1 }], delay: 2 } as FilePacket],
    [toAlice, endOf(toAlice)],
    [toBob, endOf(toBob, "unknown")],
  ];
  for (const [way, packet, name] of steps) {
    const sent = room.send(way, packet), { token } = way === toBob ? toAlice : toBob;
    assertEquals(outline(sent), [`${way.address} RELAY`]);
    assertEquals(one(sent, "RELAY"), { dialect: "v1", type: "RELAY", token, address: way.from, name, packet });
  }
  assertEquals(ignoredBy(room.room), {});
});

Deno.test("relayed files: the longest DATA fits, also from the longest address", () => {
  const address = "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%enp0s31f6.1000a]:65535", room = new FileRoom();
  room.join(address, "𠀀".repeat(32));
  const [there, back] = room.ways(address, BOB), most = Number.MAX_SAFE_INTEGER;
  room.accept(back);
  const sent = room.send(there, { ...dataOf(there, most), offset: most } as FilePacket);
  assertEquals(outline(sent), [`${BOB} RELAY`]);
  assertLessOrEqual(sent[0].bytes.length, MAX_DATAGRAM_BYTES);
  assertEquals(outline(room.offer(there, FILE, "x".repeat(255), most)), [`${BOB} RELAY`]);
});

Deno.test("relayed files: octets pass only while their receiver accepts this file from this member", () => {
  const ignored = new Ignored(), room = new FileRoom({ ignored }), { toBob, toAlice } = room;
  const passes = (file = FILE) => room.send(toBob, dataOf(toBob, 1, file)).length > 0;
  const what = encode({ dialect: "v1", type: "RELAY", ...toBob, packet: dataOf(toBob) });
  assert(!passes());
  assertMatch(explain(ignored.last!, { address: ALICE, what }), /^it is of a file, and whom it is for has not asked/);
  room.offer(toBob);
  assert(!passes());
  room.send(toAlice, sackOf(toAlice));
  assert(!passes());
  // neither does the sender accept for the receiver, nor does one file stand for another, nor one member for another
  room.send(toBob, sackOf(toBob, 0));
  assert(!passes());
  room.accept(toAlice, OTHER_FILE);
  assert(!passes());
  assert(passes(OTHER_FILE));
  room.join(CAROL, "Carol");
  const [toCarol] = room.ways(ALICE, CAROL);
  assertEquals(room.send(toCarol, dataOf(toCarol, 1, OTHER_FILE)), []);
  room.accept(toAlice);
  assert(passes());
  room.now += 29_999;
  assert(passes());
  room.now += 1;
  assert(!passes());
  assertGreater(room.room.statistics.ignored["not-joined"], 5);
});

Deno.test("relayed files: after its END a receiver gets few octets more in all, so that it can say it again", () => {
  const room = new FileRoom(), { toBob, toAlice } = room;
  room.offer(toBob);
  room.accept(toAlice);
  room.send(toAlice, endOf(toAlice, "disk-full"));
  let passed = 0;
  // it answers each of them by an END, which must not let others pass
  for (let i = 0; i < 5000; i++, room.now += 10) {
    if (!room.sendFast(toBob, dataOf(toBob))) continue;
    passed++;
    room.send(toAlice, endOf(toAlice, "disk-full"));
  }
  assertEquals(passed, 64);
});

Deno.test("relayed files: who has declined a file, or was busy, gets no octets of it, and answers without end bring none", () => {
  for (const code of ["declined", "busy", "unknown"]) {
    const room = new FileRoom(), { toBob, toAlice } = room;
    room.offer(toBob);
    room.send(toAlice, sackOf(toAlice));
    room.send(toAlice, endOf(toAlice, code));
    assertEquals(countOf(100, () => room.sendFast(toBob, dataOf(toBob))), 0, code);
    // a client answers each SACK that it did not expect by an END
    let passed = 0;
    for (let i = 0; i < 5000; i++, room.now += 10) {
      if (!room.sendFast(toBob, sackOf(toBob), 200)) continue;
      passed++;
      room.sendFast(toAlice, endOf(toAlice, code), 200);
    }
    assertLessOrEqual(passed, 64 + 8, code);
  }
});

Deno.test("relayed files: a SACK or an END passes only to who has sent something of the file of late, and few for each", () => {
  const room = new FileRoom(), { toBob, toAlice } = room;
  for (const packet of [sackOf(toAlice), sackOf(toAlice, 0), endOf(toAlice)]) {
    assertEquals(room.send(toAlice, packet), []);
  }
  room.offer(toBob);
  assertEquals(countOf(100, () => room.send(toAlice, sackOf(toAlice, 0))), 8);
  for (let i = 0; i < 50; i++) room.offer(toBob);
  // in all no more than so many, however much was sent
  assertEquals(countOf(120, () => room.send(toAlice, sackOf(toAlice))), 64);
  room.offer(toBob, OTHER_FILE);
  room.now += 30_000;
  assertEquals(room.send(toAlice, sackOf(toAlice, 0, OTHER_FILE)), []);
});

Deno.test("relayed files: who has offered a file may end it before there is an answer, but not without end", () => {
  const room = new FileRoom(), { toBob } = room;
  assertEquals(room.send(toBob, endOf(toBob, "cancelled")), []);
  room.offer(toBob);
  assertEquals(outline(room.send(toBob, endOf(toBob, "cancelled"))), [`${BOB} RELAY`]);
  let passed = 0;
  for (const end = room.now + 10_000; room.now < end; room.now += 2) {
    passed += countOf(1, () => room.send(toBob, endOf(toBob, "cancelled")));
  }
  // the receiver's limit: 200 at once, 100 a second, and of one pair few when half of them are used up
  assertLess(passed, 1200);
  assertGreater(room.room.statistics.ignored["fast-requests"], 0);
});

Deno.test("relayed files: a transfer that has begun directly goes on through the server, whoever is heard first", () => {
  const order: [octetsFirst: boolean, passed: boolean[]][] = [[true, [false, true, true]], [false, [
    false,
    true,
    true,
  ]]];
  for (const [octetsFirst, passed] of order) {
    const room = new FileRoom(), { toBob, toAlice } = room;
    const data = () => room.send(toBob, dataOf(toBob)).length > 0;
    const sack = () => room.send(toAlice, sackOf(toAlice, 5000)).length > 0;
    const steps = octetsFirst ? [data, sack, data] : [sack, data, sack];
    assertEquals(steps.map((step) => step()), passed, String(octetsFirst));
  }
});

Deno.test("relayed files: nobody gets anything without the pass of the two, nor at another address than it is at", () => {
  const room = new FileRoom(), { toBob, toAlice } = room;
  room.join(CAROL, "Carol");
  room.offer(toBob);
  room.accept(toAlice);
  const forged = { ...toBob, pass: OTHER_FILE }, elsewhere = { ...toBob, address: CAROL };
  for (const way of [forged, elsewhere, { ...toBob, address: "10.9.9.9:9" }]) {
    for (const packet of [offerOf(way), sackOf(way), dataOf(way), endOf(way)]) assertEquals(room.send(way, packet), []);
  }
  assertEquals(room.room.statistics.ignored["not-joined"], 12);
  room.move("10.0.0.99:4", toAlice.token, "Bob");
  assertEquals(room.send(toBob, dataOf(toBob)), []);
  assertEquals(outline(room.send({ ...toBob, address: "10.0.0.99:4" }, dataOf(toBob))), ["10.0.0.99:4 RELAY"]);
});

Deno.test("relayed files: who has no token is taken for nobody whom a file was offered to before", () => {
  const room = new FileRoom(), tim = `tcp ${TIM}`;
  room.room.connected(peerOf(tim), room.now);
  const pass = room.peer(ALICE, room.toBob.token, TIM).pass!, toTim = { ...room.toBob, address: TIM, pass };
  room.datagram("10.0.0.6:6", "SIGN-IN Zoe");
  assertEquals(to(room.offer(toTim), tim).length, 1);
  assertEquals(room.offer({ ...toTim, address: "10.0.0.6:6" }, FILE), []);
});

Deno.test("relayed files: who has a connection or speaks classic is told once of an offer, and so is each OFFER's sender", () => {
  const room = new FileRoom(), tim = `tcp ${TIM}`, zoe = "10.0.0.6:6";
  room.room.connected(peerOf(tim), room.now);
  room.room.receiveLine("/name Tim", peerOf(tim), room.now);
  room.datagram(zoe, "SIGN-IN Zoe");
  const says = `<- <From ${ALICE}:Alice> (through the server): * Alice offers you the file "notes.txt" (2.01 kB); ` +
    "your program can't take it\n";
  for (const [key, address, shown] of [[tim, TIM, says], [zoe, zoe, `INCOMING ${says}`]]) {
    const pass = room.peer(ALICE, room.toBob.token, address).pass!, way = { ...room.toBob, address, pass };
    const sent = room.offer(way), end = endOf(way, "no-files");
    assertEquals(to(sent, key).map((it) => textOf(it).replace(/\n?$/, "\n")), [shown]);
    const told = { dialect: "v1", type: "RELAY", token: way.token, address } as const;
    assertEquals(one(sent, "RELAY"), { ...told, packet: end });
    const again = room.offer(way);
    assertEquals([outline(again), one(again, "RELAY").packet], [[`${ALICE} RELAY`], end]);
    for (const packet of [dataOf(way), sackOf(way, 0), endOf(way)]) assertEquals(room.send(way, packet), []);
    assertEquals(to(room.offer(way, OTHER_FILE), key).length, 1);
  }
  // an answer is for her
  room.room.receiveLine("/reply no", peerOf(tim), room.now);
  assertEquals(one(room.delivery.take(), "RELAY").token, room.toBob.token);
});

Deno.test("relayed files: offers to a connection cost messages", () => {
  const room = new FileRoom({ rate: { rate: 20, burst: 40 } });
  room.room.connected(peerOf(`tcp ${TIM}`), room.now);
  const pass = room.peer(ALICE, room.toBob.token, TIM).pass!, toTim = { ...room.toBob, address: TIM, pass };
  const sent = Array.from({ length: 200 }, (_, i) => room.offer(toTim, i.toString(16).padStart(16, "0")));
  assertEquals(sent.filter((it) => all(it, "RELAY").length > 0).length, 40);
});

Deno.test("relayed files: who can't take files is told of few, and of each sender fewer; the sender learns it each time", () => {
  const room = new FileRoom({ rate: { rate: 0, burst: 0 } }), tim = `tcp ${TIM}`;
  room.room.connected(peerOf(tim), room.now);
  const crowd = Array.from({ length: 30 }, (_, i) => `10.6.0.${i}:7`);
  const ways = crowd.map((address, i) => {
    const { token } = room.join(address, `m${i}`);
    return { from: address, token, address: TIM, pass: room.peer(address, token, TIM).pass! };
  });
  let file = 0;
  /** How many lines Tim gets while so many of the crowd offer a file each 100 ms. */
  const told = (senders: number, ms: number) => {
    let lines = 0;
    for (const end = room.now + ms; room.now < end; room.now += 100) {
      for (const way of ways.slice(0, senders)) {
        const sent = room.offer(way, (++file).toString(16).padStart(16, "0"));
        lines += to(sent, tim).length;
        assertEquals(one(sent, "RELAY").packet.type, "END");
      }
    }
    return lines;
  };
  assertEquals([told(1, 9900), told(1, 20_000)], [8, 2]);
  room.now += 60_000;
  assertEquals([told(30, 100), told(30, 100)], [30, 10]);
  assertLessOrEqual(told(30, 10_000), 21);
});

Deno.test("relayed files: where nothing passes through the server, files do not either; else a PEER tells the limit", () => {
  const closed = new FileRoom({ relay: false, relayRate: RATE }), { toBob } = closed;
  for (const packet of [offerOf(toBob), sackOf(toBob, 0), dataOf(toBob), endOf(toBob)]) {
    assertEquals(closed.send(toBob, packet), []);
  }
  assertEquals(ignoredBy(closed.room), { "no-relay": 4 });
  assertEquals(closed.peer(ALICE, toBob.token, BOB).rate, undefined);
  const rateTold = (relayRate?: number) => {
    const room = new FileRoom({ relayRate });
    return room.peer(ALICE, room.toBob.token, BOB).rate;
  };
  assertEquals([rateTold(RATE), rateTold(0), rateTold()], [RATE, undefined, undefined]);
});

Deno.test("relayed files: in any order of packets nobody gets octets without having asked, nor answers without end", () => {
  const kinds = ["offer", "sack", "accept", "data", "end"] as const;
  const step = fc.record({
    isBob: fc.boolean(),
    kind: fc.constantFrom(...kinds),
    file: fc.constantFrom(FILE, OTHER_FILE),
    pause: fc.constantFrom(0, 0, 1, 1000, 20_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const room = new FileRoom({ relayRate: 1_000_000 }), { toBob, toAlice } = room;
      /** By who and file: when it has accepted, whether it has ended and ever accepted, and how many packets it has sent and got. */
      const known = new Map<
        string,
        { askedAt: number; hasEnded: boolean; hasAccepted: boolean; sent: number; got: number }
      >();
      const of = (who: string, file: string) => {
        const key = `${who} ${file}`;
        if (!known.has(key)) {
          known.set(key, { askedAt: -Infinity, hasEnded: false, hasAccepted: false, sent: 0, got: 0 });
        }
        return known.get(key)!;
      };
      for (const { isBob, kind, file, pause } of steps) {
        room.now += pause;
        const way = isBob ? toAlice : toBob, own = of(way.from, file), other = of(way.address, file);
        const make = { offer: offerOf, sack: sackOf, accept: sackOf, data: dataOf, end: endOf }[kind];
        const packet = { ...make(way), file } as FilePacket;
        const isPassed = room.send(way, kind === "accept" ? sackOf(way, 0, file) : packet).length > 0;
        own.sent++;
        if (kind === "accept" || kind === "end") {
          own.hasEnded = kind === "end";
          own.hasAccepted ||= kind === "accept";
          own.askedAt = kind === "end" ? -Infinity : room.now;
        }
        if (!isPassed) continue;
        const isAsked = kind === "data" && room.now - other.askedAt < 30_000;
        if (kind === "data") assert(isAsked || other.hasEnded && other.hasAccepted);
        if (!isAsked && (kind === "sack" || kind === "accept" || kind === "data")) {
          assertGreater(other.sent, 0);
          assertLessOrEqual(++other.got, 8 * other.sent);
        }
      }
    }),
    { numRuns: 300 },
  );
});
