/** The trace: what it prints, what it leaves out in a flood, and that it keeps little. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { largestMap } from "../support/largest_map.ts";
import { Trace, type Traced } from "../../runtime/trace.ts";

const A = "10.0.0.1:1", FLOODER = "10.0.0.9:9", LOOPBACK = "127.0.0.1:1";
const START = 1_732_094_000_000;

/** A trace that is on, and what it has printed since the last call. */
function openTrace() {
  const lines: string[] = [];
  const trace = new Trace((line) => lines.push(line), true);
  return {
    trace,
    printed: () => lines.splice(0),
    note: (address: string, what: Traced["what"], now = START, more: Partial<Traced> = {}) =>
      trace.note({ address, what, why: () => "it is wrong", ...more }, now),
  };
}

Deno.test("trace: a line shows what came, from whom, and why; secrets are hidden in the reason too", () => {
  const { printed, note } = openTrace();
  note(A, new TextEncoder().encode("HELO\n"));
  note(A, "/login Bob secret");
  note(A, "x", START, { why: () => "the word is 5f1c0d9a7be2e604\u001b" });
  note(A, "y", START, { isHeld: true });
  assertEquals(printed(), [
    String.raw`Ignored "HELO\n" from 10.0.0.1:1: it is wrong`,
    'Ignored "/login (hidden)" from 10.0.0.1:1: it is wrong',
    'Ignored "x" from 10.0.0.1:1: the word is (hidden)?',
    'Held "y" from 10.0.0.1:1: it is wrong',
  ]);
});

Deno.test("trace: of a connection that was closed it says whose it was, and why", () => {
  const lines: string[] = [];
  new Trace((line) => lines.push(line), true).note({ address: A, why: "it began as HTTP" }, 0);
  assertEquals(lines, [`Closed the connection of ${A}: it began as HTTP`]);
});

Deno.test("trace: while it is off it prints nothing, and makes no words", () => {
  const { trace, printed, note } = openTrace();
  trace.isOn = false;
  const why = () => {
    throw new Error("nobody reads them");
  };
  note(A, "x", START, { why });
  assertEquals([printed(), trace.nextWake], [[], undefined]);
  trace.isOn = true;
  note(A, "x");
  assertEquals(printed().length, 1);
});

Deno.test("trace: 20 lines at once and 10 a second, of one IP address half of it; the rest is counted", () => {
  const { trace, printed, note } = openTrace();
  for (let i = 0; i < 100; i++) note(`10.0.${i}.1:1`, "x");
  assertEquals([printed().length, trace.nextWake], [20, START + 1000]);
  trace.wake(START + 999);
  assertEquals(printed(), []);
  trace.wake(START + 1000);
  assertEquals([printed(), trace.nextWake], [["… and 80 more in the last second"], undefined]);
  for (let i = 0; i < 100; i++) note(`10.0.${i}.1:1`, "y", START + 1000);
  assertEquals(printed().length, 10);
  trace.isOn = false;
  assertEquals([printed(), trace.nextWake], [["… and 90 more"], undefined]);
  trace.isOn = true;
  for (let i = 0; i < 100; i++) note(`10.0.0.1:${i}`, "x", START + 60_000);
  assertEquals(printed().length, 10);
});

