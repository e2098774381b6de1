/** Direct messages over a network that loses: each once, in order, to the right one, or a reason why not. */
import { assert, assertEquals, assertLessOrEqual, assertMatch, assertStringIncludes } from "@std/assert";
import type { V1Packet } from "../../../protocol.ts";
import { MAX_TEXT_BYTES } from "../../../protocol.ts";
import { type FakePeer, FakePeers, type NetworkOptions, passOf, SERVER } from "../../support/fake_peers.ts";

const A = "192.0.2.21:52207", B = "192.0.2.22:40112", STRANGER = "198.51.100.9:666";
const STREAM = "2be90f4417d6a3c8";
/** The time within which a message has arrived or its sender is told why not, in milliseconds. */
const DEADLINE_MS = 5000;

function pair(options?: NetworkOptions): { net: FakePeers; alice: FakePeer; bob: FakePeer } {
  const net = new FakePeers(options);
  return { net, alice: net.join(A, "Alice"), bob: net.join(B, "Bob") };
}

/** A message with the pass of Alice and Bob. */
function message(id: number, text: string, stream = STREAM, first = id, pass?: string): V1Packet {
  return { dialect: "v1", type: "MESSAGE", pass: pass ?? passOf(A, B), stream, id, first, text };
}

/** A message from an address that may be forged, without a pass. */
function stray(id: number, text: string, stream = STREAM, first = id): V1Packet {
  return { dialect: "v1", type: "MESSAGE", stream, id, first, text };
}

function texts(said: { text: string }[]): string[] {
  return said.map(({ text }) => text);
}

Deno.test("direct: looked up, sent straight to the peer, shown with the confirmed name, acknowledged", () => {
  const { net, alice, bob } = pair();
  alice.say("bob", "This is for you alone.");
  assertEquals(alice.direct.waiting, 1);
  net.pass(100);
  assertEquals(bob.shown, [{
    address: A,
    name: "Alice",
    confirmed: true,
    text: "This is for you alone.",
    at: bob.shown[0]?.at,
  }]);
  // in the name's own spelling, not as it was typed
  assertEquals(alice.delivered.map(({ name, acknowledged }) => [name, acknowledged]), [["Bob", true]]);
  assertEquals([alice.failed, bob.failed], [[], []]);
  assertEquals([alice.direct.waiting, alice.direct.nextWake, bob.direct.nextWake], [0, undefined, undefined]);
  for (const { from, to, packet } of net.wire) {
    if ("text" in packet) assert(from !== SERVER && to !== SERVER, "the text went by way of the server");
  }
  assertEquals(net.sent("PUNCH").map(({ to, packet }) => [to, packet.address]), [[B, A]]);
  assertEquals(net.sent("MESSAGE").map(({ packet }) => packet.token), [undefined]);
});

Deno.test("direct: of 30 % loss on every way, out of order, each message comes once and in order", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const { net, alice, bob } = pair({ loss: 0.3, delay: [2, 60], seed });
    const count = 120;
    const toBob = Array.from({ length: count }, (_, i) => `to Bob ${i}`);
    const toAlice = Array.from({ length: count }, (_, i) => `to Alice ${i}`);
    for (let i = 0; i < count; i++) {
      alice.say("Bob", toBob[i]);
      bob.say("Alice", toAlice[i]);
      net.pass(i % 10 === 0 ? 200 : 3);
    }
    net.pass(60_000);
    assertEquals([alice.failed, bob.failed], [[], []], `seed ${seed}`);
    assertEquals([texts(bob.shown), texts(alice.shown)], [toBob, toAlice], `seed ${seed}`);
    assertEquals([texts(alice.delivered), texts(bob.delivered)], [toBob, toAlice], `seed ${seed}`);
    // who it was is asked every 10 s only; of these questions, too, some are lost
    assert(bob.shown.every(({ name, confirmed }) => name === "Alice" && confirmed), `seed ${seed}`);
    assertEquals([alice.direct.waiting, bob.direct.waiting, bob.transactions.size], [0, 0, 0]);
  }
});

