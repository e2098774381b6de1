/**
 * The UDP door: the socket that the server listens on, and the delivery that sends on it.
 *
 * @module
 */
import { Failure, UsageError } from "../../runtime/program.ts";
import { type Datagram, datagrams, openSocket, type Receiver } from "../../runtime/udp.ts";
import { openSendmmsg, type Sendmmsg } from "./linux/sendmmsg.ts";
import { type NetworkEmulator, PERFECT } from "./network_emulator.ts";
import { type Sender, UdpDelivery } from "./udp_delivery.ts";

/**
 * The receive buffer that is asked for, in bytes: it holds what arrives during a broadcast. The system may grant less.
 */
const RECEIVE_BUFFER_BYTES = 8 << 20;

/** How long {@linkcode UdpDoor.close} waits for what is still to be sent, in milliseconds. */
const CLOSE_DEADLINE_MS = 1000;

/** The part of {@linkcode Deno.DatagramConn} that a door needs. */
export type Socket = Receiver & Sender & Pick<Deno.DatagramConn, "close">;

/** A UDP socket, the delivery that sends by it, and the emulator that all datagrams pass through. */
export class UdpDoor {
  readonly delivery: UdpDelivery;
  readonly emulator: NetworkEmulator;
  /** How broadcasts are sent, as one line of text. */
  readonly method: string;
  readonly #socket: Socket;
  readonly #sendmmsg: Sendmmsg | undefined;
  #arrived = 0;

  /** @param sendmmsg Sends to many at once; or the reason why that can't be done. */
  constructor(socket: Socket, emulator: NetworkEmulator, sendmmsg: Sendmmsg | { reason: string }) {
    this.#socket = socket;
    this.emulator = emulator;
    this.#sendmmsg = "reason" in sendmmsg ? undefined : sendmmsg;
    this.#sendmmsg?.setReceiveBuffer(RECEIVE_BUFFER_BYTES);
    this.method = "reason" in sendmmsg
      ? `Sending one by one: ${sendmmsg.reason}`
      : "Sending to many at once by sendmmsg";
    this.delivery = new UdpDelivery(socket, { fast: this.#sendmmsg, emulator, arrived: () => this.#arrived });
  }

  /** The address that it listens on. */
  get address(): Deno.NetAddr {
    return this.#socket.addr as Deno.NetAddr;
  }

  /** How many datagrams have arrived, before the emulator. */
  get arrived(): number {
    return this.#arrived;
  }

  /** How many datagrams were lost because the receive buffer was full; 0 if the system does not report it. */
  get inboundDrops(): number {
    return this.#sendmmsg?.inboundDrops() ?? 0;
  }

  /** Yields the datagrams that arrive, until the door is closed. They have not passed through the emulator. */
  datagrams(): AsyncIterable<Datagram> {
    return datagrams(this.#socket, () => this.#arrived++);
  }

  /** Ends the emulation and drops the broadcasts that wait, so that a goodbye goes out at once. */
  prepareToClose(): void {
    this.emulator.conditions = { ...PERFECT };
    this.delivery.dropWaitingBroadcasts();
  }

  /** Closes the socket when everything is sent, after 1 s at the latest. */
  async close(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const deadline = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_DEADLINE_MS));
    await Promise.race([this.delivery.idle(), deadline]);
    clearTimeout(timer);
    this.emulator.close();
    this.#sendmmsg?.close();
    this.#socket.close();
  }
}

/**
 * Opens the server's socket.
 *
 * @throws {UsageError} if the host is not an address of this machine, or Deno runs without UDP.
 * @throws {Failure} if the port can't be used.
 */
export function openUdpDoor(host: string, port: number, emulator: NetworkEmulator): UdpDoor {
  const conn = listen(host, port);
  return new UdpDoor(conn, emulator, openSendmmsg(conn));
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
