/** How the room answers a MESSAGE that comes again: with what it became, or with when it may be repeated. */
import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { decode } from "../../../protocol.ts";
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
  type V1,
} from "../../support/fake_room.ts";

const A = "10.0.0.1:40001", B = "10.0.0.2:40002", C = "10.0.0.3:40003";
/** Of how many events behind it the latest is, that answers a repeat. */
const LOOK_BACK = 64;

/** A room in which Alice and Bob have joined. */
function roomOfTwo(options: FakeRoomOptions = {}) {
  const room = new FakeRoom(options);
  const alice = room.join(A, "Alice"), bob = room.join(B, "Bob");
  room.settle();
  const { token } = alice;
  const send = (id: number, { first = 1, stream = STREAM, text = `${id}` } = {}) =>
    room.v1(A, "MESSAGE", { token, stream, id, first, text });
  const bobSays = (id: number) => room.say(B, bob.token, id, `${id}`, OTHER_STREAM);
  return { room, alice, bob, send, bobSays };
}

Deno.test("repeats: one is answered by the event alone that it became, as RESEND brings it, and only to its sender", () => {
  const { room, alice: { token, epoch }, bobSays } = roomOfTwo();
  bobSays(1);
  const message = { token, stream: STREAM, id: 1, action: true, text: "waves" } as const;
  const { seq } = one(to(room.v1(A, "MESSAGE", message), A), "INCOMING");
  bobSays(2);
  room.pass(5000);
  const again = room.v1(A, "MESSAGE", message);
  assertEquals(outline(again), [`${A} INCOMING`]);
  assertEquals(again, room.v1(A, "RESEND", { token, epoch, from: seq, to: seq }));
  assertEquals(one(again, "INCOMING").token, token);
  assertEquals(room.room.statistics.messages, 3);
});

Deno.test("repeats: beyond the latest 64 events one is answered by HEARTBEAT and ACK", () => {
  for (const echo of [true, false]) {
    const { alice: { token, epoch }, send, bobSays } = roomOfTwo({ echo: { datagrams: echo } });
    const { seq } = one(to(send(1), B), "INCOMING");
    for (let id = 1; id < LOOK_BACK; id++) bobSays(id);
    const stillThere = send(1);
    assertEquals(outline(stillThere), [`${A} ${echo ? "INCOMING" : "ACK"}`]);
    if (!echo) {
      const ack = { dialect: "v1", type: "ACK", token, stream: STREAM, id: 1, epoch, seq } as const;
      assertEquals(one(stillThere, "ACK"), ack, "with --no-echo it is the ACK that came the first time");
    }
    bobSays(LOOK_BACK);
    const sent = send(1);
    assertEquals(outline(sent), [`${A} HEARTBEAT`, `${A} ACK`]);
    assertEquals(one(sent, "ACK"), { dialect: "v1", type: "ACK", token, stream: STREAM, id: 1 });
    const latest = { token, epoch, seq: seq + LOOK_BACK };
    assertEquals(one(sent, "HEARTBEAT"), { dialect: "v1", type: "HEARTBEAT", ...latest });
  }
});

Deno.test("repeats: one whose event is not kept any more, or that was given up, is answered by HEARTBEAT and ACK", () => {
  const { send, bobSays } = roomOfTwo({ window: { events: 2 } });
  send(1);
  for (const id of [1, 2]) bobSays(id);
  const answer = [`${A} HEARTBEAT`, `${A} ACK`];
  assertEquals(outline(send(1)), answer);
  send(3, { first: 3 });
  assertEquals(outline(send(2, { first: 2 })), answer);
});

Deno.test("repeats: one is never answered by what another member or another stream has under the same id", () => {
  const { room, bob, send, bobSays } = roomOfTwo();
  send(1);
  bobSays(1);
  const { stream, text } = one(send(1), "INCOMING");
  assertEquals([stream, text], [STREAM, "1"]);
  assertEquals(one(room.say(B, bob.token, 1, "1", STREAM), "ERROR").code, "stream-taken");
  const third = "77aa01c2d3e4f506";
  send(1, { stream: third });
  assertEquals(one(send(1, { stream: third }), "INCOMING").stream, third);
});

Deno.test("repeats: what the journal has not kept yet is not answered, then by the event", () => {
  const journal = new FakeJournal();
  const { room, send } = roomOfTwo({ journal });
  journal.isLate = true;
  assertEquals([...send(1), ...send(1)], []);
  for (const entry of journal.keep()) room.room.appended(entry, room.now);
  room.delivery.take();
  assertEquals(outline(send(1)), [`${A} INCOMING`]);
});

/** The only HELD among what was sent, after a look at its bytes. */
function heldOf(sent: ReturnType<FakeRoom["pass"]>): V1<"HELD"> {
  const held = one(sent, "HELD"), decoded = decode(sent[0].bytes);
  assertEquals(outline(sent), [`${A} HELD`]);
  assert(decoded.ok);
  assertEquals(decoded.packet, JSON.parse(JSON.stringify(held)), "without what is undefined");
  return held;
}

