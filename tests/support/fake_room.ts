/**
 * A room in memory with a clock that stands still until a test moves it.
 *
 * @module
 */
import { decode, encode, type Packet, type V1Packet } from "../../protocol.ts";
import type { Derivation } from "../../protocol/crypto_functions.ts";
import { byteLength } from "../../protocol/utf8.ts";
import { CRYPTO } from "../../runtime/crypto.ts";
import type { Journal, WindowOptions } from "../../server/journal/journal.ts";
import { MemoryJournal } from "../../server/journal/memory.ts";
import type { Accounts } from "../../server/room/accounts.ts";
import type { Ignored, IgnoredCounts } from "../../server/room/ignored.ts";
import type { KeptOrder } from "../../server/room/order_keeping.ts";
import type { Names } from "../../server/room/names.ts";
import { Room } from "../../server/room/room.ts";
import type { RoomOptions } from "../../server/room/room_options.ts";
import { FakeDelivery, type Sent, textOf } from "./fake_delivery.ts";
import { peerOf } from "./peer_of.ts";

/** A v1 packet of one type, without the fields that are the same in all. */
export type Body<T extends V1Packet["type"]> = Omit<Extract<V1Packet, { type: T }>, "dialect" | "type">;

/** What a v1 packet of one type looks like. */
export type V1<T extends V1Packet["type"]> = Extract<V1Packet, { type: T }>;

/** The names of the send streams of one or two members. */
export const STREAM = "c07d5f3be8192a64", OTHER_STREAM = "2be90f4417d6a3c8";

/** Options of a {@linkcode FakeRoom}. */
export interface FakeRoomOptions extends RoomOptions {
  window?: WindowOptions;
  journal?: Journal;
  names?: Names;
  accounts?: Accounts;
  order?: KeptOrder;
  ignored?: Ignored;
  tellTerminal?: (line: string) => void;
}

interface GreetOptions {
  id?: number;
  token?: string;
  cookie?: string;
  name?: string;
}

/** The token of a client that has first greeted from an address; the same address always gives the same token. */
function tokenAt(address: string): string {
  let hash = 0n;
  for (const byte of new TextEncoder().encode(address)) hash = BigInt.asUintN(64, hash * 257n + BigInt(byte));
  return hash.toString(16).padStart(16, "0");
}

/** The room, the time, and what was sent. Peers are given by their keys; see {@linkcode peerOf}. */
export class FakeRoom {
  readonly delivery = new FakeDelivery();
  readonly room: Room;
  /** The passwords that the room wants to be hashed, in order. A test does it. */
  readonly derivations: Derivation[] = [];
  now = 1_732_094_000_000;

  constructor(
    { window, journal = new MemoryJournal(window), names, accounts, order, ignored, tellTerminal, ...options }:
      FakeRoomOptions = {},
  ) {
    const beginDerivation = (derivation: Derivation) => void this.derivations.push(derivation);
    const protection = accounts && { accounts, crypto: CRYPTO, beginDerivation };
    const parts = { delivery: this.delivery, journal, names, order, ignored, protection, tellTerminal };
    this.room = new Room(parts, options, this.now);
  }

  /** Lets a datagram arrive, as its text, and returns all that is sent in answer. */
  datagram(from: string, text: string): Sent[] {
    const decoded = decode(new TextEncoder().encode(text));
    if (decoded.ok) this.room.receive(decoded.packet, peerOf(from), this.now, byteLength(text));
    else this.room.ignore("no-packet");
    return this.delivery.take();
  }

  /** Lets a v1 packet arrive, and returns all that is sent in answer. */
  v1<T extends V1Packet["type"]>(from: string, type: T, body: Body<T>): Sent[] {
    const packet = { dialect: "v1", type, ...body } as Packet;
    this.room.receive(packet, peerOf(from), this.now, encode(packet).length);
    return this.delivery.take();
  }

