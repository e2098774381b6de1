/** How the room repairs losses: RESEND, GONE, heartbeats, and what they cost. */
import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { encode, MAX_TEXT_BYTES, type Packet } from "../../../protocol.ts";
import type { Member } from "../../../server/room/members.ts";
import { FakeJournal } from "../../support/fake_journal.ts";
import { all, FakeRoom, one, outline, settledId, to } from "../../support/fake_room.ts";

const A = "127.0.0.1:40001", B = "127.0.0.1:40002", C = "127.0.0.1:40003";

/** A room in which one member has said `count` messages, seq 1 to `count`, before any other event. */
function after(count: number, options: ConstructorParameters<typeof FakeRoom>[0] = {}) {
  const room = new FakeRoom(options);
  const { token, epoch } = room.join(A);
  for (let id = 1; id <= count; id++) room.say(A, token, id, `${id}`);
  return { room, token, epoch };
}

Deno.test("room: RESEND repeats the events with the token of the member that asks, and to nobody else", () => {
  const room = new FakeRoom();
  const { token, epoch } = room.join(A);
  room.join(B);
  const said = [1, 2, 3, 4].map((id) => one(to(room.say(A, token, id, `${id}`), A), "INCOMING"));
  room.now += 5000;
  const sent = room.v1(A, "RESEND", { token, epoch, from: 2, to: 3 });
  assertEquals(outline(sent), [`${A} INCOMING`, `${A} INCOMING`]);
  // what is undefined in an event is not kept, and not sent either
  const datagrams = (events: Packet[]) => events.map(encode).map((bytes) => new TextDecoder().decode(bytes));
  assertEquals(datagrams(all(sent, "INCOMING")), datagrams(said.slice(1, 3).map((event) => ({ ...event, token }))));
});

Deno.test("room: RESEND brings arrivals and departures too", () => {
  const room = new FakeRoom();
  const { token, epoch } = room.join(A, "Alice");
  room.pass(1000);
  const sent = room.v1(A, "RESEND", { token, epoch, from: 1, to: 1 });
  assertEquals(one(sent, "ONLINE").members, [{ address: A, name: "Alice" }]);
});

Deno.test("room: one RESEND brings at most 128 events, the first of the range", () => {
  const { room, token, epoch } = after(300);
  const seqs = all(room.v1(A, "RESEND", { token, epoch, from: 11, to: 300 }), "INCOMING").map(({ seq }) => seq);
  assertEquals(seqs, Array.from({ length: 128 }, (_, i) => 11 + i));
});

Deno.test("room: RESEND brings the events of the range that exist, and nothing for those that do not exist yet", () => {
  const { room, token, epoch } = after(3);
  assertEquals(room.v1(A, "RESEND", { token, epoch, from: 4, to: 9 }), []);
  assertEquals(room.v1(A, "RESEND", { token, epoch, from: 2 ** 53 - 2, to: 2 ** 53 - 1 }), []);
  assertEquals(room.v1(A, "RESEND", { token, epoch, from: 3, to: 2 ** 53 - 1 }).length, 1);
});

Deno.test("room: RESEND brings GONE for events that are no longer kept, and the rest of the range", () => {
  const { room, token, epoch } = after(30, { window: { events: 10 } });
  const sent = room.v1(A, "RESEND", { token, epoch, from: 5, to: 22 });
  assertEquals(one(sent, "GONE"), { dialect: "v1", type: "GONE", token, epoch, from: 5, to: 20 });
  assertEquals(all(sent, "INCOMING").map(({ seq }) => seq), [21, 22]);
  const past = room.v1(A, "RESEND", { token, epoch, from: 5, to: 8 });
  assertEquals(outline(past), [`${A} GONE`]);
  assertEquals(one(past, "GONE").to, 8);
});

Deno.test("room: RESEND for another epoch is answered by ERROR not-joined", () => {
  const { room, token } = after(3);
  const sent = room.v1(A, "RESEND", { token, epoch: "0000000000000000", from: 1, to: 3 });
  assertEquals(outline(sent), [`${A} ERROR`]);
  assertEquals(one(sent, "ERROR").code, "not-joined");
});

Deno.test("room: heartbeats with the latest seq follow an event at doubling pauses, and then stop", () => {
  const { room, epoch } = after(1);
  room.pass(99);
  const start = room.now - 99;
  const beats: number[] = [];
  // the arrival is announced after 100 ms and is an event too, so the heartbeats start again there
  while (room.now < start + 60_000 - 1) {
    for (const { seq, epoch: named } of all(room.pass(1), "HEARTBEAT")) {
      assertEquals([seq, named], [2, epoch]);
      beats.push(room.now - start);
    }
  }
  assertEquals(beats, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600]);
});

Deno.test("room: a heartbeat goes to v1 members only", () => {
  const { room } = after(1);
  room.datagram(B, "GREETING");
  assertEquals(to(room.pass(30_000), B), []);
});

Deno.test("room: another event starts the heartbeats again", () => {
  const { room, token } = after(1);
  room.settle();
  room.say(A, token, 2, "2");
  room.pass(1000);
  room.say(A, token, 3, "3");
  assertEquals(all(room.pass(99), "HEARTBEAT"), []);
  assertEquals(all(room.pass(1), "HEARTBEAT").map(({ seq }) => seq), [4]);
});

