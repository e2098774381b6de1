/** Our client with a server that only knows the classic dialect, like a student's. */
import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { openPeer, type Peer } from "../support/classic_peer.ts";
import { messagesOf, startClient } from "../../scripts/support/processes.ts";

/** How a classic server behaves. */
interface ClassicServerOptions {
  /** Whether the sender of a message gets it too. */
  echo?: boolean;
  /** What stands between INCOMING and the sender. */
  separator?: string;
}

/** A server as the assignment wants it: it knows two words, takes them literally, and looks at no text. */
function openClassicServer({ echo = true, separator = " " }: ClassicServerOptions = {}) {
  const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const clients = new Map<string, Deno.NetAddr>();
  /** The texts that were said, in order. */
  const said: string[] = [];
  let closed = false;

  async function serve(): Promise<void> {
    while (!closed) {
      try {
        const [bytes, from] = await conn.receive() as [Uint8Array, Deno.NetAddr];
        const packet = new TextDecoder().decode(bytes);
        const sender = `${from.hostname}:${from.port}`;
        if (packet === "GREETING") clients.set(sender, from);
        if (!packet.startsWith("MESSAGE") || packet.startsWith("MESSAGE/") || !clients.has(sender)) continue;
        const text = packet.slice("MESSAGE".length);
        said.push(text);
        const forwarded = new TextEncoder().encode(`INCOMING${separator}<From ${sender}>: ${text}`);
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
  await using client = startClient("127.0.0.1", server.port);
  const lines = ["one", "two words", "three, with an ä", "", "four ", "x".repeat(3000)];
  await client.type(lines.join("\n"));
  await client.endInput();
  assertEquals(await client.exitCode(), 0);

  const [, first] = (await peer.next()).text.match(/^INCOMING <From (127\.0\.0\.1:\d+)>: /)!;
  const shown = messagesOf(client);
  for (const line of shown) assertMatch(line, new RegExp(`^<From ${first}>: `));
  const texts = shown.map((line) => line.slice(`<From ${first}>: `.length));
  assertEquals(texts.map((text) => text.trim()), server.said.slice(1).map((text) => text.trim()));
  assertEquals(texts.slice(0, 4).map((text) => text.trim()), ["one", "two words", "three, with an ä", "four"]);
  assertEquals(texts.slice(4).map((text) => text.trim()).join(""), lines.at(-1));
  assertMatch(client.stderr.text(), /^-- This server speaks the classic dialect/m);
});

Deno.test("classic server: a client that stays hears the others, and nothing harmful", async () => {
  await using server = openClassicServer({ separator: "" });
  await using peer = openPeer();
  await register(peer, server.port);
  await using client = startClient("127.0.0.1", server.port);
  await client.type("hello\n");
  await client.stdout.until(/^<From 127\.0\.0\.1:\d+>: +hello$/m);
  await peer.send("MESSAGE\x1b[2Jhi there\u202e\x07", server.port);
  await client.stdout.until(`<From ${peer.address}>: ?[2Jhi there??\n`);
  await client.type("and again\n");
  await peer.until(/^INCOMING<From .*>: +and again$/);
  await client.stdout.until(/: +and again$/m);
  await client.endInput();
  assertEquals(await client.exitCode(), 0);
  // deno-lint-ignore no-control-regex -- control characters are the point
  assertNotMatch(client.stdout.text(), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
  assertEquals(messagesOf(client).length, 3);
});

Deno.test("classic server: without an echo the lines are sent, but nobody knows", async () => {
  await using talkative = openClassicServer({ echo: false });
  await using silent = openClassicServer({ echo: false });
  await using peer = openPeer();
  await peer.send("GREETING", talkative.port);
  await using heard = startClient("127.0.0.1", talkative.port);
  await using unheard = startClient("127.0.0.1", silent.port);
  for (const client of [heard, unheard]) {
    await client.type("one\ntwo\nthree\n");
    await client.endInput();
  }

  const amongOthers = async () => {
    await peer.until(/^INCOMING <From .*>: +one$/);
    // somebody else's message shows that this is a classic server
    await peer.send("MESSAGEwelcome", talkative.port);
    await peer.until(/^INCOMING <From .*>: +three$/);
    assertEquals(await heard.exitCode(), 1);
    assertMatch(
      heard.stderr.text(),
      /\n3 messages sent, but this classic server does not say whether they arrived\n$/,
    );
    assertEquals(messagesOf(heard), [`<From ${peer.address}>: welcome`]);
    assertEquals(talkative.said.map((text) => text.trim()), ["one", "welcome", "two", "three"]);
  };
  const alone = async () => {
    await unheard.stderr.until("No answer");
    assertEquals(await unheard.exitCode(), 1);
    assertMatch(unheard.stderr.text(), /\nNo answer from 127\.0\.0\.1:\d+; 3 messages not delivered\n$/);
  };
  await Promise.all([amongOthers(), alone()]);
});
