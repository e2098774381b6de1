/**
 * Opens a UDP socket, yields its datagrams in an async iterator that no network error ends, and converts the protocol's
 * addresses for it.
 *
 * @module
 */
import { formatAddress, parseAddress, splitAddress } from "../protocol/fields.ts";
import { UsageError } from "./program.ts";

/** A datagram and the address that it came from. */
export interface Datagram {
  /** Valid only until the next datagram is requested, because the buffer is used again. */
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
 * @param reuseAddress Whether other sockets that say the same may have the port too.
 * @throws {UsageError} when Deno was started without `--unstable-net`, which UDP needs.
 */
export function openSocket(hostname: string, port: number, reuseAddress = false): Deno.DatagramConn {
  if (typeof Deno.listenDatagram !== "function") {
    throw new UsageError("UDP is not switched on in this Deno: add --unstable-net behind 'deno run'");
  }
  return Deno.listenDatagram({ transport: "udp", hostname, port, reuseAddress });
}

/**
 * Yields what arrives on a socket until the socket is closed.
 *
 * On some systems (always on Windows), `receive` throws an exception for an ICMP error about an earlier datagram. It
 * means that some peer is gone, not that this socket is broken, so it is ignored. Any other failure is ignored after a
 * pause, which grows from one failure to the next, so that a broken socket costs no processor time.
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
      // ignores datagrams from port 0: they are forged and can't be answered, but Linux lets them pass (RFC 768,
      // RFC 6335)
      if (!parseAddress(from)) continue;
      yield { bytes, from };
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
      if (isPeerError(error)) continue;
      await new Promise((resume) => setTimeout(resume, Math.min(2 ** failures++, MAX_PAUSE_MS)));
    }
  }
}

/** Converts an address of the protocol for a socket. A socket for both families takes IPv4 in its IPv6 form. */
export function socketAddress(address: string, { addr }: Pick<Deno.DatagramConn, "addr">): Deno.NetAddr {
  const { hostname, port } = splitAddress(address);
  const isMapped = (addr as Deno.NetAddr).hostname.includes(":") && !hostname.includes(":");
  return { transport: "udp", hostname: isMapped ? `::ffff:${hostname}` : hostname, port };
}

/** Whether an exception of a socket concerns one peer (unreachable, refused, reset), not the socket itself. */
function isPeerError(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.ConnectionReset ||
    /^E(CONN|HOST|NET)(REFUSED|RESET|ABORTED|UNREACH|DOWN)$/.test(String((error as { code?: unknown })?.code));
}
