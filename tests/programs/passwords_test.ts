/** Names with passwords: the real programs on real sockets, in terminals and in pipes. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { toHex } from "../../protocol/bytes.ts";
import { ROUNDS } from "../../protocol/passwords.ts";
import { clientKeysOf, storedKeysOf } from "../../protocol/scram.ts";
import { CRYPTO, derive } from "../../runtime/crypto.ts";
import { commandOf, joinRoom, type Process, start, startClient, startServer } from "../../scripts/support/processes.ts";
import { openState } from "../../server/journal/state_file.ts";
import { openServerByHand } from "../support/server_by_hand.ts";
import { openFolder } from "../support/state_files.ts";
import { openTap } from "../support/tap.ts";
import { HAS_TMUX, quoted, startTmux, type Terminal } from "../support/tmux.ts";

const PASSWORD = "correct horse", OTHER = "battery staple";

/** Types lines into a terminal, each behind its prompt. */
async function answer(terminal: Terminal, ...lines: [prompt: RegExp, line: string][]): Promise<void> {
  for (const [prompt, line] of lines) {
    await terminal.until(prompt);
    await terminal.type(line);
    await terminal.press("Enter");
  }
}

Deno.test({
  name: `accounts: a name is registered, taken elsewhere and given up in terminals${HAS_TMUX ? "" : " (needs tmux)"}`,
  ignore: !HAS_TMUX,
  async fn() {
    using folder = openFolder();
    const [first, second] = [folder.file("first"), folder.file("second")];
    await using server = await startServer("--state", folder.file("room"));
    await using tap = openTap(server.port);
    await using tmux = await startTmux();
    await using bob = await joinRoom(server);
    const command = [...commandOf("client"), "--nat", "-u", "Alice", "127.0.0.1", String(tap.port)].map(quoted).join(
      " ",
    );
    const alice = await tmux.open(`${command}; echo left $?; cat`, { record: first });

    // the question is late, and what was typed for it before is neither shown again nor said
    await bob.stdout.until(/ Alice\] is Online/);
    tap.isOpen = false;
    await answer(alice, [/^\+>$/m, "/register"], [/\/register\n\+>$/, "/tooearly"]);
    await alice.until(/^!! Not sent, as it was typed before the question was answered\n\+>$/m);
    await alice.type("tooearly");
    await alice.until(/^\+> tooearly$/m);
    tap.isOpen = true;
    await alice.until(
      /^-- Just Enter .*\n-- What you had begun to type is gone: it may have been the password\nNew password for Alice:$/m,
    );
    // a question stays where it is when lines are printed above it, and shows nothing of its answer
    await alice.type(PASSWORD.slice(0, 7));
    await alice.press("Tab", "Up");
    await bob.type("an interruption\n");
    await alice.until(/: an interruption\nNew password for Alice:$/);
    await alice.resize(70);
    await alice.type(PASSWORD.slice(7));
    await alice.press("Enter");
    await answer(alice, [/\nAgain:$/, PASSWORD]);
    await alice.until(/^-- The name Alice is yours now: only who knows its password gets it\n\+>$/m);
    // earlier lines come back by the arrow key, and passwords do not
    await alice.press("Up");
    await alice.until(/^\+> \/register$/m);
    await alice.press("Up");
    await alice.until(/^\+> \/register$/m);

    // another device, where something was typed before the question came: it is not the password, and not said
    tap.isOpen = false;
    const other = await tmux.open(`${command}; echo left $?; cat`, { record: second });
    await answer(other, [/^\+>$/m, "typed too early"]);
    await other.type("typed too soon");
    await other.until(/^\+> typed too soon$/m);
    tap.isOpen = true;
    await other.until(/^!! Not sent, as it was typed before the question: 1 line$/m);
    await other.until(/^-- What you had begun to type is gone: it may have been the password\nPassword for Alice:$/m);
    // what is pasted behind the end of the answer is dropped, and told
    await other.type(`${OTHER}\nfrom the clipboard\n`);
    const lost = "-- What you typed meanwhile is gone: it was not sent";
    await other.until(RegExp(`^!! That is not the password of Alice \\(.*\\)\n${lost}\nPassword for Alice:$`, "m"));
    await other.type(`${PASSWORD}\nalso from the clipboard\n`);
    await other.until(RegExp(`(${lost}\n[^]*){2}\n\\+>$`));
    await alice.until(/^!! Somebody has signed in elsewhere/m);
    await other.press("Up", "Enter");
    await other.type("a whole line");
    await other.press("Enter");
    await bob.stdout.until(/:Alice>: a whole line\n/);

    await answer(other, [/^\+>$/m, "/password"], [/Password for Alice:$/, PASSWORD]);
    await answer(other, [/New password for Alice:$/, OTHER], [/Again:$/, OTHER]);
    await other.until(/^-- The password of Alice is changed\n\+>$/m);
    await answer(other, [/^\+>$/m, "/unregister"], [/Password for Alice:$/, OTHER]);
    await other.until(/^-- The name Alice is not protected any more\n\+>$/m);
    // Ctrl-D ends such a question, and nothing else; Ctrl-C leaves
    await answer(other, [/^\+>$/m, "/register"]);
    await other.until(/^-- Just Enter changes nothing\nNew password for Alice:$/m);
    await other.press("C-d");
    await other.until(/^-- Nothing was changed\n\+>$/m);
    await answer(other, [/^\+>$/m, "/register"]);
    await other.until(/New password for Alice:$/);
    await other.type("sesam");
    await other.press("C-c");
    await other.until(/^left 0$/m);
    assertEquals(bob.stdout.text().match(/too ?early|too soon|clipboard/g), null);

    // nothing of a password is written to a terminal, or to the wire
    for (const recorded of [await Deno.readTextFile(first), await Deno.readTextFile(second)]) {
      assertMatch(recorded, /assword for Alice: /);
      for (const secret of ["correct", "horse", "battery", "staple", "sesam"]) {
        assert(!recorded.includes(secret), secret);
      }
    }
    const wire = tap.passed.join("\n");
    assertMatch(wire, /sealed=/);
    for (const secret of [PASSWORD, OTHER]) {
      const bytes = new TextEncoder().encode(secret);
      for (const form of [secret, toHex(bytes), btoa(secret)]) assert(!wire.includes(form));
    }
  },
});

