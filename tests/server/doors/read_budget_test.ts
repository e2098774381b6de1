/** How much is read from connections. */
import { assert, assertEquals } from "@std/assert";
import { ReadBudget } from "../../../server/doors/read_budget.ts";

Deno.test("read budget: all connections together have 2 MB at once and 1 MB a second, and little more", () => {
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
  // beside it the free bytes of each, and a read each half second
  const most = (22 << 20) + count * (4096 + 20 * 1024 + 40 * 2048);
  assert(all > 0.9 * (22 << 20) * 2048 / 2148 && all < most, `${all}`);
  assert(Math.min(...each) > 0.2 * Math.max(...each), each.join());
});

Deno.test("read budget: who says little waits for nobody, however many others have come and gone", () => {
  const budget = new ReadBudget(0);
  for (let i = 0; i < 20_000; i++) budget.ofConnection(i / 2)(2048, i / 2);
  for (let i = 0; i < 200; i++) {
    const note = budget.ofConnection(10_000);
    for (let k = 0; k < 20; k++) note(2048, 10_000);
  }
  const note = budget.ofConnection(10_000);
  for (let now = 10_000; now < 20_000; now += 1000) assertEquals(note(80, now), 0);
  // and who says more waits for half a second at most
  for (let k = 0; k < 10; k++) assert(note(2048, 20_000) <= 500);
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
