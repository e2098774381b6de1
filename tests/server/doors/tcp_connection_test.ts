/** One connection of the TCP door in memory: how much of it is read, and how it ends. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { now } from "../../../runtime/clock.ts";
import { WriteTurns } from "../../../server/doors/line_writer.ts";
import { ReadBudget } from "../../../server/doors/read_budget.ts";
import { TcpConnection } from "../../../server/doors/tcp_connection.ts";
import { FakeConnection } from "../../support/fake_connection.ts";
import { type FakeTime, withFakeTime } from "../../support/fake_time.ts";

const encoder = new TextEncoder();

/** A connection, and what its keeper was told. */
function open(pauseFor: (line: string) => number = () => 0) {
  const conn = new FakeConnection(), notes: string[] = [];
  const keeper = {
    connected: () => notes.push("+") > 0,
    receiveLine(line: string) {
      const pause = pauseFor(line);
      if (pause === 0) notes.push(line);
      return pause;
    },
    dismissed: (_: unknown, why: string) => void notes.push(`dismissed: ${why}`),
    hungUp: () => void notes.push("-"),
  };
  const statistics = { sent: 0, failed: 0, dropped: 0 }, turns = new WriteTurns();
  const peer = { key: "tcp 10.0.0.7:1001", address: "10.0.0.7:1001", validated: true, direct: false };
  const connection = new TcpConnection(conn, peer, keeper, { turns, budget: new ReadBudget(now()), statistics });
  const ended = connection.run();
  return { conn, connection, notes, ended, statistics };
}

/** Lets time pass, and lets all that was begun before and meanwhile go on. */
async function pass(time: FakeTime, ms: number): Promise<void> {
  await time.settle();
  await time.advance(ms);
  await time.settle();
}

Deno.test("tcp connection: while a line is not taken, nothing more is read", () =>
  withFakeTime(async (time) => {
    let mayGoOn = false;
    const { conn, notes, ended } = open((line) => line === "slow" && !mayGoOn ? 100 : 0);
    conn.arrive("slow\n");
    const lines = Array.from({ length: 1000 }, (_, i) => `${i}`);
    for (const line of lines) conn.arrive(`${line}\n`);
    await pass(time, 10_000);
    assertLessOrEqual(conn.reads, 2);
    assertEquals(notes, ["+"]);
    mayGoOn = true;
    conn.end();
    await pass(time, 100);
    await ended;
    assertEquals(notes, ["+", "slow", ...lines, "", "-"]);
  }));

Deno.test("tcp connection: what has arrived before the end is handed over, and the empty line at the end as well", () =>
  withFakeTime(async (time) => {
    let rest = 3;
    const { conn, notes, ended } = open((line) => line === "" && rest-- > 0 ? 1000 : 0);
    conn.arrive("hello\nand");
    conn.end();
    await pass(time, 2999);
    assertEquals([notes, conn.done], [["+", "hello", "and"], []]);
    await pass(time, 1);
    await ended;
    assertEquals([notes.slice(3), conn.done], [["", "-"], ["closeWrite", "close"]]);
  }));

Deno.test("tcp connection: however long a line has to wait, it is offered again after a minute", () =>
  withFakeTime(async (time) => {
    let offers = 0;
    // so long a timer rings at once
    const { conn, connection } = open(() => offers++ < 3 ? 2 ** 40 : 0);
    conn.arrive("hello\n");
    await time.settle();
    assert(time.delays().includes(60_000), time.delays().join());
    await pass(time, 59_999);
    assertEquals(offers, 1);
    await pass(time, 120_001);
    assertEquals(offers, 4);
    connection.close();
  }));

