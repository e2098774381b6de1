/** Checks of the way back to where a peer's packets come from: which open it, and that nobody is flooded by them. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { type FakePeer, FakePeers, type NetworkOptions, passOf, SERVER } from "../../support/fake_peers.ts";
import { A, B, forged, guess, message, pair, punch, STRANGER, STREAM, texts } from "../../support/direct_messages.ts";

/** Alice behind a NAT that gives each destination another port, and Bob in an open network. */
function symmetricPair(options: NetworkOptions = { relay: true }) {
  const all = pair(options);
  all.net.nats.add(A);
  return all;
}

/** The checks that were sent: from where, to where. */
function checks(net: FakePeers): { from: string; to: string; at: number; id: number }[] {
  return net.sent("OPEN").flatMap(({ from, to, at, packet: { id } }) => id === undefined ? [] : [{ from, to, at, id }]);
}

const marks = (said: FakePeer["delivered"]) => said.map(({ text, relayed }) => [text, relayed]);
const shown = ({ shown }: FakePeer) => shown.map(({ text, relayed = false }) => [text, relayed]);

/** Forbids both to send texts through the server. */
function forbid(net: FakePeers, ...peers: FakePeer[]): void {
  for (const { act, direct } of peers) act(direct.allowRelay(false, net.now));
}

Deno.test("direct checks: between a symmetric NAT and an open network both ways are direct, whoever begins", () => {
  for (const isForbidden of [false, true]) {
    for (const isAnswer of [false, true]) {
      const { net, alice, bob } = symmetricPair(), began = net.now;
      if (isForbidden) forbid(net, alice, bob);
      if (isAnswer) {
        alice.say("Bob", "one");
        net.pass(60_000);
      }
      const asked = net.now;
      bob.say("Alice", "two");
      net.pass(100);
      assertEquals(shown(alice), [["two", false]], "at once");
      bob.say("Alice", "three");
      alice.say("Bob", "four");
      net.pass(1000);
      assertEquals([marks(bob.delivered), shown(alice)], [[["two", false], ["three", false]], marks(bob.delivered)]);
      assertEquals(shown(bob), [...(isAnswer ? [["one", false]] : []), ["four", false]]);
      assertEquals([net.sent("RELAY"), bob.failed, alice.notices], [[], [], []]);
      // one is enough
      assertEquals(checks(net).filter(({ at }) => at < asked), [], "nothing is asked while nothing is said");
      assertEquals(checks(net).filter(({ from }) => from === B).length, 1);
      const quiet = net.wire.length;
      net.pass(60_000);
      assertEquals(net.wire.length, quiet);
      assert(net.now > began);
    }
  }
});

Deno.test("direct checks: between two symmetric NATs no check opens anything, and the server's way is taken", () => {
  const { net, alice, bob } = symmetricPair();
  net.nats.add(B);
  for (let i = 0; i < 3; i++) {
    alice.say("Bob", `${i}`);
    bob.say("Alice", `${i}`);
    net.pass(5000);
  }
  for (const peer of [alice, bob]) assertEquals(shown(peer), [["0", true], ["1", true], ["2", true]]);
});

Deno.test("direct checks: when the NAT has taken another port, the next text finds it", () => {
  const { net, alice, bob } = symmetricPair();
  forbid(net, alice, bob);
  alice.say("Bob", "one");
  net.pass(100);
  bob.say("Alice", "two");
  net.pass(100);
  net.pass(120_000);
  net.nats.forgetPorts(A);
  bob.say("Alice", "three");
  net.pass(1000);
  // and in the middle of a conversation
  net.nats.forgetPorts(A);
  bob.say("Alice", "four");
  net.pass(3000);
  assertEquals([texts(alice.shown), bob.failed], [["two", "three", "four"], []]);
});

