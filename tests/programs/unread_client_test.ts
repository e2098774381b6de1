/** A client whose output nobody reads for a while: it stays a member, and can be ended. */
import { assert, assertEquals, assertNotMatch } from "@std/assert";
import {
  commandOf,
  type JoinedClient,
  joinRoom,
  messagesOf,
  type Server,
  startServer,
  TESTS_BINARIES,
} from "../../scripts/support/processes.ts";
import { openPeer } from "../support/classic_peer.ts";
import { contentOf } from "../support/files.ts";
import { HAS_SIGNALS, signalTest } from "../support/signals.ts";
import { HAS_TMUX, quoted, startTmux } from "../support/tmux.ts";
import { joinV1 } from "../support/v1_peer.ts";

/** How long a client may take to end, in milliseconds: a second for its output, and reserve. */
const END_MS = 8000;

/** Says lines of `length` characters, and leaves when all of them have arrived. */
async function flood(talker: JoinedClient, lines: number, length: number): Promise<void> {
  await talker.type(Array.from({ length: lines }, (_, i) => `${i + 1} `.padEnd(length, "x") + "\n").join(""));
  await talker.endInput();
  assertEquals(await talker.exitCode(60_000), 0, talker.stderr.text());
}

/** Waits until a client has shown so many lines of a flood, and asserts that they are complete and in order. */
async function assertShown(client: JoinedClient, lines: number): Promise<void> {
  await client.stdout.until(new RegExp(`: ${lines} x+\n`), 60_000);
  const numbers = messagesOf(client).map((line) => Number(/: (\d+) /.exec(line)?.[1]));
  assertEquals(numbers, Array.from({ length: lines }, (_, i) => i + 1));
}

/** Waits for longer than a client that says nothing stays a member; the server has `--timeout 3`. */
async function outlastTimeout(server: Server): Promise<void> {
  await using silent = openPeer();
  await joinV1(silent, server.port);
  await server.stdout.until(`Client (127.0.0.1, ${silent.port}) fell silent at `);
}

/** The server's lines about the member at an address that was lost. */
function lossOf(address: string): RegExp {
  return new RegExp(`, ${address.split(":")[1]}\\) fell silent `);
}

Deno.test("unread client: with a full pipe it stays a member, and later everything is shown", async () => {
  await using server = await startServer("--timeout", "3", "--rate", "0");
  await using alice = await joinRoom(server);
  await using bob = await joinRoom(server);
  alice.stopReading();
  await flood(bob, 2000, 200);
  await outlastTimeout(server);
  alice.readOn();
  await assertShown(alice, 2000);
  assertNotMatch(server.stdout.text(), lossOf(alice.address));
  await alice.endInput();
  assertEquals(await alice.exitCode(), 0, alice.stderr.text());
});

Deno.test("unread client: more than it keeps is fetched later", async () => {
  if (TESTS_BINARIES) return console.log("Skipped: it waits for long, and is tested from the sources");
  await using server = await startServer(
    "--timeout",
    "3",
    "--rate",
    "0",
    "--window",
    "20000",
    "--window-bytes",
    String(1 << 30),
  );
  await using alice = await joinRoom(server);
  await using bob = await joinRoom(server);
  alice.stopReading();
  // 9.2 MB, of which it keeps 8 MiB
  await flood(bob, 11_000, 800);
  await outlastTimeout(server);
  await outlastTimeout(server);
  alice.readOn();
  await assertShown(alice, 11_000);
  assertNotMatch(server.stdout.text(), lossOf(alice.address));
  assertEquals(alice.stderr.text(), "");
  // what the system dropped while nothing was taken from the socket
  await alice.type("/stats\n");
  await alice.stderr.until(/, repaired [1-9]\d*, lost 0, /);
});

