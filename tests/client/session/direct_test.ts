/** Direct messages over a network that loses: each once, in order, to the right one, or a reason why not. */
import { assert, assertEquals, assertLessOrEqual, assertMatch } from "@std/assert";
import { passOf, SERVER } from "../../support/fake_peers.ts";
import { A, B, guess, pair, STRANGER, STREAM, texts } from "../../support/direct_messages.ts";

/** The time after the server's first answer within which a message has arrived or its sender is told why not, in milliseconds. */
const DEADLINE_MS = 5000;
/** The time within which the server has to answer. */
const LOOK_UP_DEADLINE_MS = 10_000;

Deno.test("direct: looked up, sent straight to the peer, shown with the name, acknowledged", () => {
  const { net, alice, bob } = pair();
  alice.say("bob", "This is for you alone.");
  assertEquals(alice.direct.waiting, 1);
  net.pass(100);
  const text = "This is for you alone.", { at, age } = bob.shown[0];
  assertEquals(bob.shown, [{ address: A, name: "Alice", pass: passOf(A, B), text, age, at }]);
  // in the name's own spelling, not as it was typed
  assertEquals(alice.delivered.map(({ name, acknowledged }) => [name, acknowledged]), [["Bob", true]]);
  assertEquals([alice.failed, bob.failed], [[], []]);
  assertEquals([alice.direct.waiting, alice.direct.nextWake, bob.direct.nextWake], [0, undefined, undefined]);
  for (const { from, to, packet } of net.wire) {
    if ("text" in packet) assert(from !== SERVER && to !== SERVER, "the text went by way of the server");
  }
  assertEquals(net.sent("PUNCH").map(({ to, packet }) => [to, packet.address]), [[B, A]]);
  assertEquals(net.sent("MESSAGE").map(({ packet }) => packet.token), [undefined]);
  assertEquals(net.sent("ACK").map(({ packet }) => packet.pass), [passOf(A, B)]);
});

Deno.test("direct: of 30 % loss on every way, out of order, each message comes once and in order", () => {
  // one conversation in some hundred has no progress for 5 s and is given up, which its sender is told
  let givenUp = 0;
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
    assert(bob.shown.every(({ name }) => name === "Alice"), `seed ${seed}`);
    if (alice.failed.length + bob.failed.length > 0) {
      givenUp++;
      continue;
    }
    assertEquals([texts(bob.shown), texts(alice.shown)], [toBob, toAlice], `seed ${seed}`);
    assertEquals([texts(alice.delivered), texts(bob.delivered)], [toBob, toAlice], `seed ${seed}`);
    assertEquals([alice.direct.waiting, bob.direct.waiting, bob.transactions.size], [0, 0, 0]);
  }
  assertLessOrEqual(givenUp, 1);
});

Deno.test("direct: nobody has the name: said at once, and once", () => {
  const { net, alice } = pair();
  alice.say("Nobody", "one", "two");
  net.pass(10_000);
  assertEquals(alice.failed.length, 1);
  const [{ name, count, quote, reason, at }] = alice.failed;
  assertEquals([name, count, quote], ["Nobody", 2, '"one" and 1 more']);
  assertMatch(reason, /nobody here has that name/);
  assertLessOrEqual(at, net.now - 10_000 + 50);
  assertEquals(net.sent("MESSAGE"), []);
  assertEquals(alice.direct.waiting, 0);
});

Deno.test("direct: just after a new start of the server a peer that it does not know yet is waited for, for 5 s", () => {
  for (const comesBack of [true, false]) {
    const { net, alice, bob } = pair();
    alice.direct.beginAnew(net.now);
    const [gone] = net.members.splice(net.members.findIndex(({ name }) => name === "Bob"), 1);
    alice.say("Bob", "one");
    net.pass(2000);
    assertEquals([alice.failed, net.sent("MESSAGE")], [[], []]);
    if (comesBack) net.members.push(gone);
    net.pass(5000);
    assertEquals([texts(bob.shown), alice.failed.length], comesBack ? [["one"], 0] : [[], 1]);
  }
});

Deno.test("direct: of what is not delivered the first text is said, and of a long one the beginning", () => {
  const { net, alice, bob } = pair();
  alice.say("Bob", "arrives");
  net.pass(100);
  net.members[1].address = STRANGER;
  for (const text of ["does not", "nor this"]) alice.say("Bob", text);
  net.pass(10_000);
  assertEquals([texts(bob.shown), texts(alice.delivered)], [["arrives"], ["arrives"]]);
  alice.say("Bob", "word ".repeat(100));
  net.pass(10_000);
  alice.say("Bob", "🙂".repeat(100));
  net.pass(10_000);
  assertEquals(alice.failed.map(({ quote }) => quote), [
    '"does not" and 1 more',
    `"${"word ".repeat(12).trim()}…"`,
    `"${"🙂".repeat(15)}…"`,
  ]);
});

