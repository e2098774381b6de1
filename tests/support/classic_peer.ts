/**
 * A program of the classic assignment, reduced to its socket, so that tests see each byte that it sends and receives.
 *
 * @module
 */
import { formatAddress } from "../../protocol/fields.ts";
import { Changing } from "../../scripts/support/waiting.ts";

/** A datagram and where it came from. */
export interface Received {
  /** The bytes as text; bytes that are not UTF-8 fail the test. */
  text: string;
  from: Deno.NetAddr;
}

/** A UDP socket that keeps every datagram that it receives. */
export interface Peer extends AsyncDisposable {
  readonly port: number;
  /** Like `127.0.0.1:52207`. */
  readonly address: string;
  /** Everything that has arrived, in order. */
  readonly received: Received[];
  /** Sends a datagram to a port of this machine, or to an address. */
  send(data: string | Uint8Array, to: number | Deno.NetAddr): Promise<void>;
  /** The next datagram that this function has not returned yet. */
  next(): Promise<Received>;
  /** Waits for a datagram that matches the pattern; one that has arrived before counts too. */
  until(pattern: RegExp): Promise<Received>;
}

/**
 * Opens a socket on a free port of the loopback interface and receives until it is disposed of.
 *
 * @param answer Returns the datagrams that are sent back for one that has arrived.
 */
export function openPeer(hostname = "127.0.0.1", answer: (text: string) => Uint8Array[] = () => []): Peer {
  const conn = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const address = conn.addr as Deno.NetAddr;
  const arrivals = new Changing();
  const received: Received[] = [];
  let returned = 0;
  let closed = false;
  const receiving = (async () => {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    while (true) {
      try {
        const [bytes, from] = await conn.receive(new Uint8Array(65_536));
        const text = decoder.decode(bytes);
        received.push({ text, from: from as Deno.NetAddr });
        arrivals.changed();
        for (const datagram of answer(text)) await conn.send(datagram, from);
      } catch (error) {
        if (closed) return;
        if (!(error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.ConnectionReset)) {
          throw error;
        }
      }
    }
  })();
  const everything = () => `received ${JSON.stringify(received.map(({ text }) => text), undefined, 2)}`;

  return {
    port: address.port,
    address: formatAddress(address),
    received,
    async send(data, to) {
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
      await conn.send(bytes, typeof to === "number" ? { transport: "udp", hostname, port: to } : to);
    },
    async next() {
      const found = await arrivals.until(() => received[returned], () => `no further datagram; ${everything()}`);
      returned++;
      return found;
    },
    until: (pattern) =>
      arrivals.until(
        () => received.find(({ text }) => pattern.test(text)),
        () => `no datagram like ${pattern}; ${everything()}`,
      ),
    async [Symbol.asyncDispose]() {
      closed = true;
      conn.close();
      await receiving;
    },
  };
}
