import { assert, assertEquals } from "@std/assert";
import { LineReader } from "../../protocol/line_reader.ts";

const encoder = new TextEncoder();
const bytes = (text: string) => encoder.encode(text);

Deno.test("line reader: a line feed ends a line; CR, NUL and empty lines are dropped", () => {
  const reader = new LineReader();
  assertEquals(reader.push(bytes("one\r\n\n\r\ntwo\0\nth\0r\ree\nfo"), 0), ["one", "two", "three"]);
  assertEquals(reader.push(bytes("ur\n"), 5), ["four"]);
  assertEquals(reader.nextWake, undefined);
  assertEquals(reader.push(bytes("\0\0\r"), 5), []);
  assertEquals(reader.nextWake, undefined);
  assertEquals(reader.end(), []);
});

Deno.test("line reader: what has no line feed is a line after 20 ms of silence", () => {
  const reader = new LineReader();
  assertEquals(reader.push(bytes("hel"), 100), []);
  assertEquals(reader.push(bytes("lo "), 119), []);
  assertEquals(reader.push(bytes("you"), 138), []);
  assertEquals(reader.nextWake, 158);
  assertEquals(reader.wake(157), []);
  assertEquals(reader.wake(158), ["hello you"]);
  assertEquals(reader.nextWake, undefined);
  assertEquals(reader.wake(1000), []);
  reader.push(bytes("bye"), 2000);
  assertEquals(reader.end(), ["bye"]);
});

Deno.test("line reader: after a first line feed only line feeds count, where that is asked for", () => {
  const reader = new LineReader({ feedsOnly: true });
  reader.push(bytes("no feed yet"), 0);
  assertEquals(reader.wake(20), ["no feed yet"]);
  assert(!reader.hasFed);
  assertEquals(reader.push(bytes("one\ntw"), 100), ["one"]);
  assert(reader.hasFed);
  assertEquals(reader.nextWake, undefined);
  assertEquals(reader.wake(100_000), []);
  assertEquals(reader.push(bytes("o\nthr"), 100_000), ["two"]);
  assertEquals(reader.end(), ["thr"]);

  const other = new LineReader();
  assertEquals(other.push(bytes("one\ntw"), 100), ["one"]);
  assertEquals(other.wake(120), ["tw"]);
});

/** Hands chunks over, those that are not empty, so many milliseconds apart, and wakes the reader in time; returns the lines and when they came. */
function readAt(gap: number, chunks: string[], reader = new LineReader({ feedsOnly: true })) {
  const lines: [line: string, at: number][] = [];
  for (let at = 0; at < gap * chunks.length || reader.nextWake !== undefined; at++) {
    const chunk = (at % gap === 0 && chunks[at / gap]) || undefined;
    for (const line of [...chunk ? reader.push(bytes(chunk), at) : [], ...reader.wake(at)]) lines.push([line, at]);
  }
  return lines;
}

Deno.test("line reader: a first line that is typed character by character waits for Enter, or for 2 s of silence", () => {
  assertEquals(readAt(120, [..."hé 👍o", "\r\n", ..."ok", "\n"]), [["hé 👍o", 600], ["ok", 960]]);
  assertEquals(readAt(120, [..."hello", "\r\0", ..."you", "\r"]), [["hello", 600], ["you", 1080]]);
  assertEquals(readAt(1900, ["n", "o"]), [["no", 3900]]);
  assertEquals(readAt(2100, ["n", "o"]), [["n", 2000], ["o", 4100]]);
  // two keys may be pressed at almost the same time, and Enter may come with the last
  assertEquals(readAt(10, ["h", "", "", "e", "l", "", "", "", "l", "", "", "o\r\n"]), [["hello", 110]]);
  // where that is not asked for, it is as with all silence
  assertEquals(readAt(120, ["n", "o"], new LineReader()), [["n", 20], ["o", 140]]);
});

Deno.test("line reader: a program that sends a single character, or a message byte by byte, is not taken for a typing person", () => {
  assertEquals(readAt(300, ["k", "hello", "k\0", "you\0"]), [["k", 300], ["hello", 320], ["k", 620], ["you", 920]]);
  assertEquals(readAt(5, [..."hello"]), [["hello", 40]]);
  assertEquals(readAt(5, ["h", "ello"]), [["hello", 25]]);
  assertEquals(readAt(5, ["hello ", "y", "ou"]), [["hello you", 30]]);
});

