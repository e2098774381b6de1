/** What goes wrong: one line that says what to do, and an exit code that tells the asked-wrongly from the failed. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { openPeer } from "../support/classic_peer.ts";
import {
  commandOf,
  messagesOf,
  type Program,
  ROOT,
  start,
  startClient,
  startServer,
  stops,
} from "../support/programs.ts";
import { DEADLINE_MS } from "../support/waiting.ts";

/** Longer than a client in a pipe waits for a server, in milliseconds. */
const DELIVERY_MS = 10_000 + DEADLINE_MS;

/** Runs a program to its end and returns its exit code and what it wrote. */
async function run(command: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  await using program = start(command);
  await program.endInput().catch(() => {});
  const code = await program.exitCode();
  return { code, stdout: program.stdout.text(), stderr: program.stderr.text() };
}

/** Runs a program that is to fail; it writes one line to standard error, which must be like the pattern. */
async function fails(command: string[], code: number, pattern: RegExp): Promise<void> {
  const ended = await run(command);
  assertMatch(ended.stderr, /^[^\n]+\n$/, `${command.join(" ")}: ${JSON.stringify(ended)}`);
  assertMatch(ended.stderr, pattern);
  assertEquals(ended.code, code, `${command.join(" ")}: ${ended.stderr}`);
}

const server = (...args: string[]) => [...commandOf("server"), ...args];
const client = (...args: string[]) => [...commandOf("client"), ...args];

/** A program run by Deno from its source, with the flags given to Deno in place of -A. */
const deno = (program: string, flags: string[], ...args: string[]) => [
  Deno.execPath(),
  "run",
  ...flags,
  `${program}.ts`,
  ...args,
];

Deno.test("failures: --help and --version", async () => {
  for (const [program, command] of [["server", server], ["client", client]] as const) {
    const help = await run(command("--help"));
    assertEquals([help.code, help.stderr], [0, ""]);
    assertMatch(help.stdout, new RegExp(`^udp-chat ${program}: .*\n\nUsage: .+ \\[.*\\]\n`));
    for (const line of help.stdout.split("\n")) assert(line.length <= 120, line);
    const version = await run(command("--version"));
    assertEquals([version.code, version.stderr], [0, ""]);
    assertMatch(version.stdout, new RegExp(`^udp-chat ${program} \\d+\\.\\d+\\.\\d+ \\(Deno \\d.*\\)\n$`));
  }
});

Deno.test("failures: the server's port is in use", async () => {
  await using first = await startServer();
  await fails(server(String(first.port)), 1, new RegExp(`^Port ${first.port} is in use.*give another port`));
});

Deno.test("failures: the server is asked wrongly", async () => {
  for (const port of ["65536", "-1", "12x", "9 0", "1e3"]) {
    await fails(server(`--port=${port}`), 2, new RegExp(`^'${port}' is no port: give a number from 0 to 65535`));
  }
  await fails(server("nine"), 2, /^'nine' is no port/);
  await fails(server("-sp"), 2, /^--port takes a value/);
  await fails(server("9090", "--port", "9091"), 2, /^The port is given twice/);
  await fails(server("0", "1"), 2, /^'1' is one argument too many/);
  await fails(server("--prot", "9090"), 2, /^There is no flag --prot; --help lists them/);
  await fails(server("-x"), 2, /^There is no flag -x/);
});

Deno.test("failures: the server's host is none of this machine", async () => {
  // 192.0.2.0/24 is nobody's (RFC 5737), and a name with an empty label can't be
  await fails(server("0", "--host", "192.0.2.99"), 2, /^This machine has no address 192\.0\.2\.99: give/);
  await fails(server("0", "--host", "no..such"), 2, /no\.\.such.*give/);
  await fails(server("0", "--host", "no such"), 2, /no such.*give/);
});

Deno.test("failures: the client is asked wrongly", async () => {
  await fails(client("127.0.0.1", "0"), 2, /^'0' is no port: give a number from 1 to 65535/);
  await fails(client("-sip", "127.0.0.1", "-sp", "ninety"), 2, /^'ninety' is no port/);
  await fails(client("127.0.0.1", "9090", "9091"), 2, /^'9091' is one argument too many/);
  await fails(client("--server", "127.0.0.1", "127.0.0.2", "9090"), 2, /given twice/);
  await fails(client("--sever", "127.0.0.1"), 2, /^There is no flag --sever/);
});

