/**
 * A UDP proxy on the loopback interface that loses, repeats and delays datagrams on purpose.
 *
 * @module
 */
import { formatAddress } from "../protocol/fields.ts";
import { datagrams, socketAddress } from "../runtime/udp.ts";
import {
  type EmulatorStatistics,
  type NetworkConditions,
  NetworkEmulator,
  PERFECT,
} from "../server/doors/network_emulator.ts";

/** The server behind a proxy, and the network conditions that the proxy emulates. */
export interface LossyProxyOptions {
  /** The server's port on this machine. */
  server: number;
  /** The conditions in each direction. A condition that is not given is perfect. */
  conditions?: Partial<NetworkConditions>;
  /** The seed of the random numbers; random by default. */
  seed?: number;
}

/** A running proxy. */
export interface LossyProxy extends AsyncDisposable {
  /** The port that clients use instead of the server's. */
  readonly port: number;
  /** Counts of the datagrams to the server. */
  readonly toServer: Readonly<EmulatorStatistics>;
  /** Counts of the datagrams from the server. */
  readonly fromServer: Readonly<EmulatorStatistics>;
}

/** Opens a proxy. Each client gets its own socket to the server, so the server sees one address for each client. */
export function openLossyProxy({ server, conditions = {}, seed }: LossyProxyOptions): LossyProxy {
  const toServer = new NetworkEmulator(seed);
  const fromServer = new NetworkEmulator(seed === undefined ? undefined : seed + 1);
  for (const emulator of [toServer, fromServer]) emulator.conditions = { ...PERFECT, ...conditions };
  const front = listen();
  const serverAddress = formatAddress({ hostname: "127.0.0.1", port: server });
  const upstreams = new Map<string, Deno.DatagramConn>();
  const running: Promise<void>[] = [];

  async function forwardToClient(upstream: Deno.DatagramConn, client: string): Promise<void> {
    for await (const { bytes } of datagrams(upstream)) {
      fromServer.pass(bytes, (bytes) => transmit(front, bytes, client));
    }
  }

  function upstreamOf(client: string): Deno.DatagramConn {
    let upstream = upstreams.get(client);
    if (!upstream) {
      upstream = listen();
      upstreams.set(client, upstream);
      running.push(forwardToClient(upstream, client));
    }
    return upstream;
  }

  running.push((async () => {
    for await (const { bytes, from } of datagrams(front)) {
      const upstream = upstreamOf(from);
      toServer.pass(bytes, (bytes) => transmit(upstream, bytes, serverAddress));
    }
  })());

  return {
    port: (front.addr as Deno.NetAddr).port,
    toServer: toServer.statistics,
    fromServer: fromServer.statistics,
    async [Symbol.asyncDispose]() {
      for (const emulator of [toServer, fromServer]) emulator.close();
      for (const conn of [front, ...upstreams.values()]) conn.close();
      await Promise.all(running);
    },
  };
}

function listen(): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
}

function transmit(conn: Deno.DatagramConn, bytes: Uint8Array, to: string): void {
  // sends a copy, because the next datagram overwrites the receive buffer; a failure to send is a loss like any other
  conn.send(bytes.slice(), socketAddress(to, conn)).catch(() => {});
}