Deno.test("direct: the peer does not answer, and the server passes nothing on: said after 5 s", () => {
  const { net, alice } = pair();
  const began = net.now;
  net.members.push({ name: "Silent", address: STRANGER });
  alice.say("Silent", "hello?");
  net.pass(DEADLINE_MS - 100);
  assertEquals(alice.failed, []);
  // each look-up opens the NATs again, and what waits is repeated with the answer
  const lookUps = net.sent("LOOKUP").map(({ at }) => at - began);
  assertEquals(lookUps, [0, 250, 750, 1750, 2750, 3750, 4750]);
  const repeated = new Set(net.sent("MESSAGE").map(({ at }) => at - began));
  assertEquals(lookUps.filter((at) => !repeated.has(at + 10)), []);
  net.pass(10_000);
  assertEquals(alice.failed.length, 1);
  assertEquals(alice.failed[0].at - began, DEADLINE_MS + 10);
  const reason =
    "Silent has not answered directly: it may be gone, ignore you, or be reached through the server only, " +
    "and this server passes no private messages on";
  assertEquals(alice.failed[0].reason, reason);
  const sent = net.wire.length;
  net.pass(60_000);
  assertEquals(net.wire.length, sent, "goes on after it has given up");
});

Deno.test("direct: the server is silent: said after 10 s, and the processor rests until then", () => {
  const { net, alice } = pair();
  const began = net.now;
  net.serverAnswers = false;
  alice.say("Bob", "hello?");
  net.pass(20_000);
  assertEquals(alice.failed.length, 1);
  assertLessOrEqual(alice.failed[0].at - began, LOOK_UP_DEADLINE_MS);
  assertMatch(alice.failed[0].reason, /server does not say/);
  assertEquals(net.sent("MESSAGE"), []);
});

Deno.test("direct: after a failure the next message to the same name starts afresh and arrives", () => {
  const { net, alice, bob } = pair();
  net.serverAnswers = false;
  alice.say("Bob", "lost");
  net.pass(11_000);
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

Deno.test("direct: a classic peer gets classic text, and nothing is promised", () => {
  const { net, alice } = pair();
  net.members.push({ name: "Dave", address: STRANGER, classic: true });
  alice.direct.say(
    { name: "dave" },
    [{ text: "hello" }, { text: "waves", action: true }, { text: "x".repeat(856) }],
    net.now,
  );
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

Deno.test("direct: an acknowledgement without the pass, of another stream or of what was not sent is not believed", () => {
  const { net, alice } = pair();
  net.members.push({ name: "Silent", address: STRANGER });
  alice.say("Silent", "one", "two");
  net.pass(100);
  const { stream, pass } = net.sent("MESSAGE")[0].packet;
  const ack = { dialect: "v1", type: "ACK", pass, stream, id: 2 } as const;
  for (const wrong of [undefined, passOf(A, B), guess(1)]) net.inject({ ...ack, pass: wrong }, STRANGER, alice);
  net.inject({ ...ack, stream: STREAM }, STRANGER, alice);
  net.inject({ ...ack, stream: undefined }, STRANGER, alice);
  net.inject({ ...ack, id: 3 }, STRANGER, alice);
  net.inject({ ...ack, id: 0 }, STRANGER, alice);
  net.inject({ ...ack, id: Number.MAX_SAFE_INTEGER }, STRANGER, alice);
  assertEquals([alice.delivered, alice.direct.waiting], [[], 2]);
  // a peer may answer from another of its addresses
  net.inject({ ...ack, id: 1 }, B, alice);
  assertEquals([texts(alice.delivered), alice.direct.waiting], [["one"], 1]);
  net.pass(10_000);
  assertEquals(alice.failed.map(({ count }) => count), [1]);
});

Deno.test("direct: in a long conversation the pass stays fresh, whether or not anything waits", () => {
  // with the shorter delay each message is acknowledged before the next one is said
  for (const delay of [5, 100]) {
    const { net, alice, bob } = pair({ delay: [delay, delay] });
    for (let i = 0; i < 600; i++) {
      alice.say("Bob", `${i} ${net.now}`);
      net.pass(50);
    }
    net.pass(1000);
    assertEquals(bob.shown.length, 600);
    const slowest = Math.max(...bob.shown.map(({ text, at }) => at - Number(text.split(" ")[1])));
    assertEquals(slowest, 3 * delay, "looked up, answered, sent");
    assertEquals([alice.failed, bob.shown.every(({ address }) => address === A)], [[], true]);
  }
});

Deno.test("direct: when PUNCHes get lost, the first that arrives lets the message in at once", () => {
  for (const [lost, expected] of [[1, 250], [2, 750], [3, 1750]]) {
    const { net, alice, bob } = pair({ delay: [5, 5] });
    let punches = 0;
    net.loses = ({ packet }) => packet.type === "PUNCH" && punches++ < lost;
    const began = net.now;
    alice.say("Bob", "hi");
    net.pass(5000);
    assertEquals(bob.shown.map(({ at }) => at - began), [expected + 15]);
  }
});
