/**
 * The UDP door: the socket that the server listens on. A broadcast to many takes few system calls, and pauses so that
 * arriving datagrams do not wait long.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { type Dialect, MAX_CLASSIC_BYTES } from "../../protocol.ts";
import { Failure, UsageError } from "../../runtime/program.ts";
import { datagrams, openSocket, type Receiver, socketAddress } from "../../runtime/udp.ts";
import type { Recipient } from "../room/delivery.ts";
import { BroadcastQueue, type PortionSender } from "./broadcast_queue.ts";
import type { Door, DoorKeeper, DoorStatistics } from "./door.ts";
import { openSendmmsg, type Sendmmsg } from "./linux/sendmmsg.ts";
import { type NetworkEmulator, PERFECT } from "./network_emulator.ts";
import { Recipients, type RecipientTable } from "./recipients.ts";

/** The part of {@linkcode Deno.DatagramConn} that a door needs. */
export type Socket = Receiver & Pick<Deno.DatagramConn, "send" | "addr" | "close">;

/** The part of {@linkcode Sendmmsg} that a door needs. */
export interface BatchSender extends Pick<Sendmmsg, "writable" | "setReceiveBuffer" | "inboundDrops" | "close"> {
  table(): RecipientTable;
}

/**
 * The receive buffer that is asked for, in bytes: it holds what arrives during a broadcast. The system may grant less.
 */
const RECEIVE_BUFFER_BYTES = 8 << 20;
/** How long {@linkcode UdpDoor.close} waits for what is still to be sent, in milliseconds. */
const CLOSE_DEADLINE_MS = 1000;
/** The most unicasts in the queue. */
const MAX_WAITING_UNICASTS = 20_000;
/**
 * A large broadcast pauses for arriving datagrams after this many copies. To send this many takes a millisecond or two.
 */
const COPIES_PER_PORTION = 512;
/** The most copies that are sent at the same time when each copy has its own system call. */
const SINGLE_COPIES_AT_ONCE = 64;

/**
 * A pause ends after this many turns of the event loop in which nothing arrived. One turn is not enough, because it
 * only asks the system for datagrams.
 */
const IDLE_TURNS = 12;
/** The longest wait for a full socket in milliseconds. After it, sending is tried again even if the socket is full. */
const MAX_WAIT_MS = 1000;

/**
 * A UDP socket, and the emulator that all datagrams pass through.
 *
 * A broadcast to many is cut into portions. Between two portions the datagrams that have arrived are handled, so that a
 * large room does not keep a newcomer waiting, and what is said in version 1 goes before classic copies. All other recipients still get their copy if one can't be reached.
 */
export class UdpDoor implements Door {
  readonly scheme = "";
  readonly emulator: NetworkEmulator;
  /** How broadcasts are sent, as one line of text. */
  readonly method: string;
  readonly #socket: Socket;
  readonly #fast: BatchSender | undefined;
  readonly #tables: RecipientTable[] = [];
  readonly #groups: Record<Dialect, Recipients>;
  readonly #unicasts: { address: string; bytes: Uint8Array }[] = [];
  readonly #v1Broadcasts: BroadcastQueue;
  /** Both classic dialects, in one order. */
  readonly #classicBroadcasts: BroadcastQueue;
  readonly #statistics: DoorStatistics = { sent: 0, failed: 0, dropped: 0 };
  #arrived = 0;
  #sendingUnicasts: Promise<void> | undefined;

  /** @param fast Sends to many at once; or the reason why that can't be done. */
  constructor(socket: Socket, emulator: NetworkEmulator, fast: BatchSender | { reason: string }) {
    this.#socket = socket;
    this.emulator = emulator;
    this.#fast = "reason" in fast ? undefined : fast;
    this.#fast?.setReceiveBuffer(RECEIVE_BUFFER_BYTES);
    this.method = "reason" in fast ? `Sending one by one: ${fast.reason}` : "Sending to many at once by sendmmsg";
    const newRecipients = () => {
      const table = this.#fast?.table();
      if (table) this.#tables.push(table);
      return new Recipients(table);
    };
    this.#groups = { "v1": newRecipients(), "classic": newRecipients(), "classic-line": newRecipients() };
    const sender: PortionSender = {
      begin: ({ dialect, except }) => this.#groups[dialect].begin(except),
      remaining: (dialect) => this.#groups[dialect].remaining,
      sendPortion: ({ dialect, bytes }) => this.#sendPortion(this.#groups[dialect], bytes),
      pause: (milliseconds) => this.#pauseForArrivals(milliseconds),
    };
    this.#v1Broadcasts = new BroadcastQueue(sender);
    this.#classicBroadcasts = new BroadcastQueue(sender, this.#v1Broadcasts);
  }

  /** The address that it listens on. */
  get address(): Deno.NetAddr {
    return this.#socket.addr as Deno.NetAddr;
  }

  /** How many datagrams have arrived, before the emulator. */
  get arrived(): number {
    return this.#arrived;
  }

  /** How many datagrams were lost because the receive buffer was full; 0 if the system does not report it. */
  get inboundDrops(): number {
    return this.#fast?.inboundDrops() ?? 0;
  }

  get statistics(): DoorStatistics {
    const { sent, failed, dropped } = this.#statistics;
    // `sent` includes the copies that a table skipped because they could not be sent
    const skipped = this.#tables.reduce((sum, { failed }) => sum + failed, 0);
    return { sent: sent - skipped, failed: failed + skipped, dropped };
  }

