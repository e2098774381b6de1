/** Direct messages between the real programs: they arrive, and their text never comes near the server. */
import { assert, assertEquals, assertGreater, assertMatch, assertNotMatch } from "@std/assert";
import { joinRoom, startClient, startServer } from "../../scripts/support/processes.ts";
import { openPeer } from "../support/classic_peer.ts";
import { openGateway } from "../support/gateway.ts";
import { stops } from "../support/signals.ts";
import { signIn } from "../support/signed_in.ts";

Deno.test("direct: Alice writes to Bob, and no datagram from or to the server has the text in it", async () => {
  await using server = await startServer();
  await using gateway = openGateway(server.port);
  await using alice = await signIn(gateway.port, "Alice");
  await using bob = await signIn(gateway.port, "Bob");

  await alice.type("send Bob hi, the word is Xyzzy\n");
  await bob.stdout.until(`<- <From ${alice.address}:Alice>: hi, the word is Xyzzy\n`);
  await alice.stderr.until("-- Delivered to Bob: hi, the word is Xyzzy\n");
  await bob.type("/reply Plugh to you\n");
  await alice.stdout.until(`<- <From ${bob.address}:Bob>: Plugh to you\n`);
  await bob.stderr.until("-- Delivered to Alice: Plugh to you\n");
  // what is said to all does pass
  await alice.type("for everyone\n");
  await bob.stdout.until(`<From ${alice.address}:Alice>: for everyone\n`);

  const { recorded } = gateway;
  const types = new Set(recorded.map(({ text }) => text.split(/[/ ]/)[0]));
  for (const type of ["LOOKUP", "PEER", "PUNCH", "SIGN-IN", "WELCOME"]) assert(types.has(type), [...types].join());
  assert(!types.has("OPEN"), "OPEN is for the peer");
  assertGreater(recorded.filter(({ text }) => text.includes("for everyone")).length, 1);
  const seen = recorded.filter(({ text }) => /xyzzy|plugh|hi, the/i.test(text));
  assertEquals(seen, [], "the text passed through the server");
  const messages = recorded.filter(({ toServer, text }) => toServer && text.startsWith("MESSAGE"));
  assertEquals(new Set(messages.map(({ text }) => text.split("\n")[1])), new Set(["here", "for everyone"]));

  for (const client of [alice, bob]) {
    await client.endInput();
    assertEquals(await client.exitCode(), 0);
  }
  if (await stops(server)) assertMatch(server.stdout.text(), /^Closed: .*\b3 messages in, /m);
});

Deno.test("direct: what can't be delivered is said with the reason, and the exit code is 1", async () => {
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  await alice.type("send Nobody x\n");
  await alice.stderr.until('!! Not delivered to Nobody ("x"): nobody here has that name\n');
  await alice.endInput();
  assertEquals(await alice.exitCode(), 1);
  assertMatch(alice.stderr.text(), /\n1 message not delivered\n$/);
});

Deno.test("direct: commands that stand in a pipe from the start are executed, and count for the exit code", async () => {
  await using server = await startServer();
  await using bob = await signIn(server.port, "Bob");
  await using alice = startClient("-u", "Alice", "127.0.0.1", server.port);
  await alice.type("list\nsend Bob from a pipe\n");
  await alice.endInput();
  assertEquals(await alice.exitCode(), 0, alice.stderr.text());
  assertMatch(alice.stdout.text(), /^<- Signed In Users: Alice, Bob\n/m);
  await bob.stdout.until(/^<- <From 127\.0\.0\.1:\d+:Alice>: from a pipe\n/m);
  assertMatch(alice.stderr.text(), /^-- Delivered to Bob: from a pipe\n/m);

  await using carole = startClient("-u", "Carole", "127.0.0.1", server.port);
  await carole.type("send Nobody x\n");
  await carole.endInput();
  assertEquals(await carole.exitCode(), 1, carole.stderr.text());
  assertMatch(carole.stderr.text(), /Not delivered to Nobody \("x"\): nobody here has that name\n/);
});

