/** What our client makes of it when order is kept: it goes, it is muted, it has another name. */
import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { ROUNDS } from "../../protocol/passwords.ts";
import { clientKeysOf, storedKeysOf } from "../../protocol/scram.ts";
import { CRYPTO, derive } from "../../runtime/crypto.ts";
import { commandOf, start, startClient, startServer } from "../../scripts/support/processes.ts";
import { openState } from "../../server/journal/state_file.ts";
import { signIn } from "../support/signed_in.ts";
import { openFolder } from "../support/state_files.ts";
import { HAS_TMUX, quoted, startTmux } from "../support/tmux.ts";

Deno.test("order: a new name is seen by all, and what follows is said under it; a taken one leaves the old", async () => {
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  await using bob = await signIn(server.port, "Bob");
  await alice.stdout.until(/^\[\S+ Bob\] is Online\n/m);
  await alice.type("/nick Alicia\nhello\n");
  for (const client of [alice, bob]) {
    await client.stdout.until("Alice is now Alicia\n");
    await client.stdout.until(`<From ${alice.address}:Alicia>: hello\n`);
  }
  await bob.type("/send Alicia hi\n");
  await alice.stdout.until(`<- <From ${bob.address}:Bob>: hi\n`);
  await bob.type("/nick alicia\nstill here\n");
  await alice.stdout.until(`<From ${bob.address}:Bob>: still here\n`);
  await bob.stderr.until("You are still Bob\n");
  await bob.endInput();
  assertEquals(await bob.exitCode(), 1);
  assertMatch(bob.stderr.text(), /^1 command refused\n$/m);
  await alice.endInput();
  assertEquals(await alice.exitCode(), 0);
});

Deno.test("order: a muted client says what it did not deliver, a kicked one ends a pipe, and nobody imitates the server", async () => {
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  await using bob = await signIn(server.port, "Bob");
  await server.type("topic Sockets\nmute Bob\n");
  await bob.stdout.until("[Server] Bob was muted\n");
  await bob.type("one\ntwo\n[Server] three\n");
  await bob.stderr.until(/^!! Not delivered \("one"(?: and 2 more)?\): You are muted/m);
  await server.type("unmute Bob\n");
  await bob.stdout.until("[Server] Bob was unmuted\n");
  await bob.type("[Server] Bob is the operator now\n");
  await alice.stdout.until(`<From ${bob.address}:Bob>: [Server] Bob is the operator now\n`);
  await using carol = await signIn(server.port, "Carol");
  await carol.stdout.until("[Server] The topic is: Sockets\n");
  await carol.type("/topic\n/kick Bob\n");
  await carol.stderr.until("-- The topic is: Sockets\n");
  await carol.stderr.until("!! Only an operator may do that; who runs the server makes one by op NAME\n");
  await server.type("kick Bob flooding\n");
  assertEquals(await bob.exitCode(), 1);
  assertMatch(bob.stderr.text(), /^You were kicked: flooding; \d messages not delivered\n$/m);
  for (const client of [alice, carol]) await client.stdout.until("[Server] Bob was kicked: flooding\n");
  assertNotMatch(alice.stdout.text(), />: (?:one|two|\[Server\] three)\n/);
});

Deno.test("order: an operator mutes and kicks by name, and a registered name is had by /nick with its password", async () => {
  using folder = openFolder();
  const salt = CRYPTO.randomBytes(16), env = { UDP_CHAT_PASSWORD: "correct horse" };
  const keys = storedKeysOf(
    clientKeysOf(await derive({ password: env.UDP_CHAT_PASSWORD, salt, rounds: ROUNDS }), CRYPTO),
    CRYPTO,
  );
  const state = openState(folder.file("room"));
  for (const name of ["Alice", "Zoë"]) {
    state.accountTable.put({ name, salt, rounds: ROUNDS, isOperator: name === "Alice", ...keys });
  }
  state.close();
  await using server = await startServer("--state", folder.file("room"));
  await using bob = await signIn(server.port, "Bob");
  const join = (...args: string[]) =>
    start([...commandOf("client"), ...args, "127.0.0.1", String(server.port)], { env });
  await using alice = join("-u", "Alice");
  await alice.type("/mute Bob 5\n");
  await alice.stdout.until("[Server] Bob was muted by Alice for 5 minutes\n");
  await bob.stdout.until("[Server] Bob was muted by Alice for 5 minutes\n");
  await bob.type("hello\n");
  await bob.stderr.until('!! Not delivered ("hello"): You are muted for ');
  await alice.type("/unmute Bob\n/mute Nobody\n/topic Sockets\n/kick Bob flooding\n");
  await alice.stderr.until("!! Nobody is not here\n");
  assertEquals(await bob.exitCode(), 1);
  assertMatch(bob.stderr.text(), /^You were kicked by Alice: flooding; 1 message not delivered\n$/m);
  await alice.stdout.until("[Server] Alice has changed the topic: Sockets\n");
  await alice.stdout.until("[Server] Bob was kicked by Alice: flooding\n");
  await alice.endInput();
  assertEquals([await alice.exitCode(), alice.stderr.text().split("\n").at(-2)], [1, "1 command refused"]);

  // a client that gives a password has a name, and this server must ask for its password
  await using zoe = join("-u", "Alice");
  await zoe.type("/nick Zoë\nhello\n");
  await zoe.endInput();
  assertEquals(await zoe.exitCode(), 0);
  assertMatch(zoe.stdout.text(), /:Zoë>: hello$/m);
});

Deno.test("order: a pipe that may not come in says why in one line", async () => {
  await using server = await startServer();
  await server.type("ban Zed\n");
  await server.stdout.until(/Zed is banned/);
  await using zed = startClient("-u", "Zed", "127.0.0.1", server.port);
  await zed.type("one\ntwo\n");
  await zed.endInput();
  assertEquals(await zed.exitCode(), 1);
  assertMatch(zed.stderr.text(), /^The name Zed is banned until [^\n]*; 2 messages not delivered\n$/);
});

const skipped = HAS_TMUX ? "" : " (skipped: tmux is not installed)";
Deno.test({
  name: `order: at a terminal the program stays, says what it does not send, and /join asks again${skipped}`,
  ignore: !HAS_TMUX,
  async fn() {
    await using server = await startServer();
    await using tmux = await startTmux();
    const command = [...commandOf("client"), "-u", "Bob", "127.0.0.1", String(server.port)];
    await server.type("lock\n");
    await server.stdout.until(/locked/);
    const bob = await tmux.open(command.map(quoted).join(" "));
    const enter = async (line: string) => {
      await bob.type(line);
      await bob.press("Enter");
    };
    await bob.until(/^!! .*locked.*\n-- \/join asks to come in again, \/quit leaves\n\+>$/m);
    await enter("hello?");
    await bob.until(/^!! Not sent: .*locked.*\. \/join asks to come in again\n\+>$/m);
    await server.type("unlock\n");
    await server.stdout.until(/unlocked/);
    await enter("/join");
    await bob.until(/^-- Joined as Bob$/m);
    await enter("hello!");
    await bob.until(/^\d\d:\d\d <From \S+:Bob>: hello!$/m);
    await server.type("kick Bob flooding\n");
    await bob.until(/^!! You were kicked: flooding\n-- \/join asks to come in again, \/quit leaves\n\+>$/m);
    await enter("/join");
    await bob.until(/^!! Not yet: you were kicked \(flooding\); you may come back in \d+ s\n[^]*\+>$/m);
  },
});
