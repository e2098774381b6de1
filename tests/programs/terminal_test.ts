/** The client as people see it: in a terminal, with the keys that they press. */
import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { freePort } from "../../scripts/support/ports.ts";
import { commandOf, joinRoom, type Server, startServer } from "../../scripts/support/processes.ts";
import { HAS_TMUX, quoted, startTmux, type Terminal, type TerminalOptions, type Tmux } from "../support/tmux.ts";

/** A test that needs a terminal. */
function terminalTest(name: string, fn: () => Promise<void>): void {
  const reason = HAS_TMUX ? "" : " (skipped: tmux is not installed)";
  Deno.test({ name: `terminal: ${name}${reason}`, ignore: !HAS_TMUX, fn });
}

/** The shell's words that start a client. */
function clientCommand(port: number): string {
  return [...commandOf("client"), "127.0.0.1", String(port)].map(quoted).join(" ");
}

/** A client in a terminal, and its address. */
async function joinTerminal(tmux: Tmux, server: Server, options?: TerminalOptions): Promise<[Terminal, string]> {
  const before = server.arrivals().length;
  const terminal = await tmux.open(clientCommand(server.port), options);
  const address = await server.arrival(before + 1);
  await terminal.until(/^\+>$/m);
  return [terminal, address];
}

terminalTest("what is typed in one is seen in both, with the time before it", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const [alice, aliceAddress] = await joinTerminal(tmux, server);
  const [bob, bobAddress] = await joinTerminal(tmux, server);
  // who came is told a moment later, and not between the lines below
  await alice.until(new RegExp(`^\\d\\d:\\d\\d \\[${bobAddress}\\] is Online$`, "m"));

  await alice.type("Hello Bob, ¿qué tal? 🙂");
  await alice.press("Enter");
  const said = new RegExp(`^\\d\\d:\\d\\d <From ${aliceAddress}>: Hello Bob, ¿qué tal\\? 🙂\\n`, "m");
  await alice.until(said);
  await bob.until(said);
  await bob.type("Hello Alice");
  await bob.press("Enter");
  const answered = new RegExp(`^\\d\\d:\\d\\d <From ${bobAddress}>: Hello Alice\\n\\+>$`, "m");
  assertMatch(
    await alice.until(answered),
    /^Welcome to the chat room!\nType your message and press Enter to send it\n/,
  );
  await bob.until(answered);

  // to one alone, where neither has a name
  await bob.type(`/send ${aliceAddress} psst`);
  await bob.press("Enter");
  await alice.until(new RegExp(`^\\d\\d:\\d\\d <- <From ${bobAddress}>: psst\\n\\+>$`, "m"));
  await alice.type("/reply I hear you");
  await alice.press("Enter");
  await bob.until(new RegExp(`^\\d\\d:\\d\\d <- <From ${aliceAddress}>: I hear you\\n\\+>$`, "m"));
  await alice.until(new RegExp(`^-- Delivered to ${bobAddress}: I hear you$`, "m"));
});

terminalTest("a half-typed line stays as it is when a message arrives", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  await using bob = await joinRoom(server);
  const [alice, address] = await joinTerminal(tmux, server, { columns: 50, rows: 14 });
  // who came is told a moment later, and not between the lines below
  await bob.stdout.until(`[${address}] is Online\n`);

  await alice.type("half a");
  await alice.until(/^\+> half a$/m);
  await bob.type("first interruption\n");
  const once = await alice.until(/<From [^>]*>: first interruption\n\+> half a$/);
  assertEquals(once.match(/half a/g)?.length, 1);

  // with the cursor inside the line
  await alice.press("Home");
  await bob.type("second interruption\n");
  await alice.until(/second interruption\n\+> half a$/);
  await alice.type("not ");
  await alice.press("End");
  await alice.type(" line");
  await alice.until(/^\+> not half a line$/m);
  await alice.press("Enter");
  await bob.stdout.until(`<From ${address}>: not half a line\n`);

  // a line of several rows
  const long = Array.from({ length: 30 }, (_, i) => `word${i}`).join(" ");
  await alice.type(long);
  await alice.until(/word29$/);
  await bob.type("third interruption\n");
  const screen = await alice.until(new RegExp(`: third interruption\\n\\+> ${long}$`));
  assertEquals(screen.match(/word17/g)?.length, 1);
  assertMatch(screen, /second interruption\n(.*\n)*.*: not half a line\n.*: third interruption\n/);
  // and with the cursor in its first row
  await alice.press("Home");
  await bob.type("fourth interruption\n");
  await alice.until(new RegExp(`: third interruption\\n.*: fourth interruption\\n\\+> ${long}$`));
  await alice.type("> ");
  await alice.press("Enter");
  await bob.stdout.until(`<From ${address}>: > ${long}\n`);
  assertEquals((await alice.until(new RegExp(`: > ${long}\\n\\+>$`))).match(/fourth interruption/g)?.length, 1);
});

