/**
 * Limits how many files others may offer, and how many answers they may cause, so that nobody fills the screen or the
 * memory, or keeps others from offering theirs.
 *
 * @module
 */
import { TokenBucket, type TokenBucketOptions } from "../../../protocol/reliable/token_bucket.ts";
import type { Transfer } from "./transfer_parts.ts";

/** How many files of one member, and of all, may be offered or under way to here at once. */
const MAX_OF_PEER = 8, MAX_OF_ALL = 32;
/** How many new offers of one member are shown: so many at once, and then one in ten seconds. */
const PEER_RATE: TokenBucketOptions = { rate: 0.1, burst: 8 };
/** The same of all members together, and how many of them are left for who has offered nothing of late. */
const RATE: TokenBucketOptions = { rate: 2, burst: 60 };
const RESERVE = 20;
/** How many packets of one member a second are answered that belong to no transfer under way, and how many at once. */
const ANSWER_RATE: TokenBucketOptions = { rate: 20, burst: 40 };
/** The same of all, for transfers of which nothing is known here. */
const STRANGE_RATE: TokenBucketOptions = { rate: 100, burst: 200 };
/** Of how many members this is remembered. */
const MAX_PEERS = 1000;

/** What the limits need to know of a file that is offered or under way. */
type Coming = Pick<Transfer, "pass" | "state">;

/** The offers of all members to one client. */
export class OfferLimits {
  readonly #bucket = new TokenBucket(RATE, 0);
  readonly #buckets = new PeerBuckets(PEER_RATE);

  /**
   * Takes a new offer, if there is room for it.
   *
   * @param coming The files that are offered or under way to here, the oldest first.
   * @returns "busy" if it is not taken; otherwise the offer that has to make room for it, if any has.
   */
  take<T extends Coming>(pass: string, coming: readonly T[], now: number): "busy" | T | undefined {
    const ofPeer = coming.filter((other) => other.pass === pass).length;
    if (ofPeer >= MAX_OF_PEER) return "busy";
    const yielding = coming.length < MAX_OF_ALL ? undefined : ofPeer === 0 ? oldestOfMost(coming) : "busy";
    if (yielding === "busy") return "busy";
    const own = this.#buckets.of(pass, now), least = own.isFull(PEER_RATE, now) ? 1 : 1 + RESERVE;
    if (own.pause(PEER_RATE, now) > 0 || this.#bucket.pause(RATE, now, least) > 0) return "busy";
    own.take(PEER_RATE, now);
    this.#bucket.take(RATE, now);
    return yielding;
  }
}

/** The answers that members cause by packets of no transfer under way. */
export class AnswerLimits {
  readonly #buckets = new PeerBuckets(ANSWER_RATE);
  readonly #strange = new TokenBucket(STRANGE_RATE, 0);

  /** Whether a packet with a pass is answered; `isKnown`: it belongs to a transfer that is known here. */
  take(pass: string, isKnown: boolean, now: number): boolean {
    // who is over its own limit takes nothing of the others'
    if (this.#buckets.of(pass, now).take(ANSWER_RATE, now) > 0) return false;
    return isKnown || this.#strange.take(STRANGE_RATE, now) === 0;
  }
}

/** A bucket for each member, by its pass. Who was heard of the longest time ago is forgotten first. */
class PeerBuckets {
  readonly #rate: TokenBucketOptions;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rate: TokenBucketOptions) {
    this.#rate = rate;
  }

  of(pass: string, now: number): TokenBucket {
    const bucket = this.#buckets.get(pass) ?? new TokenBucket(this.#rate, now);
    this.#buckets.delete(pass);
    this.#buckets.set(pass, bucket);
    if (this.#buckets.size > MAX_PEERS) this.#buckets.delete(this.#buckets.keys().next().value!);
    return bucket;
  }
}

/** The oldest offer without an answer of the member that has most of them; "busy" if none has more than one. */
function oldestOfMost<T extends Coming>(coming: readonly T[]): T | "busy" {
  const asked = coming.filter(({ state }) => state.state === "asked");
  const byPeer = Map.groupBy(asked, ({ pass }) => pass);
  const most = [...byPeer.values()].reduce<T[]>((most, those) => those.length > most.length ? those : most, []);
  return most.length > 1 ? most[0] : "busy";
}
