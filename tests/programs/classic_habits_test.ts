/** Programs of others, each with its own way to write the classic words, in one room with our client. */
import { assertEquals } from "@std/assert";
import { joinRoom, messagesOf, type Process, start, startServer } from "../../scripts/support/processes.ts";
import { linesOf, pythonTest } from "../support/python.ts";

/** A student's program. It says each line of its input in its own form, and prints what it gets without the first word. */
const PROGRAM = `
import socket, sys, threading
port, greeting, form = sys.argv[1:]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 0))
server = "127.0.0.1", int(port)
sock.sendto(greeting.encode(), server)

def print_what_comes():
    while True:
        print(sock.recv(4096).decode()[8:].strip(), flush=True)

threading.Thread(target=print_what_comes, daemon=True).start()
for line in sys.stdin:
    sock.sendto((form % line.rstrip("\\n")).encode(), server)
`;

const HABITS = [
  ["GREETING", "MESSAGE %s"],
  ["GREETING", "MESSAGE%s"],
  ["GREETING:Alice", "MESSAGE:%s"],
  ["GREETING Alice", "MESSAGE: %s"],
  ["GREETINGS\n", "MESSAGE:%s\n"],
  ["greeting", "message %s"],
  ["Greeting Alice", "Message: %s\n"],
  ["GREETING", "%s"],
  ["sign-in:Zoë", "%s\n"],
];

/** Several programs that end together. */
function allOf(all: Process[]): AsyncDisposable & { all: Process[] } {
  return {
    all,
    async [Symbol.asyncDispose]() {
      for (const program of all) await program[Symbol.asyncDispose]();
    },
  };
}

pythonTest("programs with other habits are understood, and keep their smileys", async () => {
  await using server = await startServer();
  await using client = await joinRoom(server);
  const said = ["hello: everyone", ":-)", "messages are nice"];
  // none ends before the others: the next one could get its port, where the server still knows it
  await using programs = allOf([]);
  for (const [i, [greeting, form]] of HABITS.entries()) {
    const program = start(["python3", "-c", PROGRAM, String(server.port), greeting, form], {
      env: { PYTHONIOENCODING: "utf-8", PYTHONUTF8: "1" },
    });
    programs.all.push(program);
    const address = await server.arrival(i + 2);
    const sender = greeting.startsWith("sign") ? `${address}:Zoë` : address;
    // UDP may reorder, so each line waits until the one before has come back
    for (const text of said) {
      await program.type(`${text}\n`);
      await program.stdout.until(`<From ${sender}>: ${text}\n`);
    }
    const expected = said.map((text) => `<From ${sender}>: ${text}`);
    await client.stdout.until(`${expected.at(-1)}\n`);
    assertEquals(linesOf(program).filter((line) => line.startsWith("<")), expected, form);
    assertEquals(messagesOf(client).filter((line) => line.startsWith(`<From ${address}`)), expected, form);
  }
});