Deno.test({
  name: `accounts: behind a password, while the server is silent, Ctrl-C and Ctrl-D leave${
    HAS_TMUX ? "" : " (needs tmux)"
  }`,
  ignore: !HAS_TMUX,
  async fn() {
    using folder = openFolder();
    await registerAlice(folder.file("room"));
    await using server = await startServer("--state", folder.file("room"));
    await using tap = openTap(server.port);
    await using tmux = await startTmux();
    const args = ["--nat", "-u", "Alice", "127.0.0.1", String(tap.port)];
    const command = [...commandOf("client"), ...args].map(quoted).join(" ");
    for (const key of ["C-c", "C-d"]) {
      tap.isOpen = true;
      const alice = await tmux.open(`${command}; echo left $?; cat`);
      await alice.until(/Password for Alice:$/);
      tap.isOpen = false;
      await alice.press("Escape");
      await alice.type(`${PASSWORD}\nhello`);
      await alice.press(key);
      await alice.until(/Password for Alice:\nleft 0$/);
    }
  },
});

/** A file of a room in which Alice is registered. */
async function registerAlice(path: string): Promise<void> {
  const salt = CRYPTO.randomBytes(16);
  const keys = clientKeysOf(await derive({ password: PASSWORD, salt, rounds: ROUNDS }), CRYPTO);
  const state = openState(path);
  state.accountTable.put({ name: "Alice", salt, rounds: ROUNDS, isOperator: false, ...storedKeysOf(keys, CRYPTO) });
  state.close();
}

/** Lets a client end that says one line, and returns its exit code and what it complained of. */
async function say(client: Process, line = "hello"): Promise<[number, string]> {
  await client.type(`${line}\n`).catch(() => {});
  await client.endInput().catch(() => {});
  return [await client.exitCode(), client.stderr.text().trimEnd()];
}

Deno.test("accounts: in a pipe the password comes from a file or the environment, and the exit code tells", async () => {
  using folder = openFolder();
  await registerAlice(folder.file("room"));
  const [right, wrong] = [folder.file("right"), folder.file("wrong")];
  await Deno.writeTextFile(right, `${PASSWORD}\r\nnot this\n`);
  await Deno.writeTextFile(wrong, OTHER);
  await using server = await startServer("--state", folder.file("room"));
  await using bob = await joinRoom(server);
  const alice = ["-u", "Alice", "127.0.0.1", String(server.port)];

  await using byFile = startClient("--password-file", right, ...alice);
  assertEquals(await say(byFile, "by file"), [0, ""]);
  await using byVariable = start([...commandOf("client"), ...alice], { env: { UDP_CHAT_PASSWORD: PASSWORD } });
  assertEquals(await say(byVariable, "by variable"), [0, ""]);
  await bob.stdout.until(/:Alice>: by file\n[^]*:Alice>: by variable\n/);

  await using mistaken = startClient("--password-file", wrong, ...alice);
  assertEquals(await say(mistaken), [1, "That is not the password of Alice; 1 message not delivered"]);
  await using unproven = startClient(...alice);
  const where = "give its password by --password-file FILE or UDP_CHAT_PASSWORD";
  const [code, complaint] = await say(unproven);
  // the refusal may come before the line is read
  assertEquals([code, complaint.split("; ")[0]], [1, `The name Alice is registered here: ${where}`]);
  await using other = startClient("-u", "Zoë", "127.0.0.1", server.port);
  const [exitCode, rejection] = await say(other, "/register");
  assertEquals(exitCode, 1);
  assertMatch(rejection, /^!! \/register asks for a password, which does not come from a pipe/);
});