terminalTest("a text with blanks up to the edge begins no row like another line or the prompt", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  await using mallory = await joinRoom(server);
  const [from] = server.arrivals();
  const [alice] = await joinTerminal(tmux, server, { columns: 60, rows: 30 });
  const [bob, bobAddress] = await joinTerminal(tmux, server, { columns: 110, rows: 30 });
  // who came is told a moment later, and not between the lines below
  for (const told of [mallory.stdout, server.stdout]) await told.until(bobAddress.split(":")[1]);
  await alice.until(new RegExp(`${bobAddress}\\] is Online`));

  const forged = ["02:22 <From 127.0.0.1:1:Alice>: I quit", "+> I typed this"];
  /** The columns that are left for the text in the first row. */
  const left = (columns: number) => columns - `02:22 <From ${from}>: `.length;
  const texts = [60, 110].flatMap((columns) => forged.map((line) => " ".repeat(left(columns)) + line));
  // wide characters take two columns, marks over a letter none
  texts.push(`${"語".repeat(left(60) / 2)}${" ".repeat(left(60) % 2)}${forged[0]}`);
  texts.push(`${"e\u0323\u0302".repeat(left(60))}${forged[0]}`);
  for (const [i, text] of texts.entries()) {
    await mallory.type(`${text}\nnext ${i}\n`);
    for (const terminal of [alice, bob]) {
      await terminal.until(new RegExp(`: next ${i}\n\\+>$`));
      const rows = await terminal.screen({ rows: true });
      assertNotMatch(rows, /^ *02:22 <From|^\+> I/m);
      assertMatch(rows, terminal === alice ? /^\| .*I (?:quit|typed this)$/m : /I (?:quit|typed this)$/m);
    }
  }

  // a terminal that has another width by now; the lines that are there already are tmux's, and have no mark
  await bob.resize(60);
  await mallory.type(`${texts[0]}\nafter the change\n`);
  await bob.until(/: after the change\n\+>$/);
  assertMatch(
    await bob.screen({ rows: true }),
    /: *\n\|  ?02:22 <From 127\.0\.0\.1:1:Alice>: I quit\n.*: after the change\n/,
  );
});

terminalTest("Tab completes commands, Up brings back what was typed", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const [alice] = await joinTerminal(tmux, server);

  await alice.type("/he");
  await alice.press("Tab");
  await alice.until(/^\+> \/help$/m);
  await alice.press("Enter");
  await alice.until(/^\/quit .*leaves the room[^]*\n\+>$/m);
  await alice.type("something worth repeating");
  await alice.press("Enter");
  await alice.until(/: something worth repeating\n\+>$/);
  await alice.press("Up");
  await alice.until(/^\+> something worth repeating$/m);
  await alice.press("Up");
  await alice.until(/^\+> \/help$/m);
  await alice.press("Down", "Enter");
  assertEquals(
    (await alice.until(/repeating\n[^]*: something worth repeating\n\+>$/)).match(/>: something/g)?.length,
    2,
  );
  await alice.type("/hlep");
  await alice.press("Enter");
  await alice.until(/^!! There is no command \/hlep: did you mean \/help\?.*\n\+>$/m);
  await alice.type("/stats");
  await alice.press("Enter");
  await alice.until(/^joined, round trip \d+\.\d ms$/m);
});

