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
  // it may have been started late
  const times: number[] = [];
  for (const start = fake.now; fake.now < start + 600_000;) {
    fake.pass(100);
    if (classic(fake).length > 0) times.push(fake.now);
  }
  assert(times.length >= 4 && times.length <= 7, `${times.length} further greetings in ten minutes`);
  const pauses = times.slice(1).map((at, i) => at - times[i]);
  for (let i = 1; i < pauses.length; i++) assert(pauses[i] >= pauses[i - 1], `${pauses}`);
});

/** How many greetings in version 1 were sent since the last call. */
function greetings(fake: FakeSession): number {
  return fake.takeAll("GREETING").length;
}

Deno.test("session: a server that has never sent anything is greeted ever less", () => {
  const fake = new FakeSession();
  fake.start();
  fake.pass(3000);
  const first = greetings(fake);
  fake.pass(7000);
  const next = greetings(fake);
  fake.pass(120_000);
  fake.take();
  fake.pass(60_000);
  const late = greetings(fake);
  assert(first >= 10 && first <= 14 && next <= 7 && late >= 5 && late <= 12, `${[first, next, late]}`);
});

Deno.test("session: at the first sign of a classic server a few greetings in version 1 follow, in a second, fewer if it is an echo", () => {
  const signs: [sign: string, greetings: number][] = [
    ["INCOMING <From 1.2.3.4:5>: welcome", 8],
    ["INCOMING: welcome", 8],
    ["welcome", 8],
    ["GREETING", 8],
    ["GREETING/1 id=5", 3],
    ["MESSAGE welcome", 8],
    ["INCOMING <From 1.2.3.4:5>: hello", 3],
  ];
  for (const [sign, greetings] of signs) {
    for (const after of [0, 3000, 10_000, 200_000]) {
      const isEcho = sign.endsWith("hello");
      if (isEcho && after < 10_000) continue;
      const fake = new FakeSession();
      fake.start();
      if (isEcho) fake.say("hello");
      fake.pass(after);
      fake.take();
      fake.datagram(sign);
      fake.pass(1000);
      const sent = fake.take().map(({ packet }) => packet);
      assertEquals(fake.session.state, "classic", `${sign} after ${after} ms`);
      const few = sent.filter(({ dialect }) => dialect === "v1").length;
      // the whole number is needed only where somebody speaks at once after the classic greeting
      assert(few >= greetings && few <= (after === 3000 ? 8 : greetings + 1), `${few} more greetings`);
      // unless it was asked before, it is asked to register the client at last
      assertEquals(sent.filter(({ dialect }) => dialect === "classic").length, after === 0 ? 1 : 0);
      if (after === 0) assertEquals(sent.at(-1)!.type, "GREETING");
    }
  }
});

Deno.test("session: an answer to each of its greetings is shown once, and what people say as often as it comes", () => {
  const lines: [line: string, shown: number][] = [
    ["Unknown command", 1],
    ["INCOMING <From 1.2.3.4:5>: hi", 4],
  ];
  for (const [line, times] of lines) {
    for (const after of [0, 60_000]) {
      const fake = new FakeSession();
      fake.start();
      fake.pass(after);
      fake.say("hello");
      fake.take();
      const answer = () => fake.datagram(line);
      answer();
      fake.pass(3000, () => fake.session.state === "joining" && fake.take().length > 0 && answer());
      assertEquals(fake.session.state, "classic");
      const shown = fake.shown.filter(({ kind }) => kind === "line").length;
      assert(times === 1 ? shown === 1 : shown >= times, `${line}: ${shown} times`);
    }
  }
});

Deno.test("session: one that answers greetings and was silent before is greeted once more, since it was started late", () => {
  const fake = new FakeSession();
  fake.start();
  fake.pass(60_000);
  fake.say("hello");
  fake.pass(10_000);
  assertEquals(classic(fake).at(-1), "MESSAGE hello");
  let greetings = 0;
  fake.pass(20_000, () => {
    if (fake.session.state === "classic") return;
    greetings = fake.takeAll("GREETING").length;
    for (let i = 0; i < greetings; i++) fake.datagram("Unknown command");
  });
  assertEquals([fake.session.state, classic(fake)], ["classic", ["GREETING"]]);
});

