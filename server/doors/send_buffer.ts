/**
 * How full a socket's send buffer is. What is sent to a neighbour that is not there takes it up for seconds; see
 * neighbours.ts. So what may be sent to one takes a part of it only.
 *
 * @module
 */
import type { Sendmmsg } from "./linux/sendmmsg.ts";

/** What the system tells of a socket's send buffer. */
export type SystemBuffer = Pick<Sendmmsg, "setSendBuffer" | "pending">;

/**
 * How much of the buffer may be taken, as a share of it, when an answer is put in to a recipient that may be absent, or
 * a classic copy. Both together leave more than half to version 1: the system calls a socket writable while half of it
 * is free.
 */
export const ANSWERS_SHARE = 1 / 4;
export const CLASSIC_SHARE = 3 / 8;
/** Classic copies that wait go on when no more than this is taken. */
export const CLASSIC_RESUME_SHARE = 5 / 16;

/**
 * The send buffer that is asked for, in bytes. With the kernel's bookkeeping it holds the 1,000 short datagrams that the
 * queue of a network interface usually holds: what is more would be lost there unseen.
 */
const BUFFER_BYTES = 384 << 10;
/** The send buffer if nothing is known of it: what Linux gives by default, in bytes. */
const USUAL_BUFFER_BYTES = 212_992;

/** The send buffer of one socket. */
export class SendBuffer {
  readonly #system: SystemBuffer | undefined;
  readonly #size: number;
  /** At most so many bytes are taken. To ask the system before each send would take longer than to send. */
  #takenAtMost = 0;

  /** @param system Undefined where the system can't be asked: then the buffer counts as empty when it seems full. */
  constructor(system: SystemBuffer | undefined) {
    this.#system = system;
    this.#size = system?.setSendBuffer(BUFFER_BYTES) || USUAL_BUFFER_BYTES;
  }

  /** Notes that so many bytes were put in. */
  put(bytes: number): void {
    this.#takenAtMost += bytes;
  }

  /**
   * Returns how many bytes of a share of the buffer are free, at least. The system is asked only if that seems to be
   * less than is wanted.
   */
  freeBytes(share: number, wanted: number): number {
    if (share * this.#size - this.#takenAtMost < wanted) this.#ask();
    return share * this.#size - this.#takenAtMost;
  }

  /** Whether more than a share of the buffer is taken now. */
  isTaken(share: number): boolean {
    this.#ask();
    return this.#takenAtMost > share * this.#size;
  }

  #ask(): void {
    this.#takenAtMost = this.#system?.pending() ?? 0;
  }
}

/**
 * Returns about how many bytes a datagram takes up in the buffer: on Linux its memory is rounded up to a power of two,
 * with room for the headers and for what the kernel notes about it.
 */
export function sizeInBuffer({ length }: Uint8Array): number {
  return 256 + 2 ** (32 - Math.clz32(length + 383));
}
