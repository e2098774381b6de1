/**
 * Packets from texts.
 *
 * @module
 */
import { assert } from "@std/assert";
import { decode, type Packet, type RelayedMessage, type RelayedPacket } from "../../protocol.ts";

/** A text in UTF-8. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The packet in a text or bytes; fails when there is none. */
export function packetOf(datagram: string | Uint8Array): Packet {
  const decoded = decode(typeof datagram === "string" ? bytesOf(datagram) : datagram);
  assert(decoded.ok, `${JSON.stringify(datagram)}: ${decoded.ok || decoded.reason}`);
  return decoded.packet;
}

/** The message or the acknowledgement in a RELAY; fails when something else is in it. */
export function messageIn({ packet }: { packet: RelayedPacket }): RelayedMessage {
  assert(packet.type === "MESSAGE" || packet.type === "ACK", packet.type);
  return packet;
}

/** Why a text is no packet; fails when it is one. */
export function reasonOf(datagram: string): string {
  const decoded = decode(bytesOf(datagram));
  assert(!decoded.ok, datagram);
  return decoded.reason;
}
