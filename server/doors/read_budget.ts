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
/** What each read costs beside its bytes: one of a single byte takes the server about as long. */
const READ_COST = 100;

/** What may be read from all connections. */
export class ReadBudget {
  readonly #all: TokenBucket;

  /** @param now The time in milliseconds. */
  constructor(now: number) {
    this.#all = new TokenBucket(ALL, now);
  }

  /** Returns what notes a read of one connection, and how long that is then not read, in milliseconds. */
  ofConnection(now: number): (bytes: number, now: number) => number {
    const own = new TokenBucket(EACH, now);
    return (bytes, now) => {
      const cost = bytes + READ_COST;
      // each takes its turn ahead, so however many there are, each has its next read after those before it
      return Math.max(own.takeAhead(EACH, now, cost), this.#all.takeAhead(ALL, now, cost));
    };
  }
}