Deno.test("direct: many lines at once, each once and in order, long ones in pieces", async () => {
  await using server = await startServer();
  await using bob = await signIn(server.port, "Bob");
  await using alice = await signIn(server.port, "Alice");
  const lines = Array.from({ length: 300 }, (_, i) => `line ${i}`);
  const long = "word ".repeat(400).trim();
  await alice.type(lines.map((line) => `send Bob ${line}\n`).join("") + `send Bob ${long}\nsend Bob the end\n`);
  await alice.endInput();
  await bob.stdout.until(`<- <From ${alice.address}:Alice>: the end\n`);
  const prefix = `<- <From ${alice.address}:Alice>: `;
  const got = bob.stdout.text().split("\n").filter((line) => line.startsWith(prefix))
    .map((line) => line.slice(prefix.length));
  assertEquals(got.slice(0, 300), lines);
  assertEquals(got.slice(300, -1).join(" "), long);
  assertEquals(await alice.exitCode(), 0, alice.stderr.text());
});

Deno.test("direct: a classic member gets classic text, and its own line feed is its own affair", async () => {
  await using server = await startServer();
  await using dave = openPeer();
  await dave.send("SIGN-IN Dave\n", server.port);
  assertEquals((await dave.next()).text, "INCOMING Signed in as Dave\n");
  await using alice = await signIn(server.port, "Alice");
  assertEquals((await dave.next()).text, `INCOMING <From ${alice.address}:Alice>: here\n`);
  await alice.type("send dave psst\n");
  // from the server, which a connected socket hears too
  const passedOn = await dave.until(/psst/);
  assertEquals(passedOn.text, `INCOMING <- <From ${alice.address}:Alice> (through the server): psst\n`);
  assertEquals(passedOn.from.port, server.port);
  await alice.stderr.until("-- Sent through the server to Dave, whose classic program does not confirm: psst\n");
  await alice.type("/direct only\nsend dave straight\n");
  const { text, from } = await dave.until(/straight/);
  assertEquals(text.trimEnd(), `INCOMING <From ${alice.address}:Alice>: straight`);
  // from Alice's own socket: the server has nothing to do with it
  assertEquals(`${from.hostname}:${from.port}`, alice.address);
  await alice.stderr.until("-- Sent directly to Dave, whose program may not take it (nc -u does not): straight\n");
  await alice.endInput();
  assertEquals(await alice.exitCode(), 0);
});

Deno.test("direct: a stranger's datagrams are neither shown nor answered, with or without a pass", async () => {
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  await using bob = await signIn(server.port, "Bob");
  await using stranger = openPeer();
  for (const pass of ["", " pass=2be90f4417d6a3c8"]) {
    const forged = `MESSAGE/1${pass} stream=2be90f4417d6a3c8 id=1 first=1 name=Alice\nit is me, Alice`;
    await stranger.send(forged, Number(bob.address.split(":")[1]));
  }
  // what came after it is here, so what came before it was dropped
  await alice.type("send Bob hi\n");
  await bob.stdout.until(`<- <From ${alice.address}:Alice>: hi\n`);
  assertNotMatch(bob.stdout.text(), /it is me/);
  assertEquals(stranger.received, []);
});

Deno.test("direct: a message to oneself arrives", async () => {
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  await alice.type("send Alice a note\n");
  await alice.stdout.until(`<- <From ${alice.address}:Alice>: a note\n`);
  await alice.stderr.until("-- Delivered to Alice: a note\n");
});

Deno.test("direct: one without a name is answered by /reply, and written to by its address", async () => {
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  await using nobody = await joinRoom(server);
  const [, address] = await alice.stdout.until(/^\[(\S+)\] is Online\n/m);
  await nobody.type("/send Alice guess who\n");
  await alice.stdout.until(`<- <From ${address}>: guess who\n`);
  await alice.type("/reply no idea\n");
  await nobody.stdout.until(`<- <From ${alice.address}:Alice>: no idea\n`);
  await alice.stderr.until(`-- Delivered to ${address}: no idea\n`);
  await alice.type(`send ${address} tell me\n`);
  await nobody.stdout.until(`<- <From ${alice.address}:Alice>: tell me\n`);
  for (const client of [alice, nobody]) {
    await client.endInput();
    assertEquals(await client.exitCode(), 0, client.stderr.text());
  }
});
