/**
 * Counts what the user asked for and what was not done, and says it in one line at the end.
 *
 * @module
 */
import { pluralize } from "../../protocol/text.ts";
import type { SessionState } from "./state.ts";

/**
 * What was not done: a message did not reach its recipient; a line was meant as a command and is none; the server has
 * refused what a command asks for; it did not answer a question, or not completely; a file did not get to its receiver, or not here.
 */
export type Shortfall = "undelivered" | "misunderstood" | "refused" | "unanswered" | "unsent";

/** What is still to be done when a session ends. */
export interface Remainder {
  state: SessionState;
  /** Why the server does not let this client in, or what it does instead of an answer. */
  problem: string;
  /** Messages that are not acknowledged. */
  waiting: number;
  /** Those of them that were sent in the classic dialect, while nothing has ever come from the server. */
  onTrial: number;
  /** Messages sent to a classic server that never came back. */
  unconfirmed: number;
  /** Messages that did. */
  confirmed: number;
  /** Questions of the user without an answer. */
  asked: number;
}

const NONE: Record<Shortfall, number> = { undelivered: 0, misunderstood: 0, refused: 0, unanswered: 0, unsent: 0 };

/** The shortfalls of one session. */
export class Tally {
  #counts: Record<Shortfall, number> = { ...NONE };

  add(what: Shortfall, count = 1): void {
    this.#counts[what] += count;
  }

  /** Forgets what the user has been told. */
  clear(): void {
    this.#counts = { ...NONE };
  }

  /** What was left undone, in one line for the user; undefined when nothing was. */
  describe({ state, problem, waiting, onTrial, asked, unconfirmed, confirmed }: Remainder): string | undefined {
    const { undelivered, misunderstood, refused, unanswered, unsent } = this.#counts;
    if (state === "refused" || state === "challenged" || state === "joining" || state === "expelled") {
      const lost = waiting - onTrial + undelivered;
      const tried = onTrial > 0
        ? `; ${pluralize(onTrial, "message")} sent, but nobody knows whether ${onTrial === 1 ? "it" : "they"} arrived`
        : "";
      const rest = lost > 0 ? `; ${pluralize(lost, "message")} not delivered` : "";
      return `${problem}${tried}${rest}`;
    }
    if (waiting > 0) return `${pluralize(waiting, "message")} not delivered: the server has not confirmed in time`;
    if (undelivered > 0) return `${pluralize(undelivered, "message")} not delivered`;
    if (unsent > 0) return `${pluralize(unsent, "file")} not handed over`;
    if (misunderstood > 0) return `${pluralize(misunderstood, "line")} not understood, and not sent`;
    if (refused > 0) return `${pluralize(refused, "command")} refused`;
    if (unanswered + asked > 0) return `${pluralize(unanswered + asked, "question")} not answered`;
    if (unconfirmed > 0 && confirmed > 0) {
      const sent = pluralize(unconfirmed + confirmed, "message");
      return `${unconfirmed} of ${sent} ${
        unconfirmed === 1 ? "has" : "have"
      } not come back from the server, and may be lost`;
    }
    if (unconfirmed > 0) {
      const they = unconfirmed === 1 ? "it" : "they";
      return `${pluralize(unconfirmed, "message")} sent, but this classic server does not say whether ${they} arrived`;
    }
    return undefined;
  }
}
