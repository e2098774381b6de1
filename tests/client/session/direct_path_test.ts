/** The direct path to a peer: when it counts as open, and where it is checked. */
import { assertEquals } from "@std/assert";
import { DirectPath } from "../../../client/session/direct_path.ts";

const BOB = "192.168.1.22:40112", NAT = "203.0.113.7:61000";

/** Plays the path for a while; returns where checks went, answering those that `answers` lets through. */
function play(path: DirectPath, from: number, to: number, answers: (address: string) => boolean): string[] {
  const checked: string[] = [];
  for (let now = path.nextWake ?? Infinity; now < to; now = path.nextWake ?? Infinity) {
    if (now < from) now = from;
    for (const { id, to: address } of path.takeChecks(now)) {
      checked.push(address);
      if (answers(address)) path.answered(id, now);
    }
  }
  return checked;
}

Deno.test("direct path: it is taken for open for a second, and then only while checks are answered", () => {
  const path = new DirectPath();
  assertEquals([path.isSilent(0), path.address], [true, undefined]);
  path.name(BOB, 0);
  assertEquals([path.isSilent(999), path.isSilent(1000), path.address], [false, true, BOB]);
  play(path, 0, 10_000, () => true);
  assertEquals([path.isSilent(10_000), path.isSilent(12_000)], [false, true]);
  const checked = play(path, 10_000, 40_000, () => false);
  // 20 in the ten seconds after the last answer, and then one each three seconds
  assertEquals([path.isSilent(40_000), checked.length > 20, checked.length < 35], [true, true, true]);
  play(path, 40_000, 44_000, () => true);
  assertEquals([path.isSilent(44_000), path.address], [false, BOB]);
});

Deno.test("direct path: where the server's address is silent, the one that packets come from is used if it answers", () => {
  const path = new DirectPath();
  path.name(BOB, 0);
  if (path.wants(NAT, 10)) path.heard(NAT, 10);
  assertEquals(play(path, 10, 5000, (address) => address === NAT)[0], BOB);
  assertEquals([path.address, path.isSilent(5000)], [NAT, false]);
  // the server has another word
  path.name("192.168.1.22:50000", 5000);
  assertEquals(path.address, "192.168.1.22:50000");
});

Deno.test("direct path: an answer that was not asked for, or comes twice, shows nothing", () => {
  const path = new DirectPath();
  path.name(BOB, 0);
  const [{ id }] = path.takeChecks(0);
  assertEquals([path.answered(id + 1, 1), path.answered(id, 1), path.answered(id, 2)], [false, true, false]);
});

Deno.test("direct path: while it answers, no packet from elsewhere makes it send there", () => {
  const path = new DirectPath();
  path.name(BOB, 0);
  play(path, 0, 600, () => true);
  for (let i = 0; i < 100; i++) assertEquals(path.wants(`203.0.113.7:${61_000 + i}`, 600 + i), false);
  assertEquals(new Set(play(path, 700, 3000, () => true)), new Set([BOB]));
});

Deno.test("direct path: none by the server's word is silent, and asks nothing", () => {
  const path = new DirectPath();
  path.name(BOB, 0);
  path.name(undefined, 1);
  assertEquals([path.isSilent(1), path.address, path.nextWake, path.takeChecks(2)], [true, undefined, undefined, []]);
});
