/**
 * Limits how many files others may offer, so that nobody fills the screen or the memory with offers.
 *
 * @module
 */
import { TokenBucket, type TokenBucketOptions } from "../../../protocol/reliable/token_bucket.ts";
import type { Transfer } from "./transfer_parts.ts";

/** How many files of one member, and of all, may be offered or under way to here at once. */
const MAX_OF_PEER = 8, MAX_OF_ALL = 32;
/** How many new offers of one member are shown: so many at once, and then one in ten seconds. */
const PEER_RATE: TokenBucketOptions = { rate: 0.1, burst: 8 };
/** The same of all members together. */
const RATE: TokenBucketOptions = { rate: 2, burst: 40 };
/** Of how many members it is remembered how many they have offered: more than a room's burst can name. */
const MAX_PEERS = 1000;

/** The offers of all members to one client. */
export class OfferLimits {
  readonly #bucket = new TokenBucket(RATE, 0);
  /** By the passes, the one that has offered something last behind the others. */
  readonly #buckets = new Map<string, TokenBucket>();

  /**
   * Whether a new offer is shown.
   *
   * @param open The files that are offered or under way to here.
   */
  take(pass: string, open: readonly Pick<Transfer, "pass">[], now: number): boolean {
    const ofPeer = open.filter((other) => other.pass === pass).length;
    if (ofPeer >= MAX_OF_PEER || open.length >= MAX_OF_ALL) return false;
    const bucket = this.#buckets.get(pass) ?? new TokenBucket(PEER_RATE, now);
    this.#buckets.delete(pass);
    this.#buckets.set(pass, bucket);
    if (this.#buckets.size > MAX_PEERS) this.#buckets.delete(this.#buckets.keys().next().value!);
    // who is over its own limit takes nothing of the others'
    return bucket.take(PEER_RATE, now) === 0 && this.#bucket.take(RATE, now) === 0;
  }
}
