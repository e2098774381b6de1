/** The trace at the end of PROTOCOL.md, read as an implementer reads it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { decode, encode, type V1Packet } from "../../protocol.ts";
import { digestAfter, digestBefore } from "../../protocol/reliable/line_digest.ts";
import { sha256Hex128 } from "../../runtime/sha256.ts";
import { protocolTrace } from "../../scripts/protocol_trace.ts";

interface Line {
  at: number;
  way: string;
  isLost: boolean;
  datagram: string;
}

const trace = protocolTrace();

/** Reads the trace: what is behind the columns, with one space for each break and a line feed for each `⏎`. */
function readTrace(text: string): Line[] {
  const lines: Line[] = [];
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("# ") || line.startsWith("… ")) continue;
    const rest = line.slice(32);
    const [, at, way, mark] = /^ *(\d+) ms {2}(\w+ -> \w+) +(lost)? +$/.exec(line.slice(0, 32)) ?? [];
    if (at !== undefined) {
      const datagram = rest === "(the same datagram)" ? lines.at(-1)!.datagram : rest;
      lines.push({ at: Number(at), way, isLost: mark !== undefined, datagram });
    } else {
      assertEquals(line.slice(0, 32).trim(), "", line);
      lines.at(-1)!.datagram += rest.startsWith("⏎") ? `\n${rest.slice(1)}` : ` ${rest}`;
    }
  }
  return lines;
}

function packetOf({ datagram }: Line): V1Packet {
  const decoded = decode(new TextEncoder().encode(datagram));
  assert(decoded.ok && decoded.packet.dialect === "v1", datagram);
  return decoded.packet;
}

const lines = readTrace(trace);

Deno.test("trace: each run writes the same, although tokens, cookies and epochs are random", () => {
  assertEquals(protocolTrace(), trace);
  for (const line of trace.split("\n")) assert(line.length <= 120, line);
});

Deno.test("trace: every datagram is accepted, has its right sum, and is what our programs write", () => {
  for (const line of lines) {
    assertEquals(new TextDecoder().decode(encode(packetOf(line))), line.datagram);
    assertMatch(line.datagram, / sum=[0-9a-f]{8}/);
  }
});

Deno.test("trace: every digest is that of the events before it in the trace", () => {
  const digests = new Map<string, string>();
  let welcomes = 0;
  for (const packet of lines.map(packetOf)) {
    if ("at" in packet) {
      const { epoch, seq } = packet;
      const before = digests.get(`${epoch} ${seq - 1}`) ?? (seq === 1 ? digestBefore(epoch) : "");
      digests.set(`${epoch} ${seq}`, digestAfter(before, packet, sha256Hex128));
    }
    if (packet.type !== "WELCOME") continue;
    const { epoch, seq, digest } = packet;
    assertEquals(digest, seq === 0 ? digestBefore(epoch) : digests.get(`${epoch} ${seq}`));
    if (seq > 0) welcomes++;
  }
  assert(welcomes >= 2);
});

Deno.test("trace: it has a gap, a repeat, a lost tail, further copies, and a message that comes again in another epoch", () => {
  const packets = lines.map((line) => ({ ...line, packet: packetOf(line) }));
  const copies = (way: string, text: string) =>
    packets.filter((line) => line.way === way && line.packet.type === "INCOMING" && line.packet.text === text)
      .map(({ isLost, packet }) => ({ isLost, seq: (packet as V1Packet & { type: "INCOMING" }).seq }));
  const lostAndRepaired = (seq: number) => [{ isLost: true, seq }, { isLost: false, seq }];
  assertEquals(copies("server -> Bob", "Hello Bob!"), lostAndRepaired(2));
  assertEquals(copies("server -> Alice", "Shall we meet at noon?"), lostAndRepaired(3));
  assertEquals(copies("server -> Bob", "I have to go soon."), lostAndRepaired(4));
  assertEquals(copies("server -> Bob", "Where is it?"), [...lostAndRepaired(5), { isLost: false, seq: 5 }]);
  assertEquals(copies("server -> Alice", "See you!"), [{ isLost: true, seq: 6 }, { isLost: false, seq: 1 }]);
  const epochs = packets.flatMap(({ packet }) => packet.type === "WELCOME" ? [packet.epoch] : []);
  assertEquals(new Set(epochs).size, 2);
  assertEquals(packets.slice(-3).map(({ packet }) => packet.type), ["LEAVE", "ACK", "OFFLINE"]);
});
