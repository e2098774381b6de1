/** Talking to a server that knows the classic dialect only. */
import { assert, assertEquals } from "@std/assert";
import { ClassicLink } from "../../../client/session/classic_link.ts";

/** A link to a server that is taken for a classic one already, or is not yet. */
function openLink({ isSettled = true } = {}) {
  const sent: string[] = [];
  const notices: string[] = [];
  const classic = new ClassicLink((packet) => sent.push(packet.type === "MESSAGE" ? packet.text : packet.type));
  const say = (text: string, now: number) => classic.say({ text }, now);
  const wake = (now: number) => {
    for (const event of classic.wake(now)) if (event.type === "notice") notices.push(event.text);
  };
  const wakeUntil = (end: number) => {
    while ((classic.nextWake ?? Infinity) <= end) wake(classic.nextWake!);
  };
  const receive = (line: string, now: number, isBeside = false) => {
    for (const event of classic.receive({ line, isBeside }, now)) if (event.type === "notice") notices.push(event.text);
  };
  if (isSettled) classic.settle(0);
  return { classic, say, wake, wakeUntil, receive, sent, notices };
}

Deno.test("classic link: one line at a time, the next when the last has come back", () => {
  const { classic, say, receive, sent } = openLink({ isSettled: false });
  for (const line of ["one", "two", "three"]) say(line, 0);
  assertEquals([sent, classic.size, classic.onTrial], [["one"], 3, 1]);
  classic.settle(0);
  receive("<From 1.2.3.4:5>: somebody else", 10);
  assertEquals([sent, classic.onTrial], [["one"], 0]);
  receive("<From 1.2.3.4:6>: one", 20);
  receive("<From 1.2.3.4:6>: two", 30);
  assertEquals([sent, classic.size], [["one", "two", "three"], 1]);
});

Deno.test("classic link: what somebody else says is not one's own line for ending in the same letters", () => {
  const { classic, say, receive, sent } = openLink();
  for (const line of ["a", "b"]) say(line, 0);
  for (const line of ["<From 1.2.3.4:5>: banana", "banana"]) receive(line, 10);
  assertEquals([sent, classic.size], [["a"], 2]);
  receive("<From 1.2.3.4:6>: a", 20);
  assertEquals([sent, classic.size], [["a", "b"], 1]);
});

Deno.test("classic link: a line that comes back with other blanks at its ends is the same line", () => {
  for (const text of ["one  ", " one", "one"]) {
    for (
      const line of [
        "<From 1.2.3.4:6>: one",
        "<From 1.2.3.4:6>:  one",
        "<From 1.2.3.4:6> one\n",
        "bob says one",
        "<From 1.2.3.4:6>: MESSAGE one",
      ]
    ) {
      const { classic, say, receive } = openLink();
      say(text, 0);
      receive(line, 20);
      assertEquals(classic.size, 0, line);
    }
  }
});

Deno.test("classic link: a server that does not send it back is told of once, gets the rest, and no second greeting", () => {
  const { classic, say, receive, sent, notices, wake } = openLink();
  receive("<From 1.2.3.4:5>: hello", 0);
  for (let i = 1; i <= 50; i++) say(`${i}`, 0);
  assertEquals(sent, ["1"]);
  wake(999);
  assertEquals(sent, ["1"]);
  let wakes = 0;
  for (let at; (at = classic.nextWake) !== undefined; wakes++) {
    assert(wakes < 20);
    wake(at);
  }
  assertEquals(sent, Array.from({ length: 50 }, (_, i) => `${i + 1}`));
  assertEquals([notices.length, classic.size, classic.unconfirmed], [1, 0, 50]);
});

Deno.test("classic link: to a server that sends nothing back, lines go in bursts with pauses between", () => {
  const { say, receive, sent, wake, classic } = openLink();
  receive("<From 1.2.3.4:5>: hello", 0);
  say("0", 0);
  wake(1000);
  sent.length = 0;
  for (let i = 1; i <= 100; i++) say(`${i}`, 2000);
  const bursts = [sent.splice(0).length];
  while (classic.nextWake !== undefined) {
    wake(classic.nextWake);
    bursts.push(sent.splice(0).length);
  }
  assertEquals(bursts.reduce((sum, burst) => sum + burst), 100);
  assert(Math.max(...bursts) <= 20, `${bursts}`);
});

