/**
 * The sending end of a stream: keeps the messages in order and repeats them until they are acknowledged.
 *
 * @module
 */
import { randomHex64 } from "../fields.ts";
import { SEND_WINDOW } from "../packets.ts";
import { printable } from "../text.ts";
import { copyCount, pauseBefore } from "./copies.ts";
import type { LossEstimate } from "./loss_estimate.ts";
import type { RoundTrip } from "./round_trip.ts";

/** A message without its number. */
export interface Draft {
  text: string;
  action?: boolean;
}

/** A message that is given up, and whether a copy of it was ever sent: then it may have arrived. */
export type AbandonedDraft = Draft & { wasSent: boolean };
/** A message that is settled, with its number. */
export interface SettledMessage extends Draft {
  id: number;
}

/** A message with its number, as it is sent. */
export interface OutgoingMessage extends Draft {
  stream: string;
  id: number;
  /** The lowest id that is not settled; missing when it is `id`. */
  first?: number;
  /** When it was said, in milliseconds. */
  saidAt: number;
}

interface PendingMessage extends Draft {
  id: number;
  /** When it was said, in milliseconds. */
  saidAt: number;
  /** Whether it was ever sent, in this stream or under an earlier name of it. */
  wasSent: boolean;
  /** How often it was sent in this stream. */
  times: number;
  /** When it was last sent, in milliseconds. */
  sentAt: number;
  /** How often it was tried: sendings between which nothing was settled count as one, as maybe nothing gets through. */
  tries: number;
  /** Whether it was the oldest when it was first sent, so that it had to wait for no other one. */
  wasOldest: boolean;
  /** When it is to be sent next, in milliseconds. */
  dueAt: number;
  /** Until when it waits for its turn at the destination, in milliseconds. */
  heldUntil: number;
}

/**
 * After so many tries a message that is not the oldest is taken for received: the destination holds it until its turn
 * comes. At 30% loss, one of four arrives 99 times in 100.
 */
const TRIES = 4;
/**
 * The shortest pause before such a message is sent again, in milliseconds. The oldest one is the probe: if only its answer
 * is late, or the destination is busy, the others need not be sent again (RFC 9002, section 6.2.4).
 */
const OTHERS_PAUSE_MS = 100;
/** The longest time without an answer that ends a flow of answers, in milliseconds. */
const MAX_FLOW_PAUSE_MS = 20;
/** The longest pause before such a message is sent again all the same, in milliseconds. */
const LONGEST_PAUSE_MS = 10_000;
/**
 * From which timeout on further copies go out before it, in milliseconds. A shorter timeout repeats a message nearly
 * as soon as a further copy would, and only if it has no answer.
 */
const LONG_TIMEOUT_MS = 32;
/** The pause before a message is sent again that waits at the destination for one before it, in milliseconds. */
const MISSING_PAUSE_MS = 1000;
/** Without progress for so long it is probably unreachable, in milliseconds. A slow destination takes one a second. */
const STUCK_MS = 1500;
/** The shortest time from one restart of a stream to the next, in milliseconds. */
const RESTART_PAUSE_MS = 1000;

/** How many messages may wait for an acknowledgement of the server. */
export const SEND_STREAM_SIZE = 1000;

/**
 * The messages from this program to one destination.
 *
 * The ids count up without a gap, and the destination takes the messages in that order. So the acknowledgement of one
 * message also acknowledges all messages before it. A message can be settled before those that were said earlier;
 * `first` tells the destination what it need not wait for.
 */
export class SendStream {
  readonly #roundTrip: RoundTrip;
  readonly #loss: Pick<LossEstimate, "curable"> | undefined;
  readonly #waiting: PendingMessage[] = [];
  #name = randomHex64();
  #nextId = 1;
  #restartedAt = -Infinity;
  #open = false;
  #openedAt = -Infinity;
  /** How many messages were sent again. */
  repeated = 0;
  /** When the destination last acknowledged a message, or an empty stream got its first message, in milliseconds. */
  progressAt = 0;

  /** @param loss What is lost on the way: if it is much, further copies do not wait for the round trip. */
  constructor(roundTrip: RoundTrip, loss?: Pick<LossEstimate, "curable">) {
    this.#roundTrip = roundTrip;
    this.#loss = loss;
  }