Deno.test("direct: nobody has the name: said at once, and once", () => {
  const { net, alice } = pair();
  alice.say("Nobody", "one", "two");
  net.pass(10_000);
  assertEquals(alice.failed.length, 1);
  const [{ name, count, reason, at }] = alice.failed;
  assertEquals([name, count], ["Nobody", 2]);
  assertMatch(reason, /nobody here has that name/);
  assertLessOrEqual(at, net.now - 10_000 + 50);
  assertEquals(net.sent("MESSAGE"), []);
  assertEquals(alice.direct.waiting, 0);
});

Deno.test("direct: the peer does not answer: said after 5 s, with its address", () => {
  const { net, alice } = pair();
  const began = net.now;
  net.members.push({ name: "Silent", address: STRANGER });
  alice.say("Silent", "hello?");
  net.pass(DEADLINE_MS - 100);
  assertEquals(alice.failed, []);
  // each look-up opens the NATs again
  const lookups = net.sent("LOOKUP").length;
  assert(lookups >= 4 && lookups <= 6, `${lookups} look-ups`);
  net.pass(10_000);
  assertEquals(alice.failed.length, 1);
  assertLessOrEqual(alice.failed[0].at - began, DEADLINE_MS);
  assertStringIncludes(alice.failed[0].reason, `${STRANGER} does not answer`);
  const sent = net.wire.length;
  net.pass(60_000);
  assertEquals(net.wire.length, sent, "goes on after it has given up");
});

Deno.test("direct: the server is silent: said after 5 s, and the processor rests until then", () => {
  const { net, alice } = pair();
  const began = net.now;
  net.serverAnswers = false;
  alice.say("Bob", "hello?");
  net.pass(20_000);
  assertEquals(alice.failed.length, 1);
  assertLessOrEqual(alice.failed[0].at - began, DEADLINE_MS);
  assertMatch(alice.failed[0].reason, /server does not say/);
  assertEquals(net.sent("MESSAGE"), []);
});

Deno.test("direct: after a failure the next message to the same name starts afresh and arrives", () => {
  const { net, alice, bob } = pair();
  net.serverAnswers = false;
  alice.say("Bob", "lost");
  net.pass(6000);
  net.serverAnswers = true;
  alice.say("Bob", "found");
  net.pass(1000);
  assertEquals([texts(alice.delivered), texts(bob.shown)], [["found"], ["found"]]);
  assertEquals(alice.failed.map(({ count }) => count), [1]);
});

Deno.test("direct: the late answer to a look-up that was given up does not touch the next message", () => {
  const { net, alice, bob } = pair();
  net.members[1].address = STRANGER;
  alice.say("Bob", "first");
  net.pass(3900);
  net.serverAnswers = false;
  net.pass(1200);
  assertEquals(alice.failed.map(({ count }) => count), [1]);
  // the question from just before is still open while the next message begins
  assertEquals(alice.transactions.size, 1);
  const { id } = net.sent("LOOKUP").at(-1)!.packet;
  net.members[1].address = B;
  net.serverAnswers = true;
  alice.say("Bob", "second");
  alice.answer({ dialect: "v1", type: "ERROR", token: STREAM, code: "no-such-user", id, text: "Bob is not here" });
  net.pass(8000);
  assertEquals(alice.failed.map(({ count }) => count), [1]);
  assertEquals([texts(alice.delivered), texts(bob.shown)], [["second"], ["second"]]);
});

Deno.test("direct: a peer that comes back at another address is found there", () => {
  const { net, alice, bob } = pair();
  net.members[1].address = STRANGER;
  alice.say("Bob", "where are you?");
  net.pass(2500);
  assertEquals(bob.shown, []);
  net.members[1].address = B;
  net.pass(1500);
  assertEquals(texts(bob.shown), ["where are you?"]);
  assertEquals(texts(alice.delivered), ["where are you?"]);
});

