/**
 * Encodes a packet in the dialect of its recipient, and translates v1 packets for members that speak another one.
 *
 * @module
 */
import { type ClassicPacket, type Dialect, encode, type Packet, type V1Packet } from "../../protocol.ts";
import { CLOSING_LINE, cutLine, linesOf, messageLine, noticeLine, noticeLines } from "../../protocol/lines.ts";

const LINE_FEED = 0x0a;
const encoder = new TextEncoder();

/** Encodes a packet in a dialect; returns undefined when the dialect can't express it. */
export function encodeInDialect(packet: Packet, dialect: Dialect): Uint8Array | undefined {
  if (dialect === "v1") return packet.dialect === "v1" ? encode(packet) : undefined;
  if (dialect === "line") return encodeLines(packet);
  const classic = packet.dialect === "classic" ? packet : toClassic(packet);
  if (!classic) return undefined;
  const bytes = encode(classic);
  if (dialect === "classic") return bytes;
  const line = new Uint8Array(bytes.length + 1);
  line.set(bytes);
  line[bytes.length] = LINE_FEED;
  return line;
}

/**
 * Translates messages, and what the server says. Classic programs do not know arrivals, departures and heartbeats, so
 * for any other packet this returns undefined.
 */
function toClassic(packet: V1Packet): ClassicPacket | undefined {
  if (packet.type === "NOTICE") return { dialect: "classic", type: "INCOMING", line: noticeLine(packet.text) };
  if (packet.type !== "INCOMING") return undefined;
  return { dialect: "classic", type: "INCOMING", line: messageLine(packet) };
}

/**
 * Encodes what a member with a connection reads: messages, answers, what the server says, and its end. Who comes and
 * goes is told to each alone, because nobody is told of itself.
 */
function encodeLines(packet: Packet): Uint8Array | undefined {
  if (packet.type === "CLOSING") return encoder.encode(`${CLOSING_LINE}\n`);
  if (packet.type !== "INCOMING" && packet.type !== "NOTICE") return undefined;
  const lines = packet.type === "NOTICE"
    ? noticeLines(packet.text)
    : packet.dialect === "v1"
    ? linesOf(packet, messageLine)
    : cutLine(packet.line);
  return encoder.encode(lines.map((line) => `${line}\n`).join(""));
}
