/** How many messages come from one port and from one IP address, however often somebody leaves and joins there again. */
import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { Ignored } from "../../../server/room/ignored.ts";
import { Limits } from "../../../server/room/limits.ts";
import { Members } from "../../../server/room/members.ts";
import { FakeRoom, ignoredBy, one } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

/** What a server has when it is told nothing else. */
const RATE = { rate: 20, burst: 40 };
const ATTACKER = "203.0.113.1", HALL = "203.0.113.2";

let tokens = 0;
const newToken = () => (++tokens).toString(16).padStart(16, "0");

/** A room that notes when each message is published, and who says how many. */
function openRoom(rate = RATE) {
  const room = new FakeRoom({ rate });
  const published = new Map<string, number[]>();
  const said = new Map<string, number>();
  room.delivery.broadcast = (packet) => {
    if (packet.type !== "INCOMING") return;
    published.set(packet.from, [...published.get(packet.from) ?? [], room.now]);
  };
  return {
    room,
    /** How many messages were published that come from an IP address. */
    countOf: (ip: string) =>
      [...published].reduce((sum, [from, times]) => sum + (from.startsWith(`${ip}:`) ? times.length : 0), 0),
    timesOf: (from: string) => published.get(from) ?? [],
    /** Joins with a token that nobody had, and returns it. */
    join(from: string): string {
      const token = newToken();
      room.move(from, token);
      return token;
    },
    /** Says so many further messages. */
    say(from: string, token: string, count: number): void {
      for (; count > 0; count--) {
        const id = (said.get(token) ?? 0) + 1;
        said.set(token, id);
        room.v1(from, "MESSAGE", { token, stream: token, id, first: Math.max(1, id - 31), text: `${id}` });
      }
    },
    leave: (from: string, token: string) => one(room.v1(from, "LEAVE", { id: 9, token }), "ACK"),
  };
}

Deno.test("message limits: whoever comes to a port goes on with what was used up there", () => {
  const key = "203.0.113.1:1", other = "203.0.113.9:2", connection = `tcp ${key}`;
  const ways: [string, string, (fake: ReturnType<typeof openRoom>, token: string) => void][] = [
    ["says goodbye", key, ({ leave }, token) => leave(key, token)],
    ["is taken for gone", key, () => {}],
    ["moves", key, ({ room }, token) => room.move(other, token)],
    ["hangs up", connection, ({ room }) => room.room.hungUp(peerOf(connection), room.now)],
  ];
  for (const [how, from, goes] of ways) {
    const fake = openRoom();
    for (let again = 0; again < 5; again++) {
      const token = fake.join(from);
      fake.say(from, token, 40);
      goes(fake, token);
    }
    assertEquals(fake.countOf(ATTACKER), 40, how);
    const token = fake.join(from);
    fake.say(from, token, 10);
    fake.room.pass(500);
    assertEquals(fake.countOf(ATTACKER), 50, `${how}: its pace is the same as if nobody had left`);
  }
});

Deno.test("message limits: what a silent member had used up is kept, and has filled again after its time", () => {
  // a message in 100 s
  const { room, countOf, join, say } = openRoom({ rate: 1 / 100, burst: 1 });
  const from = `${ATTACKER}:1`;
  say(from, join(from), 1);
  room.pass(61_000);
  assertEquals(room.room.size, 0);
  say(from, join(from), 1);
  assertEquals(countOf(ATTACKER), 1);
  room.pass(39_000);
  assertEquals(countOf(ATTACKER), 2);
});

Deno.test("message limits: 50 ports that join anew again and again say no more than ten members, and the reserve", () => {
  const { room, countOf, join, say, leave } = openRoom();
  const seconds = 10;
  for (let ms = 0; ms < seconds * 1000; ms += 100) {
    for (let port = 1; port <= 50; port++) {
      const from = `${ATTACKER}:${port}`, token = join(from);
      say(from, token, 40);
      leave(from, token);
    }
    room.pass(100);
  }
  const ofTen = 400 + 200 * seconds;
  assertGreaterOrEqual(countOf(ATTACKER), ofTen - 20);
  assertLessOrEqual(countOf(ATTACKER), ofTen + 400 + 100 * seconds);
});

