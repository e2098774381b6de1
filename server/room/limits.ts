/**
 * Limits how many messages and requests one member may send, and all members with one IP address, so that they do not
 * starve the others.
 *
 * @module
 */
import { isLoopback } from "../../protocol/address_key.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { byteLength } from "../../protocol/utf8.ts";
import { activityOf, type MemberActivity } from "./activity.ts";
import { AddressLimits } from "./address_limits.ts";
import { BoundedMap } from "./bounded_map.ts";
import { FrugalBucket } from "./frugal_bucket.ts";
import type { Ignored, IgnoreReason } from "./ignored.ts";
import type { Member } from "./members.ts";
import type { Peer } from "./peer.ts";

/**
 * How many datagrams a second one member may ask for: enough to repair a third of the messages of a lively room, and no
 * more than the room can send beside its other work.
 */
const REQUEST_RATE: TokenBucketOptions = { rate: 500, burst: 1000 };
/** The same for a member whose address may be forged: an answer may reach somebody who has not asked. */
const UNVALIDATED_REQUEST_RATE: TokenBucketOptions = { rate: 2, burst: 20 };

/** How many times a second one member may change its name, and how many times at once: each is told to all. */
const RENAME_RATE: TokenBucketOptions = { rate: 0.1, burst: 5 };
/**
 * How many texts without a word of the protocol a second one classic member may say, and how many at once: a person types
 * no more, and a program that answers all that it gets would say as much as it may.
 */
const BARE_TEXT_RATE: TokenBucketOptions = { rate: 2, burst: 10 };
/**
 * How many copies a second of what members with a connection say may be made in all, and how many at once: a line may
 * always wait, and the others must not wait for thousands of them.
 */
const LINE_COPIES_RATE: TokenBucketOptions = { rate: 50_000, burst: 100_000 };
/** How many times as many datagrams as messages may come from the address of a classic member. */
const DATAGRAMS_FACTOR = 10;
/** How many times as much all members with one IP address may say, and ask for. */
const ADDRESS_FACTOR = 10;
/** After how long it is tried again what was too much of many members together, in milliseconds: thousands may poll. */
const SHARED_PAUSE_MS = 500;
/** What a classic answer has around its line, in bytes: the word INCOMING, a space and a line feed. */
const CLASSIC_FRAME_BYTES = 10;

/** What is left of what one member may say. */
type Unsaid = Pick<MemberActivity, "messages" | "frugalMessages">;

/** Why a member may not have another name now. */
export interface RenamePause {
  /** In milliseconds, until it is to be tried again. */
  pause: number;
  /** Whether it was too much of all with its IP address, not of the member. */
  isShared: boolean;
}

/** The limits of all members. */
export class Limits {
  readonly #addresses = new AddressLimits();
  readonly #messageRate: TokenBucketOptions;
  readonly #addressMessageRate: TokenBucketOptions;
  readonly #datagramRate: TokenBucketOptions;
  /** What those who have left had used up, by {@linkcode unsaidKey}. */
  readonly #unsaid = new BoundedMap<Unsaid>();
  readonly #ignored: Ignored;
  readonly #lineCopies = new TokenBucket(LINE_COPIES_RATE, 0);

  /**
   * @param messageRate How many messages a second a member may send.
   * @param ignored Counts each request that is refused here.
   */
  constructor(messageRate: TokenBucketOptions, ignored: Ignored) {
    this.#messageRate = messageRate;
    this.#addressMessageRate = times(ADDRESS_FACTOR, messageRate);
    this.#datagramRate = times(DATAGRAMS_FACTOR, messageRate);
    this.#ignored = ignored;
  }

