/** How many PUNCHes a member gets when others look it up without end, and that whoever wants to write to it still can. */
import { assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { ReceiverLimits } from "../../../server/room/receiver_limits.ts";
import { all, FakeRoom, one, outline } from "../../support/fake_room.ts";

const BOB = "10.0.0.2:40112", ALICE = "10.0.0.1:52207";

/** A room with Bob, and who looks him up; `ask` returns what was sent in answer. */
function crowd(size: number) {
  const room = new FakeRoom();
  room.join(BOB, "Bob");
  const member = (address: string) => ({ address, token: room.join(address).token });
  const members = Array.from({ length: size }, (_, i) => member(`10.0.0.1:${1 + i}`));
  const ask = ({ address, token }: typeof members[number]) => room.v1(address, "LOOKUP", { id: 1, token, name: "Bob" });
  return { room, members, member, ask };
}

Deno.test("receiver limits: of all who look a member up without end from one IP address it gets 100 a second", () => {
  const { room, members, ask } = crowd(300);
  let punches = 0;
  for (let ms = 0; ms < 10_000; ms++) {
    // 1,000 look-ups a second, and so within the limits of one IP address
    const sent = ask(members[ms % members.length]);
    // each answer tells the pass all the same
    assertEquals(one(sent, "PEER").pass?.length, 16);
    punches += all(sent, "PUNCH").length;
    room.pass(1);
  }
  assertGreater(punches, 1000);
  assertLessOrEqual(punches, 200 + 10 * 100);
});

Deno.test("receiver limits: who looks a member up for the first time in a crowd from its own IP address gets through at once", () => {
  const { room, members, member, ask } = crowd(300);
  for (let ms = 0; ms < 5000; ms++) {
    ask(members[ms % members.length]);
    if (ms === 2500) assertEquals(outline(ask(member(ALICE))), [`${BOB} PUNCH`, `${ALICE} PEER`]);
    room.pass(1);
  }
});

Deno.test("receiver limits: who comes from another IP address than a crowd gets through each time", () => {
  const { room, members, member, ask } = crowd(300), elsewhere = "10.0.0.9:52207", alice = member(elsewhere);
  for (let ms = 0; ms < 5000; ms++) {
    ask(members[ms % members.length]);
    // what is lost is repeated with the next look-up
    if (ms % 250 === 0) assertEquals(outline(ask(alice)), [`${BOB} PUNCH`, `${elsewhere} PEER`], `${ms}`);
    room.pass(1);
  }
});

Deno.test("receiver limits: without a crowd each look-up causes a PUNCH", () => {
  const { room, members, ask } = crowd(10);
  for (let i = 0; i < 1000; i++) {
    assertEquals(all(ask(members[i % 10]), "PUNCH").length, 1);
    room.pass(10);
  }
});

/** Members at some IP addresses by turns, and Bob, whom they cause datagrams without end. */
function flood(size: number, { addresses = 1, rate, seconds }: { addresses?: number; rate: number; seconds: number }) {
  const limits = new ReceiverLimits(), bob = { key: "bob" };
  const by = Array.from({ length: size }, (_, i) => ({ token: `m${i}`, address: `10.1.${i % addresses}.1:${1 + i}` }));
  let passed = 0, sent = 0;
  return {
    limits,
    bob,
    /** Goes on for these seconds; returns how many Bob got in each of them. `each` is called each millisecond. */
    run(each: (now: number) => void = () => {}): number {
      for (let now = 0; now < 1000 * seconds; now++) {
        for (; sent < now * rate / 1000; sent++) passed += Number(limits.take(bob, by[sent % size], now));
        each(now);
      }
      return passed / seconds;
    },
  };
}

/** Sends texts, each again 100 ms after it was refused; returns when the last one has passed, from `since` on. */
function paster(take: (now: number) => boolean, count: number, since: number) {
  const due = new Map(Array.from({ length: count }, (_, i) => [i, since]));
  let doneAt = Infinity;
  return {
    each(now: number): void {
      for (const [i, at] of due) if (at <= now) take(now) ? due.delete(i) : due.set(i, now + 100);
      if (due.size === 0) doneAt = Math.min(doneAt, now);
    },
    get took() {
      return doneAt - since;
    },
  };
}

Deno.test("receiver limits: while one member floods another, even from the same IP address, 32 texts of a third pass at once", () => {
  for (const rate of [150, 500]) {
    for (const address of ["10.1.0.1:9", "10.2.0.1:9"]) {
      const { limits, bob, run } = flood(1, { rate, seconds: 10 }), alice = { token: "alice", address };
      const paste = paster((now) => limits.take(bob, alice, now), 32, 5000);
      assertLessOrEqual(run(paste.each), 100 + 200 / 10);
      assertLess(paste.took, 100);
    }
  }
});

Deno.test("receiver limits: a crowd of 1,000 with one IP address causes 100 a second, and others go on from elsewhere", () => {
  const { limits, bob, run } = flood(1000, { rate: 2200, seconds: 20 });
  const alice = { token: "alice", address: "10.0.0.1:9" };
  const paste = paster((now) => limits.take(bob, alice, now), 40, 10_000);
  assertLessOrEqual(run(paste.each), 100 + 200 / 20);
  assertLess(paste.took, 500);
});

Deno.test("receiver limits: a crowd with many IP addresses causes 20 a second for each, and nobody elsewhere is kept waiting", () => {
  for (const addresses of [2, 3, 10, 100]) {
    const { limits, bob, run } = flood(1000, { addresses, rate: 2200, seconds: 20 });
    const alice = { token: "alice", address: "10.0.0.1:9" };
    const paste = paster((now) => limits.take(bob, alice, now), 40, 10_000);
    const passed = run(paste.each);
    assertLessOrEqual(passed, 100 + addresses * 20 + (200 + addresses * 60) / 20, `${addresses}`);
    assertLess(paste.took, 2000, `${addresses}`);
  }
});

Deno.test("receiver limits: who is forgotten for thousands of others gets no more by that", () => {
  const limits = new ReceiverLimits(), mallory = { token: "m", address: "10.0.0.1:1" };
  let passed = 0;
  for (let now = 0; now < 10_000; now++) {
    for (let i = 0; i < 5; i++) limits.take({ key: `other ${5 * now + i}` }, mallory, now);
    passed += Number(limits.take({ key: "bob" }, mallory, now));
  }
  assertLessOrEqual(passed, 200 + 10 * 100);
});

Deno.test("receiver limits: each member has its own", () => {
  const limits = new ReceiverLimits(), mallory = { token: "m", address: "10.0.0.1:1" };
  for (let i = 0; i < 1000; i++) limits.take({ key: "bob" }, mallory, 0);
  assertEquals(limits.take({ key: "bob" }, mallory, 0), false);
  assertEquals(limits.take({ key: "carol" }, mallory, 0), true);
  // and the other way is another one
  assertEquals(limits.take({ key: "m" }, { token: "bob", address: "10.0.0.2:1" }, 0), true);
});
