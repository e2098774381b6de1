/** A server whose output nobody reads: the room goes on, and the server can be stopped. */
import { assertEquals, assertMatch } from "@std/assert";
import { commandOf, joinRoom, type Server, startServer } from "../../scripts/support/processes.ts";
import { openPeer, type Peer } from "../support/classic_peer.ts";
import { contentOf } from "../support/files.ts";
import { HAS_SIGNALS, signalTest } from "../support/signals.ts";
import { HAS_TMUX, quoted, startTmux } from "../support/tmux.ts";

/**
 * How long a server may take to end, in milliseconds: a second for the goodbye, a second for the output, and reserve.
 */
const END_MS = 8000;
/** How often `help` is typed so that a pipe is full: 64 KiB on Linux, and its answer has more than 2,000 bytes. */
const HELPS_FOR_A_PIPE = 100;
/** How often until the queue of 1 MiB is full too. */
const HELPS_FOR_THE_QUEUE = 1500;

/**
 * Makes a server print more than a pipe takes. Returns when the server has executed all these lines: the emulator
 * doubles what a peer sends from then on.
 */
async function fillPipe(server: Server, peer: Peer, helps: number): Promise<void> {
  server.stopReading();
  await server.type(`${"help\n".repeat(helps)}duplicate 100%\n`);
  // a greeting without a cookie is answered each time, whatever the rate; the long id makes it long enough
  for (let asked = 0; peer.received.length <= asked; asked++) {
    await peer.send(`GREETING/1 id=${1000 + asked}`, server.port);
    await peer.next();
  }
}

/** Waits until the server has answered a newcomer. */
async function answers(peer: Peer, port: number): Promise<void> {
  await peer.send("GREETING", port);
  await peer.send("LIST", port);
  await peer.until(/unnamed\)$/);
}

Deno.test("unread server: with a full pipe the room goes on, and later everything is shown", async () => {
  await using server = await startServer();
  await using peer = openPeer();
  await using second = openPeer();
  await fillPipe(server, peer, HELPS_FOR_A_PIPE);
  await answers(second, server.port);
  server.readOn();
  assertEquals(await server.arrival(1), second.address);
  await server.type("status\n");
  const [status] = await server.stdout.until(/ members? joined, .*\n/);
  assertMatch(status, /, \d+ datagrams out\n$/);
  assertEquals(server.stdout.text().match(/^perfect /mg)?.length, HELPS_FOR_A_PIPE);
});

Deno.test("unread server: what it does not keep is counted, in the gap, in status and in the last line", async () => {
  await using server = await startServer();
  await using peer = openPeer();
  await fillPipe(server, peer, HELPS_FOR_THE_QUEUE);
  server.readOn();
  const [, count] = await server.stdout.until(/^(\d+) lines not shown while the output was stopped\n/m);
  await server.type("status\n");
  await server.stdout.until(new RegExp(`^0 members joined, .*; ${count} lines not shown\n`, "m"));
  // each help has some lines, and the setting has one
  const shown = server.stdout.text().match(/^perfect /mg)!.length;
  // from the end of the first one to that of the second one
  const lines = /^quit .*\n([^]*?^quit .*\n)/m.exec(server.stdout.text())![1].split("\n").length - 1;
  assertEquals(Number(count) - Number(count) % lines, (HELPS_FOR_THE_QUEUE - shown) * lines);
  await server.type("quit\n");
  assertEquals(await server.exitCode(), 0);
  assertMatch(server.stdout.text(), new RegExp(`\nClosed: .*; ${count} lines not shown\n$`));
});

signalTest("unread server: SIGTERM ends it with its exit code, though nobody reads", async () => {
  await using server = await startServer();
  await using alice = await joinRoom(server);
  await using peer = openPeer();
  await fillPipe(server, peer, HELPS_FOR_THE_QUEUE);
  server.kill("SIGTERM");
  assertEquals(await server.unreadExitCode(END_MS), 0);
  await alice.stderr.until("-- The server has closed the room");
});

Deno.test({
  name: `unread server: Ctrl-S stops the terminal, but not the room${HAS_TMUX ? "" : " (skipped: no tmux)"}`,
  ignore: !HAS_TMUX || !HAS_SIGNALS,
  async fn() {
    await using tmux = await startTmux();
    await using peer = openPeer();
    const ended = await Deno.makeTempFile({ prefix: "udp-chat-" });
    try {
      const command = [...commandOf("server"), "0"].map(quoted).join(" ");
      const terminal = await tmux.open(
        `sh -c 'echo "number $$"; exec "$@"' sh ${command}; echo "exit code $?" >${quoted(ended)}; cat`,
      );
      const screen = await terminal.until(/^Listening on .*:\d+\n[^]*, type:\n.* \d+$/m);
      const [, port] = /^Listening on .*:(\d+)$/m.exec(screen)!;
      await terminal.press("C-s");
      await answers(peer, Number(port));
      await peer.send("MESSAGE hello", Number(port));
      await peer.until(/: hello$/);
      await terminal.press("C-q");
      await terminal.until(/^Client \(127\.0\.0\.1, \d+\) connected at /m);

      await terminal.press("C-s");
      await using second = openPeer();
      await answers(second, Number(port));
      Deno.kill(Number(/^number (\d+)$/m.exec(screen)![1]), "SIGTERM");
      await contentOf(ended, /^exit code 0\n/, END_MS);
    } finally {
      await Deno.remove(ended);
    }
  },
});
