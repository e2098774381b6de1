/**
 * Puts packets to a member into an envelope that passes through the server, because no datagram from here reaches it.
 *
 * @module
 */
import type { RelayedPacket } from "../../protocol.ts";
import type { RelayPacket } from "./facts.ts";
import type { Self } from "./self.ts";

/** The envelope to the server for a packet to the member at an address. */
export function relay(packet: RelayedPacket, { token }: Pick<Self, "token">, address: string): RelayPacket {
  return { dialect: "v1", type: "RELAY", token, address, packet };
}
