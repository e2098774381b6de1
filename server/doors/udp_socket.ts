/**
 * One socket of the UDP door, and the recipients that are reached by it.
 *
 * What is sent to a neighbour that is not there takes up the send buffer for seconds; see neighbours.ts. So that this
 * keeps nobody waiting, an answer to one that may be absent is dropped when a part of the buffer is taken. Classic copies
 * wait when a larger part is, and then recipients that are absent are set aside until they are back.
 *
 * @module
 */
// the runtime's own timer, also in a test whose time is not real
import { setImmediate, setTimeout as setRuntimeTimeout } from "node:timers";
import type { DatagramDialect } from "../../protocol.ts";
import { now } from "../../runtime/clock.ts";
import { datagrams, type Receiver, socketAddress } from "../../runtime/udp.ts";
import type { Recipient } from "../room/delivery.ts";
import { AbsentRecipients } from "./absent_recipients.ts";
import type { Sendmmsg } from "./linux/sendmmsg.ts";
import { hostnameOf, type Neighbours } from "./neighbours.ts";
import { Recipients, type RecipientTable } from "./recipients.ts";
import {
  ANSWERS_SHARE,
  CLASSIC_RESUME_SHARE,
  CLASSIC_SHARE,
  SendBuffer,
  sizeInBuffer,
  type SystemBuffer,
} from "./send_buffer.ts";

/** The part of {@linkcode Deno.DatagramConn} that a door needs. */
export type Socket = Receiver & Pick<Deno.DatagramConn, "send" | "addr" | "close">;

/** The part of {@linkcode Sendmmsg} that a door needs. */
export interface BatchSender extends
  SystemBuffer,
  Pick<
    Sendmmsg,
    "takeArrived" | "writable" | "rest" | "setReceiveBuffer" | "neighbours" | "inboundDrops" | "close"
  > {
  table(): RecipientTable;
}

/** How a socket is made. */
export interface UdpSocketOptions {
  /** Sends to many at once, where that can be done. */
  fast?: BatchSender;
  neighbours: Neighbours;
  /** The address of this machine that the socket is for; none for the door's first socket. */
  via?: string;
}

/** How far a broadcast has come. */
interface Progress {
  /** How many copies were sent. */
  sent: number;
  /** Resolves when more may be sent; undefined if that is so already. */
  wait?: Promise<void>;
}

const DIALECTS: readonly DatagramDialect[] = ["v1", "classic", "classic-line"];
/**
 * The receive buffer that is asked for, in bytes: it holds what arrives during a broadcast. The system may grant less.
 */
const RECEIVE_BUFFER_BYTES = 8 << 20;
/** How long after too much of the send buffer was taken whoever is absent has no answer at all, in milliseconds. */
const ALERT_MS = 30_000;
/** The longest wait for a full socket in milliseconds. After it, sending is tried again even if the socket is full. */
const MAX_WAIT_MS = 1000;
/** The first and the longest pause before another look at how much of the buffer is taken, in milliseconds. */
const FIRST_LOOK_MS = 1;
const MAX_LOOK_MS = 16;
/** How long datagrams that have arrived are handled before the event loop has a turn, in milliseconds. */
const MAX_RECEIVING_MS = 2;
/**
 * How long datagrams are handled before the event loop has a turn in which the runtime waits, in milliseconds. As long as
 * an immediate waits, the runtime looks what has arrived at other sockets only once in some 60 turns (Tokio's
 * `event_interval`). Without the C library the shortest wait is that for a timer, which takes more than a millisecond.
 */
const MAX_RESTLESS_MS = 6;
const MAX_RESTLESS_PLAIN_MS = 20;
/** The largest share of the time that it may take to compare the recipients with the neighbours. */
const COMPARING_SHARE = 1 / 20;

