/**
 * One room and its clients on an emulated network in memory, which drops, duplicates, delays and damages datagrams.
 *
 * The same seed gives the same run. A test runs as fast as the processor, because the clock moves on as soon as nothing
 * is left to do.
 *
 * @module
 */
import { Session } from "../../client/session/session.ts";
import type { SessionOptions } from "../../client/session/session_options.ts";
import type { Shown } from "../../client/session/shown.ts";
import { decode, encode, type EventPacket, type Packet, type V1Packet } from "../../protocol.ts";
import { CRYPTO } from "../../runtime/crypto.ts";
import { sha256Hex128 } from "../../runtime/sha256.ts";
import { encodeInDialect } from "../../server/doors/dialects.ts";
import { type NetworkConditions, seededRandom } from "../../server/doors/network_emulator.ts";
import type { WindowOptions } from "../../server/journal/journal.ts";
import type { KeptMember } from "../../server/journal/past.ts";
import type { Accounts } from "../../server/room/accounts.ts";
import type { MemberObserver } from "../../server/room/admission.ts";
import type { Delivery, Recipient } from "../../server/room/delivery.ts";
import { Room } from "../../server/room/room.ts";
import type { RoomOptions } from "../../server/room/room_options.ts";
import type { Peer } from "../../server/room/peer.ts";
import { Agenda } from "./agenda.ts";
import { quickDerive } from "./accounts.ts";
import { FakeDisk, FakeFiles } from "./fake_files.ts";
import { FakeJournal } from "./fake_journal.ts";
import { FakeNames } from "./fake_names.ts";
import { peerOf } from "./peer_of.ts";
import { SymmetricNats } from "./symmetric_nats.ts";

/** Options of the network. */
export interface FakeNetworkOptions {
  /** The same seed gives the same run. */
  seed?: number;
  /** The network conditions to the server and between peers. */
  up?: Partial<NetworkConditions>;
  /** The network conditions from the server. */
  down?: Partial<NetworkConditions>;
  /** The options of every room that the server opens. */
  room?: RoomOptions;
  /** The protected names; none can be if it is left out. They outlive the server. */
  accounts?: Accounts;
  /** How many events its journal keeps. */
  window?: WindowOptions;
  /** How long the journal and the names take to answer, in milliseconds; at once if it is left out. */
  late?: [shortest: number, longest: number];
}

/** The network that the promise of the protocol is made for. */
export const BAD = { drop: 0.3, duplicate: 0.05, delay: [1, 200] as [number, number] };

/** How often a program may ask to be woken at the same time. More wakes are an endless loop. */
const MAX_WAKES_AT_ONCE = 100;
const SERVER = "10.0.0.1:9090";
/** How long a client hashes a password, in milliseconds. */
const HASHING_MS = 80;
/** How long its disk takes, in milliseconds. */
const DISK_MS = 1;

/** One session, what it shows, and where it is. */
export class FakeClient {
  readonly session: Session;
  readonly shown: Shown[] = [];
  /** Its files; they outlive it. */
  readonly disk: FakeDisk;
  readonly files: FakeFiles;
  /** The key of its peer: its address, or `tcp ADDRESS` with a connection. */
  key: string;
  /** Whether the program runs and is connected to the network. */
  isConnected = true;
  /** Behind which event of which epoch this client began: the latest one in the WELCOME with which it first joined. */
  beganBehind: Readonly<{ epoch: string; seq: number }> | undefined;
  /** The clients that no datagram of this one reaches now, wherever the two are; the way back may be open. */
  readonly unreachable = new Set<FakeClient>();
  readonly #network: FakeNetwork;

  constructor(
    network: FakeNetwork,
    key: string,
    { password, disk = new FakeDisk(), ...options }: Pick<SessionOptions, "name" | "random" | "relay"> & {
      password?: string;
      disk?: FakeDisk;
    },
  ) {
    this.disk = disk;
    this.files = new FakeFiles(
      disk,
      (run) => network.in(DISK_MS, run),
      (result) => this.act((session, now) => session.fileDone(result, now)),
    );
    this.#network = network;
    this.key = key;
    this.session = new Session({
      server: SERVER,
      send: (packet, peer) => network.fromClient(this, packet, peer),
      show: (shown) => void this.shown.push(shown),
      hash: sha256Hex128,
      files: this.files,
      passwords: {
        crypto: CRYPTO,
        // hashing takes its time
        derive: (derivation) =>
          network.in(HASHING_MS, () => {
            this.act((session, now) => session.derived(derivation, quickDerive(derivation), now));
          }),
        given: password,
        canAsk: password === undefined,
      },
      ...options,
    });
  }

