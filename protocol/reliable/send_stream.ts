/**
 * What was typed and has not arrived yet: repeated until it is acknowledged, in order.
 *
 * @module
 */
import { SEND_WINDOW } from "../packets.ts";
import { randomHex64 } from "../fields.ts";
import type { RoundTrip } from "./round_trip.ts";

/** What a message says, apart from its number. */
export interface Draft {
  text: string;
  action?: boolean;
}

/** A message with its number, as it goes out. */
export interface OutgoingMessage extends Draft {
  stream: string;
  id: number;
  first: number;
}

interface Waiting extends Draft {
  id: number;
  /** How often it was sent. */
  times: number;
  /** When it was first sent, and when it is to be sent again, in milliseconds. */
  sentAt: number;
  dueAt: number;
}

/** How many messages may wait for the server. */
export const SEND_STREAM_SIZE = 1000;

/**
 * The messages from here to one destination.
 *
 * The ids count up without a gap and the destination gives the messages in that order, so one acknowledgement stands
 * for all before it.
 */
export class SendStream {
  readonly name: string = randomHex64();
  readonly #roundTrip: RoundTrip;
  readonly #send: (message: OutgoingMessage) => void;
  readonly #waiting: Waiting[] = [];
  #nextId = 1;
  #open = false;
  /** How many messages were sent again. */
  repeated = 0;
  /** When the destination last acknowledged something, or the outbox began to wait, in milliseconds. */
  progressAt = 0;

  constructor(roundTrip: RoundTrip, send: (message: OutgoingMessage) => void) {
    this.#roundTrip = roundTrip;
    this.#send = send;
  }

  /** How many messages are not acknowledged. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Whether the destination is taken to be there. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether the oldest message has been sent so often that the destination is probably not there. */
  get isStuck(): boolean {
    return this.#open && this.#waiting.length > 0 && this.#waiting[0].times > 3;
  }

  /** When {@linkcode wake} wants to be called, in milliseconds. */
  get nextWake(): number | undefined {
    if (!this.#open || this.#waiting.length === 0) return undefined;
    return Math.min(...this.#waiting.slice(0, SEND_WINDOW).map(({ dueAt }) => dueAt));
  }

  /** Takes a message and sends it when its turn comes. */
  add(draft: Draft, now: number): void {
    if (this.#waiting.length === 0) this.progressAt = now;
    this.#waiting.push({ ...draft, id: this.#nextId++, times: 0, sentAt: 0, dueAt: now });
    this.wake(now);
  }

  /** The destination is there: what waits goes out, all of it anew. */
  open(now: number): void {
    this.#open = true;
    for (const message of this.#waiting) message.dueAt = now;
    this.wake(now);
  }

  /** The destination is not there: what comes is kept. */
  close(): void {
    this.#open = false;
  }

  /**
   * Keeps message `id` back for `wait` milliseconds, because the destination has asked for it, and each one behind it
   * for as long again: they would only be refused as well.
   */
  hold(id: number, wait: number, now: number): void {
    for (const message of this.#waiting.slice(0, SEND_WINDOW)) {
      if (message.id >= id) message.dueAt = Math.max(message.dueAt, now + (message.id - id + 1) * wait);
    }
  }

  /** The destination has given message `id`, and so all before it; returns those of them that waited for that. */
  acknowledge(stream: string | undefined, id: number, now: number): Draft[] {
    if (stream !== this.name || this.#waiting.length === 0 || id < this.#waiting[0].id) return [];
    if (id >= this.#nextId) return [];
    const index = id - this.#waiting[0].id;
    const { times, sentAt } = this.#waiting[index];
    if (times === 1) this.#roundTrip.sample(now - sentAt);
    const settled = this.#waiting.splice(0, index + 1);
    this.progressAt = now;
    this.wake(now);
    return settled.map(asDraft);
  }

  /** Gives up the message that waits for the longest time, and returns it. */
  takeFirst(): Draft | undefined {
    const first = this.#waiting.shift();
    return first && asDraft(first);
  }

  /** Gives up all that waits, and returns it. */
  clear(): Draft[] {
    return this.#waiting.splice(0).map(asDraft);
  }

  /** Sends what is due, for the first or for a further time. */
  wake(now: number): void {
    if (!this.#open) return;
    for (const message of this.#waiting.slice(0, SEND_WINDOW)) {
      if (message.dueAt > now) continue;
      if (message.times++ === 0) message.sentAt = now;
      else this.repeated++;
      message.dueAt = now + this.#roundTrip.timeout(message.times);
      this.#send({ stream: this.name, id: message.id, first: this.#waiting[0].id, ...asDraft(message) });
    }
  }
}

function asDraft({ text, action }: Draft): Draft {
  return action ? { text, action } : { text };
}
