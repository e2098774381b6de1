/**
 * The UDP door: the socket that the server listens on, and the delivery that sends on it.
 *
 * @module
 */
import { Failure, UsageError } from "../../runtime/program.ts";
import { type Datagram, datagrams, openSocket } from "../../runtime/udp.ts";
import { openSendmmsg } from "./linux/sendmmsg.ts";
import type { NetworkEmulator } from "./network_emulator.ts";
import { UdpDelivery } from "./udp_delivery.ts";

/**
 * The receive buffer that is asked for, in bytes: it holds what arrives during a broadcast. The system may grant less.
 */
const RECEIVE_BUFFER_BYTES = 8 << 20;

/** An open UDP socket. */
export interface UdpDoor {
  /** The address that it listens on. */
  readonly address: Deno.NetAddr;
  readonly delivery: UdpDelivery;
  /** How broadcasts are sent, as one line of text. */
  readonly method: string;
  /** Yields the datagrams that arrive, until {@linkcode UdpDoor.close}. */
  datagrams(): AsyncIterable<Datagram>;
  /** How many datagrams were lost because the receive buffer was full; 0 if the system does not report it. */
  inboundDrops(): number;
  close(): void;
}

/**
 * Opens the server's socket.
 *
 * @param emulator Every sent datagram passes through it.
 * @throws {UsageError} if the host is not an address of this machine.
 * @throws {Failure} if the port can't be used.
 */
export function openUdpDoor(host: string, port: number, emulator: NetworkEmulator): UdpDoor {
  const conn = listen(host, port);
  const sendmmsg = openSendmmsg(conn);
  const fast = "reason" in sendmmsg ? undefined : sendmmsg;
  fast?.setReceiveBuffer(RECEIVE_BUFFER_BYTES);
  return {
    address: conn.addr as Deno.NetAddr,
    delivery: new UdpDelivery(conn, { fast, emulator }),
    method: "reason" in sendmmsg ? `Sending one by one: ${sendmmsg.reason}` : "Sending to many at once by sendmmsg",
    datagrams: () => datagrams(conn),
    inboundDrops: () => fast?.inboundDrops() ?? 0,
    close() {
      fast?.close();
      conn.close();
    },
  };
}

function listen(host: string, port: number): Deno.DatagramConn {
  try {
    return openSocket(host, port);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new Failure(`Port ${port} is in use, perhaps by another server: stop that one, or give another port`);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new Failure(`The system keeps port ${port} for administrators: give a port from 1024 up`);
    }
    if (error instanceof Deno.errors.AddrNotAvailable) {
      throw new UsageError(`This machine has no address ${host}: give one of its own with --host, or 0.0.0.0 for all`);
    }
    if (error instanceof Error && /lookup address|invalid host/.test(error.message)) {
      throw new UsageError(`There is no host '${host}': give an address of this machine with --host, or 0.0.0.0`);
    }
    throw error;
  }
}
