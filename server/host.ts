/**
 * The host passes datagrams to the room, wakes the room in time, logs its bugs, and stops it.
 *
 * @module
 */
import { decode, MAX_CLASSIC_BYTES } from "../protocol.ts";
import { Alarm, now } from "../runtime/clock.ts";
import { Failure } from "../runtime/program.ts";
import type { UdpDoor } from "./doors/udp.ts";
import { BugLog } from "./log.ts";
import { Room, type RoomObserver, type RoomOptions } from "./room/room.ts";

/** Options of {@linkcode Host}. */
export interface HostOptions {
  door: UdpDoor;
  room: Omit<RoomOptions, "observer">;
  /** They are told of every event in the room, in the order of this list. */
  observers: RoomObserver[];
  /** Called once, when the host begins to stop. */
  stopping: () => void;
}

/**
 * The pause after a bug before the room is woken again, in milliseconds. Without it, an action that is still due would
 * wake the room again at once.
 */
const WAKE_AGAIN_MS = 1000;

/** One room, and the UDP door that its datagrams pass through. */
export class Host {
  readonly room: Room;
  readonly #door: UdpDoor;
  readonly #stopping: () => void;
  readonly #bugs = new BugLog();
  readonly #alarm = new Alarm(() => this.#wake());
  #wakeNotBefore = 0;
  #stopped: Promise<void> | undefined;
  #failure: Failure | undefined;

  constructor({ door, room, observers, stopping }: HostOptions) {
    this.#door = door;
    this.#stopping = stopping;
    this.room = new Room(door.delivery, { ...room, observer: combineObservers(observers) }, now());
    this.#alarm.set(this.room.nextWake);
  }

  /** The failure that stopped the host; undefined if there was none. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Handles a datagram from an address. The bytes are read before this returns, or copied. */
  receive(bytes: Uint8Array, from: string): void {
    // drops oversized datagrams before they use the emulator's queue
    if (bytes.length > MAX_CLASSIC_BYTES) return this.room.ignore();
    this.#door.emulator.pass(bytes, (bytes) =>
      this.#run(() => {
        const decoded = decode(bytes);
        if (decoded.ok) this.room.receive(decoded.packet, from, now());
        else this.room.ignore();
      }));
  }

  /** Tells the members that the room closes. Closes the door when that is sent, after 1 s at the latest. */
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
    // the goodbye must not wait for the broadcasts that a flood has queued, or for the emulator's delays
    this.#door.prepareToClose();
    this.room.close();
    await this.#door.close();
  }

  #wake(): void {
    this.#wakeNotBefore = now() + WAKE_AGAIN_MS;
    this.#run(() => {
      this.room.wake(now());
      this.#wakeNotBefore = 0;
    });
  }

  /**
   * Runs one step of the room. A {@linkcode Failure}, for instance of the state file, stops the host. A bug is logged
   * and ends this step only.
   */
  #run(step: () => void): void {
    if (this.#stopped) return;
    try {
      step();
    } catch (error) {
      if (error instanceof Failure) {
        this.#failure = error;
        this.stop();
        return;
      }
      this.#bugs.note(error, now());
    }
    const wakeAt = this.room.nextWake;
    this.#alarm.set(wakeAt === undefined ? undefined : Math.max(wakeAt, this.#wakeNotBefore));
  }
}

/** Returns an observer that tells several observers, in their order. */
function combineObservers(observers: RoomObserver[]): RoomObserver {
  return {
    joined: (...args) => observers.forEach((observer) => observer.joined?.(...args)),
    changed: (...args) => observers.forEach((observer) => observer.changed?.(...args)),
    left: (...args) => observers.forEach((observer) => observer.left?.(...args)),
    happened: (...args) => observers.forEach((observer) => observer.happened?.(...args)),
  };
}
