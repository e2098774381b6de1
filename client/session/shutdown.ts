/**
 * The end of a session: drain what is still to be delivered, say goodbye, and tell what was left undone.
 *
 * @module
 */
import type { SessionState } from "./state.ts";
import type { Packet } from "../../protocol.ts";
import { pluralize } from "../../protocol/text.ts";

/** What the session still has to do, and whether it can do it. */
export interface SessionProgress {
  /** The server, as the user gave it. */
  server: string;
  state: SessionState;
  /** Why the server refuses this client; empty where it does not. */
  refusal: string;
  /** Messages that are not acknowledged. */
  waiting: number;
  /** Messages sent to a classic server that never came back. */
  unconfirmed: number;
  /** Requests of the user without an answer. */
  asked: number;
  /** Whether anything else is under way: a look-up, or missed events that were asked for. */
  isExpecting: boolean;
  /** Whether the server may know this client, so that it is told goodbye. */
  isKnown: boolean;
  /** When there was last progress that these numbers do not show, in milliseconds. */
  progressAt: number;
}

/** What a shutdown needs from the session. */
export interface ShutdownOptions {
  progress: () => SessionProgress;
  /** Stops everything but the goodbye; called once. */
  stop: () => void;
  /** Sends a LEAVE with an id. */
  goodbye: (id: number) => void;
}

/** How long a draining session waits for progress, in milliseconds. */
const DELIVERY_DEADLINE_MS = 10_000;
/** How many times the goodbye is sent, and the pause after each, in milliseconds. */
const GOODBYES = 4;
const GOODBYE_PAUSE_MS = 100;

/** The end of one session: `drain`, then `close`, then it is {@linkcode Shutdown.closed}. */
export class Shutdown {
  readonly #options: ShutdownOptions;
  #drainingSince: number | undefined;
  /** How much was left to do at the last check, and when it last became less, in milliseconds. */
  #left = 0;
  #progressAt = 0;
  /** How many more goodbyes are sent, and when the next is due, in milliseconds. */
  #goodbyesLeft = GOODBYES;
  #goodbyeAt: number | undefined;
  #closed = false;
  #failure: string | undefined;
  /** Messages that were not sent, or did not reach their recipient. */
  undelivered = 0;
  /** Lines that were meant as commands but are not valid. */
  misunderstood = 0;
  /** Requests that the server did not answer, or not completely. */
  unanswered = 0;

  constructor(options: ShutdownOptions) {
    this.#options = options;
  }

  /** Whether the session drains: no more messages are added, and those that wait are still delivered. */
  get draining(): boolean {
    return this.#drainingSince !== undefined;
  }

  /** Whether the session is saying goodbye, or has said it. */
  get closing(): boolean {
    return this.#closed || this.#goodbyeAt !== undefined;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Why a session that has ended did not do all that it was asked to; undefined when it did. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** When {@linkcode wake} is to be called, in milliseconds; undefined for never. */
  get nextWake(): number | undefined {
    return this.closing ? this.#goodbyeAt : this.#deadline;
  }

  /** When a draining session gives up, in milliseconds. */
  get #deadline(): number | undefined {
    if (this.#drainingSince === undefined || this.closing) return undefined;
    return Math.max(this.#drainingSince, this.#progressAt, this.#options.progress().progressAt) + DELIVERY_DEADLINE_MS;
  }

  /** Closes when everything has arrived, or after 10 s without progress. */
  drain(now: number): void {
    this.#drainingSince ??= now;
    this.closeIfDrained(now);
  }

  /** Closes a draining session that has nothing left to do, or can't go on. */
  closeIfDrained(now: number): void {
    if (this.#drainingSince === undefined || this.closing) return;
    const { state, waiting, asked, isExpecting } = this.#options.progress();
    const left = waiting + asked;
    if (left < this.#left) this.#progressAt = now;
    this.#left = left;
    const isJoined = state === "joined" || state === "classic";
    if (isJoined && left === 0 && !isExpecting || state === "refused" || now >= this.#deadline!) this.close(now);
  }

  /** Says goodbye at once, whatever is left to do. */
  close(now: number): void {
    if (this.closing) return;
    const progress = this.#options.progress();
    if (progress.waiting > 0 || this.draining) this.#failure = this.#describeFailure(progress);
    this.#options.stop();
    if (!progress.isKnown) return this.#end();
    this.#goodbyeAt = now;
    this.wake(now);
  }

  /** Takes a packet from the server while closing: only one that answers the goodbye matters. */
  receive(packet: Packet): void {
    if (packet.dialect !== "v1") return;
    const isHeard = packet.type === "ACK" && packet.stream === undefined;
    const isForgotten = packet.type === "ERROR" && packet.code === "not-joined";
    if (isHeard || isForgotten) this.#end();
  }

  /** Does what is due: repeats the goodbye, or checks whether the session is drained. */
  wake(now: number): void {
    if (!this.closing) return this.closeIfDrained(now);
    if (this.#goodbyeAt === undefined || this.#goodbyeAt > now) return;
    if (this.#goodbyesLeft === 0) return this.#end();
    this.#options.goodbye(this.#goodbyesLeft--);
    this.#goodbyeAt = now + GOODBYE_PAUSE_MS;
  }

  #end(): void {
    this.#closed = true;
    this.#goodbyeAt = undefined;
  }

  /** What was left undone, in one line for the user; undefined when nothing was. */
  #describeFailure({ server, state, refusal, waiting, asked, unconfirmed }: SessionProgress): string | undefined {
    if (state === "refused") return refusal;
    if (state === "joining") {
      const undelivered = waiting > 0 ? `; ${pluralize(waiting, "message")} not delivered` : "";
      return `${refusal || `No answer from ${server}`}${undelivered}`;
    }
    if (waiting > 0) return `${pluralize(waiting, "message")} not delivered: the server has not confirmed in time`;
    if (this.undelivered > 0) return `${pluralize(this.undelivered, "message")} not delivered`;
    if (this.misunderstood > 0) return `${pluralize(this.misunderstood, "line")} not understood, and not sent`;
    if (this.unanswered + asked > 0) return `${pluralize(this.unanswered + asked, "question")} not answered`;
    if (unconfirmed > 0) {
      return `${pluralize(unconfirmed, "message")} sent, but this classic server does not say whether they arrived`;
    }
    return undefined;
  }
}
