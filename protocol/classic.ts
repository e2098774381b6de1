/**
 * Reads and writes the classic dialect: a bare word and free text.
 *
 * @module
 */
import { type ClassicPacket, type Decoded, refuse } from "./packets.ts";

/** Writes a classic packet as the text of a datagram. */
export function writeClassic(packet: ClassicPacket): string {
  switch (packet.type) {
    case "GREETING":
      return packet.line ? "GREETING\n" : "GREETING";
    case "MESSAGE":
      return `MESSAGE ${packet.text}`;
    case "SIGN-IN":
      return `SIGN-IN ${packet.name}`;
    case "LIST":
      return "LIST";
    case "INCOMING":
      return `INCOMING ${packet.line}`;
  }
}

/** What C programs and `nc` leave at the end of a datagram: one line ending, and NULs from the buffer. */
const TRAILER = /\r?\n?(?<!\0)\0*$/;

/**
 * What follows the first word when one bit of a v1 packet's `/1` is flipped. Such a packet is refused, so that it is
 * not read as classic text.
 */
const DAMAGED_VERSION = /^(?:[^ ]1|\/[^]) sum=[0-9a-f]{8}(?:[ \n]|$)/;

/** Reads the text of a datagram as a classic packet. */
export function readClassic(datagram: string): Decoded {
  const [, word, rest] = /^(GREETING|MESSAGE|SIGN-IN|LIST|INCOMING)([^]*)$/.exec(datagram) ?? [];
  if (word === undefined) return refuse("not a word of the protocol");
  if (DAMAGED_VERSION.test(rest)) return refuse("damaged on the way");
  const text = rest.replace(TRAILER, "").replace(/^ /, "");
  switch (word) {
    case "GREETING":
      if (text.trim() !== "") return refuse("GREETING takes no text");
      return { ok: true, packet: { dialect: "classic", type: word, line: rest.includes("\n") } };
    case "LIST":
      if (text.trim() !== "") return refuse("LIST takes no text");
      return { ok: true, packet: { dialect: "classic", type: word } };
    case "SIGN-IN": {
      const name = text.trim();
      if (name === "" || !/^\s/.test(rest)) return refuse("SIGN-IN takes a name");
      return { ok: true, packet: { dialect: "classic", type: word, name } };
    }
    case "MESSAGE":
      if (text === "") return refuse("MESSAGE without a text");
      return { ok: true, packet: { dialect: "classic", type: word, text } };
    default:
      return { ok: true, packet: { dialect: "classic", type: "INCOMING", line: text } };
  }
}
