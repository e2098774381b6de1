/** Our client on the TCP chat servers of others: two in Python as the assignments have them, and some that misbehave. */
import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { residentMemory } from "../../scripts/bench/measure.ts";
import {
  BANNER,
  commandOf,
  type Process,
  start,
  startClient,
  startServer,
  TESTS_BINARIES,
} from "../../scripts/support/processes.ts";
import { Changing, pause } from "../../scripts/support/waiting.ts";
import { pythonTest, startPython } from "../support/python.ts";
import { signalTest } from "../support/signals.ts";
import { HAS_TMUX, quoted, startTmux } from "../support/tmux.ts";

/** How long a client may take that waits 10 s for progress, in milliseconds. */
const GIVE_UP_MS = 40_000;

/** The beginning of a server in Python that does one thing; its buffers are small, so that they are soon full. */
const LISTEN = "import socket,struct,time; s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_RCVBUF,4096); " +
  "s.bind(('127.0.0.1',0)); s.listen(); print('Listening on port',s.getsockname()[1],flush=True)";

/** Starts our client on a TCP server. */
function join(port: number, ...flags: string[]): Process {
  return startClient("--tcp", ...flags, "127.0.0.1", port);
}

/** The port that a server in Python has printed. */
async function portOf(server: Process): Promise<number> {
  return Number((await server.stdout.until(/^Listening on port (\d+)\n/))[1]);
}

/** A TCP server in this process; it notes all that it reads. */
function openServer(serve: (conn: Deno.TcpConn) => Promise<void>, port = 0) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const conns = new Set<Deno.TcpConn>();
  const changes = new Changing();
  let heard = "";
  const accepting = (async () => {
    for await (const conn of listener) {
      conns.add(conn);
      serve(conn).catch(() => {});
    }
  })();
  const server = {
    port: (listener.addr as Deno.NetAddr).port,
    /** Notes what a client sends, until it ends. */
    async read(conn: Deno.TcpConn): Promise<void> {
      const buffer = new Uint8Array(1024), decoder = new TextDecoder();
      for (let length; (length = await conn.read(buffer)) !== null;) {
        heard += decoder.decode(buffer.subarray(0, length), { stream: true });
        changes.changed();
      }
    },
    heard: () => heard,
    until: (text: string) => changes.until(() => heard.includes(text) || undefined, () => `heard ${heard}`),
    send: async (text: string) => {
      for (const conn of conns) await conn.write(new TextEncoder().encode(text));
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const conn of conns) {
        try {
          conn.close();
        } catch {
          // the test has closed it
        }
      }
    },
  };
  return server;
}

pythonTest("our client on a select() server that sends no line feeds", async () => {
  await using server = startPython("tests/support/peers/select_server.py");
  const port = await portOf(server);
  await using alice = join(port);
  await alice.stdout.until(BANNER);
  await using bob = join(port);
  const [, address] = await alice.stdout.until(/^\[(127\.0\.0\.1:\d+)\] is Online\n/m);
  await bob.type("Hello Alice, ¿qué tal? 🙂\n");
  await alice.stdout.until(`\n<From ${address}>: Hello Alice, ¿qué tal? 🙂\n`);
  await bob.endInput();
  assertEquals(await bob.exitCode(), 0);
  await alice.stdout.until(`[${address}] is Offline\n`);
  await alice.endInput();
  assertEquals(await alice.exitCode(), 0);
  assertEquals([alice.stderr.text(), bob.stderr.text(), bob.stdout.text()], ["", "", BANNER]);
});

pythonTest("our client on a threaded server that asks for the name, and knows quit", async () => {
  await using server = startPython("tests/support/peers/threaded_server.py");
  const port = await portOf(server);
  await using alice = join(port, "-u", "Alice");
  await server.stdout.until("Alice has come\n");
  await using bob = join(port);
  await bob.stderr.until("-- The server asks for a name: the next line that you type is the answer\n");
  await bob.type("Bob\n");
  await server.stdout.until("Bob has come\n");
  await bob.type("/me waves\n");
  await alice.stdout.until("\nBob: /me waves\n");
  await alice.type("quit\nnot sent\n");
  assertEquals(await alice.exitCode(), 0);
  await server.stdout.until(String.raw`Alice b'quit\n'` + "\n");
  // a file: the name goes first
  await using file = join(port, "-u", "File");
  const lines = Array.from({ length: 50 }, (_, i) => `line ${i}.`);
  await file.type(lines.join("\n"));
  await file.endInput();
  assertEquals(await file.exitCode(), 0);
  await server.stdout.until("File b''\n");
  const read = [...server.stdout.text().matchAll(/^File b'(.+)'$/gm)].map(([, bytes]) => bytes);
  assertEquals(read.join(""), lines.map((line) => line + String.raw`\n`).join(""));
  assertEquals(file.stderr.text(), "-- The server asks for a name; the answer is File\n");
});

