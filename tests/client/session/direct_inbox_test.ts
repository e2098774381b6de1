/** Direct messages from others: what is taken, in whose name it is shown, and what is acknowledged. */
import { assertEquals } from "@std/assert";
import type { Presence, V1Packet } from "../../../protocol.ts";
import { type FakePeer, FakePeers, passOf } from "../../support/fake_peers.ts";
import { EPOCH, joined } from "../../support/fake_session.ts";
import { A, B, guess, message, pair, punch, STRANGER, stray, STREAM, texts } from "../../support/direct_messages.ts";

/** How long the server's word on a pass is believed, in milliseconds. */
const PASS_LIFETIME_MS = 10_000;

/** Bob alone, with the server's word that Alice has her pass. */
function bobWithPass(): { net: FakePeers; bob: FakePeer } {
  const net = new FakePeers(), bob = net.join(B, "Bob");
  punch(bob, net.now);
  return { net, bob };
}

/** What was acknowledged, and to which address. */
function acked(net: FakePeers): [id: number, to: string][] {
  return net.sent("ACK").map(({ packet, to }) => [packet.id, to]);
}

Deno.test("direct inbox: with the server's PUNCH the sender is known, and nothing is asked", () => {
  const { net, alice, bob } = pair();
  alice.say("Bob", "hi");
  net.pass(100);
  assertEquals(bob.shown.map(({ address, name }) => [address, name]), [[A, "Alice"]]);
  assertEquals(net.sent("LOOKUP").map(({ from }) => from), [A]);
});

Deno.test("direct inbox: without a pass, with a guess or with that of others, nothing is shown, asked or answered", () => {
  const { net, bob } = bobWithPass();
  for (const from of [A, STRANGER]) {
    net.inject(stray(1, "I am Alice, honest"), from, bob);
    for (const [i, pass] of [guess(1), passOf(A, STRANGER), passOf(B, STRANGER)].entries()) {
      net.inject(message(1, `guess ${i}`, STREAM, 1, pass), from, bob);
    }
  }
  net.pass(20_000);
  assertEquals([bob.shown, net.wire], [[], []]);
});

Deno.test("direct inbox: a pass is taken for 10 s after the PUNCH, and what was dropped then is taken after the next", () => {
  const { net, bob } = bobWithPass();
  net.pass(PASS_LIFETIME_MS - 1);
  net.inject(message(1, "one"), A, bob);
  net.pass(1);
  net.inject(message(2, "two", STREAM, 1), A, bob);
  // its sender gives up what is before it; dropped, this must not be believed
  net.inject(message(3, "three", STREAM, 3), A, bob);
  assertEquals([texts(bob.shown), acked(net)], [["one"], [[1, A]]]);
  punch(bob, net.now);
  for (const [id, text] of [[2, "two"], [3, "three"]] as const) net.inject(message(id, text, STREAM, 1), A, bob);
  assertEquals([texts(bob.shown), acked(net)], [["one", "two", "three"], [[1, A], [2, A], [3, A]]]);
});

Deno.test("direct inbox: a repeat is acknowledged again and shown once, also after new words of the server", () => {
  const { net, bob } = bobWithPass();
  const repeat = () => net.inject(message(1, "one"), A, bob);
  repeat();
  repeat();
  punch(bob, net.now);
  repeat();
  punch(bob, net.now, { name: "Alicia" });
  repeat();
  net.pass(PASS_LIFETIME_MS);
  repeat();
  assertEquals(acked(net).length, 4, "no answer while the pass is old");
  punch(bob, net.now, { name: undefined, address: STRANGER });
  net.inject(message(1, "one"), STRANGER, bob);
  net.inject(message(2, "two"), STRANGER, bob);
  assertEquals(acked(net).slice(4), [[1, STRANGER], [2, STRANGER]]);
  assertEquals(bob.shown.map(({ text, address, name }) => [text, address, name]), [
    ["one", A, "Alice"],
    ["two", STRANGER, undefined],
  ]);
});

