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
  const receive = (line: string, now: number, isBeside = false) => classic.receive({ line, isBeside }, now);
  if (isSettled) classic.settle(0);
  return { classic, say, wake, receive, sent, notices };
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

Deno.test("classic link: a server that has sent lines back and misses one is greeted again, at most once in 30 s", () => {
  const { classic, say, receive, sent, wake } = openLink();
  const greetings = () => sent.filter((line) => line === "GREETING").length;
  say("one", 0);
  receive("<From 1.2.3.4:5>: one", 10);
  say("two", 1000);
  wake(2000);
  assertEquals(sent, ["one", "two", "GREETING"]);
  // still nothing comes back: the server may be started only now
  for (let at = 3000; at < 63_000; at += 1000) {
    say("more", at);
    while ((classic.nextWake ?? Infinity) < at + 1000) wake(classic.nextWake!);
  }
  assertEquals([greetings(), sent.indexOf("GREETING", 3) > 25], [3, true]);
  // one that is back is not greeted
  say("more", 62_500);
  receive("<From 1.2.3.4:5>: more", 63_000);
  for (let at = 100_000; at < 110_000; at += 1000) {
    say("again", at);
    receive("<From 1.2.3.4:5>: again", at + 10);
    wake(at + 500);
  }
  assertEquals([greetings(), classic.nextWake !== undefined && classic.nextWake > 110_000], [3, false]);
});

Deno.test("classic link: a server that never sends lines back is not greeted again", () => {
  const { classic, say, receive, sent, wake } = openLink();
  for (let at = 0; at < 100_000; at += 1000) {
    say("more", at);
    receive("<From 1.2.3.4:5>: somebody else", at);
    while ((classic.nextWake ?? Infinity) < at + 1000) wake(classic.nextWake!);
  }
  assertEquals(sent.filter((line) => line === "GREETING"), []);
});
