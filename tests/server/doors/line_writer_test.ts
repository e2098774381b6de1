import { assert, assertEquals } from "@std/assert";
import { withFakeTime } from "../../support/fake_time.ts";
import { linesOf, LineWriter, type Writable, WriteTurns } from "../../../server/doors/line_writer.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A connection that keeps what is written, and takes it at once, in part, or when it is told to. */
class FakeConn implements Writable {
  readonly writes: { text: string; at: number }[] = [];
  atMost = Infinity;
  gate: Promise<void> | undefined;

  async write(data: Uint8Array): Promise<number> {
    const taken = data.slice(0, this.atMost);
    this.writes.push({ text: new TextDecoder().decode(taken), at: performance.now() });
    await this.gate;
    return taken.length;
  }

  get texts(): string[] {
    return this.writes.map(({ text }) => text);
  }
}

function open() {
  const conn = new FakeConn(), turns = new WriteTurns(), statistics = { sent: 0, failed: 0, dropped: 0 };
  return { conn, turns, statistics, writer: new LineWriter(conn, turns, statistics) };
}

Deno.test("line writer: a program without line feeds gets a write for each line, 2 ms apart", async () => {
  const { conn, writer, statistics } = open();
  const lines = Array.from({ length: 10 }, (_, i) => `line ${i}\n`);
  writer.push(linesOf(bytes(lines.join(""))));
  await writer.drained();
  writer.push([bytes("last\n")]);
  await writer.drained();
  assertEquals(conn.texts, [...lines, "last\n"]);
  for (const [i, { at }] of conn.writes.entries()) assert(i === 0 || at - conn.writes[i - 1].at >= 2, `${i}`);
  assertEquals(statistics, { sent: 11, failed: 0, dropped: 0 });
});

Deno.test("line writer: what a program without line feeds may not have read yet fits into one read of 1,023 bytes", async () => {
  const { conn, writer } = open();
  writer.push(Array(9).fill(bytes(`${"x".repeat(299)}\n`)));
  await writer.drained();
  for (const [i, { at }] of conn.writes.entries()) {
    if (i > 0) assert(at - conn.writes[i - 1].at >= (i % 3 === 0 ? 20 : 2), `${i}`);
  }
});

Deno.test("line writer: lines for a program with line feeds share writes, and parts follow in order", async () => {
  const { conn, writer, statistics } = open();
  writer.isPaced = false;
  for (let i = 0; i < 1000; i++) writer.push([bytes(`${i}\n`)]);
  conn.atMost = 100;
  await writer.drained();
  assertEquals(conn.texts.join(""), Array.from({ length: 1000 }, (_, i) => `${i}\n`).join(""));
  assert(conn.writes.length < 100);
  assertEquals(statistics.sent, 1000);
});

Deno.test("line writer: when much waits, a program without line feeds need not wait for each line", async () => {
  const { conn, writer } = open();
  const line = bytes(`${"x".repeat(99)}\n`);
  writer.push(Array(400).fill(line));
  await writer.drained();
  assertEquals(conn.texts.join("").length, 40_000);
  assert(conn.writes.length <= 170, `${conn.writes.length}`);
});

Deno.test("line writer: who reads nothing is given up, and what was not written is counted", async () => {
  const { conn, writer, statistics } = open();
  conn.gate = new Promise(() => {});
  const line = bytes(`${"x".repeat(1023)}\n`);
  let pushed = 0;
  while (writer.push([line])) pushed++;
  assertEquals(pushed, 256);
  assert(writer.push([line]));
  await writer.drained();
  assertEquals([statistics.dropped + conn.writes.length, statistics.failed], [257, 1]);
});

Deno.test("line writer: who has taken nothing for 1 s may have 64 kB waiting, anybody else 256 kB", () =>
  withFakeTime(async ({ advance, settle }) => {
    for (const [silence, limit] of [[0, 256], [999, 256], [1001, 64]]) {
      const { conn, writer, statistics } = open();
      conn.gate = new Promise(() => {});
      const line = bytes(`${"x".repeat(1023)}\n`);
      writer.push([line]);
      await settle();
      await advance(silence);
      let pushed = 1;
      while (writer.push([line])) pushed++;
      // the one that is being written waits too
      assertEquals([pushed, statistics.dropped], [limit, limit], `${silence}`);
    }
  }));

Deno.test("line writer: a broken connection ends it, and nothing rejects", async () => {
  const { conn, writer, statistics } = open();
  conn.gate = Promise.reject(new Deno.errors.BrokenPipe());
  writer.push([bytes("a\n"), bytes("b\n")]);
  await writer.drained();
  assert(writer.push([bytes("c\n")]));
  assertEquals(statistics, { sent: 0, failed: 3, dropped: 0 });
  assertEquals(conn.writes.length, 1);
});

Deno.test("line writer: one that is stuck delays nobody, and many take turns", async () => {
  const turns = new WriteTurns(), statistics = { sent: 0, failed: 0, dropped: 0 };
  const stuck = new FakeConn(), gate = Promise.withResolvers<void>();
  stuck.gate = gate.promise;
  const conns = [stuck, ...Array.from({ length: 1000 }, () => new FakeConn())];
  const writers = conns.map((conn) => new LineWriter(conn, turns, statistics));
  let isInTurn = false;
  setTimeout(() => isInTurn = conns.filter(({ writes }) => writes.length > 0).length < conns.length);
  for (const writer of writers) writer.push([bytes("hi\n")]);
  await Promise.all(writers.slice(1).map((writer) => writer.drained()));
  assertEquals(statistics.sent, 1000);
  assert(isInTurn);
  gate.resolve();
  await writers[0].drained();
});

Deno.test("line writer: bytes are cut behind each line feed", () => {
  const cut = (text: string) => linesOf(bytes(text)).map((line) => new TextDecoder().decode(line));
  assertEquals(cut("a\nbc\n"), ["a\n", "bc\n"]);
  assertEquals(cut("\n\nx"), ["\n", "\n", "x"]);
  assertEquals(cut(""), []);
});
