/** One room: the real server, the real client and a classic peer on real sockets. */
import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { BANNER, joinRoom, messagesOf, startClient, startServer } from "../../scripts/support/processes.ts";
import { openPeer } from "../support/classic_peer.ts";
import { signalTest, stops } from "../support/signals.ts";

Deno.test("room: two clients and a classic peer hear each other, and everyone leaves with exit code 0", async () => {
  await using server = await startServer();
  await using alice = await joinRoom(server);
  await using bob = await joinRoom(server);
  await using peer = openPeer();
  await peer.send("GREETING", server.port);
  assertEquals(await server.arrival(3), peer.address);

  await alice.type("Hello Bob!\n");
  assertEquals((await peer.next()).text, `INCOMING <From ${alice.address}>: Hello Bob!`);
  await bob.stdout.until(`<From ${alice.address}>: Hello Bob!\n`);
  await bob.type("Hello Alice!\n");
  assertEquals((await peer.next()).text, `INCOMING <From ${bob.address}>: Hello Alice!`);
  await peer.send("MESSAGE Hello both!", server.port);
  assertEquals((await peer.next()).text, `INCOMING <From ${peer.address}>: Hello both!`);

  const said = [
    `<From ${alice.address}>: Hello Bob!`,
    `<From ${bob.address}>: Hello Alice!`,
    `<From ${peer.address}>: Hello both!`,
  ];
  for (const client of [alice, bob]) {
    await client.stdout.until(said[2]);
    await client.endInput();
    assertEquals(await client.exitCode(), 0);
    assertEquals(messagesOf(client), said);
    assert(client.stdout.text().startsWith(BANNER), client.stdout.text());
    // no prompt, no colours, no times
    // deno-lint-ignore no-control-regex -- control characters are the point
    assertNotMatch(client.stdout.text(), /\+>|\x1b|^\d\d:\d\d /m);
    assertEquals(client.stderr.text(), "");
  }
  await server.stdout.until(`Client (127.0.0.1, ${bob.address.split(":")[1]}) left at `);
  if (await stops(server)) {
    assertMatch(
      server.stdout.text(),
      /\nClosed: 3 members joined, 1 here, 3 messages in, \d+ datagrams out(?:; lost: .*)?\n$/,
    );
  }
  assertMatch(server.stdout.text(), /^Server Initialized\.\.\.\nListening on 0\.0\.0\.0:\d+\n/);
  assertEquals(server.stderr.text(), "");
});

Deno.test("room: classic packets byte for byte, with a line feed for whoever greets with one", async () => {
  await using server = await startServer();
  await using plain = openPeer();
  await using lines = openPeer();
  await plain.send("GREETING", server.port);
  await server.arrival(1);
  await lines.send("GREETING\n", server.port);
  await server.arrival(2);

  const spellings = [
    "MESSAGE one",
    "MESSAGEtwo",
    "MESSAGE three\n",
    "MESSAGE four\r\n",
    "MESSAGE  five ",
    "MESSAGE 六🙂",
  ];
  const texts = ["one", "two", "three", "four", " five ", "六🙂"];
  for (const [i, spelling] of spellings.entries()) {
    await plain.send(spelling, server.port);
    assertEquals((await plain.next()).text, `INCOMING <From ${plain.address}>: ${texts[i]}`);
    assertEquals((await lines.next()).text, `INCOMING <From ${plain.address}>: ${texts[i]}\n`);
  }
});

Deno.test("room: lines that end in CR LF, empty lines and a last line without an end", async () => {
  await using server = await startServer();
  await using peer = openPeer();
  await peer.send("GREETING", server.port);
  await server.arrival(1);
  await using client = startClient("-sip", "127.0.0.1", "-sp", server.port);
  await client.type("from Windows\r\n\n   \n// a comment\nthe end");
  await client.endInput();
  assertEquals(await client.exitCode(), 0);
  const from = `<From ${server.arrivals()[1]}>`;
  const said = [`${from}: from Windows`, `${from}: / a comment`, `${from}: the end`];
  assertEquals(messagesOf(client), said);
  for (const line of said) assertEquals((await peer.next()).text, `INCOMING ${line}`);
});

