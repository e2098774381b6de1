/** Private messages where clients can't reach each other directly: in a lecture hall whose network keeps them apart. */
import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { commandOf, type JoinedClient, type Process, start, TESTS_BINARIES } from "../../scripts/support/processes.ts";
import { pause } from "../../scripts/support/waiting.ts";
import { type Capture, openCapture } from "../support/capture.ts";
import { DEVICE, type Hall, openHall, type Place, SERVER_ADDRESS, SERVER_IPV6 } from "../support/hall.ts";
import { hasPython } from "../support/python.ts";
import { signIn } from "../support/signed_in.ts";
import { hasProgram } from "../support/tcp_peers.ts";

/** The mark on what has passed through the server. */
const MARK = " (through the server)";
/** How long at most the direct way may be taken for shut after it has opened, in milliseconds. */
const OPEN_AGAIN_MS = 25_000;
/** Pause between two messages while one waits for that, in milliseconds. */
const PACE_MS = 400;

/** What a client has been sent privately by a name, in order, and whether it bears the mark. */
function privately({ stdout }: Process, name: string): { text: string; isMarked: boolean }[] {
  const lines = stdout.text().matchAll(new RegExp(`^<- <From \\S+:${name}>( \\(through the server\\))?: (.*)$`, "mg"));
  return [...lines].map(([, mark, text]) => ({ text, isMarked: mark !== undefined }));
}

/** A line that a private text makes at its receiver. */
function line(from: JoinedClient, name: string, mark: string, text: string): string {
  return `<- <From ${from.address}:${name}>${mark}: ${text}\n`;
}

