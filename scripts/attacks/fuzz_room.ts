/**
 * Fuzzes the server's room in this process, where no limit of a flood drops anything: each datagram is read by `decode`,
 * and each packet is handled by the room, with all that it sends and all that it does later. The clock is simulated, so
 * that the limits of members and addresses are those of 200 datagrams a second.
 *
 * @module
 */
import { decode, encode, MAX_DATAGRAM_BYTES, type Packet, type V1Packet } from "../../protocol.ts";
import { Failure } from "../../runtime/program.ts";
import { encodeInDialect } from "../../server/doors/dialects.ts";
import { seededRandom } from "../../server/doors/network_emulator.ts";
import { MemoryJournal } from "../../server/journal/memory.ts";
import type { Delivery, Recipient } from "../../server/room/delivery.ts";
import type { IgnoredCounts } from "../../server/room/ignored.ts";
import type { Peer } from "../../server/room/peer.ts";
import { Room } from "../../server/room/room.ts";
import { mutations, OFTEN_TO_SERVER } from "./mutations.ts";

/** What became of the datagrams. */
export interface FuzzedRoom {
  /** How many were packets, and so were handled by the room. */
  packets: number;
  ignored: Readonly<IgnoredCounts>;
  /** How many members have joined, and how many messages they have said. */
  joined: number;
  messages: number;
  /** How many datagrams the room has sent; a broadcast counts as one for each dialect. */
  sent: number;
}

/** Whoever sends: members to be, nearby and far away, in both kinds of addresses, and one with a connection. */
const PEERS: readonly Peer[] = [
  ...Array.from({ length: 12 }, (_, i) => `10.0.${i % 3}.1:${1 + i}`),
  ...["[2001:db8::1]:1", "[fe80::1%eth0]:2", "203.0.113.5:9", "127.0.0.1:1", "[::1]:1", "tcp 10.0.0.9:1"],
].map((key) => {
  const address = key.slice(key.indexOf(" ") + 1), isConnection = key !== address;
  return { key, address, validated: isConnection, direct: !isConnection };
});
/** One that speaks in lines, and what it may say. */
const LINE_PEER: Peer = { key: "tcp 10.0.0.20:1", address: "10.0.0.20:1", validated: true, direct: false };
const LINES = ["/name Tim", "hello", "/send Alice hi", "/send Zoë hi", `/send Alice ${"long ".repeat(500)}`];
const START_MS = 1_700_000_000_000;
/** The time between two datagrams, in milliseconds. */
const STEP_MS = 5;
/** After how many datagrams on average all members fall silent, and for how long in milliseconds. */
const SILENCE_AFTER = 20_000, SILENCE_MS = 90_000;
/** After how many datagrams a line comes. */
const LINE_EVERY = 50;
/** After how many packets the next ids are sent: by then most senders have said something. */
const PACKETS_PER_ID = 50;
/** How often the room may ask to be woken at the same time. More wakes are an endless loop. */
const MAX_WAKES_AT_ONCE = 1000;
const decoder = new TextDecoder();

/** Takes what the room sends: it must fit into a datagram, and be a packet. */
class Reader implements Delivery {
  readonly recipients = new Set<Recipient>();
  /** The last cookie that was sent to each peer, by its key. */
  readonly cookies = new Map<string, string>();
  /** The last pass that was told to each peer, and the address of the member that it is for. */
  readonly passes = new Map<string, { pass: string; address: string }>();
  sent = 0;

  join(recipient: Recipient): void {
    if (this.recipients.has(recipient)) throw new Error(`${recipient.key} has joined twice`);
    this.recipients.add(recipient);
  }

  leave(recipient: Recipient): void {
    if (!this.recipients.delete(recipient)) throw new Error(`${recipient.key} has left and was not there`);
  }

  send({ key, dialect }: Recipient, packet: Packet): void {
    if (packet.type === "RETRY") this.cookies.set(key, packet.cookie);
    const { pass, address } = packet as { pass?: string; address: string };
    if (packet.type === "PEER" && pass !== undefined) this.passes.set(key, { pass, address });
    this.#read(packet, dialect);
  }

