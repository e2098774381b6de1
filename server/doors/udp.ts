/**
 * The UDP door: the sockets that the server listens on. A broadcast to many takes few system calls, and pauses so that
 * arriving datagrams do not wait long.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { type DatagramDialect, type Dialect, MAX_CLASSIC_BYTES } from "../../protocol.ts";
import type { IPNetwork } from "../../protocol/ip_network.ts";
import { now } from "../../runtime/clock.ts";
import type { Recipient } from "../room/delivery.ts";
import { type Broadcast, BroadcastQueue } from "./broadcast_queue.ts";
import type { DatagramKeeper, Door, DoorStatistics } from "./door.ts";
import { Neighbours } from "./neighbours.ts";
import { type NetworkEmulator, PERFECT } from "./network_emulator.ts";
import { type OpenedSocket, openSockets, type OwnSockets } from "./own_sockets.ts";
import { UdpSocket } from "./udp_socket.ts";

/** How long {@linkcode UdpDoor.close} waits for what is still to be sent, in milliseconds. */
const CLOSE_DEADLINE_MS = 1000;
/** The most unicasts in the queue. */
const MAX_WAITING_UNICASTS = 20_000;
/**
 * A large broadcast pauses for arriving datagrams after this many copies. To send this many takes a millisecond or two.
 */
const COPIES_PER_PORTION = 512;
/** The most copies that are sent at the same time when each copy has its own system call. */
const SINGLE_COPIES_AT_ONCE = 64;

/**
 * A pause ends after this many turns of the event loop in which nothing arrived. One turn is not enough, because it
 * only asks the system for datagrams.
 */
const IDLE_TURNS = 12;

/** Pause between two looks at the addresses of this machine, and at its neighbours, in milliseconds. */
const LOOK_AGAIN_MS = 3000;
/** The most addresses that get a socket of their own. Any others are served by the first socket. */
const MAX_OWN_SOCKETS = 64;

/**
 * The most answers to addresses that may be forged that are being sent at the same time. Without the system's call for
 * many at once it is not known whether a socket is full, and others must not wait behind these.
 */
const MAX_UNAWAITED = 64;

/** A datagram for one recipient. */
type Unicast = Pick<Recipient, "address" | "validated" | "via"> & { bytes: Uint8Array };

/** What the door finds out about this machine. */
export interface UdpDoorOptions {
  /** Opens sockets for the addresses of this machine, if the socket is a wildcard one. */
  own?: OwnSockets;
  /** Returns the networks that this machine is in. Default: not known. */
  localNetworks?: () => readonly IPNetwork[];
}

/**
 * The UDP sockets, and the emulator that all datagrams pass through.
 *
 * A broadcast to many is cut into portions. Between two portions the datagrams that have arrived are handled, so that a
 * large room does not keep a newcomer waiting, and what is said in version 1 goes before classic copies. All other
 * recipients still get their copy if one can't be reached.
 *
 * Whoever came by the socket of one address gets everything by that socket. When the address is gone, the first socket
 * takes over.
 */
export class UdpDoor implements Door {
  readonly scheme = "";
  readonly emulator: NetworkEmulator;
  /** How broadcasts are sent, as one line of text. */
  readonly method: string;
  readonly #first: UdpSocket;
  /** The sockets of single addresses of this machine. */
  readonly #byAddress = new Map<string, UdpSocket>();
  /** All of them, the first one first. */
  #sockets: UdpSocket[] = [];
  /** Whether all of them send to many at once. */
  #isFast = false;
  readonly #own: OwnSockets | undefined;
  readonly #neighbours: Neighbours;
  readonly #unicasts: Unicast[] = [];
  readonly #v1Broadcasts: BroadcastQueue;
  /** Both classic dialects, in one order. */
  readonly #classicBroadcasts: BroadcastQueue;
  readonly #statistics: DoorStatistics = { sent: 0, failed: 0, dropped: 0 };
  #arrived = 0;
  /** What the sockets have lost that are closed by now. */
  #inboundDrops = 0;
  #sendingUnicasts: Promise<void> | undefined;
  /** What is being sent to addresses at which nobody may be: nothing else waits for it. */
  readonly #unawaited = new Set<Promise<void>>();
  #receive: ((socket: UdpSocket) => void) | undefined;
  #lookingAgain: ReturnType<typeof setTimeout> | undefined;

