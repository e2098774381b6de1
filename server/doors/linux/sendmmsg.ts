/**
 * Sends one datagram to many addresses with one system call: Linux's sendmmsg(2), on a socket that Deno opened.
 *
 * This is the only file that makes pointers. The structs that it passes to the kernel have the C library's layout on
 * 64-bit Linux, which is the same on x86_64 and aarch64 (glibc's and musl's padding differ in name only). Offsets and
 * sizes are in bytes. Numbers are little-endian, except where "network" says big-endian.
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
 * An IPv6 socket gets sockaddr_in6 only: the IPv4 members of a `::` socket are written as IPv4-mapped addresses,
 * `::ffff:10.0.0.1` (RFC 4291, section 2.5.5.2). An IPv4 socket gets sockaddr_in only.
 *
 * **Memory.** A {@linkcode AddressTable} is a list of blocks. Each block has two ArrayBuffers: one of
 * {@linkcode BLOCK_SLOTS} headers, and one of as many socket addresses. The garbage collector does not move the memory
 * of an ArrayBuffer, and frees it with the last reference to it. So a block stays at its place in memory, and the
 * pointers in its headers, each to the address of its own slot, are written once. A table grows by whole blocks, which
 * copies nothing and changes no pointer. Joining writes an address. Leaving copies the last slot's address over the
 * freed one.
 *
 * Every header of every table points at one iovec. The iovec points at one buffer of {@linkcode MAX_PAYLOAD_BYTES},
 * into which `send` copies the payload. So no pointer leads to the caller's bytes, and the caller may change them as
 * soon as `send` returns.
 *
 * The objects whose methods use the headers, addresses, iovec and buffer keep references to them. The kernel accesses
 * them only during the call. Two calls last longer than the functions that make them, because they wait on another thread:
 * poll(2), whose buffer is kept until it answers, and usleep(3). `errno` belongs to the thread, and is read right after the call that
 * failed.
 *
 * **The descriptor** is a duplicate of the one that Deno keeps. If Deno closes the original first, another file may get
 * the original's number at once, but the duplicate's number stays reserved. The port is free when both are closed.
 *
 * @module
 */
import type { Endpoint } from "../../../protocol/fields.ts";
import type { NeighbourTable } from "../neighbours.ts";
import {
  addressFamily,
  AF_INET6,
  type C,
  findDescriptor,
  type Library,
  MSG_DONTWAIT,
  openLibrary,
  readSocketOption,
  SOCKADDR_IN6_BYTES,
  SOL_SOCKET,
  writeAddress,
} from "../../../runtime/libc.ts";
import { readNeighbours } from "./neighbours.ts";
import { type TakeArrived, takeArrivedFrom } from "./recvfrom.ts";

/** The slots of a block, which is also the most headers in one call: the kernel takes no more (UIO_MAXIOV). */
export const BLOCK_SLOTS = 1024;
/** The longest payload that fits a UDP datagram's length field, in bytes. The kernel's own limit is a little lower. */
export const MAX_PAYLOAD_BYTES = 65_535;

const MMSGHDR_BYTES = 64;
const SOCKADDR_IN_BYTES = 16;

// the values of the C constants, from the kernel's headers; the same on x86_64 and aarch64
const SO_REUSEADDR = 2;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SO_MEMINFO = 55;
const SK_MEMINFO_WMEM_ALLOC = 2;
const SK_MEMINFO_DROPS = 8;
const F_DUPFD_CLOEXEC = 1030;
const EFD_CLOEXEC_NONBLOCK = 0x80800;
const POLLIN = 1;
const POLLOUT = 4;
/**
 * How long a rest is, in microseconds; the system adds some 50. A call that returned at once was often over before the
 * runtime had begun to wait for it, and then the runtime did not wait at all.
 */
const REST_US = 50;
const EINTR = 4;
const EAGAIN = 11;

/** The addresses that a payload goes to, in slots from 0 to `size` - 1, without a gap. */
export interface AddressTable {
  /** How many slots are taken. */
  readonly size: number;
  /** How many copies could not be sent since the table was made: an address out of reach, a payload too long. */
  readonly failed: number;
  /**
   * Puts an address into the slot after the last one. Returns the slot, or undefined if this socket can't send to the
   * address: it is a host's name instead of a numeric address, or IPv6 on an IPv4 socket.
   */
  add(address: Endpoint): number | undefined;
  /**
   * Frees a slot. The address in the last slot moves into it. Returns the slot that this address came from, or
   * undefined if the freed slot was the last one.
   */
  remove(slot: number): number | undefined;
  /** Exchanges the addresses of two slots. This keeps the order when one leaves while a payload is half sent. */
  swap(slot: number, other: number): void;
  /**
   * Sends a payload to the slots from `from` (included) to `to` (excluded). Returns `to`, or the first slot that got no
   * copy because the socket's buffer is full: wait for {@linkcode Sendmmsg.writable}, then go on from there. A
   * address that the kernel refuses is skipped and counted in `failed`; all others get their copy. Returns when the
   * kernel has taken the copies, which takes about a microsecond each on a loopback interface.
   */
  send(payload: Uint8Array, from: number, to: number): number;
}

