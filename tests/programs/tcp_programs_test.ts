/** Classmates' programs over TCP, and what all kinds of programs see in one room. */
import { assertEquals, assertMatch } from "@std/assert";
import { joinRoom, messagesOf, type Process, start, startServer } from "../../scripts/support/processes.ts";
import { hasPython, pythonTest } from "../support/python.ts";
import { compilePeer, hasProgram, startPeer } from "../support/tcp_peers.ts";

/** The lines of messages that a program has printed. */
const messages = ({ stdout }: Process) => stdout.text().split("\n").filter((line) => line.includes("<From "));

Deno.test("tcp programs: one room with ours, classic UDP, nc -u, nc and Python over TCP: the same lines in one order", async () => {
  if (!await hasProgram("nc") || !await hasPython()) return console.log("Skipped: there is no nc, or no python3");
  await using server = await startServer("--echo");
  const where = ["127.0.0.1", String(server.port)];
  await using ours = await joinRoom(server);
  await using udp = start(["python3", "docs/examples/classic.py", ...where]);
  await server.arrival(2);
  await using ncUdp = start(["nc", "-u", ...where]);
  await ncUdp.type("GREETING\n");
  await server.arrival(3);
  await using nc = start(["nc", ...where]);
  await server.arrival(4);
  await using python = startPeer("unended.py", ...where);
  const pythonAt = await server.arrival(5);
  // one that leaves before its arrival is told is not told of at all
  await nc.stdout.until(`[${pythonAt}] is Online\n`);

  const speakers: [process: Process, before: string, text: string][] = [
    [ours, "", "from our client"],
    [udp, "", "from a classic client"],
    [ncUdp, "MESSAGE ", "from nc -u, Zoë 🎉"],
    [nc, "", "from nc"],
    [python, "", "from Python"],
  ];
  const all = speakers.map(([process]) => process);
  for (const [process, before, text] of speakers) {
    await process.type(`${before}${text}\n`);
    // what the next one says comes after
    for (const hearer of all) await hearer.stdout.until(text);
  }
  const said = messagesOf(ours);
  assertEquals(said.map((line) => line.replace(/^<From [^>]*>: /, "")), speakers.map(([, , text]) => text));
  assertEquals(messages(udp), said);
  assertEquals(messages(ncUdp), said.map((line) => `INCOMING ${line}`));
  assertEquals([messages(nc), messages(python)], [said, said]);
  // all of them say goodbye in their own way, and those who can read it hear of it
  await python.type("quit\n");
  assertEquals(await python.exitCode(), 0);
  for (const hearer of [nc, ours]) await hearer.stdout.until(`[${pythonAt}] is Offline\n`);
});

pythonTest("over TCP a sender hears the others and not itself", async () => {
  await using server = await startServer();
  const where = ["127.0.0.1", String(server.port)];
  await using selecting = startPeer("selecting.py", ...where);
  const alice = await server.arrival(1);
  await using reader = startPeer("line_reader.py", ...where);
  const bob = await server.arrival(2);
  await selecting.stdout.until(`[${bob}] is Online\n`);
  await selecting.type("one\n");
  await reader.stdout.until(`<From ${alice}>: one\n`);
  await reader.type("two\nthree\n");
  await selecting.stdout.until(`<From ${bob}>: three\n`);
  assertEquals(messages(selecting), [`<From ${bob}>: two`, `<From ${bob}>: three`]);
  assertEquals(messages(reader), [`<From ${alice}>: one`]);
  // one ends without a word, the other closes its half and reads on
  await selecting.endInput();
  await reader.stdout.until(`[${alice}] is Offline\n`);
  await reader.type("the last line");
  await reader.endInput();
  assertEquals(await reader.exitCode(), 0);
  await server.stdout.until(/hung up at .*\n[^]*hung up at /);
});

Deno.test("tcp programs: a client in C that takes each recv for a message gets whole lines, however many come at once", async () => {
  if (!await hasProgram("gcc")) return console.log("Skipped: there is no gcc");
  await using server = await startServer("--rate", "0");
  const where = ["127.0.0.1", String(server.port)];
  await using speaker = await joinRoom(server);
  await using compiled = await compilePeer("exact.c");
  await using c = start([compiled.path, ...where]);
  await server.arrival(2);
  const words = "word ".repeat(160).trim();
  const texts = Array.from({ length: 60 }, (_, i) => i % 20 === 7 ? `${i} ${words}` : `line ${i}`);
  await speaker.type(texts.map((text) => `${text}\n`).join(""));
  await c.stdout.until("line 59\n");
  // on a busy machine it may read so late that two lines came meanwhile
  const reads = c.stdout.text().split("\n").filter((line) => line.includes("<From "));
  assertEquals(reads.map((line) => line.replace(/^(?:read\(\d+\): )?<From [^>]*>: /, "")), texts);
  // what it says ends in a NUL and no line feed
  await c.type("hello from C\n");
  await speaker.stdout.until(/<From 127\.0\.0\.1:\d+>: hello from C\n/);
});

pythonTest("over TCP three sends at once without a line feed are one message, and half a character waits", async () => {
  await using server = await startServer();
  await using hearer = await joinRoom(server);
  await using odd = startPeer("odd.py", "127.0.0.1", String(server.port));
  await odd.stdout.until("done\n");
  await hearer.stdout.until("the end\n");
  assertEquals(
    messagesOf(hearer).map((line) => line.replace(/^<From [^>]*>: /, "")),
    ["one two three", "Zoë", "a", "b c", "\ufffd\ufffd", "the end"],
  );
});

pythonTest("over TCP whose connection is reset is gone, and the room goes on", async () => {
  await using server = await startServer();
  await using ours = await joinRoom(server);
  await using odd = startPeer("odd.py", "127.0.0.1", String(server.port), "reset");
  await odd.stdout.until("done\n");
  await ours.stdout.until(/is Offline\n/);
  await ours.type("still here\n");
  await ours.stdout.until("still here\n");
  assertMatch(server.stderr.text(), /^$/);
});

Deno.test("over TCP a file that ends in a long line is heard to its last word, however fast it comes", async () => {
  await using server = await startServer();
  await using hearer = await joinRoom(server);
  const words = Array.from({ length: 7840 }, (_, i) => `w${i}`);
  const lines = Array.from({ length: 14 }, (_, i) => words.slice(560 * i, 560 * (i + 1)).join(" "));
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await hearer.stdout.until(/is Online\n/);
  const bytes = new TextEncoder().encode(lines.join("\n"));
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await conn.write(rest));
  await conn.closeWrite();
  await hearer.stdout.until(/is Offline\n/);
  conn.close();
  const heard = messagesOf(hearer).flatMap((line) => line.replace(/^<From [^>]*>: /, "").split(" "));
  assertEquals([heard.length, heard.filter((word, i) => word !== words[i])], [words.length, []]);
});