Deno.test("direct inbox: a server that has begun anew gives another pass; what was shown is not shown again", () => {
  const { net, bob } = bobWithPass();
  net.inject(message(1, "one"), A, bob);
  punch(bob, net.now, { pass: guess(1) });
  net.inject(message(1, "one", STREAM, 1, guess(1)), A, bob);
  net.inject(message(2, "two", STREAM, 1, guess(1)), A, bob);
  // the old one is nobody's any more
  net.inject(message(3, "three", STREAM, 1), A, bob);
  assertEquals([texts(bob.shown), acked(net)], [["one", "two"], [[1, A], [1, A], [2, A]]]);
  // somebody else is somebody else
  punch(bob, net.now, { address: STRANGER, name: "Mallory", pass: guess(2) });
  net.inject(message(1, "one", STREAM, 1, guess(2)), STRANGER, bob);
  assertEquals(bob.shown.map(({ name }) => name), ["Alice", "Alice", "Mallory"]);
});

Deno.test("direct inbox: whoever takes over a member's address takes its streams from nobody", () => {
  const { net, bob } = bobWithPass(), moved = "192.0.2.21:50999";
  const repeat = (from: string) => net.inject(message(1, "one"), from, bob);
  repeat(A);
  punch(bob, net.now, { name: "Mallory", pass: guess(1) });
  punch(bob, net.now, { address: moved });
  repeat(moved);
  // the same again, and then to where another was
  punch(bob, net.now, { address: STRANGER, name: "Zoe", pass: guess(2) });
  net.inject(message(1, "of Zoe", guess(9), 1, guess(2)), STRANGER, bob);
  punch(bob, net.now, { address: moved, name: "Mallory", pass: guess(3) });
  punch(bob, net.now, { address: STRANGER });
  repeat(STRANGER);
  net.inject(message(2, "two"), STRANGER, bob);
  assertEquals(bob.shown.map(({ text, name }) => [text, name]), [["one", "Alice"], ["of Zoe", "Zoe"], [
    "two",
    "Alice",
  ]]);
  assertEquals(acked(net), [[1, A], [1, moved], [1, STRANGER], [1, STRANGER], [2, STRANGER]]);
});

Deno.test("direct inbox: while the beginning of a stream is missing nothing is acknowledged", () => {
  const { net, bob } = bobWithPass();
  net.inject(message(2, "two", STREAM, 1), A, bob);
  net.inject(message(5, "five", guess(1), 3), A, bob);
  assertEquals([bob.shown, net.sent("ACK")], [[], []]);
});

Deno.test("direct inbox: a member without a name is known by the pass", () => {
  const { net, bob } = pair(), from = "192.0.2.24:61234";
  net.join(from).say("Bob", "hi");
  net.pass(100);
  assertEquals(bob.shown.map(({ address, name }) => [address, name]), [[from, undefined]]);
});

Deno.test("direct inbox: a name that its owner does not have any more is not shown for longer than 10 s", () => {
  const { net, alice, bob } = pair();
  alice.say("Bob", "one");
  net.pass(100);
  net.members[0].name = "Mallory";
  const { at, packet } = net.sent("PUNCH")[0];
  // whoever had the name keeps to the pass, and looks nobody up
  for (let id = 2; id <= 16; id++) {
    net.inject(message(id, `${id}`, STREAM, id, packet.pass), A, bob);
    net.pass(1000);
  }
  const old = bob.shown.filter(({ address }) => address === A);
  assertEquals(texts(old), ["one", ...Array.from({ length: 10 }, (_, i) => `${i + 2}`)]);
  assertEquals(old.every((shown) => shown.name === "Alice" && shown.at < at + 5 + PASS_LIFETIME_MS), true);
  // who keeps to the rules looks up, and with that comes its own name
  alice.say("Bob", "me again");
  net.pass(100);
  assertEquals(bob.shown.slice(-1).map(({ text, name }) => [text, name]), [["me again", "Mallory"]]);
});

const CHANGES: Record<string, [members: Presence[], isBelieved: boolean]> = {
  "another name at this address": [[{ address: A, name: "Mallory" }], false],
  "no name at this address": [[{ address: A }], false],
  "this name at another address": [[{ address: STRANGER, name: "ALICE" }], false],
  "this among others": [[{ address: B, name: "Bob" }, { address: STRANGER, name: "Alice" }], false],
  "the same": [[{ address: A, name: "Alice" }], true],
  "the same in another spelling": [[{ address: A, name: "aLICE" }], true],
  "others": [[{ address: B, name: "Bob" }, { address: STRANGER }, { address: "192.0.2.21:1", name: "Mallory" }], true],
  "nobody": [[], true],
};

