/** Servers and programs that answer or relay what a server sends them: nobody talks to another for ever. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { freePort } from "../../scripts/support/ports.ts";
import { type Server, startServer } from "../../scripts/support/processes.ts";
import { openPeer, type Peer } from "../support/classic_peer.ts";
import { openFolder } from "../support/state_files.ts";

/** How often somebody speaks, and waits until it has come back. */
const ROUNDS = 100;

/** Greets a server from a port of another one that does not run at the moment, as a forged greeting would. */
async function greetFrom(port: number, server: Server): Promise<void> {
  const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
  try {
    await conn.send(new TextEncoder().encode("GREETING"), {
      transport: "udp",
      hostname: "127.0.0.1",
      port: server.port,
    });
    assertEquals(await server.arrival(1), `127.0.0.1:${port}`);
  } finally {
    conn.close();
  }
}

/** A program that has greeted both servers, and sends them something for each datagram that it gets. */
async function openAnswering(servers: Server[], answer: (text: string) => string[], toAll: boolean): Promise<Peer> {
  const peer = openPeer("127.0.0.1", (text) => {
    const answers = answer(text);
    if (!toAll) return answers.map((line) => new TextEncoder().encode(line));
    for (const { port } of servers) for (const line of answers) peer.send(line, port).catch(() => {});
    return [];
  });
  for (const server of servers) {
    const before = server.arrivals().length;
    await peer.send("GREETING", server.port);
    await server.arrival(before + 1);
  }
  return peer;
}

/** Speaks in rounds, and checks that neither it nor the others hear much more than that. */
async function speakInRounds(speaker: Peer, server: Server, others: Peer[], more: number): Promise<void> {
  await speaker.send("GREETING\n", server.port);
  const all = [speaker, ...others], before = all.map(({ received }) => received.length);
  for (let i = 0; i < ROUNDS; i++) {
    await speaker.send(`MESSAGE round ${i}`, server.port);
    await speaker.until(new RegExp(`:${speaker.port}>: round ${i}\n$`));
  }
  all.forEach(({ received }, i) => assertLessOrEqual(received.length - before[i], ROUNDS + more));
}

Deno.test("loops: two servers that were greeted in each other's name, and a program that relays between them", async () => {
  using folder = openFolder();
  const flags = ["--rate", "0", "--state", folder.file()];
  const ports = [freePort(), freePort()];
  {
    await using first = await startServer(String(ports[0]), ...flags);
    await greetFrom(ports[1], first);
    first.kill("SIGKILL");
    await first.exitCode();
  }
  await using other = await startServer(String(ports[1]), "--rate", "0");
  await greetFrom(ports[0], other);
  await using server = await startServer(String(ports[0]), ...flags);
  await server.stdout.until("; 1 member from before\n");
  await using relay = await openAnswering([server, other], (text) => [text], true);
  // one that prints what it gets without the word
  await using printer = await openAnswering([server, other], (text) => [text.slice(8).trimStart()], true);
  await using speaker = openPeer();
  await speakInRounds(speaker, server, [relay, printer], 0);
  await using another = openPeer();
  await speakInRounds(another, other, [relay, printer], 0);
});

Deno.test("loops: programs that answer whatever two servers send them", async () => {
  await using server = await startServer("--rate", "0");
  await using other = await startServer("--rate", "0");
  const answers = [
    ["Unknown command\n", "The commands are: JOIN, SAY\n"],
    ["Message not understood"],
    ["sign-in first"],
    ["Greetings, whoever you are", "list"],
    ["greetings from a server", "/help", "/send all an answer"],
  ];
  await using stack = new AsyncDisposableStack();
  const programs: Peer[] = [];
  for (const lines of answers) programs.push(stack.use(await openAnswering([server, other], () => lines, false)));
  const quoting = (text: string) => [`Unknown command: ${text}`, `Message from x: ${text}`];
  programs.push(stack.use(await openAnswering([server, other], quoting, true)));
  await using speaker = openPeer();
  // each text is heard once, and an answer of each server; more only where 2 s pass between two rounds
  await speakInRounds(speaker, server, programs, 12);
  await using another = openPeer();
  await speakInRounds(another, other, programs, 12);
});
