/** A session with a server that only knows the classic dialect, such as a student's. */
import { assert, assertEquals, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { ADDRESS, FakeSession } from "../../support/fake_session.ts";

/** What was sent in the classic dialect, as it goes over the wire. */
function classic(fake: FakeSession): string[] {
  return fake.take().flatMap(({ packet }) => {
    if (packet.dialect !== "classic") return [];
    return [packet.type === "MESSAGE" ? `MESSAGE ${packet.text}` : packet.type];
  });
}

/** A session with a classic server that has forwarded something. */
function withClassicServer(): FakeSession {
  const fake = new FakeSession();
  fake.start();
  fake.pass(6000);
  fake.datagram("INCOMING <From 1.2.3.4:5>: welcome");
  // a few more greetings show whether it knows version 1 too
  fake.pass(3000);
  fake.take();
  return fake;
}

Deno.test("session: a server that does not answer is greeted in the classic dialect too, not at first", () => {
  const fake = new FakeSession();
  fake.start();
  fake.pass(1000);
  assertEquals(classic(fake), []);
  fake.pass(2000);
  assertEquals(classic(fake), ["GREETING"]);
  fake.pass(60_000);
  const again = classic(fake).length;
  assert(again >= 3 && again <= 30, `${again} further greetings in a minute`);
});

Deno.test("session: a server that has ever answered is never greeted in the classic dialect", () => {
  const fake = new FakeSession();
  fake.welcome();
  fake.pass(120_000);
  assertEquals(classic(fake), []);
});

Deno.test("session: a forwarded message shows that the server is a classic one, which is said once", () => {
  const fake = withClassicServer();
  assertEquals(fake.session.state, "classic");
  assertEquals(fake.shown.at(-1), { kind: "line", line: "<From 1.2.3.4:5>: welcome" });
  assertEquals(fake.notices.filter((text) => text.includes("classic")).length, 1);
  fake.datagram("INCOMING<From 1.2.3.4:5>: again");
  assertEquals(fake.shown.at(-1), { kind: "line", line: "<From 1.2.3.4:5>: again" });
  assertEquals(fake.notices.filter((text) => text.includes("classic")).length, 1);
});

Deno.test("session: before it takes a server for a classic one, the last greeting has its time for an answer", () => {
  const fake = new FakeSession();
  fake.start();
  fake.datagram("INCOMING <From 1.2.3.4:5>: welcome");
  let greetings = fake.takeAll("GREETING"), last = 0;
  while (fake.session.state === "joining") {
    fake.session.wake(fake.now);
    if (greetings.length > 0) last = fake.now;
    fake.pass(1);
    greetings = fake.takeAll("GREETING");
  }
  assert(fake.now - last >= 100, `${fake.now - last} ms after the last greeting`);
});

Deno.test("session: one's own line, sent back, shows that the server is a classic one; then the rest goes out", () => {
  const fake = new FakeSession();
  fake.start();
  for (const text of ["one", "two"]) fake.say(text);
  fake.pass(6000);
  const sent = classic(fake);
  assertEquals(sent[0], "GREETING");
  assertEquals(sent.filter((line) => line !== "GREETING"), ["MESSAGE one"], "a single line as a trial");
  fake.datagram("INCOMING <From 192.168.1.21:52207>: one");
  fake.pass(1500);
  assertEquals(fake.session.state, "classic");
  assertEquals(classic(fake), ["MESSAGE two"]);
  fake.datagram("INCOMING <From 192.168.1.21:52207>: two");
  assertEquals(fake.session.waiting, 0);
});

Deno.test("session: to a classic server lines are said one after the other, as it sends them back", () => {
  const fake = withClassicServer();
  for (const text of ["one", "two"]) fake.say(text);
  fake.session.say("waves", fake.now, true);
  assertEquals(classic(fake), ["MESSAGE one"]);
  fake.datagram("INCOMING <From 192.168.1.21:52207>: one");
  assertEquals(classic(fake), ["MESSAGE two"]);
  fake.datagram("INCOMING <From 192.168.1.21:52207>: two");
  assertEquals(classic(fake), ["MESSAGE * waves"]);
});

Deno.test("session: a classic server that sends nothing back gets all lines, and draining says that nobody knows", () => {
  const fake = withClassicServer();
  for (const text of ["one", "two", "three"]) fake.say(text);
  fake.session.drain(fake.now);
  fake.pass(10_000);
  assertEquals(fake.session.state, "closed");
  assertEquals(classic(fake).filter((line) => line.startsWith("MESSAGE")), [
    "MESSAGE one",
    "MESSAGE two",
    "MESSAGE three",
  ]);
  assertStringIncludes(fake.session.failure!, "3 messages sent");
});

Deno.test("session: with a classic server that sends nothing back, draining ends once nothing waits", () => {
  const fake = withClassicServer();
  fake.say("one");
  fake.pass(1000);
  fake.say("two");
  fake.say("three");
  const finishedAt = fake.now;
  fake.session.drain(fake.now);
  for (let at; fake.session.state !== "closed" && (at = fake.session.nextWake) !== undefined;) fake.pass(at - fake.now);
  assertEquals(fake.session.state, "closed");
  assertEquals(classic(fake).filter((line) => line.startsWith("MESSAGE")), [
    "MESSAGE one",
    "MESSAGE two",
    "MESSAGE three",
  ]);
  assertLessOrEqual(fake.now - finishedAt, 1000, "there is nothing to wait for");
});

Deno.test("session: with a classic server, draining ends when the last line has come back", () => {
  const fake = withClassicServer();
  fake.say("one");
  fake.session.drain(fake.now);
  assertEquals(fake.session.state, "classic");
  fake.datagram("INCOMING <From 192.168.1.21:52207>: one");
  assertEquals([fake.session.state, fake.session.failure], ["closed", undefined]);
});

Deno.test("session: an answer in version 1 is believed over a classic line, and nothing is lost by it", () => {
  const fake = new FakeSession();
  fake.start();
  for (const text of ["one", "two"]) fake.say(text);
  fake.pass(3000);
  fake.welcome();
  assertEquals(fake.session.state, "joined");
  assertEquals(fake.takeAll("MESSAGE").map(({ text }) => text), ["one", "two"]);
});

Deno.test("session: after a WELCOME a classic packet is passed over, whoever sends it", () => {
  const fake = new FakeSession();
  fake.welcome();
  fake.datagram(`INCOMING <From ${ADDRESS}>: forged`);
  assertEquals([fake.shown, fake.session.state], [[], "joined"]);
});

Deno.test("session: our own server, heard in the classic dialect because a greeting was lost, is still recognised", () => {
  const fake = new FakeSession();
  fake.start();
  fake.pass(2500);
  // the bare greeting has arrived and GREETING/1 has not; somebody says something
  fake.datagram("INCOMING <From 1.2.3.4:5>: hello");
  fake.take();
  fake.pass(30_000);
  const greetings = fake.take().filter(({ packet }) => packet.dialect === "v1" && packet.type === "GREETING");
  assert(greetings.length > 0, "nothing would ever show that this server speaks version 1");
  assertLessOrEqual(greetings.length, 60);
});

Deno.test("session: with a classic server, draining waits as long as lines come back", () => {
  const fake = withClassicServer();
  for (let i = 0; i < 30; i++) fake.say(`line ${i}`);
  fake.session.drain(fake.now);
  for (let i = 0; i < 30; i++) {
    fake.pass(900);
    assertEquals(fake.session.state, "classic", "the last line came back not a second ago");
    fake.datagram(`INCOMING <From 192.168.1.21:52207>: line ${i}`);
  }
  assertEquals([fake.session.state, fake.session.failure], ["closed", undefined]);
});

Deno.test("session: with a classic server there are no names to ask for, which is said", () => {
  const fake = withClassicServer();
  const before = fake.notices.length;
  fake.session.list(fake.now);
  fake.session.whois("Bob", fake.now);
  fake.session.sayTo("Bob", "hi", fake.now);
  fake.session.history(20, fake.now);
  assertEquals(fake.notices.length, before + 4);
  for (const text of fake.notices.slice(before)) {
    assertStringIncludes(text, "no names, no direct messages and no history");
  }
  fake.session.drain(fake.now);
  assertEquals(fake.session.failure, "1 message not delivered");
  assertEquals(fake.take(), []);
});

Deno.test("session: a classic server without an echo, where nobody else speaks, has not answered: that is the failure", () => {
  const fake = new FakeSession();
  fake.start();
  for (const text of ["one", "two", "three"]) fake.say(text);
  fake.session.drain(fake.now);
  fake.pass(9_999);
  assertEquals(fake.session.state, "joining");
  fake.pass(1);
  assertEquals(fake.session.state, "closed");
  assertEquals(fake.session.failure, "No answer from 192.168.1.1:9090; 3 messages not delivered");
  assertEquals([...new Set(classic(fake))].sort(), ["GREETING", "MESSAGE one"]);
});

Deno.test("session: what a classic server forwards is shown without what could act on a terminal", () => {
  const fake = withClassicServer();
  fake.datagram("INCOMING<From 1.2.3.4:5>: \x1b[2Jhi there\u202e\x07");
  assertEquals(fake.shown.at(-1), { kind: "line", line: "<From 1.2.3.4:5>: ?[2Jhi there??" });
});

Deno.test("session: a server that has refused the name is not taken for a classic one, whatever it forwards", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ dialect: "v1", type: "ERROR", code: "name-taken", id, text: "The name Alice is taken" });
  fake.receive({ dialect: "classic", type: "INCOMING", line: "<From 10.0.0.1:1>: hello" });
  fake.session.rename("Bob", fake.now);
  fake.pass(30_000);
  assertEquals(fake.session.state, "joining");
});

Deno.test("session: a classic server that forwards something at once is not called silent", () => {
  const fake = new FakeSession();
  fake.start();
  fake.datagram("INCOMING <From 1.2.3.4:5>: welcome");
  fake.pass(1500);
  assertEquals(fake.session.state, "classic");
  fake.say("one");
  fake.pass(30_000);
  assertEquals(fake.shown.filter(({ kind }) => kind === "problem"), []);
});