  get address(): string {
    return peerOf(this.key).address;
  }

  /** The texts of the messages that were shown, in order; lines of a classic server too. */
  get texts(): string[] {
    return this.shown.flatMap((shown) => shown.kind === "message" ? [shown.text] : []);
  }

  /** The texts of the notices and problems that were shown, in order. */
  get notices(): string[] {
    return this.shown.flatMap((shown) => shown.kind === "notice" || shown.kind === "problem" ? [shown.text] : []);
  }

  /** Calls `action` with the session and the present time, if the client is connected. */
  act(action: (session: Session, now: number) => void): void {
    if (this.isConnected) action(this.session, this.#network.now);
  }

  say(text: string): void {
    this.act((session, now) => session.say(text, now));
  }

  /** Gives the client another address, as a restart of its NAT does. The session does not notice. */
  move(key: string): void {
    this.key = key;
  }

  /** Stops the client without a goodbye. If it had a connection, the server notices its end. */
  crash(): void {
    this.isConnected = false;
    if (this.key !== this.address) this.#network.room?.hungUp(peerOf(this.key), this.#network.now);
  }
}

/** A member that speaks in lines over a connection, which loses nothing. */
export class FakeLineMember {
  /** What it has read. */
  readonly lines: string[] = [];
  readonly #network: FakeNetwork;
  readonly #peer: Peer;
  readonly #typed: string[] = [];

  constructor(network: FakeNetwork, key: string) {
    this.#network = network;
    this.#peer = peerOf(key);
  }

  /** Types lines, each of which the room takes when its time has come. */
  type(...lines: string[]): void {
    this.#typed.push(...lines);
    if (this.#typed.length === lines.length) this.#handOver();
  }

  hangUp(): void {
    this.#network.room?.hungUp(this.#peer, this.#network.now);
  }

  #handOver(): void {
    for (const line of [...this.#typed]) {
      const pause = this.#network.room?.receiveLine(line, this.#peer, this.#network.now) ?? 0;
      if (pause > 0) return this.#network.in(pause, () => this.#handOver());
      this.#typed.shift();
    }
  }
}

/** The network, the server and the time. */
export class FakeNetwork implements Delivery {
  now = 1_732_094_000_000;
  readonly clients: FakeClient[] = [];
  readonly statistics = { sent: 0, dropped: 0, duplicated: 0, corrupted: 0 };
  room: Room | undefined;
  /** Is told of each packet that a client sends to the server. */
  toServer: (packet: Packet, client: FakeClient) => void = () => {};
  /** The NATs of the clients that are behind a symmetric one. */
  readonly nats = new SymmetricNats(SERVER);
  readonly #options: FakeNetworkOptions;
  readonly #random: () => number;
  readonly #lineMembers = new Map<string, FakeLineMember>();
  readonly #agenda = new Agenda();
  #recipients = new Set<Recipient>();
  /** The journals of all rooms that the server has opened. The last is the present one's. */
  readonly #journals: FakeJournal[] = [];
  #names = new FakeNames();
  /** The members that a server with a state file would have saved, by their keys in the file. */
  #members = new Map<string, KeptMember>();

  constructor(options: FakeNetworkOptions = {}) {
    this.#options = options;
    this.#random = seededRandom(options.seed ?? 1);
    this.startServer();
  }

  /** All messages of all rooms that the server has opened, in order. */
  get said(): Extract<EventPacket, { type: "INCOMING" }>[] {
    return this.#journals.flatMap(({ kept }) => kept.flatMap((event) => event.type === "INCOMING" ? [event] : []));
  }

  /** Adds a client, which begins to join. A key like `tcp 10.0.1.1:40000` gives it a connection. */
  connect(
    { name, key, relay, password, disk }: {
      name?: string;
      key?: string;
      relay?: boolean;
      password?: string;
      disk?: FakeDisk;
    } = {},
  ): FakeClient {
    const client = new FakeClient(this, key ?? `10.0.1.${this.clients.length + 1}:40000`, {
      name,
      relay,
      password,
      disk,
      random: this.#random,
    });
    this.clients.push(client);
    client.act((session, now) => session.start(now));
    return client;
  }

