/**
 * One socket of the UDP door, and the recipients that are reached by it.
 *
 * What is sent to a neighbour that is not there takes up the send buffer for seconds (see neighbours.ts). So that a few
 * of these don't keep everybody waiting, answers to strangers and classic copies may take a part of the buffer only, and
 * when much of it is taken, recipients that are absent are set aside until they are back.
 *
 * @module
 */
import type { Dialect } from "../../protocol.ts";
import { TokenBucket } from "../../protocol/reliable/token_bucket.ts";
import { now } from "../../runtime/clock.ts";
import { type Datagram, datagrams, type Receiver, socketAddress } from "../../runtime/udp.ts";
import type { Recipient } from "../room/delivery.ts";
import type { Sendmmsg } from "./linux/sendmmsg.ts";
import type { Neighbours } from "./neighbours.ts";
import { Recipients, type RecipientTable } from "./recipients.ts";

/** The part of {@linkcode Deno.DatagramConn} that a door needs. */
export type Socket = Receiver & Pick<Deno.DatagramConn, "send" | "addr" | "close">;

/** The part of {@linkcode Sendmmsg} that a door needs. */
export interface BatchSender
  extends
    Pick<Sendmmsg, "writable" | "setReceiveBuffer" | "setSendBuffer" | "pending" | "inboundDrops" | "close">,
    Pick<Sendmmsg, "neighbours"> {
  table(): RecipientTable;
}

const DIALECTS: readonly Dialect[] = ["v1", "classic", "classic-line"];

/** How a socket is made. */
export interface UdpSocketOptions {
  /** Sends to many at once, where that can be done. */
  fast?: BatchSender;
  neighbours: Neighbours;
  /** The address of this machine that the socket is for; none for the door's first socket. */
  via?: string;
}

/**
 * The receive buffer that is asked for, in bytes: it holds what arrives during a broadcast. The system may grant less.
 */
const RECEIVE_BUFFER_BYTES = 8 << 20;
/**
 * The send buffer that is asked for, in bytes. With the kernel's bookkeeping it holds the 1,000 short datagrams that the
 * queue of a network interface usually holds: what is more would be lost there unseen.
 */
const SEND_BUFFER_BYTES = 384 << 10;
/** The send buffer if nothing is known of it: what Linux gives by default, in bytes. */
const USUAL_SEND_BUFFER_BYTES = 212_992;
/**
 * How much of the send buffer may be taken, as a share of it, when more is put in. Answers to strangers and classic
 * copies together leave more than half to version 1: the system calls a socket writable while half of it is free.
 */
const STRANGERS_SHARE = 1 / 4;
const CLASSIC_SHARE = 3 / 8;
const MEMBERS_SHARE = 1 / 2;
/** Classic copies that wait go on when no more than this is taken. */
const CLASSIC_RESUME_SHARE = 5 / 16;
/** How long after too much of the buffer was taken absent strangers have no answer at all, in milliseconds. */
const ALERT_MS = 30_000;
/** The longest wait for a full socket in milliseconds. After it, sending is tried again even if the socket is full. */
const MAX_WAIT_MS = 1000;
/** The first and the longest pause before another look at how much of the buffer is taken, in milliseconds. */
const FIRST_LOOK_MS = 1;
const MAX_LOOK_MS = 16;
/** The comparison of the recipients with the neighbours takes at most one part in so many of the time. */
const COMPARING_PART = 20;

/** How many absent recipients a second are tried again, and how long after the last time, in milliseconds. */
const TRY_AGAIN_RATE = { rate: 8, burst: 8 };
const TRY_AGAIN_MS = 5000;

/** How far a broadcast has come. */
interface Progress {
  /** How many copies were sent. */
  sent: number;
  /** Resolves when more may be sent; undefined if that is so already. */
  wait?: Promise<void>;
}

