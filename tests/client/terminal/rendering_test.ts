/** What things look like on the screen. */
import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { Shown } from "../../../client/session/shown.ts";
import { formatShown, formatStatistics, passwordQuestion } from "../../../client/terminal/rendering.ts";
import { reservedBecause } from "../../../protocol/look_alikes.ts";
import { normalizeName } from "../../../protocol/names.ts";
import { printable } from "../../../protocol/text.ts";

const PLAIN = { colour: false, times: false };
const ESCAPE = "\x1b";

const said: Shown = {
  kind: "message",
  from: "192.168.1.21:52207",
  name: "Alice",
  text: "Hello World!",
  at: new Date(2024, 10, 20, 9, 5).getTime(),
};

Deno.test("rendering: a message as in the assignment, with the sender's name if it has one", () => {
  assertEquals(formatShown(said, PLAIN), "<From 192.168.1.21:52207:Alice>: Hello World!");
  assertEquals(formatShown({ ...said, name: undefined }, PLAIN), "<From 192.168.1.21:52207>: Hello World!");
  assertEquals(
    formatShown({ ...said, action: true, text: "waves" }, PLAIN),
    "<From 192.168.1.21:52207:Alice>: * Alice waves",
  );
  assertEquals(formatShown({ kind: "line", line: "<From 1.2.3.4:5>: hi" }, PLAIN), "<From 1.2.3.4:5>: hi");
});

Deno.test("rendering: with times on, messages and presence begin with the time", () => {
  const times = { colour: false, times: true };
  assertEquals(formatShown(said, times), "09:05 <From 192.168.1.21:52207:Alice>: Hello World!");
  const gone: Shown = { kind: "presence", online: false, members: [{ address: "1.2.3.4:5" }], at: said.at };
  assertEquals(formatShown(gone, times), "09:05 [1.2.3.4:5] is Offline");
  assertEquals(formatShown({ kind: "notice", text: "x" }, times), "-- x");
});

Deno.test("rendering: a time beyond the range of dates is shown as --:--", () => {
  assertEquals(
    formatShown({ ...said, at: Number.MAX_SAFE_INTEGER }, { colour: false, times: true }).slice(0, 6),
    "--:-- ",
  );
});

Deno.test("rendering: arrivals and departures, a line each", () => {
  const members = [{ address: "127.0.0.1:52208" }, { address: "127.0.0.1:52209", name: "Carol" }];
  const shown: Shown = { kind: "presence", online: true, members, at: 0 };
  assertEquals(formatShown(shown, PLAIN), "[127.0.0.1:52208] is Online\n[127.0.0.1:52209 Carol] is Online");
});

Deno.test("rendering: more than five arrivals or departures at once share one line", () => {
  const members = Array.from({ length: 6 }, (_, i) => ({
    address: `10.0.0.1:${i + 1}`,
    ...(i > 0 ? { name: `Student_${i}` } : {}),
  }));
  const shown = (count: number, online = true): Shown => ({
    kind: "presence",
    online,
    members: members.slice(0, count),
    at: said.at,
  });
  assertEquals(formatShown(shown(5), PLAIN).split("\n").length, 5);
  assertEquals(formatShown(shown(6), PLAIN), "10.0.0.1:1, Student_1, Student_2 and 3 more are Online");
  assertEquals(
    formatShown(shown(6, false), { colour: false, times: true }),
    "09:05 10.0.0.1:1, Student_1, Student_2 and 3 more are Offline",
  );
});

Deno.test("rendering: a direct message has an arrow before it", () => {
  const direct: Shown = { kind: "direct", from: "1.2.3.4:5", name: "Alice", text: "psst", at: said.at };
  assertEquals(formatShown(direct, PLAIN), "<- <From 1.2.3.4:5:Alice>: psst");
  assertEquals(formatShown(direct, { colour: false, times: true }), "09:05 <- <From 1.2.3.4:5:Alice>: psst");
});

Deno.test("rendering: the answers to /list and /whois", () => {
  assertEquals(
    formatShown({ kind: "users", names: ["Bob", "Carole"], unnamed: 0 }, PLAIN),
    "<- Signed In Users: Bob, Carole",
  );
  assertEquals(
    formatShown({ kind: "users", names: [], unnamed: 3 }, PLAIN),
    "<- Signed In Users: none (and 3 unnamed)",
  );
  const bob: Shown = { kind: "whois", address: "1.2.3.4:5", name: "Bob", since: said.at, classic: true };
  assertEquals(formatShown(bob, PLAIN), "<- Bob is at 1.2.3.4:5 since 09:05, classic");
  assertMatch(
    formatShown({ ...bob, name: undefined, classic: false }, PLAIN),
    /^<- \(unnamed\) is at 1\.2\.3\.4:5 since 09:05$/,
  );
});

Deno.test("rendering: who is reached through the server only stands in a line of its own, and in whois", () => {
  assertEquals(
    formatShown({ kind: "users", names: ["Bob", "Tim", "Zoe"], onlyRelayed: ["Tim", "Zoe"], unnamed: 2 }, PLAIN),
    "<- Signed In Users: Bob, Tim, Zoe (and 2 unnamed)\n<- Only through the server: Tim, Zoe",
  );
  assertEquals(
    formatShown({ kind: "users", names: ["Tim"], onlyRelayed: ["Tim"], forbidden: true, unnamed: 0 }, PLAIN),
    "<- Signed In Users: Tim\n<- Not reached directly: Tim",
  );
  const bob: Shown = { kind: "whois", address: "1.2.3.4:5", name: "Bob", since: said.at, classic: false };
  const relay = { relay: true };
  const ways = [
    relay,
    { ...relay, transport: "tcp" },
    { ...relay, forbidden: true },
    { ...relay, norelay: true },
    { norelay: true },
  ];
  assertEquals(ways.map((way) => formatShown({ ...bob, ...way }, PLAIN).replace(/^.*09:05/, "")), [
    ", only through the server",
    ", by TCP, only through the server",
    ", only through the server, which you have forbidden",
    ", you can't write to it alone",
    "",
  ]);
});

