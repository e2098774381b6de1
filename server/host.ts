/**
 * The host: feeds the room with datagrams, wakes it in time, survives its bugs, and stops it.
 *
 * @module
 */
import { decode, MAX_CLASSIC_BYTES } from "../protocol.ts";
import { Alarm, now } from "../runtime/clock.ts";
import { Failure } from "../runtime/program.ts";
import type { UdpDoor } from "./doors/udp.ts";
import { type NetworkEmulator, PERFECT } from "./doors/network_emulator.ts";
import { BugLog } from "./log.ts";
import { Room, type RoomObserver, type RoomOptions } from "./room/room.ts";

/** What a host is made with. */
export interface HostOptions {
  door: UdpDoor;
  /** What arrives passes through it. */
  emulator: NetworkEmulator;
  room: Omit<RoomOptions, "observer">;
  /** They are told what happens in the room, the first of them first. */
  observers: RoomObserver[];
  /** Called once, when the host begins to stop. */
  stopping: () => void;
}

/** How long the goodbye to the members may take, in milliseconds. */
const STOP_DEADLINE_MS = 1000;
/** The pause before the room is woken again after a bug, in milliseconds: what was due may be due still. */
const WAKE_AGAIN_MS = 1000;

/** One room and the door that leads to it. */
export class Host {
  readonly room: Room;
  readonly #door: UdpDoor;
  readonly #emulator: NetworkEmulator;
  readonly #stopping: () => void;
  readonly #bugs = new BugLog();
  readonly #alarm = new Alarm(() => this.#wake());
  #wakeNotBefore = 0;
  #stopped: Promise<void> | undefined;
  #failure: Failure | undefined;

  constructor({ door, emulator, room, observers, stopping }: HostOptions) {
    this.#door = door;
    this.#emulator = emulator;
    this.#stopping = stopping;
    this.room = new Room(door.delivery, { ...room, observer: combineObservers(observers) }, now());
    this.#alarm.set(this.room.nextWake);
  }

  /** Why the host has stopped by itself; undefined where it was told to. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Handles a datagram from an address. The bytes are read before this returns, or copied. */
  receive(bytes: Uint8Array, from: string): void {
    this.#door.delivery.noteArrival();
    // drops oversized datagrams before they use the emulator's queue
    if (bytes.length > MAX_CLASSIC_BYTES) return this.room.ignore();
    this.#emulator.pass(bytes, (bytes) =>
      this.#run(() => {
        const decoded = decode(bytes);
        if (decoded.ok) this.room.receive(decoded.packet, from, now());
        else this.room.ignore();
      }));
  }

  /** Tells the members that the room closes, and closes the door when that is sent, after 1 s at the latest. */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  async #stop(): Promise<void> {
    this.#stopping();
    this.#alarm.set(undefined);
    // the goodbye waits neither for what a flood has left in the queue, nor for the emulator's delays
    this.#emulator.conditions = PERFECT;
    const { delivery } = this.#door;
    delivery.clear();
    this.room.close();
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([delivery.idle(), new Promise((resolve) => timer = setTimeout(resolve, STOP_DEADLINE_MS))]);
    clearTimeout(timer);
    this.#emulator.close();
    this.#door.close();
  }

  #wake(): void {
    this.#wakeNotBefore = now() + WAKE_AGAIN_MS;
    this.#run(() => {
      this.room.wake(now());
      this.#wakeNotBefore = 0;
    });
  }

  /**
   * Does one step with the room. A failure, of the state file for instance, stops the host; a bug is noted and ends this
   * step only.
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

/** An observer that tells several, in their order. */
function combineObservers(observers: RoomObserver[]): RoomObserver {
  return {
    joined: (...what) => observers.forEach((observer) => observer.joined?.(...what)),
    changed: (...what) => observers.forEach((observer) => observer.changed?.(...what)),
    left: (...what) => observers.forEach((observer) => observer.left?.(...what)),
    happened: (...what) => observers.forEach((observer) => observer.happened?.(...what)),
  };
}
