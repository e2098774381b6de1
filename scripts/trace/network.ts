/**
 * A room and two sessions in a network and a time that exist in memory only. All that is sent is written down, and what
 * is lost is chosen by hand.
 *
 * @module
 */
import { Session } from "../../client/session/session.ts";
import { decode, encode, type Packet, type V1Packet } from "../../protocol.ts";
import { sha256Hex128 } from "../../runtime/sha256.ts";
import { MemoryJournal } from "../../server/journal/memory.ts";
import type { Delivery, Recipient } from "../../server/room/delivery.ts";
import { Room } from "../../server/room/room.ts";

export type Person = "Alice" | "Bob";
export type Place = "server" | Person;

/** A datagram that was sent. A broadcast is one to all that get it, and another one to all that do not. */
export interface Datagram {
  /** When it was sent, in Unix milliseconds. */
  at: number;
  from: Place;
  to: Place[];
  packet: V1Packet;
  isLost: boolean;
  /** Whether the trace only counts it. */
  isLeftOut: boolean;
}

/** A part of the story: what happens, and what was sent then. */
export interface Phase {
  comment: string;
  datagrams: Datagram[];
}

/** A session, and the texts that it has shown: messages to all, and those to it alone. */
export interface Client {
  session: Session;
  texts: string[];
  direct: string[];
}

/** When the story begins, in Unix milliseconds. */
export const START = 1_732_094_000_000;
/** How long each datagram is under way, in milliseconds. */
const DELAY_MS = 5;
/** How long a part of the story may take, in milliseconds. */
const DEADLINE_MS = 5000;
const ADDRESSES: Record<Person, string> = { Alice: "192.168.1.21:52207", Bob: "192.168.1.22:40112" };
const TOKENS: Record<Person, string> = { Alice: "5f1c0d9a7be2e604", Bob: "0d42f7a96c18eb35" };

/** The network, the server and the time. */
export class TraceNetwork implements Delivery {
  now = START;
  readonly phases: Phase[] = [];
  /** Whether nothing passes directly from one client to the other. */
  isShut = false;
  readonly #clients = new Map<Place, Client>();
  readonly #arrivals: { at: number; run: () => void }[] = [];
  readonly #losses: { type: V1Packet["type"]; to: Place; seq?: number }[] = [];
  readonly #recipients = new Set<Recipient>();
  #room = this.#newRoom();
  #leftOut: V1Packet["type"][] = [];

  /** How many datagrams were to be lost that have not been sent. */
  get lossesLeft(): number {
    return this.#losses.length;
  }

  /** Adds a client, which begins to join. */
  connect(who: Person): Client {
    const texts: string[] = [], direct: string[] = [];
    const session = new Session({
      server: "server",
      name: who,
      token: TOKENS[who],
      random: () => 0.5,
      hash: sha256Hex128,
      send: (packet, peer) => this.#carry(who, [peer === undefined ? "server" : personAt(peer)], packet),
      show: (shown) => {
        if (shown.kind === "message") texts.push(shown.text);
        if (shown.kind === "direct") direct.push(shown.text);
      },
    });
    const client = { session, texts, direct };
    this.#clients.set(who, client);
    session.start(this.now);
    return client;
  }

  /** Kills the server, and starts it without a memory. */
  restartServer(): void {
    this.#recipients.clear();
    this.#room = this.#newRoom();
  }

  /** Begins a phase. */
  begin(comment: string): void {
    this.phases.push({ comment, datagrams: [] });
  }

  /** The next datagram of a type to somebody is to be lost; if a seq is given, the next one with this seq. */
  lose(type: V1Packet["type"], to: Place, seq?: number): void {
    this.#losses.push({ type, to, seq });
  }

  /** Whether the present phase has so many datagrams of a type. */
  has(type: V1Packet["type"], count = 1): boolean {
    return this.phases.at(-1)!.datagrams.filter(({ packet }) => packet.type === type).length >= count;
  }

  /** Lets some milliseconds pass. Of the types in `leftOut` the trace only counts what is sent meanwhile. */
  pass(ms: number, leftOut: V1Packet["type"][] = []): void {
    const end = this.now + ms;
    this.passUntil(() => this.now >= end, leftOut);
  }

  /** Lets time pass until a condition is true. */
  passUntil(condition: () => boolean, leftOut: V1Packet["type"][] = []): void {
    const deadline = this.now + DEADLINE_MS;
    this.#leftOut = leftOut;
    while (!condition()) {
      this.#passMillisecond();
      if (this.now > deadline) throw new Error(`This does not come true: ${condition}`);
    }
  }

  join(recipient: Recipient): void {
    this.#recipients.add(recipient);
  }

  leave(recipient: Recipient): void {
    this.#recipients.delete(recipient);
  }

  send({ address }: Recipient, packet: Packet): void {
    this.#carry("server", [personAt(address)], packet);
  }

  broadcast(packet: V1Packet): void {
    this.#carry("server", [...this.#recipients].map(({ address }) => personAt(address)), packet);
  }

  #newRoom(): Room {
    return new Room({ delivery: this, journal: new MemoryJournal() }, {}, this.now);
  }

  #carry(from: Place, to: Place[], packet: Packet): void {
    if (packet.dialect !== "v1") throw new Error("The trace is one of version 1");
    const bytes = encode(packet), { now: at } = this;
    const lost = to.filter((place) => this.#isLost(packet, from, place));
    const arriving = to.filter((place) => !lost.includes(place));
    const isLeftOut = this.#leftOut.includes(packet.type);
    if (isLeftOut && lost.length > 0) {
      throw new Error(`A ${packet.type} that is lost must not be left out`);
    }
    for (const [to, isLost] of [[arriving, false], [lost, true]] as const) {
      if (to.length > 0) this.phases.at(-1)!.datagrams.push({ at, from, to, packet, isLost, isLeftOut });
    }
    for (const to of arriving) this.#arrivals.push({ at: at + DELAY_MS, run: () => this.#arrive(bytes, from, to) });
  }

  #isLost(packet: V1Packet, from: Place, place: Place): boolean {
    if (this.isShut && from !== "server" && place !== "server") return true;
    const index = this.#losses.findIndex(({ type, to, seq }) =>
      type === packet.type && to === place && (seq === undefined || "seq" in packet && packet.seq === seq)
    );
    if (index >= 0) this.#losses.splice(index, 1);
    return index >= 0;
  }

  #arrive(bytes: Uint8Array, from: Place, to: Place): void {
    const decoded = decode(bytes);
    if (!decoded.ok) throw new Error(decoded.reason);
    const { packet } = decoded;
    const client = this.#clients.get(to);
    if (from === "server") return client!.session.receive(packet, this.now);
    const address = ADDRESSES[from];
    if (client) return client.session.receiveFromPeer(packet, address, this.now);
    this.#room.receive(packet, { key: address, address, validated: false, direct: true }, this.now, bytes.length);
  }

  #passMillisecond(): void {
    this.now++;
    while (this.#arrivals.length > 0 && this.#arrivals[0].at <= this.now) this.#arrivals.shift()!.run();
    for (const program of [this.#room, ...Array.from(this.#clients.values(), ({ session }) => session)]) {
      if ((program.nextWake ?? Infinity) <= this.now) program.wake(this.now);
    }
  }
}

function personAt(address: string): Person {
  return address === ADDRESSES.Alice ? "Alice" : "Bob";
}
