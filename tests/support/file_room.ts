/**
 * A room in memory in which members hand each other files through the server.
 *
 * @module
 */
import { type FilePacket, MAX_DATA_BYTES } from "../../protocol.ts";
import type { Ignored } from "../../server/room/ignored.ts";
import type { RoomOptions } from "../../server/room/room_options.ts";
import type { Sent } from "./fake_delivery.ts";
import { FakeRoom, one, type V1 } from "./fake_room.ts";
import { peerOf } from "./peer_of.ts";

export const ALICE = "10.0.0.7:1001", BOB = "10.0.0.8:1002", CAROL = "[2001:db8::9]:1003", TIM = "10.0.0.5:1005";
export const FILE = "6d0e8a41f7c92b35", OTHER_FILE = "1122334455667788";
export const HASH = "5ecdfd30a5a1ba54ea0d48f3601ed8b3ce39f4c23a08eac9bf3fc3b91ff6bdd0";
export const OCTETS = new Uint8Array(MAX_DATA_BYTES);
/** How long a DATA with so many octets is in these tests, roughly, with its envelope. */
export const DATA_BYTES = 1130;

/** One who can send to another: with its address, its token, and the pass of the two. */
export interface Way {
  from: string;
  token: string;
  address: string;
  pass: string;
}

/** A room with Alice and Bob. */
export class FileRoom extends FakeRoom {
  readonly toBob: Way;
  readonly toAlice: Way;

  constructor(options?: RoomOptions & { ignored?: Ignored }) {
    super(options);
    for (const [address, name] of [[ALICE, "Alice"], [BOB, "Bob"]]) this.join(address, name);
    [this.toBob, this.toAlice] = this.ways(ALICE, BOB);
  }

  /** Both ways between two members, which have joined. */
  ways(one: string, other: string): [Way, Way] {
    return [this.way(one, other), this.way(other, one)];
  }

  way(from: string, address: string): Way {
    const { token } = this.join(from);
    return { from, token, address, pass: this.peer(from, token, address).pass! };
  }

  peer(from: string, token: string, address: string): V1<"PEER"> {
    return one(this.v1(from, "LOOKUP", { id: 9, token, address }), "PEER");
  }

  /** Lets a packet arrive in a RELAY, and returns what is sent. */
  send({ from, token, address }: Way, packet: FilePacket): Sent[] {
    return this.v1(from, "RELAY", { token, address, packet });
  }

  /** The same without encoding it, for many; returns whether anything was sent. */
  sendFast({ from, token, address }: Way, packet: FilePacket, bytes = DATA_BYTES): boolean {
    this.room.receive({ dialect: "v1", type: "RELAY", token, address, packet }, peerOf(from), this.now, bytes);
    return this.delivery.take().length > 0;
  }

  offer(way: Way, file = FILE, text = "notes.txt", size = 2011): Sent[] {
    return this.send(way, offerOf(way, file, text, size));
  }

  /** Lets a way's other end accept a file, so that DATA passes. */
  accept(back: Way, file = FILE): Sent[] {
    return this.send(back, sackOf(back, 0, file));
  }

  /** Sends DATA for so many milliseconds, each way's at so many bytes a second; returns how many bytes passed a second. */
  rateOf(ways: Way[], ms: number, rate: number): number {
    let passed = 0, due = 0;
    for (const end = this.now + ms; this.now < end; this.now++) {
      for (due += rate / 1000 / DATA_BYTES; due >= 1; due--) {
        for (const way of ways) if (this.sendFast(way, dataOf(way))) passed += DATA_BYTES;
      }
    }
    return passed * 1000 / ms;
  }
}

export function offerOf({ pass }: Way, file = FILE, text = "notes.txt", size = 2011): FilePacket {
  return { dialect: "v1", type: "OFFER", pass, file, size, hash: HASH, text };
}

export function sackOf({ pass }: Way, next?: number, file = FILE): FilePacket {
  const room = next === undefined ? undefined : 4096;
  return { dialect: "v1", type: "SACK", pass, file, next, room };
}

export function dataOf({ pass }: Way, id = 1, file = FILE): FilePacket {
  return { dialect: "v1", type: "DATA", pass, file, id, offset: 0, octets: OCTETS };
}

export function endOf({ pass }: Way, code = "done", file = FILE): FilePacket {
  return { dialect: "v1", type: "END", pass, file, code };
}

/** Calls something so often; returns how often it sent anything. */
export function countOf(times: number, send: () => Sent[] | boolean): number {
  return Array.from({ length: times }, send).filter((sent) => typeof sent === "boolean" ? sent : sent.length > 0)
    .length;
}

/** How many bytes a second pass for each member in {@linkcode roomOfPairs}. */
export const RATE = 100_000;

/** A room in which the first members of pairs send a file to the second ones. */
export function roomOfPairs(pairs: [string, string][], relayRate = RATE): { room: FileRoom; ways: Way[] } {
  const room = new FileRoom({ relayRate });
  for (const address of new Set(pairs.flat())) room.join(address);
  const ways = pairs.map(([from, receiver]) => {
    const [there, back] = room.ways(from, receiver);
    room.offer(there);
    room.accept(back);
    return there;
  });
  return { room, ways };
}
