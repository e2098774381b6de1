/** The Python clients that PROTOCOL.md prints, among real programs, on a bad network that loses its server too. */
import { assertEquals } from "@std/assert";
import { freePort } from "../../scripts/support/ports.ts";
import { joinRoom, messagesOf, type Process, startClient, startServer } from "../../scripts/support/processes.ts";
import { CLASSIC, linesOf, LOSE_NOTHING, pythonTest, SAY_AND_PRINT, startPython } from "../support/python.ts";
import { stops } from "../support/signals.ts";
import { openFolder } from "../support/state_files.ts";

/** How long a test waits for a line that crosses a bad network and a restart, in milliseconds. */
const LONG_DEADLINE_MS = 60_000;

pythonTest("classic.py says what is typed, and prints what our client says", async () => {
  await using server = await startServer();
  await using bob = await joinRoom(server);
  await using python = startPython(CLASSIC, "127.0.0.1", server.port);
  const address = await server.arrival(2);
  await python.type("hello from Python\n");
  await bob.stdout.until(`<From ${address}>: hello from Python\n`);
  await bob.type("hello, Python\n");
  await python.stdout.until(`<From ${bob.address}>: hello, Python\n`);
  assertEquals(
    linesOf(python),
    ["hello from Python", "hello, Python"].map((text, i) => `<From ${[address, bob.address][i]}>: ${text}`),
  );
});

pythonTest("say_and_print.py says what is typed, and prints what our client says", async () => {
  await using server = await startServer();
  await using bob = await joinRoom(server);
  await using python = startPython(SAY_AND_PRINT, "127.0.0.1", server.port);
  await python.type("hello from Python\n");
  const address = await server.arrival(2);
  await bob.stdout.until(`<From ${address}>: hello from Python\n`);
  await bob.type("hello, Python\n");
  await python.stdout.until(`${bob.address}: hello, Python\n`);
  assertEquals(linesOf(python), [`${address}: hello from Python`, `${bob.address}: hello, Python`]);
  // a line that is too long is cut, and an empty one is no reason to stop
  await python.type(`${"😀".repeat(500)}\n\nlast\n`);
  await bob.stdout.until(`<From ${address}>: last\n`);
  assertEquals(messagesOf(bob)[2], `<From ${address}>: ${"😀".repeat(214)}`);
  // many lines at once are not dropped by a server that takes 20 a second
  const many = Array.from({ length: 60 }, (_, i) => `line ${i}`);
  await python.type(many.map((text) => `${text}\n`).join(""));
  await bob.stdout.until(": line 59\n");
  assertEquals(messagesOf(bob).slice(4).map((line) => line.replace(/^.*: /, "")), many);
  await stops(python, "SIGINT", 130);
  assertEquals(python.stderr.text(), "");
});

pythonTest("lose_nothing.py has a name, cuts long lines, and says goodbye at the end of its input", async () => {
  await using server = await startServer();
  await using bob = await joinRoom(server);
  await using python = startPython(LOSE_NOTHING, "127.0.0.1", server.port, "Zoë");
  await python.type(`one\n\n${"😀".repeat(300)}\nlast`);
  await python.endInput();
  assertEquals(await python.exitCode(), 0, python.stderr.text());
  const said = ["one", "😀".repeat(214), "😀".repeat(86), "last"];
  assertEquals(linesOf(python), said.map((text) => `Zoë: ${text}`));
  await bob.stdout.until(/:Zoë>: last\n/);
  await server.stdout.until(/ left at .* as Zoë\n/);
});

pythonTest("lose_nothing.py goes on in a room where the sender gets no copy", async () => {
  await using server = await startServer("--no-echo");
  await using other = startPython(LOSE_NOTHING, "127.0.0.1", server.port);
  await server.arrival(1);
  await using python = startPython(LOSE_NOTHING, "127.0.0.1", server.port);
  await server.arrival(2);
  await server.type("drop 25%\n");
  await server.stdout.until("The network is now: drop 25%");
  const numbers = Array.from({ length: 10 }, (_, i) => String(i));
  await python.type(numbers.map((text) => `${text}\n`).join(""));
  await python.endInput();
  assertEquals(await python.exitCode(LONG_DEADLINE_MS), 0, python.stderr.text());
  await other.stdout.until(": 9\n", LONG_DEADLINE_MS);
  assertEquals(linesOf(other).map((line) => line.replace(/^.*: /, "")), numbers);
  assertEquals(linesOf(python), []);
});

pythonTest("the programs join at a round trip that is longer than their pause between greetings", async () => {
  for (const [file, delay] of [[LOSE_NOTHING, 150], [SAY_AND_PRINT, 300]] as const) {
    await using server = await startServer("--delay", `${delay}..${delay}`);
    await using python = startPython(file, "127.0.0.1", server.port);
    await python.type("hello\n");
    await python.stdout.until(": hello\n");
    if (file !== LOSE_NOTHING) continue;
    await python.endInput();
    assertEquals(await python.exitCode(), 0, python.stderr.text());
    assertEquals(linesOf(python).length, 1);
  }
});

