/** The TCP door on real sockets of this machine: what comes in, what goes out, and who is closed. */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { TcpRoom } from "../../support/tcp_room.ts";

const encoder = new TextEncoder();

Deno.test("tcp door: who connects joins without a word, gets what is said, and is missed", async () => {
  await using room = new TcpRoom();
  await using a = await room.member();
  {
    await using b = await room.member();
    room.say("<From x>: hello");
    for (const program of [a, b]) await program.until("<From x>: hello\n");
    assertEquals(room.door.size("line"), 2);
    assertEquals(room.door.size("v1"), 0);
    const { key, address, validated, direct } = room.recipients.get(`tcp ${b.address}`)!;
    assertEquals({ key, address, validated, direct }, {
      key: `tcp ${b.address}`,
      address: b.address,
      validated: true,
      direct: false,
    });
    b.conn.close();
    await room.noted(`- ${b.address}`);
  }
  room.say("bye");
  await a.until("bye\n");
  assertEquals(room.door.size("line"), 1);
  assertEquals(room.door.statistics, { sent: 3, failed: 0, dropped: 0 });
});

Deno.test("tcp door: lines with and without line feeds, in pieces, all at once", async () => {
  await using room = new TcpRoom();
  await using a = await room.connect();
  await a.write("no feed");
  await room.noted(`${a.address}: no feed`);
  await a.write(encoder.encode("Zoë").subarray(0, 3));
  await a.write(encoder.encode("Zoë").subarray(3));
  await room.noted(`${a.address}: Zoë`);
  await a.write("one\r\ntwo\n\nthr");
  await room.noted(`${a.address}: two`);
  await a.write("ee\n");
  await room.noted(`${a.address}: three`);
  await a.write("x".repeat(5000));
  await a.write("\n");
  await room.noted(`${a.address}: ${"x".repeat(904)}`);
  assertEquals(room.notes.map((note) => note.replace(a.address, "a").slice(0, 30)), [
    "+ a",
    "a: no feed",
    "a: Zoë",
    "a: one",
    "a: two",
    "a: three",
    `a: ${"x".repeat(27)}`,
    `a: ${"x".repeat(27)}`,
  ]);
});

Deno.test("tcp door: who came earlier joins earlier, also if a later one speaks first", async () => {
  await using room = new TcpRoom();
  room.repeats = true;
  await using a = await room.connect();
  await using b = await room.connect();
  await b.write("hi\n");
  await a.until("hi\n");
  assertEquals(room.notes, [`+ ${a.address}`, `+ ${b.address}`, `${b.address}: hi`]);
});

