/** What the server prints on its terminal, and that a line that can't be printed does not end the server. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { stdout } from "../../runtime/output.ts";
import { DEADLINE_MS } from "../../scripts/support/waiting.ts";
import { BugLog, formatSummary, presenceLog, print } from "../../server/log.ts";
import { noneIgnored } from "../../server/room/ignored.ts";
import { FakeRoom } from "../support/fake_room.ts";
import { peerOf } from "../support/peer_of.ts";

const A = "127.0.0.1:40001", B = "127.0.0.1:40002", C = "[::1]:40003";
const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;

Deno.test("log: arrivals and departures, with the name of a member that has one", () => {
  const lines: string[] = [];
  const room = new FakeRoom({ observer: presenceLog((line) => lines.push(line)) });
  const alice = room.join(A, "Alice");
  room.datagram(C, "GREETING");
  room.join(B);
  room.pass(50_000);
  room.v1(A, "LEAVE", { id: 2, token: alice.token });
  room.pass(20_000);
  const patterns = [
    `Client \\(127.0.0.1, 40001\\) connected at ${TIME} as Alice`,
    `Client \\(::1, 40003\\) connected at ${TIME}`,
    `Client \\(127.0.0.1, 40002\\) connected at ${TIME}`,
    `Client \\(127.0.0.1, 40001\\) left at ${TIME} as Alice`,
    `Client \\(127.0.0.1, 40002\\) fell silent at ${TIME}`,
  ];
  assertEquals(lines.length, patterns.length, lines.join("\n"));
  for (const [i, pattern] of patterns.entries()) assertMatch(lines[i], new RegExp(`^${pattern}$`));
});

Deno.test("log: a member with a connection is marked as such, and one that says goodbye is not said to have hung up", () => {
  const lines: string[] = [];
  const room = new FakeRoom({ observer: presenceLog((line) => lines.push(line)) });
  for (const port of [1, 2, 3]) room.room.connected(peerOf(`tcp 10.0.0.7:${port}`), room.now);
  room.room.receiveLine("/quit", peerOf("tcp 10.0.0.7:1"), room.now);
  room.room.hungUp(peerOf("tcp 10.0.0.7:1"), room.now);
  room.room.receiveLine("quit", peerOf("tcp 10.0.0.7:2"), room.now);
  room.room.hungUp(peerOf("tcp 10.0.0.7:3"), room.now);
  assertEquals(lines.map((line) => line.replace(new RegExp(TIME), "T")), [
    ...[1, 2, 3].map((port) => `Client (10.0.0.7, ${port}) connected at T by TCP`),
    "Client (10.0.0.7, 1) left at T",
    "Client (10.0.0.7, 2) left at T",
    "Client (10.0.0.7, 3) hung up at T",
  ]);
});

Deno.test("log: a new name is printed, with the one before", () => {
  const lines: string[] = [];
  const room = new FakeRoom({ observer: presenceLog((line) => lines.push(line)) });
  const { token } = room.join(A);
  for (const [id, name] of [[3, "Alice"], [4, "Max"], [5, "Max"]] as const) room.v1(A, "SIGN-IN", { id, token, name });
  room.move("127.0.0.1:40009", token, "Max");
  assertEquals(lines.slice(1).map((line) => line.replace(new RegExp(TIME), "T")), [
    "Client (127.0.0.1, 40001) signed in at T as Alice",
    "Client (127.0.0.1, 40001) has another name at T as Max, before Alice",
  ]);
});

Deno.test("log: a departure has the time of day, whatever the room's clock says", () => {
  const lines: string[] = [];
  const room = new FakeRoom({ observer: presenceLog((line) => lines.push(line)) });
  const { token } = room.join(A);
  const before = new Date(Date.now() - 1000).toLocaleString("sv-SE");
  room.v1(A, "LEAVE", { id: 2, token });
  const [, at] = lines[1].split(" left at ");
  assert(at >= before && at <= new Date().toLocaleString("sv-SE"), at);
});

Deno.test("log: the summary names what was ignored or lost, and why, and nothing that there was none of", () => {
  const room = new FakeRoom({ classic: { members: 2 }, maxMembers: 3, rate: { rate: 1, burst: 1 } });
  const { sent, failed, dropped } = { sent: 1, failed: 0, dropped: 0 };
  const summary = (losses = { sent, failed, dropped }, inbound = 0) => formatSummary(room.room, losses, inbound);
  const total = "1 datagram out";
  assertEquals(summary(), `0 members joined, 0 here, 0 messages in, ${total}`);
  room.datagram(A, "GREETING");
  for (const text of ["LIST all", "OPEN/1", "WELCOME/1"]) room.datagram(B, text);
  for (const text of ["MESSAGE hello", "LIST"]) room.datagram(B, text);
  room.datagram("203.0.113.5:1", "GREETING");
  room.datagram(B, "GREETING");
  room.datagram(C, "GREETING");
  for (let i = 0; i < 25; i++) room.datagram(A, "LIST");
  for (let i = 0; i < 2; i++) room.datagram(A, "MESSAGE hello");
  const D = "10.0.0.9:1", cookie = room.cookie(D);
  // in version 1 a newcomer may ask ten times at once
  for (let i = 0; i < 11; i++) room.v1(D, "SIGN-IN", { id: i, token: "5f1c0d9a7be2e604", cookie, name: "Server" });
  assertEquals(
    summary({ sent, failed: 4, dropped: 5 }, 6),
    `2 members joined, 2 here, 1 message in, ${total}; ignored: 2 unreadable (an unknown word, a wrong field or sum, no text, or too long), ` +
      "1 of kinds that only a server sends, 2 from clients that have not joined, " +
      "2 classic, from clients that may not speak it, 1 with messages faster than --rate, " +
      "1 that ask for names too often, 5 that ask for too much else; " +
      "lost: 6 too many for the system, 5 when a queue was full, 4 that could not be sent",
  );
});

Deno.test("log: each reason for which the room ignores something has words of its own", () => {
  const reasons = Object.keys(noneIgnored()) as (keyof ReturnType<typeof noneIgnored>)[];
  const texts = reasons.map((reason) => {
    const statistics = { joined: 0, messages: 0, ignored: { ...noneIgnored(), [reason]: 7 } };
    const [, text] = /; ignored: 7 ([^;]+)$/.exec(
      formatSummary({ size: 0, lineSize: 0, statistics }, { sent: 0, failed: 0, dropped: 0 }, 0),
    )!;
    return text;
  });
  assertEquals(new Set(texts).size, reasons.length);
});

Deno.test("log: a line that can't be written is left out, and the next one is tried", async () => {
  const { write } = Deno.stdout;
  let tries = 0;
  try {
    Deno.stdout.write = () => {
      tries++;
      return Promise.reject(new Error("No space left on device"));
    };
    for (const line of ["one", "two"]) {
      print(line);
      assert(await stdout.flush(DEADLINE_MS));
    }
  } finally {
    Deno.stdout.write = write;
  }
  assertEquals(tries, 2);
});

Deno.test("log: the summary says how many lines nobody has read, unless none", () => {
  const { room } = new FakeRoom();
  const statistics = { sent: 0, failed: 0, dropped: 0 };
  assertMatch(formatSummary(room, statistics, 0, 0), /, 0 datagrams out$/);
  assertMatch(formatSummary(room, statistics, 2, 1), /; lost: 2 too many for the system; 1 line not shown$/);
});

Deno.test("log: the summary counts members and lines by TCP, if there are any", () => {
  const room = new FakeRoom();
  const summary = (lines: number) => formatSummary(room.room, { sent: 7, lines, failed: 0, dropped: 0 }, 0, 0);
  room.join(A);
  assertEquals(summary(0), "1 member joined, 1 here, 0 messages in, 7 datagrams out");
  for (const port of [1, 2]) room.room.connected(peerOf(`tcp 10.0.0.7:${port}`), room.now);
  assertEquals(summary(6), "3 members joined, 3 here (2 by TCP), 0 messages in, 1 datagram and 6 lines out");
});

Deno.test("bug log: the first bug is told in one line, a flood of bugs once a second with a count", () => {
  const lines: string[] = [];
  const bugLog = new BugLog((line) => lines.push(line));
  for (let now = 5000; now < 8000; now++) bugLog.note(new TypeError("oh\nno"), now);
  bugLog.note(new RangeError("later"), 60_000);
  assertEquals(lines, [
    "Ignored: TypeError: oh?no, a bug of this server",
    "Ignored: TypeError: oh?no, a bug of this server (and 999 more before)",
    "Ignored: TypeError: oh?no, a bug of this server (and 999 more before)",
    "Ignored: RangeError: later, a bug of this server (and 999 more before)",
  ]);
});
