/**
 * One datagram to many addresses with one system call: Linux's sendmmsg(2), on a socket that Deno opened.
 *
 * This is the one file that makes pointers. What it hands to the kernel is laid out as the C library has it on 64-bit
 * Linux, x86_64 and aarch64 alike (glibc's and musl's padding differ in name only). Offsets and sizes are in bytes;
 * numbers are little-endian, except where "network" says big-endian.
 *
 * ```text
 * struct mmsghdr, 64                         struct iovec, 16
 *    0  msghdr.msg_name        pointer   8      0  iov_base  pointer   8
 *    8  msghdr.msg_namelen     number    4      8  iov_len   number    8
 *   12  (padding)                        4
 *   16  msghdr.msg_iov         pointer   8   struct pollfd, 8
 *   24  msghdr.msg_iovlen      number    8      0  fd        number    4
 *   32  msghdr.msg_control     pointer   8      4  events    bits      2
 *   40  msghdr.msg_controllen  number    8      6  revents   bits      2
 *   48  msghdr.msg_flags       number    4
 *   52  (padding)                        4
 *   56  msg_len                number    4
 *   60  (padding)                        4
 *
 * struct sockaddr_in, 16                     struct sockaddr_in6, 28
 *    0  sin_family = 2   number   2             0  sin6_family = 10  number   2
 *    2  sin_port         network  2             2  sin6_port         network  2
 *    4  sin_addr         network  4             4  sin6_flowinfo     network  4
 *    8  (zero)                    8             8  sin6_addr         network 16
 *                                              24  sin6_scope_id     number   4
 * ```
 *
 * An IPv6 socket is given sockaddr_in6 only: the IPv4 members of a `::` socket are written as IPv4-mapped addresses,
 * `::ffff:10.0.0.1` (RFC 4291, section 2.5.5.2). An IPv4 socket is given sockaddr_in only.
 *
 * **Where things live.** A {@linkcode DestinationTable} is a list of blocks, each of {@linkcode BLOCK_SLOTS} headers and
 * as many socket addresses, in two ArrayBuffers. An ArrayBuffer's memory is not moved by the garbage collector and is
 * freed with the last reference to it, so a block, once made, stays where it is, and the pointers in its headers, each
 * to the address of its own slot, are written once. A table grows by blocks, and nothing is copied or pointed elsewhere
 * when it does. Joining writes an address; leaving copies the last slot's address over the freed one.
 *
 * Every header of every table points at one iovec, and that at one buffer of {@linkcode MAX_PAYLOAD_BYTES}, into which
 * `send` copies the payload: so the caller's bytes are never pointed at, and may change as soon as `send` returns.
 *
 * Headers, addresses, iovec and buffer are held by the objects whose methods use them, and the kernel looks at them
 * only during the call. One call outlasts the function that makes it: poll(2), which waits on another thread; its
 * buffer is kept until it answers. `errno` belongs to the thread, and is read right after the call that failed.
 *
 * **The descriptor** is a duplicate of the one that Deno keeps. Where the original is closed first, its number may be
 * another file's the next moment, the duplicate's may not; the port is free when both are closed.
 *
 * @module
 */
import type { Endpoint } from "../../../protocol/fields.ts";
import { openWatch, type Watch } from "./epoll.ts";
import {
  addressFamily,
  AF_INET6,
  type C,
  findDescriptor,
  type Library,
  openLibrary,
  option,
  SOCKADDR_IN6_BYTES,
  SOL_SOCKET,
  writeAddress,
} from "./libc.ts";

/** Slots of a block, and with it the most headers of one call: the kernel takes no more (UIO_MAXIOV). */
export const BLOCK_SLOTS = 1024;
/** The longest payload that fits a UDP datagram's length field, in bytes; the kernel refuses somewhat shorter ones. */
export const MAX_PAYLOAD_BYTES = 65_535;

/** Copies from which it pays to keep the event loop out of the way; doing so takes as long as about ten. */
const MANY = 32;

const MMSGHDR_BYTES = 64;
const SOCKADDR_IN_BYTES = 16;