Deno.test("direct: before each new message the name is looked up anew", () => {
  const { net, alice, bob } = pair();
  alice.say("Bob", "one");
  net.pass(500);
  const carole = net.join("192.0.2.23:50001", "Carole");
  net.members[1].name = undefined;
  net.members[2].name = "Bob";
  alice.say("Bob", "two");
  net.pass(500);
  assertEquals([texts(bob.shown), texts(carole.shown)], [["one"], ["two"]]);
});

Deno.test("direct: a name is shown when the server has confirmed it, and nothing before", () => {
  const { net, bob } = pair();
  net.serverAnswers = false;
  net.inject(message(1, "I am Alice, honest"), A, bob);
  net.pass(1000);
  assertEquals(bob.shown, []);
  net.serverAnswers = true;
  net.pass(1500);
  assertEquals(bob.shown.map(({ name, confirmed }) => [name, confirmed]), [["Alice", true]]);
});

Deno.test("direct: from an address that the server does not know, the address with a mark and no name", () => {
  const { net, bob } = pair();
  net.inject(stray(1, "I am Alice, honest"), STRANGER, bob);
  net.pass(100);
  assertEquals(bob.shown.map(({ address, name, confirmed }) => [address, name, confirmed]), [
    [STRANGER, undefined, false],
  ]);
});

Deno.test("direct: while the server is silent, the address with a mark after at most 5 s", () => {
  const { net, bob } = pair();
  net.serverAnswers = false;
  const began = net.now;
  net.inject(message(1, "one"), A, bob);
  net.inject(message(2, "two"), A, bob);
  net.pass(10_000);
  assertEquals(bob.shown.map(({ text, name, confirmed }) => [text, name, confirmed]), [
    ["one", undefined, false],
    ["two", undefined, false],
  ]);
  for (const { at } of bob.shown) assertLessOrEqual(at - began, DEADLINE_MS);
});

Deno.test("direct: what still waits at the end is shown unconfirmed, also from who was confirmed long ago", () => {
  const { net, bob } = pair();
  net.inject(message(1, "one"), A, bob);
  net.pass(1000);
  net.pass(15_000);
  net.serverAnswers = false;
  net.inject(message(2, "two"), A, bob);
  bob.act(bob.inbox.showUnconfirmed(net.now));
  assertEquals(bob.shown.map(({ text, name, confirmed }) => [text, name, confirmed]), [
    ["one", "Alice", true],
    ["two", undefined, false],
  ]);
});

Deno.test("direct: a message that was acknowledged is shown, however many strangers come after it", () => {
  const { net, bob } = pair();
  net.serverAnswers = false;
  const stranger = (n: number) => `198.51.100.${n}:666`;
  // each begins in the middle of a stream, and says the beginning late
  for (let n = 1; n <= 32; n++) net.inject(stray(2, "late", STREAM, 1), stranger(n), bob);
  net.pass(4000);
  net.inject(stray(1, "first", STREAM, 1), stranger(1), bob);
  net.pass(2000);
  for (let n = 33; n <= 64; n++) net.inject(stray(1, "hi"), stranger(n), bob);
  net.pass(10_000);
  assertEquals(texts(bob.shown).slice(0, 2), ["first", "late"]);
});

Deno.test("direct: a member without a name is confirmed by the pass", () => {
  const { net, bob } = pair(), from = "192.0.2.24:61234";
  net.join(from);
  net.inject(message(1, "hi", STREAM, 1, passOf(from, B)), from, bob);
  net.pass(100);
  assertEquals(bob.shown.map(({ name, confirmed }) => [name, confirmed]), [[undefined, true]]);
});

