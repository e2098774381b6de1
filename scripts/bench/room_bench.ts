/**
 * How long the server itself takes for a message in a room of ten, from the bytes of the datagram to those of the copies,
 * without sockets: `deno bench -A scripts/bench/room_bench.ts`. The time for a checksum of a datagram is what to compare
 * with.
 *
 * @module
 */
import { type Dialect, encode, type Packet } from "../../protocol.ts";
import { crc32 } from "../../protocol/crc32.ts";
import type { Door, DoorStatistics } from "../../server/doors/door.ts";
import { Doors } from "../../server/doors/doors.ts";
import { Host } from "../../server/host.ts";
import { MemoryJournal } from "../../server/journal/memory.ts";
import type { Recipient } from "../../server/room/delivery.ts";
import type { Peer } from "../../server/room/peer.ts";

/** A door that takes all bytes and sends none. */
class SilentDoor implements Door {
  readonly scheme = "";
  readonly statistics: DoorStatistics = { sent: 0, failed: 0, dropped: 0 };
  /** What was sent last to one alone. */
  last = "";
  readonly #sizes: Partial<Record<Dialect, number>> = {};

  async run(): Promise<void> {}
  size(dialect: Dialect): number {
    return this.#sizes[dialect] ?? 0;
  }
  join({ dialect }: Recipient): void {
    this.#sizes[dialect] = this.size(dialect) + 1;
  }
  leave({ dialect }: Recipient): void {
    this.#sizes[dialect] = this.size(dialect) - 1;
  }
  send(_: Recipient, bytes: Uint8Array): void {
    this.last = new TextDecoder().decode(bytes);
  }
  broadcast(_bytes: Uint8Array, dialect: Dialect): void {
    this.statistics.sent += this.size(dialect);
  }
  prepareToClose(): void {}
  async close(): Promise<void> {}
}

const MEMBERS = 10;
const TEXT = "The quick brown fox jumps over the lazy dog, and then does so again: that makes one hundred bytes."
  .padEnd(100);

const peerOf = (i: number): Peer => {
  const address = `127.0.0.1:${50_000 + i}`;
  return { key: address, address, validated: false, direct: true };
};

/** Speaks in a room with ten members. */
interface Speakers {
  /** The next message of the next member. */
  datagram(): [bytes: Uint8Array, peer: Peer];
  receive(bytes: Uint8Array, peer: Peer): void;
  /** How many copies were sent. */
  copies(): number;
}

/** Fills a room with ten members. */
export function fillRoom(dialect: "classic" | "v1"): Speakers {
  const door = new SilentDoor();
  const host = new Host({
    doors: new Doors([door]),
    journal: new MemoryJournal(),
    room: { classic: { members: MEMBERS }, wallClock: Date.now },
    observers: [],
    stopping: () => {},
  });
  const peers = Array.from({ length: MEMBERS }, (_, i) => peerOf(i)), ids = peers.map(() => 0);
  const receive = (packet: Packet, i: number) => host.receive(encode(packet), peers[i]);
  const tokens = peers.map((_, i) => `${i}`.padStart(16, "a"));
  peers.forEach((_, i) => {
    if (dialect === "classic") return receive({ dialect, type: "GREETING", line: false }, i);
    receive({ dialect, type: "GREETING", id: 1 }, i);
    const [, cookie] = /cookie=([0-9a-f]+)/.exec(door.last)!;
    receive({ dialect, type: "GREETING", id: 2, token: tokens[i], cookie }, i);
  });
  if (host.room.size !== MEMBERS) throw new Error(`Only ${host.room.size} have joined`);
  let next = 0;
  return {
    datagram() {
      const i = next++ % MEMBERS;
      const packet: Packet = dialect === "classic"
        ? { dialect, type: "MESSAGE", text: TEXT }
        : { dialect, type: "MESSAGE", token: tokens[i], stream: tokens[i], id: ++ids[i], text: TEXT };
      return [encode(packet), peers[i]];
    },
    receive: (bytes, peer) => host.receive(bytes, peer),
    copies: () => door.statistics.sent,
  };
}

for (const dialect of ["classic", "v1"] as const) {
  const speakers = fillRoom(dialect);
  Deno.bench(`a ${dialect} message in a room of ${MEMBERS}`, (b) => {
    const [bytes, peer] = speakers.datagram();
    b.start();
    speakers.receive(bytes, peer);
    b.end();
  });
}
const datagram = encode({ dialect: "classic", type: "MESSAGE", text: TEXT });
Deno.bench("for comparison, the checksum of a datagram", () => {
  crc32(datagram);
});
