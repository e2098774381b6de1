/**
 * Servers as people write them for the classic assignment, each with habits of its own.
 *
 * @module
 */
import { Changing } from "../../scripts/support/waiting.ts";

/** How a classic server behaves. */
export interface ClassicServerOptions {
  /** Whether the sender of a message gets it too. */
  echo?: boolean;
  /** What it makes of a text; `INCOMING <From SENDER>: TEXT` by default. */
  form?: (text: string, sender: string) => string;
  /** Whether it sends from another socket than the one that it listens on. */
  secondSocket?: boolean;
  /** Whether it keeps a list of those who have greeted, so that who greets twice gets everything twice. */
  list?: boolean;
  /** Whether it hands on to all what is neither a greeting nor a message. */
  relays?: boolean;
  /** Whether it answers what it does not know with `Unknown command`. */
  complains?: boolean;
  /** Whether it is as good as not there until {@linkcode openClassicServer}'s `begin` is called. */
  startsLate?: boolean;
}

/** Starts a server that knows two words, takes them literally, and looks at no text. */
export function openClassicServer(options: ClassicServerOptions = {}) {
  const { echo = true, form = (text, sender) => `INCOMING <From ${sender}>: ${text}` } = options;
  const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const second = options.secondSocket && Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const out = second || conn;
  const clients: { sender: string; address: Deno.NetAddr }[] = [];
  const changes = new Changing();
  /** The texts that were said, in order. */
  const said: string[] = [];
  /** All datagrams that came, in order. */
  const received: { text: string; sender: string; at: number }[] = [];
  let closed = false, hasBegun = !options.startsLate;

  async function forward(text: string, from: string): Promise<void> {
    const datagram = new TextEncoder().encode(form(text, from));
    for (const { sender, address } of clients) if (echo || sender !== from) await out.send(datagram, address);
  }

  async function serve(): Promise<void> {
    while (!closed) {
      try {
        const [bytes, address] = await conn.receive() as [Uint8Array, Deno.NetAddr];
        if (!hasBegun) continue;
        const packet = new TextDecoder().decode(bytes), sender = `${address.hostname}:${address.port}`;
        received.push({ text: packet, sender, at: performance.now() });
        const isHere = clients.some((client) => client.sender === sender);
        if (packet === "GREETING") {
          if (!isHere || options.list) clients.push({ sender, address });
        } else if (packet.startsWith("MESSAGE") && !packet.startsWith("MESSAGE/")) {
          if (!isHere) continue;
          said.push(packet.slice("MESSAGE".length));
          await forward(said.at(-1)!, sender);
        } else if (options.relays) await forward(packet, sender);
        else if (options.complains) await out.send(new TextEncoder().encode("Unknown command"), address);
        changes.changed();
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
    received,
    begin: () => hasBegun = true,
    /** Forgets who has greeted, as a restart does. */
    forget: () => void clients.splice(0),
    /** Waits until so many have greeted. */
    greeted: (count: number) =>
      changes.until(() => clients.length >= count || undefined, () => `${clients.length} have greeted`),
    /** Waits until so many texts were said. */
    heard: (count: number) => changes.until(() => said.length >= count || undefined, () => `heard ${said}`),
    /** Sends to all as if somebody had said it. */
    announce: (text: string) => forward(text, "somebody else"),
    async [Symbol.asyncDispose]() {
      closed = true;
      conn.close();
      if (second) second.close();
      await serving;
    },
  };
}
