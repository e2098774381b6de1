/** A server with a state file: killed or stopped, it comes back as the room that it was. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../../scripts/support/ports.ts";
import {
  commandOf,
  messagesOf,
  type Process,
  start,
  startClient,
  startServer,
} from "../../scripts/support/processes.ts";
import { openPeer } from "../support/classic_peer.ts";
import { signalTest, stops } from "../support/signals.ts";

/** A folder for state files, gone at the end of the test. */
async function openFolder(): Promise<{ file: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "udp-chat-" });
  return { file: `${path}/room.db`, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Waits until a client shows a text, once. */
async function shows(client: Process, text: string): Promise<void> {
  await client.stdout.until(`: ${text}\n`);
  assertEquals(messagesOf(client).filter((line) => line.endsWith(`: ${text}`)).length, 1, text);
}

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  const test = signal === "SIGTERM" ? signalTest : Deno.test;
  test(`state: after ${signal} the room goes on: names, order, past, classic members`, async () => {
    await using folder = await openFolder();
    const first = await startServer(String(freePort()), "--state", folder.file);
    await using _ = first;
    await first.stdout.until(`Keeping the room in ${folder.file}\n`);
    await using alice = startClient("127.0.0.1", first.port, "--name", "Alice");
    await first.arrival(1);
    await using bob = startClient("127.0.0.1", first.port);
    const bobAddress = await first.arrival(2);
    await using peer = openPeer();
    await peer.send("GREETING", first.port);
    await first.arrival(3);
    await alice.type("before\n");
    for (const client of [alice, bob]) await shows(client, "before");
    await peer.until(/: before$/);

    first.kill(signal);
    assertEquals(await first.exitCode() === 0, signal === "SIGTERM");
    await alice.type("meanwhile\n");
    // that a client also notices a server that was killed takes its time, and is seen in restart_test.ts
    if (signal === "SIGTERM") await alice.stderr.until(/^-- The server has closed the room\..*\n/m);

    await using second = await startServer(String(first.port), "--state", folder.file);
    await second.stdout.until(`Keeping the room in ${folder.file}; 3 members from before\n`);
    for (const client of [alice, bob]) await shows(client, "meanwhile");
    // a classic member has not noticed anything, and its messages are taken without another greeting
    await peer.until(/^INCOMING <From .*:Alice>: meanwhile$/);
    await peer.send("MESSAGE still here", first.port);
    for (const client of [alice, bob]) await shows(client, "still here");
    assertEquals(second.arrivals(), [], "nobody had to come anew");
    assert(!/started anew/.test(alice.stderr.text() + bob.stderr.text()), alice.stderr.text());

    // one who comes now can't have Alice's name, and is shown what was said before the crash
    await using late = startClient("127.0.0.1", first.port, "--name", "alice");
    await late.endInput();
    assertEquals(await late.exitCode(), 1);
    assertMatch(late.stderr.text(), /The name alice is taken/);
    const shown = messagesOf(bob);
    await bob.type("/history\n");
    await bob.stderr.until("-- The last 3 messages:\n-- That was the past\n");
    await bob.type("/list\n");
    await bob.stdout.until("<- Signed In Users: Alice (and 2 unnamed)\n");
    await bob.type("after\n");
    await shows(alice, "after");
    await shows(bob, "after");
    assertEquals(messagesOf(bob).slice(0, 6), [...shown, ...shown], "the past is what it was");
    assertEquals(messagesOf(alice).map((line) => line.replace(/^<From [^>]*>: /, "")), [
      "before",
      "meanwhile",
      "still here",
      "after",
    ]);
    assertMatch(messagesOf(alice)[3], new RegExp(`^<From ${bobAddress}>`));
    for (const client of [alice, bob]) {
      await client.endInput();
      assertEquals(await client.exitCode(), 0);
    }
    await stops(second);
    assertEquals(second.stderr.text(), "");
  });
}

Deno.test("state: a client whose own messages come back by no echo goes on too", async () => {
  await using folder = await openFolder();
  const first = await startServer(String(freePort()), "--state", folder.file, "--no-echo");
  await using _ = first;
  await using alice = startClient("127.0.0.1", first.port);
  await first.arrival(1);
  await using bob = startClient("127.0.0.1", first.port);
  await first.arrival(2);
  await alice.type("one\n");
  await shows(bob, "one");
  first.kill("SIGKILL");
  await first.exitCode();
  await alice.type("two\n");
  await using second = await startServer(String(first.port), "--state", folder.file, "--no-echo");
  await shows(bob, "two");
  await bob.type("three\n");
  await shows(alice, "three");
  assertEquals(messagesOf(alice).length, 1);
  assertEquals(messagesOf(bob).length, 2);
  assertEquals(second.arrivals(), []);
  for (const client of [alice, bob]) {
    await client.endInput();
    assertEquals(await client.exitCode(), 0, client.stderr.text());
  }
});

/** A server that is to end with exit code 2 and one line. */
async function refused(flags: string[], pattern: RegExp): Promise<void> {
  await using server = start([...commandOf("server"), "0", ...flags]);
  assertEquals(await server.exitCode(), 2);
  assertMatch(server.stderr.text(), /^The state file [^\n]* can't be used: [^\n]+\n$/);
  assertMatch(server.stderr.text(), pattern);
  assertEquals(server.stdout.text(), "", "nobody is told to join");
}

Deno.test("state: a file that can't be used ends the server with one line", async () => {
  await using folder = await openFolder();
  await Deno.writeTextFile(folder.file, "Dear diary,\n");
  await refused(["--state", folder.file], /it belongs to another program; give another name$/m);
  assertEquals(await Deno.readTextFile(folder.file), "Dear diary,\n");
  await refused(["--state", `${folder.file}/x`], /give another name$/m);

  await Deno.remove(folder.file);
  await using _ = await startServer("--state", folder.file);
  await refused(["--state", folder.file], /another server is using it; stop that one, or give another name$/m);
});

Deno.test("state: without the permission for files, the line says which flags are missing", async () => {
  await using folder = await openFolder();
  const command = [Deno.execPath(), "run", "--no-prompt", "--allow-net", "server.ts", "0", "--state", folder.file];
  await using server = start(command);
  assertEquals(await server.exitCode(), 2);
  assertMatch(
    server.stderr.text(),
    /^The state file .* add --allow-read and --allow-write \(or -A\) behind 'deno run'\n$/,
  );
});