/** A socket, its recipients by dialect, and its way of sending to many at once where there is one. */
export class UdpSocket {
  /** The address of this machine that the socket is for; undefined for the door's first socket. */
  readonly via: string | undefined;
  readonly #groups: Readonly<Record<Dialect, Recipients>>;
  /** The recipients that are absent, and when each was last tried, in milliseconds; the longest ago comes first. */
  readonly #aside: Readonly<Record<Dialect, Map<Recipient, number>>>;
  readonly #socket: Socket;
  readonly #fast: BatchSender | undefined;
  readonly #tables: RecipientTable[] = [];
  readonly #neighbours: Neighbours;
  readonly #sendBuffer: number = USUAL_SEND_BUFFER_BYTES;
  /** At most so many bytes of the send buffer are taken. To ask the system each time would take longer than to send. */
  #pendingAtMost = 0;
  /** Until when strangers that are absent have no answer, whatever is free of the buffer, in milliseconds. */
  #alertUntil = -Infinity;
  readonly #triedAgain = new TokenBucket(TRY_AGAIN_RATE, now());
  /** When the neighbours were last compared with the recipients, and when they may be again, in milliseconds. */
  #comparedAt = -Infinity;
  #compareNotBefore = -Infinity;

  constructor(socket: Socket, { fast, neighbours, via }: UdpSocketOptions) {
    this.via = via;
    this.#socket = socket;
    this.#fast = fast;
    this.#neighbours = neighbours;
    if (fast) {
      fast.setReceiveBuffer(RECEIVE_BUFFER_BYTES);
      this.#sendBuffer = fast.setSendBuffer(SEND_BUFFER_BYTES) || USUAL_SEND_BUFFER_BYTES;
    }
    const newRecipients = () => {
      const table = fast?.table();
      if (table) this.#tables.push(table);
      return new Recipients(table);
    };
    this.#groups = { "v1": newRecipients(), "classic": newRecipients(), "classic-line": newRecipients() };
    this.#aside = { "v1": new Map(), "classic": new Map(), "classic-line": new Map() };
  }

  get address(): Deno.NetAddr {
    return this.#socket.addr as Deno.NetAddr;
  }

  /** Whether it sends to many at once. */
  get isFast(): boolean {
    return this.#fast !== undefined;
  }

  /** How many copies of broadcasts were skipped, because they could not be sent. */
  get skipped(): number {
    return this.#tables.reduce((sum, { failed }) => sum + failed, 0);
  }

  /** How many datagrams were lost because the receive buffer was full; 0 if the system does not report it. */
  get inboundDrops(): number {
    return this.#fast?.inboundDrops() ?? 0;
  }

