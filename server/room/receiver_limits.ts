/**
 * Limits how much one member gets because of others, so that those who look it up or write to it without end do not
 * fill its line.
 *
 * @module
 */
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Member } from "./members.ts";

/** How many datagrams a second one member gets, whoever causes them, and how many at once: more than people write to. */
const RATE: TokenBucketOptions = { rate: 100, burst: 200 };
/**
 * How long after one the same member causes the next where there are too many, in milliseconds. What is lost comes again
 * in time: a client looks a peer up again after 250 ms and 500 ms more, and waits for a second before it writes through
 * the server; there it repeats a message a few times before it gives it up.
 */
const PAUSE_MS = 500;

/**
 * The limits of all members, for one kind of datagrams. Whoever has caused none for a while is never refused: a crowd
 * keeps nobody else from writing, wherever the crowd and the others come from.
 */
export class ReceiverLimits {
  /** By the tokens of the members that get the datagrams. */
  readonly #buckets = new BoundedMap<TokenBucket>();
  /** When each member has caused the last one, by both tokens. */
  readonly #causedAt = new BoundedMap<number>();

  /** Whether a member gets a datagram because of another one. */
  take({ token }: Pick<Member, "token">, by: Pick<Member, "token">, now: number): boolean {
    let bucket = this.#buckets.get(token);
    if (!bucket) this.#buckets.set(token, bucket = new TokenBucket(RATE, now));
    const pair = `${token} ${by.token}`;
    if (bucket.take(RATE, now) > 0 && now < (this.#causedAt.get(pair) ?? -Infinity) + PAUSE_MS) return false;
    this.#causedAt.set(pair, now);
    return true;
  }
}
