/** What the server says on its terminal, and that nothing of it can end the server. */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { logOf, Mishaps, Roster, say } from "../../server/log.ts";
import { FakeRoom } from "../support/fake_room.ts";

const A = "127.0.0.1:40001", B = "127.0.0.1:40002", C = "[::1]:40003";
const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;

Deno.test("log: who comes and goes, with the name where there is one", () => {
  const lines: string[] = [];
  const room = new FakeRoom({ observer: logOf((line) => lines.push(line)) });
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
  const room = new FakeRoom({ observer: logOf((line) => lines.push(line)) });
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
    say("hello");
  } finally {
    console.log = log;
  }
});

Deno.test("roster: who has signed in, under the latest name, and how many have not", () => {
  const roster = new Roster();
  const room = new FakeRoom({ observer: roster });
  const line = () => roster.line(room.room.size);
  assertEquals(line(), "Signed In Users: none");
  const alice = room.join(A, "Alice");
  room.datagram(C, "SIGN-IN Zoë\n");
  assertEquals(line(), "Signed In Users: Alice, Zoë");
  room.join(B);
  room.v1(A, "SIGN-IN", { id: 2, token: alice.token, name: "Alicia" });
  assertEquals(line(), "Signed In Users: Zoë, Alicia (and 1 unnamed)");
  room.datagram(C, "SIGN-IN Zoe\n");
  assertEquals(line(), "Signed In Users: Alicia, Zoe (and 1 unnamed)");
  // another address, and with it another token
  room.move("127.0.0.1:40009", alice.token);
  assertEquals(line(), "Signed In Users: Zoe, Alicia (and 1 unnamed)");
  room.pass(70_000);
  assertEquals(line(), "Signed In Users: Zoe");
});

Deno.test("roster: of a crowd only a few lines are listed", () => {
  const roster = new Roster();
  const room = new FakeRoom({ observer: roster });
  for (let i = 0; i < 1000; i++) room.join(`127.0.0.1:${20_000 + i}`, `student-${i}`);
  const line = roster.line(1001);
  assertLess(line.length, 500);
  const [, names, more] = /^Signed In Users: (.*) and (\d+) more \(and 1 unnamed\)$/.exec(line)!;
  assertEquals(names.split(", ").length + Number(more), 1000);
});

Deno.test("mishaps: the first is told in one line, of a flood one a second with a count", () => {
  const lines: string[] = [];
  const mishaps = new Mishaps((line) => lines.push(line));
  for (let now = 5000; now < 8000; now++) mishaps.note(new TypeError("oh\nno"), now);
  mishaps.note(new RangeError("later"), 60_000);
  assertEquals(lines, [
    "Ignored: TypeError: oh?no, a bug of this server",
    "Ignored: TypeError: oh?no, a bug of this server (and 999 more before)",
    "Ignored: TypeError: oh?no, a bug of this server (and 999 more before)",
    "Ignored: RangeError: later, a bug of this server (and 999 more before)",
  ]);
});

Deno.test("mishaps: one that can't be written is left out", () => {
  const { error } = console;
  try {
    console.error = () => {
      throw new Error("No space left on device");
    };
    new Mishaps().note(new TypeError("oh"), 0);
  } finally {
    console.error = error;
  }
});
