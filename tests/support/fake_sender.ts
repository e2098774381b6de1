/**
 * A socket that only sends, keeps what it is given, and refuses some addresses.
 *
 * @module
 */
import type { Socket } from "../../server/doors/udp.ts";

/** One datagram that was sent: where to, as `HOST PORT`, and what. */
export interface Transmitted {
  to: string;
  text: string;
  bytes: Uint8Array;
}

/** How the socket behaves. */
export interface FakeSenderOptions {
  /** The socket's own address. An address with a colon means that the socket takes IPv4 and IPv6. */
  hostname?: string;
  /** Whether sending to an address fails. */
  fails?: (hostname: string, port: number) => boolean;
  /** Called when a datagram is sent, before the next one can be sent. */
  sending?: (transmitted: Transmitted) => void;
}

/** Each `send` takes one turn of the microtask queue; the `send` of a real socket takes at least that long. */
export class FakeSender implements Pick<Socket, "send" | "addr"> {
  readonly addr: Deno.NetAddr;
  readonly transmitted: Transmitted[] = [];
  readonly #fails: (hostname: string, port: number) => boolean;
  readonly #sending: (transmitted: Transmitted) => void;

  constructor({ hostname = "0.0.0.0", fails = () => false, sending = () => {} }: FakeSenderOptions = {}) {
    this.addr = { transport: "udp", hostname, port: 9090 };
    this.#fails = fails;
    this.#sending = sending;
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
}
