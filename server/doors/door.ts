/**
 * The interface of a door: a transport by which peers send packets to the server and get packets from it.
 *
 * @module
 */
import type { Dialect } from "../../protocol.ts";
import type { Recipient } from "../room/delivery.ts";
import type { Peer } from "../room/peer.ts";
import type { ForeignProtocol } from "./foreign_protocols.ts";

/** What a door has sent so far, in datagrams. */
export interface DoorStatistics {
  sent: number;
  /** Those that the system refused: no route, no permission. */
  failed: number;
  /** Those that were dropped because a queue was full: v1 members ask for them again. */
  dropped: number;
}

/** Why a door closes a connection: because of what it speaks, or because it says more than the keeper takes. */
export type Dismissal = ForeignProtocol | "too much";

/** Where a door passes on the datagrams of its peers. */
export interface DatagramKeeper {
  /** Handles what a peer has sent. The bytes are read before this returns, or copied. */
  receive(bytes: Uint8Array, peer: Peer): void;
}

/** Where a door passes on what happens to its connections. */
export interface ConnectionKeeper {
  /** Handles a new connection; returns whether it may stay. If not, the door closes it after what was sent to it. */
  connected(peer: Peer): boolean;
  /**
   * Handles a line of a connection, without the line feed. An empty one says nothing: it is the last of a connection, and
   * is taken when all before it is done with.
   *
   * @returns 0 when it was taken. Otherwise the milliseconds after which the door hands it over again; until then it reads
   * nothing more from this peer.
   */
  receiveLine(line: string, peer: Peer): number;
  /** Handles a connection that the door closes. The keeper may not know the peer; if it does, it is told so next. */
  dismissed(peer: Peer, why: Dismissal): void;
  /** Handles the end of a peer's connection. */
  hungUp(peer: Peer): void;
}

/** Where the doors pass on what their peers do. */
export interface DoorKeeper extends DatagramKeeper, ConnectionKeeper {}

/**
 * One way in and out of the server. It sends bytes: {@linkcode Doors} encodes each packet, so that a broadcast is
 * encoded once per dialect, however many doors there are.
 *
 * No method but {@linkcode close} waits: what can't be sent at once goes to a queue of bounded size.
 */
export interface Door {
  /** The word before the address in the keys of this door's peers; empty for UDP. */
  readonly scheme: string;
  readonly statistics: Readonly<DoorStatistics>;
  /** Passes what peers do to the keeper, until the door is closed. */
  run(keeper: DoorKeeper): Promise<void>;
  /** How many recipients of a dialect have joined. */
  size(dialect: Dialect): number;
  join(recipient: Recipient): void;
  /** A connection is closed when what was sent to it before has left. */
  leave(recipient: Recipient): void;
  /** Sends bytes to one recipient. */
  send(to: Recipient, bytes: Uint8Array): void;
  /** Sends the same bytes to all recipients of a dialect that have joined, except one. */
  broadcast(bytes: Uint8Array, dialect: Dialect, except?: Recipient): void;
  /** Drops what hinders a goodbye: the broadcasts that have not begun, and emulated delays. */
  prepareToClose(): void;
  /** Closes the door when everything is sent, after 1 s at the latest. */
  close(): Promise<void>;
}