Deno.test("accounts: a password file that can't be used, and a password as an argument, are usage errors", async () => {
  using folder = openFolder();
  await Deno.writeTextFile(folder.file("empty"), "\n");
  const wrong: [string[], RegExp][] = [
    [
      ["-u", "Alice", "--password-file", folder.file("missing")],
      /^The password can't be read from .*: there is no such file\n$/,
    ],
    [["-u", "Alice", "--password-file", folder.file("empty")], /^In the first line of .* there is no password/],
    [
      ["--password", PASSWORD],
      /^A password is not taken from the command line, where others on this computer can read/,
    ],
    [["--tcp", "--password-file", folder.file("empty")], /^--password-file is for UDP/],
    [["--password-file", folder.file("missing")], /^--password-file is for the name of -u\n$/],
  ];
  for (const [args, words] of wrong) {
    await using client = startClient(...args);
    assertEquals(await client.exitCode(), 2);
    assertMatch(client.stderr.text(), words);
    assert(!client.stderr.text().includes(PASSWORD));
  }
});

Deno.test("accounts: a server that does not know the password is left, and what was to be said is not", async () => {
  using folder = openFolder();
  await Deno.writeTextFile(folder.file("password"), PASSWORD);
  await using server = openServerByHand(
    "epoch=91c4be20d7a35f68 seq=0 name=Alice keepalive=1000 verifier=" + "0".repeat(64),
  );
  server.challenge = `address=CLIENT salt=${"5a".repeat(16)} rounds=${ROUNDS} nonce=b80d3f6217ca94e51f60a9d2e8c37b54`;
  await using client = startClient("-u", "Alice", "--password-file", folder.file("password"), "127.0.0.1", server.port);
  const [code, complaint] = await say(client, "a secret");
  assertEquals(code, 1);
  assertMatch(complaint, /^This server does not know the password of Alice, so it may not be the server that you/);
  assert(server.received.some((packet) => packet.includes(" proof=")));
  assert(!server.received.some((packet) => packet.startsWith("MESSAGE")));
});

Deno.test("accounts: a login that somebody passes on to the server is not finished, but for a NAT that is known of", async () => {
  using folder = openFolder();
  await registerAlice(folder.file("room"));
  await Deno.writeTextFile(folder.file("password"), PASSWORD);
  await using server = await startServer("--state", folder.file("room"));
  await using tap = openTap(server.port);
  const alice = ["-u", "Alice", "--password-file", folder.file("password"), "127.0.0.1", String(tap.port)];
  await using client = startClient(...alice);
  const [code, complaint] = await say(client, "a secret");
  assertEquals(code, 1);
  assertMatch(
    complaint,
    /^The server sees you at 127\.0\.0\.1:\d+, but you are at 127\.0\.0\.1:\d+: somebody may pass/,
  );
  assert(!tap.passed.some((datagram) => / proof=|^MESSAGE/.test(datagram)));
  await using knowing = startClient("--nat", ...alice);
  assertEquals(await say(knowing), [0, ""]);
});

Deno.test("accounts: a pipe says nothing to a server that does not ask for the password that was given", async () => {
  await using server = await startServer();
  await using bob = await joinRoom(server);
  const alice = ["-u", "Alice", "127.0.0.1", String(server.port)];
  await using client = start([...commandOf("client"), ...alice], { env: { UDP_CHAT_PASSWORD: PASSWORD } });
  const [code, complaint] = await say(client, "a secret");
  assertEquals(code, 1);
  assertMatch(complaint, /^The server has not asked for the password of Alice: the name is not registered here, or/);
  await using plain = startClient(...alice);
  assertEquals(await say(plain, "no secret"), [0, ""]);
  await bob.stdout.until(/:Alice>: no secret\n/);
  assert(!bob.stdout.text().includes("a secret"));
  // a password in the environment is for the name of -u, and for nothing without it
  for (const password of [PASSWORD, "x".repeat(1000)]) {
    const command = [...commandOf("client"), "127.0.0.1", String(server.port)];
    await using nameless = start(command, { env: { UDP_CHAT_PASSWORD: password } });
    assertEquals(await say(nameless, "no name"), [0, ""]);
  }
});

for (const code of ["too-many-tries", "room-full"]) {
  Deno.test({
    name: `accounts: a terminal goes on when a password that was typed has the answer ${code}${
      HAS_TMUX ? "" : " (needs tmux)"
    }`,
    ignore: !HAS_TMUX,
    async fn() {
      await using server = openServerByHand("epoch=91c4be20d7a35f68 seq=0 name=Alice keepalive=1000");
      const nonce = "b80d3f6217ca94e51f60a9d2e8c37b54";
      server.challenge = `address=CLIENT salt=${"5a".repeat(16)} rounds=${ROUNDS} nonce=${nonce}`;
      server.refusal = `code=${code}\nNot now`;
      await using tmux = await startTmux();
      const command = [...commandOf("client"), "-u", "Alice", "127.0.0.1", String(server.port)].map(quoted).join(" ");
      const alice = await tmux.open(`${command}; echo left $?; cat`);
      await answer(alice, [/Password for Alice:$/, PASSWORD]);
      await alice.until(/^!! Not now\. Trying again with the password that you have typed: .*\n\+>$/m);
      await alice.type("/quit");
      await alice.until(/^\+> \/quit$/m);
      await alice.press("Enter");
      await alice.until(/^left 0$/m);
    },
  });
}