Deno.test("direct: a datagram from a member's address without the pair's pass is not that member's", () => {
  const { net, alice, bob } = pair();
  alice.say("Bob", "It is me");
  net.pass(100);
  net.inject(stray(1, "I am Alice, honest", "00000000000000aa"), A, bob);
  for (const [i, pass] of ["00000000000000bb", passOf(A, STRANGER), passOf(B, STRANGER)].entries()) {
    net.inject(message(1, `guess ${i}`, `00000000000000a${i}`, 1, pass), A, bob);
  }
  net.pass(6000);
  assertEquals(bob.shown.map(({ text, name, confirmed }) => [text, name, confirmed]), [
    ["It is me", "Alice", true],
    ["I am Alice, honest", undefined, false],
    ...[0, 1, 2].map((i) => [`guess ${i}`, undefined, false] as [string, undefined, boolean]),
  ]);
});

Deno.test("direct: with the server's PUNCH the sender is known, and nothing is asked", () => {
  const { net, alice, bob } = pair();
  alice.say("Bob", "hi");
  net.pass(100);
  assertEquals(bob.shown.map(({ name, confirmed }) => [name, confirmed]), [["Alice", true]]);
  assertEquals(net.sent("LOOKUP").map(({ from }) => from), [A]);
});

Deno.test("direct: an answer about another address, with another pass, or to another question confirms nothing", () => {
  for (const wrong of [{ address: A }, { pass: passOf(A, B) }, { pass: undefined }]) {
    const { net, bob } = pair(), pass = "00000000000000bb";
    net.serverAnswers = false;
    net.inject(message(1, "I am Alice, honest", STREAM, 1, pass), STRANGER, bob);
    const { packet } = net.sent("LOOKUP")[0];
    const peer = { dialect: "v1", type: "PEER", address: STRANGER, name: "Alice", since: 1, pass } as const;
    assertEquals(bob.answer({ ...peer, id: packet.id + 1 }), false);
    assertEquals(bob.shown, []);
    bob.answer({ ...peer, id: packet.id, ...wrong });
    assertEquals(bob.shown.map(({ name, confirmed }) => [name, confirmed]), [[undefined, false]]);
  }
});

Deno.test("direct: the server's word is asked for again, so that a name that has moved is not believed for long", () => {
  const { net, bob } = pair();
  net.inject(message(1, "one"), A, bob);
  net.pass(1000);
  net.members[0].name = "Mallory";
  net.pass(15_000);
  net.inject(message(2, "two"), A, bob);
  net.pass(1000);
  assertEquals(bob.shown.map(({ name }) => name), ["Alice", "Mallory"]);
});

Deno.test("direct: a classic peer gets classic text, and nothing is promised", () => {
  const { net, alice } = pair();
  net.members.push({ name: "Dave", address: STRANGER, classic: true });
  alice.direct.say("dave", [{ text: "hello" }, { text: "waves", action: true }, { text: "x".repeat(856) }], net.now);
  net.pass(10_000);
  const classic = net.wire.filter(({ packet }) => packet.dialect === "classic");
  assertEquals(classic.map(({ to, packet }) => [to, packet.type, "line" in packet && packet.line]), [
    [STRANGER, "INCOMING", `<From ${A}:Alice>: hello`],
    [STRANGER, "INCOMING", `<From ${A}:Alice>: * Alice waves`],
    [STRANGER, "INCOMING", `<From ${A}:Alice>: ${"x".repeat(856)}`],
  ]);
  assertEquals(alice.delivered.map(({ name, acknowledged }) => [name, acknowledged]), [
    ["Dave", false],
    ["Dave", false],
    ["Dave", false],
  ]);
  assertEquals([alice.failed, net.sent("MESSAGE")], [[], []]);
});