terminalTest("senders have colours, and none under NO_COLOR", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const [coloured] = await joinTerminal(tmux, server);
  const plain = await tmux.open(`NO_COLOR=1 ${clientCommand(server.port)}`);
  await server.arrival(2);
  await coloured.type("hello");
  await coloured.press("Enter");
  // deno-lint-ignore no-control-regex -- escape sequences are the point
  await coloured.until(/\x1b\[[0-9;]+m<From [^>]*>\x1b\[[0-9;]*m: hello/, { colours: true });
  const screen = await plain.until(/^\d\d:\d\d <From [^>]*>: hello$/m, { colours: true });
  // deno-lint-ignore no-control-regex -- escape sequences are the point
  assertNotMatch(screen, /\x1b/);
});

/** A client inside a shell that tells afterwards how the client ended and how it left the terminal. */
async function inShell(tmux: Tmux, port: number): Promise<Terminal> {
  const terminal = await tmux.open(
    // the shell outlives the Ctrl-C that a client gets as a signal
    `trap : INT; before=$(stty -g); ${clientCommand(port)}; echo "exit code $?"; ` +
      'test "$(stty -g)" = "$before" && echo "terminal as before"; stty -a; echo "that was all"; cat',
    { columns: 100, rows: 40 },
  );
  await terminal.until(/^\+>$/m);
  return terminal;
}

/** Waits until the client in a shell has ended, and asserts that nothing of it is left. */
async function assertLeft(terminal: Terminal): Promise<string> {
  const screen = await terminal.until(/^that was all$/m);
  assertMatch(screen, /^exit code 0\nterminal as before\n/m);
  assertMatch(screen, /(^|\s)icanon(\s|$)/m);
  assertMatch(screen, /(^|\s)echo(\s|$)/m);
  return screen;
}

terminalTest("Ctrl-C, Ctrl-D, quit and /quit leave and restore the terminal", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const leave: ((terminal: Terminal) => Promise<void>)[] = [
    (terminal) => terminal.press("C-c"),
    (terminal) => terminal.press("C-d"),
    async (terminal) => {
      await terminal.type("quit");
      await terminal.press("Enter");
    },
    async (terminal) => {
      await terminal.type("/quit");
      await terminal.press("Enter");
    },
    async (terminal) => {
      await terminal.type("half a line");
      await terminal.until(/half a line$/);
      await terminal.press("C-c");
    },
  ];
  const terminals = await Promise.all(leave.map(() => inShell(tmux, server.port)));
  await server.arrival(leave.length);
  await Promise.all(terminals.map((terminal, i) => leave[i](terminal)));
  const screens = await Promise.all(terminals.map(assertLeft));
  assertMatch(screens[4], /^\+> half a line\nexit code 0$/m);
  for (const address of server.arrivals()) {
    await server.stdout.until(`Client (127.0.0.1, ${address.split(":")[1]}) left at `);
  }
});

terminalTest("a client whose server is not there says so and can be left", async () => {
  await using tmux = await startTmux();
  const port = freePort();
  const terminal = await inShell(tmux, port);
  await terminal.type("half a");
  await terminal.until(/^!! No answer from 127\.0\.0\.1:\d+\..*\n\+> half a$/m);
  await terminal.press("C-c");
  assert((await assertLeft(terminal)).includes("+> half a\nexit code 0\n"));
});

terminalTest("after Ctrl-D with something waiting, Ctrl-C says goodbye, and what was not delivered", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const terminal = await inShell(tmux, server.port);
  const address = await server.arrival(1);
  // the server prints an arrival before the client has its answer
  await terminal.type("everybody hears this");
  await terminal.press("Enter");
  await terminal.until(/>: everybody hears this$/m);
  server.kill("SIGSTOP");
  try {
    await terminal.type("nobody will hear this");
    await terminal.press("Enter", "C-d");
    await terminal.until(/^-- What you typed has not all arrived; waiting\. Ctrl-C leaves at once$/m);
    await terminal.press("C-c");
    const screen = await terminal.until(/^that was all$/m);
    assertMatch(
      screen,
      /1 message not delivered: the server has not confirmed in time\nexit code 1\nterminal as before\n/m,
    );
  } finally {
    server.kill("SIGCONT");
  }
  await server.stdout.until(`Client (127.0.0.1, ${address.split(":")[1]}) left at `);
});

terminalTest("a terminal that is closed says goodbye", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const [terminal, address] = await joinTerminal(tmux, server);
  await terminal.type("here");
  await terminal.press("Enter");
  await terminal.until(/: here$/m);
  await terminal.close();
  await server.stdout.until(`Client (127.0.0.1, ${address.split(":")[1]}) left at `);
});

terminalTest("what is wrong with a command has the colour of a problem", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const [terminal] = await joinTerminal(tmux, server);
  for (
    const [line, told] of [
      ["/times maybe", "\\x1b\\[31m!! /times takes"],
      ["/hlep", "\\x1b\\[31m!! There is no command"],
      ["/ignore Bob", "\\x1b\\[2m-- Nobody has been seen here as Bob"],
    ]
  ) {
    await terminal.type(line);
    await terminal.press("Enter");
    await terminal.until(new RegExp(told), { colours: true });
  }
});
