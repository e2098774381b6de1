/**
 * Whether this client may keep order here: the user is told when it changes.
 *
 * @module
 */
import type { Fact } from "./facts.ts";
import type { Self } from "./self.ts";

/** What the user was told last. */
export class Rank {
  #isOperator = false;

  /** Takes what the server has last said. */
  take({ isOperator }: Pick<Self, "isOperator">): Fact[] {
    if (isOperator === this.#isOperator) return [];
    this.#isOperator = isOperator;
    if (!isOperator) return [{ type: "notice", text: "You are no operator here any more" }];
    const text = "You are an operator here: /help lists what you may do";
    return [{ type: "show", shown: { kind: "hint", text } }];
  }
}