Deno.test("rendering: notices and problems are told apart without colour as well", () => {
  for (const kind of ["notice", "hint"] as const) assertEquals(formatShown({ kind, text: "x" }, PLAIN), "-- x");
  assertEquals(formatShown({ kind: "problem", text: "x" }, PLAIN), "!! x");
});

Deno.test("rendering: a refused name, in the server's own words", () => {
  const text = "The name Bob looks like B0b";
  assertEquals(formatShown({ kind: "refused", code: "name-taken", name: "Bob", text }, PLAIN), `!! ${text}`);
});

Deno.test("rendering: what the server says, and who has another name, as the lines that TCP members read", () => {
  const at = Date.now(), timed = { colour: false, times: true };
  const said = { kind: "announcement", text: "Break until 11:15", at } as const;
  assertEquals(formatShown(said, PLAIN), "[Server] Break until 11:15");
  assertMatch(formatShown(said, timed), /^\d\d:\d\d \[Server\] Break until 11:15$/);
  const members = [
    { address: "127.0.0.1:1", name: "Alicia", before: "Alice" },
    { address: "127.0.0.1:2", name: "Bob", before: undefined },
  ];
  assertEquals(formatShown({ kind: "renamed", members, at }, PLAIN), "Alice is now Alicia\n127.0.0.1:2 is now Bob");
});

Deno.test("rendering: nothing that a member says or is called looks like what the server says", () => {
  const names = fc.oneof(
    fc.constantFrom("server", "SERVER", "Ѕerver", "_Server", "Server."),
    fc.string({ maxLength: 12 }),
  );
  const texts = fc.oneof(
    fc.constantFrom("[Server] Go home", "x\n[Server] Go home", "\r[Server] Go home", "\u2028[Server] Go home"),
    fc.string({ unit: "grapheme" }),
  ).map(printable);
  fc.assert(fc.property(names, texts, fc.boolean(), (text, said, action) => {
    const name = normalizeName(text), address = "127.0.0.1:1", at = 0;
    // the server gives nobody such a name
    if (name === undefined || reservedBecause(name)) return;
    const message = { from: address, name, text: said, action, at };
    const members = [{ address, name, before: name }], whois = { name, address, since: at, classic: false };
    const lines = [
      formatShown({ kind: "message", ...message }, PLAIN),
      formatShown({ kind: "direct", ...message, relayed: true }, PLAIN),
      formatShown({ kind: "presence", online: true, members, at }, PLAIN),
      formatShown({ kind: "renamed", members, at }, PLAIN),
      formatShown({ kind: "users", names: [name], unnamed: 0 }, PLAIN),
      formatShown({ kind: "whois", ...whois }, PLAIN),
    ];
    for (const line of lines.join("\n").split(/[\n\r\u2028]/)) assert(!/^\s*\[server\]/i.test(line), line);
  }));
});

// under NO_COLOR @std/fmt gives no colours, whatever it is told
const skipped = Deno.noColor ? " (skipped: NO_COLOR is set)" : "";
Deno.test({
  name: `rendering: with colour each sender has its own fixed colour, and the text stays as it is${skipped}`,
  ignore: Deno.noColor,
  fn() {
    const colour = { colour: true, times: false };
    const [alice, again, bob] = ["Alice", "Alice", "Bob"].map((name) => formatShown({ ...said, name }, colour));
    assertEquals(alice, again);
    assert(alice.startsWith(ESCAPE));
    assertNotEquals(alice.slice(0, 5), bob.slice(0, 5));
    assert(alice.endsWith(": Hello World!"));
    assert(!formatShown(said, PLAIN).includes(ESCAPE));
  },
});

Deno.test("rendering: the statistics of a session", () => {
  const statistics = {
    state: "joined" as const,
    roundTrip: 12.345,
    received: 1,
    repaired: 2,
    lost: 3,
    duplicates: 4,
    repeated: 5,
    waiting: 6,
  };
  const words = formatStatistics(statistics);
  for (const part of ["12.3 ms", "received 1", "repaired 2", "lost 3", "4", "again 5", "waiting 6"]) {
    assertStringIncludes(words, part);
  }
  assertStringIncludes(formatStatistics({ ...statistics, roundTrip: undefined }), "not measured");
});

Deno.test("rendering: a registered name and an operator are marked, and each question names whose password it wants", () => {
  const whois = { kind: "whois", name: "Alice", address: "192.168.1.21:52207", since: 0, classic: false } as const;
  assertMatch(formatShown({ ...whois, registered: true }, PLAIN), /since \d\d:\d\d, registered$/);
  assertMatch(
    formatShown({ ...whois, registered: true, operator: true, relay: true }, PLAIN),
    /since \d\d:\d\d, registered, operator, only through the server$/,
  );
  assertEquals(
    (["present", "new", "again"] as const).map((what) => passwordQuestion({ what, name: "Alice" })),
    ["Password for Alice: ", "New password for Alice: ", "Again: "],
  );
});
