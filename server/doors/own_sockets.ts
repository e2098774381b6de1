/**
 * Opens the UDP door's sockets: with a wildcard host, one for each address of this machine beside the wildcard one.
 *
 * A wildcard socket answers from the address that the system prefers, which need not be the one that was asked: then a
 * client with a connected socket, or a firewall on the way, drops the answer. A socket of its own for each address
 * answers from there (RFC 1122, section 4.1.3.5). The system hands each datagram to the most specific socket.
 *
 * On Linux both need SO_REUSEADDR to have one port. A second server could then have it too, and take the room's
 * datagrams. So the port is first opened without, which fails if anybody has it; and where the C library can be called,
 * the option is cleared again as soon as all are bound. Other systems let a specific socket beside a wildcard one.
 *
 * @module
 */
import { formatAddress } from "../../protocol/fields.ts";
import { isWildcard, ownAddresses } from "../../runtime/own_addresses.ts";
import { Failure, UsageError } from "../../runtime/program.ts";
import { openSocket } from "../../runtime/udp.ts";
import { openSendmmsg, type Sendmmsg } from "./linux/sendmmsg.ts";
import type { BatchSender, Socket } from "./udp_socket.ts";

/** A socket, and what sends to many at once with it, or the reason why that can't be done. */
export interface OpenedSocket {
  socket: Socket;
  fast: BatchSender | { reason: string };
}

/** Opens sockets for the addresses of this machine. */
export interface OwnSockets {
  /** The addresses of this machine now; undefined if they can't be listed. */
  addresses(): string[] | undefined;
  /** Opens a socket for one address. Returns undefined if the system refuses it: the wildcard one serves it then. */
  open(address: string): OpenedSocket | undefined;
}

/** On these systems, sockets share a port only if all of them have SO_REUSEADDR. */
const ALL_MUST_SHARE = Deno.build.os === "linux" || Deno.build.os === "android";
/** Windows lets a specific socket beside a wildcard one anyway; there SO_REUSEADDR would let programs steal the port. */
const MUST_SHARE = Deno.build.os !== "windows";

/**
 * Opens the door's first socket. With a wildcard host it also returns what opens the others.
 *
 * @throws {UsageError} if the host is not an address of this machine, or Deno runs without UDP.
 * @throws {Failure} if the port can't be used.
 */
export function openSockets(host: string, port: number): OpenedSocket & { own?: OwnSockets } {
  let conn = listen(host, port);
  const address = conn.addr as Deno.NetAddr;
  const wildcard = address.hostname;
  if (!isWildcard(wildcard) || !ownAddresses(wildcard)) return { socket: conn, fast: openSendmmsg(conn) };
  if (ALL_MUST_SHARE) {
    conn.close();
    conn = listen(wildcard, address.port, true);
  }
  const fast = openSendmmsg(conn);
  setReuseAddress(fast, false);
  const own: OwnSockets = {
    addresses: () => ownAddresses(wildcard),
    open(hostname) {
      // a running server must not stop to ask its terminal for a permission
      const host = formatAddress({ hostname, port: address.port });
      if (Deno.permissions.querySync({ name: "net", host }).state !== "granted") return undefined;
      setReuseAddress(fast, ALL_MUST_SHARE);
      try {
        const conn = openSocket(hostname, address.port, MUST_SHARE);
        const opened = { socket: conn, fast: openSendmmsg(conn) };
        setReuseAddress(opened.fast, false);
        return opened;
      } catch {
        // the address may just have gone, or is not usable yet
        return undefined;
      } finally {
        setReuseAddress(fast, false);
      }
    },
  };
  return { socket: conn, fast, own };
}

/** Lets others have a socket's port, or no longer, where the C library can be called. */
function setReuseAddress(fast: Sendmmsg | { reason: string }, mayShare: boolean): void {
  if (!("reason" in fast)) fast.setReuseAddress(mayShare);
}

function listen(host: string, port: number, reuseAddress = false): Deno.DatagramConn {
  try {
    return openSocket(host, port, reuseAddress);
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
