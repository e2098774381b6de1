/**
 * Whether this client may keep order here: the user is told when it changes.
 *
 * @module
 */
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import type { Fact } from "./facts.ts";
import type { Self } from "./self.ts";

/** How many changes are told: three at once, and one a minute. A change that comes sooner is told later if it lasts. */
const CHANGE_RATE: TokenBucketOptions = { rate: 1 / 60, burst: 3 };

/** What the user was told last. */
export class Rank {
  #isOperator = false;
  #bucket: TokenBucket | undefined;

  /** Takes what the server has last said. */
  take({ isOperator }: Pick<Self, "isOperator">, now: number): Fact[] {
    if (isOperator === this.#isOperator) return [];
    this.#bucket ??= new TokenBucket(CHANGE_RATE, now);
    if (this.#bucket.take(CHANGE_RATE, now) > 0) return [];
    this.#isOperator = isOperator;
    if (!isOperator) return [{ type: "notice", text: "You are no operator here any more" }];
    const text = "You are an operator here: /help lists what you may do";
    return [{ type: "show", shown: { kind: "hint", text } }];
  }
}
