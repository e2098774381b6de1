/**
 * Limits how many bytes are read from connections, of each and of all together. Most of what costs the room no token is
 * bounded by this alone: line feeds, NULs, lines that have no end. Who is over the limit is not read for a while, so
 * nothing is lost.
 *
 * @module
 */
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";

/** How many bytes a second are read from one connection, and how many at once. */
const EACH: TokenBucketOptions = { rate: 64 << 10, burst: 256 << 10 };
/** The same for all connections together. */
const ALL: TokenBucketOptions = { rate: 1 << 20, burst: 2 << 20 };
/**
 * What of each connection costs the others nothing: as much as a person types, and the first words of a program. So nobody
 * who says little waits behind a flood.
 */
const FREE: TokenBucketOptions = { rate: 1 << 10, burst: 4 << 10 };
/** What each read costs beside its bytes: one of a single byte takes the server about as long. */
const READ_COST = 100;
/**
 * The longest pause because all together are over their limit, in milliseconds. No more is taken ahead: what came from
 * connections that are gone must not keep the others waiting for long.
 */
const MAX_SHARED_PAUSE_MS = 500;

/** What may be read from all connections. */
export class ReadBudget {
  readonly #all: TokenBucket;

  /** @param now The time in milliseconds. */
  constructor(now: number) {
    this.#all = new TokenBucket(ALL, now);
  }

  #takeShared(cost: number, now: number): number {
    if (this.#all.pause(ALL, now, cost) > MAX_SHARED_PAUSE_MS) return MAX_SHARED_PAUSE_MS;
    return this.#all.takeAhead(ALL, now, cost);
  }

  /** Returns what notes a read of one connection, and how long that is then not read, in milliseconds. */
  ofConnection(now: number): (bytes: number, now: number) => number {
    const own = new TokenBucket(EACH, now), free = new TokenBucket(FREE, now);
    return (bytes, now) => {
      const cost = bytes + READ_COST, pause = own.takeAhead(EACH, now, cost);
      if (free.take(FREE, now, cost) === 0) return pause;
      return Math.max(pause, this.#takeShared(cost, now));
    };
  }
}