Deno.test("tcp connection: one that leaves is read on, says no more, and is closed after 1 s if the other end stays", () =>
  withFakeTime(async (time) => {
    const { conn, connection, notes, ended } = open();
    conn.arrive("hello\n");
    await time.settle();
    connection.send([encoder.encode("goodbye\n")]);
    connection.leave();
    const { reads } = conn;
    // what is not read would make the system drop the goodbye
    for (let i = 0; i < 20; i++) conn.arrive("too late\n");
    await pass(time, 999);
    assertEquals([conn.text, conn.done, conn.reads - reads], ["goodbye\n", ["closeWrite"], 20]);
    await pass(time, 1);
    await ended;
    assertEquals([conn.done, notes], [["closeWrite", "close"], ["+", "hello"]]);
  }));

Deno.test("tcp connection: one that leaves is closed as soon as the other end closes, and not before it has all", () =>
  withFakeTime(async (time) => {
    const { conn, connection, ended } = open();
    connection.join();
    for (const line of ["a\n", "b\n", "c\n"]) connection.send([encoder.encode(line)]);
    connection.leave();
    await time.settle();
    assertEquals(conn.done, []);
    await pass(time, 4);
    assertEquals([conn.text, conn.done], ["a\nb\nc\n", ["closeWrite"]]);
    conn.end();
    await ended;
    assertEquals([conn.done, time.delays()], [["closeWrite", "close"], []]);
  }));

Deno.test("tcp connection: one that leaves and takes nothing is closed after 1 s too", () =>
  withFakeTime(async (time) => {
    const { conn, connection, ended } = open();
    conn.isStuck = true;
    connection.join();
    connection.send([encoder.encode("goodbye\n")]);
    connection.leave();
    await pass(time, 999);
    assertEquals(conn.done, []);
    await pass(time, 1);
    await Promise.all([ended, connection.flushed]);
    assertEquals(conn.isClosed, true);
  }));

Deno.test("tcp connection: a first text that can be no HTTP is heard after 20 ms, one that can after 2 s", () =>
  withFakeTime(async (time) => {
    for (const [text, ms] of [["hello all", 20], ["hi /all", 20], ["get /x", 20], ["GET", 2000]] as const) {
      const { conn, connection, notes } = open();
      conn.arrive(text);
      await pass(time, ms - 1);
      assertEquals([text, notes.includes(text)], [text, false]);
      // 20 ms of silence end a line, also that of which it took so long to tell what it is
      await pass(time, ms === 20 ? 1 : 21);
      assertEquals(notes, ["+", text]);
      connection.close();
    }
    const { conn, notes } = open();
    conn.arrive("POST /say");
    await pass(time, 1999);
    assertEquals([notes, conn.text], [[], ""]);
    await pass(time, 1001);
    assertEquals([notes, conn.text.slice(0, 12), conn.isClosed], [["dismissed: http"], "HTTP/1.0 400", true]);
  }));

/** As much as one read takes, in lines. */
const FULL = "y\n".repeat(1024);
const TOO_MUCH = "You say more than the room takes: the rest is not said\n";

Deno.test("tcp connection: one that is ahead of what is taken for two minutes is told so, and closed", () =>
  withFakeTime(async (time) => {
    const { conn, notes, ended } = open((line) => line === "y" ? 1000 : 0);
    conn.arrive("hello\n");
    // the system may hand over less than a read takes when more is waiting
    for (let i = 0; i < 200; i++) conn.arrive(i % 10 === 1 ? "y\n".repeat(10) : FULL);
    await pass(time, 119_999);
    assertEquals([notes, conn.text], [["+", "hello"], ""]);
    await pass(time, 1);
    assertEquals([notes.slice(2), conn.text, conn.done], [["dismissed: too much", "-"], TOO_MUCH, ["closeWrite"]]);
    await pass(time, 1000);
    await ended;
    assertEquals(conn.done, ["closeWrite", "close"]);
  }));