  /** @param opened The first socket. */
  constructor(
    { socket, fast }: OpenedSocket,
    emulator: NetworkEmulator,
    { own, localNetworks = () => [] }: UdpDoorOptions = {},
  ) {
    this.emulator = emulator;
    this.method = "reason" in fast ? `Sending one by one: ${fast.reason}` : "Sending to many at once by sendmmsg";
    const read = () => "reason" in fast ? undefined : fast.neighbours();
    const neighbours = this.#neighbours = new Neighbours({ read, localNetworks });
    this.#first = new UdpSocket(socket, { fast: "reason" in fast ? undefined : fast, neighbours });
    this.#listSockets();
    const sender = {
      begin: (broadcast: Broadcast) => this.#begin(broadcast),
      remaining: (dialect: DatagramDialect) => this.#remaining(dialect),
      sendPortion: (broadcast: Broadcast) => this.#sendPortion(broadcast),
      pause: (milliseconds: number) => this.#pauseForArrivals(milliseconds),
    };
    this.#v1Broadcasts = new BroadcastQueue(sender);
    this.#classicBroadcasts = new BroadcastQueue(sender, this.#v1Broadcasts);
    this.#own = own;
    this.#followAddresses();
  }

  /** The address that it listens on. */
  get address(): Deno.NetAddr {
    return this.#first.address;
  }

  /** How many datagrams have arrived, before the emulator. */
  get arrived(): number {
    return this.#arrived;
  }

  /** How many datagrams were lost because a receive buffer was full; 0 if the system does not report it. */
  get inboundDrops(): number {
    return this.#sockets.reduce((sum, { inboundDrops }) => sum + inboundDrops, this.#inboundDrops);
  }

  get statistics(): DoorStatistics {
    const { sent, failed, dropped } = this.#statistics;
    // `sent` includes the copies that a table skipped because they could not be sent
    const skipped = this.#sockets.reduce((sum, { skipped }) => sum + skipped, 0);
    return { sent: sent - skipped, failed: failed + skipped, dropped };
  }

