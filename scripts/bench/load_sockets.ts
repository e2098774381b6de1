/**
 * The system calls of load.ts: sockets that hold thousands of addresses, and calls that receive many datagrams.
 *
 * Linux only, 64 bits, little-endian. The layouts are those of the C library's headers, in bytes:
 * `sockaddr_in` (16): family u16 at 0, port u16 at 2 and address u32 at 4, both big-endian;
 * `iovec` (16): base at 0, length at 8; `msghdr` (56): name at 0, its length u32 at 8, iovecs at 16, their count at 24,
 * control at 32, its length at 40; `mmsghdr` (64): a msghdr, and the length received u32 at 56;
 * `cmsghdr` (16): length at 0, level i32 at 8, type i32 at 12, and behind it `in_pktinfo`, its source address at 20.
 *
 * @module
 */

/** The bytes that are kept of a received datagram, and the most datagrams that one call receives. */
export const datagramSize = { longest: 256, batch: 256 };

const SOCKETS = 32, BUFFER_BYTES = 32 << 20;
const AF_INET = 2,
  SOCK_DGRAM = 2,
  SOCK_NONBLOCK = 0o4000,
  SOL_SOCKET = 1,
  SO_RCVBUF = 8,
  SO_RCVBUFFORCE = 33,
  SO_MEMINFO = 55;
const IPPROTO_IP = 0, IP_PKTINFO = 8, CMSG_BYTES = 32, CMSG_LENGTH = 28, HEADER_BYTES = 64;

const libc = Deno.build.os !== "linux" ? undefined : Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "isize" },
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
  recvmmsg: { parameters: ["i32", "buffer", "u32", "i32", "pointer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  usleep: { parameters: ["u32"], result: "i32" },
});

function system() {
  if (!libc) throw new Error("The load generator needs Linux");
  return libc.symbols;
}

/** Milliseconds of a clock that never jumps. */
export function monotonic(): number {
  return performance.now();
}

/** Blocks this thread, and all that runs in it, for so many milliseconds. */
export function nap(milliseconds: number): void {
  system().usleep(Math.round(1000 * milliseconds));
}

/** The `sockaddr_in` of an address, given as a number, and a port. */
function socketName(address: number, port: number): Uint8Array<ArrayBuffer> {
  const name = new DataView(new ArrayBuffer(16));
  name.setUint16(0, AF_INET, true);
  name.setUint16(2, port);
  name.setUint32(4, address);
  return new Uint8Array(name.buffer);
}

function pointerTo(bytes: Uint8Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}

const encoder = new TextEncoder();
const LOOPBACK = 0x7f00_0001, FIRST_MEMBER = 0x7f01_0001;

/** Sockets that each hold a row of consecutive members, each of which has its own address. */
export class Sockets {
  readonly descriptors: number[] = [];
  /** How many members share a socket. */
  readonly block: number;
  // the header has pointers to the other buffers, so they must stay alive and in place as long as the header
  readonly #server: Uint8Array<ArrayBuffer>;
  readonly #text = new Uint8Array(datagramSize.longest);
  readonly #iovec = new DataView(new ArrayBuffer(16));
  readonly #control = new DataView(new ArrayBuffer(CMSG_BYTES));
  readonly #header = new DataView(new ArrayBuffer(HEADER_BYTES));

  /**
   * @param port The server's port on 127.0.0.1.
   * @param bufferBytes The receive buffer of each socket; what it can't hold is lost.
   */
  constructor(port: number, members: number, bufferBytes = BUFFER_BYTES) {
    const count = members < 16 ? 1 : Math.min(SOCKETS, Math.floor(members / 8));
    this.block = Math.ceil(members / count);
    for (let i = 0; i < count; i++) this.descriptors.push(openSocket(bufferBytes));
    this.#server = socketName(LOOPBACK, port);

    this.#iovec.setBigUint64(0, pointerTo(this.#text), true);
    this.#control.setBigUint64(0, BigInt(CMSG_LENGTH), true);
    this.#control.setInt32(8, IPPROTO_IP, true);
    this.#control.setInt32(12, IP_PKTINFO, true);
    this.#header.setBigUint64(0, pointerTo(this.#server), true);
    this.#header.setUint32(8, this.#server.length, true);
    this.#header.setBigUint64(16, pointerTo(new Uint8Array(this.#iovec.buffer)), true);
    this.#header.setBigUint64(24, 1n, true);
    this.#header.setBigUint64(32, pointerTo(new Uint8Array(this.#control.buffer)), true);
    this.#header.setBigUint64(40, BigInt(CMSG_BYTES), true);
  }