async function startServer(hall: Hall, port: number, ...flags: string[]): Promise<Process> {
  const server = start(hall.inside("server", [...commandOf("server"), String(port), ...flags]));
  try {
    await server.stdout.until(new RegExp(`client.*${port}\n`));
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts clients in a hall, at a server's port. */
function joining(hall: Hall, port: number) {
  return (name: string, place: Place, host = SERVER_ADDRESS, ...flags: string[]) =>
    signIn(port, name, { host, flags, inside: (command) => hall.inside(place, command) });
}

/** Captures what a place of a hall sends and gets. */
function captureAt(hall: Hall, place: Place): Promise<Capture> {
  return openCapture(DEVICE, (command) => hall.inside(place, command));
}

/**
 * Those of the texts that were in a datagram that was captured. The capture may be behind the programs: that there is
 * none says something only when a later text has been captured.
 */
function seen(wire: Capture, ...texts: string[]): string[] {
  const all = wire.datagrams().map(({ text }) => text).join("\n");
  return texts.filter((text) => all.includes(text));
}

/** Alice and Bob: first nothing is between them, then the network keeps them apart, then no more. */
async function directThenCutThenDirect(hall: Hall, wire: Capture): Promise<void> {
  const port = 9001, join = joining(hall, port);
  await using aliceWire = await captureAt(hall, "alice");
  await using _server = await startServer(hall, port);
  await using alice = await join("Alice", "alice");
  await using bob = await join("Bob", "bob");

  await alice.type("send Bob hi, the word is Xyzzy\n");
  await bob.stdout.until(line(alice, "Alice", "", "hi, the word is Xyzzy"));
  await alice.stderr.until("-- Delivered to Bob: hi, the word is Xyzzy\n");
  await bob.type("/reply Plugh to you\n");
  await alice.stdout.until(line(bob, "Bob", "", "Plugh to you"));
  await alice.type("for everyone\n");
  await wire.until("for everyone");
  assertEquals(seen(wire, "Xyzzy", "Plugh"), []);
  assertNotMatch(alice.stderr.text() + bob.stderr.text(), /through the server/);

  // cut in the middle
  await alice.type("send Bob word-1\nsend Bob word-2\n");
  await hall.isolate(["alice", "bob"], true);
  const cut = performance.now();
  await alice.type("send Bob word-3\nsend Bob word-4\n");
  await bob.type("send Alice drow-1\nsend Alice drow-2\n");
  await Promise.all([
    alice.stderr.until(`-- Delivered to Bob${MARK}: word-4\n`),
    bob.stderr.until(`-- Delivered to Alice${MARK}: drow-2\n`),
  ]);
  console.log(`Through the server ${Math.round(performance.now() - cut)} ms after the direct way was cut`);
  const told = "can't be reached directly; sending through the server. /direct only forbids that\n";
  for (const [{ stderr }, name] of [[alice, "Bob"], [bob, "Alice"]] as const) {
    const notices = stderr.text().split(`-- ${name} ${told}`);
    assertEquals(notices.length, 2, stderr.text());
    assertNotMatch(notices[0], /through the server/, "the notice is the first word of it");
  }
  await alice.type("send Bob word-5\n");
  await bob.stdout.until(line(alice, "Alice", MARK, "word-5"));
  await bob.type("/reply drow-3\n");
  await alice.stdout.until(line(bob, "Bob", MARK, "drow-3"));
  for (const text of ["word-4", "word-5", "drow-1", "drow-3"]) await wire.until(text);

  // and opened, when the direct way has just been checked in vain; the next check waits
  if (!TESTS_BINARIES) await aliceWire.until(/(?:OPEN\/1 .*\bid=[^]*){3}/);
  await hall.isolate(["alice", "bob"], false);
  const opened = performance.now();
  const counts = await Promise.all([
    sayUntilDirect(alice, "Bob", "word", 6),
    sayUntilDirect(bob, "Alice", "drow", 4),
  ]);
  console.log(`Directly again after ${counts.map(({ at }) => Math.round(at - opened)).join(" and ")} ms`);
  for (
    const [from, to, name, receiver, word, { last }] of [
      [alice, bob, "Alice", "Bob", "word", counts[0]],
      [bob, alice, "Bob", "Alice", "drow", counts[1]],
    ] as const
  ) {
    await from.type(`send ${receiver} ${word}-end\n`);
    await to.stdout.until(line(from, name, "", `${word}-end`));
    const lines = privately(to, name).filter(({ text }) => text.startsWith(word));
    const texts = [...Array.from({ length: last }, (_, i) => `${word}-${i + 1}`), `${word}-end`];
    assertEquals(lines.map(({ text }) => text), texts, "each once and in order");
    const marks = lines.map(({ isMarked }) => isMarked ? "s" : "d").join("");
    assertMatch(marks, /^d*s+d+$/, "through the server only meanwhile");
    assertNotMatch(from.stderr.text(), /^!!/m);
  }
  await alice.type("for all\n");
  await wire.until("for all");
  assertEquals(seen(wire, "word-end", "drow-end"), []);
}

/** Says something privately again and again, until it has been delivered directly; returns which it was, and when. */
async function sayUntilDirect(from: Process, to: string, word: string, first: number) {
  const deadline = performance.now() + OPEN_AGAIN_MS;
  for (let last = first; performance.now() < deadline; last++) {
    await from.type(`send ${to} ${word}-${last}\n`);
    const pattern = new RegExp(`^-- Delivered to ${to}( \\(through the server\\))?: ${word}-${last}\n`, "m");
    const [, mark] = await from.stderr.until(pattern);
    if (!mark) return { last, at: performance.now() };
    await pause(PACE_MS);
  }
  throw new Error(`${to} is not reached directly again\n${from.stderr.text()}`);
}

/** Dave's seat is kept from Carol's from the start: programs of several kinds there, and one at 127.0.0.1. */
async function keptApart(hall: Hall, wire: Capture): Promise<void> {
  const port = 9002, join = joining(hall, port);
  await using _server = await startServer(hall, port);
  await using dan = await join("Dan", "dave");
  const parts = [tcpMember, directOnly, loopback];
  const ends = await Promise.allSettled(parts.map((part) => part(hall, port, dan, wire)));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** A member with a TCP connection writes to one that it can't reach, and is answered. */
async function tcpMember(hall: Hall, port: number, dan: JoinedClient): Promise<void> {
  if (!await hasProgram("nc")) return console.log("Skipped: there is no nc");
  await using nc = start(hall.inside("carol", ["nc", SERVER_ADDRESS, String(port)]));
  await nc.type("/name Tess\n");
  await nc.stdout.until("Signed in as Tess\n");
  await nc.type("send Dan by a connection\n");
  const [, tess] = await dan.stdout.until(/^<- <From (\S+):Tess> \(through the server\): by a connection\n/m);
  await nc.stdout.until(`-> Dan${MARK}: by a connection\n`);
  await dan.type("send Tess by datagrams\n");
  await nc.stdout.until(line(dan, "Dan", MARK, "by datagrams"));
  await dan.stderr.until(`-- Delivered to Tess${MARK}: by datagrams\n`);
  assertMatch(tess, /^10\.73\.0\.13:/);
  assertEquals(privately(dan, "Tess").length, 1);
}

/** Who forbids the way through the server sends nothing through it, is told so, and gets what others send that way. */
async function directOnly(hall: Hall, port: number, dan: JoinedClient, wire: Capture): Promise<void> {
  await using nora = await joining(hall, port)("Nora", "carol", SERVER_ADDRESS, "--no-relay");
  await nora.type("send Dan forbidden\n");
  await dan.type("send Nora one may\n");
  await nora.stdout.until(line(dan, "Dan", MARK, "one may"));
  await dan.stderr.until(`-- Delivered to Nora${MARK}: one may\n`);
  // it has left for Dan, so nobody knows whether it has arrived
  await nora.stderr.until(
    /^!! Not known to be delivered to Dan \("forbidden"\): .*\(start without --no-relay to allow/m,
  );
  await nora.type("/direct first\nsend Dan allowed\n");
  await dan.stdout.until(line(nora, "Nora", MARK, "allowed"));
  assertEquals(privately(dan, "Nora").map(({ text }) => text), ["allowed"]);
  await wire.until("allowed");
  assertEquals(seen(wire, "forbidden"), []);
}

/** A member at 127.0.0.1 is told where to join instead when it needs that, and is written to all the same. */
async function loopback(hall: Hall, port: number, dan: JoinedClient): Promise<void> {
  const join = joining(hall, port);
  await using lou = await join("Lou", "server", "127.0.0.1");
  await lou.type("/direct only\nsend Dan not so\n");
  const failure =
    /^!! Not delivered to Dan \("not so"\): .*127\.0\.0\.1.* To reach Dan, leave and join by (\S+) (\d+)$/m;
  const [, host, toldPort] = await lou.stderr.until(failure);
  assertEquals([host, toldPort], [SERVER_ADDRESS, String(port)]);
  await lou.type("/direct first\nsend Dan from loopback\n");
  await dan.stdout.until(line(lou, "Lou", MARK, "from loopback"));
  await dan.type("send Lou to loopback\n");
  await lou.stdout.until(line(dan, "Dan", MARK, "to loopback"));
  await dan.stderr.until(`-- Delivered to Lou${MARK}: to loopback\n`);

  await using lars = await join("Lars", "server", host);
  await lars.type("send Dan from the LAN\n");
  await dan.stdout.until(line(lars, "Lars", "", "from the LAN"));
  await dan.type("send Lars to the LAN\n");
  await lars.stdout.until(line(dan, "Dan", "", "to the LAN"));
  assertNotMatch(lars.stderr.text(), /join by/);
}

/** A server that passes nothing on says so to whoever needs it. */
async function serverThatPassesNothingOn(hall: Hall, wire: Capture): Promise<void> {
  const port = 9003, join = joining(hall, port);
  await using _server = await startServer(hall, port, "--no-relay");
  await using carol = await join("Carol", "carol");
  await using dave = await join("Dave", "dave");
  const reason = "this server passes no private messages on";
  await carol.type("send Dave unrelayed\n");
  if (await hasProgram("nc")) {
    await using nc = start(hall.inside("carol", ["nc", SERVER_ADDRESS, String(port)]));
    await nc.type("/name Tess\n");
    await nc.stdout.until("Signed in as Tess\n");
    await nc.type("send Dave by a connection\n");
    await nc.stdout.until(new RegExp(`^!! .*${reason}`, "m"));
    await dave.type("send Tess unread\n");
    await dave.stderr.until(new RegExp(`^!! Not delivered to Tess \\("unread"\\): .*${reason}$`, "m"));
    assertNotMatch(nc.stdout.text(), /unread/);
  }
  await carol.stderr.until(new RegExp(`^!! Not known to be delivered to Dave \\("unrelayed"\\): .*${reason}$`, "m"));
  assertNotMatch(dave.stdout.text(), /^<- /m);
  await carol.type("for this room\n");
  await wire.until("for this room");
  assertEquals(seen(wire, "unrelayed", "unread"), []);
}

/** Between IPv4 and IPv6 there is no direct way, and the client is told so before it would try. */
async function families(hall: Hall): Promise<void> {
  const port = 9004, join = joining(hall, port);
  await using _server = await startServer(hall, port, "--host", "::");
  await using four = await join("Four", "carol");
  await using six = await join("Six", "dave", SERVER_IPV6);
  assertMatch(six.address, /^\[fd73::14\]:/);
  await four.type("send Six to IPv6\n");
  await six.stdout.until(line(four, "Four", MARK, "to IPv6"));
  await four.stderr.until(/^-- .*IPv[46].*IPv[46].*; sending through the server\..*\n-- Delivered to Six/m);
  await six.type("/reply to IPv4\n");
  await four.stdout.until(line(six, "Six", MARK, "to IPv4"));
  await four.type("list\n/whois Six\n");
  await four.stdout.until("<- Only through the server: Six\n");
  await four.stdout.until(/^<- Six is at \[fd73::14\]:.*, only through the server\n/m);
}

Deno.test("hall: private messages arrive where the network keeps clients apart, and go directly where they can", async (t) => {
  if (!await hasPython()) return console.log("Skipped: there is no python3");
  const hall = await openHall();
  if (typeof hall === "string") return console.log(`Skipped: ${hall}`);
  await using _ = hall;
  await hall.isolate(["carol", "dave"], true);
  await using wire = await captureAt(hall, "server");
  const parts = [directThenCutThenDirect, keptApart, serverThatPassesNothingOn, families];
  // at the same time, most of it is waiting
  await Promise.all(parts.map((part) =>
    t.step({
      name: part.name,
      fn: () => part(hall, wire),
      sanitizeOps: false,
      sanitizeResources: false,
      sanitizeExit: false,
    })
  ));
});