Deno.test("direct checks: when a closed network opens, the reply to what has come directly goes directly", () => {
  const { net, alice, bob } = pair({ relay: true });
  net.loses = ({ from, to }) => from !== SERVER && to !== SERVER;
  alice.say("Bob", "one");
  bob.say("Alice", "two");
  net.pass(2000);
  assertEquals([shown(bob), shown(alice)], [[["one", true]], [["two", true]]]);
  net.loses = () => false;
  net.pass(10_000);
  alice.say("Bob", "three");
  net.pass(100);
  alice.say("Bob", "four");
  net.pass(100);
  assertEquals(shown(bob).at(-1), ["four", false]);
  assertEquals(bob.direct.isRelayed({ name: "Alice" }), false);
  bob.say("Alice", "five");
  net.pass(100);
  assertEquals(shown(alice).at(-1), ["five", false]);
  // also if nothing but the checks has come directly
  net.pass(60_000);
  net.loses = ({ from, to }) => from !== SERVER && to !== SERVER;
  alice.say("Bob", "six");
  bob.say("Alice", "seven");
  net.pass(2000);
  net.loses = () => false;
  net.pass(10_000);
  alice.say("Bob", "eight");
  net.pass(100);
  bob.say("Alice", "nine");
  net.pass(100);
  bob.say("Alice", "ten");
  net.pass(100);
  assertEquals(shown(alice).at(-1), ["ten", false]);
});

Deno.test("direct checks: the first reply to what has come through the server goes there at once, with the notice and a check", () => {
  for (const isOpenAgain of [false, true]) {
    const { net, alice, bob } = pair({ relay: true });
    net.loses = ({ from, to }) => from !== SERVER && to !== SERVER;
    alice.say("Bob", "one");
    net.pass(2000);
    if (isOpenAgain) net.loses = () => false;
    bob.say("Alice", "two");
    net.pass(100);
    assertEquals([shown(alice), bob.notices.length], [[["two", true]], 1]);
    bob.say("Alice", "three");
    net.pass(100);
    assertEquals(shown(alice), [["two", true], ["three", !isOpenAgain]]);
  }
  // neither does it say anything of another address
  for (const isMoved of [false, true]) {
    const { net, alice, bob } = pair({ relay: true });
    net.loses = ({ from, to }) => from !== SERVER && to !== SERVER;
    bob.say("Alice", "one");
    net.pass(2000);
    if (isMoved) net.members[0].address = STRANGER;
    const before = net.sent("MESSAGE").length;
    bob.say("Alice", "two");
    net.pass(500);
    assertEquals(net.sent("MESSAGE").length > before, isMoved);
    assertEquals(alice.failed, []);
  }
  // what came so long ago says nothing
  const { net, alice, bob } = pair({ relay: true });
  net.loses = ({ from, to }) => from !== SERVER && to !== SERVER;
  alice.say("Bob", "one");
  net.pass(62_000);
  net.loses = () => false;
  bob.say("Alice", "two");
  net.pass(100);
  assertEquals(shown(alice), [["two", false]]);
});

/** Bob, who writes to a silent Alice, with whoever else has her pass. */
function writing() {
  const net = new FakePeers({ relay: true }), bob = net.join(B, "Bob");
  net.members.push({ address: A, name: "Alice" });
  bob.say("Alice", "hi");
  net.pass(20);
  return { net, bob };
}

Deno.test("direct checks: who makes a client believe an address that is another's gets no text sent there", () => {
  const { net, bob } = writing();
  net.inject(message(1, "from elsewhere"), STRANGER, bob);
  const [{ to, id }] = checks(net);
  assertEquals(to, STRANGER);
  // it has not got the check, so it can only guess
  const ack = { dialect: "v1", type: "ACK", pass: passOf(A, B) } as const;
  for (const guessed of [0, 1, 2, id - 1, id + 1]) net.inject({ ...ack, id: guessed }, STRANGER, bob);
  net.inject({ ...ack, id, pass: guess(1) }, STRANGER, bob);
  net.pass(20_000);
  assertEquals(net.sent("MESSAGE").filter((sent) => sent.to === STRANGER), []);
  // who has got it gets the text
  net.inject(message(2, "again"), STRANGER, bob);
  bob.say("Alice", "hello");
  net.pass(20);
  net.inject(message(3, "again"), STRANGER, bob);
  net.inject({ ...ack, id: checks(net).at(-1)!.id }, STRANGER, bob);
  assertEquals(texts(net.sent("MESSAGE").filter((sent) => sent.to === STRANGER).map(({ packet }) => packet)), [
    "hello",
  ]);
});

Deno.test("direct checks: a packet without a pass that is believed, or of one whom the user ignores, causes none", () => {
  const { net, bob } = writing();
  for (const pass of [undefined, guess(1)]) {
    net.inject({ dialect: "v1", type: "MESSAGE", pass, stream: STREAM, id: 1, text: "x" }, STRANGER, bob);
    net.inject({ dialect: "v1", type: "OPEN", pass }, STRANGER, bob);
  }
  assertEquals(checks(net), []);
  net.inject({ dialect: "v1", type: "OPEN", pass: passOf(A, B) }, STRANGER, bob);
  assertEquals(checks(net).map(({ to }) => to), [STRANGER]);
});

