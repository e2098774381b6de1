/** The emulator for the network, from flags and from the server's terminal, with real programs at both ends. */
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import {
  commandOf,
  messagesOf,
  type Process,
  start,
  startClient,
  startServer,
} from "../../scripts/support/processes.ts";
import { DEADLINE_MS } from "../../scripts/support/waiting.ts";
import { openPeer } from "../support/classic_peer.ts";
import { stops } from "../support/signals.ts";
import { HAS_TMUX, quoted, startTmux } from "../support/tmux.ts";

const PERFECT = "drop 0%, duplicate 0%, corrupt 0%, delay 0..0 ms, each way";

/** Types lines at clients in turn, and waits until all of them show all. */
async function chat(clients: Process[], count: number): Promise<string[]> {
  const texts: string[] = [];
  for (let k = 1; k <= count; k++) {
    for (const [i, client] of clients.entries()) {
      const text = `client ${i + 1} says ${k}`;
      await client.type(`${text}\n`);
      texts.push(text);
    }
  }
  for (const client of clients) {
    for (const text of texts) await client.stdout.until(`: ${text}\n`);
  }
  return texts;
}

/** Starts clients, and waits until each has seen a message of its own. */
async function startReady(port: number, ...names: string[]): Promise<Process[] & AsyncDisposable> {
  const clients = names.map((name) => startClient("127.0.0.1", port, "--name", name));
  await Promise.all(clients.map(async (client, i) => {
    await client.type(`${names[i]} is ready\n`);
    await client.stdout.until(`: ${names[i]} is ready\n`);
  }));
  return Object.assign(clients, {
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client[Symbol.asyncDispose]();
    },
  });
}

Deno.test("emulator: two clients lose, repeat and misread nothing where every fifth datagram is damaged", async () => {
  await using server = await startServer("--corrupt", "20%", "--drop", "10%", "--seed=1");
  await server.stdout.until("The network is now: drop 10%, duplicate 0%, corrupt 20%, delay 0..0 ms, each way\n");
  await using clients = await startReady(server.port, "Alice", "Bob");
  const texts = await chat(clients, 40);
  for (const client of clients) {
    await client.endInput();
    assertEquals(await client.exitCode(), 0, client.stderr.text());
    const lines = messagesOf(client).filter((line) => !line.endsWith(" is ready"));
    assertEquals(lines.length, 80);
    assertEquals(
      lines.map((line) => line.replace(/^<From 127\.0\.0\.1:\d+:(Alice|Bob)>: /, "")).toSorted(),
      texts.toSorted(),
    );
  }
  const [alice, bob] = clients.map((client) => messagesOf(client).filter((line) => line.includes(" says ")));
  assertEquals(alice, bob);
  if (!await stops(server)) return;
  const [, joined, damaged] = /^Closed: (\d+) members? joined, .*; ignored: (\d+) unreadable/m.exec(
    server.stdout.text(),
  )!;
  assertEquals(joined, "2", "no damaged greeting has made a member");
  assertGreater(Number(damaged), 10);
});

Deno.test("emulator: a direct message arrives once, though look-ups and greetings are lost on the way", async () => {
  await using server = await startServer("--drop", "30%", "--duplicate", "20%", "--delay", "0..20", "--seed=2");
  await using clients = await startReady(server.port, "Alice", "Bob");
  const [alice, bob] = clients;
  for (let k = 1; k <= 5; k++) await alice.type(`/send Bob secret ${k}\n`);
  for (let k = 1; k <= 5; k++) {
    await bob.stdout.until(new RegExp(`^<- <From 127\\.0\\.0\\.1:\\d+:Alice>: secret ${k}\n`, "m"));
  }
  for (const client of clients) {
    await client.endInput();
    assertEquals(await client.exitCode(), 0, client.stderr.text());
  }
  assertEquals([...bob.stdout.text().matchAll(/: secret (\d)\n/g)].map(([, k]) => k).join(""), "12345");
});

Deno.test("emulator: what is typed into the server's standard input changes it while the room goes on", async () => {
  await using server = await startServer();
  await using peer = openPeer();
  await peer.send("GREETING", server.port);
  await server.arrival(1);
  await peer.send("MESSAGE one", server.port);
  await peer.until(/: one$/);

  await server.type("drop 100%\n");
  await server.stdout.until("The network is now: drop 100%, duplicate 0%, corrupt 0%, delay 0..0 ms, each way\n");
  await server.type("drop everything\nnonsense\n");
  await server.stdout.until("drop takes a share with its percent sign, like 20%\n");
  await server.stdout.until("There is no command 'nonsense'; help lists them\n");
  await server.type("status\n");
  await server.stdout.until(/^drop 100%, duplicate 0%.*\n(.*\n)*1 member joined, 1 here, 1 message in, .*\n/m);
  await server.type("perfect\n");
  await server.stdout.until(`The network is now: ${PERFECT}\n`);
  await peer.send("MESSAGE three", server.port);
  await peer.until(/: three$/);

  await server.type("duplicate 100%\n");
  await server.stdout.until("duplicate 100%");
  await peer.send("MESSAGE four", server.port);
  // twice on the way in, and each of them twice on the way out
  for (let count = 0; count < 4;) if (/: four$/.test((await peer.next()).text)) count++;

  // the end of standard input is not the end of the server
  await server.endInput();
  await peer.send("MESSAGE five", server.port);
  await peer.until(/: five$/);
  await stops(server, "SIGINT");
  assertEquals(server.stderr.text(), "");
});