Deno.test("session: a line of its own that comes back twice is no answer to a greeting", () => {
  const fake = new FakeSession();
  fake.start();
  for (let i = 0; i < 3; i++) fake.say("ok");
  fake.pass(6000);
  assertEquals(classic(fake), ["GREETING", "MESSAGE ok", "MESSAGE ok", "MESSAGE ok"]);
  for (let i = 0; i < 3; i++) fake.datagram("ok");
  fake.pass(3000);
  assertEquals([fake.session.state, fake.session.waiting, classic(fake)], ["classic", 0, []]);
  assertEquals(fake.shown.filter(({ kind }) => kind === "line").length, 3);
});

Deno.test("session: each line goes out once while nothing comes back, which is said once", () => {
  const fake = new FakeSession();
  fake.start();
  fake.say("one");
  fake.pass(6000);
  fake.say("two");
  fake.pass(300_000);
  fake.say("three");
  fake.pass(30_000);
  const lines = classic(fake).filter((line) => line !== "GREETING");
  assertEquals(lines, ["MESSAGE one", "MESSAGE two", "MESSAGE three"]);
  assertEquals(fake.notices.filter((text) => text.includes("may be lost")).length, 1);
  // it was a server of version 1 after all: it has not taken what nobody greeted for
  fake.welcome();
  assertEquals(fake.takeAll("MESSAGE").map(({ text }) => text), ["one", "two", "three"]);
});

Deno.test("session: lines without a server are kept up to a thousand; more are not taken, and none is repeated", () => {
  const fake = new FakeSession();
  fake.start();
  for (let i = 0; i < 1100; i++) fake.say(`${i}`);
  fake.pass(60_000);
  const lines = classic(fake).filter((line) => line !== "GREETING");
  assertEquals(lines, Array.from({ length: 1000 }, (_, i) => `MESSAGE ${i}`));
  assertEquals([fake.session.waiting, fake.session.full], [1000, true]);
});

Deno.test("session: bare text and damaged packets of a server that speaks version 1 are not shown", () => {
  const fake = new FakeSession();
  fake.welcome();
  for (const text of ["hello", "INCOMING: hello", "INCOMINH/1 sum=0a1b2c3d epoch=91c4be20d7a35f68"]) {
    fake.datagram(text);
  }
  assertEquals([fake.shown, fake.session.state], [[], "joined"]);
  const outside = new FakeSession();
  outside.start();
  outside.datagram("INCOMINH/1 sum=0a1b2c3d epoch=91c4be20d7a35f68 seq=1\nhello");
  outside.pass(5000);
  assertEquals(outside.session.state, "joining");
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
  fake.pass(3000);
  const sent = classic(fake);
  assertEquals(sent[0], "GREETING");
  assertEquals(sent.filter((line) => line !== "GREETING"), ["MESSAGE one"], "a single line as a trial");
  fake.datagram("INCOMING <From 192.168.1.21:52207>: one");
  fake.pass(900);
  assertEquals(classic(fake), [], "nothing more before it is sure");
  fake.pass(600);
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
  assertEquals(
    fake.session.failure,
    "No answer from 192.168.1.1:9090; 3 messages sent, but nobody knows whether they arrived",
  );
  assertEquals(classic(fake), ["GREETING", "MESSAGE one", "MESSAGE two", "MESSAGE three"]);
});

Deno.test("session: what a classic server forwards is shown without what could act on a terminal", () => {
  const fake = withClassicServer();
  fake.datagram("INCOMING<From 1.2.3.4:5>: \x1b[2Jhi there\u202e\x07");
  assertEquals(fake.shown.at(-1), { kind: "line", line: "<From 1.2.3.4:5>: ?[2Jhi there??" });
  fake.datagram("\x1b[2Jhi there\r\n\0\0");
  assertEquals(fake.shown.at(-1), { kind: "line", line: "?[2Jhi there" });
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
