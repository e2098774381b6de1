/** Which repeats are known to be some. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ChargedMessages } from "../../../server/room/charged_messages.ts";
import { OTHER_STREAM, STREAM } from "../../support/fake_room.ts";

const ALICE = { token: "a" }, BOB = { token: "b" }, PASS = "0123456789abcdef";

/** A message between Alice and Bob. */
function message(id: number, fields: { stream?: string; pass?: string } = {}) {
  return { pass: PASS, stream: STREAM, id, ...fields };
}

Deno.test("charged messages: any of the last 32 ids of a stream, each once, in any order", () => {
  const id = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constantFrom(2 ** 53 - 1, 2 ** 53 - 32, 2 ** 32, 2 ** 31));
  fc.assert(
    fc.property(fc.array(id), (ids) => {
      const charged = new ChargedMessages(), seen = new Set<number>();
      for (const id of ids) {
        const top = Math.max(0, ...seen);
        assertEquals(charged.takeRepeat(ALICE, message(id)), seen.has(id) && id > top - 32);
        charged.add(ALICE, message(id));
        seen.add(id);
      }
    }),
    { examples: [[[1, 33, 2, 1, 32, 64, 33]], [[1, 34, 2]]] },
  );
});

Deno.test("charged messages: each may be repeated 30 times, and then costs again", () => {
  const charged = new ChargedMessages();
  for (const id of [1, 2, 1, 33]) {
    assertEquals(charged.takeRepeat(ALICE, message(id)), false);
    charged.add(ALICE, message(id));
    for (let i = 0; i < 30; i++) assertEquals(charged.takeRepeat(ALICE, message(id)), true, `${id}`);
    assertEquals(charged.takeRepeat(ALICE, message(id)), false);
  }
});

Deno.test("charged messages: those of another stream or pair, and the other way, are others", () => {
  const charged = new ChargedMessages(), other = message(7, { stream: OTHER_STREAM });
  charged.add(ALICE, message(1));
  assertEquals(charged.takeRepeat(BOB, message(1)), false);
  assertEquals(charged.takeRepeat(ALICE, message(1, { pass: "fedcba9876543210" })), false);
  assertEquals(charged.takeRepeat(ALICE, message(1, { stream: OTHER_STREAM })), false);
  charged.add(ALICE, other);
  assertEquals([charged.takeRepeat(ALICE, message(1)), charged.takeRepeat(ALICE, other)], [false, true]);
  assertEquals([charged.hasFrom(ALICE, PASS), charged.hasFrom(BOB, PASS)], [true, false]);
});

Deno.test("charged messages: of so many pairs the one that was longest without a new one is forgotten", () => {
  const charged = new ChargedMessages();
  for (let i = 0; i < 20_000; i++) {
    charged.add(ALICE, message(1 + i));
    charged.add({ token: `${i}` }, message(1));
  }
  assertEquals(charged.takeRepeat(ALICE, message(20_000)), true);
  assertEquals([0, 19_999].map((i) => charged.takeRepeat({ token: `${i}` }, message(1))), [false, true]);
});
