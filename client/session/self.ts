/**
 * Who this client is, as far as its parts and the server know it, and how its packets leave it.
 *
 * @module
 */
import type { Packet } from "../../protocol.ts";

/** Who this client is to the server. */
export interface Self {
  /** The token by which the server knows this client at any address; each packet to the server has it. */
  readonly token: string;
  /** The name that this client has, or wants. */
  readonly name: string | undefined;
  /** This client's address as the server sees it; undefined until the server has said so. */
  readonly address: string | undefined;
  /** Where it could join so that others reach it directly; undefined if the server has named nothing. */
  readonly join?: string;
  /** Whether it may keep order, as the server has said last. */
  readonly isOperator: boolean;
}

/** Sends a packet to the server, or to the address of a peer. */
export type Send = (packet: Packet, peer?: string) => void;
