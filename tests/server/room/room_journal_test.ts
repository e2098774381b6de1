/** The room and its journal: nothing is acknowledged, told or counted before it is kept, and nothing is taken twice. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SEND_WINDOW } from "../../../protocol.ts";
import { FakeJournal } from "../../support/fake_journal.ts";
import {
  all,
  FakeRoom,
  type FakeRoomOptions,
  one,
  OTHER_STREAM,
  outline,
  settledId,
  STREAM,
  to,
} from "../../support/fake_room.ts";

const A = "127.0.0.1:40001", B = "127.0.0.1:40002", C = "[::1]:40003";

/** A room whose journal answers late. Alice and Bob are here, and what waited to be told of them is told. */
function late(options: FakeRoomOptions = {}) {
  const journal = new FakeJournal({ isLate: true });
  const room = new FakeRoom({ ...options, journal });
  const alice = room.join(A, "Alice").token, bob = room.join(B, "Bob").token;
  room.pass(100);
  const keep = (count?: number) => {
    for (const entry of journal.keep(count)) room.room.appended(entry, room.now);
    return room.delivery.take();
  };
  keep();
  room.settle();
  const message = (id: number, first = 1) =>
    room.v1(A, "MESSAGE", { token: alice, stream: STREAM, id, first, text: `${id}` });
  return { room, journal, keep, alice, bob, message };
}

Deno.test("journal: a message is told, acknowledged and counted when it is kept, not before", () => {
  const { room, journal, keep, message } = late();
  const { seq } = journal;
  assertEquals([message(1), room.room.statistics.messages], [[], 0]);
  assertEquals(message(1), [], "a repeat of what is not kept is not acknowledged");
  assertEquals(room.pass(60).length, 0);
  const sent = keep();
  assertEquals(outline(sent), [`${A} INCOMING`, `${B} INCOMING`]);
  assertEquals([one(to(sent, B), "INCOMING").seq, room.room.statistics.messages], [seq + 1, 1]);
  // the heartbeats are counted from here
  assertEquals(room.pass(99), []);
  assertEquals(outline(room.pass(1)), [`${A} HEARTBEAT`, `${B} HEARTBEAT`]);
  assertEquals(settledId(message(1)), 1);
  assertEquals([room.room.statistics.messages, journal.pending], [1, 0]);
});

Deno.test("journal: batches are told in their order, and a repeat is acknowledged up to what is kept", () => {
  const { room, keep, message } = late();
  for (const id of [1, 2, 3, 4, 5]) message(id);
  assertEquals(all(to(keep(2), B), "INCOMING").map(({ text }) => text), ["1", "2"]);
  assertEquals(settledId(message(4)), 2);
  assertEquals(settledId(message(1)), 1);
  assertEquals(all(to(keep(), B), "INCOMING").map(({ text }) => text), ["3", "4", "5"]);
  assertEquals(settledId(message(4)), 4);
  assertEquals(room.room.statistics.messages, 5);
});

Deno.test("journal: a newcomer begins behind what is kept, and gets what is kept after it came", () => {
  const { room, journal, keep, message } = late();
  message(1);
  const { seq, token } = room.join(C);
  assertEquals(seq, journal.seq);
  assertEquals(one(to(keep(), C), "INCOMING").seq, seq + 1);
  const range = { from: seq + 1, to: seq + 1 };
  assertEquals(all(room.v1(C, "RESEND", { token, epoch: journal.epoch, ...range }), "INCOMING").length, 1);
});

Deno.test("journal: what is not kept is not sent again", () => {
  const { room, journal, alice, keep, message } = late();
  message(1);
  const range = { token: alice, epoch: journal.epoch, from: journal.seq + 1, to: journal.seq + 1 };
  assertEquals(room.v1(A, "RESEND", range), []);
  keep();
  assertEquals(outline(room.v1(A, "RESEND", range)), [`${A} INCOMING`]);
});

Deno.test("journal: a member that is away or elsewhere when its message is kept does not say it twice", () => {
  for (const how of ["silence", "move"] as const) {
    const { room, journal, alice, keep } = late();
    const said = () => journal.kept.flatMap((event) => event.type === "INCOMING" ? [event.text] : []);
    room.say(A, alice, 1, "once");
    if (how === "silence") room.pass(61_000);
    const from = how === "silence" ? A : C;
    room.move(from, alice, "Alice");
    assertEquals(room.say(from, alice, 1, "once"), [], how);
    keep();
    assertEquals(settledId(room.say(from, alice, 1, "once")), 1, how);
    room.say(from, alice, 2, "and then");
    keep();
    assertEquals(said(), ["once", "and then"], how);
  }
});

Deno.test("journal: after a restart a repeat is known by what was kept, and what was not kept is taken", () => {
  for (const isKept of [true, false]) {
    const { journal, alice, message } = late();
    message(1);
    message(2);
    // the server is killed while the second is under way to the log
    journal.keep(isKept ? 2 : 1);
    journal.end();
    journal.isLate = false;
    const room = new FakeRoom({ journal });
    const { epoch } = room.join(C);
    assertEquals(epoch, journal.epoch);
    room.move(A, alice, "Alice");
    assertEquals(settledId(room.say(A, alice, 1, "1")), 1);
    const again = room.v1(A, "MESSAGE", { token: alice, stream: STREAM, id: 2, first: 1, text: "2" });
    if (isKept) assertEquals(settledId(again), 2);
    else assertEquals(one(to(again, C), "INCOMING").text, "2");
    const said = journal.kept.flatMap((event) => event.type === "INCOMING" ? [event.text] : []);
    assertEquals(said, ["1", "2"]);
  }
});