  /** Passes what arrives to the keeper, through the emulator. */
  async run(keeper: DatagramKeeper): Promise<void> {
    const receiving = new Set<Promise<void>>();
    this.#receive = (socket) => {
      const done: Promise<void> = this.#receiveFrom(socket, keeper).finally(() => receiving.delete(done));
      receiving.add(done);
    };
    for (const socket of this.#sockets) this.#receive(socket);
    if (this.#own || this.#first.isFast) this.#lookAgain();
    while (receiving.size > 0) await Promise.all(receiving);
    clearTimeout(this.#lookingAgain);
  }

  size(dialect: Dialect): number {
    if (dialect === "line") return 0;
    let sum = 0;
    for (const socket of this.#sockets) sum += socket.size(dialect);
    return sum;
  }

  join(recipient: Recipient): void {
    this.#socketOf(recipient.via).join(recipient);
  }

  leave(recipient: Recipient): void {
    this.#socketOf(recipient.via).leave(recipient);
  }

  send({ address, validated, via }: Recipient, bytes: Uint8Array): void {
    if (this.#unicasts.length + this.#unawaited.size >= MAX_WAITING_UNICASTS) {
      this.#statistics.dropped++;
      return;
    }
    this.#unicasts.push({ address, validated, via, bytes });
    if (this.#sendingUnicasts) return;
    this.#sendingUnicasts = this.#sendUnicasts();
  }

  broadcast(bytes: Uint8Array, dialect: Dialect, except?: Recipient): void {
    if (dialect === "line") return;
    const queue = dialect === "v1" ? this.#v1Broadcasts : this.#classicBroadcasts;
    if (!queue.push({ dialect, bytes, except })) this.#statistics.dropped += this.size(dialect);
  }

  /** Drops the broadcasts that have not begun and ends the emulation, so that a goodbye goes out at once. */
  prepareToClose(): void {
    this.emulator.conditions = { ...PERFECT };
    this.#v1Broadcasts.dropWaiting();
    this.#classicBroadcasts.dropWaiting();
  }

  async close(): Promise<void> {
    clearTimeout(this.#lookingAgain);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const deadline = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_DEADLINE_MS));
    await Promise.race([this.idle(), deadline]);
    clearTimeout(timer);
    this.emulator.close();
    for (const socket of this.#sockets) socket.close();
  }

  /** Resolves when the queues are empty. */
  async idle(): Promise<void> {
    const queues = [this.#v1Broadcasts, this.#classicBroadcasts];
    while (this.#sendingUnicasts || this.#unawaited.size > 0 || queues.some(({ sending }) => sending)) {
      await Promise.all([this.#sendingUnicasts, ...this.#unawaited, ...queues.map(({ sending }) => sending)]);
    }
  }

  #lookAgain(): void {
    this.#lookingAgain = setTimeout(() => {
      this.#followAddresses();
      // who is there now is known when it is not there later
      this.#neighbours.look(now());
      this.#lookAgain();
    }, LOOK_AGAIN_MS);
  }

  /** Opens sockets for new addresses of this machine, and closes those of addresses that are gone. */
  #followAddresses(): void {
    const addresses = this.#own?.addresses();
    if (!this.#own || !addresses) return;
    const wanted = new Set(addresses.slice(0, MAX_OWN_SOCKETS));
    for (const [via, socket] of this.#byAddress) if (!wanted.has(via)) this.#removeSocket(via, socket);
    for (const via of wanted) {
      if (this.#byAddress.has(via)) continue;
      const opened = this.#own.open(via);
      if (!opened) continue;
      const fast = "reason" in opened.fast ? undefined : opened.fast;
      const socket = new UdpSocket(opened.socket, { fast, neighbours: this.#neighbours, via });
      this.#byAddress.set(via, socket);
      this.#listSockets();
      this.#moveRecipients(this.#first, socket);
      this.#receive?.(socket);
    }
  }

  #listSockets(): void {
    this.#sockets = [this.#first, ...this.#byAddress.values()];
    this.#isFast = this.#sockets.every(({ isFast }) => isFast);
  }

  #removeSocket(via: string, socket: UdpSocket): void {
    this.#byAddress.delete(via);
    this.#listSockets();
    this.#moveRecipients(socket, this.#first);
    this.#statistics.sent -= socket.skipped;
    this.#statistics.failed += socket.skipped;
    this.#inboundDrops += socket.inboundDrops;
    socket.close();
  }

  /** Moves the recipients to another socket that are to be reached by it now. They miss a broadcast that is under way. */
  #moveRecipients(from: UdpSocket, to: UdpSocket): void {
    for (const recipient of from.list()) {
      if (this.#socketOf(recipient.via) !== to) continue;
      from.leave(recipient);
      to.join(recipient);
    }
  }

  #socketOf(via: string | undefined): UdpSocket {
    return via === undefined ? this.#first : this.#byAddress.get(via) ?? this.#first;
  }

  #receiveFrom(socket: UdpSocket, keeper: DatagramKeeper): Promise<void> {
    const { via } = socket;
    return socket.receive((bytes, from) => {
      this.#arrived++;
      const peer = { key: from, address: from, validated: false, direct: true, via };
      // a datagram that is refused anyway takes no place in the emulator's queue
      if (bytes.length > MAX_CLASSIC_BYTES) keeper.receive(bytes, peer);
      else this.emulator.pass(bytes, (bytes) => keeper.receive(bytes, peer));
    });
  }

  async #sendUnicasts(): Promise<void> {
    // unicasts that are queued in the same turn of the event loop go out in the same portion
    await Promise.resolve();
    while (this.#unicasts.length > 0) {
      const portion = this.#unicasts.splice(0, SINGLE_COPIES_AT_ONCE);
      await Promise.all(portion.map((unicast) => this.#sendUnicast(unicast)));
    }
    this.#sendingUnicasts = undefined;
  }

  /** Sends a datagram to one recipient, or drops it where it would keep others waiting. */
  #sendUnicast(unicast: Unicast): Promise<void> | undefined {
    const { address, validated, via, bytes } = unicast;
    const socket = this.#socketOf(via);
    const isLost = !validated && !socket.isFast && this.#unawaited.size >= MAX_UNAWAITED;
    if (isLost || !socket.admits(unicast, bytes)) {
      this.#statistics.dropped++;
      return undefined;
    }
    const sending = this.#sendThroughEmulator(bytes, address, via);
    if (validated) return sending;
    this.#sendUnawaited(sending);
  }

  /** Lets a datagram be sent that nothing else waits for. */
  #sendUnawaited(sending: Promise<void>): void {
    const ended: Promise<void> = sending.finally(() => this.#unawaited.delete(ended));
    this.#unawaited.add(ended);
  }

  #begin({ dialect, bytes, except }: Broadcast): void {
    for (const socket of this.#sockets) {
      for (const { address, via } of socket.begin(dialect, bytes, except)) {
        this.#sendUnawaited(this.#sendThroughEmulator(bytes, address, via));
      }
    }
  }

  #remaining(dialect: DatagramDialect): number {
    let sum = 0;
    for (const socket of this.#sockets) sum += socket.remaining(dialect);
    return sum;
  }

  /** Sends a portion of a broadcast. Returns undefined if the next can follow at once, otherwise a promise to await. */
  #sendPortion({ dialect, bytes }: Broadcast): Promise<unknown> | undefined {
    const isFast = this.#isFast && this.emulator.isPerfect;
    const remaining = this.#remaining(dialect);
    // the last two portions go out as one, so a broadcast in a room of up to a thousand is a single portion
    const fastCopies = remaining <= 2 * COPIES_PER_PORTION ? remaining : COPIES_PER_PORTION;
    let left = isFast ? fastCopies : SINGLE_COPIES_AT_ONCE;
    const underWay: Promise<void>[] = [];
    for (const socket of this.#sockets) {
      if (socket.remaining(dialect) === 0 || left === 0) continue;
      if (isFast) {
        const { sent, wait } = socket.sendNext(dialect, bytes, left);
        if (wait) underWay.push(wait);
        this.#statistics.sent += sent;
        left -= sent;
      } else {
        const next = socket.takeNext(dialect, left);
        for (const address of next) underWay.push(this.#sendThroughEmulator(bytes, address, socket.via));
        left -= next.length;
      }
    }
    return underWay.length > 0 ? Promise.all(underWay) : undefined;
  }

  /** Lets the event loop handle arrived datagrams, for as long as the last portion took, or until none is left. */
  async #pauseForArrivals(milliseconds: number): Promise<void> {
    const until = performance.now() + milliseconds;
    for (let idleTurns = 0; idleTurns < IDLE_TURNS && performance.now() < until;) {
      const before = this.#arrived;
      await new Promise<void>((resolve) => setImmediate(resolve));
      idleTurns = this.#arrived === before && this.#unicasts.length === 0 ? idleTurns + 1 : 0;
    }
  }

  async #sendThroughEmulator(bytes: Uint8Array, address: string, via: string | undefined): Promise<void> {
    if (this.emulator.isPerfect) return await this.#sendDatagram(bytes, address, via);
    this.emulator.pass(bytes, (bytes) => void this.#sendDatagram(bytes, address, via));
  }

  async #sendDatagram(bytes: Uint8Array, address: string, via: string | undefined): Promise<void> {
    try {
      await this.#socketOf(via).send(bytes, address);
      this.#statistics.sent++;
    } catch {
      // the error concerns only this address, or it occurs again with the next datagram
      this.#statistics.failed++;
    }
  }
}

/**
 * Opens the server's sockets.
 *
 * @throws {UsageError} if the host is not an address of this machine, or Deno runs without UDP.
 * @throws {Failure} if the port can't be used.
 */
export function openUdpDoor(
  host: string,
  port: number,
  emulator: NetworkEmulator,
  localNetworks?: () => readonly IPNetwork[],
): UdpDoor {
  const { own, ...opened } = openSockets(host, port);
  return new UdpDoor(opened, emulator, { own, localNetworks });
}
