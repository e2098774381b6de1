/** Forged events: nobody makes a client deaf, and the true line is shown whole, whatever others send in between. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MAX_LEAD } from "../../../protocol/reliable/latest_seq.ts";
import { FakeLine, FakeScreen } from "../../support/fake_screen.ts";
import { EPOCH, incoming } from "../../support/fake_session.ts";

const BOB_STREAM = "00000000000000bb";

Deno.test("forgery: an event for a place that is still empty is found out by the next answer of the server", () => {
  const screen = new FakeScreen(5);
  screen.take(incoming(6, { text: "forged" }), 10);
  screen.take(incoming(7, { text: "forged too" }), 10);
  screen.confirm(5, 20);
  assertEquals([screen.believed, screen.reports, screen.feed.next, screen.feed.backlog], [[], 1, 6, 0]);
  screen.take(incoming(6, { text: "true" }), 30);
  assertEquals(screen.believed, ["true"]);
});

Deno.test("forgery: what came after the question was asked is not touched by the answer", () => {
  const screen = new FakeScreen(5);
  screen.take(incoming(6, { text: "just said" }), 25);
  screen.confirm(5, 20);
  assertEquals([screen.believed, screen.reports, screen.feed.next], [["just said"], 0, 7]);
});

Deno.test("forgery: where two events claim one place the server is asked, and its answer is shown late", () => {
  const screen = new FakeScreen();
  screen.take(incoming(1, { text: "forged" }), 10);
  screen.take(incoming(1, { text: "true" }), 11);
  screen.take(incoming(2, { text: "next" }), 12);
  assertEquals(screen.believed, ["forged", "next"]);
  assertEquals(screen.requests(100), [[1, 1]]);
  screen.take(incoming(1, { text: "true" }), 101, true);
  assertEquals([screen.believed, screen.reports, screen.feed.backlog], [["next", "true"], 1, 0]);
  screen.take(incoming(1, { text: "forged" }), 102);
  assertEquals([screen.believed, screen.feed.backlog], [["next", "true"], 0], "the server has decided");
});

Deno.test("forgery: a true event that somebody disputes stays, and the user is told that somebody forges", () => {
  const screen = new FakeScreen();
  screen.take(incoming(1, { text: "true" }), 10);
  screen.take(incoming(1, { text: "forged" }), 11);
  screen.take(incoming(1, { text: "true" }), 100, true);
  assertEquals([screen.printed, screen.reports], [["true"], 1]);
});

Deno.test("forgery: a disputed event that is not shown yet waits for the server", () => {
  const screen = new FakeScreen();
  screen.take(incoming(2, { text: "forged" }), 10);
  screen.take(incoming(2, { text: "true" }), 11);
  screen.take(incoming(1, { text: "first" }), 12);
  assertEquals(screen.printed, ["first"]);
  assertEquals(screen.requests(100), [[2, 2]]);
  screen.take(incoming(2, { text: "true" }), 101, true);
  assertEquals([screen.printed, screen.reports], [["first", "true"], 1]);
});

Deno.test("forgery: a forged copy of another's next message does not take that message away", () => {
  for (const isConfirmedFirst of [true, false]) {
    const screen = new FakeScreen();
    const said = { stream: BOB_STREAM, id: 7 };
    screen.take(incoming(1, { ...said, text: "forged" }), 10);
    if (isConfirmedFirst) screen.confirm(0, 11);
    screen.take(incoming(1, { text: "Carol" }), 12);
    // it has the stream and id of what was shown already
    screen.take(incoming(2, { ...said, text: "Bob" }), 13);
    if (!isConfirmedFirst) screen.take(incoming(1, { text: "Carol" }), 14, true);
    assertEquals([...screen.believed].sort(), ["Bob", "Carol"], `confirmed first: ${isConfirmedFirst}`);
  }
});

Deno.test("forgery: claims far ahead are not believed, and nearer ones make the client ask soon", () => {
  const screen = new FakeScreen();
  const { feed } = screen;
  for (const seq of [MAX_LEAD + 1, 2 ** 53 - 1]) {
    feed.noteLatest({ epoch: EPOCH, seq, isVouched: false }, 0);
    screen.take(incoming(seq), 0);
  }
  assertEquals([feed.backlog, feed.isDoubtful], [0, false]);
  feed.noteLatest({ epoch: EPOCH, seq: MAX_LEAD, isVouched: false }, 0);
  assertEquals([feed.backlog, feed.isDoubtful], [MAX_LEAD, true]);
  screen.confirm(3, 10);
  assertEquals([feed.backlog, feed.isDoubtful], [3, false]);
});

Deno.test("forgery: a bare notice, of which the server has forgotten the members, contradicts no notice", () => {
  const screen = new FakeScreen();
  const notice = {
    dialect: "v1",
    type: "ONLINE",
    epoch: EPOCH,
    seq: 1,
    at: 5,
    members: [{ address: "10.0.0.1:1" }],
  } as const;
  screen.take({ ...notice, members: [...notice.members] }, 10);
  screen.take({ ...notice, at: 0, members: [] }, 20, true);
  assertEquals([screen.printed, screen.reports], [["ONLINE"], 0]);
  screen.take(incoming(2, { text: "forged" }), 30);
  screen.take({ ...notice, seq: 2, at: 0, members: [] }, 40, true);
  assertEquals(screen.reports, 1, "but a message is no notice");
});

Deno.test("forgery: a notice that comes late, behind what the server has left of it, is no sign of a forgery", () => {
  const screen = new FakeScreen();
  const notice = { dialect: "v1", type: "ONLINE", epoch: EPOCH, seq: 1 } as const;
  screen.take({ ...notice, at: 0, members: [] }, 10, true);
  screen.take({ ...notice, at: 5, members: [{ address: "10.0.0.1:1" }] }, 20);
  for (let seq = 2; seq <= 1000; seq++) screen.take(incoming(seq), 30);
  assertEquals([screen.feed.next, screen.reports, screen.feed.backlog], [1001, 0, 0], "no alert limits what is taken");
  screen.take(incoming(1, { text: "forged" }), 40);
  for (let seq = 1001; seq <= 2000; seq++) screen.take(incoming(seq), 50);
  assertEquals(screen.feed.next, 1201, "but a message is no notice");
});

Deno.test("forgery: what came after the question still counts for the end of the line", () => {
  const screen = new FakeScreen(5);
  screen.latest(50, 10);
  screen.take(incoming(8), 25);
  screen.confirm(5, 20);
  assertEquals(screen.feed.backlog, 3);
  const other = new FakeScreen(5);
  other.latest(7, 25);
  other.confirm(5, 20);
  assertEquals(other.feed.backlog, 2);
});

Deno.test("forgery: a dispute is asked about although the server has not confirmed the end of the line yet", () => {
  const screen = new FakeScreen(5);
  screen.latest(8, 10);
  for (const seq of [6, 7, 8]) screen.take(incoming(seq), 25);
  screen.confirm(5, 20);
  screen.take(incoming(7, { text: "forged" }), 30);
  assertEquals([screen.feed.backlog, screen.requests(100)], [1, [[7, 7]]]);
});

Deno.test("forgery: an event that leads too far is not even held", () => {
  const screen = new FakeScreen();
  for (let seq = 1; seq <= 10; seq++) screen.take(incoming(seq), 10);
  screen.take(incoming(MAX_LEAD + 5, { text: "forged" }), 10);
  screen.take(incoming(MAX_LEAD + 5), 20, true);
  assertEquals(screen.reports, 0);
});

Deno.test("forgery: of a disputed place that is gone nothing is shown", () => {
  const screen = new FakeScreen();
  screen.take(incoming(2, { text: "one" }), 10);
  screen.take(incoming(2, { text: "another" }), 11);
  screen.gone(1, 2);
  assertEquals([screen.printed, screen.feed.next, screen.feed.backlog], [["missed 2"], 3, 0]);
});

Deno.test("forgery: a GONE ends only the disputes in its range, its ends included", () => {
  const screen = new FakeScreen();
  for (let seq = 1; seq <= 5; seq++) {
    screen.take(incoming(seq), 10);
    screen.take(incoming(seq, { text: "forged" }), 11);
  }
  assertEquals(screen.feed.backlog, 5);
  screen.gone(2, 4);
  assertEquals(screen.requests(100), [[1, 5]], "one request for two that are near each other");
  assertEquals(screen.feed.backlog, 2);
});

Deno.test("forgery: a held event that the server replaces is reported, and not shown", () => {
  const screen = new FakeScreen();
  screen.take(incoming(2, { text: "forged" }), 10);
  screen.take(incoming(2), 20, true);
  screen.take(incoming(1), 30);
  assertEquals([screen.printed, screen.reports], [["1", "2"], 1]);
});

Deno.test("forgery: hundreds of forged lines are taken back, and no more", () => {
  const screen = new FakeScreen();
  for (let seq = 1; seq <= 1500; seq++) screen.take(incoming(seq), 10);
  screen.confirm(100, 20);
  assertEquals([screen.believed.length, screen.feed.next], [100, 101]);
});

Deno.test("forgery: when the server begins anew, claims are not counted as missed, and disputed words not shown", () => {
  const screen = new FakeScreen();
  screen.take(incoming(1, { text: "one" }), 10);
  screen.take(incoming(1, { text: "another" }), 11);
  screen.take(incoming(3, { text: "three" }), 10);
  screen.take(incoming(3, { text: "another" }), 11);
  screen.latest(50, 12);
  screen.beginAnew();
  assertEquals([screen.printed, screen.feed.backlog, screen.feed.lost], [["one"], 0, 0]);
});

Deno.test("forgery: when the server begins anew, the user is told of many unchecked lines, of a late or a disputed one", () => {
  const begin = (length: number, at: number, silentSince: number, happen = (_screen: FakeScreen) => {}) => {
    const screen = new FakeScreen();
    for (let seq = 1; seq <= length; seq++) screen.take(incoming(seq), at);
    happen(screen);
    screen.give(screen.feed.begin("00000000000000ee", 0, 9000, silentSince));
    return screen.unchecked.length;
  };
  assertEquals([begin(10, 100, 50), begin(11, 100, 50)], [0, 11]);
  assertEquals([begin(1, 1050, 50), begin(1, 1051, 50)], [0, 1]);
  const confirm = (screen: FakeScreen) => screen.confirm(20, 1100);
  assertEquals(begin(20, 1051, 50, confirm), 0, "what a WELCOME has covered was compared, if it can be");
  const dispute = (screen: FakeScreen) => screen.take(incoming(7, { text: "other" }), 1101);
  assertEquals(begin(20, 1051, 50, (screen) => (confirm(screen), dispute(screen))), 1);
  const vouch = (screen: FakeScreen) => screen.take(incoming(7), 1101, true);
  assertEquals([begin(11, 100, 50, vouch), begin(12, 1100, 50, vouch)], [0, 5]);
});

Deno.test("forgery: when a busy room begins anew, as many unchecked lines as before are nothing to tell of", () => {
  const begin = (unchecked: number) => {
    const screen = new FakeScreen();
    // 50 lines a second for two seconds, which the server has vouched for, and then others for one second
    for (let seq = 1; seq <= 100; seq++) screen.take(incoming(seq), 20 * seq);
    screen.confirm(100, 2000);
    for (let i = 1; i <= unchecked; i++) screen.take(incoming(100 + i), 2001);
    screen.give(screen.feed.begin("00000000000000ee", 0, 9000, 3001));
    return screen.unchecked.length;
  };
  assertEquals([begin(111), begin(112)], [0, 112]);
});

Deno.test("forgery: what was forged for a place behind a gap hides no true line when the server begins anew", () => {
  const screen = new FakeScreen();
  const bob = { stream: BOB_STREAM, id: 7 };
  screen.take(incoming(3, { ...bob, text: "forged" }), 10);
  screen.latest(3, 10);
  screen.take(incoming(4), 20, true);
  const epoch = "00000000000000ee";
  screen.give(screen.feed.begin(epoch, 0, 100));
  assertEquals(screen.printed.filter((text) => !text.startsWith("missed")), ["4"]);
  screen.give(
    screen.feed.take({ epoch, seq: 1, event: incoming(1, { ...bob, epoch, text: "true" }), isVouched: false }, 200),
  );
  assertEquals(screen.printed.at(-1), "true");
});

Deno.test("forgery: two events differ in whatever they say", () => {
  for (
    const change of [{ action: true }, { from: "10.0.0.9:9" }, { name: "Bob" }, { at: 7 }, { text: "x" }, { id: 3 }]
  ) {
    const screen = new FakeScreen();
    screen.take(incoming(1), 10);
    screen.take(incoming(1, change), 11);
    assertEquals(screen.requests(100), [[1, 1]], JSON.stringify(change));
  }
});

Deno.test("forgery: what was shown behind a forged line and was forged too is taken back, however it is found", () => {
  for (const how of ["the server's answer", "a later WELCOME"]) {
    const screen = new FakeScreen();
    screen.take(incoming(1, { text: "forged 1" }), 10);
    screen.take(incoming(2, { text: "forged 2" }), 25);
    screen.confirm(0, 20);
    assertEquals(screen.believed, ["forged 2"], how);
    if (how === "a later WELCOME") screen.confirm(1, 30);
    screen.take(incoming(2), 40, true);
    screen.take(incoming(1), 40, true);
    assertEquals([screen.believed, screen.reports], [["1", "2"], 2], how);
  }
});

Deno.test("forgery: what was shown behind a forged line is not shown twice", () => {
  const screen = new FakeScreen();
  screen.take(incoming(1, { text: "forged" }), 10);
  screen.take(incoming(2), 25);
  screen.confirm(0, 20);
  screen.take(incoming(1), 30);
  assertEquals(screen.printed, ["forged", "2", "1"]);
  assertEquals(screen.feed.next, 3);
});

Deno.test("forgery: the copies that are remembered are bounded", () => {
  const screen = new FakeScreen();
  for (let seq = 1; seq <= 20_000; seq++) {
    screen.take(incoming(seq), seq, true);
    screen.take(incoming(seq, { text: "forged" }), seq);
  }
  assertEquals([screen.printed.length, screen.feed.backlog], [20_000, 0]);
});

Deno.test("forgery: whatever is forged, lost and reordered, after one answer of the server the true line is shown whole", () => {
  const LENGTH = 12;
  const step = fc.record({
    what: fc.constantFrom("event", "event", "event", "forge", "forge", "welcome", "wake"),
    seq: fc.integer({ min: 1, max: LENGTH + 3 }),
    id: fc.integer({ min: 1, max: LENGTH }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const screen = new FakeScreen();
      const line = new FakeLine(LENGTH, undefined, (id) => ({ stream: BOB_STREAM, id }));
      let now = 0, said = 0;
      const answer = () => {
        // each request is answered at once
        for (const [from, to] of screen.requests(now)) {
          for (let seq = from; seq <= Math.min(to, said); seq++) screen.take(line.event(seq), now, true);
        }
      };
      for (const { what, seq, id } of steps) {
        now += 1000;
        if (what === "event") {
          said = Math.max(said, Math.min(seq, LENGTH));
          if (seq <= said) screen.take(line.event(seq), now);
        } else if (what === "forge") {
          screen.take(incoming(seq, { text: `forged ${now}`, stream: BOB_STREAM, id }), now);
        } else if (what === "welcome") screen.confirm(said, now, line.digest(said));
        else answer();
      }
      now += 1000;
      screen.confirm(said, now, line.digest(said));
      for (let i = 0; i < 40; i++) {
        now += 1000;
        answer();
      }
      const all = Array.from({ length: said }, (_, i) => `${i + 1}`);
      assertEquals([...screen.believed].sort(), [...all].sort(), "each true line once, and no other");
      assert(screen.feed.backlog === 0 && screen.feed.next === said + 1);
    }),
    { numRuns: 2000 },
  );
});