/** A socket that sends a datagram to many addresses at once. */
export interface Sendmmsg {
  /** Returns a new, empty table. There may be several, such as one for each encoding. */
  table(): AddressTable;
  /** Takes a datagram that has arrived, without waiting for one. */
  takeArrived: TakeArrived;
  /** Resolves to true when the socket can take more, to false after `timeoutMs` milliseconds or on `close`. */
  writable(timeoutMs: number): Promise<boolean>;
  /** Resolves after some 0.1 ms. Meanwhile the runtime waits, and so it looks what has arrived at all sockets. */
  rest(): Promise<void>;
  /**
   * Asks for a receive buffer of `bytes` bytes, beyond the system's limit if the process is allowed to (CAP_NET_ADMIN).
   * Returns the granted bytes, or 0 on failure. The kernel reports twice the bytes asked for, because it includes its
   * own bookkeeping.
   */
  setReceiveBuffer(bytes: number): number;
  /** The same for the send buffer. */
  setSendBuffer(bytes: number): number;
  /**
   * How many bytes of the send buffer are taken by datagrams that have not left yet, with the kernel's own bookkeeping.
   */
  pending(): number;
  /** The neighbours of this machine by address: whether a machine has answered there. Undefined if it is not known. */
  neighbours(): NeighbourTable | undefined;
  /** Lets other sockets that ask for it have the port too, from now on, or no longer (SO_REUSEADDR, socket(7)). */
  setReuseAddress(mayShare: boolean): void;
  /** Datagrams that arrived and were lost because the receive buffer was full, since the socket was opened. */
  inboundDrops(): number;
  /** Closes the duplicate descriptor and the library. A later `send` sends nothing. Deno's connection stays open. */
  close(): void;
}

/**
 * Prepares a socket of {@linkcode Deno.listenDatagram} for sendmmsg, or returns the reason why that is not possible. It
 * never throws and never asks for a permission. It needs `--allow-ffi` without a path: the C library is found by its
 * bare name, which the permission can't express.
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
export function openSendmmsg(conn: Pick<Deno.DatagramConn, "addr">): Sendmmsg | { reason: string } {
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
      ? openSocket(library, descriptor, addressFamily(conn.addr))
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

function pointerTo(buffer: ArrayBuffer): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer));
}

function openSocket(library: Library, original: number, family: number): Sendmmsg | { reason: string } {
  const c = library.symbols;
  const fd = c.fcntl(original, F_DUPFD_CLOEXEC, 3);
  if (fd < 0) return { reason: `the socket's descriptor can't be duplicated (errno ${readErrno(c)})` };
  // close writes to it to wake a waiting poll
  const closing = c.eventfd(0, EFD_CLOEXEC_NONBLOCK);
  if (closing < 0) {
    const reason = `no eventfd could be opened (errno ${readErrno(c)})`;
    c.close(fd);
    return { reason };
  }
  const payload = new Uint8Array(new ArrayBuffer(MAX_PAYLOAD_BYTES));
  const iovec = new BigUint64Array(new ArrayBuffer(16));
  iovec[0] = pointerTo(payload.buffer);
  let closed = false;
  let waiting = 0;

  const access: SocketAccess = {
    c,
    family,
    iovec: pointerTo(iovec.buffer),
    load(bytes) {
      if (closed || bytes.length > MAX_PAYLOAD_BYTES) return false;
      payload.set(bytes);
      iovec[1] = BigInt(bytes.length);
      return true;
    },
    transmit: (headers, count) => c.sendmmsg(fd, headers, count, MSG_DONTWAIT),
  };

  function release() {
    c.close(fd);
    c.close(closing);
    library.close();
  }

  /** Waits for a call that another thread makes, and keeps what it needs until then. */
  async function waitFor(call: () => Promise<number>): Promise<void> {
    waiting++;
    try {
      await call();
    } finally {
      waiting--;
      if (closed && waiting === 0) release();
    }
  }

  function setBuffer(bytes: number, force: number, name: number): number {
    const value = new Int32Array([Math.min(bytes, 0x3fffffff)]);
    if (closed) return 0;
    if (c.setsockopt(fd, SOL_SOCKET, force, value, 4) !== 0) c.setsockopt(fd, SOL_SOCKET, name, value, 4);
    return readSocketOption(c, fd, name, 4)?.[0] ?? 0;
  }

  // it is read often while the buffer is nearly full, so reading makes no new objects
  const memory = new Uint32Array(new ArrayBuffer(4 * (SK_MEMINFO_DROPS + 1)));
  const memoryBytes = new Uint32Array(1);

  function readMemory(field: number): number {
    memoryBytes[0] = memory.byteLength;
    return !closed && c.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, memoryBytes) === 0 ? memory[field] : 0;
  }

  const takeArrived = takeArrivedFrom(c, fd, family);

  return {
    table: () => newTable(access),
    takeArrived: (pass) => !closed && takeArrived(pass),
    async writable(timeoutMs) {
      if (closed) return false;
      const files = new Int16Array(new ArrayBuffer(16));
      new Int32Array(files.buffer).set([fd, 0, closing]);
      files[2] = POLLOUT;
      files[6] = POLLIN;
      await waitFor(() => c.poll(files, 2n, Math.ceil(timeoutMs)));
      // any event counts, not only POLLOUT: the next send reads and reports an error
      return !closed && files[3] !== 0;
    },
    async rest() {
      if (!closed) await waitFor(() => c.usleep(REST_US));
    },
    setReceiveBuffer: (bytes) => setBuffer(bytes, SO_RCVBUFFORCE, SO_RCVBUF),
    setSendBuffer: (bytes) => setBuffer(bytes, SO_SNDBUFFORCE, SO_SNDBUF),
    setReuseAddress(mayShare) {
      if (!closed) c.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, new Int32Array([Number(mayShare)]), 4);
    },
    pending: () => readMemory(SK_MEMINFO_WMEM_ALLOC),
    neighbours: () => closed ? undefined : readNeighbours(c),
    inboundDrops: () => readMemory(SK_MEMINFO_DROPS),
    close() {
      if (closed) return;
      closed = true;
      if (waiting === 0) release();
      else c.write(closing, new BigUint64Array([1n]), 8n);
    },
  };
}