Deno.test("emulator: what is too long for any packet is not held back, but refused at once", async () => {
  await using server = await startServer("--delay", "99999..99999");
  await using peer = openPeer();
  for (let k = 0; k < 5; k++) {
    await peer.send(new Uint8Array(4097), server.port);
    await peer.send(new Uint8Array(9000), server.port);
    await peer.send("GREETING", server.port);
  }
  // the terminal is read at a pace of its own, so it is asked until all of that has arrived
  const until = performance.now() + DEADLINE_MS;
  while (!/arrived 15,/.test(server.stdout.text()) && performance.now() < until) {
    const { length } = server.stdout.text();
    await server.type("status\n");
    await server.stdout.until(new RegExp(`^[^]{${length}}[^]* datagrams out.*\n`));
  }
  assertMatch(
    server.stdout.text(),
    /arrived 15, .*passed 0\n0 members joined, .* out; ignored: 10 unreadable \(an unknown word, a wrong field or sum, no text, or too long\)\n$/,
  );
});

Deno.test("emulator: where everything is lost nobody joins, until the server's terminal is told to end that", async () => {
  await using server = await startServer("--drop", "100%");
  await using client = startClient("127.0.0.1", server.port);
  await client.type("at last\n");
  await client.stderr.until(/^!! No answer from /);
  assertEquals(server.arrivals(), []);
  await server.type("perfect\n");
  await client.stdout.until(/^<From 127\.0\.0\.1:\d+>: at last\n/m);
  await client.endInput();
  assertEquals(await client.exitCode(), 0, client.stderr.text());
});

Deno.test("emulator: flags that make no sense end the server with one line", async () => {
  const cases: [string[], RegExp][] = [
    [["--drop", "20"], /^--drop takes a share with its percent sign, like 20%\n$/],
    [["--drop", "1"], /^--drop takes a share with its percent sign, like 20%\n$/],
    [["--drop=120%"], /^--drop takes a share with its percent sign, like 20%\n$/],
    [["--duplicate", "some"], /^--duplicate takes a share/],
    [["--corrupt=-1%"], /^--corrupt takes a share/],
    [["--delay", "200..20"], /^--delay takes milliseconds, like 50 or 20\.\.200\n$/],
    [["--seed", "x"], /^--seed takes a whole number/],
    [["--drop"], /^--drop takes a value/],
  ];
  await Promise.all(cases.map(async ([flags, pattern]) => {
    await using server = start([...commandOf("server"), "0", ...flags]);
    assertEquals(await server.exitCode(), 2, flags.join(" "));
    assertMatch(server.stderr.text(), pattern);
    assertMatch(server.stderr.text(), /^[^\n]+\n$/);
  }));
});

Deno.test({
  name: `emulator: a server in the background of a shell is not stopped by its terminal${
    HAS_TMUX ? "" : " (skipped: no tmux)"
  }`,
  ignore: !HAS_TMUX,
  async fn() {
    await using tmux = await startTmux();
    await using peer = openPeer();
    const terminal = await tmux.open("sh -i");
    await terminal.type(`PS1='ready> '; ${[...commandOf("server"), "0"].map(quoted).join(" ")} &`);
    await terminal.press("Enter");
    const [, port] = /^Listening on .*:(\d+)$/m.exec(await terminal.until(/^Listening on .*\n[^]* \d+$/m))!;
    await peer.send("SIGN-IN Alice\n", Number(port));
    await peer.until(/^INCOMING Signed in as Alice\n/);
    // what is typed goes to the shell, and the server goes on
    await terminal.type("clear; echo one");
    await terminal.press("Enter");
    await terminal.until(/^one$/m);
    await terminal.type("jobs");
    await terminal.press("Enter");
    const jobs = await terminal.until(/^\[1\]/m);
    assert(/^\[1\].*Running/m.test(jobs), jobs);
    await peer.send("LIST\n", Number(port));
    await peer.until(/^INCOMING Signed In Users: Alice\n/);
    await terminal.type("kill %1; wait");
    await terminal.press("Enter");
    await terminal.until(/^Closed: /m);
  },
});

Deno.test({
  name: `emulator: what is typed into the server's terminal changes it${HAS_TMUX ? "" : " (skipped: no tmux)"}`,
  ignore: !HAS_TMUX,
  async fn() {
    await using tmux = await startTmux();
    const terminal = await tmux.open([...commandOf("server"), "0"].map(quoted).join(" "));
    await terminal.until(/^ {2}.* \d+$/m);
    await terminal.type("drop 20%");
    await terminal.press("Enter");
    await terminal.until(
      /^drop 20%\nThe network is now: drop 20%, duplicate 0%, corrupt 0%, delay 0\.\.0 ms, each way$/m,
    );
    await terminal.press("C-d");
    await terminal.type("perfect");
    const screen = await terminal.screen();
    assert(!/^Closed/m.test(screen), screen);
  },
});