  /**
   * Takes a token of a member for a message, and one of its IP address. Returns 0 if there were both, otherwise the
   * milliseconds until it is to be tried again.
   */
  takeMessageToken(member: Member, now: number): number {
    const activity = activityOf(member);
    if (activity.turnAt === undefined) {
      const pause = this.#takeOwnMessageToken(member, now);
      if (pause > 0 || this.#takeAddressMessageToken(member, now)) return pause;
      // if all tried again for the next token, some would never get one, and thousands would take much time
      activity.turnAt = now + this.#addresses.takeMessageTokenAhead(member, this.#addressMessageRate, now);
    }
    if (activity.turnAt > now) return activity.turnAt - now;
    activity.turnAt = undefined;
    activity.frugalMessages!.skip(now);
    return 0;
  }

  /** How long it takes until a member has tokens for so many messages, if it has none now, in milliseconds. */
  timeFor(messages: number): number {
    const { rate } = this.#messageRate;
    return rate === 0 ? 0 : messages * 1000 / rate;
  }

  /**
   * Takes a token for a line of a member with a connection, and one for each copy of it. Returns 0 if there were all,
   * otherwise the milliseconds until it is to be tried again.
   */
  takeLineToken(member: Member, copies: number, now: number): number {
    const activity = activityOf(member);
    if (activity.lineTurn === undefined) {
      const pause = this.takeMessageToken(member, now);
      if (pause > 0) return pause;
      // if all tried again for the next copies, some would never get any
      const cost = Math.min(copies, LINE_COPIES_RATE.burst);
      activity.lineTurn = { at: now + this.#lineCopies.takeAhead(LINE_COPIES_RATE, now, cost), cost };
    }
    if (activity.lineTurn.at > now) return activity.lineTurn.at - now;
    activity.lineTurn = undefined;
    return 0;
  }

  /** Takes the tokens for a message that is dropped if they are not there at once; returns whether there were both. */
  takeMessageTokenNow(member: Member, now: number): boolean {
    return this.#takeOwnMessageToken(member, now) === 0 && this.#takeAddressMessageToken(member, now);
  }

  /**
   * Takes a token of an operator for an order that everybody is told of; returns whether there was one. It is the
   * operator's alone: a crowd with its IP address must not take its orders away.
   */
  takeOrderToken(operator: Member, now: number): boolean {
    return this.#takeOwnMessageToken(operator, now) === 0;
  }

  /**
   * Takes a token of an operator for the answer to an order, and none of its IP address. Returns 0 if there was one,
   * otherwise the milliseconds until there is.
   */
  orderPause(operator: Member, now: number): number {
    return this.#takeOwnRequestTokens(operator, 1, now);
  }

  /** Takes a token of a classic member for a text without a word; returns whether there was one. */
  takeBareTextToken(member: Member, now: number): boolean {
    const bucket = activityOf(member).bareTexts ??= new TokenBucket(BARE_TEXT_RATE, now);
    return bucket.take(BARE_TEXT_RATE, now) === 0;
  }

  /**
   * Keeps what a member has used up of what it may say, before it leaves its peer. Whoever comes there goes on with it,
   * so nobody may say more by leaving and joining again.
   */
  keepUnsaid(member: Member, now: number): void {
    const { activity } = member;
    if (!activity) return;
    const { messages, frugalMessages, turnAt, lineTurn } = activity;
    if (lineTurn) this.#lineCopies.giveBack(lineTurn.cost);
    if (turnAt !== undefined) this.#addresses.giveMessageTokenBack(member, this.#addressMessageRate, now);
    if (messages && !messages.isFull(this.#messageRate, now)) {
      this.#unsaid.set(unsaidKey(member), { messages, frugalMessages });
    }
    activity.messages =
      activity.frugalMessages =
      activity.turnAt =
      activity.lineTurn =
        undefined;
  }

  /** Returns 0 if there was a token, otherwise the milliseconds until there is one. */
  #takeOwnMessageToken(member: Member, now: number): number {
    const activity = activityOf(member);
    if (!activity.messages) Object.assign(activity, this.#unsaid.get(unsaidKey(member)));
    const bucket = activity.messages ??= new TokenBucket(this.#messageRate, now);
    return bucket.take(this.#messageRate, now);
  }

  #takeAddressMessageToken(member: Member, now: number): boolean {
    if (this.#messageRate.rate === 0 || isLoopback(member.address)) return true;
    if (this.#addresses.takeMessageToken(member, this.#addressMessageRate, now)) return true;
    // a message brings no answer to whoever has this address, so a member that may be forged has the reserve too
    const bucket = activityOf(member).frugalMessages ??= new FrugalBucket(now);
    return bucket.take(now, 1) && this.#addresses.takeMessageReserveToken(member, now);
  }

  /** Takes a token for a datagram from the address of a classic member; returns whether there was one. */
  takeDatagramToken(member: Member, now: number): boolean {
    const limit = this.#datagramRate;
    const bucket = activityOf(member).datagrams ??= new TokenBucket(limit, now);
    return bucket.take(limit, now) === 0;
  }

  /** Takes a token for each datagram of an answer; returns false if the member or its IP address has too few. */
  takeRequestTokens(member: Member, datagrams: number, now: number): boolean {
    return this.#count(this.requestPause(member, datagrams, now) === 0, "fast-requests");
  }

  /**
   * Takes a token for each datagram or line of an answer to a request that can wait.
   *
   * @returns 0 if there were enough, otherwise the milliseconds until it is to be tried again.
   */
  requestPause(member: Member, datagrams: number, now: number): number {
    // a member that is over its own limit takes nothing from the others with its address
    const pause = this.#takeOwnRequestTokens(member, datagrams, now);
    if (pause > 0) return pause;
    const rateOfAddress = times(ADDRESS_FACTOR, requestRateOf(member));
    const isWithinLimit = this.#addresses.takeRequestTokens(member, rateOfAddress, datagrams, now) ||
      this.#takeReserveTokens(member, datagrams, now);
    return isWithinLimit ? 0 : SHARED_PAUSE_MS;
  }

  /** Returns 0 if there were enough, otherwise the milliseconds until there are. */
  #takeOwnRequestTokens(member: Member, datagrams: number, now: number): number {
    const limit = requestRateOf(member);
    const bucket = activityOf(member).requests ??= new TokenBucket(limit, now);
    return bucket.take(limit, now, datagrams);
  }

  /**
   * Takes the tokens of a member that asks for little from the reserve of its IP address; returns whether there were
   * enough. A member whose address may be forged has none: the limit protects whose address it is.
   */
  #takeReserveTokens(member: Member, datagrams: number, now: number): boolean {
    if (!member.validated) return false;
    const bucket = activityOf(member).frugal ??= new FrugalBucket(now);
    return bucket.take(now, datagrams) && this.#addresses.takeReserveTokens(member, datagrams, now);
  }

  /** Takes a token of an IP address for a connection that the others are told of; returns whether there was one. */
  takeArrivalToken(peer: Pick<Peer, "address" | "validated">, now: number): boolean {
    return this.#addresses.takeArrivalToken(peer, now);
  }

  /** Takes a token of a peer that asks for a name, its first or another one; returns whether there was one. */
  takeApplicantToken(peer: Pick<Peer, "key">, now: number): boolean {
    return this.#count(this.#addresses.takeApplicantToken(peer, now), "fast-sign-ins");
  }

  /** Takes a token for a name from the IP address of a peer that has none yet; returns whether there was one. */
  takeSignInToken(peer: Pick<Peer, "address" | "validated">, now: number): boolean {
    return this.#count(this.#addresses.takeSignInToken(peer, now), "fast-sign-ins");
  }

  /**
   * Takes a token of a member for another name, and one of its IP address; returns why not, if one of them is missing.
   */
  takeRenameToken(member: Member, now: number): RenamePause | undefined {
    const missing = this.renamePause(member, now);
    if (missing) return missing;
    (activityOf(member).renames ??= new TokenBucket(RENAME_RATE, now)).take(RENAME_RATE, now);
    if (!isLoopback(member.address)) this.#addresses.takeRenameToken(member, now);
    return undefined;
  }

  /** Why {@linkcode takeRenameToken} would take no token now; undefined if it would. Takes nothing. */
  renamePause(member: Member, now: number): RenamePause | undefined {
    const own = member.activity?.renames?.pause(RENAME_RATE, now) ?? 0;
    if (own > 0) return { pause: own, isShared: false };
    const pause = isLoopback(member.address) ? 0 : this.#addresses.renamePause(member, now);
    return pause > 0 ? { pause, isShared: true } : undefined;
  }

  /** How long a name must wait that {@linkcode takeSignInToken} would refuse now, in milliseconds. Takes nothing. */
  signInPause(peer: Pick<Peer, "address" | "validated">, now: number): number {
    return this.#addresses.hasSignInToken(peer, now) ? 0 : SHARED_PAUSE_MS;
  }

  /** Takes the bytes of a classic answer from the IP address of a peer; returns whether there were enough. */
  takeAnswerBytes(peer: Pick<Peer, "address" | "validated">, line: string, now: number): boolean {
    const bytes = byteLength(line) + CLASSIC_FRAME_BYTES;
    return this.#count(this.#addresses.takeAnswerBytes(peer, bytes, now), "fast-requests");
  }

  #count(isWithinLimit: boolean, reason: IgnoreReason): boolean {
    if (!isWithinLimit) this.#ignored.count(reason);
    return isWithinLimit;
  }
}

function times(factor: number, { rate, burst }: TokenBucketOptions): TokenBucketOptions {
  return { rate: factor * rate, burst: factor * burst };
}

function requestRateOf({ validated }: Pick<Member, "validated">): TokenBucketOptions {
  return validated ? REQUEST_RATE : UNVALIDATED_REQUEST_RATE;
}

/** A peer that may be forged uses up nothing of what is left to the one that has its address. */
function unsaidKey({ key, validated }: Pick<Peer, "key" | "validated">): string {
  return validated ? key : `unvalidated ${key}`;
}