Deno.test("message limits: new ports without end say no more than that either, and another IP address has its own", () => {
  const { room, countOf, timesOf, join, say } = openRoom();
  const honest = `${HALL}:1`, token = join(honest);
  for (let port = 1; port <= 500; port++) {
    const from = `${ATTACKER}:${port}`;
    say(from, join(from), 40);
    if (port % 100 === 0) room.pass(1000);
  }
  assertLessOrEqual(countOf(ATTACKER), 400 + 400 + 300 * 5);
  say(honest, token, 40);
  assertEquals(timesOf(honest), Array(40).fill(room.now));
});

/** A line each 10 s of each in a hall, and now and then an answer of all; returns how long each waited at most. */
function teach(fake: ReturnType<typeof openRoom>, ip: string, meanwhile: () => void = () => {}): number {
  const { room, timesOf, join, say } = fake;
  const students = Array.from({ length: 300 }, (_, i) => `${ip}:${1000 + i}`);
  const said = new Map<string, number[]>(), tokens = students.map(join);
  const speak = (i: number) => {
    say(students[i], tokens[i], 1);
    said.set(students[i], [...said.get(students[i]) ?? [], room.now]);
  };
  for (let ms = -10_000; ms < 40_000; ms += 100) {
    meanwhile();
    // whatever goes on meanwhile began before
    if (ms < 0) {
      room.pass(100);
      continue;
    }
    for (let i = ms / 100 % 100; i < 300; i += 100) speak(i);
    if (ms % 20_000 === 10_000) students.forEach((_, i) => speak(i));
    if (ms % 10_000 === 0) students.forEach((from, i) => room.v1(from, "GREETING", { id: 7, token: tokens[i] }));
    room.pass(100);
  }
  room.pass(10_000);
  return Math.max(...students.flatMap((from) => timesOf(from).map((at, i) => at - said.get(from)![i])));
}

Deno.test("message limits: a hall of 300 behind one IP address has no delay, nor beside some that say all they can", () => {
  assertEquals(teach(openRoom(), HALL), 0);
  const loud = Array.from({ length: 30 }, (_, i) => `${HALL}:${1 + i}`);
  for (const joinsAgain of [false, true]) {
    const fake = openRoom(), tokens = loud.map(fake.join);
    const speak = (from: string, i: number) => {
      fake.say(from, tokens[i], 2);
      if (!joinsAgain) return;
      fake.leave(from, tokens[i]);
      tokens[i] = fake.join(from);
    };
    assertEquals(teach(fake, HALL, () => loud.forEach(speak)), 0, `joins again: ${joinsAgain}`);
    assertLessOrEqual(loud.flatMap(fake.timesOf).length, 400 + 200 * 60 + 20 * loud.length);
  }
});

Deno.test("message limits: those that wait with one IP address take turns, and who leaves gives its turn back", () => {
  const { room, timesOf, join, say, leave } = openRoom();
  const loud = Array.from({ length: 40 }, (_, i) => `${ATTACKER}:${1 + i}`), tokens = loud.map(join);
  const speak = () => loud.forEach((from, i) => say(from, tokens[i], 32));
  const speakFor = (seconds: number) => {
    for (; seconds > 0; seconds--) {
      speak();
      room.pass(1000);
    }
  };
  speakFor(10);
  const before = loud.map((from) => timesOf(from).length);
  speakFor(10);
  // 200 a second, of 40
  for (const [i, from] of loud.entries()) {
    assertGreaterOrEqual(timesOf(from).length - before[i], 48, from);
    assertLessOrEqual(timesOf(from).length - before[i], 52, from);
  }
  for (let port = 1000; port < 3000; port++) {
    const from = `${ATTACKER}:${port}`, token = join(from);
    say(from, token, 32);
    leave(from, token);
  }
  const heard = loud.map((from) => timesOf(from).length);
  for (const [i, from] of loud.entries()) say(from, tokens[i], 32);
  room.pass(1000);
  for (const [i, from] of loud.entries()) assertGreaterOrEqual(timesOf(from).length - heard[i], 4, from);
});

