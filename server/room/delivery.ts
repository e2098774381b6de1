/**
 * How packets get to the members, as far as the room knows it.
 *
 * @module
 */
import type { Dialect, Packet, V1Packet } from "../../protocol.ts";

/** Someone whom packets can be sent to. */
export interface Recipient {
  address: string;
  dialect: Dialect;
  /** Where the delivery keeps it, as long as it has joined; nobody else's business. */
  slot?: number;
}

/** What the room needs of a transport. Nothing here waits: what can't be sent at once is queued, and bounded. */
export interface Delivery {
  /** From now on a broadcast reaches this destination. */
  join(destination: Recipient): void;
  /** A broadcast reaches it no more, not even the rest of one that has begun. */
  leave(destination: Recipient): void;
  /** Sends a packet to one destination, as its dialect has it. */
  send(to: Recipient, packet: Packet): void;
  /** Sends a packet to all who joined and whose dialect can say it, but for one; it is encoded once per dialect. */
  broadcast(packet: V1Packet, except?: Recipient): void;
}
