/** Our client with a server that only knows the classic dialect, like a student's. */
import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { messagesOf, startClient } from "../../scripts/support/processes.ts";
import { Changing } from "../../scripts/support/waiting.ts";
import { openPeer, type Peer } from "../support/classic_peer.ts";

/** How a classic server behaves. */
interface ClassicServerOptions {
  /** Whether the sender of a message gets it too. */
  echo?: boolean;
}

/** A server as the assignment wants it: it knows two words, takes them literally, and looks at no text. */
function openClassicServer({ echo = true }: ClassicServerOptions = {}) {
  const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const clients = new Map<string, Deno.NetAddr>();
  const greetings = new Changing();
  /** The texts that were said, in order. */
  const said: string[] = [];
  let closed = false;

  async function serve(): Promise<void> {
    while (!closed) {
      try {
        const [bytes, from] = await conn.receive() as [Uint8Array, Deno.NetAddr];
        const packet = new TextDecoder().decode(bytes);
        const sender = `${from.hostname}:${from.port}`;
        if (packet === "GREETING") {
          clients.set(sender, from);
          greetings.changed();
        }
        if (!packet.startsWith("MESSAGE") || packet.startsWith("MESSAGE/") || !clients.has(sender)) continue;
        const text = packet.slice("MESSAGE".length);
        said.push(text);
        const forwarded = new TextEncoder().encode(`INCOMING <From ${sender}>: ${text}`);
        for (const [address, client] of clients) if (echo || address !== sender) await conn.send(forwarded, client);
      } catch (error) {
        // a client has gone: Linux and macOS say the one, Windows the other
        const { ConnectionRefused, ConnectionReset } = Deno.errors;
        if (!closed && !(error instanceof ConnectionRefused || error instanceof ConnectionReset)) throw error;
      }
    }
  }

  const serving = serve();
  return {
    port: (conn.addr as Deno.NetAddr).port,
    said,
    /** Waits until so many have greeted. */
    greeted: (count: number) => {
      return greetings.until(() => clients.size >= count || undefined, () => `${clients.size} have greeted`);
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      conn.close();
      await serving;
    },
  };
}

/** Greets a classic server and waits until it is registered: it hears itself. */
async function register(peer: Peer, port: number): Promise<void> {
  await peer.send("GREETING", port);
  await peer.send("MESSAGEI am here", port);
  await peer.next();
}

Deno.test("classic server: a client in a pipe delivers its lines and exits with 0", async () => {
  await using server = openClassicServer();
  await using peer = openPeer();
  await register(peer, server.port);
  // beside it, one that stays: both take a few seconds to find out what the server speaks
  await using other = startClient("127.0.0.1", server.port);
  await using client = startClient("127.0.0.1", server.port);
  await server.greeted(3);
  const lines = ["one", "two words", "three, with an ä", "", "four ", "x".repeat(3000)];
  await client.type(lines.join("\n"));
  await client.endInput();
  assertEquals(await client.exitCode(), 0);

  const [, first] = (await peer.until(/: +one$/)).text.match(/^INCOMING <From (127\.0\.0\.1:\d+)>: /)!;
  const shown = messagesOf(client);
  for (const line of shown) assertMatch(line, new RegExp(`^<From ${first}>: `));
  const texts = shown.map((line) => line.slice(`<From ${first}>: `.length));
  assertEquals(texts.map((text) => text.trim()), server.said.slice(1).map((text) => text.trim()));
  assertEquals(texts.slice(0, 4).map((text) => text.trim()), ["one", "two words", "three, with an ä", "four"]);
  assertEquals(texts.slice(4).map((text) => text.trim()).join(""), lines.at(-1));
  assertMatch(client.stderr.text(), /^-- This server speaks the classic dialect/m);

  // the one that stays hears the others, and nothing harmful
  await other.stdout.until(`<From ${first}>: `);
  await other.type("hello\n");
  await other.stdout.until(/>: +hello$/m);
  await peer.send("MESSAGE\x1b[2Jhi there\u202e\x07", server.port);
  await other.stdout.until(new RegExp(`^<From ${peer.address}>: +\\?\\[2Jhi there\\?\\?$`, "m"));
  await other.type("and again\n");
  await peer.until(/^INCOMING <From .*>: +and again$/);
  await other.stdout.until(/: +and again$/m);
  await other.endInput();
  assertEquals(await other.exitCode(), 0);
  // deno-lint-ignore no-control-regex -- control characters are the point
  assertNotMatch(other.stdout.text(), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
});

Deno.test("classic server: without an echo the lines are sent, but nobody knows", async () => {
  await using server = openClassicServer({ echo: false });
  await using peer = openPeer();
  await peer.send("GREETING", server.port);
  await using client = startClient("127.0.0.1", server.port);
  await client.type("one\ntwo\nthree\n");
  await client.endInput();
  await peer.until(/^INCOMING <From .*>: +one$/);
  // somebody else's message shows that this is a classic server
  await peer.send("MESSAGEwelcome", server.port);
  await peer.until(/^INCOMING <From .*>: +three$/);
  assertEquals(await client.exitCode(), 1);
  assertMatch(client.stderr.text(), /\n3 messages sent, but this classic server does not say whether they arrived\n$/);
  assertEquals(messagesOf(client), [`<From ${peer.address}>: welcome`]);
  assertEquals(server.said.map((text) => text.trim()), ["one", "welcome", "two", "three"]);
});