Deno.test("tcp door: a line that is typed character by character is one, also when it may become HTTP at first", async () => {
  await using room = new TcpRoom();
  await using a = await room.connect();
  for (const key of ["H", "E", "A", "D", "s", " ", "u", "p", "\xff\xf4", "\r\n"]) {
    await a.write(Uint8Array.from(key, (character) => character.charCodeAt(0)));
    // nobody types faster
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await room.noted(`${a.address}: HEADs up`);
  assertEquals(room.notes, [`+ ${a.address}`, `${a.address}: HEADs up`]);
});

Deno.test("tcp door: telnet gets the answer without which it shows nothing after Ctrl-C", async () => {
  await using room = new TcpRoom();
  await using a = await room.member();
  await a.write(Uint8Array.of(0xff, 0xf4, 0xff, 0xfd, 6, 0x68, 0x69, 10));
  await room.noted(`${a.address}: hi`);
  room.say("here");
  const read: number[] = [], buffer = new Uint8Array(20);
  while (read.length < 8) read.push(...buffer.subarray(0, (await a.conn.read(buffer))!));
  assertEquals(read, [0xff, 0xfc, 6, ...encoder.encode("here\n")]);
});

Deno.test("tcp door: half-closing hands over all lines, also with pauses; what was sent still leaves", async () => {
  await using room = new TcpRoom();
  room.repeats = true;
  let offered = 0;
  room.pauseFor = () => ++offered % 3 === 0 ? 0 : 5;
  await using a = await room.connect();
  await a.write("one\ntwo\nthree");
  await a.conn.closeWrite();
  assertEquals(await a.end(), "one\ntwo\nthree\n");
  assertEquals(
    room.notes.map((note) => note.replace(a.address, "a")),
    ["+ a", "a: one", "a: two", "a: three", "- a"],
  );
  // the three lines, and the empty one at the end
  assertEquals(offered, 12);
});

Deno.test("tcp door: a line that is not taken delays no other connection", async () => {
  await using room = new TcpRoom();
  let mayGoOn = false;
  room.pauseFor = (line) => line === "slow" && !mayGoOn ? 2 : 0;
  await using a = await room.member();
  await using b = await room.member();
  await a.write("slow\nand on\n");
  for (let i = 0; i < 20; i++) {
    await b.write(`${i}\n`);
    await room.noted(`${b.address}: ${i}`);
  }
  assert(!room.notes.some((note) => note.startsWith(`${a.address}: `)));
  mayGoOn = true;
  await room.noted(`${a.address}: and on`);
});

Deno.test("tcp door: a program without line feeds gets one line a read", async () => {
  await using room = new TcpRoom();
  await using a = await room.member();
  const reading = a.until("line 29\n");
  for (let i = 0; i < 30; i++) room.say(`line ${i}`);
  await reading;
  // a busy machine may read two at once now and then
  assert(a.pieces.length >= 25, `${a.pieces.length}`);
});

Deno.test("tcp door: who leaves gets what was sent before, then the end; then nothing more is heard of it", async () => {
  await using room = new TcpRoom();
  await using a = await room.member();
  await a.write("hello\n");
  await room.noted(`${a.address}: hello`);
  room.say("goodbye");
  await a.write("quit\nnever\n");
  assertEquals(await a.end(), "goodbye\n");
  assertEquals(room.notes, [`+ ${a.address}`, `${a.address}: hello`, `${a.address}: quit`]);
});

Deno.test("tcp door: who may not stay is told why and closed", async () => {
  await using room = new TcpRoom();
  room.refusal = "not today\n";
  await using a = await room.connect();
  await a.write("hello\n");
  assertEquals(await a.end(), "not today\n");
  assertEquals(room.notes, [`+ ${a.address}`]);
});

Deno.test("tcp door: HTTP, TLS and SSH are closed before the room hears of them", async () => {
  await using room = new TcpRoom();
  for (
    const [pieces, answer] of [
      [["GET / HTTP/1.1\r\nHost: x\r\n\r\n"], /^HTTP\/1\.0 400 Bad Request\r\n[^]*chat/],
      [["PO", "ST /say HT", "TP/1.1\r\n\r\nhello\n"], /^HTTP\/1\.0 400 /],
      [[`GET /${"x".repeat(9000)}`], /^HTTP\/1\.0 400 /],
      [["\r\n", "\nGET / HTTP/1.1\r\n"], /^HTTP\/1\.0 400 /],
      [["\x16", "\x03\x01\x02"], /^$/],
      [["SSH-2.0-OpenSSH\r\n"], /^$/],
    ] as const
  ) {
    await using a = await room.connect();
    for (const piece of pieces) await a.write(piece);
    assertMatch(await a.end(), answer);
  }
  // also if the rest comes too late
  await using slow = await room.connect();
  await slow.write("GET /");
  assertMatch(await slow.end(), /^HTTP/);
  // also if it first says nothing for a while
  await using late = await room.member();
  await late.write("GET / HTTP/1.1\r\n\r\nhello\n");
  assertMatch(await late.end(), /^HTTP/);
  assertEquals(room.notes, [`+ ${late.address}`, `- ${late.address}`]);
  const protocols = ["http", "http", "http", "http", "tls", "ssh", "http", "http"];
  assertEquals(room.dismissals.map((text) => text.replace(/^127\.0\.0\.1:\d+: /, "")), protocols);
  assertEquals(room.dismissals.at(-1), `${late.address}: http`);
});

Deno.test("tcp door: an empty line is no first line: who sends it joins as soon as who says nothing", async () => {
  await using room = new TcpRoom();
  await using a = await room.connect();
  const startedAt = performance.now();
  await a.write("\n");
  await room.noted(`+ ${a.address}`);
  assertLess(performance.now() - startedAt, 1500);
  // from now on lines may share a write
  const lines = Array.from({ length: 100 }, (_, i) => `line ${i}\n`);
  room.door.broadcast(encoder.encode(lines.join("")), "line");
  await a.until("line 99\n");
  assertLess(a.pieces.length, 50);
});

Deno.test("tcp door: a first line that might have become HTTP is said all the same", async () => {
  await using room = new TcpRoom();
  await using a = await room.connect();
  await a.write("GET");
  await room.noted(`${a.address}: GET`);
  await using b = await room.connect();
  await b.write("P");
  await b.conn.closeWrite();
  await room.noted(`${b.address}: P`);
});

Deno.test("tcp door: who does not read is closed, and delays nobody", async () => {
  await using room = new TcpRoom();
  await using deaf = await room.member();
  await using b = await room.member();
  await b.write("\n");
  const line = "x".repeat(1000);
  // what the system keeps for it is some megabytes
  for (let i = 0; i < 50_000 && !room.notes.includes(`- ${deaf.address}`); i++) {
    room.say(`${line}${i}`);
    if (i % 50 === 0) await b.until(`${line}${i}\n`);
  }
  await room.noted(`- ${deaf.address}`);
  assert(room.door.statistics.dropped > 0);
  assertEquals(room.door.size("line"), 1);
});

Deno.test("tcp door: what was said before a reset is heard", async () => {
  await using room = new TcpRoom();
  await using a = await room.member();
  room.say("unread");
  // closing with unread data resets the connection
  await a.write("my last word");
  a.conn.close();
  await room.noted(`- ${a.address}`);
  assertEquals(room.notes, [`+ ${a.address}`, `${a.address}: my last word`, `- ${a.address}`]);
});

Deno.test("tcp door: more connections than it takes are told so, and their places become free", async () => {
  await using room = new TcpRoom({ connections: 2 });
  await using a = await room.member();
  await using _b = await room.member();
  await using c = await room.connect();
  await c.write("hello\n");
  assertEquals(await c.end(), "The server is full: it has 2 connections\n");
  a.conn.close();
  await room.noted(`- ${a.address}`);
  await using d = await room.member();
  room.say("hi");
  await d.until("hi\n");
  assertEquals(room.notes.filter((note) => note.startsWith("+")).length, 3);
});

Deno.test("tcp door: thousands that come and go, say half a word or nothing, leave nothing behind", async () => {
  await using room = new TcpRoom();
  await using a = await room.member();
  for (let round = 0; round < 20; round++) {
    const programs = await Promise.all(Array.from({ length: 50 }, () => room.connect()));
    await Promise.all(programs.map(async (program, i) => {
      if (i % 4 === 1) await program.write("x").catch(() => {});
      if (i % 4 === 2) await program.write("G").catch(() => {});
      if (i % 4 === 3) await program.write("hi\n").catch(() => {});
      room.say("meanwhile");
      program.conn.close();
    }));
    await a.write(`${round}\n`);
    await room.noted(`${a.address}: ${round}`);
  }
  await room.until(() => room.notes.filter((note) => note.endsWith(": hi")).length >= 12 * 20);
  await room.until(() => room.recipients.size === 1);
  const come = room.notes.filter((note) => note.startsWith("+")),
    gone = room.notes.filter((note) => note.startsWith("-"));
  assertEquals(come.length, gone.length + 1);
});

Deno.test("tcp door: when the system accepts nothing, it tries again after a pause, not at once", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let failures = 0;
  await using room = new TcpRoom({}, {
    addr: listener.addr,
    accept() {
      if (failures < 4) {
        failures++;
        return Promise.reject(new Error("Too many open files (os error 24)"));
      }
      return listener.accept();
    },
    close: () => listener.close(),
  });
  const startedAt = performance.now();
  await using a = await room.member();
  assert(performance.now() - startedAt >= 5 + 10 + 20 + 40 - 4);
  room.say("hi");
  await a.until("hi\n");
});