Deno.test("room: what acts on a terminal never reaches one", async () => {
  await using server = await startServer();
  await using alice = await joinRoom(server);
  await using bob = await joinRoom(server);
  await using peer = openPeer();
  await peer.send("GREETING", server.port);
  await server.arrival(3);

  const hostile = "\x1b[2J\x1b]0;title\x07 \x9b31m red\r \u202egnp.exe\u2066 \u200f\u2028 \x7f\b tab\there";
  const harmless = "?[2J?]0;title? ?31m red? ?gnp.exe? ?? ?? tab here";
  await peer.send(`MESSAGE ${hostile}`, server.port);
  assertEquals((await peer.next()).text, `INCOMING <From ${peer.address}>: ${harmless}`);
  await alice.type("mine: \x1b[31mred\x07 \u202eevil\n");
  assertEquals((await peer.next()).text, `INCOMING <From ${alice.address}>: mine: ?[31mred? ?evil`);
  // not UTF-8
  await peer.send(Uint8Array.of(...new TextEncoder().encode("MESSAGE "), 0xff, 0x9b, 0x33), server.port);
  assertEquals((await peer.next()).text, `INCOMING <From ${peer.address}>: \ufffd\ufffd3`);

  for (const client of [alice, bob]) {
    await client.stdout.until("\ufffd\ufffd3\n");
    assertEquals(messagesOf(client), [
      `<From ${peer.address}>: ${harmless}`,
      `<From ${alice.address}>: mine: ?[31mred? ?evil`,
      `<From ${peer.address}>: \ufffd\ufffd3`,
    ]);
    // deno-lint-ignore no-control-regex -- control characters are the point
    assertNotMatch(client.stdout.text(), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
  }
});

Deno.test("room: with --no-echo everyone but the sender gets a message", async () => {
  await using server = await startServer("--no-echo");
  await using alice = await joinRoom(server);
  await using bob = await joinRoom(server);
  await using peer = openPeer();
  await peer.send("GREETING", server.port);
  await server.arrival(3);

  await alice.type("from Alice\n");
  assertEquals((await peer.next()).text, `INCOMING <From ${alice.address}>: from Alice`);
  await peer.send("MESSAGE from the peer", server.port);
  await alice.stdout.until("from the peer");
  await bob.type("from Bob\n");
  assertEquals((await peer.next()).text, `INCOMING <From ${bob.address}>: from Bob`);
  await alice.stdout.until("from Bob");
  await bob.stdout.until("from the peer");

  for (const client of [alice, bob]) {
    await client.endInput();
    assertEquals(await client.exitCode(), 0);
    assertEquals(client.stderr.text(), "");
  }
  assertEquals(messagesOf(alice), [`<From ${peer.address}>: from the peer`, `<From ${bob.address}>: from Bob`]);
  assertEquals(messagesOf(bob), [`<From ${alice.address}>: from Alice`, `<From ${peer.address}>: from the peer`]);
});

Deno.test("room: with --quiet nobody's coming is printed", async () => {
  await using server = await startServer("--quiet");
  // a port alone is one of this machine
  await using client = startClient(server.port);
  await client.type("is anybody here?\n");
  await client.endInput();
  assertEquals(await client.exitCode(), 0);
  assertEquals(messagesOf(client).length, 1);
  const hasStopped = await stops(server, "SIGINT");
  assertNotMatch(server.stdout.text(), /^Client /m);
  if (hasStopped) assertMatch(server.stdout.text(), /\nClosed: 1 member joined, 0 here, 1 message in, .*\n$/);
});

/** Why no socket here hears both IPv4 and IPv6, if so: some containers have no IPv6, and Windows keeps them apart. */
const WITHOUT_BOTH = await (async () => {
  try {
    Deno.listenDatagram({ transport: "udp", hostname: "::1", port: 0 }).close();
  } catch {
    return "this machine has no IPv6";
  }
  const conn = Deno.listenDatagram({ transport: "udp", hostname: "::", port: 0 });
  const heard = conn.receive().then(() => true, () => false);
  await using peer = openPeer();
  await peer.send("4", (conn.addr as Deno.NetAddr).port);
  const timer = setTimeout(() => conn.close(), 1000);
  const hasBoth = await heard;
  clearTimeout(timer);
  if (hasBoth) conn.close();
  return hasBoth ? undefined : "a socket for IPv6 hears no IPv4 here";
})();

Deno.test({
  name: `room: IPv4 and IPv6 in one${WITHOUT_BOTH ? ` (skipped: ${WITHOUT_BOTH})` : ""}`,
  ignore: WITHOUT_BOTH !== undefined,
  async fn() {
    await using server = await startServer("--host", "::");
    assertMatch(server.stdout.text(), /^Listening on \[::\]:\d+$/m);
    await using four = await joinRoom(server, "127.0.0.1");
    await using six = await joinRoom(server, "::1");
    await using peer = openPeer("::1");
    await peer.send("GREETING", server.port);
    assertEquals(await server.arrival(3), peer.address);
    assertMatch(four.address, /^127\.0\.0\.1:\d+$/);
    assertMatch(six.address, /^\[::1\]:\d+$/);

    await four.type("from the old world\n");
    await six.stdout.until("from the old world");
    await six.type("from the new one\n");
    await four.stdout.until("from the new one");
    assertEquals((await peer.next()).text, `INCOMING <From ${four.address}>: from the old world`);
    assertEquals((await peer.next()).text, `INCOMING <From ${six.address}>: from the new one`);
    for (const client of [four, six]) {
      await client.endInput();
      assertEquals(await client.exitCode(), 0);
      assertEquals(messagesOf(client), [
        `<From ${four.address}>: from the old world`,
        `<From ${six.address}>: from the new one`,
      ]);
    }
  },
});

Deno.test("room: a line of 3,000 characters arrives in pieces that give the line", async () => {
  await using server = await startServer();
  await using alice = await joinRoom(server);
  await using bob = await joinRoom(server);
  await using peer = openPeer();
  await peer.send("GREETING", server.port);
  await server.arrival(3);
  const words = Array.from({ length: 600 }, (_, i) => String(1000 + i)).join(" ") + "!";
  assertEquals(words.length, 3000);
  const oneWord = "👩‍🔬é".repeat(750); // a scientist of three code points, and an e with an accent
  assertEquals([...oneWord].length, 3000);

  await alice.type(`${words}\nthen\n${oneWord}\nlast\n`);
  await bob.stdout.until(": last\n");
  await peer.until(/: last$/);
  const prefix = `<From ${alice.address}>: `;
  const pieces = messagesOf(bob).map((line) => line.slice(prefix.length));
  const then = pieces.indexOf("then");
  assertEquals(pieces.slice(0, then).join(" "), words);
  assertEquals(pieces.slice(then + 1, -1).join(""), oneWord);
  for (const piece of pieces) assert(new TextEncoder().encode(piece).length <= 880, piece);
  for (const piece of pieces.slice(then + 1, -1)) assertMatch(piece, /^(👩‍🔬|é)+$/u);
  assertEquals(peer.received.map(({ text }) => text.slice(`INCOMING ${prefix}`.length)), pieces);

  // the same from a program that knows no limits: there the server cuts
  await peer.send(`MESSAGE ${words}`, server.port);
  await peer.send("MESSAGE end", server.port);
  await bob.stdout.until(": end\n");
  const cut = messagesOf(bob).slice(pieces.length).map((line) => line.slice(`<From ${peer.address}>: `.length));
  assertEquals(cut.slice(0, -1).join(" "), words);
});

Deno.test("room: a client listens to its server only", async () => {
  await using server = await startServer();
  await using alice = await joinRoom(server);
  await using bob = await joinRoom(server);
  await using stranger = openPeer();
  const port = Number(alice.address.split(":")[1]);
  const now = Date.now();
  for (
    const forged of [
      "INCOMING <From 10.0.0.1:1>: forged",
      "INCOMING<From 10.0.0.1:1>: forged\n",
      `INCOMING/1 epoch=0000000000000001 seq=1 at=${now} from=10.0.0.1:1\nforged`,
      "CLOSING/1 epoch=0000000000000001",
      "",
      "GREETING",
    ]
  ) await stranger.send(forged, port);
  await bob.type("genuine\n");
  await alice.stdout.until("genuine");
  await alice.endInput();
  assertEquals(await alice.exitCode(), 0);
  assertNotMatch(alice.stdout.text() + alice.stderr.text(), /forged|10\.0\.0\.1/);
  assertEquals(messagesOf(alice), [`<From ${bob.address}>: genuine`]);
  assertEquals(stranger.received, []);
});

/** About the size of the largest datagram that can be sent; macOS allows 9,216 bytes unless told otherwise. */
const LARGEST_BYTES = Deno.build.os === "darwin" ? 9_000 : 65_000;

Deno.test("room: the server forwards nothing from strangers, and no bytes stop it", async () => {
  await using server = await startServer();
  await using alice = await joinRoom(server);
  await using stranger = openPeer();
  const token = "0123456789abcdef";
  for (
    const bytes of [
      "",
      "MESSAGE forged: has not greeted",
      `MESSAGE/1 token=${token} stream=${token} id=1\nforged: no such token`,
      "greeting",
      "HELLO/2 a=b",
      "GREETING/1",
      "GREETING/1 id=1 id=2",
      "\0".repeat(2000),
      Uint8Array.from({ length: LARGEST_BYTES }, (_, i) => i * 7),
      crypto.getRandomValues(new Uint8Array(1200)),
    ]
  ) await stranger.send(bytes, server.port);
  await stranger.send("GREETING", server.port);
  assertEquals(await server.arrival(2), stranger.address);
  await stranger.send("MESSAGE genuine", server.port);
  await alice.stdout.until("genuine");
  await stranger.until(/genuine/);
  assertEquals(messagesOf(alice), [`<From ${stranger.address}>: genuine`]);
  // whoever seems to have been a member is told to greet; nobody else gets an answer
  const answers = stranger.received.map(({ text }) => text.replace(/ sum=\S+/, "").split(/[ \n]/, 2).join(" "));
  assertEquals(answers, [`ERROR/1 token=${token}`, "INCOMING <From"]);
  assertEquals(server.stderr.text(), "");
});

signalTest("room: Ctrl-C ends a client in a pipe, and the others see it go", async () => {
  await using server = await startServer();
  await using alice = await joinRoom(server);
  await using bob = await joinRoom(server);
  // both are surely told of each other before one goes
  await bob.type("bye\n");
  await alice.stdout.until(": bye\n");
  await alice.stdout.until(`[${bob.address}] is Online\n`);
  await stops(bob, "SIGINT");
  await alice.stdout.until(`[${bob.address}] is Offline\n`);
  assertEquals(bob.stderr.text(), "");
});
