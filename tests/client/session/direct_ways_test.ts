/** Direct messages whose direct way closes and opens: once, in order, and the user knows what passes through the server. */
import { assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { FORBIDDEN } from "../../../client/session/way_words.ts";
import { type FakePeer, FakePeers, type OnTheWire, passOf, type Registered, SERVER } from "../../support/fake_peers.ts";
import { A, B, message, pair, punch, STRANGER, STREAM, texts } from "../../support/direct_messages.ts";

const NOTICE = "Bob can't be reached directly; sending through the server. /direct only forbids that";

/** How the reason begins why what went directly only is given up. */
const SILENT = "Bob has not answered directly: it may be gone, ignore you, or be reached";

/** Whether a datagram goes from one of the two to the other, not by the server. */
function isDirect({ from, to }: OnTheWire): boolean {
  return from !== SERVER && to !== SERVER;
}

/** Alice and Bob, with a server that passes on, and no direct way. */
function separated(): ReturnType<typeof pair> {
  const all = pair({ relay: true });
  all.net.loses = isDirect;
  return all;
}

/** The texts that were sent to the server in an envelope, each copy. */
function passedOn(net: FakePeers): string[] {
  return net.sent("RELAY").flatMap(({ to, packet: { packet } }) =>
    to === SERVER && packet.type === "MESSAGE" ? [packet.text] : []
  );
}

/** The checks of the direct way that were sent: when, and with which id. */
function checks(net: FakePeers): [at: number, id: number][] {
  return net.sent("OPEN").flatMap(({ at, packet: { id } }) => id === undefined ? [] : [[at, id]]);
}

const marks = (said: FakePeer["delivered"]) => said.map(({ text, relayed }) => [text, relayed]);
const shown = ({ shown }: FakePeer) => shown.map(({ text, relayed = false }) => [text, relayed]);

Deno.test("direct ways: without an answer for a second all that waits goes through the server, in the same stream", () => {
  const { net, alice, bob } = separated();
  alice.say("bob", "one", "two");
  net.pass(1000);
  assertEquals([passedOn(net), bob.shown, alice.notices], [[], [], []]);
  net.pass(100);
  assertEquals(shown(bob), [["one", true], ["two", true]]);
  assertEquals(marks(alice.delivered), [["one", true], ["two", true]]);
  assertEquals([alice.notices, alice.failed, alice.direct.waiting], [[NOTICE], [], 0]);
  assertEquals([alice.direct.isRelayed({ name: "Bob" }), alice.direct.isRelayed({ name: "Carole" })], [true, false]);
  const streams = net.sent("RELAY").map(({ packet: { packet } }) => packet.stream);
  assertEquals(new Set(streams), new Set([net.sent("MESSAGE")[0].packet.stream]));
  // the next goes there at once, and nothing is said of it again
  alice.say("bob", "three");
  net.pass(100);
  assertEquals([shown(bob).at(-1), alice.notices], [["three", true], [NOTICE]]);
});

Deno.test("direct ways: with a later message the direct way is checked, and taken when the answer comes directly", () => {
  const { net, alice, bob } = separated();
  alice.say("Bob", "one");
  net.pass(1100);
  assertEquals(checks(net), []);
  net.pass(60_000);
  const quiet = net.wire.length;
  net.pass(60_000);
  assertEquals(net.wire.length, quiet, "nothing is sent while nothing is said");

  const began = net.now;
  alice.say("Bob", "two");
  net.pass(9000);
  // although it was acknowledged long before the last copy
  assertEquals(checks(net).map(([at, id]) => [at - began, id]), [[10, 1], [260, 1], [1010, 1]]);
  alice.say("Bob", "three");
  net.pass(100);
  assertEquals(checks(net).length, 3);
  net.loses = () => false;
  net.pass(1000);
  alice.say("Bob", "four");
  net.pass(1000);
  assertEquals(checks(net).length, 4, "the first copy is answered");
  assertEquals(alice.direct.isRelayed({ name: "Bob" }), false);
  alice.say("Bob", "five");
  net.pass(100);
  assertEquals(shown(bob), [["one", true], ["two", true], ["three", true], ["four", true], ["five", false]]);
  assertEquals(marks(alice.delivered), shown(bob));
});

Deno.test("direct ways: what went directly and is acknowledged late opens the direct way, and is settled once", () => {
  const { net, alice, bob } = pair({ relay: true });
  net.loses = (datagram) => isDirect(datagram) && datagram.packet.type === "ACK";
  alice.say("Bob", "one");
  net.pass(1012);
  assertEquals([shown(bob), alice.notices, alice.delivered], [[["one", false]], [NOTICE], []]);
  const { stream, pass } = net.sent("MESSAGE")[0].packet;
  net.inject({ dialect: "v1", type: "ACK", pass, stream, id: 1 }, B, alice);
  assertEquals([alice.direct.isRelayed({ name: "Bob" }), texts(alice.delivered)], [false, ["one"]]);
  net.pass(5000);
  // a copy of it has passed through the server, so the mark stands
  assertEquals([marks(alice.delivered), shown(bob)], [[["one", true]], [["one", false]]]);
});

Deno.test("direct ways: an answer that comes through the server does not open the direct way", () => {
  const { net, alice, bob } = separated();
  alice.say("Bob", "one");
  net.pass(1100);
  alice.say("Bob", "two");
  net.pass(15);
  const [{ packet }] = net.sent("OPEN").filter(({ packet }) => packet.id !== undefined);
  alice.act(alice.direct.receiveAck({ dialect: "v1", type: "ACK", pass: packet.pass, id: packet.id! }, false, net.now));
  net.pass(100);
  assertEquals([shown(bob).length, alice.direct.isRelayed({ name: "Bob" })], [2, true]);
});

Deno.test("direct ways: a check is answered while its pass is believed, no oftener than messages are, and shows nothing", () => {
  const { net, bob } = pair();
  const check = { dialect: "v1", type: "OPEN", pass: passOf(A, B), id: 7 } as const;
  const answers = () => net.sent("ACK").map(({ to, packet: { pass, id, stream } }) => [to, pass, id, stream]);
  net.inject(check, A, bob);
  assertEquals(answers(), [], "no PUNCH");
  punch(bob, net.now);
  net.inject({ ...check, pass: passOf(A, STRANGER) }, A, bob);
  net.inject({ ...check, id: undefined }, A, bob);
  net.inject({ ...check, pass: undefined }, A, bob);
  assertEquals(answers(), []);
  net.inject(check, A, bob);
  assertEquals(answers(), [[A, passOf(A, B), 7, undefined]]);
  for (let i = 0; i < 300; i++) net.inject({ ...check, id: i }, A, bob);
  assertEquals(answers().length, 200);
  // to an address that the server has not named few are sent
  for (let i = 0; i < 300; i++) net.inject({ ...check, id: i }, STRANGER, bob);
  assertEquals(answers().length, 205);
  net.pass(10_000);
  net.inject(check, A, bob);
  assertEquals([answers().length, bob.shown], [205, []]);
});

Deno.test("direct ways: forbidden, no text goes to the server, and the failure says why", () => {
  const { net, alice } = separated();
  alice.act(alice.direct.forbid(FORBIDDEN.command, net.now));
  alice.say("Bob", "directly or not");
  net.pass(5010);
  assertEquals(alice.failed.map(({ reason }) => reason), [
    `${SILENT} through the server only, which you have forbidden (/direct first allows it)`,
  ]);
  net.members[1].isRelayed = true;
  const began = net.now;
  alice.say("Bob", "nor so");
  net.pass(20);
  assertEquals(alice.failed.slice(1).map(({ reason, at }) => [reason, at - began]), [
    ["Bob can't be reached directly; you have forbidden the way through the server (/direct first allows it)", 10],
  ]);
  assertEquals([net.sent("RELAY"), alice.notices], [[], []]);
  // allowed again, it goes
  alice.act(alice.direct.forbid(undefined, net.now));
  alice.say("Bob", "now");
  net.pass(100);
  assertEquals(texts(alice.delivered), ["now"]);
});

Deno.test("direct ways: forbidding it takes off that way what waits there, or fails it where there is no other", () => {
  for (const isRelayed of [false, true]) {
    const { net, alice, bob } = separated();
    net.members[1].isRelayed = isRelayed;
    net.loses = (datagram) => isDirect(datagram) || datagram.packet.type === "RELAY";
    alice.say("Bob", "one", "two");
    net.pass(3000);
    const copies = passedOn(net).length;
    assertGreater(copies, 2);
    alice.act(alice.direct.forbid(FORBIDDEN.command, net.now));
    assertEquals(alice.failed.length, isRelayed ? 1 : 0);
    net.pass(3000);
    if (!isRelayed) net.loses = () => false;
    net.pass(3000);
    assertEquals(passedOn(net).length, copies);
    assertEquals([texts(bob.shown), alice.failed.length], isRelayed ? [[], 1] : [["one", "two"], 0]);
    // the server could read them, even if they have not arrived that way
    assertEquals(marks(alice.delivered), isRelayed ? [] : [["one", true], ["two", true]]);
    assertEquals(shown(bob), isRelayed ? [] : [["one", false], ["two", false]]);
  }
});

Deno.test("direct ways: a server that passes nothing on is not asked to, and the failure says so", () => {
  const { net, alice } = separated();
  net.relays = false;
  alice.say("Bob", "hi");
  net.pass(5010);
  net.members[1].isRelayed = true;
  alice.say("Bob", "hi");
  net.pass(20);
  assertEquals(alice.failed.map(({ reason }) => reason), [
    `${SILENT} through the server only, and this server passes no private messages on`,
    "Bob can't be reached directly; this server passes no private messages on",
  ]);
  assertEquals([net.sent("RELAY"), alice.notices], [[], []]);
});

Deno.test("direct ways: through the server a message is given up after 10 s, and another name is told of anew", () => {
  const { net, alice } = separated();
  const began = net.now;
  net.loses = (datagram) => isDirect(datagram) || datagram.packet.type === "RELAY";
  alice.say("Bob", "hi");
  net.pass(20_000);
  assertEquals(alice.failed.map(({ reason, at }) => [reason, at - began]), [
    ["Bob has not answered, directly or through the server: it may have lost its network, or ignores you", 11_010],
  ]);
  assertLessOrEqual(net.wire.length, 100);
  // the same Bob
  alice.say("Bob", "hi");
  net.pass(20_000);
  assertEquals(alice.notices, [NOTICE]);
  // another one
  net.members[1] = { address: STRANGER, name: "Bob" };
  alice.say("Bob", "hi");
  net.pass(20_000);
  assertEquals(alice.notices, [NOTICE, NOTICE]);
});

Deno.test("direct ways: to a classic peer that is reached through the server the same packets go, and it confirms nothing", () => {
  const { net, alice, bob } = separated();
  Object.assign(net.members[1], { isRelayed: true, classic: true });
  alice.say("Bob", "hi");
  net.pass(100);
  // here the server's answer comes from Bob
  assertEquals(texts(bob.shown), ["hi"]);
  const [{ acknowledged, relayed, text }] = alice.delivered;
  assertEquals([acknowledged, relayed, text], [false, true, "hi"]);
  assertEquals(net.wire.filter(({ packet }) => packet.dialect === "classic"), []);
});

Deno.test("direct ways: that one has joined by 127.0.0.1 oneself is told once, not of each of thirty students", () => {
  const net = new FakePeers({ relay: true }), lecturer = net.join("127.0.0.1:52207", "Lecturer");
  const tell = (i: number, ways: Partial<Registered> = { isRelayed: true }) => {
    net.members.push({ name: `Student_${i}`, address: `192.0.2.${i}:1`, ...ways });
    lecturer.say(`Student_${i}`, "hello");
    net.pass(100);
  };
  for (let i = 1; i <= 30; i++) tell(i);
  const own =
    "You have joined by 127.0.0.1 and Student_1 has not; sending through the server. /direct only forbids that";
  assertEquals([lecturer.notices, passedOn(net).length > 30], [[own], true]);
  // what lies on the other side is told of each
  for (const i of [31, 32]) tell(i, { isRelayed: true, address: `[2001:db8::${i}]:1` });
  tell(33);
  assertEquals(
    lecturer.notices.slice(1).map((text) => text.split(";")[0]),
    [31, 32].map((i) => `Student_${i} has an IPv6 address, you have an IPv4 address`),
  );
});

Deno.test("direct ways: what is held for an earlier one keeps the mark of the way that it came", () => {
  const { net, bob } = pair();
  punch(bob, net.now);
  const pass = passOf(A, B),
    relay = (id: number) => {
      const packet = message(id, `${id}`, STREAM, 1) as Parameters<typeof bob.inbox.receiveRelayed>[0];
      bob.act(bob.inbox.receiveRelayed({ ...packet, pass }, { address: A, name: "Alice" }, net.now));
    };
  relay(2);
  net.inject(message(1, "1", STREAM, 1), A, bob);
  net.inject(message(4, "4", STREAM, 1), A, bob);
  relay(3);
  assertEquals(shown(bob), [["1", false], ["2", true], ["3", true], ["4", false]]);
});

Deno.test("direct ways: a message to oneself goes directly", () => {
  const { net, alice } = pair({ relay: true });
  alice.say("Alice", "a note");
  net.pass(100);
  assertEquals([shown(alice), marks(alice.delivered)], [[["a note", false]], [["a note", false]]]);
});

Deno.test("direct ways: who is written to by name and by address has a way for each, which one answer opens", () => {
  const { net, alice, bob } = separated();
  const { address } = net.members[1];
  alice.say("Bob", "by name");
  net.pass(1100);
  net.members.push({ address, token: address, name: "Robert" });
  alice.say("Robert", "by another");
  net.pass(1100);
  net.loses = () => false;
  assertEquals(["Bob", "Robert"].map((name) => alice.direct.isRelayed({ name })), [true, true]);
  for (const name of ["Bob", "Robert"]) alice.say(name, "again");
  net.pass(100);
  assertEquals(["Bob", "Robert"].map((name) => alice.direct.isRelayed({ name })), [false, false]);
  assertEquals(texts(bob.shown), ["by name", "by another", "again", "again"]);
});