Deno.test("unread client: at the end of its input it waits until everything is read", async () => {
  await using server = await startServer("--rate", "0");
  await using alice = await joinRoom(server);
  await using bob = await joinRoom(server);
  alice.stopReading();
  await flood(bob, 2000, 200);
  await alice.endInput();
  await server.stdout.until(`Client (127.0.0.1, ${alice.address.split(":")[1]}) left at `);
  assert(!alice.ended());
  alice.readOn();
  assertEquals(await alice.exitCode(), 0, alice.stderr.text());
  await assertShown(alice, 2000);
});

signalTest("unread client: SIGTERM says goodbye, and ends it though nobody reads", async () => {
  await using server = await startServer("--rate", "0");
  await using alice = await joinRoom(server);
  await using bob = await joinRoom(server);
  alice.stopReading();
  await flood(bob, 2000, 200);
  alice.kill("SIGTERM");
  assertEquals(await alice.unreadExitCode(END_MS), 1);
  await server.stdout.until(`Client (127.0.0.1, ${alice.address.split(":")[1]}) left at `);
  alice.readOn();
  await alice.exitCode();
  assertEquals(alice.stderr.text(), "Standard output can't be written: nobody reads it\n");
});

/** A test that needs a terminal. */
function terminalTest(name: string, fn: () => Promise<void>): void {
  const reason = HAS_TMUX && HAS_SIGNALS ? "" : " (skipped: tmux is not installed)";
  Deno.test({ name: `unread client: ${name}${reason}`, ignore: reason !== "", fn });
}

/** The shell's words that start a client. */
function clientCommand(port: number): string {
  return [...commandOf("client"), "127.0.0.1", String(port)].map(quoted).join(" ");
}

terminalTest("a stopped terminal does not end the membership, and then shows what it has missed", async () => {
  await using server = await startServer("--timeout", "3", "--rate", "0");
  await using bob = await joinRoom(server);
  await using tmux = await startTmux();
  const terminal = await tmux.open(clientCommand(server.port));
  const address = await server.arrival(2);
  await terminal.until(/^\+>$/m);
  await terminal.type("half a");
  await terminal.until(/^\+> half a$/m);
  await tmux.stop();
  await flood(bob, 3000, 100);
  await outlastTimeout(server);
  tmux.goOn();
  const pattern = /^-- (\d+) lines not shown while the terminal was stopped\n(.*\n)*\+> half a$/m;
  const [, count] = pattern.exec(await terminal.until(pattern))!;
  assert(Number(count) > 500 && Number(count) < 3000, count);
  assertNotMatch(server.stdout.text(), lossOf(address));
  await terminal.type(" line");
  await terminal.press("Enter");
  // who has left is told a moment later
  await terminal.until(new RegExp(`<From ${address}>: half a line\\n(?:.* is Offline\\n)?\\+>$`));
});

terminalTest("in a stopped terminal, SIGTERM says goodbye and restores the terminal", async () => {
  await using server = await startServer("--rate", "0");
  await using bob = await joinRoom(server);
  await using tmux = await startTmux();
  const ended = await Deno.makeTempFile({ prefix: "udp-chat-" });
  try {
    const terminal = await tmux.open(
      `before=$(stty -g); sh -c 'echo "number $$"; exec "$@"' sh ${clientCommand(server.port)}; code=$?; ` +
        `{ echo "exit code $code"; test "$(stty -g)" = "$before" && echo as before; echo end; } >${quoted(ended)}; cat`,
    );
    const [, pid] = /^number (\d+)$/m.exec(await terminal.until(/^\+>$/m))!;
    const address = await server.arrival(2);
    await tmux.stop();
    await flood(bob, 2000, 100);
    Deno.kill(Number(pid), "SIGTERM");
    assertEquals((await contentOf(ended, /^[^]*end\n/, END_MS))[0], "exit code 0\nas before\nend\n");
    await server.stdout.until(`Client (127.0.0.1, ${address.split(":")[1]}) left at `);
  } finally {
    await Deno.remove(ended);
  }
});
