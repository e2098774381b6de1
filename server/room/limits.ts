/**
 * Limits how many messages and requests one member may send, so that it does not starve the others.
 *
 * @module
 */
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { activityOf, type Member } from "./members.ts";

/**
 * How many datagrams a second one member may ask for: enough to repair a third of the messages of a lively room, and no
 * more than the room can send beside its other work.
 */
const REQUEST_RATE: TokenBucketOptions = { rate: 500, burst: 1000 };
/** The same for a member whose address may be forged: an answer may reach somebody who has not asked. */
const UNVALIDATED_REQUEST_RATE: TokenBucketOptions = { rate: 2, burst: 20 };

/** The limits of all members. */
export class Limits {
  readonly #messageRate: TokenBucketOptions;

  /** @param messageRate How many messages a second a member may send. */
  constructor(messageRate: TokenBucketOptions) {
    this.#messageRate = messageRate;
  }

  /** Takes a token for a message; returns 0 if there was one, otherwise the milliseconds until there is one. */
  takeMessageToken(member: Member, now: number): number {
    if (this.#messageRate.rate === 0) return 0;
    const bucket = activityOf(member).messages ??= new TokenBucket(this.#messageRate, now);
    return bucket.take(this.#messageRate, now);
  }

  /** Takes a token for each datagram of an answer; returns false if there are too few, and then takes none. */
  takeRequestTokens(member: Member, datagrams: number, now: number): boolean {
    const rate = member.validated ? REQUEST_RATE : UNVALIDATED_REQUEST_RATE;
    const bucket = activityOf(member).requests ??= new TokenBucket(rate, now);
    return bucket.take(rate, now, datagrams) === 0;
  }
}
