/** Talking to a server that knows the classic dialect only. */
import { assert, assertEquals } from "@std/assert";
import { ClassicLink } from "../../../client/session/classic_link.ts";

function openLink() {
  const sent: string[] = [];
  const notices: string[] = [];
  const classic = new ClassicLink((packet) => sent.push(packet.type === "MESSAGE" ? packet.text : packet.type));
  const say = (text: string, now: number) => classic.say({ text }, now);
  const wake = (now: number) => {
    for (const event of classic.wake(now)) if (event.type === "notice") notices.push(event.text);
  };
  return { classic, say, wake, sent, notices };
}

Deno.test("classic link: one line at a time, the next when the last has come back", () => {
  const { classic, say, sent } = openLink();
  for (const line of ["one", "two", "three"]) say(line, 0);
  assertEquals([sent, classic.size, classic.onTrial], [["one"], 3, 1]);
  classic.receive("<From 1.2.3.4:5>: somebody else", 10);
  assertEquals([sent, classic.onTrial], [["one"], 0]);
  classic.receive("<From 1.2.3.4:6>: one", 20);
  classic.receive("<From 1.2.3.4:6>: two", 30);
  assertEquals([sent, classic.size], [["one", "two", "three"], 1]);
});

Deno.test("classic link: what somebody else says is not one's own line for ending in the same letters", () => {
  const { classic, say, sent } = openLink();
  for (const line of ["a", "b"]) say(line, 0);
  for (const line of ["<From 1.2.3.4:5>: banana", "banana"]) classic.receive(line, 10);
  assertEquals([sent, classic.size], [["a"], 2]);
  classic.receive("<From 1.2.3.4:6>: a", 20);
  assertEquals([sent, classic.size], [["a", "b"], 1]);
});

Deno.test("classic link: a line that comes back with other blanks at its ends is the same line", () => {
  for (const text of ["one  ", " one", "one"]) {
    for (const line of ["<From 1.2.3.4:6>: one", "<From 1.2.3.4:6>:  one", "<From 1.2.3.4:6> one\n", "bob says one"]) {
      const { classic, say } = openLink();
      say(text, 0);
      classic.receive(line, 20);
      assertEquals(classic.size, 0, line);
    }
  }
});

Deno.test("classic link: a server that does not send it back is told of once, gets the rest, and no second greeting", () => {
  const { classic, say, sent, notices, wake } = openLink();
  classic.receive("<From 1.2.3.4:5>: hello", 0);
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
  const { classic, say, sent, wake } = openLink();
  classic.receive("<From 1.2.3.4:5>: hello", 0);
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
  const { classic, say, sent, notices, wake } = openLink();
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
  const { classic, say, sent, wake } = openLink();
  for (const line of ["one", "two", "three"]) say(line, 0);
  wake(1000);
  assertEquals(sent, ["one", "two", "three"]);
  classic.receive("<From 1.2.3.4:6>: two", 5000);
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

Deno.test("classic link: a line that a classic server may have got is not given back", () => {
  const { classic, say } = openLink();
  classic.receive("<From 1.2.3.4:5>: hello", 0);
  for (const line of ["one", "two"]) say(line, 0);
  assertEquals(classic.clear(), [{ text: "two" }]);
});
