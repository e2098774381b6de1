/**
 * Slows down who guesses passwords: each wrong one costs its IP address a token, the name another one, and all
 * strangers together one.
 *
 * @module
 */
import { addressKey } from "../../protocol/address_key.ts";
import { nameKey } from "../../protocol/names.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import type { Accounts } from "./accounts.ts";
import { BoundedMap } from "./bounded_map.ts";

/** How many wrong passwords may come from one IP address: a hall behind a NAT mistypes more than one person does. */
const ADDRESS_RATE: TokenBucketOptions = { rate: 1 / 15, burst: 30 };
/** How many may be tried for one name, from all addresses together that it has not been signed in from. */
const NAME_RATE: TokenBucketOptions = { rate: 1 / 90, burst: 7 };
/**
 * How many more, from addresses that have not been wrong about this name of late: most likely one of them is its owner.
 */
const RESERVE_RATE: TokenBucketOptions = { rate: 1 / 180, burst: 3 };
/** For how long an address that was wrong is not one of these, in milliseconds. */
const WRONG_MS = 3_600_000;
/** How many may be tried for all names together, from addresses that they have not been signed in from. */
const STRANGERS_RATE: TokenBucketOptions = { rate: 5, burst: 1000 };
/** From how many IP addresses a name may have been signed in that are remembered. */
const MAX_KNOWN = 4;

/** Who wants to know whether a password is right. */
export interface Attempt {
  name: string;
  /** Whether the name has an account. What is remembered of the others must not push these out. */
  isProtected: boolean;
  address: string;
  /** What it has cost; set by {@linkcode Attempts.take}. */
  paid?: TokenBucket[];
}

/** What is remembered of names, by their keys. */
class NameAttempts {
  readonly buckets = new BoundedMap<TokenBucket>();
  readonly reserves = new BoundedMap<TokenBucket>();
  /** When an address was wrong about a name last, in milliseconds, by the keys of both. */
  readonly wrongAt = new BoundedMap<number>();
}

/**
 * The attempts at the passwords of one room. The limits for a name and for strangers would keep an owner out while
 * others guess, so they do not count from where the name was signed in before, and part of the first is for who was not
 * wrong.
 */
export class Attempts {
  readonly #accounts: Accounts;
  readonly #addresses = new BoundedMap<TokenBucket>();
  readonly #names = new NameAttempts();
  readonly #otherNames = new NameAttempts();
  readonly #strangers = new TokenBucket(STRANGERS_RATE, 0);

  constructor(accounts: Accounts) {
    this.#accounts = accounts;
  }

  /** Takes what one attempt costs; returns whether it may be looked at. */
  take(attempt: Attempt, now: number): boolean {
    const { name, isProtected, address } = attempt, there = addressKey(address), key = nameKey(name);
    const limits: [TokenBucket, TokenBucketOptions][] = [
      [bucketOf(this.#addresses, there, ADDRESS_RATE, now), ADDRESS_RATE],
    ];
    if (!this.#accounts.knownAddresses(name).includes(there)) {
      const { buckets, reserves, wrongAt } = isProtected ? this.#names : this.#otherNames, pair = `${key}\n${there}`;
      const ofName = bucketOf(buckets, key, NAME_RATE, now);
      const wasWrong = now < (wrongAt.get(pair) ?? -Infinity) + WRONG_MS;
      const usesReserve = !wasWrong && ofName.pause(NAME_RATE, now) > 0;
      limits.push([this.#strangers, STRANGERS_RATE]);
      limits.push(usesReserve ? [bucketOf(reserves, key, RESERVE_RATE, now), RESERVE_RATE] : [ofName, NAME_RATE]);
    }
    if (limits.some(([bucket, rate]) => bucket.pause(rate, now) > 0)) return false;
    attempt.paid = limits.map(([bucket, rate]) => (bucket.take(rate, now), bucket));
    return true;
  }

  /** Notes that an attempt was wrong. */
  failed({ name, isProtected, address }: Attempt, now: number): void {
    const { wrongAt } = isProtected ? this.#names : this.#otherNames;
    wrongAt.set(`${nameKey(name)}\n${addressKey(address)}`, now);
  }

  /** Gives back what a right attempt has cost, and remembers from where it came. */
  succeeded(attempt: Attempt): void {
    for (const bucket of attempt.paid ?? []) bucket.giveBack();
    this.remember(attempt);
  }

  /** Remembers that a name belongs to who has an IP address. */
  remember({ name, address }: Pick<Attempt, "name" | "address">): void {
    const there = addressKey(address);
    const others = this.#accounts.knownAddresses(name).filter((other) => other !== there);
    this.#accounts.setKnownAddresses(name, [...others, there].slice(-MAX_KNOWN));
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
