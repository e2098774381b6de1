/**
 * What members are told of files whose programs can't take any, and how often.
 *
 * @module
 */
import type { FilePacket } from "../../protocol.ts";
import { harmlessName } from "../../protocol/file_names.ts";
import { linesOf, privateLine } from "../../protocol/lines.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Member } from "./members.ts";

/**
 * How many offers a second one member is told of, and how many at once; and how many of one other member: as many as our
 * client asks its user about. There is nothing to do about them, so they must not push the chat away.
 */
const RATE: TokenBucketOptions = { rate: 2, burst: 40 }, PAIR_RATE: TokenBucketOptions = { rate: 0.1, burst: 8 };
/** How much of a file's name is told, in characters (code points). */
const MAX_NAME = 60;

/** How often members are told of offers. */
export class ToldOffers {
  /** By the keys of the members' peers, so that nobody may do more by leaving and joining again. */
  readonly #receivers = new BoundedMap<TokenBucket>();
  readonly #pairs = new BoundedMap<TokenBucket>();

  /** Takes what one member is told of one offer; returns whether that is not too much. */
  take(from: Pick<Member, "key">, to: Pick<Member, "key">, now: number): boolean {
    const pair = bucketIn(this.#pairs, `${to.key} ${from.key}`, PAIR_RATE, now);
    if (pair.pause(PAIR_RATE, now) > 0 || bucketIn(this.#receivers, to.key, RATE, now).take(RATE, now) > 0) {
      return false;
    }
    pair.take(PAIR_RATE, now);
    return true;
  }
}

/**
 * What a member reads that can't take a file. All of it stands behind the mark of its sender, as a text of the sender's
 * would, and the name between quotes, which it can't have itself: whatever it is, it looks like nobody else's line.
 */
export function offerLines(
  { text: file, size }: Extract<FilePacket, { type: "OFFER" }>,
  { address, name }: Pick<Member, "address" | "name">,
): string[] {
  const text = `offers you the file "${shortName(file)}" (${readableSize(size)}); your program can't take it`;
  return linesOf({ from: address, name, action: true, text }, privateLine);
}

/** Many blanks would put what follows them at the beginning of another line of the terminal. */
function shortName(file: string): string {
  const characters = [...harmlessName(file).replace(/ {2,}/g, " ")];
  return characters.length > MAX_NAME ? `${characters.slice(0, MAX_NAME - 1).join("")}…` : characters.join("");
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** A number of bytes for people, with three digits: `2.3 MB`. */
function readableSize(bytes: number): string {
  const rounded = Number(bytes.toPrecision(3));
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(rounded || 1) / 3)));
  return `${Number((rounded / 1000 ** power).toPrecision(3))} ${UNITS[power]}`;
}

/** The bucket with a key, which is the last to be forgotten now. */
function bucketIn(buckets: BoundedMap<TokenBucket>, key: string, limit: TokenBucketOptions, now: number): TokenBucket {
  const bucket = buckets.get(key) ?? new TokenBucket(limit, now);
  buckets.set(key, bucket);
  return bucket;
}
