/**
 * The end of a session: drain what is still to be delivered, then say goodbye.
 *
 * @module
 */
import type { Packet } from "../../protocol.ts";
import { Retry } from "../../protocol/reliable/retry.ts";
import { isExpulsion } from "./refusals.ts";
import type { SessionState } from "./state.ts";

/** What a session still has to do, and whether it can do it. */
export interface Progress {
  state: SessionState;
  /** Messages and questions that have no answer yet. */
  left: number;
  /** Whether missed events were asked for. */
  isExpecting: boolean;
}

/** How long a draining session waits for progress, in milliseconds. */
export const DELIVERY_DEADLINE_MS = 10_000;
/** How many times the goodbye is sent, and the pause after each, in milliseconds. */
const GOODBYES = 4;
const GOODBYE_PAUSE_MS = 100;

/** The end of one session: it drains, then it is closing, then it is closed. */
export class Shutdown {
  readonly #goodbye = new Retry();
  #drainingSince: number | undefined;
  /** How much was left to do at the last check, and when there was last progress, in milliseconds. */
  #left = 0;
  #progressAt = -Infinity;
  #stage: "open" | "closing" | "closed" = "open";
  #failure: string | undefined;

  /** Whether the session drains: no more messages are added, and those that wait are still delivered. */
  get draining(): boolean {
    return this.#drainingSince !== undefined;
  }

  /** Whether the session is saying goodbye, or has said it. */
  get closing(): boolean {
    return this.#stage !== "open";
  }

  get closed(): boolean {
    return this.#stage === "closed";
  }

  /** Why a session that has ended did not do all that it was asked to; undefined when it did. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** When {@linkcode wake} is to be called, or a draining session gives up, in milliseconds; undefined for never. */
  get nextWake(): number | undefined {
    return this.closing ? this.#goodbye.dueAt : this.#deadline;
  }

  get #deadline(): number | undefined {
    if (this.#drainingSince === undefined) return undefined;
    return Math.max(this.#drainingSince, this.#progressAt) + DELIVERY_DEADLINE_MS;
  }

  /** Begins to drain. */
  drain(now: number): void {
    this.#drainingSince ??= now;
  }

  /** Notes progress at a time, in milliseconds, that is not seen in what is left. */
  noteProgress(at: number): void {
    this.#progressAt = Math.max(this.#progressAt, at);
  }

  /** Returns whether a draining session is to be closed: nothing is left to do, or it can't go on. */
  isDrained({ state, left, isExpecting }: Progress, now: number): boolean {
    if (this.#drainingSince === undefined || this.closing) return false;
    if (left < this.#left) this.#progressAt = now;
    this.#left = left;
    const isJoined = state === "joined" || state === "classic";
    const isShutOut = state === "refused" || state === "challenged" || state === "expelled";
    return isJoined && left === 0 && !isExpecting || isShutOut || now >= this.#deadline!;
  }

  /**
   * Begins to say goodbye.
   *
   * @param isKnown Whether the server may know this client; otherwise there is nobody to say it to.
   */
  close({ failure, isKnown }: { failure: string | undefined; isKnown: boolean }, now: number): void {
    if (this.closing) return;
    this.#failure = failure;
    this.#stage = isKnown ? "closing" : "closed";
    if (isKnown) this.#goodbye.start(now);
  }

  /** Takes a packet from the server while closing: only one that answers the goodbye matters, with this token. */
  receive(packet: Packet, token: string): void {
    if (packet.dialect !== "v1" || packet.type !== "ACK" && packet.type !== "ERROR" || packet.token !== token) return;
    const isHeard = packet.type === "ACK" && packet.stream === undefined;
    const isForgotten = packet.type === "ERROR" && (packet.code === "not-joined" || isExpulsion(packet.code));
    if (isHeard || isForgotten) this.#end();
  }

  /** Returns the id for a goodbye that is to be sent now; undefined when none is due. Ends after the last one. */
  wake(now: number): number | undefined {
    if (!this.#goodbye.isDue(now)) return undefined;
    const id = GOODBYES - this.#goodbye.times;
    if (id > 0) this.#goodbye.tried(now + GOODBYE_PAUSE_MS);
    else this.#end();
    return id > 0 ? id : undefined;
  }

  #end(): void {
    this.#stage = "closed";
    this.#goodbye.stop();
  }
}
