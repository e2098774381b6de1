/** The server's limit of messages a second, as it is when nobody asks for another, and clients that have more to say. */
import { assertEquals, assertMatch } from "@std/assert";
import { joinRoom, messagesOf, startClient, startServer } from "../../scripts/support/processes.ts";
import { openPeer } from "../support/classic_peer.ts";
import { stops } from "../support/signals.ts";

/** The lines of `seq FIRST LAST`. */
function seq(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => String(first + i));
}

/** The texts of messages as a client shows them. */
function textsOf(lines: string[]): string[] {
  return lines.map((line) => line.slice(line.indexOf(">: ") + 3));
}

Deno.test("rate: what is piped in faster than the server wants it arrives whole and in order, at its pace", async () => {
  await using server = await startServer();
  await using listener = await joinRoom(server);
  await using client = startClient("127.0.0.1", server.port);
  const lines = seq(1, 80);
  const start = performance.now();
  await client.type(lines.map((line) => `${line}\n`).join(""));
  await client.endInput();
  assertEquals(await client.exitCode(), 0, client.stderr.text());
  const seconds = (performance.now() - start) / 1000;
  assertEquals(textsOf(messagesOf(client)), lines);
  await listener.stdout.until(": 80\n");
  assertEquals(textsOf(messagesOf(listener)), lines);
  assertEquals(client.stderr.text(), "");
  // forty at once, then twenty a second: repeats that took tokens would stretch this without end
  if (seconds < 1.9) throw new Error(`A limit that lets 80 messages pass in ${seconds} s is none`);
  if (await stops(server)) assertMatch(server.stdout.text(), / 80 messages in, \d+ datagrams out\n$/);
});

Deno.test("rate: with one message a second a pipe takes its time, and delivers all", async () => {
  await using server = await startServer("--rate", "1");
  await using client = startClient("127.0.0.1", server.port);
  const lines = seq(1, 6);
  await client.type(lines.map((line) => `${line}\n`).join(""));
  await client.endInput();
  assertEquals(await client.exitCode(), 0, client.stderr.text());
  assertEquals(textsOf(messagesOf(client)), lines);
  assertEquals(client.stderr.text(), "");
});

Deno.test("rate: of a classic member the first forty at once are heard, and whoever is quieter is not disturbed", async () => {
  await using server = await startServer();
  await using loud = openPeer();
  await using quiet = openPeer();
  for (const peer of [loud, quiet]) await peer.send("GREETING", server.port);
  await server.arrival(2);
  for (const line of seq(1, 100)) await loud.send(`MESSAGE ${line}`, server.port);
  await quiet.send("MESSAGE me too", server.port);
  await loud.until(/: me too$/);
  const heard = loud.received.filter(({ text }) => text.includes(`${loud.address}>`)).length;
  if (heard < 40 || heard > 60) throw new Error(`${heard} of 100 were let through`);
  if (await stops(server)) {
    assertMatch(
      server.stdout.text(),
      new RegExp(`${heard + 1} messages in, .* out; ignored: ${100 - heard} with messages faster than --rate\n$`),
    );
  }
});
