/**
 * A UDP socket: opening it, its datagrams as an async iterator that nothing from the network ends, and addresses as the
 * protocol writes them.
 *
 * @module
 */
import { formatAddress, parseAddress } from "../protocol/fields.ts";
import { UsageError } from "./program.ts";

/** A datagram and the address that it came from. */
export interface Datagram {
  /** Only until the next datagram is asked for: the buffer is used again. */
  bytes: Uint8Array;
  /** The sender, like `127.0.0.1:52207` or `[::1]:52207`. */
  from: string;
}

/** The part of {@linkcode Deno.DatagramConn} that receiving needs. */
export type Receiver = Pick<Deno.DatagramConn, "receive">;

/** The longest pause between two attempts to receive, in milliseconds, when receiving fails without a known cause. */
const MAX_PAUSE_MS = 1000;

/**
 * Opens a UDP socket.
 *
 * @throws {UsageError} when the runtime was started without what UDP needs.
 */
export function openSocket(hostname: string, port: number): Deno.DatagramConn {
  if (typeof Deno.listenDatagram !== "function") {
    throw new UsageError("UDP is not switched on in this Deno: add --unstable-net behind 'deno run'");
  }
  return Deno.listenDatagram({ transport: "udp", hostname, port });
}

/**
 * Yields what arrives on a socket until the socket is closed.
 *
 * An ICMP error about an earlier datagram surfaces in `receive` as an exception on some systems (always on Windows);
 * it says that some peer is gone, not that this socket is, and is passed over. So is any other failure, after a pause
 * that grows from one to the next, so that a broken socket costs no processor time.
 *
 * @example
 * ```ts ignore
 * const conn = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 9090 });
 * for await (const { bytes, from } of datagrams(conn)) console.log(from, bytes.length);
 * ```
 */
export async function* datagrams(conn: Receiver): AsyncGenerator<Datagram> {
  const buffer = new Uint8Array(65_536);
  let failures = 0;
  while (true) {
    try {
      const [bytes, sender] = await conn.receive(buffer);
      failures = 0;
      const from = formatAddress(sender as Deno.NetAddr);
      // no answer could go to port 0, which Linux lets pass and only a forged datagram comes from (RFC 768, RFC 6335)
      if (parseAddress(from)) yield { bytes, from };
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
      if (isPeerError(error)) continue;
      await new Promise((resume) => setTimeout(resume, Math.min(2 ** failures++, MAX_PAUSE_MS)));
    }
  }
}

/** An address of the protocol as a socket takes it; a socket for both families takes IPv4 in its IPv6 form. */
export function socketAddress(address: string, { addr }: Pick<Deno.DatagramConn, "addr">): Deno.NetAddr {
  const { hostname, port } = parseAddress(address)!;
  const isMapped = (addr as Deno.NetAddr).hostname.includes(":") && !hostname.includes(":");
  return { transport: "udp", hostname: isMapped ? `::ffff:${hostname}` : hostname, port };
}

/** Whether an exception of a socket speaks of one peer (unreachable, refused, reset), not of the socket itself. */
function isPeerError(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.ConnectionReset ||
    /^E(CONN|HOST|NET)(REFUSED|RESET|ABORTED|UNREACH|DOWN)$/.test(String((error as { code?: unknown })?.code));
}
