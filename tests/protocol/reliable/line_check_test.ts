/** The digest in WELCOME: forged events are found whose true copies were lost, and an honest room costs nothing. */
import { assertEquals } from "@std/assert";
import type { Place } from "../../../protocol/reliable/event_place.ts";
import { LineCheck } from "../../../protocol/reliable/line_check.ts";
import { sha256Hex128 } from "../../../runtime/sha256.ts";
import { digestBefore } from "../../../protocol/reliable/line_digest.ts";
import { FakeLine, FakeScreen } from "../../support/fake_screen.ts";
import { EPOCH, incoming } from "../../support/fake_session.ts";

const LINE = new FakeLine(3010);

/** Lets true events come. */
function take(screen: FakeScreen, from: number, to: number, now: number, isVouched = false, line = LINE): void {
  for (let seq = from; seq <= to; seq++) screen.take(line.event(seq), now, isVouched);
}

function welcome(screen: FakeScreen, seq: number, askedAt: number, line = LINE): void {
  screen.confirm(seq, askedAt, line.digest(seq));
}

Deno.test("line check: a forged event is found whose true copy was lost, and the true one is shown", () => {
  const screen = new FakeScreen();
  take(screen, 1, 1, 10);
  screen.take(incoming(2, { text: "forged" }), 11);
  take(screen, 3, 3, 12);
  assertEquals(screen.feed.backlog, 0, "nobody disputes it");
  welcome(screen, 3, 20);
  assertEquals(screen.requests(100), [[1, 3]]);
  take(screen, 1, 3, 101, true);
  assertEquals([screen.believed, screen.reports, screen.feed.backlog], [["1", "3", "2"], 1, 0]);
});

Deno.test("line check: a forged event that fills a gap before the answer to a RESEND is found", () => {
  const screen = new FakeScreen();
  welcome(screen, 2, 10);
  take(screen, 1, 1, 20);
  screen.take(incoming(2, { text: "forged" }), 21);
  assertEquals(screen.requests(100), [[1, 2]]);
  take(screen, 1, 2, 101, true);
  assertEquals([screen.believed, screen.reports], [["1", "2"], 1]);
});

Deno.test("line check: each of the 128 bits of a digest counts", () => {
  const digits = LINE.digest(1).split("");
  assertEquals(digits.length, 32);
  for (const i of digits.keys()) {
    const screen = new FakeScreen();
    take(screen, 1, 1, 10);
    screen.confirm(1, 20, digits.with(i, digits[i] === "0" ? "1" : "0").join(""));
    assertEquals(screen.requests(100), [[1, 1]]);
  }
});

Deno.test("line check: what the digest has confirmed is not asked for, and nobody can dispute it any more", () => {
  const screen = new FakeScreen();
  take(screen, 1, 3, 10);
  screen.take(incoming(2, { text: "forged" }), 11);
  assertEquals(screen.feed.backlog, 1);
  welcome(screen, 3, 20);
  assertEquals([screen.feed.backlog, screen.reports], [0, 1], "the digest has decided");
  screen.take(incoming(3, { text: "forged" }), 30);
  assertEquals([screen.feed.backlog, screen.believed], [0, ["1", "2", "3"]]);
});

Deno.test("line check: while the server is asked about a disputed event, no others are asked for", () => {
  const screen = new FakeScreen();
  take(screen, 1, 1, 10);
  screen.take(incoming(2, { text: "forged" }), 10);
  take(screen, 2, 3, 11);
  welcome(screen, 3, 20);
  assertEquals(screen.requests(100), [[2, 2]]);
  take(screen, 2, 2, 101, true);
  assertEquals([screen.believed, screen.feed.backlog], [["1", "3", "2"], 0]);
  screen.take(incoming(3, { text: "forged" }), 110);
  assertEquals(screen.feed.backlog, 0, "and the digest has decided about the others");
});

Deno.test("line check: so it is where the disputed event is the first or the last that is compared", () => {
  for (const disputed of [1, 3]) {
    const screen = new FakeScreen();
    for (let seq = 1; seq <= 3; seq++) {
      if (seq === disputed) screen.take(incoming(seq, { text: "forged" }), 10);
      take(screen, seq, seq, 11);
    }
    welcome(screen, 3, 20);
    assertEquals(screen.requests(100), [[disputed, disputed]]);
  }
});