Deno.test("line reader: commands of Telnet are dropped, however they are cut, and nothing else is", () => {
  const IAC = 0xff, SB = 250, SE = 240, x = 0x78;
  const cases: [sent: number[], line: string][] = [
    // Ctrl-C at telnet: interrupt, and the question for a mark
    [[x, IAC, 0xf4, IAC, 0xfd, 6, x], "xx"],
    [[IAC, 251, 31, IAC, 251, 32, x], "x"],
    [[x, IAC, SB, 31, 0, 80, IAC, IAC, 10, 24, IAC, SE, x], "xx"],
    [[x, IAC, 237, x], "xx"],
    // what is none: Latin-1, two of the byte, UTF-16 of Windows
    [[x, IAC, x], "x\ufffdx"],
    [[IAC, IAC, 0xf4, x], "\ufffd\ufffd\ufffdx"],
    [[IAC, 254, x, 0, x, 0], "xx"],
    [[x, IAC, 254], "x"],
    // one without an end takes no more than 256 bytes with it
    [[IAC, SB, ...Array(256).fill(x), 0x79], "y"],
  ];
  for (const [sent, line] of cases) {
    for (const size of [1, 2, 3, 1000]) {
      const reader = new LineReader({ feedsOnly: true }), all = Uint8Array.of(...sent, 10);
      const lines: string[] = [];
      for (let at = 0; at < all.length; at += size) lines.push(...reader.push(all.subarray(at, at + size), at));
      assertEquals(lines, [line], `${sent} by ${size}`);
    }
  }
  const asked = new LineReader();
  asked.push(Uint8Array.of(IAC, 0xf4, IAC, 0xfd, 6, IAC, 251, 6), 0);
  assertEquals([asked.takeAnswer(), asked.takeAnswer()], [Uint8Array.of(IAC, 0xfc, 6), undefined]);
  asked.push(Uint8Array.of(IAC, 251, 6, IAC, 0xfd, 7, 6), 0);
  assertEquals(asked.takeAnswer(), undefined);
  // the first byte of one waits for the others like half a character; at the end it is no command
  const reader = new LineReader({ feedsOnly: true });
  reader.push(Uint8Array.of(x, x, IAC), 0);
  assertEquals([reader.nextWake, reader.wake(1000)], [1000, ["xx\ufffd"]]);
  assertEquals(reader.push(Uint8Array.of(0xf4, x, x), 1001), []);
  assertEquals(reader.end(), ["xx"]);
});

Deno.test("line reader: a character that was cut in two waits for its other half", () => {
  for (const text of ["Zoë", "100 €", "hi 👍"]) {
    const whole = bytes(text);
    for (let cut = bytes(text.replace(/[^\0-\x7f]/gu, "")).length + 1; cut < whole.length; cut++) {
      const reader = new LineReader();
      reader.push(whole.subarray(0, cut), 0);
      assertEquals(reader.wake(900), [], text);
      reader.push(whole.subarray(cut), 900);
      assertEquals(reader.wake(920), [text]);
    }
  }
  // in Latin-1 the last letter looks like a half: it does not wait for ever
  const reader = new LineReader();
  reader.push(Uint8Array.of(0x63, 0x61, 0x66, 0xe9), 0);
  assertEquals(reader.nextWake, 1000);
  assertEquals(reader.wake(1000), ["caf\ufffd"]);
});

Deno.test("line reader: 4,096 bytes without an end are a line, and no character is cut", () => {
  const reader = new LineReader({ feedsOnly: true });
  const long = "x".repeat(4096);
  assertEquals(reader.push(bytes(`${long}\nshort\n`), 0), [long, "short"]);
  assertEquals(reader.push(bytes(`${long.slice(1)}ë and more\n`), 0), [long.slice(1), "ë and more"]);
  assertEquals(reader.push(bytes(long.repeat(20)), 0), Array(20).fill(long));
  assertEquals(reader.push(new Uint8Array(100_000), 0), []);
  assertEquals(reader.push(new Uint8Array(4096).fill(0xe2), 0), ["\ufffd".repeat(4095)]);
  assertEquals(reader.end(), ["\ufffd"]);
});

Deno.test("line reader: however bytes are cut, the lines of text with line feeds are the same", () => {
  const lines = Array.from({ length: 300 }, (_, i) => `${i} ${"aë€👍".repeat(i % 7)}`);
  const all = bytes(lines.map((line) => `${line}\r\n`).join(""));
  for (const size of [1, 2, 3, 7, 1000]) {
    const reader = new LineReader({ feedsOnly: true }), read: string[] = [];
    for (let at = 0; at < all.length; at += size) read.push(...reader.push(all.subarray(at, at + size), at));
    assertEquals(read, lines);
  }
});

Deno.test("line reader: bytes that are no UTF-8 become U+FFFD, and any bytes are taken", () => {
  const reader = new LineReader();
  assertEquals(reader.push(Uint8Array.of(0xff, 0x41, 0x80, 0x0a), 0), ["\ufffdA\ufffd"]);
  let left = 0, read = 0;
  for (let i = 0; i < 2000; i++) {
    const noise = crypto.getRandomValues(new Uint8Array(1 + i % 50));
    left += noise.length;
    read += [...reader.push(noise, i), ...(i % 3 === 0 ? reader.wake(i + 1000) : [])].join("").length;
  }
  assert(read > 0 && read <= left);
});

Deno.test("line reader: a long line keeps no memory", () => {
  const { decode } = TextDecoder.prototype;
  const sizes: number[] = [];
  TextDecoder.prototype.decode = function (bytes, options) {
    sizes.push((bytes as Uint8Array).buffer.byteLength);
    return decode.call(this, bytes, options);
  };
  try {
    const reader = new LineReader();
    reader.push(new TextEncoder().encode(`${"x".repeat(4000)}\nshort\n`), 0);
    reader.push(new TextEncoder().encode(`${"x".repeat(4097)}`), 0);
    reader.wake(20);
  } finally {
    TextDecoder.prototype.decode = decode;
  }
  const [long, short, longest, rest] = sizes;
  assert(long >= 4000 && longest >= 4096, sizes.join());
  assertEquals([short, rest], [256, 256]);
});
