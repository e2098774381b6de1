/**
 * The host passes packets to the room, wakes the room in time, logs its bugs, and stops it.
 *
 * @module
 */
import { decode } from "../protocol.ts";
import type { Derivation } from "../protocol/crypto_functions.ts";
import { earlier } from "../protocol/earliest.ts";
import { TokenBucket, type TokenBucketOptions } from "../protocol/reliable/token_bucket.ts";
import { CRYPTO, derive } from "../runtime/crypto.ts";
import { Alarm, now } from "../runtime/clock.ts";
import { Failure } from "../runtime/program.ts";
import type { Trace } from "../runtime/trace.ts";
import type { Dismissal, DoorKeeper } from "./doors/door.ts";
import type { Doors } from "./doors/doors.ts";
import { dismissalWords, explain } from "./ignored_words.ts";
import type { Entry, Journal } from "./journal/journal.ts";
import { BugLog } from "./log.ts";
import type { MemberObserver } from "./room/admission.ts";
import { refusalAtSight } from "./room/first_look.ts";
import { Ignored } from "./room/ignored.ts";
import type { Accounts } from "./room/accounts.ts";
import type { KeptOrder } from "./room/order_keeping.ts";
import type { OrderAnswer } from "./room/orders.ts";
import type { NameClaim, Names } from "./room/names.ts";
import type { Peer } from "./room/peer.ts";
import { Room } from "./room/room.ts";
import type { RoomOptions } from "./room/room_options.ts";

/** Options of {@linkcode Host}. */
export interface HostOptions {
  doors: Doors;
  journal: Journal;
  /** Default: the names of this server alone. */
  names?: Names;
  /** The protected names. Default: none. */
  accounts?: Accounts;
  /** What an earlier run has kept of the room's order, and what keeps it. Default: nothing. */
  order?: KeptOrder;
  /** Prints a line on the server's terminal. Default: nothing is printed. */
  tellTerminal?: (line: string) => void;
  room: Omit<RoomOptions, "observer">;
  /** They are told who comes, changes and goes, in the order of this list. */
  observers: MemberObserver[];
  /** Told of all that had no effect. */
  trace?: Trace;
  /** Called once, when the host begins to stop. */
  stopping: () => void;
}

/**
 * The pause after a bug before the room is woken again, in milliseconds. Without it, an action that is still due would
 * wake the room again at once.
 */
const WAKE_AGAIN_MS = 1000;

/**
 * How many datagrams a second are taken from all addresses together that have not joined, and from those of members
 * without their tokens, or more than a classic member needs, which anybody may have forged. Most of a flood is dropped
 * before it is read; a newcomer repeats its greeting.
 */
const STRANGERS_RATE: TokenBucketOptions = { rate: 10_000, burst: 2000 };

/** One room, and the doors that its packets pass through. */
export class Host implements DoorKeeper {
  readonly room: Room;
  readonly #doors: Doors;
  readonly #stopping: () => void;
  readonly #trace: Trace | undefined;
  readonly #ignored = new Ignored();
  readonly #bugs = new BugLog();
  readonly #alarm = new Alarm(() => this.#wake());
  readonly #strangers = new TokenBucket(STRANGERS_RATE, now());
  #wakeNotBefore = 0;
  #stopped: Promise<void> | undefined;
  #failure: Failure | undefined;

