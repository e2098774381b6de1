/**
 * Numbers the events of the room, keeps a window of recent ones, and schedules heartbeats that show the latest seq.
 *
 * @module
 */
import type { EventPacket, V1Packet } from "../../protocol.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import type { Past } from "./past.ts";

/** An event that has no place on the number line yet. */
export type NewEvent = EventPacket extends infer E
  ? E extends EventPacket ? Omit<E, "dialect" | "epoch" | "seq"> : never
  : never;

/** How many recent events are kept for members that missed them. */
export interface WindowOptions {
  /** The most events. */
  events?: number;
  /** The most bytes that they may take, approximately. */
  bytes?: number;
}

/** The pause between an event and the first heartbeat, in milliseconds; each further pause is twice as long. */
const FIRST_HEARTBEAT_MS = 100;
/** The most heartbeats after an event. Their pauses double, so they go on for 25 s, longer than any keep-alive. */
const MAX_HEARTBEATS = 8;
/** The most datagrams for the heartbeats of one event. At least two heartbeats are sent, even if they take more. */
const HEARTBEAT_DATAGRAMS = 800;

/** The events of the room. The log gives each its seq, and keeps it as long as it fits into the window. */
export class EventLog {
  readonly epoch: string;
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #window = new Map<number, EventPacket>();
  #bytes = 0;
  #seq = 0;
  /** The seq of the earliest event in the window, while there is one. */
  #first = 1;
  #heartbeat: { at: number; pause: number; left: number } | undefined;

  constructor({ events = 10_000, bytes = 8 << 20 }: WindowOptions = {}, past?: Past) {
    this.epoch = past?.epoch ?? randomHex64();
    this.#maxEvents = events;
    this.#maxBytes = bytes;
    for (const event of past?.events ?? []) this.#keep(event);
    this.#seq = past?.seq ?? 0;
  }

  /** The seq of the latest event; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /** The seq of the earliest event that is kept; one more than {@linkcode seq} when none is. */
  get first(): number {
    return this.#seq - this.#window.size + 1;
  }

  /**
   * Gives an event the next place on the number line.
   *
   * @param listeners How many members get the heartbeats: the more there are, the fewer heartbeats are sent.
   */
  append(event: NewEvent, now: number, listeners: number): EventPacket {
    const packet = { dialect: "v1", epoch: this.epoch, seq: ++this.#seq, ...event } as EventPacket;
    this.#keep(packet);
    this.scheduleHeartbeats(now, listeners);
    return packet;
  }

  /** The event with a seq, while the window has it. */
  get(seq: number): EventPacket | undefined {
    return this.#window.get(seq);
  }

  /** Schedules a series of heartbeats, after an event or when members may have missed earlier ones. */
  scheduleHeartbeats(now: number, listeners: number): void {
    const left = Math.max(2, Math.min(MAX_HEARTBEATS, Math.floor(HEARTBEAT_DATAGRAMS / Math.max(1, listeners))));
    this.#heartbeat = { at: now + FIRST_HEARTBEAT_MS, pause: FIRST_HEARTBEAT_MS, left };
  }

  /** When the next heartbeat is due, in milliseconds of the room's clock. */
  get heartbeatAt(): number | undefined {
    return this.#heartbeat?.at;
  }

  /**
   * Takes the heartbeat that is due, if there is one. It shows a member that has lost the latest event that there was
   * one. The pauses grow like those of PGM's source path messages (RFC 3208, section 5.1.5).
   */
  takeHeartbeat(now: number): V1Packet | undefined {
    const beat = this.#heartbeat;
    if (!beat || beat.at > now) return undefined;
    beat.pause *= 2;
    beat.at = now + beat.pause;
    if (--beat.left === 0) this.#heartbeat = undefined;
    return { dialect: "v1", type: "HEARTBEAT", epoch: this.epoch, seq: this.#seq };
  }

  #keep(event: EventPacket): void {
    if (this.#window.size === 0) this.#first = event.seq;
    this.#window.set(event.seq, event);
    this.#bytes += sizeOf(event);
    while (this.#window.size > this.#maxEvents || this.#bytes > this.#maxBytes && this.#window.size > 1) {
      this.#bytes -= sizeOf(this.#window.get(this.#first)!);
      this.#window.delete(this.#first++);
    }
  }
}

/** Roughly how much memory an event takes, in bytes. */
function sizeOf(event: EventPacket): number {
  return 300 + 2 * (event.type === "INCOMING" ? event.text.length : 60 * event.members.length);
}
