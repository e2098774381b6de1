/**
 * The room's topic: shown to who joins, and on request.
 *
 * @module
 */
import type { LinkEvent } from "./facts.ts";

/** The topic as the server has last told it with a WELCOME. A change of it comes as a NOTICE, and is shown as that. */
export class Topic {
  #text: string | undefined;
  #epoch: string | undefined;

  /** What is known of it, as a sentence. */
  get sentence(): string {
    return this.#text === undefined ? "There is no topic" : `The topic is: ${this.#text}`;
  }

  /**
   * Takes what a WELCOME says of it. Returns whether it is to be shown: to a newcomer, and when a server that has begun
   * anew has another one.
   */
  take({ epoch, topic }: Extract<LinkEvent, { type: "welcome" }>): boolean {
    const isNews = epoch !== this.#epoch && topic !== this.#text && topic !== undefined;
    this.#epoch = epoch;
    this.#text = topic;
    return isNews;
  }
}
