/**
 * Sends packets as datagrams: a broadcast to many with few system calls, and never so long that others wait.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { socketAddress } from "../../runtime/udp.ts";
import type { Dialect, Packet, V1Packet } from "../../protocol.ts";
import type { Delivery, Recipient } from "../room/delivery.ts";
import { encodeInDialect } from "../room/dialects.ts";
import { type AddressTable, Recipients } from "./recipients.ts";
import type { NetworkEmulator } from "./network_emulator.ts";
import type { Sendmmsg } from "./linux/sendmmsg.ts";

/** The part of {@linkcode Deno.DatagramConn} that sending needs. */
export type Sender = Pick<Deno.DatagramConn, "send" | "addr">;

/** What a delivery has done so far, in datagrams. */
export interface DeliveryStatistics {
  sent: number;
  /** Those that the system refused: no route, no permission. */
  failed: number;
  /** Those that were given up because too many waited: v1 members ask for them again. */
  dropped: number;
}

/** What is needed of a way to send to many at once on the socket. */
export interface FastOutlet extends Pick<Sendmmsg, "writable"> {
  table(): AddressTable;
}

/** How a delivery is made. */
export interface UdpDeliveryOptions {
  /** Where given, broadcasts go this way instead of one by one. */
  fast?: FastOutlet;
  /** What is sent passes through it, one by one, unless it is perfect. */
  emulator?: NetworkEmulator;
}

/** The most datagrams to single destinations that wait. */
const MAX_WAITING_UNICASTS = 20_000;
/** The most broadcasts that wait. */
const MAX_WAITING_BROADCASTS = 1_000;
/** So many copies of a broadcast to many more go out, then others are heard: a millisecond or two. */
const COPIES_AT_ONCE = 512;
/** So many copies are under way at once when each has its own system call. */
const SINGLE_COPIES_AT_ONCE = 64;

/** After so many turns of the event loop in which nothing arrived, nothing is there: one turn only asks the system. */
const IDLE_TURNS = 12;
/** How long a full socket is waited for before it is tried again all the same, in milliseconds. */
const MAX_WAIT_MS = 1000;

interface Broadcast {
  dialect: Dialect;
  payload: Uint8Array;
  except?: Recipient;
}

/**
 * Delivery over a UDP socket.
 *
 * A broadcast to many is cut into portions, and between two of them whatever has arrived is dealt with, so that a large
 * room does not keep a newcomer waiting. A destination that can't be reached costs nobody else a copy.
 */
export class UdpDelivery implements Delivery {
  readonly #conn: Sender;
  readonly #fast: FastOutlet | undefined;
  readonly #tables: AddressTable[] = [];
  readonly #emulator: NetworkEmulator | undefined;
  readonly #groups: Record<Dialect, Recipients>;
  readonly #unicasts: { address: string; payload: Uint8Array }[] = [];
  readonly #broadcasts: Broadcast[] = [];
  readonly #statistics: DeliveryStatistics = { sent: 0, failed: 0, dropped: 0 };
  #arrived = 0;
  #sendingUnicasts: Promise<void> | undefined;
  #sendingBroadcasts: Promise<void> | undefined;

  constructor(conn: Sender, { fast, emulator }: UdpDeliveryOptions = {}) {
    this.#conn = conn;
    this.#fast = fast;
    this.#emulator = emulator;
    const destinations = () => {
      const table = fast?.table();
      if (table) this.#tables.push(table);
      return new Recipients(table);
    };
    this.#groups = { "v1": destinations(), "classic": destinations(), "classic-line": destinations() };
  }

  /** How many datagrams have arrived; see {@linkcode noteArrival}. */
  get arrived(): number {
    return this.#arrived;
  }

  /** Counts a datagram that has arrived: while there are such, a broadcast makes pauses for them. */
  noteArrival(): void {
    this.#arrived++;
  }

  get statistics(): DeliveryStatistics {
    const { sent, failed, dropped } = this.#statistics;
    // a table passes over those that it can't reach, and counts them
    const passedOver = this.#tables.reduce((sum, { failed }) => sum + failed, 0);
    return { sent: sent - passedOver, failed: failed + passedOver, dropped };
  }

  join(destination: Recipient): void {
    this.#groups[destination.dialect].add(destination);
  }

  leave(destination: Recipient): void {
    this.#groups[destination.dialect].remove(destination);
  }