Deno.test("failures: the client's server has no address", async () => {
  await fails(client("no..such", "9090"), 2, /^There is no host 'no\.\.such': give the server's name or its address/);
  await fails(client("no such", "9090"), 2, /^There is no host 'no such'/);
  await fails(client("256.1.1.1", "9090"), 2, /^There is no host '256\.1\.1\.1'/);
});

Deno.test("failures: Deno has not given the permission", async () => {
  const pattern = /^Deno was not given the permission for that: add --allow-net \(or -A for all\) behind 'deno run'/;
  await fails(deno("server", ["--no-prompt"], "0"), 2, pattern);
  await fails(deno("client", ["--no-prompt"], "127.0.0.1"), 2, pattern);
  await fails(deno("client", ["--no-prompt"], "localhost"), 2, pattern);
});

Deno.test("failures: none with the permission for the network and no other", async () => {
  await using listening = start(deno("server", ["--no-prompt", "--allow-net"], "0"));
  const [, port] = await listening.stdout.until(/^Listening on .*:(\d+)$/m);
  await using speaking = start(deno("client", ["--no-prompt", "--allow-net"], "127.0.0.1", port));
  await speaking.type("hello\n");
  await speaking.endInput();
  assertEquals(await speaking.exitCode(), 0);
  assertEquals(messagesOf(speaking).length, 1);
  await stops(listening);
  assertEquals(listening.stderr.text() + speaking.stderr.text(), "");
});

Deno.test("failures: UDP is not switched on", async () => {
  // deno.json with all that the imports need and without "unstable"
  const { imports, vendor } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  try {
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports, vendor, lock: false }));
    const vendored = await Deno.stat(`${ROOT}/vendor`).catch(() => undefined);
    if (vendored) await Deno.symlink(await Deno.realPath(`${ROOT}/vendor`), `${folder}/vendor`, { type: "junction" });
    const flags = ["-A", "--quiet", "--config", `${folder}/deno.json`];
    const pattern = /^UDP is not switched on in this Deno: add --unstable-net behind 'deno run'$/m;
    await fails(deno("server", flags, "0"), 2, pattern);
    await fails(deno("client", flags, "127.0.0.1"), 2, pattern);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** A port on which nobody listens. */
async function unusedPort(): Promise<number> {
  await using peer = openPeer();
  return peer.port;
}

/** Waits until a client in a pipe has told that there is no answer, and then has given up. */
async function givesUp(client: Program, port: number, undelivered: string): Promise<void> {
  await client.stderr.until(
    new RegExp(`^!! No answer from 127\\.0\\.0\\.1:${port}\\. Is the server started, .* firewall .*\n`),
  );
  assert(!client.ended(), "it goes on trying");
  assertEquals(await client.exitCode(DELIVERY_MS), 1);
  assertMatch(client.stderr.text(), new RegExp(`\nNo answer from 127\\.0\\.0\\.1:${port}${undelivered}\n$`));
  assertEquals(messagesOf(client), []);
}

Deno.test("failures: nobody answers a client in a pipe", async () => {
  const port = await unusedPort();
  // a program that takes datagrams and says nothing looks the same from here
  await using mute = openPeer();
  await using speaking = startClient("127.0.0.1", port);
  await using heard = startClient("127.0.0.1", mute.port);
  await using silent = startClient("127.0.0.1", port);
  await using interrupted = startClient("127.0.0.1", port);
  await speaking.type("one\ntwo\n");
  await heard.type("hello\n");
  for (const client of [speaking, heard, silent]) await client.endInput();
  await interrupted.type("three\n");

  const leaves = async () => {
    await interrupted.stderr.until("No answer");
    if (!await stops(interrupted, "SIGINT", 1)) return;
    assertMatch(interrupted.stderr.text(), /\nNo answer from .*; 1 message not delivered\n$/);
  };
  await Promise.all([
    givesUp(speaking, port, "; 2 messages not delivered"),
    givesUp(heard, mute.port, "; 1 message not delivered"),
    givesUp(silent, port, ""),
    leaves(),
  ]);
  assertMatch(mute.received[0].text, /^GREETING\/1 sum=[0-9a-f]{8} id=\d+$/);
});