Deno.test("message limits: who waits for its turn is not tried again before, whatever it sends", () => {
  const { room, timesOf, join, say } = openRoom();
  for (let port = 1; port <= 60; port++) say(`${ATTACKER}:${port}`, join(`${ATTACKER}:${port}`), 30);
  const from = `${ATTACKER}:99`, token = join(from);
  say(from, token, 32);
  const before = timesOf(from).length;
  for (let i = 0; i < 1000; i++) {
    room.v1(from, "MESSAGE", { token, stream: token, id: before + 1, first: 1, text: "again" });
  }
  const start = room.now;
  room.pass(3000);
  assertEquals(timesOf(from).length > before, true);
  assertLessOrEqual(timesOf(from)[before] - start, 61 * 5 + 10);
});

Deno.test("message limits: classic messages over the limit of an IP address are dropped and counted, apart from others", () => {
  const { room, countOf, timesOf, join, say } = openRoom();
  const ip = "10.0.0.1", v1 = `${ip}:60000`, token = join(v1);
  for (let port = 1; port <= 100; port++) {
    room.datagram(`${ip}:${port}`, "GREETING");
    for (let i = 0; i < 30; i++) room.datagram(`${ip}:${port}`, "MESSAGE hello");
  }
  assertEquals(countOf(ip), 400 + 400);
  assertEquals(ignoredBy(room.room), { "fast-messages": 3000 - 800 });
  say(v1, token, 40);
  assertEquals(timesOf(v1).length, 40);
});

Deno.test("message limits: all who try something out on one machine, and a room without a rate, have no common limit", () => {
  for (const [ip, rate] of [["127.0.0.1", RATE], ["[::1]", RATE], [ATTACKER, { rate: 0, burst: 0 }]] as const) {
    const { countOf, join, say } = openRoom(rate);
    for (let port = 1; port <= 100; port++) say(`${ip}:${port}`, join(`${ip}:${port}`), 40);
    assertEquals(countOf(ip), 4000, ip);
  }
});

Deno.test("message limits: what is kept of those who have left has its bounds, and a classic peer is not the same", () => {
  const limits = new Limits(RATE, new Ignored()), members = new Members();
  const member = (i: number, dialect: "v1" | "classic" = "v1") => {
    const peer = { ...peerOf(`10.${i >> 16}.${i >> 8 & 255}.${i & 255}:1`), validated: dialect === "v1" };
    return members.add({ peer, dialect, token: newToken() }, 0, 0);
  };
  /** Says all that a member may, and leaves; returns how much it was. */
  const use = (i: number, now: number, dialect?: "v1" | "classic") => {
    const who = member(i, dialect);
    let taken = 0;
    while (limits.takeMessageToken(who, now) === 0) taken++;
    limits.keepUnsaid(who, now);
    return taken;
  };
  for (let i = 0; i < 10_001; i++) use(i, 0);
  assertEquals([1, 10_000, 0].map((i) => use(i, 0)), [0, 0, 40]);
  assertEquals(use(10_000, 0, "classic"), 40);
  // what has filled again pushes out nothing
  const crowd = Array.from({ length: 10_001 }, (_, i) => member(20_000 + i));
  for (const who of crowd) limits.takeMessageToken(who, 5000);
  assertEquals(use(40_000, 5050), 40);
  for (const who of crowd) limits.keepUnsaid(who, 5050);
  assertEquals(use(40_000, 5050), 0);
});
