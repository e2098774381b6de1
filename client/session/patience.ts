/**
 * Decides for how long a server may be silent before the user is told, and says it.
 *
 * @module
 */
import type { Joined, Outside } from "./state.ts";

/** Silence after which the user is told that there is no answer, in milliseconds. */
export const NO_ANSWER_MS = 1800;
/** The same for a server that has answered before: there a loss is more likely than the server's end. */
const NO_ANSWER_ANY_MORE_MS = 5000;
/**
 * The same for a server that is said to go away, and answers at once otherwise. Each time that this was not true
 * doubles it, up to the silence after which a server is lost anyhow.
 */
const NO_ANSWER_AFTER_CLOSING_MS = 500;
/** How many times as long as the slowest of the last answers took is waited on top of that. */
const SLOWEST_ANSWERS_AFTER_CLOSING = 3;
/** What each answer leaves of the slowest before it: with a keep-alive of a second half of it after half a minute. */
const SLOWEST_ANSWER_DECAY = 0.98;
/** For how much longer the user is not told while packets come that anybody could have sent, in milliseconds. */
const MAX_PUT_OFF_MS = 3000;

/** The patience with one server, by what it has done before. */
export class Patience {
  readonly #server: string;
  /** Whether the server has sent something that this client can't take. */
  #isNotUnderstood = false;
  /** How long the slowest of the last answers took, in milliseconds: the round trip, and greetings that were lost. */
  #slowestAnswer = 0;
  /** How often somebody has said that the server goes away, and it has answered all the same. */
  #falseClosings = 0;
  /** When a packet last came that may be from the server or from anybody else, in milliseconds. */
  #claimedAt = -Infinity;

  /** @param server The server, as the user gave it. */
  constructor(server: string) {
    this.#server = server;
  }

  /** What is wrong while the server does not let this client in: no answer, or one that is not understood. */
  get problem(): string {
    return this.#isNotUnderstood
      ? `What ${this.#server} answers is not understood; --trace says why`
      : `No answer from ${this.#server}`;
  }

  /** The same of a server that has answered before, and has asked for what it is silent about. */
  get problemSince(): string {
    return this.#isNotUnderstood ? this.problem : `${this.problem} any more`;
  }

  /** Notes that the server has sent something that this client can't take: it is there, and makes a mistake. */
  noteNotUnderstood(): void {
    this.#isNotUnderstood = true;
  }

  /** Notes how long an answer took, in milliseconds. */
  noteAnswer(took: number): void {
    this.#slowestAnswer = Math.max(took, SLOWEST_ANSWER_DECAY * this.#slowestAnswer);
  }

  /** Notes that the server has answered although somebody has said that it goes away. */
  noteFalseClosing(): void {
    this.#falseClosings++;
  }

  /** Notes a packet that anybody could have sent. */
  noteClaim(now: number): void {
    this.#claimedAt = now;
  }

  /** For how long packets that anybody could have sent have come in a silence, in milliseconds. */
  claimedFor(silentSince: number | undefined): number {
    return Math.max(0, this.#claimedAt - (silentSince ?? Infinity));
  }

  /**
   * Milliseconds of silence after which the user is told; Infinity if it was.
   *
   * @param hasAsked Whether the server has asked for what it is silent about.
   */
  limit(state: Joined | Outside, silentSince: number | undefined, hasAsked: boolean): number {
    if (state.is !== "joined" && state.toldSilent) return Infinity;
    if (state.is !== "joined") return hasAsked ? NO_ANSWER_ANY_MORE_MS : NO_ANSWER_MS;
    if (!state.isClosing) return NO_ANSWER_ANY_MORE_MS + Math.min(this.claimedFor(silentSince), MAX_PUT_OFF_MS);
    const patience = NO_ANSWER_AFTER_CLOSING_MS + SLOWEST_ANSWERS_AFTER_CLOSING * this.#slowestAnswer;
    return Math.min(NO_ANSWER_ANY_MORE_MS, patience * 2 ** this.#falseClosings);
  }

  /** What the user is told then. */
  notice(state: Joined | Outside): string {
    if (state.is === "joined") {
      return state.isClosing
        ? "The server has closed the room. Waiting for it to come back; Ctrl-C or /quit leaves"
        : `No answer from ${this.#server} any more. Trying again; what you say to everyone is kept`;
    }
    const help =
      "Is the server started, are address and port right, and does a firewall let UDP through? For a server " +
      "that speaks TCP add --tcp. ";
    return `${this.problem}. ${this.#isNotUnderstood ? "" : help}Trying again; Ctrl-C or /quit stops`;
  }
}