/** A socket, its recipients by dialect, and its way of sending to many at once where there is one. */
export class UdpSocket {
  /** The address of this machine that the socket is for; undefined for the door's first socket. */
  readonly via: string | undefined;
  readonly #present: Readonly<Record<DatagramDialect, Recipients>>;
  readonly #absent: Readonly<Record<DatagramDialect, AbsentRecipients>>;
  readonly #socket: Socket;
  readonly #fast: BatchSender | undefined;
  readonly #buffer: SendBuffer;
  readonly #tables: RecipientTable[] = [];
  readonly #neighbours: Neighbours;
  /** Until when whoever is absent has no answer, whatever is free of the buffer, in milliseconds. */
  #alertUntil = -Infinity;
  /** When the neighbours were last compared with the recipients, and when they may be again, in milliseconds. */
  #comparedAt = -Infinity;
  #compareNotBefore = -Infinity;

  constructor(socket: Socket, { fast, neighbours, via }: UdpSocketOptions) {
    this.via = via;
    this.#socket = socket;
    this.#fast = fast;
    this.#neighbours = neighbours;
    this.#buffer = new SendBuffer(fast);
    fast?.setReceiveBuffer(RECEIVE_BUFFER_BYTES);
    const newRecipients = () => {
      const table = fast?.table();
      if (table) this.#tables.push(table);
      return new Recipients(table);
    };
    const newAbsent = () => new AbsentRecipients(neighbours, now());
    this.#present = { "v1": newRecipients(), "classic": newRecipients(), "classic-line": newRecipients() };
    this.#absent = { "v1": newAbsent(), "classic": newAbsent(), "classic-line": newAbsent() };
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

  /**
   * Passes on what arrives, in its order, until the socket is closed. Where it can be done, what has arrived by then is
   * taken at once after each datagram that was waited for. Now and then the event loop has a turn, for timers,
   * connections and other sockets.
   *
   * @param pass Its bytes are valid until it returns.
   */
  async receive(pass: (bytes: Uint8Array, from: string) => void): Promise<void> {
    const restlessMs = this.#fast ? MAX_RESTLESS_MS : MAX_RESTLESS_PLAIN_MS;
    let handledAt = performance.now(), turnAt = handledAt + MAX_RECEIVING_MS, restAt = handledAt + restlessMs;
    const giveTurn = async () => {
      if (performance.now() < restAt) await new Promise<void>((resolve) => setImmediate(resolve));
      else {
        await (this.#fast ? this.#fast.rest() : new Promise<void>((resolve) => setRuntimeTimeout(resolve, 0)));
        restAt = performance.now() + restlessMs;
      }
      turnAt = performance.now() + MAX_RECEIVING_MS;
    };
    for await (const { bytes, from } of datagrams(this.#socket)) {
      const arrivedAt = performance.now();
      // the runtime has waited too
      if (arrivedAt - handledAt > MAX_RECEIVING_MS) restAt = arrivedAt + restlessMs;
      pass(bytes, from);
      if (performance.now() >= turnAt) await giveTurn();
      while (this.#fast?.takeArrived(pass)) {
        if (performance.now() >= turnAt) await giveTurn();
      }
      handledAt = performance.now();
    }
  }

  /** How many recipients have a dialect. */
  size(dialect: DatagramDialect): number {
    return this.#present[dialect].size + this.#absent[dialect].size;
  }

  join(recipient: Recipient): void {
    this.#present[dialectOf(recipient)].add(recipient);
  }

  leave(recipient: Recipient): void {
    const dialect = dialectOf(recipient);
    if (this.#absent[dialect].size === 0 || !this.#absent[dialect].delete(recipient)) {
      this.#present[dialect].remove(recipient);
    }
  }

  /** All recipients, as they are now. */
  list(): Recipient[] {
    return DIALECTS.flatMap((dialect) => [...this.#present[dialect].list(), ...this.#absent[dialect].list()]);
  }

  /**
   * Begins a broadcast to all recipients of a dialect that are present, except one.
   *
   * @returns Absent recipients to which it is to be sent all the same, to find out whether they are back.
   */
  begin(dialect: DatagramDialect, bytes: Uint8Array, except?: Recipient): Recipient[] {
    const absent = this.#absent[dialect];
    if (absent.size > 0) this.#compare();
    this.#present[dialect].begin(except);
    const size = sizeInBuffer(bytes);
    if (absent.size === 0 || this.#buffer.freeBytes(CLASSIC_SHARE, size) < size) return [];
    const tried = absent.takeTurns(now(), except);
    this.#buffer.put(tried.length * size);
    return tried;
  }

  /** How many recipients of a dialect still wait for the broadcast that has begun. */
  remaining(dialect: DatagramDialect): number {
    return this.#present[dialect].remaining;
  }

  /** Sends the broadcast to the next recipients at once, at most `limit`. */
  sendNext(dialect: DatagramDialect, bytes: Uint8Array, limit: number): Progress {
    const recipients = this.#present[dialect];
    const before = recipients.remaining;
    const size = sizeInBuffer(bytes);
    let sent = 0, isFull = false;
    while (sent < limit && recipients.remaining > 0 && !isFull) {
      const wanted = Math.min(limit - sent, recipients.remaining);
      const copies = dialect === "v1"
        ? wanted
        : Math.min(wanted, Math.floor(this.#buffer.freeBytes(CLASSIC_SHARE, wanted * size) / size));
      isFull = copies <= 0 || !recipients.sendNext(bytes, copies);
      this.#buffer.put((before - recipients.remaining - sent) * size);
      sent = before - recipients.remaining;
    }
    if (!isFull) return { sent };
    return { sent, wait: dialect === "v1" ? this.#writable() : this.#drained() };
  }

  /** Returns the addresses of the next recipients, at most `limit`. From now on they count as served. */
  takeNext(dialect: DatagramDialect, limit: number): string[] {
    return this.#present[dialect].takeNext(limit);
  }

  /**
   * Whether an answer should be sent to an address now. If not, it would take up the send buffer for long, and so little
   * of it is left that others would wait.
   */
  admits({ address, validated }: Pick<Recipient, "address" | "validated">, bytes: Uint8Array): boolean {
    const size = sizeInBuffer(bytes);
    const time = now();
    const isCrowded = this.#buffer.freeBytes(ANSWERS_SHARE, size) < size;
    if (isCrowded) this.#alertUntil = time + ALERT_MS;
    if (isCrowded || time < this.#alertUntil) {
      this.#neighbours.look(time);
      const hostname = hostnameOf(address);
      if (this.#neighbours.isAbsent(hostname)) return false;
      // who is validated was there when it joined
      if (isCrowded && !validated && !this.#neighbours.isPresent(hostname)) return false;
    }
    this.#buffer.put(size);
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

  /** Takes back the recipients that are present again. If much of the buffer is taken, sets the absent ones aside. */
  #compare(): void {
    const time = now();
    if (!this.#fast || time < this.#compareNotBefore) return;
    this.#neighbours.look(time);
    if (this.#neighbours.lookedAt === this.#comparedAt) return;
    this.#comparedAt = this.#neighbours.lookedAt;
    const startedAt = performance.now();
    const isCrowded = this.#buffer.isTaken(ANSWERS_SHARE);
    for (const dialect of DIALECTS) {
      const present = this.#present[dialect], absent = this.#absent[dialect];
      for (const recipient of absent.takePresent()) present.add(recipient);
      if (!isCrowded) continue;
      for (const recipient of present.list()) {
        if (!this.#neighbours.isAbsent(hostnameOf(recipient.address))) continue;
        present.remove(recipient);
        absent.add(recipient, time);
      }
    }
    this.#compareNotBefore = time + (performance.now() - startedAt) / COMPARING_SHARE;
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
      if (!this.#buffer.isTaken(CLASSIC_RESUME_SHARE)) return;
    }
  }
}

/** The dialect of a recipient. Whoever sends datagrams does not speak in lines over a connection. */
function dialectOf({ dialect }: Recipient): DatagramDialect {
  return dialect as DatagramDialect;
}
