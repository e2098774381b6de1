/**
 * The client in a pipe that is broken, endless or full: what was typed is delivered, and the exit code tells the rest.
 */
import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { freePort } from "../../scripts/support/ports.ts";
import {
  commandOf,
  joinRoom,
  messagesOf,
  start,
  startClient,
  startServer,
  TESTS_BINARIES,
} from "../../scripts/support/processes.ts";
import { hasPython } from "../support/python.ts";
import { HAS_SIGNALS, signalTest } from "../support/signals.ts";
import { signIn } from "../support/signed_in.ts";
import { quoted } from "../support/tmux.ts";

/** How often something is said to a client until it notices that nobody reads, in milliseconds. */
const ASK_AGAIN_MS = 200;

/** A shell's test: Windows has none of these pipes. */
function shellTest(name: string, fn: () => Promise<void>): void {
  const reason = HAS_SIGNALS ? "" : " (skipped: Windows has no such shell)";
  Deno.test({ name: `pipes: ${name}${reason}`, ignore: !HAS_SIGNALS, fn });
}

/** Starts a line of a shell in which CLIENT stands for the client; it prints the client's exit code in the end. */
function shell(line: string, port: number, ...flags: string[]) {
  const client = [...commandOf("client"), ...flags, "127.0.0.1", String(port)].map(quoted).join(" ");
  const script = line.replace("CLIENT", `{ ${client}; echo "exit code $?" >&2; }`);
  return start(["sh", "-c", script]);
}

Deno.test("pipes: a question alone is answered before the client leaves", async () => {
  await using server = await startServer();
  for (
    const [line, answer] of [["list", /^<- Signed In Users: Alice\n/m], ["/whois alice", /^<- Alice is at /m]] as const
  ) {
    await using client = startClient("-u", "Alice", server.port);
    await client.type(`${line}\n`);
    await client.endInput();
    assertEquals(await client.exitCode(), 0, client.stderr.text());
    assertMatch(client.stdout.text(), answer);
  }
});

Deno.test("pipes: the past is shown to whoever asks for nothing else", async () => {
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  await using client = startClient(server.port);
  await client.type("/history\n");
  await client.endInput();
  assertEquals(await client.exitCode(), 0, client.stderr.text());
  assertEquals(messagesOf(client), [`<From ${alice.address}:Alice>: here`]);
});

Deno.test("pipes: 1,000 direct messages at once all arrive", async () => {
  if (TESTS_BINARIES) return console.log("Skipped: it waits for long, and is tested from the sources");
  await using server = await startServer();
  await using bob = await signIn(server.port, "Bob");
  await using alice = startClient("-u", "Alice", server.port);
  const count = 1000;
  await alice.type(Array.from({ length: count }, (_, i) => `send Bob line ${i + 1}\n`).join(""));
  await alice.endInput();
  assertEquals(await alice.exitCode(60_000), 0, alice.stderr.text().slice(-300));
  await bob.stdout.until(`: line ${count}\n`);
  const lines = [...bob.stdout.text().matchAll(/^<- <From \S+:Alice>: line (\d+)$/mg)].map(([, number]) =>
    Number(number)
  );
  assertEquals(lines, Array.from({ length: count }, (_, i) => i + 1));
});

Deno.test("pipes: what stands behind quit is not sent", async () => {
  await using server = await startServer();
  await using bob = await joinRoom(server);
  for (const quit of ["quit", "/quit", "  /exit"]) {
    await using client = startClient(server.port);
    await client.type(`before ${quit}\n${quit}\nbehind\n/nonsense\n`);
    assertEquals(await client.exitCode(), 0, client.stderr.text());
    await bob.stdout.until(`before ${quit}\n`);
    assertEquals(client.stderr.text(), "");
  }
  await bob.type("the end\n");
  await bob.stdout.until(": the end\n");
  assertNotMatch(bob.stdout.text(), /behind/);
});

