/** What a client has found out of the ways: who is reached through the server only, and what is remembered of it. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { KnownWays, MAX_KNOWN } from "../../../client/session/known_ways.ts";
import { largestMap } from "../../support/largest_map.ts";
import { A, B, guess, message, pair, STRANGER } from "../../support/direct_messages.ts";
import { SERVER } from "../../support/fake_peers.ts";

const BOB = { pass: guess(1), address: B, name: "Bob" };

Deno.test("known ways: what came last counts, by the name in any spelling and by the address", () => {
  const known = new KnownWays();
  const both = () => [{ name: "bOB" }, { address: B }].map((who) => known.isRelayed(who));
  assertEquals(both(), [false, false]);
  known.heard(BOB, undefined, 0);
  assertEquals([both(), known.isRelayed({ name: "Alice" })], [[true, true], false]);
  known.heard(BOB, STRANGER, 10);
  assertEquals(both(), [false, false]);
  known.silent(BOB, 20);
  assertEquals(both(), [true, true]);
});

Deno.test("known ways: it does not go for another one who has the name or the address now", () => {
  const known = new KnownWays();
  known.silent(BOB, 0);
  known.named({ ...BOB, pass: guess(2), address: STRANGER });
  assertEquals([{ name: "Bob" }, { address: B }].map((who) => known.isRelayed(who)), [false, true]);
  known.heard({ ...BOB, name: "Robert" }, undefined, 10);
  assertEquals(["Bob", "Robert"].map((name) => known.isRelayed({ name })), [false, true]);
});

Deno.test("known ways: it goes for a member's new name, and for nobody who has the old one next", () => {
  const known = new KnownWays();
  known.silent(BOB, 0);
  known.noteRenamed([{ address: B, name: "Robert", before: "Bob" }]);
  const all = () => [{ name: "Bob" }, { name: "Robert" }, { address: B }].map((who) => known.isRelayed(who));
  assertEquals(all(), [false, true, true]);
  known.noteRenamed([{ address: STRANGER, name: "Rob", before: "Robert" }]);
  assertEquals([all(), known.isRelayed({ name: "Rob" })], [[false, false, true], false]);
});

Deno.test("known ways: a check may go to where a packet came from for two minutes, and once a second", () => {
  const known = new KnownWays();
  assertEquals(known.checkable(BOB.pass, 0), undefined);
  known.heard(BOB, STRANGER, 0);
  known.heard(BOB, undefined, 60_000);
  assertEquals([119_999, 120_000].map((at) => known.checkable(BOB.pass, at)), [STRANGER, undefined]);
  known.checked(BOB.pass, 10);
  known.heard(BOB, A, 20);
  assertEquals([1009, 1010].map((at) => known.checkable(BOB.pass, at)), [undefined, A]);
  known.silent(BOB, 2000);
  assertEquals([known.checkable(BOB.pass, 2000), known.isJustRelayed(BOB.pass, 61_999)], [undefined, true]);
  assertEquals(known.isJustRelayed(BOB.pass, 62_000), false);
});

Deno.test("known ways: of a crowd the last are remembered", () => {
  const known = new KnownWays();
  const largest = largestMap(() => {
    for (let i = 0; i < 3 * MAX_KNOWN; i++) {
      known.heard({ pass: guess(i), address: `192.0.2.1:${i}`, name: `User${i}` }, undefined, i);
    }
  });
  assertEquals([2 * MAX_KNOWN - 1, 2 * MAX_KNOWN].map((i) => known.isRelayed({ name: `User${i}` })), [false, true]);
  assertLessOrEqual(largest, 2 * MAX_KNOWN + 2);
});

Deno.test("known ways: in a conversation it outlives the way that is in use", () => {
  const { net, alice, bob } = pair({ relay: true });
  const isRelayed = () => [{ name: "Bob" }, { address: B }].map((who) => alice.direct.isRelayed(who));
  const isAliceRelayed = () => bob.direct.isRelayed({ name: "Alice" });
  net.loses = ({ from, to }) => from !== SERVER && to !== SERVER;
  alice.say("Bob", "one");
  net.pass(2000);
  // for Bob too, who has not written
  assertEquals([isRelayed(), isAliceRelayed()], [[true, true], true]);
  alice.act(alice.direct.allowRelay(false, net.now));
  alice.say("Bob", "two");
  net.pass(3000);
  assertEquals([isRelayed(), alice.failed.length], [[true, true], 0], "/direct only");
  net.pass(3000);
  assertEquals([isRelayed(), alice.failed.length], [[true, true], 1], "given up");
  net.loses = () => false;
  alice.say("Bob", "three");
  net.pass(100);
  assertEquals([isRelayed(), isAliceRelayed()], [[false, false], false]);
});

Deno.test("known ways: directly only, who never answers is known after the first text was given up", () => {
  const { net, alice } = pair();
  net.loses = ({ from, to }) => from !== SERVER && to !== SERVER;
  alice.act(alice.direct.allowRelay(false, net.now));
  alice.say("Bob", "one");
  net.pass(4000);
  assertEquals(alice.direct.isRelayed({ name: "Bob" }), false);
  net.pass(2000);
  assertEquals(alice.direct.isRelayed({ name: "Bob" }), true);
  // until something comes from there directly, whatever it is
  net.inject(message(1, "x", guess(3)), B, alice);
  assertEquals(alice.direct.isRelayed({ name: "Bob" }), false);
});
