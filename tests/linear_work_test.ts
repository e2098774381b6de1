/** What reads bytes from the network takes no more than linear time, whatever they are. */
import { assertEquals } from "@std/assert";
import { decodeReply } from "../client/session/classic_reading.ts";
import { decode } from "../protocol.ts";
import { LineReader } from "../protocol/line_reader.ts";
import { printable, splitText } from "../protocol/text.ts";
import { hideSecrets, visibleBytes, visibleLine } from "../protocol/visible_bytes.ts";
import { foreignProtocol } from "../server/doors/foreign_protocols.ts";
import { readLine } from "../server/room/line_commands.ts";

const encoder = new TextEncoder();

/** What reads a text of this length, which is that of the longest datagram and of the longest line. */
const READERS: Record<string, (text: string, bytes: Uint8Array) => unknown> = {
  decode: (_, bytes) => decode(bytes),
  decodeReply: (_, bytes) => decodeReply(bytes),
  readLine: (text) => readLine(text, true),
  foreignProtocol: (_, bytes) => foreignProtocol(bytes, true),
  LineReader: (_, bytes) => new LineReader({ feedsOnly: true }).push(bytes, 0),
  printable,
  splitText: (text) => splitText(text, 856),
  visibleBytes: (_, bytes) => visibleBytes(bytes),
  visibleLine,
  hideSecrets: (text) => hideSecrets(text.slice(0, 2048)),
};

/** A beginning, a middle that is repeated, and an end at which a pattern may fail. */
const BEGINNINGS = ["", "a b", "/x b", "GREETING", "MESSAGE:", "sign-in ", "POST /", "RELAY/1 token=", "\n/a ", "pass"];
const MIDDLES = [" ", "\t", "\n", "\0", "x", "a ", "=", "token ", "\r\n\0", "\u0301", "\u200d", "[", "/", "0"];
const ENDS = ["", "c", " \0"];
const LONG = 4096, SHORT = 512;

function nasty(size: number): { text: string; bytes: Uint8Array }[] {
  return BEGINNINGS.flatMap((beginning) =>
    MIDDLES.flatMap((middle) =>
      ENDS.map((end) => {
        const room = size - encoder.encode(beginning + end).length;
        const text = beginning + middle.repeat(Math.floor(room / encoder.encode(middle).length)) + end;
        return { text, bytes: encoder.encode(text) };
      })
    )
  );
}

/** The shortest time that a reader takes for a text, in milliseconds. */
function shortest(read: (text: string, bytes: Uint8Array) => unknown, { text, bytes }: ReturnType<typeof nasty>[0]) {
  let best = Infinity;
  for (let i = 0; i < 2; i++) {
    const begunAt = performance.now();
    read(text, bytes);
    best = Math.min(best, performance.now() - begunAt);
  }
  return best;
}

Deno.test("linear work: eight times as many bytes take about eight times as long, not sixty-four times", () => {
  const long = nasty(LONG), short = nasty(SHORT), slow: string[] = [];
  for (const [name, read] of Object.entries(READERS)) {
    // what one short text takes on this machine, whichever it is: single ones are too short to be measured
    const times = short.map((text) => shortest(read, text)).sort((a, b) => a - b);
    const usual = Math.max(times[Math.floor(0.9 * times.length)], 0.01);
    for (const text of long) {
      // some more looks, since something else may have run meanwhile
      if ([1, 2, 3, 4, 5].some(() => shortest(read, text) < 100 * usual)) continue;
      slow.push(`${name} ${JSON.stringify(`${text.text.slice(0, 12)}…${text.text.slice(-4)}`)}`);
    }
  }
  assertEquals(slow, []);
});
