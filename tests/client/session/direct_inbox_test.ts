/** Direct messages from others: who sent them, and when that is known. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { V1Packet } from "../../../protocol.ts";
import { FakePeers, passOf } from "../../support/fake_peers.ts";
import { A, B, message, pair, STRANGER, stray, STREAM, texts } from "../../support/direct_messages.ts";

/** The time after which a message is shown, whether or not it is known who sent it, in milliseconds. */
const DEADLINE_MS = 5000;

Deno.test("direct inbox: a name is shown when the server has confirmed it, and nothing before", () => {
  const { net, bob } = pair();
  net.serverAnswers = false;
  net.inject(message(1, "I am Alice, honest"), A, bob);
  net.pass(1000);
  assertEquals(bob.shown, []);
  net.serverAnswers = true;
  net.pass(1500);
  assertEquals(bob.shown.map(({ name, confirmed }) => [name, confirmed]), [["Alice", true]]);
});

Deno.test("direct inbox: from an address that the server does not know, the address with a mark and no name", () => {
  const { net, bob } = pair();
  net.inject(stray(1, "I am Alice, honest"), STRANGER, bob);
  net.pass(100);
  assertEquals(bob.shown.map(({ address, name, confirmed }) => [address, name, confirmed]), [
    [STRANGER, undefined, false],
  ]);
});

Deno.test("direct inbox: without a pass a repeat is acknowledged again, and shown once", () => {
  const { net, bob } = pair();
  for (const [id, text] of [[1, "one"], [1, "one"], [2, "two"]] as const) {
    net.inject(stray(id, text, STREAM, 1), STRANGER, bob);
  }
  assertEquals([texts(bob.shown), net.sent("ACK").map(({ packet }) => packet.id)], [["one", "two"], [1, 1, 2]]);
});

Deno.test("direct inbox: while the beginning of a stream is missing nothing is acknowledged", () => {
  const { net, bob } = pair();
  net.inject(stray(2, "two", STREAM, 1), STRANGER, bob);
  assertEquals([bob.shown, net.sent("ACK")], [[], []]);
});

Deno.test("direct inbox: an answer about a sender that was forgotten meanwhile is no news", () => {
  const { net, bob } = pair();
  const question = { ask: "sender", address: A, pass: passOf(A, B) } as const;
  assertEquals(bob.inbox.answered(question, undefined, net.now), []);
});

