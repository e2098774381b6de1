/** A network that loses three datagrams in ten each way, and real clients that lose nothing. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { demonstrate, formatOutcome } from "../../scripts/lossy_demo.ts";
import { openLossyProxy } from "../../scripts/lossy_proxy.ts";
import { freePort } from "../../scripts/support/ports.ts";
import { messagesOf, type Process, startClient, startServer } from "../../scripts/support/processes.ts";
import type { NetworkConditions } from "../../server/doors/network_emulator.ts";

const BAD_NETWORK: NetworkConditions = { drop: 0.3, duplicate: 0.05, delay: [0, 20], corrupt: 0 };

// without the kill, and in thousands of other schedules, the simulated network shows the same: fake_network_test.ts
Deno.test("loss: five clients, 200 messages, 30% each way, kill -9 of a --state server: each once, in one order", async () => {
  const outcome = await demonstrate({
    clients: 5,
    messages: 200,
    conditions: BAD_NETWORK,
    seed: 1,
    kill: true,
    print: console.log,
  });
  console.log(formatOutcome(outcome));
  const { screens, isOneOrder, network: { toServer, fromServer } } = outcome;
  for (const { shown, twice, missing } of screens) {
    assertEquals({ shown: shown.length, twice, missing }, { shown: 200, twice: 0, missing: 0 });
  }
  assert(isOneOrder, JSON.stringify(screens, undefined, 1));
  for (const { passed, dropped } of [toServer, fromServer]) {
    // far from 30% by chance in one of a million runs or fewer, as more than a thousand datagrams pass
    assertGreater(dropped, 0.22 * (passed + dropped));
  }
});

/** The texts behind the sender's address that a client shows, but for those that were said to find out who is there. */
function textsOf(client: Process): string[] {
  return messagesOf(client).map((line) => line.replace(/^<From [^>]*>: /, "")).filter((text) =>
    !text.startsWith("here")
  );
}

/** Types some lines at each client, and returns the texts. */
async function say(clients: Process[], what: string, count: number): Promise<string[][]> {
  const texts = clients.map((_, i) => Array.from({ length: count }, (_, k) => `${what} ${i}-${k}`));
  for (const [i, client] of clients.entries()) await client.type(texts[i].map((text) => `${text}\n`).join(""));
  return texts;
}

/** Waits until each client shows its own texts. */
async function untilOwn(clients: Process[], texts: string[][]): Promise<void> {
  for (const [i, client] of clients.entries()) {
    for (const text of texts[i]) await client.stdout.until(`: ${text}\n`);
  }
}

Deno.test("loss: kill -9 of a server without a state file: all come back, nothing is shown twice, what waited arrives", async () => {
  await using first = await startServer(String(freePort()));
  await using network = openLossyProxy({ server: first.port, conditions: BAD_NETWORK, seed: 2 });
  await using stack = new AsyncDisposableStack();
  const clients = Array.from({ length: 4 }, () => stack.use(startClient("127.0.0.1", network.port)));
  await untilOwn(clients, await say(clients, "here", 1));

  const before = await say(clients, "before", 20);
  await clients[0].stdout.until(`: ${before[0][10]}\n`);
  first.kill("SIGKILL");
  await first.exitCode();
  // nobody is there to acknowledge these
  const meanwhile = await say(clients, "meanwhile", 5);
  await using second = await startServer(String(first.port));
  for (const client of clients) await client.stderr.until("-- The server has started anew; joined again\n");
  const after = await say(clients, "after", 10);
  for (const client of clients) {
    for (const text of [...meanwhile, ...after].flat()) await client.stdout.until(`: ${text}\n`);
  }
  for (const client of clients) {
    await client.endInput();
    assertEquals(await client.exitCode(), 0, client.stderr.text());
  }

  assertEquals(second.arrivals().length, 4, "each of them came back once");
  // "before", some of it, may be lost with the server's memory; what was said since is on all screens, in one order
  const since = (client: Process) => textsOf(client).filter((text) => !text.startsWith("before"));
  assertEquals(since(clients[0]).toSorted(), [...meanwhile, ...after].flat().toSorted());
  for (const client of clients) {
    const texts = textsOf(client);
    assertEquals(texts.length, new Set(texts).size, "nothing is shown twice");
    assertEquals(since(client), since(clients[0]), "one order");
    for (const [i, first] of before.entries()) {
      const own = [...first, ...meanwhile[i], ...after[i]];
      assertEquals(texts.filter((text) => own.includes(text)), own.filter((text) => texts.includes(text)));
    }
  }
  assertGreater(network.toServer.dropped, 0);
});