pythonTest("the programs are kicked, say why, and do not come back", async () => {
  await using server = await startServer();
  for (const [i, file] of [SAY_AND_PRINT, LOSE_NOTHING].entries()) {
    await using python = startPython(file, "127.0.0.1", server.port);
    const address = await server.arrival(i + 1);
    await python.type("hello\n");
    await python.stdout.until(": hello\n");
    await server.type(`kick ${address} flooding\n`);
    assertEquals(await python.exitCode(), 1, file);
    assertEquals(python.stderr.text(), "You were kicked: flooding\n", file);
  }
});

/** The texts that a program has printed, without those that were said to find out who is there. */
function textsOf(program: Process): string[] {
  return linesOf(program).map((line) => line.replace(/^.*: /, "")).filter((text) => /^\w+ \d-\d+$/.test(text));
}

/** Types some lines at each program, and returns the texts. */
async function say(programs: Process[], what: string, count: number): Promise<string[][]> {
  const texts = programs.map((_, i) => Array.from({ length: count }, (_, k) => `${what} ${i}-${k}`));
  for (const [i, program] of programs.entries()) await program.type(texts[i].map((text) => `${text}\n`).join(""));
  return texts;
}

/** Waits until each program has printed all texts. */
async function untilShown(programs: Process[], texts: string[]): Promise<void> {
  for (const program of programs) {
    for (const text of texts) await program.stdout.until(`: ${text}\n`, LONG_DEADLINE_MS);
  }
}

/** Kills a server in the middle of a conversation, over a network that loses a quarter each way; starts it again. */
async function loseServer(...flags: string[]): Promise<{ programs: Process[]; said: string[][][] } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const port = freePort();
  const restarted = async () => stack.use(await startServer(String(port), "--drop", "25%", ...flags));
  const first = await restarted();
  const programs = [
    startPython(LOSE_NOTHING, "127.0.0.1", port, "Alice"),
    startPython(LOSE_NOTHING, "127.0.0.1", port),
    startPython(LOSE_NOTHING, "127.0.0.1", port),
    startClient("127.0.0.1", port),
  ];
  for (const program of programs) stack.use(program);
  for (const program of programs) await program.type("here\n");
  for (const program of programs) await program.stdout.until(": here\n", LONG_DEADLINE_MS);

  const before = await say(programs, "before", 5);
  await untilShown(programs, before.flat());
  const around = await say(programs, "around", 5);
  await programs[0].stdout.until(`: ${around[0][2]}\n`, LONG_DEADLINE_MS);
  first.kill("SIGKILL");
  await first.exitCode();
  const after = await say(programs, "after", 6);
  await restarted();
  await untilShown(programs, after.flat());
  const ending = stack.move();
  return { programs, said: [before, around, after], [Symbol.asyncDispose]: () => ending.disposeAsync() };
}

async function end(programs: Process[]): Promise<void> {
  for (const program of programs) await program.endInput();
  for (const program of programs) assertEquals(await program.exitCode(LONG_DEADLINE_MS), 0, program.stderr.text());
}

/** With a memory: each line once, and all in one order. */
async function loseServerWithMemory(): Promise<void> {
  using folder = openFolder();
  await using room = await loseServer("--state", folder.file());
  const { programs, said } = room;
  await untilShown(programs, said.flat(2));
  await end(programs);
  assertEquals(textsOf(programs[0]).toSorted(), said.flat(2).toSorted());
  for (const program of programs) assertEquals(textsOf(program), textsOf(programs[0]));
  for (const i of programs.keys()) assertInOrder(programs[0], said.flatMap((texts) => texts[i]));
}

/** Without one: no line twice, and only what was said just before the crash may be lost. */
async function loseServerWithoutMemory(): Promise<void> {
  await using room = await loseServer();
  const { programs, said: [before, around, after] } = room;
  await end(programs);
  for (const [i, program] of programs.entries()) {
    const texts = textsOf(program);
    assertEquals(texts.length, new Set(texts).size, "nothing twice");
    // what its sender had seen by then it does not say again, but somebody else may have missed it
    const certain = texts.filter((text) => !text.startsWith("around"));
    assertEquals(certain.toSorted(), [...before, ...after].flat().toSorted());
    for (const sender of programs.keys()) {
      const own = [before, around, after].flatMap((lines) => lines[sender]);
      // our client has many lines under way, and the Python program shows what it holds at once
      if (sender === 3 && i < 3) continue;
      assertInOrder(program, own.filter((text) => texts.includes(text)));
    }
  }
}

/** Asserts that a program has printed these texts of one sender, and no others of it, in this order. */
function assertInOrder(program: Process, own: string[]): void {
  assertEquals(textsOf(program).filter((text) => own.includes(text)), own);
}

pythonTest(
  "a quarter is lost and the server is killed: nothing is lost or printed twice, each sender in order",
  async () => {
    // both at once, because most of the time goes by in waiting for what was lost
    const ends = await Promise.allSettled([loseServerWithMemory(), loseServerWithoutMemory()]);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  },
);