for (const members of [1, 30, 300, 1000, 10_000]) {
  Deno.test(`room: an isolated message costs less than ten times its own traffic, at ${members} members`, () => {
    const room = new FakeRoom({ timeout: 3_600_000 });
    for (let i = 1; i < members; i++) room.join(`10.${i >> 16}.${i >> 8 & 255}.${i & 255}:9`);
    const { token } = room.join(A);
    room.pass(120_000);
    const own = room.say(A, token, 1, "x").length;
    assertEquals(own, members);
    const all = room.pass(120_000);
    assertGreater(all.length, own, "at least one heartbeat shows it to those who lost it");
    assertLess(own + all.length, 10 * own);
    // in a large room the heartbeats stay at two rounds
    if (members >= 1000) assertLessOrEqual(all.length, 2 * own);
  });
}

Deno.test("room: a restored room keeps its epoch, seqs, names, tokens and streams", () => {
  const members = new Set<Member>();
  const journal = new FakeJournal();
  const first = new FakeRoom({ journal, observer: { joined: (member) => void members.add(member) } });
  const { token, epoch } = first.join(A, "Alice");
  first.datagram(B, "GREETING");
  first.say(A, token, 1, "before");
  first.pass(1000);

  journal.end();
  const second = new FakeRoom({ journal, members: [...members] });
  assertEquals([second.room.size, second.room.epoch], [2, epoch]);
  assertEquals(all(second.pass(200), "HEARTBEAT").map(({ seq }) => seq), [2], "who missed the end is told");
  assertEquals(settledId(second.say(A, token, 1, "before")), 1, "the repeat is still recognised");
  const sent = second.say(A, token, 2, "after");
  assertEquals(to(sent, A).map(({ packet }) => "seq" in packet && packet.seq), [3]);
  assertEquals(to(sent, B).length, 1);
  assertEquals(one(second.v1(A, "RESEND", { token, epoch, from: 1, to: 1 }), "INCOMING").text, "before");
  assertEquals(second.refused("127.0.0.1:5", "ALICE").code, "name-taken");
});

Deno.test("room: members of a restored room have the whole timeout to come back", () => {
  const members = new Set<Member>();
  const first = new FakeRoom({ observer: { joined: (member) => void members.add(member) } });
  first.join(A, "Alice");
  const second = new FakeRoom({ members: [...members] });
  second.pass(59_999);
  assertEquals(second.room.size, 1);
  second.pass(1);
  assertEquals(second.room.size, 0);
});

Deno.test("room: with --no-echo an author that has moved gets no copy, a new member at its old address does", () => {
  const room = new FakeRoom({ echo: { datagrams: false } });
  const { token, epoch } = room.join(A);
  const { seq } = one(room.say(A, token, 1, "mine"), "ACK");
  const moved = room.move(C, token);
  const other = room.move(A, "00000000000000aa");
  const ask = (from: string, token: string) => outline(room.v1(from, "RESEND", { token, epoch, from: seq!, to: seq! }));
  assertEquals(ask(C, moved.token), [`${C} ACK`]);
  assertEquals(ask(A, other.token), [`${A} INCOMING`]);
});

Deno.test("room: arrivals of classic members alone are no events", () => {
  const room = new FakeRoom();
  for (let i = 1; i <= 300; i++) room.datagram(`10.0.0.1:${i}`, "GREETING");
  room.pass(30_000);
  assertEquals(room.join(A).seq, 0);
});

Deno.test("room: the window is bounded in bytes as well", () => {
  const room = new FakeRoom({ window: { bytes: 20_000 } });
  const { token, epoch } = room.join(A);
  for (let id = 1; id <= 100; id++) room.say(A, token, id, "x".repeat(MAX_TEXT_BYTES));
  const sent = room.v1(A, "RESEND", { token, epoch, from: 1, to: 100 });
  const kept = all(sent, "INCOMING").length;
  assert(kept >= 5 && kept <= 22, `${kept} kept`);
  assertEquals(one(sent, "GONE").to, 100 - kept);
});

Deno.test("room: a flood of arrivals leaves the history as it is, and is repaired without a gap", () => {
  const { room, token, epoch } = after(20, { window: { events: 100 } });
  for (let port = 1; port <= 1000; port++) {
    room.datagram(`127.0.0.1:${port}`, "GREETING");
    room.pass(5000);
    // she stays
    room.v1(A, "GREETING", { id: 1, token });
  }
  const { seq } = one(room.v1(A, "GREETING", { id: 2, token }), "WELCOME");
  assertGreater(seq, 1000);
  assertEquals(all(room.v1(A, "RESEND", { token, epoch, from: 1, to: 20 }), "INCOMING").length, 20);
  const next = room.v1(A, "RESEND", { token, epoch, from: 21, to: seq });
  assertEquals(all(next, "ONLINE").map(({ seq, members }) => [seq, members.length]).at(-1), [148, 0]);
  assertEquals(next.length, 128);
  room.pass(1000);
  const last = all(room.v1(A, "RESEND", { token, epoch, from: seq - 10, to: seq }), "ONLINE");
  assertGreater(Math.min(...last.map(({ members }) => members.length)), 0, "the latest arrivals are kept");
});
