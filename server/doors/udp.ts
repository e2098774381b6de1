/**
 * The UDP door: the socket that the server listens on, and the delivery that sends by it.
 *
 * @module
 */
import { Failure, UsageError } from "../../runtime/program.ts";
import { type Datagram, datagrams, openSocket } from "../../runtime/udp.ts";
import { openSendmmsg } from "./linux/sendmmsg.ts";
import type { NetworkEmulator } from "./network_emulator.ts";
import { UdpDelivery } from "./udp_delivery.ts";

/** The receive buffer that is asked for, in bytes: it holds what arrives during a broadcast. The system may grant less. */
const RECEIVE_BUFFER_BYTES = 8 << 20;

/** A UDP socket that is open. */
export interface UdpDoor {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  readonly delivery: UdpDelivery;
  /** How broadcasts are sent, in a line. */
  readonly method: string;
  /** What arrives, until {@linkcode UdpDoor.close}. */
  datagrams(): AsyncIterable<Datagram>;
  /** How many datagrams were lost because the receive buffer was full, where the system tells. */
  inboundDrops(): number;
  close(): void;
}

/**
 * Opens the server's socket.
 *
 * @param emulator What is sent passes through it.
 * @throws {UsageError} where the host is none of this machine's.
 * @throws {Failure} where the port can't be had.
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