Deno.test("classic link: without any sign of a server each line goes out once, with pauses, and is kept", () => {
  const { classic, say, sent, notices, wake } = openLink({ isSettled: false });
  const lines = Array.from({ length: 100 }, (_, i) => `${i}`);
  for (const line of lines) say(line, 0);
  wake(999);
  assertEquals(sent, ["0"], "if it comes back, the others go one by one");
  const bursts = [sent.length];
  for (let at; (at = classic.nextWake) !== undefined; bursts.push(sent.length - bursts.reduce((a, b) => a + b))) {
    wake(at);
  }
  assert(Math.max(...bursts) <= 20, `${bursts}`);
  say("later", 60_000);
  assertEquals(sent, [...lines, "later"]);
  assertEquals([notices.length, classic.size, classic.onTrial, classic.unsent], [1, 101, 101, 0]);
  assertEquals(classic.clear().map(({ text }) => text), [...lines, "later"]);
  assertEquals([classic.size, classic.nextWake], [0, undefined]);
});

Deno.test("classic link: of the lines on trial those that come back late are confirmed, the others are not", () => {
  const { classic, say, receive, sent, wake } = openLink({ isSettled: false });
  for (const line of ["one", "two", "three"]) say(line, 0);
  wake(1000);
  assertEquals(sent, ["one", "two", "three"]);
  classic.settle(5000);
  receive("<From 1.2.3.4:6>: two", 5000);
  assertEquals([classic.onTrial, classic.size], [0, 2]);
  wake(classic.nextWake!);
  assertEquals([classic.size, classic.unconfirmed], [0, 2]);
  assertEquals(sent.length, 3, "nothing is repeated");
});

Deno.test("classic link: an action is given back as one", () => {
  const { classic, sent } = openLink();
  classic.say({ text: "waves", action: true }, 0);
  assertEquals([sent, classic.clear()], [["* waves"], [{ text: "waves", action: true }]]);
});

Deno.test("classic link: what a server has confirmed no other gets, and what was under way then counts as unconfirmed", () => {
  const { classic, say, receive } = openLink();
  for (const line of ["one", "two", "three"]) say(line, 0);
  receive("<From 1.2.3.4:5>: one", 0);
  assertEquals([classic.clear(), classic.unconfirmed], [[{ text: "three" }], 1]);
});

Deno.test("classic link: until it has confirmed a line, all that was said is given back, whatever others say", () => {
  const { classic, say, receive, wake } = openLink();
  receive("<From 1.2.3.4:5>: hello", 0);
  for (const line of ["one", "two", "three"]) say(line, 0);
  wake(1000);
  assertEquals([classic.size, classic.unconfirmed], [0, 3]);
  say("four", 60_000);
  assertEquals(classic.clear().map(({ text }) => text), ["one", "two", "three", "four"]);
  assertEquals([classic.unconfirmed, classic.clear()], [0, []]);
});

Deno.test("classic link: of the lines without an echo the last thousand are kept", () => {
  const { classic, say, wake } = openLink();
  for (let i = 0; i < 3000; i++) say(`${i}`, 0);
  for (let at; (at = classic.nextWake) !== undefined;) wake(at);
  assertEquals(classic.unconfirmed, 3000);
  assertEquals(classic.clear().map(({ text }) => text), Array.from({ length: 1000 }, (_, i) => `${2000 + i}`));
});

Deno.test("classic link: an echo from another port lets the next line go, and confirms nothing", () => {
  const { classic, say, receive, sent } = openLink();
  for (const line of ["one", "two"]) say(line, 0);
  receive("<From 1.2.3.4:5>: one", 10, true);
  assertEquals([sent, classic.hasConfirmed, classic.unconfirmed], [["one", "two"], false, 1]);
  // some servers send from both
  receive("<From 1.2.3.4:5>: one", 10);
  receive("<From 1.2.3.4:5>: two", 20);
  assertEquals([classic.hasConfirmed, classic.unconfirmed, classic.size], [true, 0, 0]);
});

Deno.test("classic link: an echo that is a little late confirms its line, and a much later one is somebody else's", () => {
  for (const [after, unconfirmed] of [[3000, 0], [60_000, 1]]) {
    const { classic, say, receive, wake } = openLink();
    say("one", 0);
    wake(1000);
    assertEquals(classic.unconfirmed, 1);
    receive("<From 1.2.3.4:5>: one", after);
    assertEquals(classic.unconfirmed, unconfirmed, `after ${after} ms`);
  }
});

