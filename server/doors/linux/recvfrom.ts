/**
 * Takes a datagram that has already arrived at a socket: Linux's recvfrom(2), on a socket that Deno opened.
 *
 * To wait for a datagram takes the runtime a promise and a turn of its event loop, and each comes with the text of its
 * sender's address. Here what waits at the socket is taken by one call each, and the address of a sender that was heard
 * before is looked up by its bytes. sendmmsg.ts describes the layout of the addresses.
 *
 * @module
 */
import { formatAddress } from "../../../protocol/fields.ts";
import { AF_INET6, type C, formatIPAddress, MSG_DONTWAIT, SOCKADDR_IN6_BYTES } from "../../../runtime/libc.ts";

/** No datagram is longer; see {@linkcode takeArrived}. */
const BUFFER_BYTES = 65_536;
/** How many senders are remembered at most, and how many bits number their places. */
const PLACE_BITS = 12, SENDERS = 2 ** PLACE_BITS;
/** The golden ratio of 2^32, odd, for multiplicative hashing (Knuth, The Art of Computer Programming, section 6.4). */
const MULTIPLIER = 0x9e3779b1;
/** The first 32-bit words of an address, which its text is made of. Behind them an IPv6 address has its scope. */
const WORDS = 6, IPV4_WORDS = 2;

/**
 * Takes one datagram that has arrived, and passes it on.
 *
 * @param pass Called at most once; `bytes` are valid until the next datagram is taken.
 * @returns Whether a datagram was taken. If not, none is there, or something is wrong, which the next `receive` meets.
 */
export type TakeArrived = (pass: (bytes: Uint8Array, from: string) => void) => boolean;

/** Returns a function that takes what has arrived at a socket. */
export function takeArrivedFrom(c: C, fd: number, family: number): TakeArrived {
  const buffer = new ArrayBuffer(BUFFER_BYTES);
  const all = new Uint8Array(buffer);
  const sender = new Uint32Array(new ArrayBuffer(SOCKADDR_IN6_BYTES));
  const senderBytes = new Uint32Array(1);
  const capacity = BigInt(BUFFER_BYTES);
  const senders = new Senders(family);
  return (pass) => {
    senderBytes[0] = SOCKADDR_IN6_BYTES;
    const length = Number(c.recvfrom(fd, all, capacity, MSG_DONTWAIT, sender, senderBytes));
    if (length < 0) return false;
    const from = senders.textOf(sender);
    if (from !== undefined) pass(new Uint8Array(buffer, 0, length), from);
    return true;
  };
}

/**
 * The texts of the addresses that datagrams came from, in a table of fixed size: each address has one place in it, and
 * of two with the same place the one that was heard last is kept. So forged addresses make no more of it than work.
 */
export class Senders {
  readonly #family: number;
  readonly #known = new Uint32Array(SENDERS * WORDS);
  readonly #texts: string[] = Array(SENDERS).fill("");

  constructor(family: number) {
    this.#family = family;
  }

  /** The address in a sockaddr_in or sockaddr_in6 as text; undefined with port 0, where no answer can go. */
  textOf(sender: Uint32Array<ArrayBuffer>): string | undefined {
    const words = this.#family === AF_INET6 ? WORDS : IPV4_WORDS;
    let hash = 0;
    // a product has what differs in its upper bits only: so the last byte of an address must get down, and up again
    for (let i = 0; i < words; i++) {
      hash = Math.imul(hash ^ sender[i], MULTIPLIER);
      hash ^= hash >>> 15;
    }
    const place = Math.imul(hash, MULTIPLIER) >>> 32 - PLACE_BITS;
    let isKnown = this.#texts[place] !== "";
    for (let i = 0; i < words; i++) isKnown &&= this.#known[place * WORDS + i] === sender[i];
    if (isKnown) return this.#texts[place];
    const text = this.#format(sender);
    if (text === undefined) return undefined;
    for (let i = 0; i < words; i++) this.#known[place * WORDS + i] = sender[i];
    return this.#texts[place] = text;
  }

  #format({ buffer }: Uint32Array<ArrayBuffer>): string | undefined {
    const bytes = new Uint8Array(buffer);
    const port = bytes[2] << 8 | bytes[3];
    if (port === 0) return undefined;
    const address = this.#family === AF_INET6 ? bytes.subarray(8, 24) : bytes.subarray(4, 8);
    return formatAddress({ hostname: formatIPAddress(address), port });
  }
}
