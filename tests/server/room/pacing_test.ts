/** The pace of messages: what a member sends faster than the room takes it waits, in order, and is neither lost nor told. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { Member } from "../../../server/room/members.ts";
import { Pacing } from "../../../server/room/pacing.ts";
import { FakeJournal } from "../../support/fake_journal.ts";
import {
  all,
  FakeRoom,
  type FakeRoomOptions,
  ignoredBy,
  one,
  OTHER_STREAM,
  outline,
  settledId,
  STREAM,
  to,
} from "../../support/fake_room.ts";
import type { Sent } from "../../support/fake_delivery.ts";

const A = "127.0.0.1:40001", B = "127.0.0.1:40002", C = "[::1]:40003";

/** A room with Alice, who has a token for three messages at once, and then for one each 100 ms. */
function paced(options: FakeRoomOptions = {}) {
  const room = new FakeRoom({ rate: { rate: 10, burst: 3 }, ...options });
  const { token } = room.join(A);
  room.pass(500);
  const send = (id: number, { first = 1, stream = STREAM } = {}) =>
    room.v1(A, "MESSAGE", { token, stream, id, first, text: `${id}` });
  return { room, token, send };
}

const texts = (sent: Sent[]) => all(sent, "INCOMING").map(({ text }) => text);

Deno.test("pacing: members are due in the order in which they began to wait, at times rounded up to 10 ms", () => {
  const pacing = new Pacing();
  const [a, b, c] = ["a", "b", "c"].map((token) => ({ token }) as Member);
  assertEquals([pacing.dueAt, pacing.takeDue(1000)], [undefined, []]);
  pacing.wait(b, 1023);
  pacing.wait(a, 1021);
  pacing.wait(c, 1031);
  pacing.wait(b, 1029);
  assertEquals([pacing.dueAt, pacing.takeDue(1029)], [1030, []]);
  assertEquals(pacing.takeDue(1030), [b, a]);
  assertEquals(pacing.dueAt, 1040);
  pacing.wait(a, 1035);
  assertEquals(pacing.takeDue(2000), [c, a]);
  assertEquals(pacing.dueAt, undefined);
});

Deno.test("pacing: what is sent too fast is published in its order when there is a token, and not a word before", () => {
  const { room, send } = paced();
  assertEquals([1, 2, 3, 4, 5, 6].map((id) => texts(send(id))), [["1"], ["2"], ["3"], [], [], []]);
  const held = [`${A} HELD`];
  assertEquals([4, 5, 6].map((id) => outline(send(id))), [held, held, held], "a repeat of what waits settles nothing");
  assertEquals(settledId(send(3)), 3);
  room.pass(90);
  assertEquals(outline(send(6)), held);
  assertEquals(texts(room.pass(10)), ["4"]);
  assertEquals(settledId(send(4)), 4);
  assertEquals(outline(send(5)), held);
  assertEquals(texts(room.pass(200)), ["5", "6"]);
  assertEquals([room.room.statistics.messages, ignoredBy(room.room)], [6, {}]);
});

Deno.test("pacing: a token is taken when a message is published, so early ones and repeats take none", () => {
  const { room, send } = paced();
  for (let repeat = 0; repeat < 10; repeat++) assertEquals(texts([3, 4, 2, 5].flatMap((id) => send(id))), []);
  assertEquals(texts(send(1)), ["1", "2", "3"]);
  assertEquals(texts(room.pass(200)), ["4", "5"]);
});

Deno.test("pacing: each member has its own pace, and one that is slower does not wait for the others", () => {
  const { room, send } = paced();
  const { token } = room.join(B);
  for (let id = 1; id <= 20; id++) send(id);
  assertEquals(texts(to(room.say(B, token, 1, "me too", OTHER_STREAM), B)), ["me too"]);
  assertEquals(texts(to(room.pass(500), B)), ["4", "5", "6", "7", "8"]);
});

Deno.test("pacing: after the sender has given up the next message, it goes on with the first that it keeps", () => {
  const { room, send } = paced();
  for (const id of [1, 2, 3, 4, 6, 7]) send(id);
  assertEquals(texts(send(7, { first: 6 })), []);
  assertEquals(texts(room.pass(1000)), ["6", "7"]);
});

Deno.test("pacing: a member that has sent a window of messages has no more of them held", () => {
  const { room, send } = paced();
  for (let id = 1; id <= 1000; id++) send(id);
  assertEquals(texts(room.pass(59_000)).length, 32);
});

