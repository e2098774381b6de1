/**
 * One socket of the UDP door, and the recipients that are reached by it.
 *
 * @module
 */
import type { Dialect } from "../../protocol.ts";
import { type Datagram, datagrams, type Receiver, socketAddress } from "../../runtime/udp.ts";
import type { Sendmmsg } from "./linux/sendmmsg.ts";
import { Recipients, type RecipientTable } from "./recipients.ts";

/** The part of {@linkcode Deno.DatagramConn} that a door needs. */
export type Socket = Receiver & Pick<Deno.DatagramConn, "send" | "addr" | "close">;

/** The part of {@linkcode Sendmmsg} that a door needs. */
export interface BatchSender extends Pick<Sendmmsg, "writable" | "setReceiveBuffer" | "inboundDrops" | "close"> {
  table(): RecipientTable;
}

/**
 * The receive buffer that is asked for, in bytes: it holds what arrives during a broadcast. The system may grant less.
 */
const RECEIVE_BUFFER_BYTES = 8 << 20;
/** The longest wait for a full socket in milliseconds. After it, sending is tried again even if the socket is full. */
const MAX_WAIT_MS = 1000;

/** A socket, its recipients by dialect, and its way of sending to many at once where there is one. */
export class UdpSocket {
  /** The address of this machine that the socket is for; undefined for the door's first socket. */
  readonly via: string | undefined;
  readonly groups: Readonly<Record<Dialect, Recipients>>;
  readonly #socket: Socket;
  readonly #fast: BatchSender | undefined;
  readonly #tables: RecipientTable[] = [];

  constructor(socket: Socket, fast: BatchSender | undefined, via?: string) {
    this.via = via;
    this.#socket = socket;
    this.#fast = fast;
    fast?.setReceiveBuffer(RECEIVE_BUFFER_BYTES);
    const newRecipients = () => {
      const table = fast?.table();
      if (table) this.#tables.push(table);
      return new Recipients(table);
    };
    this.groups = { "v1": newRecipients(), "classic": newRecipients(), "classic-line": newRecipients() };
  }

  get address(): Deno.NetAddr {
    return this.#socket.addr as Deno.NetAddr;
  }

  /** Whether it sends to many at once. */
  get isFast(): boolean {
    return this.#fast !== undefined;
  }

  /** How many copies of broadcasts were skipped, because they could not be sent. */
  get skipped(): number {
    return this.#tables.reduce((sum, { failed }) => sum + failed, 0);
  }

  /** How many datagrams were lost because the receive buffer was full; 0 if the system does not report it. */
  get inboundDrops(): number {
    return this.#fast?.inboundDrops() ?? 0;
  }

  /** Yields what arrives until the socket is closed. */
  datagrams(): AsyncGenerator<Datagram> {
    return datagrams(this.#socket);
  }

  /** Sends a datagram to one address. */
  async send(bytes: Uint8Array, address: string): Promise<void> {
    await this.#socket.send(bytes, socketAddress(address, this.#socket));
  }

  /** Resolves when a socket that sends to many at once can take more, or after a second. */
  async writable(): Promise<void> {
    await this.#fast?.writable(MAX_WAIT_MS);
  }

  close(): void {
    this.#fast?.close();
    this.#socket.close();
  }
}