/** A server that sends lines back until it is started anew: it forgets whom it knows, and hears nothing while it is down. */
function openRestarting({ down, up }: { down: number; up: number }) {
  const link = openLink();
  const greetedAt: number[] = [];
  let read = 0;
  let isKnown = true;
  /** Says a line, which the server sends back at once if it knows this client, and waits for the next. */
  const say = (text: string, at: number, pause: number) => {
    link.say(text, at);
    for (let now = at; now <= at + pause; now += 100) {
      link.wakeUntil(now);
      if (now >= down && now < up) isKnown = false;
      for (const word of link.sent.slice(read)) {
        if (word === "GREETING") greetedAt.push(now);
        if (now >= down && now < up) continue;
        if (word === "GREETING") isKnown = true;
        else if (isKnown) link.receive(`<From 1.2.3.4:5>: ${word}`, now);
      }
      read = link.sent.length;
    }
  };
  return { ...link, say, greetedAt };
}

Deno.test("classic link: a server that was started anew is greeted after two lines in a row, also when that is lost", () => {
  const { say, classic, greetedAt, notices } = openRestarting({ down: 1000, up: 4000 });
  for (let at = 0; at < 20_000; at += 1000) say(`${at}`, at, 900);
  // the first greeting went to a server that was down
  assertEquals(greetedAt, [3000, 6000]);
  assertEquals([classic.confirmed, classic.unconfirmed], [14, 6]);
  assertEquals(notices.map((text) => text.split(":")[0]), [
    "The server no longer sends back what you say",
    "The server sends lines back again",
  ]);
  // the longer it is down, the less often it is greeted
  const again = openRestarting({ down: 1000, up: 100_000 });
  for (let at = 0; at < 120_000; at += 1000) again.say(`${at}`, at, 900);
  assertEquals(again.greetedAt, [3000, 6000, 12_000, 24_000, 54_000, 84_000, 114_000]);
  assertEquals(again.classic.confirmed, 6);
});

Deno.test("classic link: a line that is lost makes no greeting, nor does one that was sent before the last", () => {
  const { classic, say, receive, sent, wakeUntil } = openLink();
  for (let at = 0; at < 100_000; at += 1000) {
    say(`${at}`, at);
    wakeUntil(at);
    if (at % 8000 !== 7000) receive(`<From 1.2.3.4:5>: ${at}`, at + 10);
    wakeUntil(at + 999);
  }
  assertEquals(sent.includes("GREETING"), false);
  assertEquals(classic.unconfirmed, 12);
  // two at once are missed: one greeting, and none for what was said before it
  for (const line of ["a", "b", "c", "d"]) say(line, 100_000);
  wakeUntil(200_000);
  say("e", 200_000);
  wakeUntil(300_000);
  assertEquals(sent.slice(100), ["a", "b", "c", "d", "GREETING", "e"]);
});

Deno.test("classic link: after a line that came back the pause between greetings is the first again", () => {
  const { say, receive, sent, wakeUntil } = openLink();
  const greetings = () => sent.filter((line) => line === "GREETING").length;
  say("one", 0);
  receive("<From 1.2.3.4:5>: one", 10);
  for (let at = 1000; at < 60_000; at += 1000) {
    say(`${at}`, at);
    wakeUntil(at + 999);
  }
  // at 3, 6, 12, 24 and 54 s
  assertEquals(greetings(), 5);
  receive("<From 1.2.3.4:5>: 59000", 60_000);
  for (const at of [60_000, 61_000, 62_000]) {
    say(`${at}`, at);
    wakeUntil(at + 999);
  }
  assertEquals(greetings(), 6);
});

Deno.test("classic link: a server that never sends lines back is not greeted again", () => {
  const { say, receive, sent, wakeUntil, notices } = openLink();
  for (let at = 0; at < 100_000; at += 1000) {
    say("more", at);
    receive("<From 1.2.3.4:5>: somebody else", at);
    wakeUntil(at + 999);
  }
  assertEquals(sent.filter((line) => line === "GREETING"), []);
  assertEquals(notices, ["The server has not sent that line back: it is lost, or this server never does so"]);
});
