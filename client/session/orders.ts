/**
 * What an operator has typed to keep order: the server does it, and its answer is shown.
 *
 * @module
 */
import type { Answer, Fact, Question } from "./facts.ts";
import { reasonOf } from "./refusals.ts";
import type { Transactions } from "./transactions.ts";

/** The orders of one session, one at a time: what is asked for next may be meant to undo it. */
export class Orders {
  readonly #transactions: Transactions;
  #isOpen = false;

  constructor(transactions: Transactions) {
    this.#transactions = transactions;
  }

  /** Whether an order has no answer yet. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Gives an order, in the words that were typed, without the slash. */
  give(text: string, now: number): void {
    this.#isOpen = true;
    this.#transactions.begin({ ask: "order", text }, now);
  }

  /** Takes the answer to an order; undefined when there was none in time. */
  answered({ text }: Question & { ask: "order" }, answer: Answer | undefined): Fact[] {
    this.#isOpen = false;
    if (answer?.type === "REPLY") {
      // where all are told of it, there is nothing more to say
      return answer.text.split("\n").filter((line) => line !== "").map((text) => ({ type: "notice", text }));
    }
    if (answer?.type === "ERROR") {
      return [{ type: "problem", text: reasonOf(answer) }, { type: "shortfall", what: "refused", count: 1 }];
    }
    const unknown = `The server has not said whether it has done this: /${text}`;
    return [{ type: "problem", text: unknown }, { type: "shortfall", what: "unanswered", count: 1 }];
  }
}
