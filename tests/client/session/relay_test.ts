/** Direct messages that pass through the server, because their other end has a connection. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import type { V1Packet } from "../../../protocol.ts";
import { formatShown } from "../../../client/terminal/rendering.ts";
import { FakeSession, joined, type SentPacket, TOKEN, type V1, WELCOME } from "../../support/fake_session.ts";
import { messageIn } from "../../support/packets.ts";

const BOB = "10.0.0.7:52207", PASS = "e04b7d19c5a2638f", STREAM = "2be90f4417d6a3c8";

type Relayed = V1<"RELAY">["packet"];

/** Alice's session. */
const alice = () => joined({ name: "Alice" });

function message(id: number, text: string, fields: Partial<V1<"MESSAGE">> = {}): Relayed {
  return { dialect: "v1", type: "MESSAGE", pass: PASS, stream: STREAM, id, text, ...fields } as Relayed;
}

/** Lets the server pass something on, in Bob's name. */
function relay(fake: FakeSession, packet: Relayed, fields: Partial<V1<"RELAY">> = {}): SentPacket[] {
  fake.receive({ dialect: "v1", type: "RELAY", address: BOB, name: "Bob", packet, ...fields });
  return fake.take();
}

/** Answers Alice's look-up of Bob; returns what she sends then. */
function answer(fake: FakeSession, fields: Partial<V1<"PEER">> = {}): SentPacket[] {
  const { id } = fake.takeAll("LOOKUP").at(-1)!;
  const peer = { address: BOB, name: "Bob", since: 0, pass: PASS, relay: true, transport: "tcp" };
  fake.receive({ dialect: "v1", type: "PEER", id, ...peer, ...fields });
  // what goes through the server leaves after the user was told so
  fake.pass(0);
  return fake.take();
}

const direct = ({ shown }: FakeSession) => shown.filter(({ kind }) => kind === "direct");
const lines = (fake: FakeSession) =>
  fake.shown.map((shown) => formatShown(shown, { colour: false, times: false })).filter((line) =>
    !line.includes("***")
  );

Deno.test("relay: what the server passes on is shown as such, once, and acknowledged through the server", () => {
  const fake = alice();
  const sent = relay(fake, message(1, "hi \x1b[2J"));
  const packet: Relayed = { dialect: "v1", type: "ACK", pass: PASS, stream: STREAM, id: 1 };
  assertEquals(sent.map(({ packet, peer }) => [packet, peer]), [
    [{ dialect: "v1", type: "RELAY", token: TOKEN, address: BOB, packet }, undefined],
  ]);
  assertEquals(relay(fake, message(1, "hi")).length, 1);
  relay(fake, message(2, "waves", { action: true }));
  assertEquals(direct(fake).map((shown) => formatShown(shown, { colour: false, times: false })), [
    `<- <From ${BOB}:Bob> (through the server): hi ?[2J`,
    `<- <From ${BOB}:Bob> (through the server): * Bob waves`,
  ]);
});

Deno.test("relay: only the server passes something on, with the token of this client", () => {
  const fake = alice();
  const packet = message(1, "forged");
  const forged: V1Packet = { dialect: "v1", type: "RELAY", token: TOKEN, address: BOB, name: "Bob", packet };
  fake.session.receiveFromPeer(forged, BOB, fake.now);
  fake.receive({ ...forged, token: "0123456789abcdef" });
  assertEquals([fake.take(), direct(fake)], [[], []]);
});

Deno.test("relay: who is not a member takes nothing that is passed on, nor does one that leaves", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  fake.take();
  assertEquals(relay(fake, message(1, "early")), []);
  fake.welcome();
  fake.take();
  fake.session.close(fake.now);
  fake.take();
  assertEquals([relay(fake, message(1, "late")), direct(fake)], [[], []]);
});

Deno.test("relay: ignored people are not heard through the server either", () => {
  for (const who of ["bob", BOB]) {
    const fake = alice();
    fake.session.view.people.ignore(who);
    assertEquals([relay(fake, message(1, "hi")), direct(fake)], [[], []], who);
  }
});

Deno.test("relay: what is for a member with a connection goes to the server, and the user is told so once", () => {
  const fake = alice();
  fake.session.sayTo("bob", "hello", fake.now);
  const [{ packet, peer }] = answer(fake);
  const { stream } = messageIn(packet as V1<"RELAY">);
  const expected = {
    dialect: "v1",
    type: "RELAY",
    token: TOKEN,
    address: BOB,
    packet: message(1, "hello", { stream }),
  };
  assertEquals([packet as unknown, peer], [expected, undefined]);
  relay(fake, { dialect: "v1", type: "ACK", pass: PASS, stream, id: 1 });
  fake.session.sayTo("bob", "again", fake.now);
  answer(fake);
  relay(fake, { dialect: "v1", type: "ACK", pass: PASS, stream, id: 2 });
  assertEquals(lines(fake).slice(-3), [
    "-- Bob has a TCP connection; sending through the server. /direct only forbids that",
    "-- Delivered to Bob (through the server): hello",
    "-- Delivered to Bob (through the server): again",
  ]);
  assertEquals(fake.session.waiting, 0);
});