Deno.test("trace: the same mistake of an address is printed at most once in 5 s, and counted", () => {
  const { trace, printed, note } = openTrace();
  // 20 s long, as a client repeats its greeting
  for (let i = 0; i < 60; i++) {
    const now = START + 333 * i;
    note(A, `WELCOME/1 id=${i}`, now, { why: `the field keepalive is missing behind sum=${(1e9 + i).toString(16)}` });
    trace.wake(now);
  }
  trace.wake(trace.nextWake!);
  const lines = printed(), counts = [15, 15, 15, 11].map((count) => `… and ${count} more in the last 5 seconds`);
  assertEquals(lines.filter((line) => line.startsWith("…")), counts);
  assertEquals(lines.filter((line) => line.startsWith("Ignored")).length, 4);
  // what tells one mistake from another
  const now = START + 60_000;
  note(A, "HELLO 1", now);
  for (let i = 0; i < 300; i++) note(A, `HELLO ${i}`, now);
  note(A, "HELLO", now + 3000, { why: "it is something else" });
  note(A, "HELLO", now + 3000, { isHeld: true });
  note(A, "HULLO", now + 3000);
  note("10.0.0.1:2", "HELLO", now + 3000);
  assertEquals(printed().map((line) => line.replace(/ from .*/, "")), [
    'Ignored "HELLO 1"',
    "… and 300 more in the last 3 seconds",
    'Ignored "HELLO"',
    'Held "HELLO"',
    'Ignored "HULLO"',
    'Ignored "HELLO"',
  ]);
  trace.isOn = false;
  trace.isOn = true;
  note(A, "HULLO", now + 3000);
  assertEquals(printed().length, 1);
  // a flood of three seconds
  for (let i = 0; i < 300; i++) note(A, `HELLO ${i}`, now + 20_000 + 10 * i);
  trace.wake(trace.nextWake!);
  assertEquals(printed().map((line) => line.slice(0, 5)), ["Ignor", "… and", "… and"]);
});

Deno.test("trace: a flood hides no mistake of another address, whoever sends it and from wherever", () => {
  const floods: ((i: number) => [string, Partial<Traced>])[] = [
    () => [FLOODER, { isFromStranger: false }],
    (i) => [`10.0.0.9:${i}`, { isFromStranger: true }],
    (i) => [`10.${i >> 8 & 255}.${i & 255}.9:1`, { isFromStranger: true }],
    (i) => [`[2001:db8:${(i & 0xffff).toString(16)}::1]:1`, { isFromStranger: true }],
    (i) => [`10.${i >> 8 & 255}.${i & 255}.9:1`, { isHeld: true }],
    (i) => [`127.0.0.1:${1000 + i % 60_000}`, { isFromStranger: true }],
  ];
  for (const [which, flood] of floods.entries()) {
    const { trace, printed, note } = openTrace();
    for (let ms = 0; ms < 10_000; ms++) {
      const now = START + ms;
      for (let i = 0; i < 10; i++) {
        const [address, more] = flood(10 * ms + i);
        note(address, "flood", now, more);
      }
      // mistakes come at any time, two a second from each
      if (ms % 500 === 240) note(A, `mistake${ms}`, now);
      if (ms % 500 === 249) note(LOOPBACK, `mistake${ms}`, now);
      trace.wake(now);
    }
    const lines = printed();
    assertEquals(lines.filter((line) => line.includes("mistake")).length, 40, `flood ${which}`);
    assertLess(lines.filter((line) => line.includes("flood")).length, 70, `flood ${which}`);
    assertLess(lines.filter((line) => line.startsWith("… and ")).length, 4, `flood ${which}`);
  }
});

Deno.test("trace: what is left out costs little, and of a flood from everywhere nothing is kept", () => {
  const { note, printed } = openTrace();
  const bytes = new Uint8Array(1200).fill(0x61);
  const start = performance.now();
  for (let i = 0; i < 200_000; i++) note(`10.${i >> 8 & 255}.${i & 255}.9:1`, bytes, START + i / 100);
  // it takes some hundredths of this time
  assert(performance.now() - start < 2000);
  assertLess(printed().length, 50);
});

Deno.test("trace: of however many IP addresses, few are remembered", () => {
  const { note, printed } = openTrace();
  const largest = largestMap(() => {
    for (let i = 0; i < 10_000; i++) note(`10.${i >> 8}.${i & 255}.1:1`, "x", START + 150 * i);
  });
  assertEquals(printed().length, 10_000);
  assertLess(largest, 200);
});

Deno.test("trace: one that has used up its share is not forgotten for others", () => {
  const { note, printed } = openTrace();
  for (let i = 0; i < 63; i++) note(`10.0.${i}.1:1`, "x", START + 150 * i);
  assertEquals(printed().length, 63);
  const now = START + 10_000;
  // each another mistake, since the same one is printed once
  for (let i = 0; i < 20; i++) note(FLOODER, String.fromCharCode(0x61 + i), now);
  assertEquals(printed().length, 10);
  // the 65th address
  note("10.0.100.1:1", "x", now);
  assertEquals(printed().length, 1);
  note(FLOODER, "z", now);
  assertEquals(printed(), []);
});
