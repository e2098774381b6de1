/** The client over TCP, in memory: what it writes, shows and tells, and when. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FakeLines } from "../../support/fake_lines.ts";

Deno.test("lines: one write and one line feed for each line, 5 ms apart", async () => {
  const fake = FakeLines.connected();
  fake.say("one", "/two", "//three ä", "  four ");
  assertEquals(fake.written, ["one"]);
  await fake.advance(4);
  assertEquals(fake.written, ["one"]);
  await fake.advance(1);
  assertEquals(fake.written, ["one", "/two"]);
  await fake.advance(10);
  assertEquals(fake.done, ["connect", "one\n", "/two\n", "//three ä\n", "  four \n"]);
  assertEquals(fake.session.nextWake, undefined);
});

Deno.test("lines: none is longer than 1,023 bytes with its line feed, and no character is cut", async () => {
  const fake = FakeLines.connected();
  fake.say("ä".repeat(1000), "x".repeat(1022), "y".repeat(1023));
  await fake.advance(100);
  assertEquals(fake.written, ["ä".repeat(511), "ä".repeat(489), "x".repeat(1022), "y".repeat(1022), "y"]);
});

Deno.test("lines: the next line waits until the system has taken the one before", async () => {
  const fake = FakeLines.connected();
  fake.stuck = true;
  fake.say("one", "two");
  await fake.advance(60_000);
  assertEquals(fake.written, ["one"]);
  fake.session.written(fake.now);
  await fake.advance(5);
  assertEquals(fake.written, ["one", "two"]);
});

Deno.test("lines: what arrives is shown at a line feed, after 20 ms, or at the end, and never harmful", async () => {
  const fake = FakeLines.connected();
  fake.receive("a\r\nb\n\x1b[2Jc");
  assertEquals(fake.shown, ["a", "b"]);
  await fake.advance(19);
  assertEquals(fake.shown, ["a", "b"]);
  await fake.advance(1);
  assertEquals(fake.shown, ["a", "b", "?[2Jc"]);
  // a character in two halves, with silence between
  fake.receive([0x64, 0xc3]);
  await fake.advance(500);
  fake.receive([0xa4, 0x0a]);
  assertEquals(fake.shown.slice(3), ["dä"]);
  fake.receive("the end");
  fake.lose();
  assertEquals(fake.shown.slice(-2), ["the end", "!! S has closed the connection. Trying again"]);
});

Deno.test("lines: who is told to go does not knock again, until the user types something", async () => {
  const fake = FakeLines.connected();
  await fake.advance(60_000);
  fake.receive("!! You were kicked: flooding\n");
  await fake.advance(20);
  fake.lose();
  const closed = "!! S has closed the connection. What you type next connects again";
  assertEquals(fake.shown, ["!! You were kicked: flooding", closed]);
  await fake.advance(600_000);
  assertEquals(fake.done, ["connect", "hang up"]);
  fake.say("sorry");
  await fake.advance(1);
  assertEquals(fake.done.at(-1), "connect");
  fake.session.connected(fake.now);
  await fake.advance(10);
  assertEquals([fake.written, fake.shown.at(-1)], [["sorry"], "-- Connected again"]);
  // a server that goes on, or breaks off, has told nobody to go
  fake.receive("!! Not delivered\n<From 127.0.0.1:1>: hello\n");
  fake.lose();
  assertEquals(fake.shown.at(-1), "!! S has closed the connection; what you sent last may be lost. Trying again");
});

Deno.test("lines: a server that closes is said, then come attempts with growing pauses, and what was typed", async () => {
  const fake = FakeLines.connected();
  await fake.advance(60_000);
  fake.lose();
  assertEquals(fake.shown, ["!! S has closed the connection. Trying again"]);
  assertEquals(fake.done, ["connect", "hang up"]);
  fake.say("kept", "kept too");
  assertEquals(fake.shown.slice(1), [
    "-- Not connected; 1 line kept until it is",
    "-- Not connected; 2 lines kept until it is",
  ]);
  const attempts: number[] = [];
  const lostAt = fake.now;
  for (let count = 1; attempts.length < 6;) {
    await fake.advance(100);
    if (fake.done.filter((done) => done === "connect").length === count) continue;
    count++;
    attempts.push(fake.now - lostAt);
    fake.session.failed("connection refused", fake.now);
  }
  assertEquals(attempts, [1000, 3000, 7000, 15_000, 25_000, 35_000]);
  fake.session.connected(fake.now);
  await fake.advance(10);
  assertEquals(fake.shown.slice(3), ["-- Connected again"]);
  assertEquals(fake.written, ["kept", "kept too"]);
});

Deno.test("lines: a server that takes connections and closes them at once gets fewer and fewer", async () => {
  const fake = new FakeLines();
  let handled = 0;
  for (let second = 0; second < 120; second++) {
    const attempts = fake.done.filter((done) => done === "connect").length;
    if (attempts > handled) {
      handled = attempts;
      fake.session.connected(fake.now);
      fake.lose();
    }
    await fake.advance(1000);
  }
  assert(handled <= 16, String(handled));
});

Deno.test("lines: what may be lost when the server closes is only what was sent shortly before", async () => {
  for (const [age, rest] of [[1900, "; what you sent last may be lost"], [2000, ""]] as const) {
    const fake = FakeLines.connected();
    fake.say("hello");
    await fake.advance(age);
    fake.lose();
    assertEquals(fake.shown, [`!! S has closed the connection${rest}. Trying again`]);
  }
});

Deno.test("lines: of a connection that broke, all is told to be at risk that was said since the server was heard", async () => {
  const silent = FakeLines.connected(), answering = FakeLines.connected();
  for (const fake of [silent, answering]) {
    fake.say("one", "two");
    await fake.advance(60_000);
  }
  answering.receive("<From 127.0.0.1:9>: hm\n");
  for (const fake of [silent, answering]) {
    await fake.advance(60_000);
    fake.lose({ isBroken: true });
  }
  assertEquals(silent.shown, ["!! S has broken off the connection; what you sent last may be lost. Trying again"]);
  assertEquals(answering.shown[1], "!! S has broken off the connection. Trying again");
});

Deno.test("lines: a line that the system had not taken is sent again, one that it had is not", async () => {
  for (const isWritten of [false, true]) {
    const fake = FakeLines.connected();
    fake.stuck = true;
    fake.say("one", "two");
    fake.lose({ isWritten });
    fake.stuck = false;
    await fake.advance(1000);
    fake.session.connected(fake.now);
    await fake.advance(10);
    assertEquals(fake.written.slice(1), isWritten ? ["two"] : ["one", "two"]);
  }
});

Deno.test("lines: why there is no first connection is told once, and on a terminal it goes on", async () => {
  const fake = new FakeLines();
  fake.session.failed("connection refused", 0);
  await fake.advance(1000);
  fake.session.failed("connection refused", fake.now);
  await fake.advance(100_000);
  assertEquals(fake.shown, ["!! No answer from S: connection refused. Trying again"]);
  assert(!fake.session.closed);
  fake.session.connected(fake.now);
  assertEquals(fake.shown.slice(1), ["-- Connected"]);
});

Deno.test("lines: a terminal keeps a bounded number of lines for a server that is not there", () => {
  const fake = new FakeLines();
  for (let i = 0; i < 10_000; i++) fake.session.say("x", 0);
  assertEquals(fake.session.waiting, 10_000);
  fake.say("one more");
  assertEquals(fake.session.waiting, 10_000);
  assertEquals(fake.shown.at(-1), "!! Not sent: too much waits for the server already");
  const long = new FakeLines();
  for (let i = 0; i < 3000; i++) long.session.say("x".repeat(1000), 0);
  assert(long.session.waiting <= 1050, String(long.session.waiting));
});

Deno.test("lines: notices without line feeds that have run into what follows are cut, and nothing that is said", async () => {
  const fake = FakeLines.connected();
  fake.receive("[127.0.0.1:5] is Online<From 127.0.0.1:5>: half a line");
  await fake.advance(20);
  assertEquals(fake.shown, ["[127.0.0.1:5] is Online", "<From 127.0.0.1:5>: half a line"]);
  fake.receive("<From 127.0.0.1:5>: [127.0.0.1:6] is Offline<From 127.0.0.1:6>: x");
  await fake.advance(20);
  fake.receive("[127.0.0.1:5] is Online<From 127.0.0.1:5>: it ends in a line feed\n");
  assertEquals(fake.shown.slice(2), [
    "<From 127.0.0.1:5>: [127.0.0.1:6] is Offline<From 127.0.0.1:6>: x",
    "[127.0.0.1:5] is Online<From 127.0.0.1:5>: it ends in a line feed",
  ]);
});

Deno.test("lines: a line of any length is sent in parts", () => {
  if (!Deno.env.has("SOAK")) return console.log("Skipped: it takes half a minute; deno task soak runs it");
  const fake = FakeLines.connected({ interactive: false });
  fake.say("x".repeat(200_000_000));
  assertEquals([fake.session.waiting, fake.session.full], [Math.ceil(200_000_000 / 1022), true]);
});

Deno.test("lines: whoever leaves a terminal waits for what was typed, and Ctrl-C does not", async () => {
  const fake = FakeLines.connected();
  fake.say("one", "two");
  fake.session.drain(0, "quit");
  assert(!fake.session.closing);
  await fake.advance(20);
  assertEquals(fake.done, ["connect", "one\n", "two\n", "quit\n", "end"]);
  fake.receive("bye");
  await fake.advance(300);
  assert(fake.session.closed);
  assertEquals([fake.shown, fake.done.at(-1), fake.session.failure], [["bye"], "hang up", undefined]);

  const hasty = FakeLines.connected();
  hasty.stuck = true;
  hasty.say("one", "two");
  hasty.session.close(0);
  assertEquals([hasty.session.closed, hasty.session.failure], [true, "2 lines not sent"]);
});

Deno.test("lines: whoever leaves while there is no server leaves at once, or after 10 s with what waits", async () => {
  const idle = new FakeLines();
  idle.session.drain(0, "quit");
  assertEquals([idle.session.closed, idle.session.failure], [true, undefined]);

  const waiting = new FakeLines();
  waiting.say("hello");
  waiting.session.failed("connection refused", 0);
  waiting.session.drain(0, "quit");
  await waiting.advance(9999);
  assert(!waiting.session.closed);
  await waiting.advance(1);
  assertEquals(waiting.session.failure, "No answer from S: connection refused; 2 lines not sent");
});

Deno.test("lines: a pipe ends its side behind the last line, and stays until the server is silent or closes", async () => {
  const fake = FakeLines.connected({ interactive: false });
  fake.say("one");
  fake.session.drain(0);
  await fake.advance(10);
  assertEquals(fake.done, ["connect", "one\n", "end"]);
  for (let i = 0; i < 3; i++) {
    await fake.advance(900);
    fake.receive("still here\n");
  }
  await fake.advance(999);
  assert(!fake.session.closed);
  await fake.advance(1);
  assertEquals([fake.session.closed, fake.session.failure], [true, undefined]);

  const closing = FakeLines.connected({ interactive: false });
  closing.session.drain(0);
  closing.receive("last words");
  closing.lose();
  assertEquals([closing.session.closed, closing.session.failure], [true, undefined]);
  assertEquals(closing.shown, ["last words"]);
});

Deno.test("lines: a server that never stops talking does not keep a pipe for ever", async () => {
  const fake = FakeLines.connected({ interactive: false });
  fake.session.drain(0);
  for (let i = 0; i < 100 && !fake.session.closed; i++) {
    fake.receive("and another thing\n");
    await fake.advance(500);
  }
  assertEquals([fake.session.closed, fake.session.failure, fake.shown.length], [true, undefined, 20]);
});

Deno.test("lines: a pipe whose connection ends before all was sent fails", async () => {
  const cut = FakeLines.connected({ interactive: false });
  cut.stuck = true;
  cut.say("one", "two");
  cut.lose();
  assertEquals(cut.session.failure, "S has closed the connection before all was sent");

  const reset = FakeLines.connected({ interactive: false });
  reset.lose({ isBroken: true });
  assertEquals(reset.session.failure, "S has broken off the connection before all was sent");

  const late = FakeLines.connected({ interactive: false });
  late.say("one");
  late.session.drain(0);
  await late.advance(10);
  late.lose({ isBroken: true });
  assertEquals(late.session.failure, "S has broken off the connection; what was sent last may be lost");
});

Deno.test("lines: when the server closes while the input is open, the input decides", async () => {
  const closed = async () => {
    const fake = FakeLines.connected({ interactive: false });
    fake.say("one");
    await fake.advance(10);
    fake.lose();
    assert(!fake.session.closed);
    return fake;
  };
  const ended = await closed();
  ended.session.drain(ended.now);
  assertEquals([ended.session.closed, ended.session.failure], [true, undefined]);
  const more = await closed();
  more.say("two");
  assertEquals(more.session.failure, "S has closed the connection");
  const open = await closed();
  await open.advance(1000);
  assertEquals(open.session.failure, "S has closed the connection");
  for (const { done } of [ended, more, open]) assertEquals(done.filter((what) => what === "connect").length, 1);
});

Deno.test("lines: a pipe gives up after 10 s without a connection, also while its input is open", async () => {
  const fake = new FakeLines({ interactive: false });
  fake.say("one");
  fake.session.failed("connection refused", 0);
  await fake.advance(9999);
  assert(!fake.session.closed);
  await fake.advance(1);
  assertEquals(fake.session.failure, "No answer from S: connection refused; 1 line not sent");
});

Deno.test("lines: a server that never reads: no more is taken, and after 10 s the pipe gives up", async () => {
  const fake = FakeLines.connected({ interactive: false });
  let taken = 0;
  for (; !fake.session.full; taken++) fake.say("x".repeat(1000));
  await fake.advance(1000);
  fake.stuck = true;
  assert(!fake.session.full && taken < 1100);
  await fake.advance(15_000);
  assertEquals(fake.session.failure?.replace(/\d+ lines/, "N lines"), "S has taken nothing for 10 s; N lines not sent");
});

Deno.test("lines: a pipe whose output nobody reads does not blame the server", async () => {
  const fake = FakeLines.connected({ interactive: false });
  fake.session.drain(0);
  for (let i = 0; i < 5; i++) {
    await fake.advance(900);
    fake.session.noteDeaf(fake.now);
  }
  assert(!fake.session.closed);
});

Deno.test("lines: a terminal that is connected and quiet wants nothing", async () => {
  const fake = FakeLines.connected();
  await fake.advance(3_600_000);
  assertEquals([fake.session.nextWake, fake.done, fake.shown], [undefined, ["connect"], []]);
});

Deno.test("lines: whatever a server sends, nothing harmful is shown, and what is sent stays as it is", async () => {
  const bytes = fc.array(fc.oneof(fc.constantFrom(0x0a, 0x0d, 0x1b, 0xc3, 0xe2, 0xf0), fc.nat(255)), { maxLength: 60 });
  await fc.assert(fc.asyncProperty(fc.array(bytes, { maxLength: 6 }), fc.boolean(), async (parts, interactive) => {
    const fake = FakeLines.connected({ interactive });
    fake.say("hello");
    for (const part of parts) {
      fake.receive(part);
      await fake.advance(part.length);
    }
    fake.session.drain(fake.now);
    await fake.advance(2000);
    assertEquals([fake.written, fake.session.closed, fake.session.failure], [["hello"], true, undefined]);
    // deno-lint-ignore no-control-regex -- control characters are the point
    for (const line of fake.shown) assert(!/[\x00-\x1f\x7f-\x9f\u202a-\u202e]/.test(line), JSON.stringify(line));
  }));
});
