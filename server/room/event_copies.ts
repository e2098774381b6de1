/**
 * Sends further copies of an event to the members that lose many datagrams, before they can know that it is missing.
 *
 * What a member sends is repeated until it is answered; what the server sends to all is not, as nobody answers it. So a
 * member that loses the latest event would hear of it by the next one, or by a heartbeat, and then ask for it. With a
 * further copy nothing has to be asked. RFC 7198 duplicates RTP streams in this way, whole packets some time later
 * (RFC 7197 calls it delayed duplication); TCP probes for the loss of the last segment (RFC 8985, section 7).
 *
 * @module
 */
import type { EventPacket } from "../../protocol.ts";
import { earlier } from "../../protocol/earliest.ts";
import { COPY_DELAYS_MS, copyCount } from "../../protocol/reliable/copies.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import type { Delivery } from "./delivery.ts";
import type { Member } from "./members.ts";

/**
 * How many datagrams a second one member gets, first and further copies together, and how many at once. In a room where
 * more is said the next event soon shows what is missing, and further copies would take the place of what is new.
 */
const MEMBER_RATE: TokenBucketOptions = { rate: 16, burst: 32 };
/** After a burst there are no further copies for so long at most, in milliseconds. */
const MAX_AHEAD_MS = 2000;
/** How many further copies a second all members get together, and how many at once: no more than is quickly sent. */
const TOTAL_RATE: TokenBucketOptions = { rate: 3000, burst: 1000 };

/** An event that has further copies to come. */
interface Pending {
  event: EventPacket;
  /** Who has said it, and repeats it until it hears it itself. */
  author: Member | undefined;
  at: number;
}

/** A member that gets further copies, and how many. */
interface Wanted {
  member: Member;
  count: number;
}

/** The further copies of one room's events. */
export class EventCopies {
  readonly #delivery: Pick<Delivery, "send">;
  /** By their tokens, in the order in which they are served. */
  readonly #wanted = new Map<string, Wanted>();
  /** The events that wait for their first further copy, for their second, and so on; each list in order of time. */
  readonly #pending: readonly Pending[][] = COPY_DELAYS_MS.map(() => []);
  readonly #perMember = new TokenBucket(MEMBER_RATE, 0);
  readonly #total = new TokenBucket(TOTAL_RATE, 0);

  constructor(delivery: Pick<Delivery, "send">) {
    this.#delivery = delivery;
  }

  /** When {@linkcode wake} is to be called, in milliseconds of the room's clock; undefined for never. */
  get dueAt(): number | undefined {
    let first: number | undefined;
    for (const [next] of this.#pending) first = earlier(first, next?.at);
    return first;
  }

  /** Whether any member gets further copies. */
  get areWanted(): boolean {
    return this.#wanted.size > 0;
  }

  /** Notes what a member has said of its losses, in percent; undefined for none. */
  noteLoss(member: Member, percent = 0): void {
    const count = copyCount(percent / 100);
    if (count > 0) this.#wanted.set(member.token, { member, count });
    else this.forget(member);
  }

  /** Forgets a member that has left. */
  forget({ token }: Pick<Member, "token">): void {
    this.#wanted.delete(token);
  }

  /** Plans the further copies of an event that was just sent to all. */
  plan(event: EventPacket, author: Member | undefined, now: number): void {
    // the first copy counts, also where there is no token for it
    if (this.#perMember.pause(MEMBER_RATE, now) < MAX_AHEAD_MS) this.#perMember.takeAhead(MEMBER_RATE, now);
    const most = this.#mostWanted();
    for (let i = 0; i < most && this.#perMember.take(MEMBER_RATE, now) === 0; i++) {
      this.#pending[i].push({ event, author, at: now + COPY_DELAYS_MS[i] });
    }
  }

  /** Sends the copies that are due. */
  wake(now: number): void {
    for (const [i, pending] of this.#pending.entries()) {
      while (pending.length > 0 && pending[0].at <= now) this.#send(pending.shift()!, i + 1, now);
    }
  }

  #mostWanted(): number {
    let most = 0;
    for (const { count } of this.#wanted.values()) most = Math.max(most, count);
    return most;
  }

  #send({ event, author }: Pending, copy: number, now: number): void {
    const packet = { ...event, copy }, served: Wanted[] = [];
    for (const wanted of this.#wanted.values()) {
      const { member, count } = wanted;
      if (count < copy || member.token === author?.token) continue;
      if (this.#total.take(TOTAL_RATE, now) > 0) return this.#putLast(served);
      this.#delivery.send(member, packet);
      served.push(wanted);
    }
  }

  /** Lets those that had a copy be the last next time, as there was none for others. */
  #putLast(served: Wanted[]): void {
    for (const wanted of served) {
      const { token } = wanted.member;
      this.#wanted.delete(token);
      this.#wanted.set(token, wanted);
    }
  }
}
