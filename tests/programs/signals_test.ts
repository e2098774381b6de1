/** Signals that come at bad moments: with the input at its end, in a flood, with delays under way, in a terminal. */
import { assertEquals, assertMatch } from "@std/assert";
import { commandOf, joinRoom, startServer } from "../../scripts/support/processes.ts";
import { openPeer } from "../support/classic_peer.ts";
import { signalTest, stops } from "../support/signals.ts";
import { HAS_TMUX, quoted, startTmux } from "../support/tmux.ts";
import { joinV1 } from "../support/v1_peer.ts";

/** How long a server may take to end, whatever it is doing, in milliseconds. */
const END_MS = 10_000;
/** How long a flood lasts at most, in milliseconds: longer than the server may take, also on a slow machine. */
const FLOOD_MS = 30_000;
const ON_LINUX = Deno.build.os === "linux";

signalTest("signals: a server whose input has ended is woken by SIGCONT and goes on", async () => {
  await using server = await startServer();
  await using peer = openPeer();
  await server.type("status\n");
  await server.stdout.until(/0 members joined/);
  await server.endInput();
  await peer.send("GREETING", server.port);
  await server.arrival(1);
  for (let round = 1; round <= 3; round++) {
    server.kill("SIGSTOP");
    server.kill("SIGCONT");
    await peer.send(`MESSAGE round ${round}`, server.port);
    await peer.until(new RegExp(`: round ${round}$`));
  }
  await stops(server);
  assertEquals(server.stderr.text(), "");
});

signalTest("signals: SIGTERM in a flood ends the server with its summary, before the flood ends", async () => {
  await using server = await startServer("--rate", "0", "--quiet");
  await using peer = openPeer();
  const to = { transport: "udp", hostname: "127.0.0.1", port: server.port } as const;
  // nobody reads what these get: the system drops it
  const crowd = Array.from({ length: 300 }, () => Deno.listenDatagram({ ...to, port: 0 }));
  let isFlooding = true;
  const until = performance.now() + FLOOD_MS;
  const greeting = new TextEncoder().encode("GREETING");
  const flood = async () => {
    for (let wave = 1; isFlooding && performance.now() < until; wave++) {
      const text = new TextEncoder().encode(`MESSAGE wave ${wave}`);
      await Promise.all(crowd.slice(0, 50).map((conn) => conn.send(text, to)));
    }
    return isFlooding;
  };
  try {
    await peer.send("GREETING", server.port);
    for (const conn of crowd) await conn.send(greeting, to);
    await peer.send("LIST", server.port);
    await peer.until(/\(and 301 unnamed\)/);
    const flooded = flood();
    // by then the flood is under way
    await peer.until(/: wave [1-9]\d$/);
    server.kill("SIGTERM");
    assertEquals(await server.exitCode(END_MS), 0);
    isFlooding = false;
    assertEquals(await flooded, false, "the server has ended only when the flood had");
    assertMatch(server.stdout.text(), /\nClosed: 301 members joined, .* messages in, .* datagrams out.*\n$/);
    assertEquals(server.stderr.text(), "");
  } finally {
    isFlooding = false;
    for (const conn of crowd) conn.close();
  }
});

signalTest("signals: at SIGTERM members are told, whatever the delay on the emulator", async () => {
  await using server = await startServer("--delay=100..200");
  await using peer = openPeer();
  await joinV1(peer, server.port);
  await using alice = await joinRoom(server);
  await alice.type("hello\n");
  await alice.stdout.until(": hello\n");
  server.kill("SIGTERM");
  await peer.until(/^CLOSING\/1 /);
  await alice.stderr.until(/^-- The server [^\n]*\n/m);
  assertEquals(await server.exitCode(END_MS), 0);
});

Deno.test({
  name: `signals: a server whose terminal is closed tells the members${HAS_TMUX ? "" : " (skipped: no tmux)"}`,
  ignore: !HAS_TMUX,
  async fn() {
    await using tmux = await startTmux();
    await using peer = openPeer();
    const command = [...commandOf("server"), "0"].map(quoted).join(" ");
    const terminal = await tmux.open(`sh -c 'echo "number $$"; exec "$@"' sh ${command}`);
    const screen = await terminal.until(/^Listening on .*:\d+\n[^]*, type:\n.* \d+$/m);
    await joinV1(peer, Number(/^Listening on .*:(\d+)$/m.exec(screen)![1]));
    await terminal.close();
    await peer.until(/^CLOSING\/1 /);
  },
});

signalTest("signals: a hang-up that comes twice ends the server as SIGTERM does", async () => {
  await using server = await startServer();
  server.kill("SIGHUP");
  server.kill("SIGHUP");
  assertEquals(await server.exitCode(), 0);
  assertMatch(server.stdout.text(), /\nClosed: [^\n]*\n$/);
});

Deno.test("signals: quit, typed into the server's terminal, stops it as Ctrl-C does", async () => {
  await using server = await startServer();
  await using peer = openPeer();
  await joinV1(peer, server.port);
  await server.type("list\n");
  await server.stdout.until(/^Signed In Users: none \(and 1 unnamed\)\n/m);
  await server.type("quit\n");
  await peer.until(/^CLOSING\/1 /);
  assertEquals(await server.exitCode(), 0);
  assertMatch(server.stdout.text(), /\nClosed: 1 member joined, [^\n]*\n$/);
  assertEquals(server.stderr.text(), "");
});

Deno.test({
  name: `signals: SIGTERM to a client in a terminal says goodbye${HAS_TMUX ? "" : " (skipped: tmux is not installed)"}`,
  ignore: !HAS_TMUX || !ON_LINUX,
  async fn() {
    await using server = await startServer();
    await using tmux = await startTmux();
    const command = [...commandOf("client"), "127.0.0.1", String(server.port)].map(quoted).join(" ");
    // the shell's own process becomes the client, so that its number is known
    const terminal = await tmux.open(`sh -c 'echo "number $$"; exec "$@"' sh ${command}; echo "exit code $?"; cat`);
    const [, pid] = /^number (\d+)$/m.exec(await terminal.until(/^\+>$/m))!;
    const address = await server.arrival(1);
    await terminal.type("half a line");
    await terminal.until(/^\+> half a line$/m);
    Deno.kill(Number(pid), "SIGTERM");
    await server.stdout.until(`Client (127.0.0.1, ${address.split(":")[1]}) left at `);
    await terminal.until(/^\+> half a line\nexit code 0$/m);
  },
});