  /** Greets once with a token, and returns the WELCOME. */
  greet(from: string, greeting: GreetOptions = {}): V1<"WELCOME"> {
    return one(this.#greet(from, greeting), "WELCOME");
  }

  /** Greets once, and returns the cookie that the RETRY has. */
  cookie(from: string, greeting: GreetOptions = {}): string {
    return one(this.#greet(from, greeting), "RETRY").cookie;
  }

  /** Joins with a token that is always the same at an address, and returns the WELCOME of the second greeting. */
  join(from: string, name?: string): V1<"WELCOME"> {
    return this.move(from, tokenAt(from), name);
  }

  /** Greets from an address, then with the token and the cookie, and returns the WELCOME. */
  move(from: string, token: string, name?: string): V1<"WELCOME"> {
    return this.greet(from, { id: 2, token, cookie: this.cookie(from, { name }), name });
  }

  /** Signs in as {@linkcode join} does, with a name that is refused, and returns the ERROR. */
  refused(from: string, name: string, id = 2): V1<"ERROR"> {
    const token = tokenAt(from);
    const cookie = this.cookie(from);
    return one(this.v1(from, "SIGN-IN", { id, token, cookie, name }), "ERROR");
  }

  #greet(from: string, { id = 1, token, cookie, name }: GreetOptions): Sent[] {
    return name === undefined
      ? this.v1(from, "GREETING", { id, token, cookie })
      : this.v1(from, "SIGN-IN", { id, token, cookie, name });
  }

  /** Says something in a stream, in order. */
  say(from: string, token: string, id: number, text: string, stream = STREAM): Sent[] {
    return this.v1(from, "MESSAGE", { token, stream, id, text });
  }

  /** Moves the clock on, wakes the room whenever it is due, and returns all that is sent meanwhile. */
  pass(ms: number): Sent[] {
    const end = this.now + ms;
    for (let at, wakes = 0; (at = this.room.nextWake) !== undefined && at <= end; wakes++) {
      if (wakes > 100_000) throw new Error(`The room wants to be woken at ${at} for ever`);
      this.now = Math.max(this.now, Math.ceil(at));
      this.room.wake(this.now);
    }
    this.now = end;
    return this.delivery.take();
  }

  /** Lets the room send all notices and heartbeats that are due after the latest events, and discards them. */
  settle(): void {
    this.pass(30_000);
  }
}

/**
 * The only v1 packet of a type among what was sent, to any address.
 *
 * @throws {Error} when there is none or more than one.
 */
export function one<T extends V1Packet["type"]>(sent: Sent[], type: T): V1<T> {
  const found = all(sent, type);
  if (found.length !== 1) {
    throw new Error(`${found.length} of ${type} in: ${sent.map(textOf).join(" | ") || "nothing"}`);
  }
  return found[0];
}

/** All v1 packets of a type among what was sent. */
export function all<T extends V1Packet["type"]>(sent: Sent[], type: T): V1<T>[] {
  return sent.map(({ packet }) => packet).filter((packet) => packet.type === type && packet.dialect === "v1") as V1<
    T
  >[];
}

/**
 * The id that the answer to a repeated MESSAGE settles: with an ACK, or with the event that it became. That has a token,
 * which no event has that is told to all.
 *
 * @throws {Error} when there is no such answer or more than one.
 */
export function settledId(sent: Sent[]): number {
  const found = [...all(sent, "ACK"), ...all(sent, "INCOMING").filter(({ token }) => token !== undefined)];
  if (found.length !== 1) throw new Error(`${found.length} answers in: ${sent.map(textOf).join(" | ") || "nothing"}`);
  return found[0].id!;
}

/** What was sent to one address. */
export function to(sent: Sent[], address: string): Sent[] {
  return sent.filter((datagram) => datagram.to === address);
}

/** What was sent, as `ADDRESS TYPE`, to show which address gets which packets. */
export function outline(sent: Sent[]): string[] {
  return sent.map(({ to, packet }) => `${to} ${packet.type}`);
}

/** The datagrams that a room has ignored, by the reasons that there were. */
export function ignoredBy({ statistics: { ignored } }: Pick<Room, "statistics">): Partial<IgnoredCounts> {
  return Object.fromEntries(Object.entries(ignored).filter(([, count]) => count > 0));
}