Deno.test("tcp connection: one that catches up now and then stays, and so does one whose few lines wait for long", () =>
  withFakeTime(async (time) => {
    let taken = 0;
    const { conn, connection, notes } = open((line) => line === "y" && taken++ % 2 === 0 ? 40 : 0);
    // each read takes 41 s, and then nothing comes for a while
    for (let i = 0; i < 10; i++) {
      conn.arrive(FULL);
      await pass(time, 50_000);
      conn.arrive("z\n");
    }
    assertEquals(notes.filter((note) => note.startsWith("dismissed")), []);
    connection.close();
    const few = open((line) => line === "y" ? 8000 : 0);
    few.conn.arrive("y\n".repeat(100));
    await pass(time, 600_000);
    assertEquals(few.notes, ["+"]);
    few.connection.close();
  }));

Deno.test("tcp connection: when a write fails, what has arrived is said for 10 s more, and the rest is dropped", () =>
  withFakeTime(async (time) => {
    const { conn, connection, notes, ended } = open((line) => line === "y" ? 5000 : 0);
    connection.join();
    for (let i = 0; i < 100; i++) conn.arrive(FULL);
    await pass(time, 10);
    conn.failure = new Deno.errors.BrokenPipe("gone");
    connection.send([encoder.encode("hello\n")]);
    await pass(time, 9999);
    assertEquals(notes, ["+"]);
    await pass(time, 10);
    assertEquals(notes, ["+", "dismissed: too much", "-"]);
    await pass(time, 1000);
    await ended;
    const short = open();
    short.connection.join();
    short.conn.failure = conn.failure;
    short.connection.send([encoder.encode("hello\n")]);
    await pass(time, 10);
    short.conn.arrive("goodbye\n");
    await pass(time, 10);
    assertEquals(short.notes, ["+", "goodbye"]);
    short.connection.close();
  }));

Deno.test("tcp connection: while the answers to its commands are not written, no further one is taken", () =>
  withFakeTime(async (time) => {
    let answers = 0;
    const { conn, connection } = open((line) => {
      if (line === "?") connection.send([new Uint8Array(1000).fill(0x61, 0, 999)]), answers++;
      return 0;
    });
    conn.isStuck = true;
    conn.arrive("?\n".repeat(1000));
    await pass(time, 500);
    assertEquals([answers, conn.isClosed], [33, false]);
    connection.close();
  }));

Deno.test("tcp connection: 256 kB are read at once and then 64 kB a second, whatever they are", () =>
  withFakeTime(async (time) => {
    for (const text of ["\n", "\0", " \n", "x"]) {
      const { conn, connection } = open();
      connection.join();
      for (let i = 0; i < 1000; i++) conn.arrive(text.repeat(2048).slice(0, 2048));
      await pass(time, 0);
      const atOnce = conn.reads;
      await pass(time, 10_000);
      assert(Math.abs(atOnce - (256 << 10) / 2148) <= 2, `${atOnce}`);
      assert(Math.abs(conn.reads - atOnce - 10 * (64 << 10) / 2148) <= 3, `${conn.reads}`);
      connection.close();
    }
  }));

Deno.test("tcp connection: a request of which only the beginning came for long is known when the rest comes", () =>
  withFakeTime(async (time) => {
    for (const [first, said] of [["P", ["P"]], ["POST", ["POST"]], ["POST ", ["POST "]], ["  ", ["  "]]] as const) {
      const { conn, notes } = open();
      conn.arrive(first);
      await pass(time, 5000);
      assertEquals(notes, ["+", ...said]);
      conn.arrive(`${"POST ".slice(first.trimStart().length)}/ HTTP/1.1\r\n\r\nhello\n`);
      await pass(time, 2000);
      assertEquals([notes.slice(1 + said.length), conn.text.slice(0, 12)], [["dismissed: http", "-"], "HTTP/1.0 400"]);
    }
    // and what is none goes on as a chat, also when it comes one character after the other
    const { conn, connection, notes } = open();
    for (const text of ["P", "O", "S", "h\n", "POST / HTTP/1.1\n"]) {
      conn.arrive(text);
      await pass(time, 5000);
    }
    assertEquals(notes, ["+", "P", "O", "S", "h", "POST / HTTP/1.1"]);
    connection.close();
  }));