Deno.test("held: the first repeat of what waits for its token is told when its turn comes, and the first copy nothing", () => {
  const { room, alice: { token }, send } = roomOfTwo({ rate: { rate: 10, burst: 3 } });
  for (const id of [1, 2, 3]) send(id);
  const waiting = [4, 5, 6, 7, 8];
  for (const id of waiting) assertEquals(send(id), []);
  const turns = new Map<number, number[]>();
  /** Repeats what waits, and notes when its turn is to come. */
  const repeat = () => {
    for (const id of waiting) {
      const answer = send(id);
      if (all(answer, "INCOMING").length > 0) continue;
      const { wait, ...held } = heldOf(answer);
      assertEquals(held, { dialect: "v1", type: "HELD", token, stream: STREAM, id });
      turns.set(id, [...turns.get(id) ?? [], room.now + wait!]);
    }
  };
  repeat();
  repeat();
  const saidAt = new Map<number, number>();
  for (let ms = 0; ms < 1000; ms++) {
    for (const { id } of all(to(room.pass(1), B), "INCOMING")) saidAt.set(id!, room.now);
    if (ms % 130 === 0) repeat();
  }
  assertEquals([...saidAt.keys()], waiting);
  for (const id of waiting) {
    assertGreater(turns.get(id)!.length, 2);
    for (const at of turns.get(id)!) assertLessOrEqual(Math.abs(at - saidAt.get(id)!), 10, `message ${id}`);
  }
  assertEquals(ignoredBy(room.room), {});
});

Deno.test("held: the wait is in whole milliseconds, not less than the time until there is a token", () => {
  const { send } = roomOfTwo({ rate: { rate: 3, burst: 1 } });
  for (const id of [1, 2, 3]) send(id);
  const [second, third] = [2, 3].map((id) => heldOf(send(id)).wait!);
  assertEquals(third - second, 334, "of 333.3");
});

Deno.test("held: what waits for one before it is told so, and is said as soon as that comes", () => {
  for (const rate of [0, 20]) {
    const { room, send } = roomOfTwo({ rate: { rate, burst: 2 * rate } });
    send(1);
    assertEquals(send(3), []);
    for (const id of [3, 3]) {
      // it need not be said again: the one that is missing is
      assertEquals(heldOf(send(id)).wait, undefined);
    }
    assertEquals(all(to(send(2), B), "INCOMING").map(({ text }) => text), ["2", "3"]);
    assertEquals(settledId(send(3)), 3);
    assertEquals(room.room.statistics.messages, 3);
  }
});

Deno.test("held: with --rate 0 nothing in its order waits, so nothing is told", () => {
  const { send } = roomOfTwo({ rate: { rate: 0, burst: 0 } });
  for (let id = 1; id <= 200; id++) {
    assertEquals(outline(send(id)), [`${A} INCOMING`, `${B} INCOMING`]);
    assertEquals(outline(send(id)), [`${A} INCOMING`]);
  }
});

Deno.test("held: what waits for the journal is told a short time", () => {
  const journal = new FakeJournal();
  const { room, send } = roomOfTwo({ journal });
  journal.isLate = true;
  // `first` goes ahead, as if the sender had given up what is not kept yet
  for (let id = 1; id <= 33; id++) send(id, { first: Math.max(1, id - 31) });
  const { wait = 0 } = heldOf(send(33, { first: 2 }));
  assertGreater(wait, 0);
  assertLess(wait, 100);
  for (const entry of journal.keep()) room.room.appended(entry, room.now);
  room.pass(wait);
  assertEquals(journal.pending, 1);
});

Deno.test("held: each answer costs a token of requests, and without one the message is said at its turn all the same", () => {
  const { room, alice: { token }, send } = roomOfTwo({ rate: { rate: 1, burst: 1 } });
  send(1);
  send(2);
  let answers = 0;
  for (let i = 0; i < 1500; i++) answers += send(2).length;
  assertEquals([answers, ignoredBy(room.room)], [1000, { "fast-requests": 500 }]);
  assertEquals(room.v1(A, "LIST", { id: 1, token }), []);
  assertEquals(all(to(room.pass(1000), B), "INCOMING").map(({ text }) => text), ["2"]);
});

Deno.test("held: nobody else is told, and nothing is told of a stream that was left", () => {
  const { room, alice: { token }, bob, send } = roomOfTwo({ rate: { rate: 1, burst: 1 } });
  send(1);
  send(2);
  const from = (address: string, token: string) =>
    room.v1(address, "MESSAGE", { token, stream: STREAM, id: 2, first: 1, text: "2" });
  assertEquals(one(from(C, token), "ERROR").code, "not-joined");
  assertEquals(one(from(B, bob.token), "ERROR").code, "stream-taken");
  // what waited in the stream before is dropped
  assertEquals(send(1, { stream: OTHER_STREAM }), []);
  assertEquals(send(2), [], "it has come for the first time");
  assertEquals(one(send(2), "HELD").id, 2);
});

Deno.test("repeats: one with another text than before brings no event, which may be much longer", () => {
  const { send } = roomOfTwo();
  send(1);
  assertEquals(outline(send(1)), [`${A} INCOMING`]);
  assertEquals(outline(send(1, { text: "x" })), [`${A} HEARTBEAT`, `${A} ACK`]);
});
