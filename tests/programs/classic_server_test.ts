/** Our client with a server that only knows the classic dialect, like a student's. */
import { assert, assertEquals, assertLessOrEqual, assertMatch, assertNotMatch } from "@std/assert";
import { messagesOf, startClient, TESTS_BINARIES } from "../../scripts/support/processes.ts";
import { openPeer, type Peer } from "../support/classic_peer.ts";
import { type ClassicServerOptions, openClassicServer } from "../support/classic_server.ts";

/** Greets a classic server and waits until it is registered: it hears itself. */
async function register(peer: Peer, port: number): Promise<void> {
  await peer.send("GREETING", port);
  await peer.send("MESSAGEI am here", port);
  await peer.next();
}

Deno.test("classic server: a client in a pipe delivers its lines and exits with 0", async () => {
  await using server = openClassicServer();
  await using peer = openPeer();
  await register(peer, server.port);
  // beside it, one that stays: both take a few seconds to find out what the server speaks
  await using other = startClient("127.0.0.1", server.port);
  await using client = startClient("127.0.0.1", server.port);
  await server.greeted(3);
  const lines = ["one", "two words", "three, with an ä", "", "four ", "x".repeat(3000)];
  await client.type(lines.join("\n"));
  await client.endInput();
  assertEquals(await client.exitCode(), 0);

  const [, first] = (await peer.until(/: +one$/)).text.match(/^INCOMING <From (127\.0\.0\.1:\d+)>: /)!;
  const shown = messagesOf(client);
  for (const line of shown) assertMatch(line, new RegExp(`^<From ${first}>: `));
  const texts = shown.map((line) => line.slice(`<From ${first}>: `.length));
  assertEquals(texts.map((text) => text.trim()), server.said.slice(1).map((text) => text.trim()));
  assertEquals(texts.slice(0, 4).map((text) => text.trim()), ["one", "two words", "three, with an ä", "four"]);
  assertEquals(texts.slice(4).map((text) => text.trim()).join(""), lines.at(-1));
  assertMatch(client.stderr.text(), /^-- This server speaks the classic dialect/m);

  // the one that stays hears the others, and nothing harmful
  await other.stdout.until(`<From ${first}>: `);
  await other.type("hello\n");
  await other.stdout.until(/>: +hello$/m);
  await peer.send("MESSAGE\x1b[2Jhi there\u202e\x07", server.port);
  await other.stdout.until(new RegExp(`^<From ${peer.address}>: +\\?\\[2Jhi there\\?\\?$`, "m"));
  await other.type("and again\n");
  await peer.until(/^INCOMING <From .*>: +and again$/);
  await other.stdout.until(/: +and again$/m);
  await other.endInput();
  assertEquals(await other.exitCode(), 0);
  // deno-lint-ignore no-control-regex -- control characters are the point
  assertNotMatch(other.stdout.text(), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
});

Deno.test("classic server: without an echo the lines are sent, but nobody knows", async () => {
  await using server = openClassicServer({ echo: false });
  await using peer = openPeer();
  await peer.send("GREETING", server.port);
  await using client = startClient("127.0.0.1", server.port);
  await client.type("one\ntwo\nthree\n");
  await client.endInput();
  await peer.until(/^INCOMING <From .*>: +one$/);
  // somebody else's message shows that this is a classic server
  await peer.send("MESSAGEwelcome", server.port);
  await peer.until(/^INCOMING <From .*>: +three$/);
  assertEquals(await client.exitCode(), 1);
  assertMatch(client.stderr.text(), /\n3 messages sent, but this classic server does not say whether they arrived\n$/);
  assertEquals(messagesOf(client), [`<From ${peer.address}>: welcome`]);
  assertEquals(server.said.map((text) => text.trim()), ["one", "welcome", "two", "three"]);
});

Deno.test("classic server: without an echo, where nobody else speaks, each line goes out once, and the exit code is 1", async () => {
  if (TESTS_BINARIES) return console.log("Skipped: it waits for long, and is tested from the sources");
  await Promise.all([false, true].map(async (relays) => {
    await using server = openClassicServer({ echo: false, relays });
    await using client = startClient("127.0.0.1", server.port);
    await client.type("one\ntwo\nthree\n");
    await client.endInput();
    assertEquals(await client.exitCode(30_000), 1);
    assertEquals(server.said.map((text) => text.trim()), ["one", "two", "three"]);
    assertMatch(
      client.stderr.text(),
      /^-- Nothing has come back from the server, so what you say may be lost\. Each line is sent once, and not again /m,
    );
    assertMatch(client.stderr.text(), /3 messages sent, but nobody knows whether they arrived\n$/);
    const greetings = server.received.filter(({ text }) => text.startsWith("GREETING"));
    assertEquals(greetings.filter(({ text }) => text === "GREETING").length, 1);
    assertLessOrEqual(greetings.length, 26);
  }));
});

/** Servers with one habit each. */
const HABITS: Record<string, ClassicServerOptions> = {
  "forwards the bare line": { form: (text) => text },
  "forwards the bare line, with a line feed": { form: (text) => `${text}\n` },
  "forwards the message as it has come": { form: (text) => `MESSAGE${text}` },
  "writes a colon after INCOMING": { form: (text, from) => `INCOMING: <From ${from}>: ${text}` },
  "writes a line feed at the end": { form: (text, from) => `INCOMING <From ${from}>: ${text}\r\n` },
  "fills its buffer with NULs": { form: (text, from) => `INCOMING <From ${from}>: ${text}`.padEnd(512, "\0") },
  "answers from another port": { secondSocket: true },
  "sends everything twice to who greets twice": { list: true },
  "hands on what it does not know": { relays: true },
};

Deno.test("classic server: whatever its habits, it gets each line and one greeting once, and all that it sends is shown", async () => {
  await Promise.all(
    Object.entries(HABITS).map(async ([habit, options]) => {
      await using server = openClassicServer(options);
      await using client = startClient("127.0.0.1", server.port);
      await client.type("one\ntwo\nthree\n");
      await server.heard(3);
      await server.announce(" a word of somebody else");
      await client.stdout.until(/a word of somebody else$/m);
      const before = server.received.length;
      await client.type("four\n");
      await client.stdout.until(/four$/m);
      await client.type("five\n");
      await client.endInput();
      // another port may be any program of the server's machine
      assertEquals(await client.exitCode(), options.secondSocket ? 1 : 0, habit);
      assertEquals(server.said.map((text) => text.trim()), ["one", "two", "three", "four", "five"], habit);
      const last = server.received.slice(before).map(({ text }) => text.trim())
        .filter((text) => !options.secondSocket || text.startsWith("MESSAGE"));
      assertEquals(last, ["MESSAGE four", "MESSAGE five"], `${habit}: no further greeting`);
      assertEquals(server.received.filter(({ text }) => text === "GREETING").length, 1, habit);
      const shown = client.stdout.text().split("\n").slice(2, -1);
      const expected = ["one", "two", "three", "a word of somebody else", "four", "five"];
      assertEquals(shown.length, expected.length, `${habit}: ${shown}`);
      for (const [i, line] of shown.entries()) {
        assert(line.endsWith(` ${expected[i]}`) || line === expected[i], `${habit}: ${line}`);
      }
    }),
  );
});

Deno.test("classic server: one that answers what it does not know registers the client, whenever it is started, and the answer is shown once", async () => {
  await Promise.all([false, true].map(async (startsLate) => {
    await using server = openClassicServer({ complains: true, startsLate });
    await using client = startClient("127.0.0.1", server.port);
    if (startsLate) {
      await client.stderr.until("No answer from");
      server.begin();
    }
    await client.stderr.until("speaks the classic dialect");
    await server.greeted(1);
    await server.announce(" hello you");
    await client.stdout.until("hello you\n");
    await client.type("and hello to you\n");
    await client.stdout.until("and hello to you\n");
    await client.endInput();
    assertEquals(await client.exitCode(), 0);
    assertEquals(client.stdout.text().match(/Unknown command/g)?.length, 1);
    assertEquals(server.received.filter(({ text }) => text === "GREETING").length, 1);
    assertEquals(server.said.map((text) => text.trim()), ["and hello to you"]);
  }));
});

Deno.test("classic server: after its restart the client is registered again when two lines do not come back", async () => {
  await using server = openClassicServer();
  await using client = startClient("127.0.0.1", server.port);
  await client.type("one\n");
  await client.stdout.until(/: +one$/m);
  server.forget();
  await client.type("two\nand two\n");
  await client.stderr.until("The server no longer sends back what you say");
  await server.greeted(1);
  await client.type("three\n");
  await client.stdout.until(/: +three$/m);
  await client.stderr.until("The server sends lines back again");
  await server.announce(" a word of somebody else");
  await client.stdout.until("a word of somebody else\n");
  assertEquals(server.said.map((text) => text.trim()), ["one", "three"]);
});

Deno.test("classic server: a program on the machine of a server that is not there confirms nothing", async () => {
  await using gone = openPeer();
  await using bystander = openPeer();
  await using client = startClient("127.0.0.1", gone.port);
  await client.type("hi\n");
  await client.endInput();
  const { from } = await gone.next();
  const speaking = setInterval(() => bystander.send("<From 9.9.9.9:1>: hi", from).catch(() => {}), 50);
  try {
    assertEquals(await client.exitCode(30_000), 1);
  } finally {
    clearInterval(speaking);
  }
  assertMatch(client.stderr.text(), /\n1 message sent, but this classic server does not say whether it arrived\n$/);
});