for (const [what, [members, isBelieved]] of Object.entries(CHANGES)) {
  Deno.test(`direct inbox: the server names ${what}: what it has said before is ${isBelieved ? "" : "not "}believed`, () => {
    for (const hasWritten of [false, true]) {
      const { net, bob } = bobWithPass();
      if (hasWritten) net.inject(message(1, "one"), A, bob);
      bob.inbox.noteMembers(members, net.now);
      net.inject(message(2, "two", STREAM, 2), A, bob);
      assertEquals(texts(bob.shown), [...(hasWritten ? ["one"] : []), ...(isBelieved ? ["two"] : [])]);
      // the next look-up brings who it is, and nothing is shown again
      punch(bob, net.now, { name: "Alicia" });
      for (const [id, text] of [[1, "one"], [2, "two"], [3, "three"]] as const) {
        net.inject(message(id, text, STREAM, hasWritten ? 1 : 2), A, bob);
      }
      assertEquals(texts(bob.shown), [...(hasWritten ? ["one"] : []), "two", "three"]);
      assertEquals(bob.shown.at(-1)?.name, "Alicia");
    }
  });
}

Deno.test("direct inbox: a member without a name is not believed any more when it has one, and so are not all others", () => {
  const net = new FakePeers(), bob = net.join(B, "Bob");
  punch(bob, net.now, { name: undefined });
  punch(bob, net.now, { name: undefined, address: STRANGER, pass: guess(1) });
  bob.inbox.noteMembers([{ address: "192.0.2.30:1" }], net.now);
  net.inject(message(1, "nameless"), A, bob);
  bob.inbox.noteMembers([{ address: A, name: "Alice" }], net.now);
  net.inject(message(2, "named", STREAM, 2), A, bob);
  net.inject(message(1, "another", guess(1), 1, guess(1)), STRANGER, bob);
  assertEquals(texts(bob.shown), ["nameless", "another"]);
});

Deno.test("direct inbox: a PUNCH with the name takes it from who had it", () => {
  const { net, bob } = bobWithPass();
  net.inject(message(1, "one"), A, bob);
  punch(bob, net.now, { address: STRANGER, pass: guess(1) });
  net.inject(message(2, "two", STREAM, 2), A, bob);
  net.inject(message(1, "the new Alice", guess(1), 1, guess(1)), STRANGER, bob);
  assertEquals(texts(bob.shown), ["one", "the new Alice"]);
});

Deno.test("direct inbox: a new name is shown as soon as the server says it, also with what was held back before", () => {
  const { net, bob } = bobWithPass();
  net.inject(message(1, "one"), A, bob);
  net.inject(message(3, "three", STREAM, 1), A, bob);
  punch(bob, net.now, { name: "Alicia" });
  net.inject(message(2, "two", STREAM, 1), A, bob);
  assertEquals(bob.shown.map(({ text, name }) => [text, name]), [
    ["one", "Alice"],
    ["two", "Alicia"],
    ["three", "Alicia"],
  ]);
});

Deno.test("direct inbox: a message for the server, and answers that only it may give, mean nothing from a peer", () => {
  const { net, bob } = bobWithPass();
  net.inject({ ...message(1, "x"), token: "5f1c0d9a7be2e604" } as V1Packet, STRANGER, bob);
  net.inject({ dialect: "v1", type: "PUNCH", token: STREAM, address: A, pass: passOf(A, B) }, STRANGER, bob);
  net.inject({ dialect: "v1", type: "CLOSING", epoch: STREAM }, STRANGER, bob);
  net.inject({ dialect: "v1", type: "ERROR", token: STREAM, code: "name-taken", id: 1, text: "x" }, STRANGER, bob);
  net.pass(10_000);
  assertEquals([bob.shown, net.wire], [[], []]);
});