  /** Yields what arrives until the socket is closed. */
  datagrams(): AsyncGenerator<Datagram> {
    return datagrams(this.#socket);
  }

  /** How many recipients have a dialect. */
  size(dialect: Dialect): number {
    return this.#groups[dialect].size + this.#aside[dialect].size;
  }

  join(recipient: Recipient): void {
    this.#groups[recipient.dialect].add(recipient);
  }

  leave(recipient: Recipient): void {
    const { dialect } = recipient;
    if (!this.#aside[dialect].delete(recipient)) this.#groups[dialect].remove(recipient);
  }

  /** All recipients, as they are now. */
  list(): Recipient[] {
    return DIALECTS.flatMap((dialect) => [...this.#groups[dialect].list(), ...this.#aside[dialect].keys()]);
  }

  /**
   * Begins a broadcast to all recipients of a dialect, except one.
   *
   * @returns The absent recipients that are to be tried again. The broadcast itself leaves them out.
   */
  begin(dialect: Dialect, except?: Recipient): Recipient[] {
    if (this.#aside[dialect].size > 0) this.#compare();
    this.#groups[dialect].begin(except);
    return this.#aside[dialect].size > 0 ? this.#takeDueAside(dialect, except) : [];
  }

  /** How many recipients of a dialect still wait for the broadcast that has begun. */
  remaining(dialect: Dialect): number {
    return this.#groups[dialect].remaining;
  }

  /** Sends the broadcast to the next recipients at once, at most `limit`. */
  sendNext(dialect: Dialect, bytes: Uint8Array, limit: number): Progress {
    const group = this.#groups[dialect];
    const before = group.remaining;
    const size = sizeInBuffer(bytes);
    let sent = 0, isFull = false;
    while (sent < limit && group.remaining > 0 && !isFull) {
      const copies = Math.min(limit - sent, group.remaining);
      const room = dialect === "v1" ? copies : Math.floor(this.#room(CLASSIC_SHARE, copies * size) / size);
      isFull = room <= 0 || !group.sendNext(bytes, Math.min(copies, room));
      this.#pendingAtMost += (before - group.remaining - sent) * size;
      sent = before - group.remaining;
    }
    if (!isFull) return { sent };
    return { sent, wait: dialect === "v1" ? this.#writable() : this.#drained() };
  }

  /** Returns the addresses of the next recipients, at most `limit`. From now on they count as served. */
  takeNext(dialect: Dialect, limit: number): string[] {
    return this.#groups[dialect].takeNext(limit);
  }

  /**
   * Whether a single datagram should be sent to an address now. If not, it would take up the send buffer for long, and
   * so little of it is left that others would wait.
   */
  admits({ address, validated }: Pick<Recipient, "address" | "validated">, bytes: Uint8Array): boolean {
    const size = sizeInBuffer(bytes);
    const time = now();
    const isCrowded = this.#room(validated ? MEMBERS_SHARE : STRANGERS_SHARE, size) < size;
    if (isCrowded) this.#alertUntil = time + ALERT_MS;
    if (isCrowded || !validated && time < this.#alertUntil) {
      this.#neighbours.look(time);
      if (this.#neighbours.isAbsent(address)) return false;
      if (isCrowded && !validated && !this.#neighbours.isPresent(address)) return false;
    }
    this.#pendingAtMost += size;
    return true;
  }

  /** Sends a datagram to one address. */
  async send(bytes: Uint8Array, address: string): Promise<void> {
    await this.#socket.send(bytes, socketAddress(address, this.#socket));
  }

  close(): void {
    this.#fast?.close();
    this.#socket.close();
  }

  /** How many bytes of a share of the send buffer are free, at least; it is found out exactly if there is no room. */
  #room(share: number, wanted: number): number {
    if (share * this.#sendBuffer - this.#pendingAtMost < wanted) this.#pendingAtMost = this.#fast?.pending() ?? 0;
    return share * this.#sendBuffer - this.#pendingAtMost;
  }

  /** Takes back the recipients that are present again. If much of the buffer is taken, sets the absent ones aside. */
  #compare(): void {
    const time = now();
    if (!this.#fast || time < this.#compareNotBefore) return;
    this.#neighbours.look(time);
    if (this.#neighbours.lookedAt === this.#comparedAt) return;
    this.#comparedAt = this.#neighbours.lookedAt;
    const startedAt = performance.now();
    const isCrowded = this.#fast.pending() > STRANGERS_SHARE * this.#sendBuffer;
    for (const dialect of DIALECTS) {
      const group = this.#groups[dialect], aside = this.#aside[dialect];
      for (const recipient of aside.keys()) {
        if (!this.#neighbours.isPresent(recipient.address)) continue;
        aside.delete(recipient);
        group.add(recipient);
      }
      if (!isCrowded) continue;
      for (const recipient of group.list()) {
        if (!this.#neighbours.isAbsent(recipient.address)) continue;
        group.remove(recipient);
        aside.set(recipient, time);
      }
    }
    this.#compareNotBefore = time + COMPARING_PART * (performance.now() - startedAt);
  }

  /** Takes the absent recipients that are to be tried again. The system then looks for them once more. */
  #takeDueAside(dialect: Dialect, except?: Recipient): Recipient[] {
    const time = now();
    const aside = this.#aside[dialect];
    const due: Recipient[] = [];
    for (const [recipient, triedAt] of aside) {
      if (time < triedAt + TRY_AGAIN_MS || this.#triedAgain.take(TRY_AGAIN_RATE, time) > 0) break;
      aside.delete(recipient);
      aside.set(recipient, time);
      if (recipient !== except) due.push(recipient);
    }
    return due;
  }

  /** Resolves when the socket can take more, or after a second. */
  async #writable(): Promise<void> {
    this.#compare();
    await this.#fast?.writable(MAX_WAIT_MS);
  }

  /** Resolves when the socket can take more classic copies, or after a second. */
  async #drained(): Promise<void> {
    const until = now() + MAX_WAIT_MS;
    for (let pause = FIRST_LOOK_MS; now() < until; pause = Math.min(2 * pause, MAX_LOOK_MS)) {
      this.#compare();
      await new Promise<void>((resolve) => setTimeout(resolve, pause));
      this.#pendingAtMost = this.#fast?.pending() ?? 0;
      if (this.#pendingAtMost <= CLASSIC_RESUME_SHARE * this.#sendBuffer) return;
    }
  }
}

/**
 * About how many bytes a datagram takes up in the send buffer: on Linux its memory is rounded up to a power of two, with
 * room for the headers and for what the kernel notes about it.
 */
function sizeInBuffer({ length }: Uint8Array): number {
  return 256 + 2 ** Math.ceil(Math.log2(length + 384));
}