Deno.test("tcp door: a flood of connections that have gone before they are accepted makes nobody wait", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let failures = 0;
  await using room = new TcpRoom({}, {
    addr: listener.addr,
    async accept() {
      await Promise.resolve();
      if (failures++ < 1000) throw new Deno.errors.NotConnected("Transport endpoint is not connected (os error 107)");
      return await listener.accept();
    },
    close: () => listener.close(),
  });
  const startedAt = performance.now();
  await using _a = await room.member();
  assertLess(performance.now() - startedAt, 4000);
});

Deno.test("tcp door: closing writes what is left, waits for no one that does not read, and hangs up nobody", async () => {
  const room = new TcpRoom();
  await using a = await room.member();
  await using _silent = await room.member();
  room.say("the server closes");
  const startedAt = performance.now();
  const closing = room[Symbol.asyncDispose]();
  assertEquals(await a.end(), "the server closes\n");
  await closing;
  assertLess(performance.now() - startedAt, 1500);
  assertEquals(room.notes.filter((note) => note.startsWith("-")), []);
});

Deno.test("tcp door: two with one address and port are never here at once", async () => {
  const inner = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using room = new TcpRoom({}, {
    addr: inner.addr,
    async accept() {
      const conn = await inner.accept();
      // as if both came from one port, to two addresses of this machine
      const remoteAddr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1234 };
      return Object.defineProperty(conn, "remoteAddr", { value: remoteAddr });
    },
    close: () => inner.close(),
  });
  await using a = await room.connect();
  await a.write("a\n");
  await room.noted("127.0.0.1:1234: a");
  await using b = await room.connect();
  await b.write("b\n");
  await room.noted("127.0.0.1:1234: b");
  await a.end();
  room.say("hi");
  await b.until("hi\n");
  assertEquals(room.notes, [
    "+ 127.0.0.1:1234",
    "127.0.0.1:1234: a",
    "- 127.0.0.1:1234",
    "+ 127.0.0.1:1234",
    "127.0.0.1:1234: b",
  ]);
});
