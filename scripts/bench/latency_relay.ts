/**
 * A relay for lines, as one would write it over TCP or QUIC: what one client sends, all others get.
 *
 *     deno run -A latency_relay.ts tcp PORT
 *     deno run -A latency_relay.ts quic PORT CERTIFICATE KEY
 *
 * @module
 */

/** A connection, or a stream of one. */
export type Duplex = Pick<Deno.TcpConn, "readable" | "writable">;

/** What both ends of a QUIC connection agree on: the protocol, and how long one may be silent, in milliseconds. */
export const QUIC = { alpnProtocols: ["lines"], maxIdleTimeout: 300_000 };

/** Yields the lines that arrive until the end, without their line feeds. A connection that breaks has ended. */
export async function* readLines(readable: Duplex["readable"]): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const bytes of readable) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop()!;
      yield* lines;
    }
  } catch {
    // reset, or silent for too long
  }
}

const encoder = new TextEncoder();

/** Returns what writes a line to a connection. One that is broken gets nothing. */
export function lineWriter(writable: Duplex["writable"]): (line: string) => void {
  const writer = writable.getWriter();
  return (line) => void writer.write(encoder.encode(`${line}\n`)).catch(() => {});
}

const members = new Set<(line: string) => void>();

async function serve({ readable, writable }: Duplex): Promise<void> {
  const write = lineWriter(writable);
  members.add(write);
  for await (const line of readLines(readable)) {
    for (const member of members) {
      if (member !== write) member(line);
    }
  }
  members.delete(write);
}

async function relayTcp(port: number): Promise<void> {
  const listener = Deno.listen({ hostname: "0.0.0.0", port });
  console.log(`Listening on 0.0.0.0:${listener.addr.port}`);
  for await (const conn of listener) {
    conn.setNoDelay(true);
    serve(conn);
  }
}

async function relayQuic(port: number, cert: string, key: string): Promise<void> {
  const endpoint = new Deno.QuicEndpoint({ hostname: "0.0.0.0", port });
  const listener = endpoint.listen({ ...QUIC, cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) });
  console.log(`Listening on 0.0.0.0:${endpoint.addr.port}`);
  while (true) {
    try {
      serveQuic(await listener.accept());
    } catch {
      // one that fails leaves the others alone
    }
  }
}

async function serveQuic(conn: Deno.QuicConn): Promise<void> {
  try {
    for await (const stream of conn.incomingBidirectionalStreams) serve(stream);
  } catch {
    // it has ended
  }
}

if (import.meta.main) {
  const [transport, port, ...certificate] = Deno.args;
  if (transport === "tcp") await relayTcp(Number(port));
  else await relayQuic(Number(port), certificate[0], certificate[1]);
}