/** What a table needs of the socket that it sends on. */
interface SocketAccess {
  c: C;
  family: number;
  /** The address of the iovec that all headers point at. */
  iovec: bigint;
  /** Copies the payload to send next. Returns false if the payload is too long or the socket is closed. */
  load(payload: Uint8Array): boolean;
  /** Sends to the first `count` headers. Returns how many got a copy, or -1 (see errno) if the first got none. */
  transmit(headers: Uint8Array<ArrayBuffer>, count: number): number;
}

/** Memory for {@linkcode BLOCK_SLOTS} addresses. */
interface Block {
  /** Written once, when the block is made. Later only the kernel writes, into msg_len: how many bytes it sent. */
  headers: Uint8Array<ArrayBuffer>;
  addresses: Uint8Array<ArrayBuffer>;
}

function newBlock(iovec: bigint, addressBytes: number): Block {
  const headers = new Uint8Array(new ArrayBuffer(BLOCK_SLOTS * MMSGHDR_BYTES));
  const addresses = new Uint8Array(new ArrayBuffer(BLOCK_SLOTS * addressBytes));
  const first = pointerTo(addresses.buffer);
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

function newTable({ c, family, iovec, load, transmit }: SocketAccess): AddressTable {
  const addressBytes = family === AF_INET6 ? SOCKADDR_IN6_BYTES : SOCKADDR_IN_BYTES;
  const address = new Uint8Array(new ArrayBuffer(addressBytes));
  const blocks: Block[] = [];
  let size = 0;
  let failed = 0;

  /** Returns the bytes of a slot's address, for reading or writing. */
  function addressAt(slot: number): Uint8Array<ArrayBuffer> {
    const start = (slot % BLOCK_SLOTS) * addressBytes;
    return blocks[Math.floor(slot / BLOCK_SLOTS)].addresses.subarray(start, start + addressBytes);
  }

  function checkSlot(slot: number) {
    if (!Number.isInteger(slot) || slot < 0 || slot >= size) {
      throw new RangeError(`no slot ${slot} of ${size} is taken`);
    }
  }

  /** Sends the loaded payload. Returns the slot that the buffer had no room for, or undefined if all got a copy. */
  function sendUpTo(from: number, end: number): number | undefined {
    let refusedSlot = -1;
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
      // the kernel reports an ICMP error about an earlier datagram once, on the next send to any address: so this slot
      // is tried again
      if (refusedSlot === slot) {
        failed++;
        slot++;
      } else {
        refusedSlot = slot;
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
      addressAt(size).set(address);
      return size++;
    },
    remove(slot) {
      checkSlot(slot);
      const last = --size;
      if (slot !== last) addressAt(slot).set(addressAt(last));
      // one empty block is kept: otherwise alternating joins and leaves at its edge would make a new block each time
      if (blocks.length * BLOCK_SLOTS >= size + 2 * BLOCK_SLOTS) blocks.pop();
      return slot === last ? undefined : last;
    },
    swap(slot, other) {
      checkSlot(slot);
      checkSlot(other);
      address.set(addressAt(slot));
      addressAt(slot).set(addressAt(other));
      addressAt(other).set(address);
    },
    send(payload, from, to) {
      const end = Math.min(to, size);
      if (from >= end) return to;
      if (!load(payload)) {
        failed += end - from;
        return to;
      }
      return sendUpTo(from, end) ?? to;
    },
  };
}
