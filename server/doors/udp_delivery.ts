/**
 * Sends packets as datagrams. A broadcast to many takes few system calls, and pauses so that arriving datagrams do not
 * wait long.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { Dialect, Packet, V1Packet } from "../../protocol.ts";
import { socketAddress } from "../../runtime/udp.ts";
import { encodeInDialect } from "./dialects.ts";
import type { Sendmmsg } from "./linux/sendmmsg.ts";
import type { NetworkEmulator } from "./network_emulator.ts";
import { Recipients, type RecipientTable } from "./recipients.ts";
import type { Delivery, Recipient } from "../room/delivery.ts";

/** The part of {@linkcode Deno.DatagramConn} that sending needs. */
export type Sender = Pick<Deno.DatagramConn, "send" | "addr">;

/** What a delivery has done so far, in datagrams. */
export interface DeliveryStatistics {
  sent: number;
  /** Those that the system refused: no route, no permission. */
  failed: number;
  /** Those that were dropped because a queue was full: v1 members ask for them again. */
  dropped: number;
}

/** The part of {@linkcode Sendmmsg} that is needed to send a broadcast to many at once. */
export interface BatchSender extends Pick<Sendmmsg, "writable"> {
  table(): RecipientTable;
}

/** Options of {@linkcode UdpDelivery}. */
export interface UdpDeliveryOptions {
  /** If given, it sends broadcasts to many recipients at once instead of one by one. */
  fast?: BatchSender;
  /** Every datagram passes through it, one by one, unless the emulator is perfect. */
  emulator?: NetworkEmulator;
  /** Returns how many datagrams have arrived so far. While more arrive, a broadcast pauses longer for them. */
  arrived?: () => number;
}

/** The most unicasts in the queue. */
const MAX_WAITING_UNICASTS = 20_000;
/** The most broadcasts in the queue. */
const MAX_WAITING_BROADCASTS = 1_000;
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

interface Broadcast {
  dialect: Dialect;
  payload: Uint8Array;
  except?: Recipient;
}

/**
 * Delivery over a UDP socket.
 *
 * A broadcast to many is cut into portions. Between two portions the datagrams that have arrived are handled, so that a
 * large room does not keep a newcomer waiting. All other recipients still get their copy if one can't be reached.
 */
export class UdpDelivery implements Delivery {
  readonly #conn: Sender;
  readonly #fast: BatchSender | undefined;
  readonly #tables: RecipientTable[] = [];
  readonly #emulator: NetworkEmulator | undefined;
  readonly #arrived: () => number;
  readonly #groups: Record<Dialect, Recipients>;
  readonly #unicasts: { address: string; payload: Uint8Array }[] = [];
  readonly #broadcasts: Broadcast[] = [];
  readonly #statistics: DeliveryStatistics = { sent: 0, failed: 0, dropped: 0 };
  #sendingUnicasts: Promise<void> | undefined;
  #sendingBroadcasts: Promise<void> | undefined;

  constructor(conn: Sender, { fast, emulator, arrived = () => 0 }: UdpDeliveryOptions = {}) {
    this.#conn = conn;
    this.#fast = fast;
    this.#emulator = emulator;
    this.#arrived = arrived;
    const newRecipients = () => {
      const table = fast?.table();
      if (table) this.#tables.push(table);
      return new Recipients(table);
    };
    this.#groups = { "v1": newRecipients(), "classic": newRecipients(), "classic-line": newRecipients() };
  }

  get statistics(): DeliveryStatistics {
    const { sent, failed, dropped } = this.#statistics;
    // `sent` includes the copies that a table skipped because they could not be sent
    const skipped = this.#tables.reduce((sum, { failed }) => sum + failed, 0);
    return { sent: sent - skipped, failed: failed + skipped, dropped };
  }

  join(recipient: Recipient): void {
    this.#groups[recipient.dialect].add(recipient);
  }

  leave(recipient: Recipient): void {
    this.#groups[recipient.dialect].remove(recipient);
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

  /** Drops the broadcasts that have not begun, so that the final broadcast does not wait for them. */
  dropWaitingBroadcasts(): void {
    this.#broadcasts.splice(this.#sendingBroadcasts ? 1 : 0);
  }

  /** Resolves when the queues are empty. */
  async idle(): Promise<void> {
    while (this.#sendingUnicasts || this.#sendingBroadcasts) {
      await this.#sendingUnicasts;
      await this.#sendingBroadcasts;
    }
  }

  async #sendUnicasts(): Promise<void> {
    // unicasts that are queued in the same turn of the event loop go out in the same portion
    await Promise.resolve();
    while (this.#unicasts.length > 0) {
      const portion = this.#unicasts.splice(0, SINGLE_COPIES_AT_ONCE);
      await Promise.all(portion.map(({ payload, address }) => this.#sendThroughEmulator(payload, address)));
    }
    this.#sendingUnicasts = undefined;
  }

  /** Sends the queued broadcasts. The first portion, which is all of it in a small room, is sent synchronously. */
  async #sendBroadcasts(): Promise<void> {
    for (let broadcast; (broadcast = this.#broadcasts[0]);) {
      const { dialect, payload, except } = broadcast;
      const group = this.#groups[dialect];
      group.begin(except);
      while (group.remaining > 0) {
        const startedAt = performance.now();
        const portion = this.#sendPortion(group, payload);
        if (portion) await portion;
        if (group.remaining > 0) await this.#pauseForArrivals(performance.now() - startedAt);
      }
      this.#broadcasts.shift();
    }
    this.#sendingBroadcasts = undefined;
  }

  /** Sends a portion of a broadcast. Returns undefined if the next can follow at once, otherwise a promise to await. */
  #sendPortion(group: Recipients, payload: Uint8Array): Promise<unknown> | undefined {
    if (this.#fast && (this.#emulator?.isPerfect ?? true)) {
      this.#statistics.sent += group.remaining;
      // the last two portions go out as one, so a broadcast in a room of up to a thousand is a single portion
      const allSent = group.sendNext(
        payload,
        group.remaining <= 2 * COPIES_PER_PORTION ? group.remaining : COPIES_PER_PORTION,
      );
      this.#statistics.sent -= group.remaining;
      return allSent ? undefined : this.#fast.writable(MAX_WAIT_MS);
    }
    return Promise.all(
      group.takeNext(SINGLE_COPIES_AT_ONCE).map((address) => this.#sendThroughEmulator(payload, address)),
    );
  }

  /** Lets the event loop handle arrived datagrams, for as long as the last portion took, or until none is left. */
  async #pauseForArrivals(milliseconds: number): Promise<void> {
    const until = performance.now() + milliseconds;
    for (let idleTurns = 0; idleTurns < IDLE_TURNS && performance.now() < until;) {
      const before = this.#arrived();
      await new Promise<void>((resolve) => setImmediate(resolve));
      idleTurns = this.#arrived() === before && this.#unicasts.length === 0 ? idleTurns + 1 : 0;
    }
  }

  async #sendThroughEmulator(payload: Uint8Array, address: string): Promise<void> {
    if (!this.#emulator || this.#emulator.isPerfect) return await this.#sendDatagram(payload, address);
    this.#emulator.pass(payload, (payload) => void this.#sendDatagram(payload, address));
  }

  async #sendDatagram(payload: Uint8Array, address: string): Promise<void> {
    try {
      await this.#conn.send(payload, socketAddress(address, this.#conn));
      this.#statistics.sent++;
    } catch {
      // the error concerns only this address, or it occurs again with the next datagram
      this.#statistics.failed++;
    }
  }
}