Deno.test("line check: when one of two forged events was disputed, the other one is found too", () => {
  const screen = new FakeScreen();
  screen.take(incoming(1, { text: "forged, and the true one is lost" }), 10);
  screen.take(incoming(2, { text: "forged" }), 10);
  take(screen, 2, 3, 11);
  welcome(screen, 3, 20);
  assertEquals(screen.requests(100), [[2, 2]]);
  take(screen, 2, 2, 101, true);
  assertEquals(screen.requests(1000), [[1, 3]]);
  take(screen, 1, 1, 1001, true);
  take(screen, 3, 3, 1001, true);
  assertEquals([screen.believed.toSorted(), screen.feed.backlog], [["1", "2", "3"], 0]);
});

Deno.test("line check: a server that comes back with the same epoch and another digest accuses nobody", () => {
  const screen = new FakeScreen();
  take(screen, 1, 3, 10);
  welcome(screen, 3, 20);
  const after = new FakeLine(20, "0123456789abcdef".repeat(2));
  take(screen, 4, 5, 30);
  welcome(screen, 5, 40, after);
  assertEquals(screen.requests(100), [[4, 5]]);
  take(screen, 4, 5, 101, true);
  assertEquals([screen.reports, screen.feed.backlog, screen.believed.length], [0, 0, 5]);
  // it goes on from the new digest
  take(screen, 6, 6, 110);
  welcome(screen, 6, 120, after);
  assertEquals(screen.feed.backlog, 0);
  screen.take(incoming(7, { text: "forged" }), 130);
  welcome(screen, 7, 140, after);
  assertEquals(screen.requests(1000), [[7, 7]]);
  // the same without a new event in between
  const again = new FakeLine(20, "00000000000000aa".repeat(2));
  take(screen, 7, 7, 1001, true);
  welcome(screen, 7, 1010, again);
  take(screen, 8, 8, 1020);
  welcome(screen, 8, 1030, again);
  assertEquals([screen.feed.backlog, screen.reports], [0, 1]);
});

Deno.test("line check: a newcomer begins with the first digest, and what is late or old changes nothing", () => {
  const screen = new FakeScreen(5);
  welcome(screen, 5, 10);
  take(screen, 6, 8, 20);
  welcome(screen, 8, 30);
  welcome(screen, 6, 25);
  welcome(screen, 8, 31);
  assertEquals(screen.feed.backlog, 0);
  screen.take(incoming(9, { text: "forged" }), 40);
  welcome(screen, 9, 50);
  assertEquals(screen.requests(100), [[9, 9]]);
});

Deno.test("line check: a newcomer that gets no digest at first accuses nobody by the first that comes", () => {
  const screen = new FakeScreen(5);
  screen.confirm(5, 10);
  take(screen, 6, 8, 20);
  welcome(screen, 8, 30);
  assertEquals(screen.feed.backlog, 0);
});

Deno.test("line check: a late digest does not move the comparison back to what can't be computed", () => {
  const screen = new FakeScreen();
  take(screen, 1, 1, 10);
  screen.give(screen.feed.take({ epoch: EPOCH, seq: 2, event: undefined, isVouched: true }, 10));
  welcome(screen, 2, 20);
  welcome(screen, 1, 15);
  screen.take(incoming(3, { text: "forged" }), 30);
  welcome(screen, 3, 40);
  assertEquals(screen.requests(100), [[3, 3]]);
});

Deno.test("line check: where it can't be computed it goes on from the next digest", () => {
  const unknown: Record<string, (screen: FakeScreen) => void> = {
    "an own message, of which there is no copy": (screen) => {
      screen.give(screen.feed.take({ epoch: EPOCH, seq: 2, event: undefined, isVouched: true }, 10));
    },
    "an event that is gone": (screen) => screen.gone(2, 2),
    "a notice whose members are gone": (screen) => {
      const notice = { dialect: "v1", type: "ONLINE", epoch: EPOCH, seq: 2, at: 0, members: [] } as const;
      screen.take({ ...notice, members: [] }, 10, true);
    },
  };
  for (const [what, happen] of Object.entries(unknown)) {
    const screen = new FakeScreen();
    take(screen, 1, 1, 10);
    take(screen, 3, 3, 10);
    happen(screen);
    welcome(screen, 3, 20);
    assertEquals([screen.feed.next, screen.feed.backlog, screen.reports], [4, 0, 0], what);
    take(screen, 4, 4, 30);
    screen.take(incoming(5, { text: "forged" }), 30);
    welcome(screen, 5, 40);
    assertEquals(screen.requests(100), [[4, 5]], what);
  }
});

Deno.test("line check: where it can't be computed while somebody forges, the server is asked", () => {
  const screen = new FakeScreen();
  take(screen, 1, 1, 10);
  screen.take(incoming(1, { text: "caught" }), 11);
  screen.give(screen.feed.take({ epoch: EPOCH, seq: 2, event: undefined, isVouched: true }, 12));
  screen.take(incoming(3, { text: "forged" }), 13);
  welcome(screen, 3, 20);
  assertEquals(screen.requests(100), [[1, 3]]);
});