shellTest("a full disk behind standard output: everything is sent, then it says so", async () => {
  if (Deno.build.os !== "linux") return; // nobody else has a /dev/full
  await using server = await startServer();
  await using bob = await joinRoom(server);
  await using client = shell("seq 1 50 | CLIENT >/dev/full", server.port);
  await client.exitCode();
  assertEquals(client.stderr.text(), "Standard output can't be written: No space left on device\nexit code 1\n");
  await bob.stdout.until(": 50\n");
  assertEquals(messagesOf(bob).map((line) => line.split(": ")[1]), Array.from({ length: 50 }, (_, i) => `${i + 1}`));
});

shellTest("nobody reads standard output any more: what is there is sent, then it says so", async () => {
  await using server = await startServer("--rate", "0");
  await using bob = await joinRoom(server);
  await using client = shell("seq 1 2000 | CLIENT | head -n 1", server.port);
  await client.exitCode(60_000);
  assertEquals(client.stderr.text(), "Standard output can't be written: Broken pipe\nexit code 1\n");
  await bob.stdout.until(": 2000\n");
  assertEquals(messagesOf(bob).length, 2000);
});

shellTest("nobody reads an endless client any more: it leaves when there is something to show", async () => {
  await using server = await startServer();
  await using bob = await joinRoom(server);
  await using client = shell("CLIENT | head -n 1", server.port);
  const address = await server.arrival(2);
  await client.type("the last word\n");
  await bob.stdout.until(`<From ${address}>: the last word\n`);
  // head may not have ended yet when the first of these is written
  const asking = setInterval(() => void bob.type("is anybody there?\n"), ASK_AGAIN_MS);
  await client.stderr.until("exit code").finally(() => clearInterval(asking));
  assertEquals(client.stderr.text(), "Standard output can't be written: Broken pipe\nexit code 1\n");
  await server.stdout.until(`Client (127.0.0.1, ${address.split(":")[1]}) left at `);
});

shellTest("a standard output that does not block loses nothing when it is full for a while", async () => {
  if (Deno.build.os !== "linux" || !await hasPython()) {
    return console.log("Skipped: it takes Linux and python3 to make such a pipe");
  }
  await using server = await startServer("--rate", "0");
  // a pipe of one page (F_SETPIPE_SZ), from which nothing is read before it has long been full
  const unblock = "import fcntl,os,sys; fcntl.fcntl(1, 1031, 4096); " +
    "fcntl.fcntl(1, fcntl.F_SETFL, fcntl.fcntl(1, fcntl.F_GETFL) | os.O_NONBLOCK); os.execvp(sys.argv[1], sys.argv[1:])";
  const client = [...commandOf("client"), "127.0.0.1", String(server.port)].map(quoted).join(" ");
  const input = `seq 1000 1999 | sed "s/$/ ${"x".repeat(400)}/"`;
  await using bob = await joinRoom(server);
  await using program = start([
    "sh",
    "-c",
    `exec 3<&0; ${input} | { python3 -c ${quoted(unblock)} ${client}; echo "exit code $?" >&2; } | ` +
    "{ read go <&3; cat; }",
  ]);
  // all that may be under way at once is more than the pipe takes
  await bob.stdout.until(/: 1020 x/);
  await program.type("go\n");
  assertEquals(await program.exitCode(60_000), 0);
  assertEquals(program.stderr.text(), "exit code 0\n");
  assertEquals(messagesOf(program).length, 1000);
});

signalTest("pipes: SIGHUP says goodbye like SIGTERM", async () => {
  await using server = await startServer();
  await using client = await signIn(server.port, "Alice");
  client.kill("SIGHUP");
  assertEquals(await client.exitCode(), 0);
  await server.stdout.until(`Client (127.0.0.1, ${client.address.split(":")[1]}) left at `);
});

Deno.test("pipes: more lines than wait for a server that does not answer end in 10 s too, although not all are read", async () => {
  if (TESTS_BINARIES) return console.log("Skipped: it waits for long, and is tested from the sources");
  const port = freePort();
  await using client = startClient("127.0.0.1", port);
  // in the background: nobody reads all of it
  const typing = client.type(Array.from({ length: 100_000 }, (_, i) => `line ${i + 1}\n`).join("")).catch(() => {});
  assertEquals(await client.exitCode(30_000), 1);
  assertMatch(
    client.stderr.text(),
    new RegExp(`^No answer from 127\\.0\\.0\\.1:${port}; 1000 messages sent, but nobody knows `, "m"),
  );
  await typing;
});
