/**
 * How packets get to the members: the interface that the room knows, and the way over UDP.
 *
 * @module
 */
import type { Dialect, Packet, V1Packet } from "../protocol.ts";
import { socketAddress } from "../datagrams.ts";
import { inDialect } from "./dialects.ts";
import type { NetworkDial } from "./network_dial.ts";

/** Someone whom packets can be sent to. */
export interface Destination {
  address: string;
  dialect: Dialect;
}

/** What the room needs of a transport. Nothing here waits: what can't be sent at once is queued, and bounded. */
export interface Delivery {
  /** From now on a broadcast reaches this destination. */
  join(destination: Destination): void;
  /** A broadcast reaches it no more. */
  leave(destination: Destination): void;
  /** Sends a packet to one destination, as its dialect has it. */
  send(to: Destination, packet: Packet): void;
  /** Sends a packet to all who joined and whose dialect can say it, but for one; it is encoded once per dialect. */
  broadcast(packet: V1Packet, except?: Destination): void;
}

/** The part of {@linkcode Deno.DatagramConn} that sending needs. */
export type Sender = Pick<Deno.DatagramConn, "send" | "addr">;

/** What a delivery has done so far, in datagrams. */
export interface DeliveryStatistics {
  sent: number;
  /** Those that the system refused: no route, no permission, a port of 0. */
  failed: number;
  /** Those that were given up because too many waited: v1 members ask for them again. */
  dropped: number;
}

/** The most datagrams to single destinations that wait. */
const MAX_WAITING_UNICASTS = 20_000;
/** The most broadcasts that wait. */
const MAX_WAITING_BROADCASTS = 1_000;

/**
 * Delivery over a UDP socket.
 *
 * Answers to single members go before what is left of a broadcast, so that a large room does not keep a newcomer
 * waiting. A destination that can't be reached costs nobody else a copy.
 */
export class UdpDelivery implements Delivery {
  readonly statistics: DeliveryStatistics = { sent: 0, failed: 0, dropped: 0 };
  readonly #conn: Sender;
  readonly #dial: NetworkDial | undefined;
  readonly #destinations = new Set<Destination>();
  readonly #unicasts: { to: Destination; bytes: Uint8Array }[] = [];
  readonly #broadcasts: { packet: V1Packet; except?: Destination }[] = [];
  #pumping: Promise<void> | undefined;

  /** @param dial Where given, what goes out passes through it. */
  constructor(conn: Sender, dial?: NetworkDial) {
    this.#conn = conn;
    this.#dial = dial;
  }

  join(destination: Destination): void {
    this.#destinations.add(destination);
  }

  leave(destination: Destination): void {
    this.#destinations.delete(destination);
  }

  send({ address, dialect }: Destination, packet: Packet): void {
    const bytes = inDialect(packet, dialect);
    if (!bytes) return;
    if (this.#unicasts.length >= MAX_WAITING_UNICASTS) {
      this.statistics.dropped++;
      return;
    }
    this.#unicasts.push({ to: { address, dialect }, bytes });
    this.#pumping ??= this.#pump();
  }

  broadcast(packet: V1Packet, except?: Destination): void {
    if (this.#broadcasts.length >= MAX_WAITING_BROADCASTS) {
      this.statistics.dropped += this.#destinations.size;
      return;
    }
    this.#broadcasts.push({ packet, except });
    this.#pumping ??= this.#pump();
  }

  /** Resolves when nothing waits to be sent any more. */
  async idle(): Promise<void> {
    await this.#pumping;
  }

  async #pump(): Promise<void> {
    for (let job; (job = this.#broadcasts[0] ?? this.#unicasts[0]);) {
      await this.#sendUnicasts();
      if ("packet" in job) {
        await this.#sendBroadcast(job.packet, job.except);
        this.#broadcasts.shift();
      }
    }
    this.#pumping = undefined;
  }

  async #sendUnicasts(): Promise<void> {
    for (let i = 0; i < this.#unicasts.length; i++) {
      const { to, bytes } = this.#unicasts[i];
      await this.#transmit(bytes, to.address);
    }
    this.#unicasts.length = 0;
  }

  async #sendBroadcast(packet: V1Packet, except: Destination | undefined): Promise<void> {
    const encoded = new Map<Dialect, Uint8Array | undefined>();
    for (const destination of this.#destinations) {
      const { dialect } = destination;
      if (!encoded.has(dialect)) encoded.set(dialect, inDialect(packet, dialect));
      const bytes = encoded.get(dialect);
      if (!bytes || destination === except) continue;
      await this.#transmit(bytes, destination.address);
      if (this.#unicasts.length > 0) await this.#sendUnicasts();
    }
  }

  async #transmit(bytes: Uint8Array, address: string): Promise<void> {
    if (!this.#dial || this.#dial.isPerfect) return await this.#put(bytes, address);
    this.#dial.pass(bytes, (bytes) => void this.#put(bytes, address));
  }

  async #put(bytes: Uint8Array, address: string): Promise<void> {
    try {
      await this.#conn.send(bytes, socketAddress(address, this.#conn));
      this.statistics.sent++;
    } catch {
      // it concerns this one address, or it will show again with the next
      this.statistics.failed++;
    }
  }
}
