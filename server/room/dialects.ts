/**
 * One packet, every dialect: what a v1 packet is to those who only know the classic words.
 *
 * @module
 */
import { type ClassicPacket, type Dialect, encode, type Packet, type V1Packet } from "../../protocol.ts";
import { messageLine, usersLine } from "../../protocol/lines.ts";

const LINE_FEED = 0x0a;

/** The datagram that says a packet in a dialect, or undefined where the dialect has no words for it. */
export function encodeInDialect(packet: Packet, dialect: Dialect): Uint8Array | undefined {
  if (dialect === "v1") return packet.dialect === "v1" ? encode(packet) : undefined;
  const classic = packet.dialect === "classic" ? packet : toClassic(packet);
  if (!classic) return undefined;
  const bytes = encode(classic);
  return dialect === "classic-line" ? Uint8Array.of(...bytes, LINE_FEED) : bytes;
}

/** Classic members hear messages, and who is here; of arrivals, departures and heartbeats their programs know nothing. */
function toClassic(packet: V1Packet): ClassicPacket | undefined {
  if (packet.type === "INCOMING") return { dialect: "classic", type: "INCOMING", line: messageLine(packet) };
  if (packet.type === "USERS") return { dialect: "classic", type: "INCOMING", line: usersLine(packet) };
  return undefined;
}
