/** How a session ends: with everything delivered, or with the reason why not, and never without an end. */
import { assert, assertEquals, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { ADDRESS, COOKIE, FakeSession, joined, TOKEN, WELCOME } from "../../support/fake_session.ts";

/** Lets time pass until the session has left; returns the milliseconds. */
function untilLeft(fake: FakeSession, deadline = 60_000): number {
  const start = fake.now;
  while (fake.session.state !== "closed") {
    assert(fake.now - start < deadline, `still ${fake.session.state} after ${deadline} ms`);
    fake.pass(10);
  }
  return fake.now - start;
}

Deno.test("session: closing says goodbye with the token, and is over when the server has heard it", () => {
  const fake = joined();
  fake.session.close(fake.now);
  const [{ id, token }] = fake.takeAll("LEAVE");
  assertEquals([token, fake.session.closing, fake.session.state], [TOKEN, true, "joined"]);
  fake.receive({ dialect: "v1", type: "ACK", id });
  assertEquals([fake.session.state, fake.session.failure], ["closed", undefined]);
});

Deno.test("session: a server that has forgotten the member lets it go as well", () => {
  const fake = joined();
  fake.session.close(fake.now);
  fake.receive({ dialect: "v1", type: "ERROR", code: "not-joined", id: 1, text: "Greet first" });
  assertEquals(fake.session.state, "closed");
});

Deno.test("session: lost goodbyes are repeated a few times, and then it goes anyway, within half a second", () => {
  const fake = joined();
  fake.session.close(fake.now);
  assertLessOrEqual(untilLeft(fake), 500);
  assertEquals(fake.takeAll("LEAVE").length, 4);
  assertEquals([fake.session.failure, fake.session.nextWake], [undefined, undefined]);
});

Deno.test("session: while it says goodbye it wants to be woken for nothing else", () => {
  const fake = joined();
  fake.event(5); // a gap, which would be asked for
  fake.say("under way");
  fake.session.whois("Bob", fake.now);
  fake.session.history(20, fake.now);
  fake.session.drain(fake.now);
  fake.session.close(fake.now);
  fake.take();
  let wakes = 0;
  while (fake.session.state !== "closed") {
    const { nextWake } = fake.session;
    assert(nextWake !== undefined && nextWake > fake.now, "it wants to be woken at once, and for ever");
    assert(++wakes < 10);
    fake.now = nextWake;
    fake.session.wake(fake.now);
  }
  assertEquals(new Set(fake.take().map(({ packet }) => packet.type)), new Set(["LEAVE"]));
});

Deno.test("session: an acknowledged message is no acknowledged goodbye", () => {
  const fake = joined();
  fake.say("x");
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.session.close(fake.now);
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 1 });
  assertEquals(fake.session.state, "joined");
});

Deno.test("session: closing before the server has answered is over at once", () => {
  const fake = new FakeSession();
  fake.start();
  fake.session.close(fake.now);
  assertEquals([fake.session.state, fake.session.failure], ["closed", undefined]);
  assertEquals(fake.takeAll("LEAVE"), []);
});

Deno.test("session: closing while the server is silent says goodbye too: it may only be slow", () => {
  const fake = joined();
  fake.pass(13_000);
  assertEquals(fake.session.state, "joining");
  fake.take();
  fake.session.close(fake.now);
  assertEquals(fake.takeAll("LEAVE").map(({ token }) => token), [TOKEN]);
  assertLessOrEqual(untilLeft(fake), 500);
});

Deno.test("session: after the goodbye a peer's message is not acknowledged, as nobody would see it", () => {
  const fake = joined(), peer = "10.0.0.2:2", pass = COOKIE, stream = "00000000000000cc";
  const write = (id: number) =>
    fake.session.receiveFromPeer(
      { dialect: "v1", type: "MESSAGE", pass, stream, id, first: 1, text: `${id}` },
      peer,
      fake.now,
    );
  fake.receive({ dialect: "v1", type: "PUNCH", address: peer, pass });
  write(1);
  fake.session.close(fake.now);
  assertEquals(fake.takeAll("ACK").map(({ id }) => id), [1]);
  write(2);
  assertEquals([fake.take(), fake.shown.map((shown) => shown.kind === "direct" && shown.text)], [[], ["1"]]);
});

