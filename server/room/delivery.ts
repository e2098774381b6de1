/**
 * The interface through which the room sends packets to its members.
 *
 * @module
 */
import type { Dialect, Packet, V1Packet } from "../../protocol.ts";
import type { Peer } from "./peer.ts";

/** A peer that packets can be sent to. */
export interface Recipient extends Peer {
  readonly dialect: Dialect;
  /** The index under which its door keeps it while it has joined. Only the door uses this. */
  slot?: number;
}

/** What the room needs of a transport. No method waits: what can't be sent at once goes to a queue of bounded size. */
export interface Delivery {
  /** From now on a broadcast reaches this recipient. */
  join(recipient: Recipient): void;
  /**
   * From now on no broadcast reaches this recipient, not even the rest of one that has begun. A connection is closed
   * when what was sent to it before has left.
   */
  leave(recipient: Recipient): void;
  /** Sends a packet to one recipient, in its dialect. */
  send(to: Recipient, packet: Packet): void;
  /** Sends a packet to all recipients that have joined and whose dialect can express it, except one. */
  broadcast(packet: V1Packet, except?: Recipient): void;
}
