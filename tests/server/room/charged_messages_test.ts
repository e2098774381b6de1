/** Which repeats are known to be some. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ChargedMessages } from "../../../server/room/charged_messages.ts";
import { OTHER_STREAM, STREAM } from "../../support/fake_room.ts";

const ALICE = { token: "a" }, BOB = { token: "b" };

Deno.test("charged messages: any of the last 32 ids of a stream, each once, in any order", () => {
  const id = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constantFrom(2 ** 53 - 1, 2 ** 53 - 32, 2 ** 32, 2 ** 31));
  fc.assert(
    fc.property(fc.array(id), (ids) => {
      const charged = new ChargedMessages(), seen = new Set<number>();
      for (const id of ids) {
        const top = Math.max(0, ...seen);
        assertEquals(charged.has(ALICE, BOB, STREAM, id), seen.has(id) && id > top - 32);
        charged.add(ALICE, BOB, STREAM, id);
        seen.add(id);
      }
    }),
    { examples: [[[1, 33, 2, 1, 32, 64, 33]]] },
  );
});

Deno.test("charged messages: those of another stream, and the other way, are others", () => {
  const charged = new ChargedMessages();
  charged.add(ALICE, BOB, STREAM, 1);
  assertEquals(charged.has(BOB, ALICE, STREAM, 1), false);
  assertEquals(charged.has(ALICE, BOB, OTHER_STREAM, 1), false);
  charged.add(ALICE, BOB, OTHER_STREAM, 7);
  assertEquals([charged.has(ALICE, BOB, STREAM, 1), charged.has(ALICE, BOB, OTHER_STREAM, 7)], [false, true]);
});

Deno.test("charged messages: of so many pairs the one that was longest without a new one is forgotten", () => {
  const charged = new ChargedMessages();
  for (let i = 0; i < 20_000; i++) {
    charged.add(ALICE, BOB, STREAM, 1 + i);
    charged.add({ token: `${i}` }, BOB, STREAM, 1);
  }
  assertEquals(charged.has(ALICE, BOB, STREAM, 20_000), true);
  assertEquals([0, 19_999].map((i) => charged.has({ token: `${i}` }, BOB, STREAM, 1)), [false, true]);
});