Deno.test("pacing: what waits for who leaves, falls silent or takes another stream is never said", () => {
  for (const how of ["leave", "silence", "stream"] as const) {
    // in 60 s a token comes once
    const { room, token, send } = paced({ rate: { rate: 1 / 120, burst: 1 } });
    for (const id of [1, 2, 3]) send(id);
    if (how === "leave") one(room.v1(A, "LEAVE", { id: 9, token }), "ACK");
    if (how === "silence") room.pass(61_000);
    if (how === "stream") assertEquals(send(1, { stream: OTHER_STREAM }), []);
    const sent = [];
    for (let minute = 0; minute < 10; minute++) {
      if (how === "stream") room.v1(A, "GREETING", { id: 9, token });
      sent.push(...room.pass(59_000));
    }
    assertEquals(texts(sent), how === "stream" ? ["1"] : [], how);
    if (how === "stream") continue;
    room.move(A, token);
    assertEquals(texts(send(2)), ["2"], `${how}: its sender was never told that it was taken`);
  }
});

Deno.test("pacing: a member that moves while its messages wait says them from its new address", () => {
  const { room, token, send } = paced();
  for (const id of [1, 2, 3, 4]) send(id);
  room.move(C, token, "Alice");
  const { from, name } = one(room.pass(100).filter(({ packet }) => packet.type === "INCOMING"), "INCOMING");
  assertEquals([from, name], [C, "Alice"]);
});

Deno.test("pacing: a stream that another member has used meanwhile is not spoken in", () => {
  const { room, send } = paced();
  const { token } = room.join(B);
  for (const id of [1, 2, 3]) send(id);
  assertEquals(send(1, { stream: OTHER_STREAM }), []);
  assertEquals(texts(to(room.say(B, token, 1, "mine", OTHER_STREAM), B)), ["mine"]);
  assertEquals(texts(room.pass(1000)), []);
  assertEquals(one(send(1, { stream: OTHER_STREAM }), "ERROR").code, "stream-taken");
  assertEquals(texts(to(send(4), B)), ["4"], "it still speaks in its own");
});

Deno.test("pacing: while the journal is behind, messages wait, and go on in their order when it has kept some", () => {
  const journal = new FakeJournal({ isLate: true });
  const room = new FakeRoom({ journal });
  const { token } = room.join(A);
  const keep = (count?: number) => {
    for (const entry of journal.keep(count)) room.room.appended(entry, room.now);
    return texts(room.delivery.take());
  };
  room.pass(500);
  keep();
  // `first` goes ahead, as if the sender had given up what is not kept yet
  const first = (id: number) => Math.max(1, id - 31);
  for (let id = 1; id <= 50; id++) {
    room.v1(A, "MESSAGE", { token, stream: STREAM, id, first: first(id), text: `${id}` });
  }
  room.pass(1000);
  assertEquals(journal.pending, 32);
  assertEquals(keep(3), ["1", "2", "3"]);
  room.pass(10);
  assertEquals(journal.pending, 32);
  assertEquals(keep().at(-1), "35");
  room.pass(10);
  assertEquals(keep(), Array.from({ length: 15 }, (_, i) => `${36 + i}`));
  assertEquals(room.room.statistics.messages, 50);
});

Deno.test("pacing: when as much as can be waits for the journal, a new message waits for a place", () => {
  const journal = new FakeJournal({ isLate: true });
  const room = new FakeRoom({ journal });
  const { token } = room.join(A);
  for (let i = 0; journal.pending < 10_000; i++) {
    const address = `10.1.${i >> 8}.${i & 255}:9`, { token } = room.join(address);
    for (let id = 1; id <= 32; id++) room.say(address, token, id, "x", token);
  }
  room.say(A, token, 1, "late", token);
  room.pass(1000);
  const said = () => journal.keep().flatMap(({ event }) => event.type === "INCOMING" ? [event.text] : []);
  assertEquals([said().includes("late"), ignoredBy(room.room)], [false, {}]);
  room.pass(10);
  assertEquals(said().at(-1), "late");
});

