/** Arrivals and departures are told together, so a lecture that joins at once costs few datagrams. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { PresenceNotices } from "../../../server/room/presence.ts";
import { all, FakeRoom, one, to } from "../../support/fake_room.ts";

const A = "127.0.0.1:40001", B = "127.0.0.1:40002";

Deno.test("presence: arrivals within 100 ms share one notice, and departures share another", () => {
  const presence = new PresenceNotices();
  presence.arrived({ key: A, address: A, name: "Alice" }, 1000, 3);
  presence.arrived({ key: B, address: B }, 1050, 3);
  presence.departed({ key: "127.0.0.1:3", address: "127.0.0.1:3", name: "Carol" }, 1099, 3);
  assertEquals(presence.dueAt, 1100);
  assertEquals(presence.takeDue(1099), []);
  assertEquals(presence.takeDue(1100), [
    { type: "OFFLINE", at: 1100, members: [{ address: "127.0.0.1:3", name: "Carol" }] },
    { type: "ONLINE", at: 1100, members: [{ address: A, name: "Alice" }, { address: B, name: undefined }] },
  ]);
  assertEquals([presence.dueAt, presence.takeDue(5000)], [undefined, []]);
});

Deno.test("presence: the wait grows with the room, up to 5 s", () => {
  const wait = (members: number) => {
    const presence = new PresenceNotices();
    presence.arrived({ key: A, address: A }, 0, members);
    return presence.dueAt;
  };
  assertEquals([1, 50, 300, 2500, 100_000].map(wait), [100, 100, 600, 5000, 5000]);
});

Deno.test("presence: a member that comes and goes before the notice is due causes no notice", () => {
  const presence = new PresenceNotices();
  presence.arrived({ key: A, address: A, name: "Alice" }, 0, 1);
  presence.departed({ key: A, address: A, name: "Alice" }, 50, 1);
  assertEquals(presence.takeDue(100), []);
});

Deno.test("presence: a member that goes and comes back before the notices are due is in both notices", () => {
  const presence = new PresenceNotices();
  presence.departed({ key: A, address: A, name: "Alice" }, 0, 1);
  presence.arrived({ key: A, address: A, name: "Alicia" }, 50, 1);
  assertEquals(presence.takeDue(100).map((event) => [event.type, "members" in event && event.members]), [
    ["OFFLINE", [{ address: A, name: "Alice" }]],
    ["ONLINE", [{ address: A, name: "Alicia" }]],
  ]);
});

Deno.test("room: both departures are told when a member takes another's address and leaves at once", () => {
  for (const classic of [false, true]) {
    const room = new FakeRoom();
    room.join("127.0.0.1:9");
    const { token } = room.join(A, "Alice");
    if (classic) room.datagram(B, "SIGN-IN Bob");
    else room.join(B, "Bob");
    room.settle();
    room.move(B, token, "Alice");
    room.v1(B, "LEAVE", { id: 3, token });
    const offline = all(to(room.pass(1000), "127.0.0.1:9"), "OFFLINE").flatMap(({ members }) => members);
    assertEquals(offline, [{ address: B, name: "Bob" }, { address: B, name: "Alice" }]);
  }
});

Deno.test("room: the departure of a member that has just taken another name is told", () => {
  const room = new FakeRoom();
  room.join(B);
  const { token } = room.join(A, "Alice");
  room.settle();
  room.v1(B, "GREETING", { id: 2, token: room.join(B).token });
  room.v1(A, "SIGN-IN", { id: 2, token, name: "Alicia" });
  room.v1(A, "LEAVE", { id: 3, token });
  const offline = all(to(room.pass(1000), B), "OFFLINE").flatMap(({ members }) => members);
  assertEquals(offline.map(({ address }) => address), [A], "everybody was told that this address is online");
});

Deno.test("room: arrivals, new names, goodbyes and silence are events with a seq, told to v1 members", () => {
  const room = new FakeRoom();
  room.datagram("127.0.0.1:3", "GREETING");
  const { token } = room.join(A);
  const arrival = room.pass(100);
  assertEquals(one(arrival, "ONLINE").members, [{ address: "127.0.0.1:3", name: undefined }, {
    address: A,
    name: undefined,
  }]);
  assertEquals([one(arrival, "ONLINE").seq, one(arrival, "ONLINE").epoch], [1, room.room.epoch]);
  assertEquals(arrival.map(({ to }) => to), [A], "the arrived hears of itself, a classic member of nobody");
  room.v1(A, "SIGN-IN", { id: 2, token, name: "Alice" });
  assertEquals(one(room.pass(100), "RENAMED").members, [{ address: A, name: "Alice", before: undefined }]);
  room.join(B, "Bob");
  room.pass(100);
  room.v1(A, "LEAVE", { id: 3, token });
  const departure = one(room.pass(100), "OFFLINE");
  assertEquals([departure.seq, departure.members], [4, [{ address: A, name: "Alice" }]]);
  room.join("127.0.0.1:9");
  room.pass(30_000);
  room.join("127.0.0.1:9");
  const silent = all(to(room.pass(40_000), "127.0.0.1:9"), "OFFLINE");
  assertEquals(silent.flatMap(({ members }) => members), [{ address: B, name: "Bob" }]);
});

Deno.test("presence: a new name is told with the name before, and one that was had for a moment is not", () => {
  const notices = new PresenceNotices(), alice = { key: A, address: A };
  notices.renamed({ ...alice, name: "Ali" }, "Alice", 0, 2);
  notices.renamed({ ...alice, name: "Alicia" }, "Ali", 10, 2);
  notices.renamed({ key: B, address: B, name: "Bob" }, undefined, 20, 2);
  assertEquals(notices.takeDue(100), [{
    type: "RENAMED",
    at: 100,
    members: [{ address: A, name: "Alicia", before: "Alice" }, { address: B, name: "Bob", before: undefined }],
  }]);
  notices.renamed({ ...alice, name: "Ali" }, "Alicia", 200, 2);
  notices.renamed({ ...alice, name: "Alicia" }, "Ali", 210, 2);
  assertEquals(notices.takeDue(400), [], "it has its old name again");
  notices.renamed({ ...alice, name: "Ali" }, "Alicia", 500, 2);
  notices.departed({ ...alice, name: "Ali" }, 510, 2);
  assertEquals(notices.takeDue(700), [{ type: "OFFLINE", at: 700, members: [{ address: A, name: "Alicia" }] }]);
});

Deno.test("room: greeting again within the keep-alive causes no notice", () => {
  const room = new FakeRoom();
  const { token } = room.join(A, "Alice");
  room.pass(100);
  for (let id = 2; id < 60; id++) {
    room.v1(A, "SIGN-IN", { id, token, name: "Alice" });
    assertEquals([...all(room.pass(1000), "ONLINE"), ...all(room.pass(0), "OFFLINE")], []);
  }
});

for (
  const [how, pause] of [["in the same instant", 0], ["within three seconds", 10], ["within a minute", 200]] as const
) {
  Deno.test(`room: 300 members that join ${how} cost far fewer than 90,000 notices, and each is announced once`, () => {
    const room = new FakeRoom({ timeout: 3_600_000 });
    const sent = [];
    for (let i = 1; i <= 300; i++) {
      room.join(`10.0.${i >> 8}.${i & 255}:9090`, `Student-${i}`);
      sent.push(...room.pass(pause));
    }
    sent.push(...room.pass(60_000));
    const notices = all(sent, "ONLINE");
    const heartbeats = all(sent, "HEARTBEAT");
    // the first member hears of itself and of everyone who came with it or after it
    const heard = all(to(sent, "10.0.0.1:9090"), "ONLINE").flatMap(({ members }) => members);
    console.log(`  ${notices.length} notices and ${heartbeats.length} heartbeats for 300 who join ${how}`);
    assertEquals(heard.length, 300);
    assertEquals(new Set(heard.map(({ name }) => name)).size, 300);
    assertGreater(notices.length, 300);
    assertLess(notices.length, 25_000, "notices");
    // heartbeats follow the notices, so arrivals that are spread out cost more heartbeats
    if (pause <= 10) assertLess(notices.length + heartbeats.length, 10_000);
    else assertLess(notices.length + heartbeats.length, 60_000);
  });
}

Deno.test("presence: a crowd is cut into notices that fit into a datagram each", () => {
  const room = new FakeRoom();
  const longest = (n: number) => String.fromCodePoint(0x20000 + n) + "\u{20000}".repeat(31);
  for (let i = 0; i < 200; i++) {
    room.join(`[fe80::1234:5678:9abc:def0%${"z".repeat(15)}]:${10_000 + i}`, longest(i));
  }
  const sent = room.pass(100); // encoding one that is too long would have thrown
  const seqs = new Set(all(sent, "ONLINE").map(({ seq }) => seq));
  const names = all(to(sent, sent[0].to), "ONLINE").flatMap(({ members }) => members);
  assertEquals(new Set(names.map(({ name }) => name)).size, 200);
  assert(seqs.size < 50, `${seqs.size} notices`);
});