  /** Sends a text to the server from a member's address. */
  send(member: number, text: string): void {
    const { written } = encoder.encodeInto(text, this.#text);
    this.#iovec.setBigUint64(8, BigInt(written), true);
    this.#control.setUint32(20, FIRST_MEMBER + member);
    const descriptor = this.descriptors[Math.floor(member / this.block)];
    while (system().sendmsg(descriptor, this.#header.buffer, 0) < 0n) nap(0.02);
  }

  /** How many datagrams were lost because these sockets' receive buffers were full. */
  get overflow(): number {
    return this.descriptors.reduce((sum, descriptor) => {
      const info = new Uint32Array(9); // SK_MEMINFO_DROPS is the last
      system().getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, info, Uint32Array.of(info.byteLength));
      return sum + info[8];
    }, 0);
  }

  /** Closes the sockets: whoever sends to a member is told by ICMP from now on that its port is closed. */
  close(): void {
    for (const descriptor of this.descriptors.splice(0)) system().close(descriptor);
  }

  /** Sends a text `count` times to each of these sockets. */
  fill(text: string, count: number): void {
    const bytes = encoder.encode(text);
    for (const descriptor of this.descriptors) {
      const name = socketName(0, 0);
      system().getsockname(descriptor, name, Uint32Array.of(name.length));
      new DataView(name.buffer).setUint32(4, LOOPBACK);
      for (let i = 0; i < count; i++) {
        system().sendto(descriptor, bytes, BigInt(bytes.length), 0, name, name.length);
      }
    }
  }
}

/** Receives the datagrams that arrive at sockets. */
export class Mailbox {
  readonly #descriptors: readonly number[];
  readonly #bytes = new Uint8Array(datagramSize.batch * datagramSize.longest);
  readonly #iovecs = new DataView(new ArrayBuffer(datagramSize.batch * 16));
  readonly #headers = new DataView(new ArrayBuffer(datagramSize.batch * HEADER_BYTES));

  constructor({ descriptors }: Sockets) {
    this.#descriptors = descriptors;
    const bytes = pointerTo(this.#bytes), iovecs = pointerTo(new Uint8Array(this.#iovecs.buffer));
    for (let i = 0; i < datagramSize.batch; i++) {
      this.#iovecs.setBigUint64(16 * i, bytes + BigInt(i * datagramSize.longest), true);
      this.#iovecs.setBigUint64(16 * i + 8, BigInt(datagramSize.longest), true);
      this.#headers.setBigUint64(HEADER_BYTES * i + 16, iovecs + BigInt(16 * i), true);
      this.#headers.setBigUint64(HEADER_BYTES * i + 24, 1n, true);
    }
  }

  /**
   * Receives all waiting datagrams and returns how many there were.
   *
   * @param take Called for each: the buffer, the datagram's place in it, and when it was received, in milliseconds.
   */
  drain(take: (bytes: Uint8Array, start: number, length: number, at: number) => void): number {
    let all = 0;
    for (const descriptor of this.#descriptors) {
      for (let got = datagramSize.batch; got === datagramSize.batch;) {
        got = system().recvmmsg(descriptor, this.#headers.buffer, datagramSize.batch, 0, null);
        const at = monotonic();
        for (let i = 0; i < got; i++) {
          take(this.#bytes, i * datagramSize.longest, this.#headers.getUint32(HEADER_BYTES * i + 56, true), at);
        }
        all += Math.max(0, got);
      }
    }
    return all;
  }
}

/** Opens a socket on a free port of every address of this machine. */
function openSocket(bufferBytes: number): number {
  const descriptor = system().socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  const any = socketName(0, 0);
  if (descriptor < 0 || system().bind(descriptor, any, any.length) < 0) throw new Error("No socket could be opened");
  const size = Int32Array.of(bufferBytes);
  if (system().setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, size, size.byteLength) < 0) {
    system().setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, size, size.byteLength);
  }
  return descriptor;
}
