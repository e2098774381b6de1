/**
 * The interface through which the room sends packets to its members.
 *
 * @module
 */
import type { Dialect, Packet, V1Packet } from "../../protocol.ts";

/** Someone whom packets can be sent to. */
export interface Recipient {
  address: string;
  dialect: Dialect;
  /** The index under which the delivery keeps it while it has joined. Only the delivery uses this. */
  slot?: number;
}

/** What the room needs of a transport. No method waits: what can't be sent at once goes to a queue of bounded size. */
export interface Delivery {
  /** From now on a broadcast reaches this recipient. */
  join(recipient: Recipient): void;
  /** From now on no broadcast reaches this recipient, not even the rest of one that has begun. */
  leave(recipient: Recipient): void;
  /** Sends a packet to one recipient, in its dialect. */
  send(to: Recipient, packet: Packet): void;
  /**
   * Sends a packet to all recipients that have joined and whose dialect can express it, except one. The packet is
   * encoded once per dialect.
   */
  broadcast(packet: V1Packet, except?: Recipient): void;
}