  send({ address, dialect }: Recipient, packet: Packet): void {
    const payload = encodeInDialect(packet, dialect);
    if (!payload) return;
    if (this.#unicasts.length >= MAX_WAITING_UNICASTS) {
      this.#statistics.dropped++;
      return;
    }
    this.#unicasts.push({ address, payload });
    if (this.#sendingUnicasts) return;
    this.#sendingUnicasts = this.#sendUnicasts();
  }

  broadcast(packet: V1Packet, except?: Recipient): void {
    for (const dialect of ["v1", "classic", "classic-line"] as const) {
      const { size } = this.#groups[dialect];
      const payload = size > 0 ? encodeInDialect(packet, dialect) : undefined;
      if (!payload) continue;
      if (this.#broadcasts.length >= MAX_WAITING_BROADCASTS) this.#statistics.dropped += size;
      else this.#broadcasts.push({ dialect, payload, except });
    }
    if (this.#sendingBroadcasts) return;
    const sending = this.#sendBroadcasts();
    if (this.#broadcasts.length > 0) this.#sendingBroadcasts = sending;
  }

  /** Gives up the broadcasts that have not begun, for the sake of what is to be said last. */
  clear(): void {
    this.#broadcasts.splice(this.#sendingBroadcasts ? 1 : 0);
  }

  /** Resolves when nothing waits to be sent any more. */
  async idle(): Promise<void> {
    while (this.#sendingUnicasts || this.#sendingBroadcasts) {
      await this.#sendingUnicasts;
      await this.#sendingBroadcasts;
    }
  }

  async #sendUnicasts(): Promise<void> {
    // what else is to be sent in this turn goes out with it
    await Promise.resolve();
    while (this.#unicasts.length > 0) {
      const portion = this.#unicasts.splice(0, SINGLE_COPIES_AT_ONCE);
      await Promise.all(portion.map(({ payload, address }) => this.#transmit(payload, address)));
    }
    this.#sendingUnicasts = undefined;
  }

  /** Sends what waits; the first portion, and in a small room all of it, before it returns. */
  async #sendBroadcasts(): Promise<void> {
    for (let broadcast; (broadcast = this.#broadcasts[0]);) {
      const { dialect, payload, except } = broadcast;
      const group = this.#groups[dialect];
      group.begin(except);
      while (group.remaining > 0) {
        const startedAt = performance.now();
        const portion = this.#sendPortion(group, payload);
        if (portion) await portion;
        if (group.remaining > 0) await this.#letOthersIn(performance.now() - startedAt);
      }
      this.#broadcasts.shift();
    }
    this.#sendingBroadcasts = undefined;
  }

  /** Sends a portion of a broadcast; returns undefined when the socket takes more at once. */
  #sendPortion(group: Recipients, payload: Uint8Array): Promise<unknown> | undefined {
    if (this.#fast && (this.#emulator?.isPerfect ?? true)) {
      this.#statistics.sent += group.remaining;
      // what is left of the last two portions goes out at once, and so does all of it in a room of up to a thousand
      const isTaken = group.sendNext(payload, group.remaining <= 2 * COPIES_AT_ONCE ? group.remaining : COPIES_AT_ONCE);
      this.#statistics.sent -= group.remaining;
      return isTaken ? undefined : this.#fast.writable(MAX_WAIT_MS);
    }
    return Promise.all(group.takeNext(SINGLE_COPIES_AT_ONCE).map((address) => this.#transmit(payload, address)));
  }

  /** Lets the event loop deal with what has arrived, for as long as the last portion took, or until all is dealt with. */
  async #letOthersIn(milliseconds: number): Promise<void> {
    const until = performance.now() + milliseconds;
    for (let idleTurns = 0; idleTurns < IDLE_TURNS && performance.now() < until;) {
      const before = this.#arrived;
      await new Promise<void>((resolve) => setImmediate(resolve));
      idleTurns = this.#arrived === before && this.#unicasts.length === 0 ? idleTurns + 1 : 0;
    }
  }

  async #transmit(payload: Uint8Array, address: string): Promise<void> {
    if (!this.#emulator || this.#emulator.isPerfect) return await this.#put(payload, address);
    this.#emulator.pass(payload, (payload) => void this.#put(payload, address));
  }

  async #put(payload: Uint8Array, address: string): Promise<void> {
    try {
      await this.#conn.send(payload, socketAddress(address, this.#conn));
      this.#statistics.sent++;
    } catch {
      // it concerns this one address, or it will show again with the next
      this.#statistics.failed++;
    }
  }
}
