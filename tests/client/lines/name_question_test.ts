/** The client over TCP, in memory: the server's question after the name, and what becomes of the name. */
import { assert, assertEquals } from "@std/assert";
import { FakeLines } from "../../support/fake_lines.ts";

Deno.test("lines: the server's question is answered with the name, before all lines, and once", async () => {
  for (const question of ["NICK", "NICK\n", "Enter your name: ", "Welcome!\r\n===\nPlease enter your nickname:\n"]) {
    const fake = FakeLines.connected({ name: "Alice" });
    fake.say("hello");
    await fake.advance(100);
    assertEquals(fake.written, []);
    fake.receive(question);
    await fake.advance(50);
    assertEquals(fake.written, ["Alice", "hello"]);
    const lines = question.split(/\r?\n/).filter((line) => line !== "");
    assertEquals(fake.shown, [...lines, "-- The server asks for a name; the answer is Alice"]);
    // later it is a text like any other
    fake.receive("Enter another name:\n");
    await fake.advance(100);
    assertEquals(fake.shown.at(-1), "Enter another name:");
    assertEquals(fake.written, ["Alice", "hello"]);
  }
});

Deno.test("lines: what a member says makes the client say nothing", async () => {
  const later = FakeLines.connected({ name: "Alice" });
  await later.advance(2000);
  later.receive("your name?\n");
  later.receive("NICK");
  const behind = FakeLines.connected({ name: "Alice" });
  behind.receive("again and again\n".repeat(10) + "your name?\n");
  const sender = FakeLines.connected({ name: "Alice" });
  sender.receive("<From 127.0.0.1:9>: your name?\nBob: your name?\n");
  for (const fake of [later, behind, sender]) {
    await fake.advance(5000);
    assertEquals(fake.done, ["connect"]);
    assert(fake.shown.every((line) => !line.startsWith("--")), fake.shown.join("\n"));
  }
});

const UNNAMED = "-- The server has not asked for a name: nobody knows you as Alice. Some take /name Alice";

Deno.test("lines: nobody is told the name unasked, and lines wait for the question half a second only", async () => {
  const mute = FakeLines.connected({ name: "Alice" });
  mute.say("hello");
  await mute.advance(499);
  assertEquals(mute.written, []);
  await mute.advance(1);
  assertEquals([mute.written, mute.shown], [["hello"], [UNNAMED]]);
  // too late: the server may have taken the line for the answer
  mute.receive("NICK\n");
  await mute.advance(100);
  assertEquals(mute.written, ["hello"]);
  assertEquals(mute.shown.slice(1), ["NICK", "-- The server asks for a name, and may take the first line for it"]);

  // a text that never ends holds the line back for two seconds
  const endless = FakeLines.connected({ name: "Alice" });
  endless.say("hello");
  for (let i = 0; i < 200; i++) {
    assertEquals(endless.written, []);
    endless.receive("x");
    await endless.advance(10);
  }
  assertEquals(endless.written, ["hello"]);
});

Deno.test("lines: whose name no server has asked for is told so, once on each connection", async () => {
  const fake = FakeLines.connected({ name: "Alice" });
  fake.say("hello", "again");
  await fake.advance(1000);
  assertEquals([fake.written, fake.shown], [["hello", "again"], [UNNAMED]]);
  fake.lose();
  await fake.advance(1000);
  fake.session.connected(fake.now);
  fake.say("back", "again");
  await fake.advance(1000);
  assertEquals(fake.shown.slice(2), ["-- Connected again", UNNAMED]);

  const none = FakeLines.connected(), naming = FakeLines.connected({ name: "Alice" });
  const leaving = FakeLines.connected({ name: "Alice" });
  const pipe = FakeLines.connected({ interactive: false, name: "Alice" });
  none.say("hello");
  naming.say("/name Alice", "hello");
  leaving.session.drain(0, "quit");
  pipe.say("hello");
  pipe.session.drain(0);
  for (const one of [none, naming, leaving, pipe]) await one.advance(1000);
  assertEquals([none.shown, naming.shown, leaving.shown, pipe.shown], [[], [], [], [UNNAMED]]);
});