Deno.test("session: draining waits for answers: a question is asked before it leaves, and its answer shown", () => {
  for (const early of [true, false]) {
    const fake = early ? new FakeSession() : joined();
    fake.session.list(fake.now);
    fake.session.drain(fake.now);
    if (early) {
      fake.start();
      fake.welcome();
    }
    assertEquals(fake.session.closing, false);
    const { id } = fake.takeAll("LIST").at(-1)!;
    fake.receive({ dialect: "v1", type: "USERS", id, total: 0, unnamed: 1, names: [] });
    assertEquals([fake.session.closing, fake.session.failure], [true, undefined]);
    assertEquals(fake.shown.map(({ kind }) => kind), ["users"]);
  }
});

Deno.test("session: what was told to somebody at a terminal is no failure at the end, and in a pipe it is", () => {
  for (const wasTold of [true, false]) {
    const fake = joined();
    fake.session.rejectLine("No such command");
    fake.say("hello");
    const [{ stream, id }] = fake.takeAll("MESSAGE");
    fake.session.drain(fake.now, wasTold);
    assertEquals(fake.session.closing, false);
    fake.receive({ dialect: "v1", type: "ACK", stream, id });
    assertEquals(fake.session.closing, true);
    assertEquals(fake.session.failure, wasTold ? undefined : "1 line not understood, and not sent");
  }
});

Deno.test("session: draining waits for the past that was asked for", () => {
  const fake = new FakeSession();
  fake.welcome({ seq: 1 });
  fake.session.history(20, fake.now);
  fake.session.drain(fake.now);
  assertEquals(fake.session.closing, false);
  fake.resent(1, 1);
  assertEquals([fake.session.closing, fake.session.failure, fake.texts], [true, undefined, ["1"]]);
});

Deno.test("session: draining goes on for as long as direct messages arrive", () => {
  const fake = new FakeSession({ name: "Alice" });
  for (let greeting = 1; greeting <= 2; greeting++) fake.welcome({ keepalive: 60_000 });
  for (let i = 1; i <= 10; i++) fake.session.sayTo("Bob", `${i}`, fake.now);
  const [{ id }] = fake.takeAll("LOOKUP");
  fake.receive({ dialect: "v1", type: "PEER", id: id!, name: "Bob", address: "10.0.0.2:2", since: 1, pass: COOKIE });
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.session.drain(fake.now);
  for (let id = 1; id <= 10; id++) {
    fake.pass(3000);
    assertEquals(fake.session.closing, false, `after ${id - 1}`);
    fake.session.receiveFromPeer({ dialect: "v1", type: "ACK", pass: COOKIE, stream, id }, "10.0.0.2:2", fake.now);
  }
  assertEquals(fake.session.waiting, 0);
});

Deno.test("session: closing with messages on their way says how many were not delivered", () => {
  const fake = joined();
  for (const text of ["1", "2"]) fake.say(text);
  fake.session.close(fake.now);
  assertStringIncludes(fake.session.failure!, "2 messages not delivered");
});

Deno.test("session: after the goodbye nothing is sent or shown any more", () => {
  const fake = joined();
  fake.say("x");
  fake.session.close(fake.now);
  fake.take();
  fake.event(1);
  fake.pass(60_000);
  assertEquals(fake.takeAll("MESSAGE"), []);
  assertEquals(fake.texts, []);
});

Deno.test("session: draining with nothing to deliver leaves at once, without a failure", () => {
  const fake = joined();
  fake.session.drain(fake.now);
  assertEquals([fake.session.closing, fake.session.failure], [true, undefined]);
});

Deno.test("session: draining waits until everything has arrived", () => {
  const fake = joined();
  for (const text of ["1", "2"]) fake.say(text);
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.session.drain(fake.now);
  fake.pass(500);
  assertEquals(fake.session.closing, false);
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 1 });
  assertEquals(fake.session.closing, false);
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 2 });
  assertEquals([fake.session.closing, fake.session.failure], [true, undefined]);
});

Deno.test("session: draining before the server has answered waits for it", () => {
  const fake = new FakeSession();
  fake.start();
  fake.say("x");
  fake.session.drain(fake.now);
  fake.pass(5000);
  assertEquals(fake.session.closing, false);
  fake.welcome();
  const [{ stream, id }] = fake.takeAll("MESSAGE");
  fake.event(1, { from: ADDRESS, stream, id, text: "x" });
  assertEquals([fake.session.closing, fake.session.failure], [true, undefined]);
});

Deno.test("session: draining without a server ends after 10 s with the reason", () => {
  const fake = new FakeSession();
  fake.start();
  fake.say("x");
  fake.session.drain(fake.now);
  const took = untilLeft(fake);
  assert(took >= 9_990 && took <= 10_100, `${took} ms`);
  assertStringIncludes(fake.session.failure!, "No answer from 192.168.1.1:9090");
  assertStringIncludes(fake.session.failure!, "1 message sent, but nobody knows");
});

