/** Direct messages whose direct way closes and opens: once, in order, and the user knows what passes through the server. */
import { assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { type FakePeer, FakePeers, type OnTheWire, passOf, type Registered, SERVER } from "../../support/fake_peers.ts";
import { A, B, message, pair, punch, STRANGER, STREAM, texts } from "../../support/direct_messages.ts";
import { messageIn } from "../../support/packets.ts";

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

/** The checks of the direct way that were sent: when, and the how manyth each is a copy of. */
function checks(net: FakePeers): [at: number, check: number][] {
  const sent = net.sent("OPEN").filter(({ packet: { id } }) => id !== undefined);
  const ids = [...new Set(sent.map(({ packet: { id } }) => id))];
  return sent.map(({ at, packet: { id } }) => [at, ids.indexOf(id) + 1]);
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
  const streams = net.sent("RELAY").map(({ packet }) => messageIn(packet).stream);
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
  alice.act(
    alice.direct.receiveAck({ dialect: "v1", type: "ACK", pass: packet.pass, id: packet.id! }, undefined, net.now),
  );
  net.pass(100);
  alice.say("Bob", "three");
  net.pass(100);
  assertEquals(shown(bob).slice(1), [["two", true], ["three", true]]);
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
  alice.act(alice.direct.allowRelay(false, net.now));
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
  alice.act(alice.direct.allowRelay(true, net.now));
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
    alice.act(alice.direct.allowRelay(false, net.now));
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

Deno.test("direct ways: who is written to by name and by address has one way, by either", () => {
  const { net, alice, bob } = separated();
  const ways = () => [{ name: "Bob" }, { address: B }].map((who) => alice.direct.isRelayed(who));
  alice.say("Bob", "by name");
  net.pass(1100);
  alice.say({ address: B }, "by address");
  net.pass(1100);
  assertEquals([texts(bob.shown), texts(alice.delivered), ways()], [
    ["by name", "by address"],
    ["by name", "by address"],
    [true, true],
  ]);
  assertEquals(alice.delivered.map(({ name }) => name), ["Bob", "Bob"]);
  net.loses = () => false;
  net.pass(10_000);
  alice.say({ address: B }, "again");
  net.pass(100);
  assertEquals(ways(), [false, false]);
  alice.say("Bob", "directly");
  net.pass(100);
  assertEquals(marks(alice.delivered).slice(2), [["again", true], ["directly", false]]);
});

/** A peer of Alice's that is silent, unless a test speaks for it, and its answers. */
function silentPeer(options = { relay: true }) {
  const { net, alice } = pair(options);
  net.members.push({ name: "Silent", address: STRANGER });
  const ack = (id: number) => {
    const { stream, pass } = net.sent("MESSAGE").at(-1)!.packet;
    net.inject({ dialect: "v1", type: "ACK", pass, stream, id }, STRANGER, alice);
  };
  return { net, alice, ack };
}

Deno.test("direct ways: a peer that answers without end and acknowledges nothing keeps no message waiting", () => {
  const { net, alice, ack } = silentPeer(), began = net.now;
  alice.say("Silent", "hi");
  net.pass(20);
  for (let i = 0; i < 400 && alice.failed.length === 0; i++, net.pass(100)) ack(0);
  assertEquals(alice.failed.map(({ at }) => Math.round((at - began) / 1000)), [15]);
});

Deno.test("direct ways: what waits goes out at once by the way that has changed", () => {
  // without it the next repeat would come some hundred milliseconds later
  const { net, alice, ack } = silentPeer();
  alice.say("Silent", "one", "two");
  net.pass(3000);
  const sentNow = (type: "MESSAGE" | "RELAY") => net.sent(type).filter(({ at }) => at === net.now).length;
  // each time other texts wait, and the last copy was sent just before
  const untilSent = (type: "MESSAGE" | "RELAY") => {
    while (sentNow(type) === 0) net.pass(1);
    net.pass(1);
  };
  untilSent("RELAY");
  ack(0);
  assertEquals([alice.direct.isRelayed({ name: "Silent" }), sentNow("MESSAGE")], [false, 2], "directly");
  while (!alice.direct.isRelayed({ name: "Silent" })) net.pass(1);
  assertEquals(sentNow("RELAY"), 2, "through the server");
  untilSent("RELAY");
  alice.act(alice.direct.allowRelay(false, net.now));
  net.pass(0);
  assertEquals(sentNow("MESSAGE"), 2, "forbidden");
});

Deno.test("direct ways: before the server has said where a peer is now, nothing goes to where it was", () => {
  const { net, alice, bob } = separated();
  alice.say("Bob", "one");
  net.pass(1100);
  const { packet: { pass, stream } } = net.sent("MESSAGE")[0];
  net.serverAnswers = false;
  alice.say("Bob", "two");
  const before = net.wire.length;
  // a late answer opens the direct way
  net.inject({ dialect: "v1", type: "ACK", pass, stream, id: 1 }, B, alice);
  net.pass(200);
  assertEquals(net.wire.slice(before).map(({ packet }) => packet.type), []);
  // neither is it given up for what was the case
  net.serverAnswers = true;
  net.members[1].isRelayed = true;
  net.pass(1000);
  assertEquals(texts(bob.shown), ["one", "two"]);
  net.members[1].isRelayed = false;
  net.loses = () => false;
  alice.say("Bob", "three");
  alice.act(alice.direct.allowRelay(false, net.now));
  net.pass(1000);
  assertEquals([texts(alice.delivered), alice.failed], [["one", "two", "three"], []]);
});

Deno.test("direct ways: what goes to the next owner of a name directly has no mark of what went to the one before", () => {
  const { net, alice } = separated();
  alice.say("Bob", "one", "two", "three");
  net.pass(1100);
  net.members[1].name = "Robert";
  net.join("192.0.2.23:50001", "Bob");
  net.loses = () => false;
  alice.say("Bob", "to another");
  net.pass(100);
  assertEquals(marks(alice.delivered), [["one", true], ["two", true], ["three", true], ["to another", false]]);
});

Deno.test("direct ways: to an address where nobody is any more the failure says so", () => {
  const { net, alice } = pair();
  alice.say({ address: STRANGER }, "hi");
  alice.say({ name: "Nobody" }, "hi");
  net.pass(100);
  assertEquals(alice.failed.map(({ name, reason }) => [name, reason]), [
    [STRANGER, "nobody is there any more"],
    ["Nobody", "nobody here has that name"],
  ]);
});

Deno.test("direct ways: what was said under the ban does not go through the server when that is allowed again", () => {
  const { net, alice } = separated();
  alice.act(alice.direct.allowRelay(false, net.now));
  alice.say("Bob", "for you alone");
  net.pass(2000);
  alice.act(alice.direct.allowRelay(true, net.now));
  alice.act(alice.direct.allowRelay(true, net.now));
  // what is said behind it waits for it
  alice.say("Bob", "and this");
  net.pass(4000);
  assertEquals([net.sent("RELAY"), alice.failed.map(({ count, reason }) => [count, reason])], [[], [
    [2, `${SILENT} through the server only, which was forbidden when it was said`],
  ]]);
  alice.say("Bob", "now");
  net.pass(1100);
  assertEquals(marks(alice.delivered), [["now", true]]);
  // allowed twice is allowed
  net.loses = (datagram) => isDirect(datagram) || datagram.packet.type === "RELAY";
  alice.say("Bob", "again");
  net.pass(100);
  alice.act(alice.direct.allowRelay(true, net.now));
  const envelopes = passedOn(net).length;
  net.pass(2000);
  assertGreater(passedOn(net).length, envelopes);
  net.loses = isDirect;
  net.pass(1000);
  assertEquals(marks(alice.delivered).at(-1), ["again", true]);
  // so it is where something was acknowledged
  net.loses = () => false;
  net.pass(10_000);
  alice.say("Bob", "directly");
  net.pass(100);
  alice.act(alice.direct.allowRelay(false, net.now));
  net.loses = isDirect;
  alice.say("Bob", "alone");
  alice.act(alice.direct.allowRelay(true, net.now));
  const before = net.sent("RELAY").length;
  net.pass(4000);
  assertEquals(net.sent("RELAY").length, before);
  net.loses = () => false;
  net.pass(1000);
  net.loses = isDirect;
  alice.say("Bob", "as you like");
  net.pass(1100);
  assertEquals(marks(alice.delivered).slice(-2), [["alone", false], ["as you like", true]]);
});

Deno.test("direct ways: a classic peer that has a pass is reached through the server, unless that is forbidden", () => {
  const straight = (net: FakePeers) => net.wire.filter(({ packet }) => packet.dialect === "classic").length;
  const { net, alice, bob } = separated();
  Object.assign(net.members[1], { classic: true });
  alice.say("Bob", "hi");
  net.pass(100);
  assertEquals([straight(net), texts(bob.shown), alice.notices.length], [0, ["hi"], 1]);
  assertEquals(alice.delivered.map(({ acknowledged, relayed }) => [acknowledged, relayed]), [[false, true]]);
  assertEquals([checks(net), alice.direct.isRelayed({ name: "Bob" })], [[], true]);
  alice.act(alice.direct.allowRelay(false, net.now));
  alice.say("Bob", "straight");
  net.pass(100);
  assertEquals([straight(net), texts(bob.shown)], [1, ["hi"]]);
  alice.act(alice.direct.allowRelay(true, net.now));
  // forbidden while it waits
  net.loses = ({ packet }) => packet.type === "RELAY";
  alice.say("Bob", "one", "two");
  net.pass(500);
  const copies = net.sent("RELAY").length;
  alice.act(alice.direct.allowRelay(false, net.now));
  assertEquals([straight(net), net.sent("MESSAGE"), alice.direct.waiting], [3, [], 0]);
  // the server could read them
  assertEquals(marks(alice.delivered).slice(1), [["straight", false], ["one", true], ["two", true]]);
  // a server that passes nothing on
  net.relays = false;
  alice.act(alice.direct.allowRelay(true, net.now));
  alice.say("Bob", "three");
  net.pass(100);
  assertEquals([straight(net), net.sent("RELAY").length, alice.failed], [4, copies, []]);
  assertEquals(marks(alice.delivered).at(-1), ["three", false]);
});
