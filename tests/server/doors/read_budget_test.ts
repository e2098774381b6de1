/** How much is read from connections. */
import { assert, assertEquals } from "@std/assert";
import { ReadBudget } from "../../../server/doors/read_budget.ts";

Deno.test("read budget: all connections together have 2 MB at once and 1 MB a second, and each gets its turn", () => {
  const budget = new ReadBudget(0), count = 100;
  const connections = Array.from({ length: count }, () => ({ note: budget.ofConnection(0), at: 0, bytes: 0 }));
  // each reads again as soon as it may, for 20 s
  for (let now = 0; now < 20_000; now++) {
    for (const connection of connections) {
      if (connection.at > now) continue;
      connection.bytes += 2048;
      connection.at = now + Math.max(1, connection.note(2048, now));
    }
  }
  const each = connections.map(({ bytes }) => bytes), all = each.reduce((sum, bytes) => sum + bytes, 0);
  const due = (22 << 20) * 2048 / 2148;
  assert(Math.abs(all - due) < 0.02 * due + count * 2048, `${all} of ${due}`);
  assert(Math.max(...each) - Math.min(...each) <= 2 * 2048, each.join());
  // who says little waits no longer than one read of each of them takes
  assert(budget.ofConnection(20_000)(10, 20_000) <= 1000 * count * 2148 / (1 << 20) + 1);
});

Deno.test("read budget: one connection that says single bytes is read 650 times a second", () => {
  const note = new ReadBudget(0).ofConnection(0);
  let reads = 0;
  for (let now = 0; now < 60_000;) {
    const pause = note(1, now);
    reads++;
    now += Math.max(pause, 1);
  }
  assertEquals(Math.round(reads / 100), Math.round((60 * 65_536 + 262_144) / 101 / 100));
});