Deno.test("direct: an acknowledgement from another address, of another stream or of what was not sent is not believed", () => {
  const { net, alice } = pair();
  net.members.push({ name: "Silent", address: STRANGER });
  alice.say("Silent", "one", "two");
  net.pass(100);
  const { stream } = net.sent("MESSAGE")[0].packet as { stream: string };
  const ack = { dialect: "v1", type: "ACK", stream, id: 2 } as const;
  net.inject(ack, B, alice);
  net.inject(ack, SERVER, alice);
  net.inject({ ...ack, stream: STREAM }, STRANGER, alice);
  net.inject({ ...ack, stream: undefined }, STRANGER, alice);
  net.inject({ ...ack, id: 3 }, STRANGER, alice);
  net.inject({ ...ack, id: 0 }, STRANGER, alice);
  net.inject({ ...ack, id: Number.MAX_SAFE_INTEGER }, STRANGER, alice);
  assertEquals([alice.delivered, alice.direct.waiting], [[], 2]);
  net.inject({ ...ack, id: 1 }, STRANGER, alice);
  assertEquals([texts(alice.delivered), alice.direct.waiting], [["one"], 1]);
  net.pass(10_000);
  assertEquals(alice.failed.map(({ count }) => count), [1]);
});

Deno.test("direct: a message for the server, and answers that only it may give, mean nothing from a peer", () => {
  const { net, bob } = pair();
  net.inject({ ...message(1, "x"), token: "5f1c0d9a7be2e604" } as V1Packet, STRANGER, bob);
  net.inject({ dialect: "v1", type: "PUNCH", token: STREAM, address: A, pass: passOf(A, B) }, STRANGER, bob);
  net.inject({ dialect: "v1", type: "CLOSING", epoch: STREAM }, STRANGER, bob);
  net.inject({ dialect: "v1", type: "ERROR", token: STREAM, code: "name-taken", id: 1, text: "x" }, STRANGER, bob);
  net.pass(10_000);
  assertEquals([bob.shown, net.wire], [[], []]);
});

Deno.test("direct: what could act on a terminal is made harmless", () => {
  const { net, bob } = pair();
  net.inject(message(1, "\x1b[2Jgone\x07\n\u202eevil"), A, bob);
  net.pass(100);
  assertEquals(texts(bob.shown), ["?[2Jgone???evil"]);
});

Deno.test("direct: a stream begins where its sender says, and extreme numbers do no harm", () => {
  const { net, bob } = pair();
  net.inject(message(7, "seven", STREAM, 7), A, bob);
  const last = Number.MAX_SAFE_INTEGER;
  net.inject(message(last, "the last", STREAM, last), A, bob);
  net.inject(message(last, "the last", STREAM, last), A, bob);
  net.inject(message(3, "from before", STREAM, 1), A, bob);
  net.pass(100);
  assertEquals(texts(bob.shown), ["seven", "the last"]);
});

Deno.test("direct: a flood from one address is held to a bound until the server has said who it is", () => {
  const { net, bob } = pair();
  net.serverAnswers = false;
  const text = "x".repeat(MAX_TEXT_BYTES);
  for (let i = 0; i < 20_000; i++) {
    const stream = (i % 1000).toString(16).padStart(16, "0");
    net.inject(message(1 + Math.floor(i / 1000), text, stream, 1, "00000000000000bb"), STRANGER, bob);
  }
  assertEquals(bob.transactions.size, 1);
  net.pass(6000);
  assertLessOrEqual(bob.shown.length, 200);
});

Deno.test("direct: a flood from 20,000 addresses leaves the server in peace and memory bounded", () => {
  const { net, bob } = pair();
  net.serverAnswers = false;
  const before = net.wire.length;
  for (let i = 0; i < 20_000; i++) net.inject(stray(1, "spam"), forged(i), bob);
  assertLessOrEqual(bob.transactions.size, 1000, "questions open at once");
  net.pass(10_000);
  const lookups = net.wire.slice(before).filter(({ to }) => to === SERVER).length;
  assertLessOrEqual(lookups, 10_000, "look-ups that the flood made the server answer");
  assertEquals(bob.transactions.size, 0);
});

