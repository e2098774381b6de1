/**
 * A bad network in a box: a UDP proxy on the loopback interface that loses, repeats and delays on purpose.
 *
 * @module
 */
import { datagrams, socketAddress } from "../runtime/udp.ts";
import { formatAddress } from "../protocol/fields.ts";
import {
  type EmulatorStatistics,
  type NetworkConditions,
  NetworkEmulator,
  PERFECT,
} from "../server/doors/network_emulator.ts";

/** What a proxy stands before, and how bad it is. */
export interface LossyProxyOptions {
  /** The server's port on this machine. */
  server: number;
  /** Holds for each direction by itself; what is not given is perfect. */
  conditions?: Partial<NetworkConditions>;
  /** Where the random numbers begin; random unless told otherwise. */
  seed?: number;
}

/** A proxy that runs. */
export interface LossyProxy extends AsyncDisposable {
  /** Where clients find it instead of the server. */
  readonly port: number;
  /** What happened to the datagrams towards the server, and from it. */
  readonly toServer: Readonly<EmulatorStatistics>;
  readonly fromServer: Readonly<EmulatorStatistics>;
}

/** Opens a proxy. Each client gets a socket of its own towards the server, which so sees as many addresses as there are. */
export function openLossyProxy({ server, conditions = {}, seed }: LossyProxyOptions): LossyProxy {
  const toServer = new NetworkEmulator(seed);
  const fromServer = new NetworkEmulator(seed === undefined ? undefined : seed + 1);
  for (const emulator of [toServer, fromServer]) emulator.conditions = { ...PERFECT, ...conditions };
  const front = listen();
  const serverAddress = formatAddress({ hostname: "127.0.0.1", port: server });
  const upstreams = new Map<string, Deno.DatagramConn>();
  const running: Promise<void>[] = [];

  async function answer(upstream: Deno.DatagramConn, client: string): Promise<void> {
    for await (const { bytes } of datagrams(upstream)) {
      fromServer.pass(bytes, (bytes) => transmit(front, bytes, client));
    }
  }

  function upstreamOf(client: string): Deno.DatagramConn {
    let upstream = upstreams.get(client);
    if (!upstream) {
      upstream = listen();
      upstreams.set(client, upstream);
      running.push(answer(upstream, client));
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
  // a copy, since what was received is overwritten by the next before this one is sent; failures are losses like others
  conn.send(bytes.slice(), socketAddress(to, conn)).catch(() => {});
}
