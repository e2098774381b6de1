/**
 * The C library's functions for sockets, and a search for the descriptor of a socket that Deno opened.
 *
 * This file makes no pointers. It lends buffers to the C library for one call each. server/doors/linux/sendmmsg.ts describes the layouts
 * of the structs in these buffers.
 *
 * @module
 */
import type { Endpoint } from "../protocol/fields.ts";
import { canonicalIPv6 } from "../protocol/ip_address.ts";
import { libraryNames } from "./c_library.ts";

// the values of the C constants, from the kernel's headers; the same on x86_64 and aarch64
const AF_INET = 2;
export const AF_INET6 = 10;
export const SOL_SOCKET = 1;
export const MSG_DONTWAIT = 0x40;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SO_TYPE = 3;
const SO_COOKIE = 57;
const F_GETFD = 1;

/** The size of a sockaddr_in6 in bytes. It is the longest socket address that is used here. */
export const SOCKADDR_IN6_BYTES = 28;

/**
 * A search through the descriptors ends after this many closed ones in a row. A longer gap is unlikely, because the
 * system always assigns the lowest free number.
 */
const MAX_CLOSED_IN_A_ROW = 1024;

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recvfrom: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "buffer"], result: "isize" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  inet_pton: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  usleep: { parameters: ["u32"], result: "i32", nonblocking: true },
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32", nonblocking: true },
  close: { parameters: ["i32"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The opened C library. */
export type Library = Deno.DynamicLibrary<typeof SYMBOLS>;
/** The functions of the C library. */
export type C = Library["symbols"];

/** Opens the C library under the name that glibc or musl gives it. Returns the reason as text if that fails. */
export function openLibrary(arch: string): Library | string {
  const failures: string[] = [];
  for (const name of libraryNames(arch)) {
    try {
      return Deno.dlopen(name, SYMBOLS);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  return failures.join("; ");
}

/** Returns the address family of a socket that is bound to an address. */
export function addressFamily(address: Endpoint): number {
  return address.hostname.includes(":") ? AF_INET6 : AF_INET;
}

/** Whether a number is the descriptor of an open file. */
function isOpen(c: C, fd: number): boolean {
  return c.fcntl(fd, F_GETFD, 0) >= 0;
}

/**
 * Finds the descriptor of the socket of UDP or TCP that is bound to an address. It compares the address of every open descriptor,
 * from 0 up, because Deno 2.9 would require every permission to list /proc/self/fd.
 */
export function findDescriptor(c: C, address: Deno.NetAddr): number | { reason: string } {
  const family = addressFamily(address), type = address.transport === "tcp" ? SOCK_STREAM : SOCK_DGRAM;
  const sought = new Uint8Array(SOCKADDR_IN6_BYTES);
  if (!writeAddress(c, sought, family, address)) return { reason: `the socket's address is ${address.hostname}` };
  // the scope is not compared, because Deno does not report it
  const comparedBytes = family === AF_INET6 ? 24 : 8;
  const ownAddress = new Uint8Array(128);
  const length = new Uint32Array(1);
  let found: number | undefined;
  for (let fd = 0, gap = 0; gap < MAX_CLOSED_IN_A_ROW; fd++) {
    length[0] = ownAddress.length;
    if (c.getsockname(fd, ownAddress, length) !== 0) {
      gap = isOpen(c, fd) ? 0 : gap + 1;
      continue;
    }
    gap = 0;
    if (ownAddress.subarray(0, comparedBytes).some((byte, at) => byte !== sought[at])) continue;
    if (readSocketOption(c, fd, SO_TYPE, 4)?.[0] !== type) continue;
    if (found !== undefined && (socketCookie(c, fd) ?? fd) !== socketCookie(c, found)) {
      return { reason: `more than one socket of this process is bound to ${address.hostname} port ${address.port}` };
    }
    found ??= fd;
  }
  return found ?? { reason: `no descriptor is bound to ${address.hostname} port ${address.port}` };
}

/**
 * Returns the kernel's cookie of a socket (SO_COOKIE). Two descriptors have the same cookie only if they are the same
 * socket. Linux has had it since version 4.12.
 */
function socketCookie(c: C, fd: number): string | undefined {
  return readSocketOption(c, fd, SO_COOKIE, 8)?.join();
}

/** Reads a socket option of `bytes` bytes as 32-bit numbers. Returns undefined if the option can't be read. */
export function readSocketOption(c: C, fd: number, name: number, bytes: number): Uint32Array | undefined {
  const value = new Uint32Array(new ArrayBuffer(bytes));
  return c.getsockopt(fd, SOL_SOCKET, name, value, new Uint32Array([bytes])) === 0 ? value : undefined;
}

const encoder = new TextEncoder();
const text = new Uint8Array(64);

/** Writes a sockaddr_in or sockaddr_in6, as the family requires. Returns false if the family has no such address. */
export function writeAddress(c: C, into: Uint8Array, family: number, { hostname, port }: Endpoint): boolean {
  const [, mapped] = /^::ffff:([\d.]+)$/i.exec(hostname) ?? [];
  if (family === AF_INET && mapped !== undefined) hostname = mapped;
  if (family === AF_INET6 && !hostname.includes(":")) hostname = `::ffff:${hostname}`;
  const [address, scope = "0", more] = hostname.split("%");
  // the scope must be the kernel's number of an interface; an interface's name would have to be looked up
  if (more !== undefined || !/^\d{1,9}$/.test(scope) || (family === AF_INET && scope !== "0")) return false;
  // the last byte is for the zero that ends the text
  const { read, written } = encoder.encodeInto(address, text.subarray(0, text.length - 1));
  if (read !== address.length || address.includes("\0")) return false;
  text[written] = 0;
  into.fill(0);
  if (c.inet_pton(family, text, into.subarray(family === AF_INET ? 4 : 8)) !== 1) return false;
  into[0] = family;
  into[2] = port >> 8;
  into[3] = port;
  if (scope !== "0") new DataView(into.buffer, into.byteOffset).setUint32(24, Number(scope), true);
  return true;
}

/** Returns an address of 4 or 16 bytes as text; an IPv4-mapped one as IPv4. */
export function formatIPAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i] << 8 | bytes[2 * i + 1]).toString(16));
  return canonicalIPv6(groups.join(":"));
}