  /** Passes what arrives to the keeper, through the emulator. */
  async run(keeper: DoorKeeper): Promise<void> {
    for await (const { bytes, from } of datagrams(this.#socket)) {
      this.#arrived++;
      const peer = { key: from, address: from, validated: false, direct: true };
      // a datagram that is refused anyway takes no place in the emulator's queue
      if (bytes.length > MAX_CLASSIC_BYTES) keeper.receive(bytes, peer);
      else this.emulator.pass(bytes, (bytes) => keeper.receive(bytes, peer));
    }
  }

  size(dialect: Dialect): number {
    return this.#groups[dialect].size;
  }

  join(recipient: Recipient): void {
    this.#groups[recipient.dialect].add(recipient);
  }

  leave(recipient: Recipient): void {
    this.#groups[recipient.dialect].remove(recipient);
  }

  send({ address }: Recipient, bytes: Uint8Array): void {
    if (this.#unicasts.length >= MAX_WAITING_UNICASTS) {
      this.#statistics.dropped++;
      return;
    }
    this.#unicasts.push({ address, bytes });
    if (this.#sendingUnicasts) return;
    this.#sendingUnicasts = this.#sendUnicasts();
  }

  broadcast(bytes: Uint8Array, dialect: Dialect, except?: Recipient): void {
    const queue = dialect === "v1" ? this.#v1Broadcasts : this.#classicBroadcasts;
    if (!queue.push({ dialect, bytes, except })) this.#statistics.dropped += this.#groups[dialect].size;
  }

  /** Drops the broadcasts that have not begun and ends the emulation, so that a goodbye goes out at once. */
  prepareToClose(): void {
    this.emulator.conditions = { ...PERFECT };
    this.#v1Broadcasts.dropWaiting();
    this.#classicBroadcasts.dropWaiting();
  }

  async close(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const deadline = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_DEADLINE_MS));
    await Promise.race([this.idle(), deadline]);
    clearTimeout(timer);
    this.emulator.close();
    this.#fast?.close();
    this.#socket.close();
  }

  /** Resolves when the queues are empty. */
  async idle(): Promise<void> {
    const queues = [this.#v1Broadcasts, this.#classicBroadcasts];
    while (this.#sendingUnicasts || queues.some(({ sending }) => sending)) {
      await Promise.all([this.#sendingUnicasts, ...queues.map(({ sending }) => sending)]);
    }
  }

  async #sendUnicasts(): Promise<void> {
    // unicasts that are queued in the same turn of the event loop go out in the same portion
    await Promise.resolve();
    while (this.#unicasts.length > 0) {
      const portion = this.#unicasts.splice(0, SINGLE_COPIES_AT_ONCE);
      await Promise.all(portion.map(({ bytes, address }) => this.#sendThroughEmulator(bytes, address)));
    }
    this.#sendingUnicasts = undefined;
  }

  /** Sends a portion of a broadcast. Returns undefined if the next can follow at once, otherwise a promise to await. */
  #sendPortion(group: Recipients, bytes: Uint8Array): Promise<unknown> | undefined {
    if (this.#fast && this.emulator.isPerfect) {
      this.#statistics.sent += group.remaining;
      // the last two portions go out as one, so a broadcast in a room of up to a thousand is a single portion
      const allSent = group.sendNext(
        bytes,
        group.remaining <= 2 * COPIES_PER_PORTION ? group.remaining : COPIES_PER_PORTION,
      );
      this.#statistics.sent -= group.remaining;
      return allSent ? undefined : this.#fast.writable(MAX_WAIT_MS);
    }
    return Promise.all(
      group.takeNext(SINGLE_COPIES_AT_ONCE).map((address) => this.#sendThroughEmulator(bytes, address)),
    );
  }

  /** Lets the event loop handle arrived datagrams, for as long as the last portion took, or until none is left. */
  async #pauseForArrivals(milliseconds: number): Promise<void> {
    const until = performance.now() + milliseconds;
    for (let idleTurns = 0; idleTurns < IDLE_TURNS && performance.now() < until;) {
      const before = this.#arrived;
      await new Promise<void>((resolve) => setImmediate(resolve));
      idleTurns = this.#arrived === before && this.#unicasts.length === 0 ? idleTurns + 1 : 0;
    }
  }

  async #sendThroughEmulator(bytes: Uint8Array, address: string): Promise<void> {
    if (this.emulator.isPerfect) return await this.#sendDatagram(bytes, address);
    this.emulator.pass(bytes, (bytes) => void this.#sendDatagram(bytes, address));
  }

  async #sendDatagram(bytes: Uint8Array, address: string): Promise<void> {
    try {
      await this.#socket.send(bytes, socketAddress(address, this.#socket));
      this.#statistics.sent++;
    } catch {
      // the error concerns only this address, or it occurs again with the next datagram
      this.#statistics.failed++;
    }
  }
}

/**
 * Opens the server's socket.
 *
 * @throws {UsageError} if the host is not an address of this machine, or Deno runs without UDP.
 * @throws {Failure} if the port can't be used.
 */
export function openUdpDoor(host: string, port: number, emulator: NetworkEmulator): UdpDoor {
  const conn = listen(host, port);
  return new UdpDoor(conn, emulator, openSendmmsg(conn));
}

function listen(host: string, port: number): Deno.DatagramConn {
  try {
    return openSocket(host, port);
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