Deno.test("direct inbox: what could act on a terminal is made harmless", () => {
  const { net, bob } = bobWithPass();
  net.inject(message(1, "\x1b[2Jgone\x07\n\u202eevil"), A, bob);
  assertEquals(texts(bob.shown), ["?[2Jgone???evil"]);
});

Deno.test("direct inbox: a stream begins where its sender says, and extreme numbers do no harm", () => {
  const { net, bob } = bobWithPass();
  net.inject(message(7, "seven", STREAM, 7), A, bob);
  const last = Number.MAX_SAFE_INTEGER;
  net.inject(message(last, "the last", STREAM, last), A, bob);
  net.inject(message(last, "the last", STREAM, last), A, bob);
  net.inject(message(3, "from before", STREAM, 1), A, bob);
  assertEquals(texts(bob.shown), ["seven", "the last"]);
});

Deno.test("direct inbox: a peer whose messages come from elsewhere than the server says is known and acknowledged", () => {
  // its NAT gives each destination another port, or it reaches the server by 127.0.0.1
  const { net, bob } = bobWithPass(), elsewhere = "192.0.2.21:1025";
  for (let id = 1; id <= 100; id++) {
    net.inject(message(id, `${id}`), elsewhere, bob);
    net.pass(40);
  }
  net.pass(1000);
  net.inject(message(100, "100"), elsewhere, bob);
  assertEquals(acked(net).at(-1), [100, elsewhere]);
  assertEquals(bob.shown.length, 100);
  assertEquals(new Set(bob.shown.map(({ address, name }) => `${address} ${name}`)), new Set([`${A} Alice`]));
  // and it can be answered
  net.join(A, "Alice");
  bob.say("Alice", "hi");
  net.pass(100);
  assertEquals(texts(bob.delivered), ["hi"]);
});

Deno.test("direct inbox: whoever has a pass can't write with another's address", () => {
  for (const name of [undefined, "Mallory"]) {
    const { net, alice, bob } = pair(), own = "192.0.2.66:6666", pass = passOf(own, B);
    alice.say("Bob", "It is me");
    net.join(own, name).say("Bob", "hello");
    net.pass(100);
    net.inject(message(1, "It is me, Alice", "00000000000000aa", 1, pass), A, bob);
    assertEquals(bob.shown.map(({ text, address, name }) => [text, address, name]), [
      ["It is me", A, "Alice"],
      ["hello", own, name],
      ["It is me, Alice", own, name],
    ]);
  }
});

Deno.test("direct inbox: in a session a message has a name no longer than until the room tells that it is another's", () => {
  const pass = passOf(A, B);
  for (const type of ["ONLINE", "OFFLINE"] as const) {
    const fake = joined();
    const write = (id: number) =>
      fake.session.receiveFromPeer(
        { dialect: "v1", type: "MESSAGE", pass, stream: STREAM, id, text: `${id}` },
        A,
        fake.now,
      );
    const tell = (seq: number, name: string) =>
      fake.receive({ dialect: "v1", type, epoch: EPOCH, seq, at: fake.now, members: [{ address: A, name }] });
    fake.receive({ dialect: "v1", type: "PUNCH", address: A, name: "Alice", pass });
    tell(1, "Alice");
    write(1);
    // what waits for an earlier event has not been told yet
    tell(3, "Mallory");
    write(2);
    fake.event(2);
    write(3);
    assertEquals(fake.shown.flatMap((shown) => shown.kind === "direct" ? [shown.text] : []), ["1", "2"], type);
  }
});

Deno.test("direct inbox: in a session the NAT is opened first for whoever has written before", () => {
  const fake = joined();
  const tell = (address: string, pass: string) => fake.receive({ dialect: "v1", type: "PUNCH", address, pass });
  tell(A, guess(0));
  fake.session.receiveFromPeer(message(1, "hi", STREAM, 1, guess(0)), A, fake.now);
  fake.pass(1000);
  for (let n = 1; n <= 40; n++) tell(`198.51.100.${n}:1`, guess(n));
  tell(A, guess(0));
  fake.take();
  fake.pass(10);
  assertEquals(fake.take().map(({ packet, peer }) => [packet.type, peer]), [["OPEN", A]]);
});
