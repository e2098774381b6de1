/**
 * Limits how much one member gets because of others, so that those who look it up or write to it without end neither
 * fill its line nor keep others from it.
 *
 * @module
 */
import { addressKey } from "../../protocol/address_key.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Member } from "./members.ts";

/**
 * How many datagrams a second one member gets, whoever causes them, and how many at once: more than people write to.
 */
const RATE: TokenBucketOptions = { rate: 100, burst: 200 };
/** How many one other member may cause when half of them are used up: a paste, and then as fast as people type. */
const PAIR_RATE: TokenBucketOptions = { rate: 5, burst: 40 };
/**
 * How many all with one IP address may cause then: a small class at once, and then so few that a crowd with four addresses
 * uses up no more than what comes back.
 */
const ADDRESS_RATE: TokenBucketOptions = { rate: 20, burst: 60 };
/** Which share of these must be left for an IP address from which little is written. */
const QUIET_SHARE = 1 / 4;
/**
 * How many of these are for who has caused none for so long, in milliseconds, so that also in a crowd one gets through.
 */
const RESERVE = 20, RARE_MS = 10_000;
/**
 * How long after one the same member causes the next when nothing is left, in milliseconds. What is lost comes again in
 * time: a client looks a peer up again after 250 ms and 500 ms more, and waits for a second before it writes through
 * the server; there it repeats a message a few times before it gives it up.
 */
const PAUSE_MS = 500;

/** What one member causes at another one. */
interface Pair {
  bucket: TokenBucket;
  causedAt: number;
}

/**
 * The limits of all members, for one kind of datagrams. While many are left, everybody may cause them. When half of
 * them are used up, who causes few goes on, but not a whole crowd with one IP address.
 */
export class ReceiverLimits {
  /** By the keys of the members that get the datagrams. */
  readonly #buckets = new BoundedMap<TokenBucket>();
  /** By the key of the receiver, and the token of who causes them. */
  readonly #pairs = new BoundedMap<Pair>();
  /** By the key of the receiver, and the IP address of those who cause them. */
  readonly #addresses = new BoundedMap<TokenBucket>();

  /** Whether a member gets a datagram because of another one. */
  take({ key: to }: Pick<Member, "key">, by: Pick<Member, "token" | "address">, now: number): boolean {
    const bucket = bucketIn(this.#buckets, to, RATE, now), key = `${to} ${by.token}`;
    const pair = this.#pairs.get(key) ?? { bucket: new TokenBucket(PAIR_RATE, now), causedAt: -Infinity };
    if (bucket.pause(RATE, now, 1 + RATE.burst / 2) > 0) {
      const ofAddress = bucketIn(this.#addresses, `${to} ${addressKey(by.address)}`, ADDRESS_RATE, now);
      const least = now < pair.causedAt + RARE_MS ? 1 + RESERVE : 1;
      if (ofAddress.pause(ADDRESS_RATE, now, least) > 0) return false;
      // who shares its IP address with nobody that writes much goes on, also when crowds elsewhere have used up all
      const isQuiet = ofAddress.pause(ADDRESS_RATE, now, 1 + QUIET_SHARE * ADDRESS_RATE.burst) === 0;
      const isLittle = (isQuiet || bucket.pause(RATE, now) === 0) && pair.bucket.take(PAIR_RATE, now) === 0;
      if (!isLittle && now < pair.causedAt + PAUSE_MS) return false;
      ofAddress.take(ADDRESS_RATE, now);
    }
    bucket.take(RATE, now);
    pair.causedAt = now;
    this.#pairs.set(key, pair);
    return true;
  }
}

/** The bucket with a key, which is the last to be forgotten now, so that nobody gets a full one by many other keys. */
function bucketIn(buckets: BoundedMap<TokenBucket>, key: string, rate: TokenBucketOptions, now: number): TokenBucket {
  const bucket = buckets.get(key) ?? new TokenBucket(rate, now);
  buckets.set(key, bucket);
  return bucket;
}
