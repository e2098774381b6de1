/**
 * The C library's functions for sockets, and the descriptor behind a socket that Deno opened.
 *
 * There are no pointers here, only buffers that are lent for one call; the layouts of the structs that are in them
 * stand in sendmmsg.ts.
 *
 * @module
 */
import type { Endpoint } from "../../../protocol/fields.ts";
import { libraryNames } from "../../../runtime/c_library.ts";

// the numbers behind the C names, from the kernel's headers; the same on x86_64 and aarch64
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOL_SOCKET = 1;
const SOCK_DGRAM = 2;
const SO_TYPE = 3;
const SO_COOKIE = 57;
const F_GETFD = 1;

/** The bytes of a sockaddr_in6, the longest address there is here. */
export const SOCKADDR_IN6_BYTES = 28;

/**
 * Closed descriptors in a row after which no further open one is looked for: the lowest number that is free is always
 * the next one given.
 */
export const GAP = 1024;

const SYMBOLS = {
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  inet_pton: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32", nonblocking: true },
  close: { parameters: ["i32"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The C library, open. */
export type Library = Deno.DynamicLibrary<typeof SYMBOLS>;
/** Its functions. */
export type C = Library["symbols"];

/** The C library under the name that glibc gives it, or musl; or why there is none. */
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

/** The family of a socket that is bound to an address. */
export function addressFamily(address: Endpoint): number {
  return address.hostname.includes(":") ? AF_INET6 : AF_INET;
}

/** Whether a number is that of an open file. */
export function isOpen(c: C, fd: number): boolean {
  return c.fcntl(fd, F_GETFD, 0) >= 0;
}

/**
 * The descriptor of the UDP socket bound to an address: of all that are open, the one whose own name it is. They are
 * tried from 0 up: to list /proc/self/fd, Deno 2.9 would want every permission there is.
 */
export function findDescriptor(c: C, address: Deno.NetAddr): number | { reason: string } {
  const family = addressFamily(address);
  const sought = new Uint8Array(SOCKADDR_IN6_BYTES);
  if (!writeAddress(c, sought, family, address)) return { reason: `the socket's address is ${address.hostname}` };
  // without the scope: Deno does not tell it
  const compared = family === AF_INET6 ? 24 : 8;
  const own = new Uint8Array(128);
  const length = new Uint32Array(1);
  let found: number | undefined;
  for (let fd = 0, gap = 0; gap < GAP; fd++) {
    length[0] = own.length;
    if (c.getsockname(fd, own, length) !== 0) {
      gap = isOpen(c, fd) ? 0 : gap + 1;
      continue;
    }
    gap = 0;
    if (own.subarray(0, compared).some((byte, at) => byte !== sought[at])) continue;
    if (option(c, fd, SO_TYPE, 4)?.[0] !== SOCK_DGRAM) continue;
    if (found !== undefined && (socketCookie(c, fd) ?? fd) !== socketCookie(c, found)) {
      return { reason: `more than one socket of this process is bound to ${address.hostname} port ${address.port}` };
    }
    found ??= fd;
  }
  return found ?? { reason: `no descriptor is bound to ${address.hostname} port ${address.port}` };
}

/** What two descriptors have in common only when they are the same socket; Linux tells it from 4.12 on. */
function socketCookie(c: C, fd: number): string | undefined {
  return option(c, fd, SO_COOKIE, 8)?.join();
}

/** A check that a descriptor is still the socket that it is now; it makes no garbage. */
export function identityCheck(c: C, fd: number): () => boolean {
  const first = option(c, fd, SO_COOKIE, 8);
  const current = new Uint32Array(2);
  const length = new Uint32Array([8]);
  return () =>
    first !== undefined && c.getsockopt(fd, SOL_SOCKET, SO_COOKIE, current, length) === 0 &&
    current[0] === first[0] && current[1] === first[1];
}

/** A socket option of so many bytes, as 32-bit numbers; undefined where there is none. */
export function option(c: C, fd: number, name: number, bytes: number): Uint32Array | undefined {
  const value = new Uint32Array(new ArrayBuffer(bytes));
  return c.getsockopt(fd, SOL_SOCKET, name, value, new Uint32Array([bytes])) === 0 ? value : undefined;
}

const encoder = new TextEncoder();
const text = new Uint8Array(64);

/** Writes a sockaddr_in or sockaddr_in6, whichever the family takes; false where the address is none of it. */
export function writeAddress(c: C, into: Uint8Array, family: number, { hostname, port }: Endpoint): boolean {
  const [, mapped] = /^::ffff:([\d.]+)$/i.exec(hostname) ?? [];
  if (family === AF_INET && mapped !== undefined) hostname = mapped;
  if (family === AF_INET6 && !hostname.includes(":")) hostname = `::ffff:${hostname}`;
  const [address, scope = "0", more] = hostname.split("%");
  // the kernel's number of an interface; its name would have to be looked up
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