Deno.test("relay: the user is told so before the text leaves", () => {
  const fake = alice();
  fake.session.sayTo("bob", "psst", fake.now);
  const { id } = fake.takeAll("LOOKUP").at(-1)!;
  fake.receive({ dialect: "v1", type: "PEER", id, address: BOB, name: "Bob", since: 0, pass: PASS, relay: true });
  const notice = "-- Bob can't be reached directly; sending through the server. /direct only forbids that";
  assertEquals([lines(fake).at(-1), fake.take(), fake.session.nextWake], [notice, [], fake.now]);
  fake.pass(0);
  assertEquals(fake.takeAll("RELAY").length, 1);
});

Deno.test("relay: forbidden by --no-relay or by /direct only, nothing private goes to the server, also to a TCP member", () => {
  for (const isForbiddenLater of [false, true]) {
    const fake = joined({ name: "Alice", relay: isForbiddenLater });
    if (isForbiddenLater) fake.session.allowRelay(false, fake.now);
    assertEquals(fake.session.isRelayAllowed, false);
    fake.session.sayTo("bob", "psst", fake.now);
    assertEquals(answer(fake), []);
    const how = isForbiddenLater ? "/direct first allows it" : "start without --no-relay to allow it";
    const why = `Bob has a TCP connection; you have forbidden the way through the server (${how})`;
    assertEquals(lines(fake).at(-1), `!! Not delivered to Bob ("psst"): ${why}`);
    // what others send so is taken all the same
    assertEquals(relay(fake, message(1, "hi")).map(({ packet }) => packet.type), ["RELAY"]);
    assertEquals(direct(fake).length, 1);
    fake.session.allowRelay(true, fake.now);
    fake.session.sayTo("bob", "psst", fake.now);
    assertEquals(answer(fake).map(({ packet }) => packet.type), ["RELAY"]);
  }
});

Deno.test("relay: /direct only while something waits there fails it at once, also at the end of a pipe", () => {
  const fake = alice();
  fake.session.sayTo("bob", "psst", fake.now);
  answer(fake);
  fake.session.drain(fake.now);
  fake.session.allowRelay(false, fake.now);
  assertEquals([fake.session.closing, fake.session.failure], [true, "1 message not delivered"]);
});

Deno.test("relay: a pipe waits for what goes through the server as long as it may take", () => {
  const fake = alice();
  fake.session.sayTo("bob", "psst", fake.now);
  answer(fake, { relay: undefined, transport: undefined });
  fake.session.drain(fake.now);
  fake.pass(20_000, () => {
    for (const { id } of fake.takeAll("SIGN-IN")) fake.receive({ ...WELCOME, id, name: "Alice" });
  });
  const failures = fake.shown.filter(({ kind }) => kind === "problem");
  assertEquals([failures.length, fake.session.failure], [1, "1 message not delivered"]);
});

Deno.test("relay: a check of the direct way is answered to where it came from, but not to an ignored address", () => {
  const fake = alice();
  const check = { dialect: "v1", type: "OPEN", pass: PASS, id: 3 } as const;
  const ask = () => {
    fake.session.receiveFromPeer(check, BOB, fake.now);
    return fake.take().map(({ packet, peer }) => [packet, peer]);
  };
  assertEquals(ask(), []);
  fake.receive({ dialect: "v1", type: "PUNCH", address: BOB, name: "Bob", pass: PASS });
  fake.take();
  assertEquals(ask(), [[{ dialect: "v1", type: "ACK", pass: PASS, id: 3 }, BOB]]);
  fake.session.view.people.ignore(BOB);
  assertEquals(ask(), []);
});