// the numbers behind the C names, from the kernel's headers; the same on x86_64 and aarch64
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SO_MEMINFO = 55;
const SK_MEMINFO_DROPS = 8;
const MSG_DONTWAIT = 0x40;
const F_DUPFD_CLOEXEC = 1030;
const EFD_CLOEXEC_NONBLOCK = 0x80800;
const POLLIN = 1;
const POLLOUT = 4;
const EINTR = 4;
const EAGAIN = 11;

/** The addresses that a payload goes to, in slots from 0 to `size` - 1, without a gap. */
export interface DestinationTable {
  /** How many slots are taken. */
  readonly size: number;
  /** Copies that could not be sent, since the table was made: an address out of reach, a payload too long. */
  readonly failed: number;
  /**
   * Takes the slot after the last one and returns it, or undefined where the address is none that this socket can send
   * to: no number but a host's name, or IPv6 on an IPv4 socket.
   */
  add(address: Endpoint): number | undefined;
  /**
   * Frees a slot. The destination in the last slot moves into it: the slot that it came from is returned, or undefined
   * where it was the last one that was freed.
   */
  remove(slot: number): number | undefined;
  /** Exchanges the destinations of two slots, so that one that leaves while a payload is half sent can do so in order. */
  swap(slot: number, other: number): void;
  /**
   * Sends a payload to the slots from `from` up to, and without, `to`. Returns `to`, or the first slot not served
   * because the socket's buffer is full: wait for {@linkcode Sendmmsg.writable}, then go on from there. A destination
   * that the kernel refuses is passed over and counted in `failed`; all others get their copy. Returns when the kernel
   * has taken the copies, which on a loopback interface takes about a microsecond each.
   */
  send(payload: Uint8Array, from: number, to: number): number;
}

/** A socket that sends to many at once. */
export interface Sendmmsg {
  /** A new, empty table; there may be several, such as one for each encoding. */
  table(): DestinationTable;
  /** Resolves to true when the socket can take more, to false after `timeoutMs` milliseconds or on `close`. */
  writable(timeoutMs: number): Promise<boolean>;
  /**
   * Asks for a receive buffer of so many bytes, beyond the system's limit where the process may (CAP_NET_ADMIN).
   * Returns the bytes granted: as the kernel counts, twice those asked for, its own bookkeeping included; 0 on failure.
   */
  setReceiveBuffer(bytes: number): number;
  /** The same for the send buffer. */
  setSendBuffer(bytes: number): number;
  /** Datagrams that arrived and were lost because the receive buffer was full, since the socket was opened. */
  inboundDrops(): number;
  /** Gives back the descriptor and the library; a `send` after that sends nothing. The connection stays open. */
  close(): void;
}

/** Options of {@linkcode openSendmmsg}. */
export interface SendmmsgOptions {
  /** Whether the event loop is kept out of the way of long sends, where that can be done; see epoll.ts. */
  quiet?: boolean;
}

/**
 * Takes a socket of {@linkcode Deno.listenDatagram}, or says why it can't be had this way; never throws and never asks
 * for a permission. It takes `--allow-ffi`, without a path: the C library is found by its bare name, which the
 * permission can't express.
 *
 * @example
 * ```ts ignore
 * const conn = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 9090 });
 * const socket = openSendmmsg(conn);
 * if ("reason" in socket) console.error(socket.reason);
 * else {
 *   const table = socket.table();
 *   table.add({ hostname: "127.0.0.1", port: 52207 });
 *   table.send(new TextEncoder().encode("Hello"), 0, table.size);
 *   socket.close();
 * }
 * conn.close();
 * ```
 */
export function openSendmmsg(
  conn: Pick<Deno.DatagramConn, "addr">,
  { quiet = true }: SendmmsgOptions = {},
): Sendmmsg | { reason: string } {
  const { os, arch } = Deno.build;
  if (os !== "linux" || (arch !== "x86_64" && arch !== "aarch64")) {
    return { reason: `sendmmsg is used on Linux on x86_64 and aarch64 only, not on ${os} on ${arch}` };
  }
  if (conn.addr.transport !== "udp") return { reason: `sendmmsg is used on UDP only, not on ${conn.addr.transport}` };
  let library: Library | string | undefined;
  try {
    if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
      return { reason: "sendmmsg takes the permission to call the C library; run again with --allow-ffi" };
    }
    library = openLibrary(arch);
    if (typeof library === "string") return { reason: `no C library could be opened: ${library}` };
    const descriptor = findDescriptor(library.symbols, conn.addr);
    const socket = typeof descriptor === "number"
      ? openSocket(library, descriptor, addressFamily(conn.addr), quiet)
      : descriptor;
    if ("reason" in socket) library.close();
    return socket;
  } catch (error) {
    if (typeof library === "object") library.close();
    return { reason: `sendmmsg could not be set up: ${error instanceof Error ? error.message : error}` };
  }
}

