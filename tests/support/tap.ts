/**
 * A wire with a tap: clients send to it what is for the server, and it notes all that passes.
 *
 * @module
 */

/** The wire. Disposing of it cuts it. */
export interface Tap extends AsyncDisposable {
  /** Where clients find the server. */
  readonly port: number;
  /** All datagrams that have passed, both ways, as Latin-1 text. */
  readonly passed: readonly string[];
  /** Whether datagrams pass. */
  isOpen: boolean;
}

/** Opens a wire to a server on the loopback interface. */
export function openTap(serverPort: number): Tap {
  const listen = () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const front = listen(), backs = new Map<string, Deno.DatagramConn>(), running: Promise<void>[] = [];
  const passed: string[] = [];
  let isCut = false;

  /** Takes what comes until the wire is cut. */
  async function receive(conn: Deno.DatagramConn, take: (bytes: Uint8Array, from: Deno.Addr) => Promise<unknown>) {
    while (!isCut) {
      try {
        const [bytes, from] = await conn.receive(new Uint8Array(65_536));
        if (!tap.isOpen) continue;
        passed.push(String.fromCharCode(...bytes));
        await take(bytes, from);
      } catch (error) {
        const isGone = error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.ConnectionReset;
        if (!isCut && !isGone) throw error;
      }
    }
  }

  const tap = {
    port: (front.addr as Deno.NetAddr).port,
    passed,
    isOpen: true,
    async [Symbol.asyncDispose]() {
      isCut = true;
      for (const conn of [front, ...backs.values()]) conn.close();
      await Promise.all(running);
    },
  };
  const server = { transport: "udp", hostname: "127.0.0.1", port: serverPort } as const;
  running.push(receive(front, async (bytes, from) => {
    const key = JSON.stringify(from);
    let back = backs.get(key);
    if (!back) {
      backs.set(key, back = listen());
      running.push(receive(back, (bytes) => front.send(bytes, from)));
    }
    await back.send(bytes, server);
  }));
  return tap;
}
