/** What is told to who may not come in by classic datagrams, whose addresses may be forged. */
import { assertEquals, assertLess } from "@std/assert";
import { ignoredBy } from "../../support/fake_room.ts";
import { OrderRoom, read } from "../../support/order_room.ts";

const NEAR = "10.0.0.3:40003", FAR = "203.0.113.5:53";

Deno.test("classic entry: who may not speak classic gets nothing, whatever is locked or banned", () => {
  for (const from of ["off", []] as const) {
    const room = new OrderRoom({ classic: { from: from === "off" ? from : [...from] } });
    room.order("lock");
    room.order("ban 203.0.113.0/24");
    assertEquals([room.datagram(FAR, "GREETING"), room.datagram(FAR, "SIGN-IN Bob")], [[], []]);
    const told = from === "off" ? "" : "INCOMING !! The room is locked: nobody new may come in now\n";
    assertEquals(read(room.datagram(NEAR, "GREETING\n"), NEAR), told);
    assertEquals(ignoredBy(room.room)["refused-classic"], from === "off" ? 3 : 2);
  }
});

Deno.test("classic entry: from however many addresses greetings come, few lines are told in all", () => {
  for (const [options, order] of [[{}, "lock"], [{ membersOnly: true }, undefined]] as const) {
    const room = new OrderRoom({ classic: { from: "any", accountsOnly: "membersOnly" in options } });
    if (order) room.order(order);
    const flood = () => {
      let answers = 0;
      for (let i = 0; i < 30_000; i++) {
        answers += room.datagram(`198.${18 + (i >> 16)}.${i >> 8 & 255}.${i & 255}:53`, "GREETING").length;
      }
      return answers;
    };
    assertEquals(flood(), 20);
    room.pass(1000);
    assertLess(flood(), 21);
    // who was not told for want of a turn is told later
    room.pass(1000);
    assertEquals(room.datagram("198.18.117.47:53", "GREETING").length, 1);
  }
});
