/**
 * Slows down who guesses passwords: each wrong one costs its IP address a token, and the name another one.
 *
 * @module
 */
import { addressKey } from "../../protocol/address_key.ts";
import { nameKey } from "../../protocol/names.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { BoundedMap } from "./bounded_map.ts";

/** How many wrong passwords may come from one IP address: a hall behind a NAT mistypes more than one person does. */
const ADDRESS_RATE: TokenBucketOptions = { rate: 1 / 15, burst: 30 };
/** How many may be tried for one name, from all addresses together that it has not been signed in from. */
const NAME_RATE: TokenBucketOptions = { rate: 1 / 60, burst: 10 };
/** From how many IP addresses a name may have been signed in that are remembered. */
const MAX_KNOWN = 4;

/** Who wants to know whether a password is right. */
export interface Attempt {
  name: string;
  /** Whether the name has an account. What is remembered of the others must not push these out. */
  isProtected: boolean;
  address: string;
}

/**
 * The attempts at the passwords of one room. The limit for a name would keep its owner out while others guess, so it does
 * not count from where the name was signed in before.
 */
export class Attempts {
  readonly #addresses = new BoundedMap<TokenBucket>();
  readonly #names = new BoundedMap<TokenBucket>();
  readonly #otherNames = new BoundedMap<TokenBucket>();
  /** The keys of the IP addresses from which a name was signed in, the latest last. */
  readonly #known = new BoundedMap<readonly string[]>();

  /** Takes what one attempt costs. Returns 0 if it may be looked at, otherwise the milliseconds until one may be. */
  take(attempt: Attempt, now: number): number {
    const ofAddress = this.#ofAddress(attempt, now), ofName = this.#ofName(attempt, now);
    const pause = Math.max(ofAddress.pause(ADDRESS_RATE, now), ofName?.pause(NAME_RATE, now) ?? 0);
    if (pause > 0) return pause;
    ofAddress.take(ADDRESS_RATE, now);
    ofName?.take(NAME_RATE, now);
    return 0;
  }

  /** Gives back what a right attempt has cost, and remembers from where it came. */
  succeeded(attempt: Attempt, now: number): void {
    this.#ofAddress(attempt, now).giveBack();
    this.#ofName(attempt, now)?.giveBack();
    this.remember(attempt);
  }

  /** Remembers that a name belongs to who has an IP address. */
  remember({ name, address }: Attempt): void {
    const key = nameKey(name), there = addressKey(address);
    const others = (this.#known.get(key) ?? []).filter((other) => other !== there);
    this.#known.set(key, [...others, there].slice(-MAX_KNOWN));
  }

  /** Forgets from where a name was signed in: it has another owner. */
  forget(name: string): void {
    this.#known.set(nameKey(name), []);
  }

  #ofAddress({ address }: Attempt, now: number): TokenBucket {
    return bucketOf(this.#addresses, addressKey(address), ADDRESS_RATE, now);
  }

  /** Undefined where the limit for the name does not count. */
  #ofName({ name, isProtected, address }: Attempt, now: number): TokenBucket | undefined {
    const key = nameKey(name);
    if (this.#known.get(key)?.includes(addressKey(address))) return undefined;
    return bucketOf(isProtected ? this.#names : this.#otherNames, key, NAME_RATE, now);
  }
}

function bucketOf(
  buckets: BoundedMap<TokenBucket>,
  key: string,
  rate: TokenBucketOptions,
  now: number,
): TokenBucket {
  let bucket = buckets.get(key);
  if (!bucket) buckets.set(key, bucket = new TokenBucket(rate, now));
  return bucket;
}
