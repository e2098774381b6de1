/** What the server prints on its terminal, and that a line that can't be printed does not end the server. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { BugLog, presenceLog, print } from "../../server/log.ts";
import { FakeRoom } from "../support/fake_room.ts";

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

Deno.test("log: a departure has the time of day, whatever the room's clock says", () => {
  const lines: string[] = [];
  const room = new FakeRoom({ observer: presenceLog((line) => lines.push(line)) });
  const { token } = room.join(A);
  const before = new Date(Date.now() - 1000).toLocaleString("sv-SE");
  room.v1(A, "LEAVE", { id: 2, token });
  const [, at] = lines[1].split(" left at ");
  assert(at >= before && at <= new Date().toLocaleString("sv-SE"), at);
});

Deno.test("log: a line that can't be written is left out", () => {
  const { log } = console;
  try {
    console.log = () => {
      throw new Error("No space left on device");
    };
    print("hello");
  } finally {
    console.log = log;
  }
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

Deno.test("bug log: a line that can't be written is left out", () => {
  const { error } = console;
  try {
    console.error = () => {
      throw new Error("No space left on device");
    };
    new BugLog().note(new TypeError("oh"), 0);
  } finally {
    console.error = error;
  }
});
