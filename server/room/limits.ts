/**
 * How much one member may say, and ask for, so that it starves nobody else.
 *
 * @module
 */
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import type { Member } from "./members.ts";

/**
 * How much one member may ask for, in datagrams a second: enough to repair a third of a lively room's messages, and no
 * more than what the room can send beside its own work.
 */
const REQUEST_RATE: TokenBucketOptions = { rate: 500, burst: 1000 };
/** The same for a classic member, whose address may be forged: what it asks for may reach somebody who has not asked. */
const CLASSIC_REQUEST_RATE: TokenBucketOptions = { rate: 2, burst: 20 };

/** The limits of all members. */
export class Limits {
  readonly #speaking: TokenBucketOptions;

  /** @param speaking How many messages a second a member may send. */
  constructor(speaking: TokenBucketOptions) {
    this.#speaking = speaking;
  }

  /** Milliseconds until a member may say one more thing: 0 when it may now, and then that counts as said. */
  takeMessageToken(member: Member, now: number): number {
    if (this.#speaking.rate === 0) return 0;
    const buckets = member.buckets ??= { speaking: undefined, asking: undefined };
    buckets.speaking ??= new TokenBucket(this.#speaking, now);
    return buckets.speaking.take(this.#speaking, now);
  }

  /** Whether a member may ask for something whose answer takes so many datagrams; if so, that counts as asked. */
  takeRequestTokens(member: Member, datagrams: number, now: number): boolean {
    const rate = member.dialect === "v1" ? REQUEST_RATE : CLASSIC_REQUEST_RATE;
    const buckets = member.buckets ??= { speaking: undefined, asking: undefined };
    buckets.asking ??= new TokenBucket(rate, now);
    return buckets.asking.take(rate, now, datagrams) === 0;
  }
}
