/** Servers that go away, come back and come late, under clients that stay. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../../scripts/support/ports.ts";
import { joinRoom, messagesOf, startClient, startServer } from "../../scripts/support/processes.ts";
import { openPeer } from "../support/classic_peer.ts";
import { signalTest } from "../support/signals.ts";

Deno.test("restart: two clients stay while the server is killed and started anew", async () => {
  const first = await startServer(String(freePort()));
  await using _ = first;
  await using alice = await joinRoom(first);
  await using bob = await joinRoom(first);
  await alice.type("before\n");
  await bob.stdout.until(": before\n");

  first.kill("SIGKILL");
  await first.exitCode();
  await alice.type("meanwhile, from Alice\n");
  await bob.type("meanwhile, from Bob\n");
  for (const client of [alice, bob]) await client.stderr.until(/^-- No answer from 127\.0\.0\.1:\d+ any more\..*\n/m);

  await using second = await startServer(String(first.port));
  await second.arrival(2);
  // by themselves, from the sockets that they had, and each of them once
  assertEquals(second.arrivals().toSorted(), [alice.address, bob.address].toSorted());
  for (const client of [alice, bob]) {
    await client.stderr.until(/^-- The server has started anew; joined again\n/m);
    await client.stdout.until(`<From ${alice.address}>: meanwhile, from Alice\n`);
    await client.stdout.until(`<From ${bob.address}>: meanwhile, from Bob\n`);
  }
  await alice.type("after, from Alice\n");
  await bob.stdout.until(`<From ${alice.address}>: after, from Alice\n`);
  await bob.type("after, from Bob\n");
  await alice.stdout.until(`<From ${bob.address}>: after, from Bob\n`);
  for (const client of [alice, bob]) {
    await client.endInput();
    assertEquals(await client.exitCode(), 0);
    assertEquals(messagesOf(client).length, 5, "each message once");
  }
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  signalTest(`restart: ${signal} stops the server, and its clients are told`, async () => {
    const first = await startServer(String(freePort()));
    await using _ = first;
    await using alice = await joinRoom(first);
    await using bob = await joinRoom(first);
    await using peer = openPeer();
    await peer.send("GREETING", first.port);
    await first.arrival(3);
    await alice.type("hello\n");
    await bob.stdout.until(": hello\n");

    first.kill(signal);
    assertEquals(await first.exitCode(), 0);
    assertMatch(
      first.stdout.text(),
      /\nClosed: 3 members joined, 3 here, 1 message in, \d+ datagrams out(?:; lost: .*)?\n$/,
    );
    assertEquals(first.stderr.text(), "");
    for (const client of [alice, bob]) {
      await client.stderr.until(/^-- The server has closed the room\..*\n/);
      assert(!client.ended(), "it waits for the server");
    }
    assertEquals(peer.received.map(({ text }) => text), [`INCOMING <From ${alice.address}>: hello`]);

    // one waits for the server to come back, the other does not
    bob.kill("SIGINT");
    assertEquals(await bob.exitCode(), 0);
    await alice.type("are you back?\n");
    await alice.stderr.until(/^-- The server does not answer; 1 message kept until it does\n/m);
    await using second = await startServer(String(first.port));
    await alice.stdout.until(": are you back?\n");
    assertEquals(second.arrivals(), [alice.address]);
  });
}

Deno.test("restart: a server that comes late gets what was typed before", async () => {
  const port = freePort();
  await using early = startClient("127.0.0.1", port);
  await using patient = startClient("127.0.0.1", port);
  await early.type("first\nsecond\nthird\n");
  await patient.type("me too\n");
  await patient.endInput();
  await early.stderr.until(/^!! No answer from /);
  await patient.stderr.until(/^!! No answer from /);

  await using server = await startServer(String(port));
  await early.stdout.until(": third\n");
  await early.stderr.until("-- The server has answered; joined\n");
  assertEquals(await patient.exitCode(), 0);
  await early.endInput();
  assertEquals(await early.exitCode(), 0);

  const [one, other] = server.arrivals();
  const texts = (client: typeof early) => messagesOf(client).map((line) => line.replace(/^<From [^>]*>: /, ""));
  assertEquals(texts(early).filter((text) => text !== "me too"), ["first", "second", "third"]);
  assertEquals(texts(patient).filter((text) => text === "me too"), ["me too"]);
  assertEquals(server.arrivals(), [one, other], "each of them joined once");
});