Deno.test("direct checks: where nothing waits an OPEN causes none, so that two do not ask each other for ever; a text does", () => {
  const { net, alice, bob } = pair({ relay: true });
  net.loses = ({ from, to }) => from !== SERVER && to !== SERVER;
  alice.say("Bob", "one");
  net.pass(2000);
  assertEquals([alice.direct.waiting, alice.direct.isRelayed({ name: "Bob" }), checks(net)], [0, true, []]);
  for (const from of [B, STRANGER]) {
    net.inject({ dialect: "v1", type: "OPEN", pass: passOf(A, B), id: 1 }, from, alice);
    net.inject({ dialect: "v1", type: "OPEN", pass: passOf(A, B) }, from, alice);
  }
  assertEquals(checks(net), []);
  net.inject(message(1, "x", guess(1)), STRANGER, alice);
  assertEquals(checks(net).map(({ to }) => to), [STRANGER]);
  assertEquals(bob.failed, []);
});

Deno.test("direct checks: one a second goes out for a pass, whatever comes, and to others few of all", () => {
  const { net, bob } = writing();
  const began = net.now;
  for (let ms = 0; ms < 8000; ms++) {
    net.inject({ dialect: "v1", type: "OPEN", pass: passOf(A, B) }, forged(ms), bob);
    net.pass(1);
  }
  const sent = checks(net).filter(({ to, at }) => to !== A && at >= began);
  assert(sent.length > 3);
  assertLessOrEqual(sent.length, 8);
  // many members
  const other = new FakePeers({ relay: true }), carole = other.join(B, "Carole");
  for (let i = 0; i < 300; i++) {
    const address = `192.0.3.${i & 255}:${1000 + i}`;
    other.members.push({ address, name: `M${i}` });
    carole.say(`M${i}`, "hi");
  }
  other.pass(20);
  for (let ms = 0; ms < 3000; ms++) {
    const { address } = other.members[1 + ms % 300];
    other.inject({ dialect: "v1", type: "OPEN", pass: passOf(B, address) }, STRANGER, carole);
    other.inject({ dialect: "v1", type: "OPEN", pass: passOf(B, address), id: ms }, STRANGER, carole);
    other.pass(1);
  }
  const toStranger = other.wire.filter(({ to }) => to === STRANGER);
  assert(toStranger.length > 100);
  assertLessOrEqual(toStranger.length, 200 + 3 * 20);
});

Deno.test("direct checks: one that a member was asked by only is answered, and takes no place of one that has written", () => {
  const { net, bob } = pair();
  const tell = (i: number) => punch(bob, net.now, { address: forged(i), name: `User${i}`, pass: guess(i) });
  const write = (i: number) => net.inject(message(1, `${i}`, guess(i), 1, guess(i)), forged(i), bob);
  for (let i = 0; i < 256; i++) {
    tell(i);
    write(i);
  }
  for (let i = 256; i < 1000; i++) {
    tell(i);
    net.inject({ dialect: "v1", type: "OPEN", pass: guess(i), id: i }, forged(i), bob);
  }
  assertEquals(net.sent("ACK").filter(({ packet }) => packet.stream === undefined).length, 744);
  for (let i = 0; i < 256; i++) write(i);
  assertEquals(bob.shown.length, 256);
  // however often it is named again
  for (let i = 0; i < 300; i++) {
    tell(999);
    net.inject({ dialect: "v1", type: "OPEN", pass: guess(999), id: i }, STRANGER, bob);
  }
  assertEquals(net.sent("ACK").filter(({ to }) => to === STRANGER).length, 5);
});

Deno.test("direct checks: who is written to may answer one before the server's word on it has come", () => {
  const { net, alice } = pair();
  net.loses = ({ packet }) => packet.type === "MESSAGE";
  alice.say("Bob", "hi");
  net.pass(100);
  net.inject({ dialect: "v1", type: "OPEN", pass: passOf(A, B), id: 7 }, B, alice);
  assertEquals(net.sent("ACK").map(({ to, packet }) => [to, packet.id]), [[B, 7]]);
});
