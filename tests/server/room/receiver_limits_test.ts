/** How many PUNCHes a member gets when others look it up without end, and that whoever wants to write to it still can. */
import { assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
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

Deno.test("receiver limits: of all who look a member up without end it gets 100 a second, and one in 500 ms for each", () => {
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
  assertLessOrEqual(punches, 200 + 10 * (100 + 300 * 2));
});

Deno.test("receiver limits: who looks a member up for the first time in a crowd from its own IP address gets through at once", () => {
  const { room, members, member, ask } = crowd(300);
  let alice: ReturnType<typeof member> | undefined;
  for (let ms = 0; ms < 5000; ms++) {
    ask(members[ms % members.length]);
    if (ms === 2500) {
      alice = member(ALICE);
      assertEquals(outline(ask(alice)), [`${BOB} PUNCH`, `${ALICE} PEER`]);
    }
    // what is lost is repeated with the second look-up after it, before a client goes through the server
    if (alice && ms === 2750) assertEquals(outline(ask(alice)), [`${ALICE} PEER`]);
    if (alice && ms === 3250) assertEquals(outline(ask(alice)), [`${BOB} PUNCH`, `${ALICE} PEER`]);
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

Deno.test("receiver limits: each member has its own", () => {
  const limits = new ReceiverLimits(), mallory = { token: "m" };
  for (let i = 0; i < 1000; i++) limits.take({ token: "bob" }, mallory, 0);
  assertEquals(limits.take({ token: "bob" }, mallory, 0), false);
  assertEquals(limits.take({ token: "carol" }, mallory, 0), true);
  // and the other way is another one
  assertEquals(limits.take(mallory, { token: "bob" }, 0), true);
});