Deno.test("journal: what can't be kept is neither told nor acknowledged nor counted", () => {
  const { room, journal, alice, keep } = late();
  journal.isLate = false;
  journal.failure = new Error("the disk is full");
  assertThrows(() => room.say(A, alice, 1, "lost"), Error, "the disk is full");
  assertEquals([room.delivery.take(), room.room.statistics.messages], [[], 0]);
  journal.failure = undefined;
  assertEquals([keep(), journal.kept.some(({ type }) => type === "INCOMING")], [[], false]);
});

Deno.test("journal: a sender has no more under way than its window, and the room no more than 10,000 events", () => {
  const { room, journal, alice, keep, message } = late();
  for (let id = 1; id <= 100; id++) message(id, Math.max(1, id - 31));
  assertEquals(journal.pending, SEND_WINDOW);
  keep();
  // so it is when the stream goes on at a high id, as after a server has forgotten everything
  for (let id = 1000; id <= 1100; id++) {
    room.v1(A, "MESSAGE", { token: alice, stream: OTHER_STREAM, id, first: Math.max(1000, id - 31), text: "x" });
  }
  assertEquals(journal.pending, SEND_WINDOW);
  keep();
  // each stream that begins anew has a window of its own, but there is a limit for all
  for (let i = 0; journal.pending < 10_000; i++) {
    const token = room.join(`10.1.${i >> 8}.${i & 255}:9`).token;
    for (let id = 1; id <= 32; id++) room.say(`10.1.${i >> 8}.${i & 255}:9`, token, id, "x", token);
    assert(i < 1000);
  }
  room.say(A, alice, 1, "too many", alice);
  room.datagram(C, "GREETING");
  room.datagram(C, "MESSAGE too many");
  assertEquals(journal.pending, 10_000);
  keep();
  room.say(A, alice, 1, "again", alice);
  assertEquals(journal.pending, 1);
});

Deno.test("journal: without echo the author gets an ACK when its message is kept, wherever it is by then", () => {
  const { room, journal, alice, keep, message } = late({ echo: { datagrams: false } });
  message(1);
  room.move(C, alice, "Alice");
  const sent = keep();
  assertEquals(outline(sent).sort(), [`${B} INCOMING`, `${C} ACK`].sort());
  assertEquals(one(sent, "ACK").seq, journal.seq);
});

Deno.test("journal: without echo the author gets its ACK although it has left and come back elsewhere", () => {
  const { room, alice, keep, message } = late({ echo: { datagrams: false } });
  message(1);
  room.pass(61_000);
  keep();
  assertEquals(room.room.size, 0);
  room.move(A, alice, "Alice");
  room.v1(A, "MESSAGE", { token: alice, stream: STREAM, id: 2, first: 1, text: "2" });
  room.pass(61_000);
  room.move(C, alice, "Alice");
  assertEquals(one(to(keep(), C), "ACK").id, 2);
});

Deno.test("journal: it is told which owners of streams are here", () => {
  const told: string[] = [];
  class Watched extends FakeJournal {
    override ownerJoined = (token: string) => void told.push(`${token} joined`);
    override ownerLeft = (token: string, isForGood: boolean) => {
      told.push(`${token} ${isForGood ? "gone" : "silent"}`);
    };
  }
  const room = new FakeRoom({ journal: new Watched() });
  const { token } = room.join(A);
  room.move(C, token);
  room.datagram(B, "GREETING");
  room.v1(C, "LEAVE", { id: 1, token });
  room.pass(5000);
  room.join(A);
  room.pass(61_000);
  assertEquals(told, [`${token} joined`, `${token} gone`, `${token} joined`, `${token} silent`]);
});

Deno.test("journal: without echo a classic author gets no copy, although the journal answers late", () => {
  const { room, keep } = late({ echo: { datagrams: false } });
  room.datagram(C, "GREETING");
  assertEquals(room.datagram(C, "MESSAGE hello"), []);
  const sent = keep().filter(({ packet }) => packet.type === "INCOMING");
  assertEquals(outline(sent), [`${A} INCOMING`, `${B} INCOMING`]);
});

Deno.test("streams: a member can't speak in the stream of another, and is told so", () => {
  const room = new FakeRoom();
  const alice = room.join(A).token, bob = room.join(B).token;
  room.say(A, alice, 1, "mine");
  const sent = room.say(B, bob, 2, "not mine");
  assertEquals(outline(sent), [`${B} ERROR`]);
  const { code, id, stream } = one(sent, "ERROR");
  assertEquals([code, id, stream], ["stream-taken", 2, STREAM]);
  assertEquals(one(to(room.say(A, alice, 2, "still mine"), B), "INCOMING").text, "still mine");
  // nor when its owner has fallen silent
  room.pass(59_000);
  room.v1(B, "GREETING", { id: 1, token: bob });
  room.pass(2000);
  assertEquals(room.room.size, 1);
  assertEquals(one(room.say(B, bob, 3, "nor now"), "ERROR").code, "stream-taken");
  room.move(A, alice);
  assertEquals(settledId(room.say(A, alice, 2, "still mine")), 2);
});

Deno.test("streams: with --no-echo the name of a stream settles nobody else's message", () => {
  const room = new FakeRoom({ echo: { datagrams: false } });
  const alice = room.join(A), bob = room.join(B);
  const { seq } = one(room.say(A, alice.token, 1, "mine"), "ACK");
  const ask = (from: string, token: string) =>
    outline(room.v1(from, "RESEND", { token, epoch: alice.epoch, from: seq!, to: seq! }));
  assertEquals(ask(A, alice.token), [`${A} ACK`]);
  assertEquals(ask(B, bob.token), [`${B} INCOMING`]);
});