  constructor(
    { doors, journal, names, accounts, order, tellTerminal, room, observers, trace, stopping }: HostOptions,
  ) {
    this.#doors = doors;
    this.#trace = trace;
    this.#stopping = stopping;
    const observer = combineObservers(observers);
    const beginDerivation = (derivation: Derivation) => void this.#derive(derivation);
    const protection = accounts && { accounts, crypto: CRYPTO, beginDerivation };
    const parts = { delivery: doors, journal, names, order, ignored: this.#ignored, protection, tellTerminal };
    this.room = new Room(parts, { ...room, observer }, now());
    this.#alarm.set(this.room.nextWake);
  }

  /** The failure that stopped the host; undefined if there was none. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  receive(bytes: Uint8Array, peer: Peer): void {
    const time = now();
    this.#run(() => {
      // to read a packet and to check a cookie takes time, which a flood of strangers must not take from the members
      const isFromStranger = this.room.isFromStranger(bytes, peer, time);
      this.#ignored.last = undefined;
      this.#receive(bytes, peer, isFromStranger, time);
      this.#traceRemark(bytes, peer, isFromStranger);
    });
  }

  connected(peer: Peer): boolean {
    return this.#run(() => this.room.connected(peer, now()), false);
  }

  receiveLine(line: string, peer: Peer): number {
    return this.#run(() => {
      this.#ignored.last = undefined;
      const pause = this.room.receiveLine(line, peer, now());
      this.#traceRemark(line, peer, false);
      return pause;
    }, 0);
  }

  dismissed({ address }: Peer, why: Dismissal): void {
    this.#run(() => {
      if (why === "too much") this.room.ignore("fast-lines");
      this.#trace?.note({ address, why: dismissalWords(why) }, now());
    });
  }

  #receive(bytes: Uint8Array, peer: Peer, isFromStranger: boolean, time: number): void {
    if (isFromStranger && this.#strangers.take(STRANGERS_RATE, time) > 0) return this.room.ignore("flood");
    const refusal = refusalAtSight(bytes);
    if (refusal) return this.room.ignore(refusal);
    const decoded = decode(bytes);
    if (decoded.ok) this.room.receive(decoded.packet, peer, time, bytes.length);
    else this.room.ignore("no-packet");
  }

  /** Hands what the room has remarked to the trace, with the datagram, or the line, that it is about. */
  #traceRemark(what: Uint8Array | string, peer: Peer, isFromStranger: boolean): void {
    const { last } = this.#ignored;
    if (last === undefined || !this.#trace?.isOn) return;
    const { address } = peer, isHeld = last.reason === "held";
    const why = () => explain(last, { address, what, greeted: this.room.classicMemberAt(peer)?.address });
    this.#trace.note({ address, what, why, isHeld, isFromStranger }, now());
  }

  hungUp(peer: Peer): void {
    this.#run(() => this.room.hungUp(peer, now()));
  }

  /** Carries out an order from the server's terminal. */
  order(line: string): OrderAnswer {
    return this.#run(() => this.room.order(line, now()), { isDone: false, text: "That did not work" });
  }

  /** Handles an event that a journal has kept later. */
  appended(entry: Entry): void {
    this.#run(() => this.room.appended(entry, now()));
  }

  /** Handles an answer of names that came later. */
  claimed(claim: NameClaim, isGranted: boolean): void {
    this.#run(() => this.room.claimed(claim, isGranted, now()));
  }

  /** Hashes a password beside the room's work. */
  async #derive(derivation: Derivation): Promise<void> {
    const saltedPassword = await derive(derivation).catch((error) => {
      this.#bugs.note(error, now());
      return undefined;
    });
    this.#run(() => this.room.derived(saltedPassword, now()));
  }

  /** Stops because of a failure, for instance of a journal that could not keep an event later. */
  fail(failure: Failure): void {
    this.#run(() => {
      throw failure;
    });
  }

  /** Tells the members that the room closes. Closes the doors when that is sent, after 1 s at the latest. */
  stop(): Promise<void> {
    if (!this.#stopped) {
      // set before anything is called that may stop the host again
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#stopped = promise;
      this.#stop().then(resolve, reject);
    }
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopping();
    this.#alarm.set(undefined);
    if (this.#trace) this.#trace.isOn = false;
    // the goodbye must not wait for the broadcasts that a flood has queued, or for the emulator's delays
    this.#doors.prepareToClose();
    this.room.close();
    await this.#doors.close();
  }

  #wake(): void {
    this.#wakeNotBefore = now() + WAKE_AGAIN_MS;
    this.#run(() => {
      this.room.wake(now());
      this.#trace?.wake(now());
      this.#wakeNotBefore = 0;
    });
  }

  /**
   * Runs one step of the room. A {@linkcode Failure}, for instance of the state file, stops the host. A bug is logged
   * and ends this step only.
   *
   * @returns What the step returns, or `otherwise` if it did not end well.
   */
  #run(step: () => void): void;
  #run<T>(step: () => T, otherwise: T): T;
  #run<T>(step: () => T, otherwise?: T): T | undefined {
    if (this.#stopped) return otherwise;
    let result = otherwise;
    try {
      result = step();
    } catch (error) {
      if (error instanceof Failure) {
        this.#failure = error;
        this.stop();
        return otherwise;
      }
      this.#bugs.note(error, now());
    }
    const wakeAt = earlier(this.room.nextWake, this.#trace?.nextWake);
    this.#alarm.set(wakeAt === undefined ? undefined : Math.max(wakeAt, this.#wakeNotBefore));
    return result;
  }
}

/** Returns an observer that tells several observers, in their order. */
function combineObservers(observers: MemberObserver[]): MemberObserver {
  return {
    joined: (...args) => observers.forEach((observer) => observer.joined?.(...args)),
    changed: (...args) => observers.forEach((observer) => observer.changed?.(...args)),
    left: (...args) => observers.forEach((observer) => observer.left?.(...args)),
    refused: (...args) => observers.forEach((observer) => observer.refused?.(...args)),
  };
}