Deno.test("session: draining with a server that confirms nothing ends 10 s after the last confirmation", () => {
  const fake = joined();
  for (const text of ["1", "2", "3"]) fake.say(text);
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.session.drain(fake.now);
  const answer = () => {
    // the server answers greetings, so it is there, but takes nothing
    for (const { packet } of fake.take()) {
      if (packet.type !== "GREETING" || packet.dialect !== "v1") continue;
      fake.receive({ ...WELCOME, id: packet.id });
    }
  };
  fake.pass(6000, answer);
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 1 });
  fake.pass(9_000, answer);
  assertEquals(fake.session.closing, false, "the last confirmation was 9 s ago");
  fake.pass(1_500, answer);
  assertEquals(fake.session.closing, true);
  assertStringIncludes(fake.session.failure!, "2 messages not delivered");
});

Deno.test("session: draining after a refusal ends at once, with what the server said", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ dialect: "v1", type: "ERROR", code: "name-taken", id, text: "The name Alice is taken" });
  fake.session.drain(fake.now);
  assertEquals([fake.session.state, fake.session.failure], ["closed", "The name Alice is taken"]);
});

Deno.test("session: leaving after a refusal says how many messages were not delivered", () => {
  for (const how of ["drain", "close"] as const) {
    const fake = new FakeSession({ name: "Alice" });
    fake.start();
    fake.say("kept until there is a name");
    const [{ id }] = fake.takeAll("SIGN-IN");
    fake.receive({ dialect: "v1", type: "ERROR", code: "name-taken", id, text: "The name Alice is taken" });
    fake.session[how](fake.now);
    assertEquals(fake.session.failure, "The name Alice is taken; 1 message not delivered");
    assertEquals(fake.session.state, "closed", how);
  }
});

Deno.test("session: draining waits for what others have said before", () => {
  const fake = joined();
  fake.event(2);
  fake.session.drain(fake.now);
  assertEquals(fake.session.closing, false);
  fake.event(1);
  assertEquals([fake.session.closing, fake.texts], [true, ["1", "2"]]);
});

Deno.test("session: draining waits for a message that is held back for an earlier one of its sender", () => {
  const fake = joined(), stream = "00000000000000cc", epoch = "00000000000000ee";
  fake.event(1, { stream, id: 1, text: "one" });
  fake.event(3, { stream, id: 3, text: "three", token: TOKEN });
  fake.pass(1000);
  fake.welcome({ epoch });
  fake.session.drain(fake.now);
  assertEquals([fake.session.closing, fake.texts], [false, ["one"]]);
  fake.event(1, { epoch, stream, id: 2, text: "two" });
  assertEquals([fake.session.closing, fake.texts], [true, ["one", "two", "three"]]);
});

Deno.test("session: each page of the history that a draining session asks for is progress, and so is joining", () => {
  const fake = new FakeSession();
  fake.welcome({ seq: 300, keepalive: 60_000 });
  fake.session.history(300, fake.now);
  fake.session.drain(fake.now);
  for (const [from, to] of [[201, 300], [101, 200], [1, 100]]) {
    assertEquals(fake.session.closing, false, `${from}`);
    fake.pass(4900);
    fake.resent(from, to);
  }
  assertEquals([fake.session.closing, fake.session.failure], [true, undefined]);

  const late = new FakeSession();
  late.say("kept");
  late.start();
  late.session.drain(late.now);
  late.pass(9000);
  late.welcome();
  late.pass(9000);
  assertEquals(late.session.closing, false, "it has ten seconds from when it joined");
});

/** Lets time pass as with a full pipe: before each wake the session hears that nothing is taken from the socket. */
function passDeaf(fake: FakeSession, ms: number): void {
  for (const end = fake.now + ms; fake.now < end;) {
    fake.session.noteDeaf(fake.now);
    fake.pass(100);
  }
}

Deno.test("session: while its caller takes no packets it stays, greets on, and calls nobody silent", () => {
  const fake = joined();
  fake.say("under way");
  fake.session.drain(fake.now);
  passDeaf(fake, 30_000);
  const greetings = fake.takeAll("GREETING").length;
  assert(greetings >= 20, `${greetings} greetings in 30 s`);
  assertEquals([fake.session.state, fake.notices], ["joined", []]);
  // and as soon as packets are taken again, silence counts
  fake.pass(9_000);
  assertEquals(fake.session.state, "joining");
  assertLessOrEqual(untilLeft(fake), 2_000);
});