Deno.test("relay: it is repeated until it is acknowledged with the pass, and nothing goes to the peer's address", () => {
  const fake = alice();
  fake.session.sayTo("bob", "hello", fake.now);
  const [{ packet }] = answer(fake), { stream } = messageIn(packet as V1<"RELAY">);
  relay(fake, { dialect: "v1", type: "ACK", pass: STREAM, stream, id: 1 });
  fake.pass(4000);
  const sent = fake.take();
  const repeats = sent.filter(({ packet }) => packet.type === "RELAY");
  assertEquals(repeats.length > 3, true);
  for (const { packet: repeat } of repeats) {
    const again = (repeat as V1<"RELAY">).packet as V1<"MESSAGE">, { age, ...rest } = again;
    assertEquals([rest, age! > 0], [message(1, "hello", { stream }), true]);
  }
  assertEquals(sent.filter(({ peer }) => peer !== undefined), []);
  fake.pass(6000);
  const reason = "Bob has not answered, through the server: it may have lost its network, or ignores you";
  // it has left this client, so nobody knows whether it has arrived
  const failure = `!! Not known to be delivered to Bob ("hello"): ${reason}`;
  assertEquals(lines(fake).find((line) => line.startsWith("!!")), failure);
});

Deno.test("relay: of what is given up, what has left is not known to be delivered, and the rest is not", () => {
  const fake = alice();
  fake.session.sayTo("bob", "1", fake.now);
  answer(fake);
  for (let i = 2; i <= 40; i++) fake.session.sayTo("bob", `${i}`, fake.now);
  fake.pass(0);
  // with the first, as many as may be under way
  assertEquals(new Set(fake.takeAll("RELAY").map((relay) => messageIn(relay).id)).size, 31);
  fake.session.allowRelay(false, fake.now);
  const why = "Bob has a TCP connection; you have forbidden the way through the server (/direct first allows it)";
  assertEquals(lines(fake).filter((line) => line.startsWith("!!")), [
    `!! Not known to be delivered to Bob ("1" and 31 more): ${why}`,
    `!! Not delivered to Bob ("33" and 7 more): ${why}`,
  ]);
  fake.session.drain(fake.now);
  assertEquals(fake.session.failure, "40 messages not delivered");
});

Deno.test("relay: a classic member gets its INCOMING straight from who may not, or can't, send it through the server", () => {
  for (const [relay, norelay] of [[true, true], [false, undefined]] as const) {
    const fake = joined({ name: "Alice", relay });
    fake.session.sayTo("bob", "hello", fake.now);
    const sent = answer(fake, { classic: true, relay: undefined, norelay, transport: undefined });
    assertEquals(sent.map(({ packet, peer }) => [packet.type, peer]), [["INCOMING", BOB]]);
  }
  const fake = alice();
  fake.session.sayTo("bob", "hello", fake.now);
  const sent = answer(fake, { classic: true, relay: undefined, transport: undefined });
  assertEquals(sent.map(({ packet, peer }) => [packet.type, peer]), [["RELAY", undefined]]);
});

Deno.test("relay: the way follows the last answer of the server", () => {
  const fake = alice();
  fake.session.sayTo("Bob", "hello", fake.now);
  const [{ packet }] = answer(fake), { stream } = messageIn(packet as V1<"RELAY">);
  fake.pass(300);
  // Bob has come back with a client of version 1
  const sent = answer(fake, { address: "10.0.0.7:1", pass: STREAM, relay: undefined, transport: undefined });
  assertEquals(sent.map(({ packet, peer }) => [packet, peer]), [
    [message(1, "hello", { pass: STREAM, stream, age: 300 }), "10.0.0.7:1"],
  ]);
});

Deno.test("relay: /reply answers who has written through the server", () => {
  const fake = alice();
  relay(fake, message(1, "hi"));
  fake.session.reply("hello", fake.now);
  assertEquals(fake.takeAll("LOOKUP").map(({ name }) => name), ["Bob"]);
});

Deno.test("relay: /whois tells how somebody is connected", () => {
  const fake = alice();
  for (const transport of ["tcp", "web"]) {
    fake.session.whois("Bob", fake.now);
    answer(fake, { transport });
  }
  assertEquals(lines(fake).slice(-2).map((line) => line.replace(/\d\d:\d\d, /, "00:00, ")), [
    `<- Bob is at ${BOB} since 00:00, by TCP, only through the server`,
    `<- Bob is at ${BOB} since 00:00, by web, only through the server`,
  ]);
});

Deno.test("relay: a peer writes 100 lines a second at most through the server too, and causes as many answers", () => {
  const fake = alice();
  let answers = 0;
  for (let id = 1; id <= 2000; id++) answers += relay(fake, message(id, "x", { first: id })).length;
  assertLessOrEqual(direct(fake).length, 200);
  assertLessOrEqual(answers, 200);
});

Deno.test("relay: somebody else at the address of a connection that has ended is another sender", () => {
  const fake = alice();
  relay(fake, message(1, "from Bob"));
  relay(fake, message(1, "from Eve", { pass: STREAM, stream: PASS }), { name: "Eve" });
  relay(fake, message(2, "from Bob", { first: 1 }));
  assertEquals(direct(fake).map((shown) => "name" in shown && shown.name), ["Bob", "Eve", "Bob"]);
});