function readErrno(c: C): number {
  return new Deno.UnsafePointerView(c.__errno_location()!).getInt32();
}

function addressOf(buffer: ArrayBuffer): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer));
}

function openSocket(library: Library, original: number, family: number, quiet: boolean): Sendmmsg | { reason: string } {
  const c = library.symbols;
  const fd = c.fcntl(original, F_DUPFD_CLOEXEC, 3);
  if (fd < 0) return { reason: `the socket's descriptor can't be duplicated (errno ${readErrno(c)})` };
  // written to by close, to wake a poll that waits
  const closing = c.eventfd(0, EFD_CLOEXEC_NONBLOCK);
  if (closing < 0) {
    const reason = `no eventfd could be opened (errno ${readErrno(c)})`;
    c.close(fd);
    return { reason };
  }
  const payload = new Uint8Array(new ArrayBuffer(MAX_PAYLOAD_BYTES));
  const iovec = new BigUint64Array(new ArrayBuffer(16));
  iovec[0] = addressOf(payload.buffer);
  const watch = quiet ? openWatch(c, original) : undefined;
  let closed = false;
  let waiting = 0;

  const outlet: Outlet = {
    c,
    family,
    iovec: addressOf(iovec.buffer),
    load(bytes) {
      if (closed || bytes.length > MAX_PAYLOAD_BYTES) return false;
      payload.set(bytes);
      iovec[1] = BigInt(bytes.length);
      return true;
    },
    watch,
    transmit: (headers, count) => c.sendmmsg(fd, headers, count, MSG_DONTWAIT),
  };

  function release() {
    c.close(fd);
    c.close(closing);
    library.close();
  }

  function setBuffer(bytes: number, force: number, name: number): number {
    const value = new Int32Array([Math.min(bytes, 0x3fffffff)]);
    if (closed) return 0;
    if (c.setsockopt(fd, SOL_SOCKET, force, value, 4) !== 0) c.setsockopt(fd, SOL_SOCKET, name, value, 4);
    return option(c, fd, name, 4)?.[0] ?? 0;
  }

  return {
    table: () => newTable(outlet),
    async writable(timeoutMs) {
      if (closed) return false;
      const files = new Int16Array(new ArrayBuffer(16));
      new Int32Array(files.buffer).set([fd, 0, closing]);
      files[2] = POLLOUT;
      files[6] = POLLIN;
      waiting++;
      try {
        await c.poll(files, 2n, Math.ceil(timeoutMs));
      } finally {
        waiting--;
        if (closed && waiting === 0) release();
      }
      // not only POLLOUT: an error is fetched, and told, by the next send
      return !closed && files[3] !== 0;
    },
    setReceiveBuffer: (bytes) => setBuffer(bytes, SO_RCVBUFFORCE, SO_RCVBUF),
    setSendBuffer: (bytes) => setBuffer(bytes, SO_SNDBUFFORCE, SO_SNDBUF),
    inboundDrops: () => closed ? 0 : option(c, fd, SO_MEMINFO, 4 * (SK_MEMINFO_DROPS + 1))?.[SK_MEMINFO_DROPS] ?? 0,
    close() {
      if (closed) return;
      closed = true;
      if (waiting === 0) release();
      else c.write(closing, new BigUint64Array([1n]), 8n);
    },
  };
}

/** What a table has from the socket that it sends by. */
interface Outlet {
  c: C;
  family: number;
  /** Where the iovec is that all headers point at. */
  iovec: bigint;
  /** Makes a payload what is sent next; false where that can't be. */
  load(payload: Uint8Array): boolean;
  /** The event loop's eye on the socket. */
  watch?: Watch;
  /** Sends to so many headers; returns how many were served, or -1 where the first was not and errno says why. */
  transmit(headers: Uint8Array<ArrayBuffer>, count: number): number;
}