  /** 64 random bits that identify the stream. */
  get name(): string {
    return this.#name;
  }

  /** How many messages are not acknowledged. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Whether the destination is believed to be reachable. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether the destination has taken nothing for so long that it is probably unreachable. */
  isStuck(now: number): boolean {
    return this.#open && this.#waiting.length > 0 && now >= Math.max(this.progressAt, this.#openedAt) + STUCK_MS;
  }

  /** When {@linkcode wake} must be called next, in milliseconds; undefined when there is nothing to send. */
  get nextWake(): number | undefined {
    if (!this.#open || this.#waiting.length === 0) return undefined;
    return Math.min(...this.#window.map(({ dueAt }) => dueAt));
  }

  /**
   * Takes a message, which is due when its turn comes.
   *
   * @param saidAt When it was said, in milliseconds, if not just now.
   */
  add(draft: Draft, now: number, saidAt: number = now): void {
    if (this.#waiting.length === 0) this.progressAt = now;
    const unsent = { wasSent: false, times: 0, sentAt: 0, tries: 0, wasOldest: false, dueAt: now, heldUntil: 0 };
    this.#waiting.push({ ...draft, id: this.#nextId++, saidAt, ...unsent });
  }

  /** Takes back the messages at the end that were never sent; returns how many. */
  withdraw(): number {
    let count = 0;
    for (; this.#waiting.at(-1)?.wasSent === false; count++) this.#waiting.pop();
    this.#nextId -= count;
    return count;
  }

  /** Opens the stream because the destination is reachable. All waiting messages become due at once. */
  open(now: number): void {
    this.#open = true;
    this.#openedAt = now;
    for (const message of this.#waiting) Object.assign(message, { tries: 0, dueAt: now, heldUntil: 0 });
  }

  /** Closes the stream because the destination is unreachable. Messages are kept and not sent. */
  close(): void {
    this.#open = false;
  }

  /** Handles an acknowledgement of message `id` and of all before it. Returns the messages that it settles. */
  acknowledge(stream: string | undefined, id: number, now: number): SettledMessage[] {
    if (stream !== this.#name || id >= this.#nextId) return [];
    const later = this.#waiting.findIndex((message) => message.id > id);
    const end = later < 0 ? this.#waiting.length : later;
    // nobody can have got what was not sent yet
    if (this.#waiting[end - 1]?.times === 0) return [];
    return this.#remove(0, end, id, now);
  }

  /**
   * Handles an answer to message `id` alone: its copy has come back, or the destination will never take it. Returns the
   * message; undefined if it does not wait any more, or was not sent yet and so can have no answer.
   */
  settle(id: number, now: number): SettledMessage | undefined {
    const place = this.#waiting.findIndex((message) => message.id === id && message.times > 0);
    return place < 0 ? undefined : this.#remove(place, place + 1, id, now)[0];
  }

  /**
   * Notes that message `id` is at the destination.
   *
   * @param wait For how long it waits there for its turn, in milliseconds; undefined if one before it is missing.
   */
  held(stream: string, id: number, wait: number | undefined, now: number): void {
    const message = this.#waiting.find((message) => message.id === id && message.times > 0);
    if (stream !== this.#name || !message) return;
    if (wait !== undefined) message.heldUntil = now + Math.min(wait, LONGEST_PAUSE_MS);
    const until = wait === undefined ? now + MISSING_PAUSE_MS : message.heldUntil + this.#roundTrip.timeout();
    message.dueAt = Math.max(message.dueAt, until);
  }

  /** Removes waiting messages, because there is an answer to message `id`. */
  #remove(from: number, to: number, id: number, now: number): SettledMessage[] {
    const settled = this.#waiting.splice(from, to - from);
    const answered = settled.at(-1);
    if (!answered) return [];
    this.progressAt = now;
    const { times, wasOldest, sentAt } = answered;
    if (answered.id === id && times === 1 && wasOldest) this.#roundTrip.sample(now - sentAt);
    else if (answered.id === id && times > 1 + this.#copies) this.#roundTrip.noteAmbiguous();
    const timeout = this.#roundTrip.timeout(), soonest = now + Math.min(timeout, MAX_FLOW_PAUSE_MS);
    const [oldest] = this.#waiting;
    for (const message of this.#window) {
      if (message.times === 0 || message.id < answered.id) continue;
      // now the destination waits for this one
      if (message === oldest && message.heldUntil <= now) message.dueAt = Math.min(message.dueAt, now + timeout);
      // while answers come, the next ones may be under way: each restarts the timer (RFC 9002, section 6.2.1)
      message.dueAt = Math.max(message.dueAt, soonest);
    }
    return settled.map((message) => ({ id: message.id, ...asDraft(message) }));
  }

  /**
   * Whether message `id` of this stream can have this text: it was said, and if it still waits, with this text. Where a
   * server has forgotten everything, another member may have taken the name of this stream, which is no secret.
   */
  hasSaid(id: number, text: string): boolean {
    if (id >= this.#nextId) return false;
    const said = this.#waiting.find((message) => message.id === id)?.text;
    // our server makes a text safe to print, another may not
    return said === undefined || text === printable(said) || text === said;
  }

  /**
   * Takes another name, because another member uses this one, or knows it and is not the destination any more. Numbers
   * the waiting messages anew. They become due at once, or a second after the last restart: a hostile server must not
   * make this client send as fast as it answers.
   */
  restart(now: number): void {
    const dueAt = this.#restartedAt = Math.max(now, this.#restartedAt + RESTART_PAUSE_MS);
    this.#name = randomHex64();
    this.#nextId = 1;
    const anew = { times: 0, tries: 0, dueAt, heldUntil: 0 };
    for (const message of this.#waiting) Object.assign(message, anew, { id: this.#nextId++ });
  }

  /** Removes all messages from the stream and returns them. */
  clear(): AbandonedDraft[] {
    return this.#waiting.splice(0).map((message) => ({ ...asDraft(message), wasSent: message.wasSent }));
  }

  /** Moves all messages to the end of another stream, as if none of them had been sent. */
  moveTo(other: SendStream, now: number): void {
    for (const message of this.#waiting.splice(0)) other.add(asDraft(message), now, message.saidAt);
  }

  /** Returns the messages that are to be sent now, for the first time or again. */
  wake(now: number): OutgoingMessage[] {
    const due: OutgoingMessage[] = [];
    if (!this.#open) return due;
    const first = this.#waiting[0]?.id;
    for (const message of this.#window) {
      if (message.dueAt > now) continue;
      const isOldest = message.id === first;
      if (message.times === 0 || this.progressAt > message.sentAt) message.tries++;
      if (message.times++ === 0) message.wasOldest = isOldest;
      else this.repeated++;
      message.wasSent = true;
      message.sentAt = now;
      message.dueAt = now + (isOldest ? this.#pauseOfOldest(message) : this.#pauseOf(message));
      const { id, saidAt } = message;
      due.push({ stream: this.#name, id, ...(first < id && { first }), saidAt, ...asDraft(message) });
    }
    return due;
  }

  /** How many further copies of the oldest message do not wait for an answer. */
  get #copies(): number {
    return this.#loss && this.#roundTrip.timeout() >= LONG_TIMEOUT_MS ? copyCount(this.#loss.curable) : 0;
  }

  /** How long to wait before the oldest message is sent again, in milliseconds. */
  #pauseOfOldest({ times }: PendingMessage): number {
    const copies = this.#copies;
    if (times <= copies) return Math.min(this.#roundTrip.timeout(), pauseBefore(times));
    // the copies were no tries in vain, so the back-off begins behind them
    return this.#roundTrip.timeout(times - copies);
  }

  /** How long to wait before a message is sent again that is not the oldest, in milliseconds. */
  #pauseOf({ times, tries }: PendingMessage): number {
    const pause = Math.max(OTHERS_PAUSE_MS, this.#roundTrip.timeout(times));
    return tries < TRIES ? pause : Math.min(LONGEST_PAUSE_MS, pause * 2 ** (tries - TRIES + 1));
  }

  /** The messages that may be under way: the destination holds back no later ones. The ids may have gaps. */
  get #window(): PendingMessage[] {
    const [oldest] = this.#waiting;
    return this.#waiting.slice(0, SEND_WINDOW).filter(({ id }) => id < oldest.id + SEND_WINDOW);
  }
}

function asDraft({ text, action }: Draft): Draft {
  return action ? { text, action } : { text };
}