Deno.test("lines: without a name the next line is the answer, also on the next connection", async () => {
  const fake = FakeLines.connected();
  fake.receive("NICK");
  await fake.advance(20);
  assertEquals(fake.shown, ["NICK", "-- The server asks for a name: the next line that you type is the answer"]);
  fake.say("Bob", "hello");
  await fake.advance(20);
  fake.lose();
  fake.say("again");
  await fake.advance(1000);
  fake.session.connected(fake.now);
  fake.receive("NICK");
  await fake.advance(100);
  assertEquals(fake.written, ["Bob", "hello", "Bob", "again"]);
});

Deno.test("lines: an answer that was not written is dropped with its connection, and said once to who asks again", async () => {
  const given = FakeLines.connected({ name: "Alice" }), typed = FakeLines.connected();
  for (const fake of [given, typed]) {
    for (let i = 0; i < 3; i++) {
      fake.stuck = true;
      fake.receive("NICK\n");
      if (fake === typed && i === 0) fake.say("Alice");
      if (i === 0) fake.say("hello");
      fake.lose({ isBroken: true });
      fake.stuck = false;
      fake.done.length = 0;
      await fake.advance(10_000);
      fake.session.connected(fake.now);
    }
    fake.receive("NICK\n");
    await fake.advance(600);
    assertEquals(fake.written, ["Alice", "hello"]);
    assertEquals(fake.session.waiting, 0);
  }
  // what was written is not said to be at risk: it is said again anyway
  const written = FakeLines.connected({ name: "Alice" });
  written.receive("NICK\n");
  await written.advance(100);
  written.lose({ isBroken: true });
  assertEquals([written.written, written.shown.at(-1)], [
    ["Alice"],
    "!! S has broken off the connection. Trying again",
  ]);
  // the second server asks for no name
  const mute = FakeLines.connected({ name: "Alice" });
  mute.stuck = true;
  mute.receive("NICK\n");
  mute.lose({ isBroken: true });
  mute.stuck = false;
  mute.done.length = 0;
  await mute.advance(1000);
  mute.session.connected(mute.now);
  mute.say("hello");
  await mute.advance(600);
  assertEquals(mute.written, ["hello"]);
});

Deno.test("lines: only what can be a name is told to a later server as the name, and only who was there is answered", async () => {
  for (const text of ["my private line", "x".repeat(33), "see: there"]) {
    const fake = FakeLines.connected();
    fake.receive("NICK\n");
    fake.say(text);
    await fake.advance(20);
    fake.lose();
    await fake.advance(1000);
    fake.session.connected(fake.now);
    fake.receive("NICK\n");
    await fake.advance(1000);
    assertEquals(fake.written, [text]);
    assertEquals(fake.shown.at(-1), "-- The server asks for a name: the next line that you type is the answer");
  }
  const late = FakeLines.connected();
  late.receive("NICK\n");
  late.lose();
  late.say("hello");
  await late.advance(1000);
  late.session.connected(late.now);
  await late.advance(10);
  late.receive("NICK\n");
  await late.advance(1000);
  assertEquals(late.written, ["hello"]);
});

Deno.test("lines: who has told the server a name, and not the client, is told after a loss that it is gone", async () => {
  const told = FakeLines.connected(), given = FakeLines.connected({ name: "Alice" }), never = FakeLines.connected();
  told.say("/name Carole", "hello");
  given.say("/name Alice", "hello");
  never.say("/name", "hello");
  for (const fake of [told, given, never]) {
    for (let i = 0; i < 2; i++) {
      await fake.advance(10_000);
      fake.lose();
      await fake.advance(1000);
      fake.session.connected(fake.now);
    }
  }
  const again = (fake: FakeLines) => fake.shown.filter((line) => line.startsWith("-- Connected again"));
  const gone = "; the server does not know your name any more, unless you say /name Carole again";
  assertEquals(again(told), [`-- Connected again${gone}`, "-- Connected again"]);
  for (const fake of [given, never]) assertEquals(again(fake), ["-- Connected again", "-- Connected again"]);
});

Deno.test("lines: a pipe with a name and no input waits for the question, and leaves", async () => {
  const mute = FakeLines.connected({ interactive: false, name: "Alice" });
  mute.session.drain(0);
  await mute.advance(1499);
  assertEquals([mute.done, mute.session.closed], [["connect", "end"], false]);
  await mute.advance(1);
  assertEquals([mute.session.closed, mute.session.failure], [true, undefined]);

  const asking = FakeLines.connected({ interactive: false, name: "Alice" });
  asking.session.drain(0);
  asking.receive("NICK\n");
  await asking.advance(5);
  assertEquals(asking.done, ["connect", "Alice\n", "end"]);
});
