/**
 * What stands behind the first line of a packet: a text, names, members, or the octets of a file.
 *
 * @module
 */
import { name } from "./fields.ts";
import { memberLine, readPresence, readRenamed } from "./members.ts";
import { type Presence, RELAY_MARK, type Renamed, type V1Packet } from "./packets.ts";

/** The properties of packets that stand in the body. */
export type Body = "text" | "topic" | "members" | "names" | "onlyRelayed" | "packet" | "octets";

type Names = Pick<Extract<V1Packet, { type: "USERS" }>, "names" | "onlyRelayed">;

const LINE_FEED = 0x0a;
const DATA = new TextEncoder().encode("DATA/"), RELAY = new TextEncoder().encode("RELAY/");

/** The body of a packet as text, with the line feed before it; of one with octets only the line feed. */
export function writeBody(packet: Record<string, unknown>, kind: Exclude<Body, "packet"> | undefined): string {
  switch (kind) {
    case "text":
      return `\n${packet.text}`;
    case "topic":
      return packet.topic === undefined ? "" : `\n${packet.topic}`;
    case "names":
      return writeNames(packet as unknown as Names);
    case "members":
      return (packet.members as (Presence | Renamed)[]).map((member) => `\n${memberLine(member)}`).join("");
    case "octets":
      return "\n";
    default:
      return "";
  }
}

/** The octets that follow the text of a packet, if any do. */
export function octetsOf(packet: V1Packet): Uint8Array | undefined {
  const inner = packet.type === "RELAY" ? packet.packet : packet;
  return inner.type === "DATA" ? inner.octets : undefined;
}

/**
 * How many bytes of a datagram are text: all before the octets of a file, which may stand in a RELAY.
 *
 * @returns The index of the first octet, or the length.
 */
export function textLength(datagram: Uint8Array): number {
  const at = startsWith(datagram, RELAY, 0) ? datagram.indexOf(LINE_FEED) + 1 : 0;
  if (!startsWith(datagram, DATA, at)) return datagram.length;
  const end = datagram.indexOf(LINE_FEED, at);
  return end < 0 ? datagram.length : end + 1;
}

/** Sets what stands in the body in a packet; returns why it is refused if it is. */
export function readBody(
  packet: Record<string, unknown>,
  kind: Exclude<Body, "packet"> | undefined,
  body: string,
  octets: Uint8Array,
): string | undefined {
  switch (kind) {
    case "text":
      packet.text = body;
      return;
    case "topic":
      if (body !== "") packet.topic = body;
      return;
    case "octets":
      // the memory of a datagram is used again for the next one
      packet.octets = octets.slice();
      return;
    case undefined:
      return;
  }
  const lines = body === "" ? [] : body.replace(/\n$/, "").split("\n");
  if (kind === "names") return readNames(packet, lines);
  const members = lines.map(packet.type === "RENAMED" ? readRenamed : readPresence);
  if (members.includes(undefined)) {
    const what = packet.type === "RENAMED" ? "a name, and perhaps the name before" : "perhaps a name";
    return `a line is malformed: it has to be an address and ${what}, with a space between`;
  }
  packet.members = members;
}

function writeNames({ names, onlyRelayed = [] }: Names): string {
  const marked = new Set(onlyRelayed);
  return names.map((name) => `\n${name}${marked.has(name) ? RELAY_MARK : ""}`).join("");
}

function readNames(packet: Record<string, unknown>, lines: string[]): string | undefined {
  const names: string[] = [], onlyRelayed: string[] = [];
  for (const line of lines) {
    const isRelayed = line.endsWith(RELAY_MARK);
    const read = name.read(isRelayed ? line.slice(0, -RELAY_MARK.length) : line);
    if (read === undefined) return `a name is malformed: it has to be ${name.form}`;
    names.push(read);
    if (isRelayed) onlyRelayed.push(read);
  }
  packet.names = names;
  if (onlyRelayed.length > 0) packet.onlyRelayed = onlyRelayed;
}

function startsWith(bytes: Uint8Array, word: Uint8Array, at: number): boolean {
  return word.every((byte, i) => bytes[at + i] === byte);
}