Deno.test("direct inbox: while the server is silent, the address with a mark after at most 5 s", () => {
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

Deno.test("direct inbox: what still waits at the end is shown unconfirmed, also from who was confirmed long ago", () => {
  const { net, bob } = pair();
  net.inject(message(1, "one"), A, bob);
  net.pass(1000);
  net.pass(15_000);
  net.serverAnswers = false;
  net.inject(message(2, "two"), A, bob);
  bob.act(bob.inbox.showUnconfirmed());
  assertEquals(bob.shown.map(({ text, name, confirmed }) => [text, name, confirmed]), [
    ["one", "Alice", true],
    ["two", undefined, false],
  ]);
});

Deno.test("direct inbox: a member without a name is confirmed by the pass", () => {
  const { net, bob } = pair(), from = "192.0.2.24:61234";
  net.join(from);
  net.inject(message(1, "hi", STREAM, 1, passOf(from, B)), from, bob);
  net.pass(100);
  assertEquals(bob.shown.map(({ name, confirmed }) => [name, confirmed]), [[undefined, true]]);
});

Deno.test("direct inbox: with the server's PUNCH the sender is known, and nothing is asked", () => {
  const { net, alice, bob } = pair();
  alice.say("Bob", "hi");
  net.pass(100);
  assertEquals(bob.shown.map(({ name, confirmed }) => [name, confirmed]), [["Alice", true]]);
  assertEquals(net.sent("LOOKUP").map(({ from }) => from), [A]);
});

Deno.test("direct inbox: an answer about another address, with another pass, or to another question confirms nothing", () => {
  for (const wrong of [{ address: A }, { pass: passOf(A, B) }, { pass: undefined }]) {
    const { net, bob } = pair(), pass = "00000000000000bb";
    net.serverAnswers = false;
    net.inject(message(1, "I am Alice, honest", STREAM, 1, pass), STRANGER, bob);
    const { packet } = net.sent("LOOKUP")[0];
    const peer = {
      dialect: "v1",
      type: "PEER",
      token: "5f1c0d9a7be2e604",
      address: STRANGER,
      name: "Alice",
      since: 1,
      pass,
    } as const;
    assertEquals(bob.answer({ ...peer, id: packet.id + 1 }), false);
    assertEquals(bob.shown, []);
    bob.answer({ ...peer, id: packet.id, ...wrong });
    assertEquals(bob.shown.map(({ name, confirmed }) => [name, confirmed]), [[undefined, false]]);
  }
});

Deno.test("direct inbox: the server's word is asked for again, so that a name that has moved is not believed for long", () => {
  const { net, bob } = pair();
  net.inject(message(1, "one"), A, bob);
  net.pass(1000);
  net.members[0].name = "Mallory";
  net.pass(15_000);
  net.inject(message(2, "two"), A, bob);
  net.pass(1000);
  assertEquals(bob.shown.map(({ name }) => name), ["Alice", "Mallory"]);
});

Deno.test("direct inbox: a message for the server, and answers that only it may give, mean nothing from a peer", () => {
  const { net, bob } = pair();
  net.inject({ ...message(1, "x"), token: "5f1c0d9a7be2e604" } as V1Packet, STRANGER, bob);
  net.inject({ dialect: "v1", type: "PUNCH", token: STREAM, address: A, pass: passOf(A, B) }, STRANGER, bob);
  net.inject({ dialect: "v1", type: "CLOSING", epoch: STREAM }, STRANGER, bob);
  net.inject({ dialect: "v1", type: "ERROR", token: STREAM, code: "name-taken", id: 1, text: "x" }, STRANGER, bob);
  net.pass(10_000);
  assertEquals([bob.shown, net.wire], [[], []]);
});

Deno.test("direct inbox: what could act on a terminal is made harmless", () => {
  const { net, bob } = pair();
  net.inject(message(1, "\x1b[2Jgone\x07\n\u202eevil"), A, bob);
  net.pass(100);
  assertEquals(texts(bob.shown), ["?[2Jgone???evil"]);
});

Deno.test("direct inbox: a stream begins where its sender says, and extreme numbers do no harm", () => {
  const { net, bob } = pair();
  net.inject(message(7, "seven", STREAM, 7), A, bob);
  const last = Number.MAX_SAFE_INTEGER;
  net.inject(message(last, "the last", STREAM, last), A, bob);
  net.inject(message(last, "the last", STREAM, last), A, bob);
  net.inject(message(3, "from before", STREAM, 1), A, bob);
  net.pass(100);
  assertEquals(texts(bob.shown), ["seven", "the last"]);
});

Deno.test("direct inbox: a peer whose messages come from elsewhere than the server says is confirmed and acknowledged", () => {
  // its NAT gives each destination another port, or it reaches the server by 127.0.0.1
  const net = new FakePeers(), elsewhere = "192.0.2.21:1025", pass = passOf(A, B);
  const bob = net.join(B, "Bob");
  net.members.push({ address: A, name: "Alice" });
  net.inject(message(1, "one"), elsewhere, bob);
  bob.act(bob.inbox.punched({ dialect: "v1", type: "PUNCH", token: STREAM, address: A, name: "Alice", pass }, net.now));
  net.pass(100);
  assertEquals(net.sent("LOOKUP").map(({ packet }) => packet.address), [elsewhere]);
  // the server's answer that nobody is there takes nothing back
  net.inject(message(2, "two"), elsewhere, bob);
  for (let id = 3; id <= 100; id++) {
    net.inject(message(id, `${id}`), elsewhere, bob);
    net.pass(40);
  }
  net.pass(1000);
  net.inject(message(100, "100"), elsewhere, bob);
  assertEquals(net.sent("ACK").at(-1)?.packet.id, 100);
  assertEquals(bob.shown.length, 100);
  assertEquals(new Set(bob.shown.map(({ address, name }) => `${address} ${name}`)), new Set([`${A} Alice`]));
  assert(bob.shown.every(({ confirmed }) => confirmed));
  // and it can be answered
  net.join(A, "Alice");
  bob.say("Alice", "hi");
  net.pass(100);
  assertEquals(texts(bob.delivered), ["hi"]);
});

Deno.test("direct inbox: whoever has a pass can't write with another's address, known by PUNCH or by an answer", () => {
  for (const isPunched of [true, false]) {
    for (const name of [undefined, "Mallory"]) {
      const { net, bob } = pair(), own = "192.0.2.66:6666", pass = passOf(own, B);
      const mallory = net.join(own, name);
      if (isPunched) mallory.say("Bob", "hello");
      else net.inject(message(1, "hello", STREAM, 1, pass), own, bob);
      net.pass(100);
      net.inject(message(1, "It is me, Alice", "00000000000000aa", 1, pass), A, bob);
      assertEquals(bob.shown.map(({ text, address, name, confirmed }) => [text, address, name, confirmed]), [
        ["hello", own, name, true],
        ["It is me, Alice", own, name, true],
      ]);
      // when the server has to be asked again, it does not say that the pass is that of the forged address
      net.pass(10_000);
      net.inject(message(2, "It is still me", "00000000000000aa", 1, pass), A, bob);
      net.pass(100);
      const { address, name: shownName, confirmed } = bob.shown.at(-1)!;
      assertEquals([address, shownName, confirmed], [A, undefined, false]);
    }
  }
});

Deno.test("direct inbox: a new name is shown as soon as the server says it", () => {
  const { net, alice, bob } = pair();
  alice.say("Bob", "one");
  net.pass(100);
  net.members[0].name = "Alicia";
  alice.say("Bob", "two");
  net.pass(100);
  assertEquals(bob.shown.map(({ name }) => name), ["Alice", "Alicia"]);
});

Deno.test("direct inbox: a datagram from a member's address without the pair's pass is not that member's", () => {
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