Deno.test("tcp client: a server that welcomes and prompts gets the name first, or the user is told", async () => {
  await using server = openServer(async (conn) => {
    await conn.write(new TextEncoder().encode("Welcome!\n"));
    // longer than the silence that ends a line
    await pause(50);
    await conn.write(new TextEncoder().encode("Enter your name: "));
    await server.read(conn);
    conn.close();
  });
  await using named = join(server.port, "-u", "Alice");
  await named.type("hello\n");
  await named.endInput();
  assertEquals([await named.exitCode(), server.heard()], [0, "Alice\nhello\n"]);
  assertEquals(named.stdout.text(), `${BANNER}Welcome!\nEnter your name: \n`);
  assertEquals(named.stderr.text(), "-- The server asks for a name; the answer is Alice\n");
  await using nameless = join(server.port);
  await nameless.type("one\n");
  await nameless.endInput();
  assertEquals(await nameless.exitCode(), 0);
  assertMatch(nameless.stderr.text(), /^-- The server asks for a name[:,] .+\n$/);
});

Deno.test("tcp client: at our server, who uses a name reads how to give it, and /? lists the server's commands", async () => {
  await using server = await startServer();
  await using client = join(server.port, "-u", "Alice");
  await client.type("hello\n/?\n/name Alice\n");
  await client.stdout.until(/^\/name NAME +signs in with a name\n[^]*\nSigned in as Alice\n/m);
  await client.endInput();
  assertEquals(await client.exitCode(), 0);
  const told = "The server has not asked for a name: nobody knows you as Alice. Some take /name Alice";
  assertEquals(client.stderr.text(), `-- ${told}\n`);
});