Deno.test("direct: a flood from many addresses does not make a peer's message be shown twice", () => {
  const { net, bob } = pair();
  net.inject(message(1, "once"), A, bob);
  net.pass(100);
  for (let i = 0; i < 1000; i++) {
    net.inject(stray(1, "spam"), forged(i), bob);
    // slowly enough for the server to say of each that it is nobody
    if (i % 20 === 0) net.pass(10);
  }
  // the acknowledgement was lost: the peer repeats
  net.inject(message(1, "once"), A, bob);
  net.pass(10_000);
  assertEquals(bob.shown.filter(({ address }) => address === A).map(({ text }) => text), ["once"]);
});

Deno.test("direct: addresses that send no beginning shut the door for 5 s at most", () => {
  const { net, bob } = pair();
  for (let i = 0; i < 32; i++) net.inject(message(2, "no beginning", STREAM, 1, guess(i)), forged(i), bob);
  net.pass(4900);
  net.inject(message(1, "hi"), A, bob);
  net.pass(99);
  assertEquals([bob.shown, net.sent("LOOKUP")], [[], []], "32 have a place, and no more");
  net.pass(1);
  // what was not acknowledged is repeated
  net.inject(message(1, "hi"), A, bob);
  net.pass(100);
  assertEquals(bob.shown.map(({ text, name }) => [text, name]), [["hi", "Alice"]]);
});

Deno.test("direct: strangers at 50 a second, with passes that they guess, keep no first message of a member out", () => {
  const { net, bob } = pair();
  let i = 0;
  for (let n = 1; n <= 20; n++) {
    const member = net.join(`192.0.2.${100 + n}:40000`, `Member${n}`);
    for (let ms = 0; ms < 500; ms += 20) {
      net.inject(message(1, "spam", STREAM, 1, guess(i)), forged(i), bob);
      i++;
      if (ms === 240) member.say("Bob", `hello ${n}`);
      net.pass(20);
    }
    assertEquals(member.delivered.map(({ text }) => text), [`hello ${n}`]);
  }
});

Deno.test("direct: a confirmed peer shows 100 lines a second at most, and 200 at once; the rest comes later", () => {
  const { net, alice, bob } = pair();
  const texts = Array.from({ length: 1000 }, (_, i) => `line ${i}`);
  alice.say("Bob", ...texts);
  net.pass(5000);
  assertLessOrEqual(bob.shown.length, 200 + 5 * 100);
  net.pass(5000);
  assertEquals(bob.shown.map(({ text }) => text), texts);
  assertEquals(alice.failed, []);
});

Deno.test("direct: passes that nobody was given show no more lines than addresses without one", () => {
  const { net, bob } = pair();
  for (let ms = 0; ms < 1000; ms += 10) {
    for (let id = 1; id <= 64; id++) {
      for (let n = 0; n < 32; n++) net.inject(message(id, "spam", guess(n), 1, guess(n)), forged(n), bob);
    }
    net.pass(10);
  }
  assertLessOrEqual(bob.shown.length, 32 + 5);
});

Deno.test("direct: 3,000 addresses in a second cost the server few answers", () => {
  const { net, bob } = pair();
  for (let i = 0; i < 3000; i++) {
    net.inject(stray(1, "spam"), forged(i), bob);
    if (i % 3 === 0) net.pass(1);
  }
  assertLessOrEqual(net.sent("LOOKUP").length, 40);
  assertLessOrEqual(bob.shown.length, 40);
});

Deno.test("direct: an address that the server does not know can't fill the screen", () => {
  const { net, bob } = pair();
  for (let ms = 0, id = 1; ms < 10_000; ms++) {
    // repeated until it is acknowledged, as somebody would who keeps to the rules
    net.inject(stray(id, `spam ${id}`, STREAM, 1), STRANGER, bob);
    id = 1 + (net.sent("ACK").at(-1)?.packet.id ?? 0);
    net.pass(1);
  }
  assertLessOrEqual(bob.shown.length, 150);
});

/** A pass that the server has given to nobody. */
function guess(i: number): string {
  return i.toString(16).padStart(16, "f");
}

function forged(i: number): string {
  return `198.51.${i >> 8 & 0xff}.${i & 0xff}:${1024 + (i >> 16)}`;
}
