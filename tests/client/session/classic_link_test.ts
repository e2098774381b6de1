/** Talking to a server that knows the classic dialect only. */
import { assert, assertEquals } from "@std/assert";
import { ClassicLink } from "../../../client/session/classic_link.ts";

function openLink() {
  const sent: string[] = [];
  const notices: string[] = [];
  const classic = new ClassicLink((packet) => sent.push(packet.type === "MESSAGE" ? packet.text : packet.type));
  const wake = (now: number) => {
    for (const event of classic.wake(now)) if (event.type === "notice") notices.push(event.text);
  };
  return { classic, wake, sent, notices };
}

Deno.test("classic link: one line at a time, the next when the last has come back", () => {
  const { classic, sent } = openLink();
  for (const line of ["one", "two", "three"]) classic.say(line, 0);
  assertEquals([sent, classic.size, classic.probing], [["one"], 3, true]);
  classic.receive("<From 1.2.3.4:5>: somebody else", 10);
  assertEquals([sent, classic.probing], [["one"], false]);
  classic.receive("<From 1.2.3.4:6>: one", 20);
  classic.receive("<From 1.2.3.4:6>: two", 30);
  assertEquals([sent, classic.size], [["one", "two", "three"], 1]);
});

Deno.test("classic link: what somebody else says is not one's own line for ending in the same letters", () => {
  const { classic, sent } = openLink();
  for (const line of ["a", "b"]) classic.say(line, 0);
  classic.receive("<From 1.2.3.4:5>: banana", 10);
  assertEquals([sent, classic.size], [["a"], 2]);
  classic.receive("<From 1.2.3.4:6>: a", 20);
  assertEquals([sent, classic.size], [["a", "b"], 1]);
});

Deno.test("classic link: a line that comes back with other blanks at its ends is the same line", () => {
  for (const text of ["one  ", " one", "one"]) {
    for (const line of ["<From 1.2.3.4:6>: one", "<From 1.2.3.4:6>:  one", "<From 1.2.3.4:6> one\n", "bob says one"]) {
      const { classic } = openLink();
      classic.say(text, 0);
      classic.receive(line, 20);
      assertEquals(classic.size, 0, line);
    }
  }
});

Deno.test("classic link: a server that does not send it back is told of once, greeted again, and gets the rest", () => {
  const { classic, sent, notices, wake } = openLink();
  classic.receive("<From 1.2.3.4:5>: hello", 0);
  for (let i = 1; i <= 50; i++) classic.say(`${i}`, 0);
  assertEquals(sent, ["1"]);
  wake(999);
  assertEquals(sent, ["1"]);
  let wakes = 0;
  for (let at; (at = classic.nextWake) !== undefined; wakes++) {
    assert(wakes < 20);
    wake(at);
  }
  assertEquals(sent, ["1", "GREETING", ...Array.from({ length: 49 }, (_, i) => `${i + 2}`)]);
  assertEquals([notices.length, classic.size, classic.unconfirmed], [1, 0, 50]);
});

Deno.test("classic link: to a server that sends nothing back, lines go in bursts with pauses between", () => {
  const { classic, sent, wake } = openLink();
  classic.receive("<From 1.2.3.4:5>: hello", 0);
  classic.say("0", 0);
  wake(1000);
  sent.length = 0;
  for (let i = 1; i <= 100; i++) classic.say(`${i}`, 2000);
  const bursts = [sent.splice(0).length];
  while (classic.nextWake !== undefined) {
    wake(classic.nextWake);
    bursts.push(sent.splice(0).length);
  }
  assertEquals(bursts.reduce((sum, burst) => sum + burst), 100);
  assert(Math.max(...bursts) <= 20, `${bursts}`);
});

Deno.test("classic link: a trial line without any sign of a server is neither repeated nor given up", () => {
  const { classic, sent, notices, wake } = openLink();
  for (const line of ["one", "two"]) classic.say(line, 0);
  while (classic.nextWake !== undefined) wake(classic.nextWake);
  assertEquals([sent, notices, classic.size], [["one"], [], 2]);
  assertEquals(classic.clear(), ["one", "two"]);
  assertEquals([classic.size, classic.nextWake], [0, undefined]);
});

Deno.test("classic link: a line that a classic server may have got is not given back", () => {
  const { classic } = openLink();
  classic.receive("<From 1.2.3.4:5>: hello", 0);
  for (const line of ["one", "two"]) classic.say(line, 0);
  assertEquals(classic.clear(), ["two"]);
});