/** Lets 400 members send what comes after their first messages: 2,400 messages more than may be held. */
function fill(room: FakeRoom) {
  const crowd = Array.from({ length: 400 }, (_, i) => {
    const address = `10.1.${i >> 8}.${i & 255}:9`;
    return { address, token: room.join(address).token };
  });
  const send = () => {
    for (const { address, token } of crowd) {
      for (let id = 2; id <= 32; id++) room.v1(address, "MESSAGE", { token, stream: token, id, first: 1, text: "x" });
    }
  };
  send();
  return { crowd, send };
}

Deno.test("pacing: where no more may be held, what has a token is said, and the rest is dropped and counted", () => {
  const { room, send } = paced();
  fill(room);
  const before = ignoredBy(room.room)["queue-full"]!;
  assertEquals(before, 400 * 31 - 10_000);
  assertEquals([1, 2, 3, 4, 5].map((id) => texts(to(send(id), A))), [["1"], ["2"], ["3"], [], []]);
  assertEquals(ignoredBy(room.room)["queue-full"], before + 2);
  assertEquals(send(4), [], "nobody is told that it is held");
  room.delivery.take();
  assertEquals(texts(to(room.pass(100), A)), [], "it was not held");
  assertEquals(texts(to(send(4), A)), ["4"]);
});

Deno.test("pacing: what was dropped takes no place, so there is room again when a crowd has left", () => {
  const { room, send } = paced();
  const { crowd, send: sendAgain } = fill(room);
  for (let repeat = 0; repeat < 5; repeat++) sendAgain();
  const before = ignoredBy(room.room)["queue-full"];
  assertEquals(before, 6 * 2400);
  for (const { address, token } of crowd) room.v1(address, "LEAVE", { id: 9, token });
  send(2);
  assertEquals(ignoredBy(room.room)["queue-full"], before);
});

Deno.test("pacing: what was held in a stream that is another member's by now takes no place any more", () => {
  const { room, send } = paced({ rate: { rate: 1, burst: 1 } });
  for (let i = 0; i < 313; i++) {
    const [from, other] = [`10.1.${i >> 8}.${i & 255}:9`, `10.2.${i >> 8}.${i & 255}:9`];
    const { token } = room.join(from), { token: stream } = room.join(other);
    room.say(from, token, 1, "x", token);
    for (let id = 1; id <= 32; id++) room.v1(from, "MESSAGE", { token, stream, id, first: 1, text: "x" });
    room.say(other, stream, 1, "mine", stream);
  }
  const before = ignoredBy(room.room)["queue-full"]!;
  assertEquals(before, 313 * 32 - 10_000);
  send(2);
  assertEquals(ignoredBy(room.room)["queue-full"], before + 1);
  room.pass(1000);
  send(2);
  assertEquals(ignoredBy(room.room)["queue-full"], before + 1);
});

Deno.test("pacing: of thousands that are too fast nobody is left behind, and the room is woken 100 times a second", () => {
  const crowd = 5000;
  const room = new FakeRoom({ rate: { rate: 2, burst: 1 } });
  const said = new Map<string, number[]>();
  room.delivery.broadcast = (packet) => {
    if (packet.type !== "INCOMING") return;
    const ids = said.get(packet.from) ?? [];
    ids.push(packet.id!);
    said.set(packet.from, ids);
  };
  for (let i = 0; i < crowd; i++) {
    const address = `10.1.${i >> 8}.${i & 255}:9`, { token } = room.join(address);
    room.now += i % 7;
    for (const id of [1, 2, 3]) room.v1(address, "MESSAGE", { token, stream: token, id, first: 1, text: "x" });
  }
  let wakes = 0;
  const start = room.now, wake = room.room.wake.bind(room.room);
  room.room.wake = (now) => (wakes++, wake(now));
  room.pass(1010);
  assertEquals(said.size, crowd);
  for (const ids of said.values()) assertEquals(ids, [1, 2, 3]);
  // beside them there are heartbeats, and notices of who came
  assertLessOrEqual(wakes, (room.now - start) / 10 + 20);
  assert(wakes > 10);
});

Deno.test("pacing: with --no-echo the ACK comes when the message is said", () => {
  const { room, send } = paced({ echo: { datagrams: false } });
  for (const id of [1, 2, 3]) one(send(id), "ACK");
  assertEquals(send(4), []);
  assertEquals(outline(room.pass(99)).filter((line) => !line.endsWith("HEARTBEAT")), []);
  assertEquals(all(room.pass(1), "ACK").map(({ id }) => id), [4]);
});
