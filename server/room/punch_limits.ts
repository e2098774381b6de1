/**
 * Limits how many PUNCHes one member gets, so that others who look it up without end do not fill its line.
 *
 * @module
 */
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Member } from "./members.ts";

/** How many PUNCHes a second one member gets, whoever causes them: more than people write to. */
const RATE: TokenBucketOptions = { rate: 100, burst: 200 };
/**
 * How long after a PUNCH the same asker causes the next one where that is too many, in milliseconds. A client tries for
 * 5 s to write to somebody, so a lost PUNCH is repeated in time; and one is believed for 10 s.
 */
const PAUSE_MS = 2000;

/**
 * The limits of all members. Whoever has caused no PUNCH for a while is never refused: a crowd that looks somebody up
 * keeps nobody else from writing to it, wherever the crowd and the others come from.
 */
export class PunchLimits {
  /** By the tokens of the members that get the PUNCHes. */
  readonly #buckets = new BoundedMap<TokenBucket>();
  /** When each asker has caused the last one, by both tokens. */
  readonly #punchedAt = new BoundedMap<number>();

  /** Whether a member gets a PUNCH because another one looks it up. */
  take({ token }: Pick<Member, "token">, asker: Pick<Member, "token">, now: number): boolean {
    let bucket = this.#buckets.get(token);
    if (!bucket) this.#buckets.set(token, bucket = new TokenBucket(RATE, now));
    const pair = `${token} ${asker.token}`;
    if (bucket.take(RATE, now) > 0 && now < (this.#punchedAt.get(pair) ?? -Infinity) + PAUSE_MS) return false;
    this.#punchedAt.set(pair, now);
    return true;
  }
}
