/**
 * Limits for all that comes from one IP address, whatever the port.
 *
 * The limits of one member do not stop somebody who has many ports, or who forges the many ports of a victim.
 *
 * @module
 */
import { addressKey } from "../../protocol/address_key.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Peer } from "./peer.ts";

/** The most names that members with one IP address may have at the same time: two full lecture halls behind a NAT. */
export const MAX_NAMES_PER_ADDRESS = 1000;
/** How many names a second may be taken from one IP address. A lecture hall behind one NAT signs in at once. */
const SIGN_IN_RATE: TokenBucketOptions = { rate: 20, burst: 500 };
/**
 * How many times a second one peer may ask for its first name: more often than a client repeats itself, and so seldom
 * that one peer uses up nothing of what its IP address may.
 */
const PEER_SIGN_IN_RATE: TokenBucketOptions = { rate: 1, burst: 10 };
/**
 * How many datagrams a second members with one IP address may ask for that ask for little, when the others have used up
 * what all may ask for.
 */
const RESERVE_RATE: TokenBucketOptions = { rate: 1000, burst: 1000 };
/**
 * How many messages a second members with one IP address may say that say little, when the others have used up what all
 * may say: a lecture hall behind one NAT, a line each 10 s, and now and then an answer of everybody.
 */
const MESSAGE_RESERVE_RATE: TokenBucketOptions = { rate: 100, burst: 400 };
/**
 * How many members with one IP address may change their names a second, and how many at once: a lecture hall behind one
 * NAT is done in a minute.
 */
const RENAME_RATE: TokenBucketOptions = { rate: 5, burst: 50 };
/** How many connections a second from one IP address the others are told of at once. */
const ARRIVAL_RATE: TokenBucketOptions = { rate: 10, burst: 10 };
/** How many bytes of classic answers go to one IP address that may be forged. A list of names has up to 1,232. */
const ANSWER_BYTES_RATE: TokenBucketOptions = { rate: 2000, burst: 16_000 };

/** What is known of one IP address. Each bucket is created when it is first needed. */
type Buckets = Partial<
  Record<
    "arrivals" | "signIns" | "renames" | "requests" | "reserve" | "messages" | "messageReserve" | "answers",
    TokenBucket
  >
>;

/**
 * The limits of all IP addresses. What comes from peers that may be forged is counted apart, so that it uses up nothing
 * of what the others with the same address may do.
 */
export class AddressLimits {
  readonly #validated = new BoundedMap<Buckets>();
  readonly #unvalidated = new BoundedMap<Buckets>();
  /** The buckets of those who ask for their first name, by the keys of their peers. */
  readonly #applicants = new BoundedMap<TokenBucket>();

  /** Takes a token of a peer that asks for its first name; returns whether there was one. */
  takeApplicantToken({ key }: Pick<Peer, "key">, now: number): boolean {
    let bucket = this.#applicants.get(key);
    if (!bucket) this.#applicants.set(key, bucket = new TokenBucket(PEER_SIGN_IN_RATE, now));
    return bucket.take(PEER_SIGN_IN_RATE, now) === 0;
  }

  /** Takes a token for a connection that the others are told of; returns whether there was one. */
  takeArrivalToken(peer: Pick<Peer, "address" | "validated">, now: number): boolean {
    return this.#take(peer, "arrivals", ARRIVAL_RATE, now, 1);
  }

  /** Takes a token of an IP address for a name that is taken; returns whether there was one. */
  takeSignInToken(peer: Pick<Peer, "address" | "validated">, now: number): boolean {
    return this.#take(peer, "signIns", SIGN_IN_RATE, now, 1);
  }

  /** Takes a token for another name; returns whether there was one. */
  takeRenameToken(peer: Pick<Peer, "address" | "validated">, now: number): boolean {
    return this.#take(peer, "renames", RENAME_RATE, now, 1);
  }

  /** The milliseconds until there is a token for another name. Takes none. */
  renamePause(peer: Pick<Peer, "address" | "validated">, now: number): number {
    return this.#bucket(peer, "renames", RENAME_RATE, now).pause(RENAME_RATE, now);
  }

  /** Whether there is a token for a name. Takes none. */
  hasSignInToken(peer: Pick<Peer, "address" | "validated">, now: number): boolean {
    return this.#bucket(peer, "signIns", SIGN_IN_RATE, now).pause(SIGN_IN_RATE, now) === 0;
  }

  /** Takes the tokens for a request; returns whether there were enough. */
  takeRequestTokens(peer: Peer, rate: TokenBucketOptions, cost: number, now: number): boolean {
    return this.#take(peer, "requests", rate, now, cost);
  }

  /** Takes the tokens for a request from the reserve of those that ask for little; returns whether there were enough. */
  takeReserveTokens(peer: Peer, cost: number, now: number): boolean {
    return this.#take(peer, "reserve", RESERVE_RATE, now, cost);
  }

  /** Takes a token for a message; returns whether there was one. */
  takeMessageToken(peer: Peer, rate: TokenBucketOptions, now: number): boolean {
    return this.#take(peer, "messages", rate, now, 1);
  }

  /** Takes a token for a message from the reserve of those that say little; returns whether there was one. */
  takeMessageReserveToken(peer: Peer, now: number): boolean {
    return this.#take(peer, "messageReserve", MESSAGE_RESERVE_RATE, now, 1);
  }

  /** Takes the next token for a message that nobody has taken; returns the milliseconds until there is this token. */
  takeMessageTokenAhead(peer: Peer, rate: TokenBucketOptions, now: number): number {
    return this.#bucket(peer, "messages", rate, now).takeAhead(rate, now);
  }

  /** Gives back a token for a message that was taken ahead. */
  giveMessageTokenBack(peer: Peer, rate: TokenBucketOptions, now: number): void {
    this.#bucket(peer, "messages", rate, now).giveBack();
  }

  /** Takes the bytes of an answer to a peer that may be forged; returns whether there were enough. */
  takeAnswerBytes(peer: Pick<Peer, "address" | "validated">, bytes: number, now: number): boolean {
    return peer.validated || this.#take(peer, "answers", ANSWER_BYTES_RATE, now, bytes);
  }

  #take(
    peer: Pick<Peer, "address" | "validated">,
    what: keyof Buckets,
    rate: TokenBucketOptions,
    now: number,
    cost: number,
  ): boolean {
    return this.#bucket(peer, what, rate, now).take(rate, now, cost) === 0;
  }

  #bucket(
    { address, validated }: Pick<Peer, "address" | "validated">,
    what: keyof Buckets,
    rate: TokenBucketOptions,
    now: number,
  ): TokenBucket {
    const byAddress = validated ? this.#validated : this.#unvalidated;
    const key = addressKey(address);
    let buckets = byAddress.get(key);
    if (!buckets) byAddress.set(key, buckets = {});
    return buckets[what] ??= new TokenBucket(rate, now);
  }
}
