/**
 * The end of a session: when it is time to leave, the goodbye, and what was left undone.
 *
 * @module
 */
import type { Packet } from "../../protocol.ts";
import { count } from "../../protocol/text.ts";
import { Parting } from "./goodbye.ts";
import type { SessionState } from "./standing.ts";

/** How a session stands when it may end. */
export interface Standing {
  /** The server, as people know it. */
  server: string;
  state: SessionState;
  /** Why the server does not let this client in; empty where it does, or has not said so. */
  refusal: string;
  /** How many messages are not acknowledged. */
  waiting: number;
  /** How many messages a classic server did not say to have arrived. */
  unconfirmed: number;
  /** How many requests of the user have no answer yet. */
  asked: number;
  /** Whether anything else is still expected: who somebody is, or events that were missed. */
  isExpecting: boolean;
  /** Whether the server may know this client. */
  isKnown: boolean;
  /** When something last went forward that can't be seen in the numbers, in milliseconds. */
  progressAt: number;
}

/** What an ending needs of the session. */
export interface EndingOptions {
  standing: () => Standing;
  /** Lets nothing go out any more but the goodbye; called once. */
  stop: () => void;
  /** Says goodbye, with an id. */
  goodbye: (id: number) => void;
}

/** How long a session that is to end waits for something to go forward, in milliseconds. */
const DELIVERY_DEADLINE_MS = 10_000;

/** The end of one session. */
export class Ending {
  readonly #options: EndingOptions;
  readonly #parting: Parting;
  #finishedAt: number | undefined;
  /** How much was left to do at the last look, and when it last became less, in milliseconds. */
  #left = 0;
  #progressAt = 0;
  #failure: string | undefined;
  /** How many messages were not sent, or did not arrive at the one that they were for. */
  undelivered = 0;
  /** How many lines were to be commands and are none. */
  misunderstood = 0;
  /** How many questions to the server came to nothing. */
  unanswered = 0;

  constructor(options: EndingOptions) {
    this.#options = options;
    this.#parting = new Parting(options.goodbye);
  }

  /** Whether goodbye is being said, or was. */
  get begun(): boolean {
    return this.#parting.begun;
  }

  get over(): boolean {
    return this.#parting.over;
  }

  /** Whether no more is to be said. */
  get finishing(): boolean {
    return this.#finishedAt !== undefined;
  }

  /** Why a session that has ended did not do all that it was asked to; undefined when it did. */
  get failure(): string | undefined {
    return this.#failure;
  }

  get nextWake(): number | undefined {
    return this.begun ? this.#parting.nextWake : this.#deadline;
  }

  /** When a session that is to end gives up, in milliseconds. */
  get #deadline(): number | undefined {
    if (this.#finishedAt === undefined || this.begun) return undefined;
    return Math.max(this.#finishedAt, this.#progressAt, this.#options.standing().progressAt) + DELIVERY_DEADLINE_MS;
  }

  /** Leaves when everything has arrived, or when nothing has for long. */
  finish(now: number): void {
    this.#finishedAt ??= now;
    this.leaveIfFinished(now);
  }

  /** Leaves if the session is to end and nothing keeps it. */
  leaveIfFinished(now: number): void {
    if (this.#finishedAt === undefined || this.begun) return;
    const { state, waiting, asked, isExpecting } = this.#options.standing();
    const left = waiting + asked;
    if (left < this.#left) this.#progressAt = now;
    this.#left = left;
    const isJoined = state === "joined" || state === "classic";
    if (isJoined && left === 0 && !isExpecting || state === "refused" || now >= this.#deadline!) this.leave(now);
  }

  /** Leaves at once. */
  leave(now: number): void {
    if (this.begun) return;
    const standing = this.#options.standing();
    if (standing.waiting > 0 || this.#finishedAt !== undefined) this.#failure = this.#shortfall(standing);
    this.#options.stop();
    if (standing.isKnown) this.#parting.begin(now);
    else this.#parting.end();
  }

  /** Takes a packet from the server, once goodbye is being said. */
  receive(packet: Packet): void {
    this.#parting.receive(packet);
  }

  wake(now: number): void {
    if (this.begun) this.#parting.wake(now);
    else this.leaveIfFinished(now);
  }

  /** What was left undone, in one line for the user; undefined when nothing was. */
  #shortfall({ server, state, refusal, waiting, asked, unconfirmed }: Standing): string | undefined {
    if (state === "refused") return refusal;
    if (state === "joining") {
      return `${refusal || `No answer from ${server}`}${
        waiting > 0 ? `; ${count(waiting, "message")} not delivered` : ""
      }`;
    }
    if (waiting > 0) return `${count(waiting, "message")} not delivered: the server has not confirmed in time`;
    if (this.undelivered > 0) return `${count(this.undelivered, "message")} not delivered`;
    if (this.misunderstood > 0) return `${count(this.misunderstood, "line")} not understood, and not sent`;
    if (this.unanswered + asked > 0) return `${count(this.unanswered + asked, "question")} not answered`;
    if (unconfirmed > 0) {
      return `${count(unconfirmed, "message")} sent, but this classic server does not say whether they arrived`;
    }
    return undefined;
  }
}
