/**
 * Writes down what was sent, with fixed values in place of random ones.
 *
 * @module
 */
import { encode, type V1Packet } from "../../protocol.ts";
import { digestAfter, digestBefore } from "../../protocol/reliable/line_digest.ts";
import { sha256Hex128 } from "../../runtime/sha256.ts";
import { type Datagram, type Person, type Phase, START } from "./network.ts";

const WIDTH = 120;
/** The values that are random but for the tokens, in the order in which they come. */
const FIXED: Record<string, readonly string[]> = {
  cookie: ["a3d7e09b15c8f264", "6b02d94fe7315a8c", "f81e5c2ab9603d47", "27c9b6810fd4e35a"],
  epoch: ["91c4be20d7a35f68", "4ea7083bd61f92c5"],
  stream: ["c07d5f3be8192a64", "2be90f4417d6a3c8"],
  pass: ["e04b7d19c5a2638f"],
};
/** The ids of the first greetings, and of the first questions. */
const FIRST_IDS: Record<Person, { greeting: number; question: number }> = {
  Alice: { greeting: 4711, question: 611 },
  Bob: { greeting: 2809, question: 907 },
};
/** The id of the first check of a direct way. */
const FIRST_CHECK_ID = 7;
/** The types whose ids are of one kind, random at the beginning. */
const KINDS: Partial<Record<V1Packet["type"], "greeting" | "question">> = {
  "SIGN-IN": "greeting",
  "RETRY": "greeting",
  "WELCOME": "greeting",
  "LOOKUP": "question",
  "PEER": "question",
};

/** Writes all that was sent: a line for each datagram, or more where it is long or has a body. */
export function writeTrace(phases: readonly Phase[]): string {
  const fix = newFixer();
  return phases.map(({ comment, datagrams }) => {
    const lines = wrap(comment, WIDTH - 2).map((line) => `# ${line}`);
    let leftOut: string[] = [];
    datagrams.forEach((datagram, i) => {
      const packet = fix(datagram), way = `${datagram.from} -> ${datagram.to.length > 1 ? "both" : datagram.to[0]}`;
      if (datagram.isLeftOut) return void leftOut.push(`${packet.type}/1 ${way}`);
      lines.push(...describeLeftOut(leftOut));
      leftOut = [];
      const time = `${datagram.at - START} ms`.padStart(7);
      const columns = `${time}  ${way.padEnd(15)}  ${datagram.isLost ? "lost" : "    "}  `;
      const isAgain = i > 0 && datagrams[i - 1].packet === datagram.packet;
      const texts = isAgain ? ["(the same datagram)"] : writePacket(packet, WIDTH - columns.length);
      lines.push(...texts.map((text, i) => (i === 0 ? columns : " ".repeat(columns.length)) + text));
    });
    return [...lines, ...describeLeftOut(leftOut)].join("\n");
  }).join("\n\n");
}

/** Writes the header in lines of at most so many characters, and a line for each of the body. */
function writePacket(packet: V1Packet, width: number): string[] {
  const [header, ...body] = new TextDecoder().decode(encode(packet)).split("\n");
  return [...wrap(header, width), ...body.map((line) => `⏎${line}`)];
}

function describeLeftOut(leftOut: readonly string[]): string[] {
  const counts = [...new Set(leftOut)].map((what) => `${leftOut.filter((other) => other === what).length} ${what}`);
  if (counts.length === 0) return [];
  return wrap(`left out, nothing new: ${counts.join(", ")}`, WIDTH - 2).map((line) => `… ${line}`);
}

/** Breaks a text at spaces into lines of at most so many characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Returns a function that puts fixed values in place of random ones, and the digests of what the events say then. */
function newFixer(): (datagram: Datagram) => V1Packet {
  const fixed = new Map<string, string>(), firstIds = new Map<string, number>(), digests = new Map<string, string>();
  const checkIds = new Set<number>();
  const left = Object.fromEntries(Object.entries(FIXED).map(([key, values]) => [key, [...values]]));
  const digestUpTo = (epoch: string, seq: number) => {
    const digest = seq === 0 ? digestBefore(epoch) : digests.get(`${epoch} ${seq}`);
    if (digest === undefined) throw new Error(`Event ${seq} was not sent`);
    return digest;
  };
  const fixedCheckId = (id: number) => {
    checkIds.add(id);
    return FIRST_CHECK_ID + [...checkIds].indexOf(id);
  };
  const fixValues = (packet: V1Packet) => {
    const fields = packet as unknown as Record<string, string | undefined>;
    for (const key in left) {
      const value = fields[key];
      if (value === undefined) continue;
      const replacement = fixed.get(value) ?? left[key].shift();
      if (replacement === undefined) throw new Error(`There are too few fixed values for ${key}`);
      fixed.set(value, replacement);
      fields[key] = replacement;
    }
  };
  return ({ packet: { ...packet }, from, to: [to] }) => {
    fixValues(packet);
    if (packet.type === "RELAY") fixValues(packet.packet = { ...packet.packet });
    const kind = KINDS[packet.type];
    if (kind && "id" in packet) {
      const who = (from === "server" ? to : from) as Person, key = `${who} ${kind}`;
      const firstId = firstIds.get(key) ?? packet.id!;
      firstIds.set(key, firstId);
      packet.id! += FIRST_IDS[who][kind] - firstId;
    }
    if (packet.type === "OPEN" || packet.type === "ACK" && packet.pass !== undefined && packet.stream === undefined) {
      if (packet.id !== undefined) packet.id = fixedCheckId(packet.id);
    }
    if ("at" in packet) {
      const digest = digestAfter(digestUpTo(packet.epoch, packet.seq - 1), packet, sha256Hex128);
      digests.set(`${packet.epoch} ${packet.seq}`, digest);
    }
    if (packet.type === "WELCOME" && packet.digest) packet.digest = digestUpTo(packet.epoch, packet.seq);
    return packet;
  };
}