  broadcast(packet: V1Packet): void {
    for (const dialect of ["v1", "classic", "classic-line"] as const) this.#read(packet, dialect);
  }

  #read(packet: Packet, dialect: Recipient["dialect"]): void {
    const bytes = encodeInDialect(packet, dialect);
    if (!bytes) return;
    this.sent++;
    if (dialect === "line") return;
    if (bytes.length > MAX_DATAGRAM_BYTES) throw new Error(`A ${packet.type} has ${bytes.length} bytes`);
    const decoded = decode(bytes);
    if (!decoded.ok) throw new Error(`What was sent is no packet, ${decoded.reason}: ${decoder.decode(bytes)}`);
  }
}

/**
 * Lets a room handle so many datagrams.
 *
 * @throws {Failure} with the datagram, when the room throws, or is not as it has to be.
 */
export function fuzzRoom({ datagrams, seed }: { datagrams: number; seed: number }): FuzzedRoom {
  const random = seededRandom(seed);
  const reader = new Reader(), journal = new MemoryJournal();
  let now = START_MS;
  const room = new Room({ delivery: reader, journal }, {
    rate: { rate: 20, burst: 40 },
    echo: { datagrams: seed % 2 === 0 },
    joinAddress: () => "192.0.2.7:9090",
  }, now);
  const hexOf = (number: number) => number.toString(16).padStart(16, "0");
  let sender = 0, packets = 0;
  const next = mutations(random, () => ({
    token: hexOf(0xaa00 + sender),
    cookie: reader.cookies.get(PEERS[sender].key),
    pass: reader.passes.get(PEERS[sender].key)?.pass,
    epoch: room.epoch,
    stream: hexOf(0xbb00 + sender),
    id: 2 + Math.floor(packets / PACKETS_PER_ID),
    address: random() < 0.5 && reader.passes.get(PEERS[sender].key)?.address ||
      PEERS[Math.floor(random() * PEERS.length)].address,
  }), OFTEN_TO_SERVER);
  const wake = () => {
    for (let wakes = 0; (room.nextWake ?? Infinity) <= now; wakes++) {
      if (wakes > MAX_WAKES_AT_ONCE) throw new Error("the room wants to be woken for ever");
      room.wake(now);
    }
  };
  const receive = (bytes: Uint8Array, peer: Peer) => {
    const decoded = decode(bytes);
    if (decoded.ok) {
      packets++;
      room.receive(decoded.packet, peer, now, bytes.length);
    } else room.ignore("no-packet");
    wake();
    if (room.size !== reader.recipients.size) throw new Error(`${reader.recipients.size} of ${room.size} are told`);
    if (room.size > PEERS.length + 1) throw new Error(`${room.size} members with ${PEERS.length} addresses`);
  };
  for (let i = 0; i < datagrams; i++) {
    sender = Math.floor(random() * PEERS.length);
    now += random() < 1 / SILENCE_AFTER ? SILENCE_MS : STEP_MS;
    const bytes = next();
    if (i % LINE_EVERY === 0) {
      if (random() < 0.02) room.hungUp(LINE_PEER, now);
      const isHere = [...reader.recipients].some(({ key }) => key === LINE_PEER.key);
      if (!isHere) room.connected(LINE_PEER, now);
      room.receiveLine(isHere ? LINES[Math.floor(random() * LINES.length)] : LINES[0], LINE_PEER, now);
      // without its pass nothing gets to it
      const lookUp = { dialect: "v1", type: "LOOKUP", id: 1, token: hexOf(0xaa00 + sender), name: "Tim" } as const;
      room.receive(lookUp, PEERS[sender], now, encode(lookUp).length);
    }
    try {
      receive(bytes, PEERS[sender]);
    } catch (error) {
      const stack = error instanceof Error ? error.stack : error;
      throw new Failure(`Datagram ${i} of seed ${seed}, ${JSON.stringify(decoder.decode(bytes))}: ${stack}`);
    }
  }
  const { joined, messages, ignored } = room.statistics;
  return { packets, ignored, joined, messages, sent: reader.sent };
}
