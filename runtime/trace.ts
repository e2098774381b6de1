/**
 * Prints what had no effect: its first bytes, who has sent it, and why. A flood is summed up, and hides neither the
 * mistakes of others nor the chat.
 *
 * @module
 */
import { addressKey, isLoopback } from "../protocol/address_key.ts";
import { TokenBucket, type TokenBucketOptions } from "../protocol/reliable/token_bucket.ts";
import { printable } from "../protocol/text.ts";
import { hideSecrets, visibleBytes, visibleLine } from "../protocol/visible_bytes.ts";

/** A datagram, or a line of a connection, that had no effect; or a connection that was closed. */
export interface Traced {
  /** Who has sent it, like `127.0.0.1:52207`. */
  address: string;
  /** The datagram or the line; undefined for a connection. */
  what?: Uint8Array | string;
  /** Why, in words; or what finds them, which is called only for what is printed. */
  why: string | (() => string);
  /** Whether it is not ignored, but held until its turn comes. */
  isHeld?: boolean;
  /** Whether anybody may have sent it: then it takes no more than its share from those who are known. */
  isFromStranger?: boolean;
}

/** How many lines a second there are, and how many at once. */
const LIMIT: TokenBucketOptions = { rate: 10, burst: 20 };
/** How many of them there are of one IP address, of all strangers together, and of what is only held. */
const SHARE: TokenBucketOptions = { rate: 5, burst: 10 };
/** How long what is left out is counted before a line tells how much it was, in milliseconds. */
const COUNTING_MS = 1000;
/**
 * For how long the same mistake of an address is only counted, in milliseconds: a program repeats what has no answer.
 * Also how long a count lasts that is of nothing else, or that follows another one.
 */
const REPEAT_MS = 5000;
/** How many mistakes are remembered before those are forgotten that are older. Fewer lines are printed in that time. */
const MAX_MISTAKES = 128;
/**
 * How many IP addresses are remembered before those are forgotten that have their whole share again. Only a line makes
 * one remembered and a share is whole again after 2 s, so hardly more than this are remembered.
 */
const MAX_ADDRESSES = 64;

/** One program's trace, which can be switched on and off. */
export class Trace {
  readonly #print: (line: string) => void;
  readonly #all = new TokenBucket(LIMIT, 0);
  readonly #strangers = new TokenBucket(SHARE, 0);
  readonly #held = new TokenBucket(SHARE, 0);
  readonly #addresses = new Map<string, TokenBucket>();
  #isOn: boolean;
  /** When each mistake of an address was last printed, in milliseconds; the latest is the last. */
  readonly #mistakes = new Map<string, number>();
  #leftOut = 0;
  /** When the first of them came, in milliseconds. */
  #leftOutAt = 0;
  #tellAt: number | undefined;
  /** When it was last told how much was left out, in milliseconds. */
  #toldAt = -Infinity;

  constructor(print: (line: string) => void, isOn = false) {
    this.#print = print;
    this.#isOn = isOn;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  set isOn(isOn: boolean) {
    this.#isOn = isOn;
    if (!isOn) this.#tellLeftOut("");
    this.#mistakes.clear();
  }

  /** When {@linkcode wake} is to be called, in milliseconds of the caller's clock; undefined for never. */
  get nextWake(): number | undefined {
    return this.#tellAt;
  }

  /** Tells how much was left out, if that is due. */
  wake(now: number): void {
    if (this.#tellAt === undefined || now < this.#tellAt) return;
    this.#toldAt = now;
    const seconds = Math.round((now - this.#leftOutAt) / 1000);
    this.#tellLeftOut(seconds > 1 ? ` in the last ${seconds} seconds` : " in the last second");
  }

  /** Prints what had no effect, or counts it when there is too much. Does nothing while the trace is off. */
  note(traced: Traced, now: number): void {
    if (!this.#isOn) return;
    // the host may wake late
    this.wake(now);
    // a flood makes no words
    if (!this.#takeToken(traced, now)) return this.#leaveOut(COUNTING_MS, now);
    const { address, what, why, isHeld = false } = traced;
    const shown = typeof what === "string" ? visibleLine(what) : what && visibleBytes(what);
    const done = what === undefined ? "Closed the connection of" : `${isHeld ? "Held" : "Ignored"} ${shown} from`;
    // a reason may name a word of the packet
    const reason = hideSecrets(typeof why === "string" ? why : why());
    const word = shown === undefined ? "" : wordOf(shown);
    if (this.#isRepeat(`${isHeld ? "held" : ""} ${word} ${address} ${kindOf(reason)}`, now)) {
      return this.#leaveOut(REPEAT_MS, now);
    }
    this.#print(printable(`${done} ${address}: ${reason}`));
  }

  #isRepeat(mistake: string, now: number): boolean {
    if (now < (this.#mistakes.get(mistake) ?? -Infinity) + REPEAT_MS) return true;
    this.#mistakes.delete(mistake);
    if (this.#mistakes.size >= MAX_MISTAKES) {
      for (const [other, at] of this.#mistakes) if (now >= at + REPEAT_MS) this.#mistakes.delete(other);
    }
    this.#mistakes.set(mistake, now);
    return false;
  }

  #leaveOut(countingMs: number, now: number): void {
    if (this.#leftOut++ === 0) this.#leftOutAt = now;
    const tellAt = now + (now < this.#toldAt + REPEAT_MS ? REPEAT_MS : countingMs);
    this.#tellAt = Math.min(this.#tellAt ?? Infinity, tellAt);
  }

  #tellLeftOut(when: string): void {
    if (this.#leftOut > 0) this.#print(`… and ${this.#leftOut} more${when}`);
    this.#leftOut = 0;
    this.#tellAt = undefined;
  }

  /** Takes a token from all that limit a line, or from none. */
  #takeToken({ address, isHeld, isFromStranger }: Traced, now: number): boolean {
    if (this.#all.take(LIMIT, now) > 0) return false;
    const share = isHeld ? this.#held : isFromStranger ? this.#strangers : undefined;
    const isWithinShare = share === undefined || share.take(SHARE, now) === 0;
    if (isWithinShare && this.#bucketOf(address, now).take(SHARE, now) === 0) return true;
    this.#all.giveBack();
    if (isWithinShare) share?.giveBack();
    return false;
  }

  #bucketOf(address: string, now: number): TokenBucket {
    // the programs of a test have one IP address
    const key = isLoopback(address) ? address : addressKey(address);
    let bucket = this.#addresses.get(key);
    if (!bucket) {
      if (this.#addresses.size >= MAX_ADDRESSES) {
        for (const [other, bucket] of this.#addresses) if (bucket.isFull(SHARE, now)) this.#addresses.delete(other);
      }
      bucket = new TokenBucket(SHARE, now);
      this.#addresses.set(key, bucket);
    }
    return bucket;
  }
}

/** The word that the visible bytes of a datagram begin with. */
function wordOf(shown: string): string {
  return /^\S{0,24}/.exec(shown)![0];
}

/** A reason without its numbers: those of the next datagram are others. */
function kindOf(reason: string): string {
  return reason.replace(/[0-9a-f]*\d[0-9a-f]*/g, "");
}
