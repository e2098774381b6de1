/**
 * Private messages between version 1 members that pass through the server, because there is no direct way: it sends them
 * on as they are. Order, repeats and acknowledgements are between the two.
 *
 * @module
 */
import type { RelayedPacket } from "../../protocol.ts";
import type { Delivery } from "./delivery.ts";
import type { Member } from "./members.ts";

/** Sends a packet on whose pass was checked. */
export function passOn(packet: RelayedPacket, from: Member, to: Member, delivery: Delivery): void {
  // whoever gets an ACK has written to its sender, and knows the name
  const { address } = from, { token } = to, name = packet.type === "MESSAGE" ? from.name : undefined;
  delivery.send(to, { dialect: "v1", type: "RELAY", token, address, name, packet });
}