/** Memory for {@linkcode BLOCK_SLOTS} destinations. */
interface Block {
  /** Written once, when it is made; the kernel then leaves in each msg_len how much it sent. */
  headers: Uint8Array<ArrayBuffer>;
  addresses: Uint8Array<ArrayBuffer>;
}

function newBlock(iovec: bigint, addressBytes: number): Block {
  const headers = new Uint8Array(new ArrayBuffer(BLOCK_SLOTS * MMSGHDR_BYTES));
  const addresses = new Uint8Array(new ArrayBuffer(BLOCK_SLOTS * addressBytes));
  const first = addressOf(addresses.buffer);
  const words = new BigUint64Array(headers.buffer);
  for (let slot = 0; slot < BLOCK_SLOTS; slot++) {
    const at = slot * MMSGHDR_BYTES / 8;
    words[at] = first + BigInt(slot * addressBytes);
    words[at + 1] = BigInt(addressBytes);
    words[at + 2] = iovec;
    words[at + 3] = 1n;
  }
  return { headers, addresses };
}

function newTable({ c, family, iovec, load, watch, transmit }: Outlet): DestinationTable {
  const addressBytes = family === AF_INET6 ? SOCKADDR_IN6_BYTES : SOCKADDR_IN_BYTES;
  const address = new Uint8Array(new ArrayBuffer(addressBytes));
  const blocks: Block[] = [];
  let size = 0;
  let failed = 0;

  /** The bytes of a slot's address, to be read or written. */
  function at(slot: number): Uint8Array<ArrayBuffer> {
    const start = (slot % BLOCK_SLOTS) * addressBytes;
    return blocks[Math.floor(slot / BLOCK_SLOTS)].addresses.subarray(start, start + addressBytes);
  }

  function check(slot: number) {
    if (!Number.isInteger(slot) || slot < 0 || slot >= size) {
      throw new RangeError(`no slot ${slot} of ${size} is taken`);
    }
  }

  /** Sends what is loaded; returns the slot that the buffer had no room for, or undefined where all were served. */
  function sendUpTo(from: number, end: number): number | undefined {
    let refused = -1;
    for (let slot = from; slot < end;) {
      const { headers } = blocks[Math.floor(slot / BLOCK_SLOTS)];
      const first = slot % BLOCK_SLOTS;
      const served = transmit(
        first === 0 ? headers : headers.subarray(first * MMSGHDR_BYTES),
        Math.min(end - slot, BLOCK_SLOTS - first),
      );
      if (served > 0) {
        slot += served;
        continue;
      }
      const errno = readErrno(c);
      if (errno === EAGAIN) return slot;
      if (errno === EINTR) continue;
      // an ICMP error about an earlier datagram is told once, to whichever comes next: so this one gets another try
      if (refused === slot) {
        failed++;
        slot++;
      } else {
        refused = slot;
      }
    }
  }

  return {
    get size() {
      return size;
    },
    get failed() {
      return failed;
    },
    add(endpoint) {
      if (!writeAddress(c, address, family, endpoint)) return undefined;
      if (size === blocks.length * BLOCK_SLOTS) blocks.push(newBlock(iovec, addressBytes));
      at(size).set(address);
      return size++;
    },
    remove(slot) {
      check(slot);
      const last = --size;
      if (slot !== last) at(slot).set(at(last));
      // one empty block is kept, so that coming and going at its edge costs no new one each time
      if (blocks.length * BLOCK_SLOTS >= size + 2 * BLOCK_SLOTS) blocks.pop();
      return slot === last ? undefined : last;
    },
    swap(slot, other) {
      check(slot);
      check(other);
      address.set(at(slot));
      at(slot).set(at(other));
      at(other).set(address);
    },
    send(payload, from, to) {
      const end = Math.min(to, size);
      if (from >= end) return to;
      if (!load(payload)) {
        failed += end - from;
        return to;
      }
      const paused = end - from < MANY ? undefined : watch;
      paused?.pause();
      try {
        return sendUpTo(from, end) ?? to;
      } finally {
        paused?.resume();
      }
    },
  };
}
