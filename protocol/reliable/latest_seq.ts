/**
 * The latest seq of the room, as the server vouches for it, and as anybody claims.
 *
 * @module
 */

/**
 * How far a claim may lead what is vouched for. The server is greeted once a second in a small room, and its answer
 * vouches for the latest seq, so only a very busy room gets that far in between.
 */
export const MAX_LEAD = 2048;

/** The latest seq that the server named in answer to a greeting, and the digest of all events up to it. */
export interface Confirmation {
  epoch: string;
  seq: number;
  digest?: string;
}

/**
 * The latest seq. An event or a heartbeat that goes to all members has nothing that a member could not forge, so it is
 * only a claim. Whatever has this member's token, the server vouches for.
 */
export class LatestSeq {
  #vouched: number;
  /** The greatest claim beyond what is vouched for, and when it came, in milliseconds. */
  #claim: { seq: number; at: number } | undefined;

  /** @param seq The latest seq, which the server vouches for. */
  constructor(seq: number) {
    this.#vouched = seq;
  }

  /** The latest seq that the server vouches for. */
  get vouched(): number {
    return this.#vouched;
  }

  /** The latest seq, if nobody lies. */
  get seq(): number {
    return Math.max(this.#vouched, this.#claim?.seq ?? 0);
  }

  /** Whether the claims lead so far that the server should be asked soon. */
  get isDoubtful(): boolean {
    return this.seq > this.#vouched + MAX_LEAD / 2;
  }

  /** Notes that the server vouches for a seq. */
  vouch(seq: number): void {
    this.#vouched = Math.max(this.#vouched, seq);
  }

  /** Notes that somebody claims a seq. Returns false for a claim that leads too far to be believed. */
  claim(seq: number, now: number): boolean {
    if (seq > this.#vouched + MAX_LEAD) return false;
    if (seq > this.seq) this.#claim = { seq, at: now };
    return true;
  }

  /**
   * Notes the latest seq that the server named when it was asked. What was claimed before counts no more: a greater one
   * is a lie. Returns whether there was one.
   */
  confirm(seq: number, askedAt: number): boolean {
    this.vouch(seq);
    if (!this.#claim || this.#claim.at >= askedAt) return false;
    const isLie = this.#claim.seq > seq;
    this.#claim = undefined;
    return isLie;
  }
}
