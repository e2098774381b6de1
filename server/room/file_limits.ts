/**
 * Limits how many bytes of files pass through the server: for each member, and in all; when much of that is used up, for
 * all with one IP address too.
 *
 * @module
 */
import { addressKey, isLoopback } from "../../protocol/address_key.ts";
import { MAX_DATAGRAM_BYTES } from "../../protocol.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Member } from "./members.ts";

/**
 * How many times as much as one member's may pass for all together: a few files at full speed. Of ten pairs on a busy
 * machine with two cores, which got eight times as much, chat had a p95 of 106 ms to 255 ms.
 */
const ALL_FACTOR = 4;
/**
 * How many bytes one member may send at once: those of a quarter of a second, at most so many, so that they fill no queue
 * on the way to the receiver, and at least a few datagrams.
 */
const BURST_SECONDS = 1 / 4, MAX_BURST = 64 << 10, MIN_BURST = 4 * MAX_DATAGRAM_BYTES;

/** The limits for one kind of packets, in bytes of their datagrams as they come to the server, or in what these count. */
export class FileLimits {
  readonly #own: TokenBucketOptions;
  readonly #ofAll: TokenBucketOptions;
  readonly #share: TokenBucketOptions;
  /** By the keys of the members' peers, so that nobody gets a full bucket by leaving and joining again. */
  readonly #sent = new BoundedMap<TokenBucket>();
  readonly #got = new BoundedMap<TokenBucket>();
  /** What each IP address may take of the last half of what all have, as much as one member; on this machine each member. */
  readonly #shares = new BoundedMap<TokenBucket>();
  #all: TokenBucket | undefined;

  /** @param rate Bytes a second for each member; 0 for no limit at all. */
  constructor(rate: number) {
    this.#own = { rate, burst: Math.min(MAX_BURST, Math.max(MIN_BURST, BURST_SECONDS * rate)) };
    // so many shares at once are no more than the half that they are of
    this.#share = { rate, burst: this.#own.burst / 2 };
    this.#ofAll = { rate: ALL_FACTOR * this.#own.rate, burst: ALL_FACTOR * this.#own.burst };
  }

  /** Takes what a member sends, whether it is passed on or not; returns whether it may send so much. */
  takeSent({ key }: Pick<Member, "key">, bytes: number, now: number): boolean {
    return this.#own.rate === 0 || bucketIn(this.#sent, key, this.#own, now).take(this.#own, now, bytes) === 0;
  }

  /**
   * Takes what is passed on from the receiver's limit, and from what is shared with others; returns whether there was
   * enough everywhere. If not, it takes nothing.
   */
  takePassed(from: Pick<Member, "key" | "address">, to: Pick<Member, "key">, bytes: number, now: number): boolean {
    if (this.#own.rate === 0) return true;
    const all = this.#all ??= new TokenBucket(this.#ofAll, now);
    const taken: [TokenBucket, TokenBucketOptions][] = [
      [bucketIn(this.#got, to.key, this.#own, now), this.#own],
      [all, this.#ofAll],
    ];
    // a crowd with one address must not take all that there is
    const isScarce = all.pause(this.#ofAll, now, bytes + this.#ofAll.burst / 2) > 0;
    if (isScarce) {
      const source = isLoopback(from.address) ? from.key : addressKey(from.address);
      taken.push([bucketIn(this.#shares, source, this.#share, now), this.#share]);
    }
    if (taken.some(([bucket, limit]) => bucket.pause(limit, now, bytes) > 0)) return false;
    for (const [bucket, limit] of taken) bucket.take(limit, now, bytes);
    return true;
  }
}

/** The bucket with a key, which is the last to be forgotten now. */
function bucketIn(buckets: BoundedMap<TokenBucket>, key: string, limit: TokenBucketOptions, now: number): TokenBucket {
  const bucket = buckets.get(key) ?? new TokenBucket(limit, now);
  buckets.set(key, bucket);
  return bucket;
}
