/**
 * A socket that receives what a test gives it, keeps what it sends, and refuses some addresses.
 *
 * @module
 */
import type { Socket } from "../../server/doors/udp_socket.ts";

/** One datagram that was sent: where to, as `HOST PORT`, and what. */
export interface Transmitted {
  to: string;
  text: string;
  bytes: Uint8Array;
}

/** How the socket behaves. */
export interface FakeSocketOptions {
  /** The socket's own address. An address with a colon means that the socket takes IPv4 and IPv6. */
  hostname?: string;
  /** Whether sending to an address fails. */
  fails?: (hostname: string, port: number) => boolean;
  /** Called when a datagram is sent, before the next one can be sent. */
  sending?: (transmitted: Transmitted) => void;
}

/**
 * Each `send` takes one turn of the microtask queue; the `send` of a real socket takes at least that long. Like a socket
 * of Deno's, it throws when it is closed under a `receive`.
 */
export class FakeSocket implements Socket {
  readonly addr: Deno.NetAddr;
  readonly transmitted: Transmitted[] = [];
  isClosed = false;
  readonly #fails: (hostname: string, port: number) => boolean;
  readonly #sending: (transmitted: Transmitted) => void;
  readonly #arriving: { text: string; port: number }[] = [];
  #wake = () => {};

  constructor({ hostname = "0.0.0.0", fails = () => false, sending = () => {} }: FakeSocketOptions = {}) {
    this.addr = { transport: "udp", hostname, port: 9090 };
    this.#fails = fails;
    this.#sending = sending;
  }

  /** Lets a datagram arrive from a port of 10.0.0.1. */
  arrive(text: string, port = 1): void {
    this.#arriving.push({ text, port });
    this.#wake();
  }

  /** Writes a datagram that has arrived into the buffer, as a real socket does. */
  async receive(buffer: Uint8Array<ArrayBuffer>): Promise<[Uint8Array<ArrayBuffer>, Deno.Addr]> {
    while (this.#arriving.length === 0) {
      if (this.isClosed) throw new Deno.errors.BadResource("closed");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const { text, port } = this.#arriving.shift()!;
    const { written } = new TextEncoder().encodeInto(text, buffer);
    return [buffer.subarray(0, written), { transport: "udp", hostname: "10.0.0.1", port }];
  }

  async send(bytes: Uint8Array, addr: Deno.Addr): Promise<number> {
    const { hostname, port } = addr as Deno.NetAddr;
    await Promise.resolve();
    if (this.#fails(hostname, port)) throw new Deno.errors.PermissionDenied("Operation not permitted (os error 1)");
    const transmitted = { to: `${hostname} ${port}`, text: new TextDecoder().decode(bytes), bytes };
    this.transmitted.push(transmitted);
    this.#sending(transmitted);
    return bytes.length;
  }

  close(): void {
    this.isClosed = true;
    this.#wake();
  }
}