Deno.test("line check: nobody but the server leaves out the members of a notice", () => {
  const screen = new FakeScreen();
  screen.take({ dialect: "v1", type: "ONLINE", epoch: EPOCH, seq: 1, at: 0, members: [] }, 10);
  welcome(screen, 1, 20);
  assertEquals(screen.requests(100), [[1, 1]]);
});

Deno.test("line check: a line that always lags is compared too", () => {
  const screen = new FakeScreen();
  screen.take(incoming(1, { text: "forged" }), 10);
  take(screen, 3, 3, 10);
  for (let seq = 3; seq <= 10; seq++) welcome(screen, seq, 10 * seq);
  take(screen, 2, 2, 110);
  assertEquals(screen.requests(1000), [[4, 10], [1, 3]]);
});

Deno.test("line check: what was forged before the line of a new epoch was fetched is found", () => {
  const screen = new FakeScreen();
  take(screen, 1, 3, 10);
  screen.beginAnew();
  const epoch = "00000000000000ee";
  const anew = new FakeLine(2, digestBefore(epoch), () => ({ epoch, text: "anew" }));
  const arrive = (seq: number, text: string, isVouched: boolean) =>
    screen.give(screen.feed.take({ epoch, seq, event: incoming(seq, { epoch, text }), isVouched }, 20));
  arrive(1, "forged", false);
  screen.give(screen.feed.confirmLatest({ epoch, seq: 2, digest: anew.digest(2) }, 15, 30));
  arrive(2, "anew", true);
  assertEquals(screen.requests(1000), [[1, 1]]);
});

Deno.test("line check: a digest of the epoch before is not compared with the line of the new one", () => {
  const screen = new FakeScreen(), epoch = "00000000000000ee";
  welcome(screen, 3, 10);
  screen.beginAnew();
  for (let seq = 1; seq <= 4; seq++) {
    screen.give(screen.feed.take({ epoch, seq, event: incoming(seq, { epoch }), isVouched: false }, 20));
  }
  assertEquals(screen.feed.backlog, 0);
});

Deno.test("line check: a difference is not computed again for each event while the server is asked about one", () => {
  let hashed = 0;
  const check = new LineCheck((text) => {
    hashed++;
    return sha256Hex128(text);
  });
  const places = (length: number, first = "1"): Map<number, Place> =>
    new Map(Array.from({ length }, (_, i) => {
      const event = i === 0 ? incoming(1, { text: first }) : LINE.event(i + 1);
      return [i + 1, { event, at: 0, isVouched: false }];
    }));
  check.begin(EPOCH, 0);
  check.note({ seq: 3, digest: LINE.digest(3) });
  const forged = places(3, "forged");
  for (let next = 4; next < 100; next++) assertEquals(check.compare(next, forged, [1]), undefined);
  assertEquals(hashed, 3);
  assertEquals(
    check.compare(100, places(3), []),
    { from: 1, to: 3, isTrue: true },
    "it is when the server has decided",
  );
  // nor does the dispute of one epoch keep the next from being compared
  check.note({ seq: 5, digest: LINE.digest(5) });
  check.compare(100, places(5, "forged").set(4, forged.get(1)!), [4]);
  check.begin(EPOCH, 0);
  check.note({ seq: 3, digest: LINE.digest(3) });
  assertEquals(check.compare(4, places(3), [1])?.isTrue, true);
});

Deno.test("line check: without a hash nothing is compared", () => {
  const check = new LineCheck(undefined);
  check.begin(EPOCH, 0);
  check.note({ seq: 1, digest: "0123456789abcdef" });
  assertEquals(check.compare(2, new Map([[1, { event: LINE.event(1), at: 0, isVouched: false }]]), []), undefined);
});

Deno.test("line check: what was delivered before so much else that it is forgotten is not compared", () => {
  const screen = new FakeScreen();
  take(screen, 1, 2000, 10);
  take(screen, 2001, 3000, 30, true);
  welcome(screen, 3000, 40);
  assertEquals([screen.feed.backlog, screen.reports, screen.believed.length], [0, 0, 3000]);
  screen.take(incoming(3001, { text: "forged" }), 50);
  welcome(screen, 3001, 60);
  assertEquals(screen.requests(1000), [[3001, 3001]], "but what comes next is");
});

Deno.test("line check: without a digest nothing is asked for", () => {
  const screen = new FakeScreen();
  take(screen, 1, 1, 10);
  screen.take(incoming(2, { text: "forged" }), 10);
  screen.confirm(2, 20);
  assertEquals(screen.feed.backlog, 0);
});
