/** Further copies of events: who gets them, how many and when, and that they stay few whatever anybody says. */
import { assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { type EventPacket, MAX_COPY, type V1Packet } from "../../../protocol.ts";
import { COPY_DELAYS_MS, copyCount } from "../../../protocol/reliable/copies.ts";
import { EventCopies } from "../../../server/room/event_copies.ts";
import type { Member } from "../../../server/room/members.ts";
import type { Sent } from "../../support/fake_delivery.ts";
import { all, FakeRoom, type FakeRoomOptions, one, OTHER_STREAM, to } from "../../support/fake_room.ts";

const A = "10.0.0.1:40001", B = "10.0.0.2:40002", C = "10.0.0.3:40003";
const MOST = COPY_DELAYS_MS.length;
/** For so long further copies of an event may come, in milliseconds. */
const SPAN_MS = COPY_DELAYS_MS[MOST - 1];
/** So many percent that whoever loses as many gets as many copies as there are. */
const MUCH = 50;

const memberOf = (token: string) => ({ token, key: token, dialect: "v1" }) as Member;

/** The copies alone, with a clock that stands still until a test moves it. */
class Copies {
  readonly sent: { to: string; packet: V1Packet; at: number }[] = [];
  readonly copies = new EventCopies({
    send: ({ key }, packet) => void this.sent.push({ to: key, packet: packet as V1Packet, at: this.now }),
  });
  now = 1000;
  #seq = 0;

  plan(author?: Member): EventPacket {
    const place = { epoch: "91c4be20d7a35f68", seq: ++this.#seq, at: 0 };
    const event = { dialect: "v1", type: "INCOMING", ...place, from: A, text: "x" } as const;
    this.copies.plan(event, author, this.now);
    return event;
  }

  /** Moves the clock on, and returns all that is sent meanwhile. */
  pass(ms: number) {
    const end = this.now + ms;
    for (let at; (at = this.copies.dueAt) !== undefined && at <= end;) {
      assertGreater(at, this.now);
      this.now = at;
      this.copies.wake(at);
    }
    this.now = end;
    return this.sent.splice(0);
  }
}

Deno.test("copies: who loses more gets more of them, each after its delay, and who loses nothing gets none", () => {
  const clock = new Copies();
  const losses = [undefined, 0, 1, 2, 5, 10, 15, 20, 30, MUCH, 100];
  for (const loss of losses) clock.copies.noteLoss(memberOf(`${loss}`), loss);
  const event = clock.plan(), start = clock.now;
  const expected = COPY_DELAYS_MS.flatMap((delay, i) =>
    losses.filter((loss = 0) => copyCount(loss / 100) > i)
      .map((loss) => ({ to: `${loss}`, packet: { ...event, copy: i + 1 }, at: start + delay }))
  );
  assertEquals(clock.pass(1000), expected);
  assertEquals([copyCount(0), copyCount(MUCH / 100)], [0, MOST]);
  assertEquals(MOST, MAX_COPY);
});

Deno.test("copies: while nobody loses anything, nothing is planned", () => {
  const clock = new Copies(), alice = memberOf("a");
  clock.copies.noteLoss(alice);
  clock.copies.noteLoss(alice, 1);
  clock.plan();
  assertEquals([clock.copies.areWanted, clock.copies.dueAt, clock.pass(1000)], [false, undefined, []]);
});

Deno.test("copies: the author of an event gets none, the others do", () => {
  const clock = new Copies(), alice = memberOf("a"), bob = memberOf("b");
  for (const member of [alice, bob]) clock.copies.noteLoss(member, MUCH);
  clock.plan(alice);
  assertEquals(clock.pass(1000).map(({ to }) => to), Array(MOST).fill("b"));
  // it may have left and come back meanwhile
  clock.plan({ ...bob });
  assertEquals(clock.pass(1000).map(({ to }) => to), Array(MOST).fill("a"));
});

Deno.test("copies: who says that it loses less, and who has left, gets none any more, of what was planned either", () => {
  const ends: ((copies: EventCopies, member: Member) => void)[] = [
    (copies, member) => copies.noteLoss(member),
    (copies, member) => copies.noteLoss(member, 0),
    // the room tells of a member that has left with an object of its own
    (copies, member) => copies.forget({ ...member }),
  ];
  for (const end of ends) {
    const clock = new Copies(), alice = memberOf("a");
    clock.copies.noteLoss(alice, MUCH);
    clock.plan();
    assertEquals(clock.pass(COPY_DELAYS_MS[0]).length, 1);
    end(clock.copies, alice);
    assertEquals([clock.copies.areWanted, clock.pass(1000)], [false, []]);
    clock.plan();
    assertEquals(clock.pass(1000), []);
  }
});

Deno.test("copies: in a room where little is said each event has all of them, where much is said hardly any has one", () => {
  const copiesAt = (perSecond: number, seconds: number) => {
    const clock = new Copies();
    clock.copies.noteLoss(memberOf("a"), MUCH);
    for (let i = 0; i < perSecond * seconds; i++) {
      clock.plan();
      clock.sent.push(...clock.pass(1000 / perSecond));
    }
    return { clock, count: [...clock.sent.splice(0), ...clock.pass(SPAN_MS)].length };
  };
  assertEquals(copiesAt(4, 60).count, 4 * 60 * MOST);
  for (const perSecond of [50, 500]) {
    const { clock, count } = copiesAt(perSecond, 20);
    assertLess(count, 40, `${perSecond} events a second`);
    // it is quiet again
    clock.pass(5000);
    clock.plan();
    assertEquals(clock.pass(1000).length, MOST);
  }
});

Deno.test("copies: of 16 datagrams a second for one member the further copies get what the first ones leave, 32 at once", () => {
  const clock = new Copies();
  clock.copies.noteLoss(memberOf("a"), MUCH);
  for (let i = 0; i < 20; i++) clock.plan();
  assertEquals(clock.pass(1000).length, 8 * MOST, "8 events with 4 copies each");
  clock.pass(5000);
  let count = 0;
  for (let i = 0; i < 60 * 8; i++) {
    clock.plan();
    count += clock.pass(125).length;
  }
  assertLessOrEqual(Math.abs(count - 60 * (16 - 8) - 32), MOST);
});

Deno.test("copies: after a burst, however long, there are none for some two seconds", () => {
  const after = (ms: number) => {
    const clock = new Copies();
    clock.copies.noteLoss(memberOf("a"), MUCH);
    for (let i = 0; i < 1000; i++) clock.plan();
    clock.pass(ms);
    clock.plan();
    return clock.pass(1000).length;
  };
  assertEquals([1000, 1900, 2000].map(after), [0, 0, 0]);
  assertEquals([2200, 4000].map(after), [MOST, MOST]);
});

Deno.test("copies: however many members lose however much, all together get a bounded number a second", () => {
  const clock = new Copies();
  for (let i = 0; i < 20_000; i++) clock.copies.noteLoss(memberOf(`${i}`), 100);
  let count = 0;
  for (let i = 0; i < 50; i++) {
    clock.plan();
    count += clock.pass(200).length;
  }
  // 1000 at once and 3000 a second
  assertLessOrEqual(count, 1000 + 10 * 3000);
  assertGreater(count, 10 * 3000);
});

Deno.test("copies: where there are not enough for all, all get some in turn", () => {
  const clock = new Copies(), crowd = 10_000, got = new Map<string, number>();
  for (let i = 0; i < crowd; i++) clock.copies.noteLoss(memberOf(`${i}`), 100);
  for (let i = 0; i < 100; i++) {
    clock.plan();
    for (const { to } of clock.pass(200)) got.set(to, (got.get(to) ?? 0) + 1);
  }
  assertEquals(got.size, crowd);
  assertLessOrEqual(Math.max(...got.values()), 10 * Math.min(...got.values()));
});

Deno.test("copies: of any number of events at once only a few are kept", () => {
  const clock = new Copies();
  clock.copies.noteLoss(memberOf("a"), MUCH);
  for (let i = 0; i < 100_000; i++) clock.plan();
  assertLess(clock.pass(1000).length, 40);
  assertEquals(clock.copies.dueAt, undefined);
});

/** A room in which Alice, Bob and Carole have joined, and nothing is left to be told. */
function roomOfThree(options: FakeRoomOptions = {}) {
  const room = new FakeRoom(options);
  const [alice, bob, carole] = [[A, "Alice"], [B, "Bob"], [C, "Carole"]].map(([from, name]) => room.join(from, name));
  room.settle();
  let id = 0;
  /** Bob says something. Returns what is sent until all copies are due. */
  const say = () => [...room.say(B, bob.token, ++id, `${id}`, OTHER_STREAM), ...room.pass(SPAN_MS)];
  return { room, alice, bob, carole, say };
}

type Event = V1Packet & { copy?: number };
const copiesTo = (sent: Sent[], address: string) =>
  to(sent, address).flatMap(({ packet }) => (packet as Event).copy === undefined ? [] : [packet as Event]);

Deno.test("room: who says that it loses much gets copies of what others say, like the first but for `copy`", () => {
  const { room, alice, say } = roomOfThree();
  assertEquals(copiesTo(say(), A), []);
  room.v1(A, "GREETING", { id: 5, token: alice.token, loss: MUCH });
  const sent = say(), [first] = all(to(sent, A), "INCOMING");
  assertEquals(copiesTo(sent, A), COPY_DELAYS_MS.map((_, i) => ({ ...first, copy: i + 1 })));
  assertEquals([copiesTo(sent, B), copiesTo(sent, C)], [[], []]);
  const own = [...room.say(A, alice.token, 1, "mine"), ...room.pass(SPAN_MS)];
  assertEquals(copiesTo(own, A), [], "it repeats what it says itself");
  room.v1(A, "GREETING", { id: 6, token: alice.token });
  assertEquals(copiesTo(say(), A), []);
});

Deno.test("room: notices, arrivals and what classic members and connections say are copied too", () => {
  const { room, alice } = roomOfThree();
  room.v1(A, "GREETING", { id: 5, token: alice.token, loss: MUCH });
  const D = "10.0.0.4:40004";
  room.datagram(D, "GREETING");
  const arrival = room.pass(5000);
  assertEquals(copiesTo(arrival, A).map(({ type }) => type), Array(MOST).fill("ONLINE"));
  assertEquals(copiesTo(arrival, D), []);
  const said = [...room.datagram(D, "MESSAGE hello"), ...room.pass(SPAN_MS)];
  assertEquals(all(to(said, A), "INCOMING").map(({ copy }) => copy ?? 0), [0, ...COPY_DELAYS_MS.map((_, i) => i + 1)]);
});

Deno.test("room: with --no-echo an author that loses much gets its ACK, and no copies", () => {
  const { room, alice, bob } = roomOfThree({ echo: { datagrams: false } });
  for (const [from, { token }] of [[A, alice], [B, bob]] as const) {
    room.v1(from, "GREETING", { id: 5, token, loss: MUCH });
  }
  const sent = [...room.say(A, alice.token, 1, "mine"), ...room.pass(SPAN_MS)];
  assertEquals(to(sent, A).map(({ packet }) => packet.type), ["ACK"]);
  assertEquals(copiesTo(sent, B).length, MOST);
});

Deno.test("room: what is lost is told in each greeting and each RESEND", () => {
  const { room, alice, say } = roomOfThree(), { token, epoch, seq } = alice;
  const count = () => copiesTo(say(), A).length;
  const range = { from: seq + 1, to: seq + 1 };
  const ways: ((loss?: number) => void)[] = [
    (loss) => room.v1(A, "GREETING", { id: 5, token, loss }),
    (loss) => room.v1(A, "SIGN-IN", { id: 5, token, name: "Alice", loss }),
    (loss) => room.v1(A, "SIGN-IN", { id: 6, token, name: loss ? "Alicia" : "Alice", loss }),
    (loss) => room.v1(A, "RESEND", { token, epoch, ...range, loss }),
    (loss) => room.v1(A, "RESEND", { token, epoch: "0".repeat(16), ...range, loss }),
  ];
  for (const [i, tell] of ways.entries()) {
    tell(MUCH);
    room.pass(1000);
    assertEquals(count(), MOST, `way ${i}`);
    tell();
    room.pass(1000);
    // a RESEND that does not say what is lost changes nothing
    assertEquals(count(), i < 3 ? 0 : MOST, `way ${i}`);
    ways[0]();
  }
  // a newcomer may have measured it before it lost the server
  const D = "10.0.0.4:40004", newcomer = "00000000000000aa", cookie = room.cookie(D);
  one(room.v1(D, "GREETING", { id: 2, token: newcomer, cookie, loss: MUCH }), "WELCOME");
  assertEquals(copiesTo(say(), D).length, MOST);
});

Deno.test("room: what is lost counts only with the member's token and from its own address", () => {
  const D = "10.0.0.4:40004", WRONG = "00000000000000aa";
  for (const isLosing of [false, true]) {
    const { room, alice, bob, say } = roomOfThree(), { token, epoch, seq } = alice;
    if (isLosing) room.v1(A, "GREETING", { id: 5, token, loss: MUCH });
    const loss = isLosing ? undefined : MUCH, range = { epoch, from: seq + 1, to: seq + 1 };
    for (const [from, forged] of [[D, token], [A, WRONG], [A, bob.token], [C, token]]) {
      room.v1(from, "GREETING", { id: 6, token: forged, loss });
      room.v1(from, "GREETING", { id: 6, token: forged, cookie: WRONG, loss });
      room.v1(from, "SIGN-IN", { id: 6, token: forged, name: "Alice", loss });
      room.v1(from, "RESEND", { token: forged, ...range, loss });
    }
    room.v1(A, "GREETING", { id: 6, loss });
    const sent = say();
    assertEquals(copiesTo(sent, A).length, isLosing ? MOST : 0);
    assertEquals([B, C, D].flatMap((address) => copiesTo(sent, address)), []);
  }
});

Deno.test("room: a member that has moved gets copies where it is, and one that has left gets none", () => {
  const D = "10.0.0.4:40004";
  for (const how of ["move", "leave", "silence", "taken"] as const) {
    const { room, alice: { token }, bob, carole, say } = roomOfThree();
    room.v1(A, "GREETING", { id: 5, token, loss: MUCH });
    if (how === "move") {
      room.v1(D, "GREETING", { id: 6, token, cookie: room.cookie(D, { token }), loss: MUCH });
      const sent = say();
      assertEquals([copiesTo(sent, A).length, copiesTo(sent, D).length], [0, MOST]);
      continue;
    }
    // its copies are under way when it leaves
    room.say(C, carole.token, 1, "under way");
    if (how === "leave") one(room.v1(A, "LEAVE", { id: 6, token }), "ACK");
    if (how === "taken") room.move(A, "00000000000000aa", "Dave");
    if (how === "silence") {
      for (let s = 0; s < 62; s++) {
        room.v1(B, "GREETING", { id: 6, token: bob.token });
        room.v1(C, "GREETING", { id: 6, token: carole.token });
        room.pass(1000);
      }
    }
    const sent = [...room.pass(1000), ...say()];
    assertEquals(copiesTo(sent, A), [], how);
    assertEquals(room.room.size, how === "taken" ? 3 : 2);
  }
});
