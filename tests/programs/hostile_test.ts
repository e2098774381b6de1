/** Unusual ways to call the client, slips in a pipe, and greetings that were forged, with real programs. */
import { assertEquals, assertMatch } from "@std/assert";
import { commandOf, joinRoom, messagesOf, start, startClient, startServer } from "../../scripts/support/processes.ts";
import { openPeer } from "../support/classic_peer.ts";
import { joinV1 } from "../support/v1_peer.ts";

/** Says a line through a client that is called in some way, and returns what it showed. */
async function sayBy(...args: (string | number)[]): Promise<string> {
  await using client = startClient(...args);
  await client.type("hello\n");
  await client.endInput();
  assertEquals(await client.exitCode(), 0, `${args.join(" ")}: ${client.stderr.text()}`);
  assertEquals(messagesOf(client).length, 1);
  return messagesOf(client)[0];
}

Deno.test("addresses: the server's address and port in one word, or in the other way of writing it", async () => {
  await using server = await startServer("--host", "::");
  const { port } = server;
  assertMatch(await sayBy(`127.0.0.1:${port}`), /^<From 127\.0\.0\.1:\d+>: hello$/);
  assertMatch(await sayBy(`[::1]:${port}`), /^<From \[::1\]:\d+>: hello$/);
  assertMatch(await sayBy("::1", port), /^<From \[::1\]:\d+>: hello$/);
  assertMatch(await sayBy("::ffff:127.0.0.1", port), /^<From 127\.0\.0\.1:\d+>: hello$/);
});

Deno.test("addresses: a server that answers from another of its addresses is joined all the same", async () => {
  if (Deno.build.os !== "linux") return console.log("Skipped: only on Linux every 127.x.y.z is this machine");
  await using server = await startServer();
  assertMatch(await sayBy("127.0.0.2", server.port), /^<From 127\.0\.0\.1:\d+>: hello$/);
});

Deno.test("addresses: one that is good on one link only is refused with what to do", async () => {
  await using client = start([...commandOf("client"), "fe80::1%lo", "9090"]);
  assertEquals(await client.exitCode(), 2);
  assertMatch(client.stderr.text(), /^fe80::1%lo is an address of one link only.*: give another[^\n]*\n$/);
});

Deno.test("pipe: a line that is no command is not sent; the others are, and the exit code tells", async () => {
  await using server = await startServer();
  await using bob = await joinRoom(server);
  await using client = startClient("127.0.0.1", server.port);
  await client.type("one\n/hlep\ntwo\n/wave at me\nthree\n");
  await client.endInput();
  assertEquals(await client.exitCode(), 1);
  await bob.stdout.until(": three\n");
  assertEquals(messagesOf(bob).map((line) => line.replace(/^.*>: /, "")), ["one", "two", "three"]);
  assertMatch(
    client.stderr.text(),
    /^!! There is no command \/hlep.*\n!! There is no command \/wave.*\n[^\n]*2 [^\n]*\n$/,
  );
});

Deno.test("hostile: a forged greeting in version 1 does not silence a classic member", async () => {
  await using server = await startServer();
  await using victim = openPeer();
  await using other = openPeer();
  for (const peer of [victim, other]) await peer.send("GREETING", server.port);
  await server.arrival(2);
  // from the victim's own socket, which is as good as a forged source address
  await victim.send("GREETING/1 id=100", server.port);
  await victim.until(/^RETRY\/1 /);
  await other.send("MESSAGE to the victim", server.port);
  await victim.until(/^INCOMING <From .*>: to the victim$/);
  await victim.send("MESSAGE from the victim", server.port);
  await other.until(/^INCOMING <From .*>: from the victim$/);
  // with the cookie it is no forgery
  await joinV1(victim, server.port);
  await other.send("MESSAGE to the new one", server.port);
  await victim.until(/^INCOMING\/1 [^\n]*\nto the new one$/);
  await victim.send("MESSAGE a bare word", server.port);
  await other.send("MESSAGE the last", server.port);
  await other.until(/: the last$/);
  assertEquals(victim.received.filter(({ text }) => /^INCOMING .*(new one|bare word|the last)$/.test(text)), []);
  assertEquals(other.received.filter(({ text }) => text.includes("bare word")), []);
});