Deno.test("tcp client: a character in two halves, escape sequences and an end without a line feed", async () => {
  await using server = openServer(async (conn) => {
    await conn.write(Uint8Array.of(0x61, 0xc3));
    await conn.write(Uint8Array.of(0xa4, 0x0a, 0x1b, 0x5b, 0x32, 0x4a, 0x00, 0x7a));
    await server.read(conn);
    conn.close();
  });
  await using client = join(server.port);
  await client.stdout.until(/^aä\n\?\[2Jz\n/m);
  await client.type("last line");
  await client.endInput();
  assertEquals(await client.exitCode(), 0);
  assertEquals(server.heard(), "last line\n");
});

Deno.test("tcp client: a server that closes without a word is told in one line", async () => {
  await using server = openServer(async (conn) => {
    await conn.read(new Uint8Array(1000));
    conn.close();
  });
  await using client = join(server.port);
  await client.type("hello\n");
  assertEquals(await client.exitCode(), 1);
  assertEquals(client.stderr.text(), `127.0.0.1:${server.port} has closed the connection\n`);
});

pythonTest("a server that resets the connection is told in one line", async () => {
  const script = `${LISTEN}; c=s.accept()[0]; c.recv(10); ` +
    "c.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack('ii',1,0)); c.close(); time.sleep(1000)";
  await using server = start(["python3", "-c", script]);
  const port = await portOf(server);
  await using client = join(port);
  await client.type("hello\n");
  assertEquals(await client.exitCode(), 1);
  assertEquals(client.stderr.text(), `127.0.0.1:${port} has broken off the connection before all was sent\n`);
});

pythonTest(
  "a server that asks and resets at once has broken off, whichever of both calls the system tells it",
  async () => {
    // the client has just begun to read, and has said nothing yet
    const script =
      `${LISTEN}; c=s.accept()[0]; c.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack('ii',1,0)); ` +
      "c.sendall(b'hi\\n'); input(); c.sendall(b'NICK\\n'); c.close(); time.sleep(1000)";
    await using server = start(["python3", "-c", script]);
    const port = await portOf(server);
    await using client = join(port, "-u", "Alice");
    // a reset before that is an attempt to connect that has failed
    await client.stdout.until("hi\n");
    await Promise.all([server.type("\n"), client.type("hello\n".repeat(10_000))]);
    assertEquals(await client.exitCode(), 1);
    assertMatch(client.stderr.text(), /\n127\.0\.0\.1:\d+ has broken off the connection before all was sent\n$/);
  },
);

Deno.test("tcp client: when nobody reads its output, short lines take no more memory than long ones", async () => {
  if (Deno.build.os !== "linux") return console.log("Skipped: the system does not say how much memory it takes");
  const lines = new TextEncoder().encode("a\n".repeat(32_768));
  let sent = 0, progressAt = Infinity;
  await using server = openServer(async (conn) => {
    for (; sent < 16e6; progressAt = performance.now()) sent += await conn.write(lines);
  });
  await using client = join(server.port);
  await client.stdout.until(BANNER);
  client.stopReading();
  // more than one second without progress: it takes nothing any more
  while (sent < 16e6 && !(performance.now() > progressAt + 1000)) {
    await pause(20);
    const memory = residentMemory(client.pid);
    assert(memory! < 400e6, `${memory} bytes of memory for ${sent} that were sent`);
  }
});

/** A TCP port on which no program listens. */
async function freePort(): Promise<number> {
  await using server = openServer(async () => {});
  return server.port;
}

Deno.test("tcp client: where no program listens it goes on for 10 s, and is there when the server comes", async () => {
  if (TESTS_BINARIES) return console.log("Skipped: it waits for long, and is tested from the sources");
  const [never, late] = [await freePort(), await freePort()];
  await using hopeless = join(never);
  await hopeless.type("one\ntwo\n");
  await using hopeful = join(late);
  await hopeful.type("hello\n");
  await hopeful.endInput();
  const refused = "connection refused, no program listens there";
  await hopeful.stderr.until(`!! No answer from 127.0.0.1:${late}: ${refused}. Trying again\n`);
  await using server = openServer(async (conn) => {
    await server.read(conn);
    conn.close();
  }, late);
  assertEquals(await hopeful.exitCode(), 0);
  assertEquals(server.heard(), "hello\n");
  assertEquals(await hopeless.exitCode(GIVE_UP_MS), 1);
  assertMatch(hopeless.stderr.text(), new RegExp(`\nNo answer from .*:${never}: ${refused}; 2 lines not sent\n$`));
});

Deno.test("tcp client: there is no such host", async () => {
  await using client = startClient("--tcp", "no-such-host.invalid", 12345);
  assertEquals(await client.exitCode(), 2);
  assertMatch(client.stderr.text(), /^There is no host 'no-such-host\.invalid': .*\n$/);
});

pythonTest("a server that never reads: the client takes no more than it keeps, and gives up", async () => {
  if (!Deno.env.has("SOAK")) return console.log("Skipped: it takes half a minute; deno task soak runs it");
  await using server = start(["python3", "-c", `${LISTEN}; c=s.accept(); time.sleep(1000)`]);
  const client = [...commandOf("client"), "--tcp", "127.0.0.1", String(await portOf(server))].map(quoted).join(" ");
  // 200 MB, were it to take all of them; it takes what the system takes, which is some 3 MB on Linux, and 1 MiB
  const flood = `yes ${"x".repeat(999)} | head -n 200000`;
  await using program = start(["sh", "-c", `${flood} 2>/dev/null | { ${client}; echo "code $?"; }`]);
  assertEquals(await program.exitCode(120_000), 0);
  assertMatch(program.stdout.text(), /\ncode 1\n$/);
  const [, count] = /^127\.0\.0\.1:\d+ has taken nothing for 10 s; (\d+) lines not sent\n$/
    .exec(program.stderr.text()) ?? [];
  assert(Number(count) < 1100, program.stderr.text());
});

signalTest("tcp client: SIGTERM leaves, and the server is told by the end of the connection", async () => {
  await using server = openServer(async (conn) => {
    await server.read(conn);
    conn.close();
  });
  await using client = join(server.port);
  await client.type("hello\n");
  await server.until("hello\n");
  client.kill("SIGTERM");
  assertEquals(await client.exitCode(), 0);
  assertEquals(client.stderr.text(), "");
});

Deno.test({
  name: `tcp client: on a terminal it comes back when the server does${HAS_TMUX ? "" : " (skipped: no tmux)"}`,
  ignore: !HAS_TMUX,
  async fn() {
    await using tmux = await startTmux();
    const serve = async (conn: Deno.TcpConn): Promise<void> => await first.read(conn);
    const first = openServer(serve);
    const command = [...commandOf("client"), "--tcp", "127.0.0.1", String(first.port)].map(quoted).join(" ");
    const terminal = await tmux.open(`${command}; echo "exit code $?"; cat`, { columns: 100 });
    await terminal.until(/^Welcome to the chat room!\nType your message and press Enter to send it\n\+>$/m);
    await terminal.type("/help");
    await terminal.press("Enter");
    await terminal.until(/^All other lines go to the server as they are/m);
    await terminal.type("/list");
    await terminal.press("Enter");
    await first.until("/list\n");
    await terminal.type("half a");
    await terminal.until(/^\+> half a$/m);
    await first.send("<From 127.0.0.1:9>: first interruption");
    await terminal.until(/^<From 127\.0\.0\.1:9>: first interruption\n\+> half a$/m);
    await first[Symbol.asyncDispose]();
    await terminal.until(/^!! 127\.0\.0\.1:\d+ has closed the connection.*\. Trying again\n\+> half a$/m);
    await terminal.type(" line");
    await terminal.press("Enter");
    await terminal.until(/^-- Not connected; 1 line kept until it is\n\+>$/m);

    await using second = openServer(async (conn) => {
      await second.read(conn);
      conn.close();
    }, first.port);
    await second.until("half a line\n");
    const screen = await terminal.until(/^-- Connected again\n\+>$/m);
    assertNotMatch(screen, /No answer/);
    await terminal.type("quit");
    await terminal.press("Enter");
    assertNotMatch(await terminal.until(/\nexit code 0$/), /waiting/);
    await second.until("quit\n");
    assertEquals([first.heard(), second.heard()], ["/list\n", "half a line\nquit\n"]);
  },
});
