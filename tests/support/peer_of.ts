/**
 * Peers as the doors make them.
 *
 * @module
 */
import type { Dialect } from "../../protocol.ts";
import type { Recipient } from "../../server/room/delivery.ts";
import type { Peer } from "../../server/room/peer.ts";

/** A peer by its key: `10.0.0.7:52207` sends datagrams, `tcp 10.0.0.7:52207` has a connection. */
export function peerOf(key: string): Peer {
  const address = key.slice(key.indexOf(" ") + 1);
  const isConnection = key !== address;
  return { key, address, validated: isConnection, direct: !isConnection };
}

/** A peer that packets are sent to, by its key. */
export function recipientOf(key: string, dialect: Dialect = "v1"): Recipient {
  return { ...peerOf(key), dialect };
}