  /** Adds a member that speaks in lines, by a key like `tcp 10.0.1.1:40000`. */
  connectLines(key: string): FakeLineMember {
    const member = new FakeLineMember(this, key);
    this.#lineMembers.set(key, member);
    this.room?.connected(peerOf(key), this.now);
    return member;
  }

  /** Stops the server: with a goodbye to its members, or without one as `kill -9` does. */
  stopServer({ goodbye = false } = {}): void {
    if (goodbye) this.room?.close();
    this.room = undefined;
    this.#recipients.clear();
  }

  /** Starts the server: with what the last one has kept, or with an empty room. */
  startServer({ remember = false } = {}): void {
    const { room: options, window, late } = this.#options;
    if (!remember || this.#journals.length === 0) {
      const epoch = (this.#journals.length + 1).toString(16).padStart(16, "0");
      this.#journals.push(new FakeJournal({ epoch, window, isLate: late !== undefined }));
      this.#names = new FakeNames({ isLate: late !== undefined });
      this.#members = new Map();
    }
    const journal = this.#journals.at(-1)!, names = this.#names;
    // a log elsewhere may still keep what a server that was killed has appended
    if (this.#random() < 0.5) journal.keep();
    journal.end();
    names.waiting.length = 0;
    const { accounts } = this.#options;
    const protection = accounts && { accounts, crypto: CRYPTO, beginDerivation: () => {} };
    const parts = { delivery: this, journal, names, protection };
    const members = [...this.#members.values()];
    this.room = new Room(
      parts,
      { ...options, members, passKey: journal.epoch.repeat(4), observer: this.#observer() },
      this.now,
    );
    if (late) this.#answerLate(this.room, journal, names, late);
  }

  /** Lets the journal keep batches of events, and lets the names answer, again and again while the room is open. */
  #answerLate(room: Room, journal: FakeJournal, names: FakeNames, late: [number, number]): void {
    if (this.room !== room) return;
    for (const entry of journal.keep(1 + Math.floor(5 * this.#random()))) room.appended(entry, this.now);
    const answer = names.answer();
    if (answer) room.claimed(...answer, this.now);
    const [shortest, longest] = late;
    this.in(Math.round(shortest + this.#random() * (longest - shortest)), () => {
      this.#answerLate(room, journal, names, late);
    });
  }

  /** Schedules an action to run `ms` milliseconds from now. */
  in(ms: number, run: () => void): void {
    this.#agenda.add(this.now + ms, run);
  }

  /** Lets `ms` milliseconds pass. */
  pass(ms: number): void {
    const end = this.now + ms;
    while (this.#nextTime() <= end) this.#step();
    this.now = end;
  }

  /**
   * Lets time pass until a condition is true. The condition is checked after each step.
   *
   * @param deadline Milliseconds.
   * @returns the milliseconds that passed, or undefined when the condition is not true before the deadline.
   */
  passUntil(condition: () => boolean, deadline = 60_000): number | undefined {
    const start = this.now;
    while (!condition()) {
      if (this.#nextTime() > start + deadline) return undefined;
      this.#step();
    }
    return this.now - start;
  }

  join(recipient: Recipient): void {
    this.#recipients.add(recipient);
  }

  leave(recipient: Recipient): void {
    this.#recipients.delete(recipient);
  }

  send({ key, dialect }: Recipient, packet: Packet): void {
    const bytes = encodeInDialect(packet, dialect);
    if (!bytes) return;
    const lines = dialect === "line" ? this.#lineMembers.get(key)?.lines : undefined;
    if (lines) lines.push(...new TextDecoder().decode(bytes).trimEnd().split("\n"));
    else this.#toClient(bytes, key);
  }

  broadcast(packet: V1Packet, except?: Recipient): void {
    const bytes = encodeInDialect(packet, "v1");
    for (const recipient of this.#recipients) {
      if (recipient === except) continue;
      if (recipient.dialect === "line") {
        this.send(recipient, packet);
        continue;
      }
      const copy = recipient.dialect === "v1" ? bytes : encodeInDialect(packet, recipient.dialect);
      if (copy) this.#toClient(copy, recipient.key);
    }
  }

  /** Sends a packet from a client, to the server or to a peer. */
  fromClient(client: FakeClient, packet: Packet, peer: string | undefined): void {
    if (!client.isConnected) return;
    const bytes = encode(packet), { key } = client;
    if (peer !== undefined) return this.#toClient(bytes, peer, client);
    this.toServer(packet, client);
    this.#carry(bytes, this.#options.up, (bytes) => {
      const decoded = decode(bytes);
      if (decoded.ok) this.room?.receive(decoded.packet, peerOf(key), this.now, bytes.length);
      else this.room?.ignore("no-packet");
    });
  }

  /**
   * @param to The key of the client's peer; for what a peer sends, its address.
   * @param sender The client that sends it; none if it is the server.
   */
  #toClient(bytes: Uint8Array, to: string, sender?: FakeClient): void {
    const from = sender ? this.nats.source(sender.address, to) : SERVER;
    this.#carry(bytes, sender ? this.#options.up : this.#options.down, (bytes) => {
      const target = this.nats.target(to, from);
      const client = this.clients.find(({ key, isConnected }) => isConnected && key === target);
      if (!client || sender?.unreachable.has(client)) return;
      client.session.take(bytes, from, this.now);
      const decoded = decode(bytes);
      if (sender || !decoded.ok || decoded.packet.type !== "WELCOME") return;
      if (client.session.state === "joined") client.beganBehind ??= decoded.packet;
    });
  }

  /** Carries a datagram over the network, which may drop, duplicate, delay or damage it. */
  #carry(
    bytes: Uint8Array,
    { drop = 0, duplicate = 0, corrupt = 0, delay: [shortest, longest] = [1, 1] }: Partial<NetworkConditions> = {},
    deliver: (bytes: Uint8Array) => void,
  ): void {
    this.statistics.sent++;
    if (this.#random() < drop) {
      this.statistics.dropped++;
      return;
    }
    let copies = 1;
    if (this.#random() < duplicate) {
      this.statistics.duplicated++;
      copies = 2;
    }
    while (copies-- > 0) {
      let copy = bytes;
      if (this.#random() < corrupt) {
        this.statistics.corrupted++;
        copy = bytes.slice();
        copy[Math.floor(this.#random() * copy.length)] ^= 1 << Math.floor(this.#random() * 8);
      }
      this.in(Math.round(shortest + this.#random() * (longest - shortest)), () => deliver(copy));
    }
  }

  /** Keeps the members, as a state file does. */
  #observer(): MemberObserver {
    const keyOf = ({ token, address }: KeptMember) => token || address;
    const keep = (member: KeptMember & { key: string }) => {
      const { key, address, dialect, token, name, since } = member;
      // no connection outlives the server
      if (key !== address) return void this.#members.delete(keyOf(member));
      this.#members.set(keyOf(member), { address, dialect, token, name, since });
    };
    return { joined: keep, changed: keep, left: (member) => void this.#members.delete(keyOf(member)) };
  }

  /** When the next action or wake is due; Infinity when nothing is due. */
  #nextTime(): number {
    let at = Math.min(this.#agenda.nextAt, this.room?.nextWake ?? Infinity);
    for (const { session, isConnected } of this.clients) {
      if (isConnected) at = Math.min(at, session.nextWake ?? Infinity);
    }
    return Math.max(this.now, Math.ceil(at));
  }

  /** Moves the clock to the next action or wake, and runs all that is due then. */
  #step(): void {
    this.now = this.#nextTime();
    while (this.#agenda.nextAt <= this.now) this.#agenda.runFirst();
    const { room } = this;
    if (room) this.#wake("the room", room);
    for (const { session, isConnected, key } of this.clients) if (isConnected) this.#wake(key, session);
  }

  #wake(who: string, program: { nextWake: number | undefined; wake(now: number): void }): void {
    for (let wakes = 0; (program.nextWake ?? Infinity) <= this.now; wakes++) {
      if (wakes > MAX_WAKES_AT_ONCE) throw new Error(`${who} wants to be woken for ever at ${this.now}`);
      program.wake(this.now);
    }
  }
}
