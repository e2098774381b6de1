/**
 * Paces the members: knows which of them have a message whose turn has come, and when each may go on.
 *
 * @module
 */
import type { Member } from "./members.ts";

/**
 * The times are rounded up to a multiple of this, in milliseconds: with thousands that wait, one pass over all of them
 * serves many.
 */
const STEP_MS = 10;

/** The members that wait, because they have no token for their next message or the journal is behind. */
export class Pacing {
  /** By their tokens, or the keys of their peers if they have none, in the order in which they began to wait. */
  readonly #waiting = new Map<string, { member: Member; until: number }>();
  #dueAt: number | undefined;

  /** When {@linkcode takeDue} is to be called, in milliseconds of the room's clock; undefined while nobody waits. */
  get dueAt(): number | undefined {
    return this.#dueAt;
  }

  /** Lets a member wait until a time, in milliseconds. One that waits already keeps its place. */
  wait(member: Member, until: number): void {
    until = Math.ceil(until / STEP_MS) * STEP_MS;
    this.#waiting.set(idOf(member), { member, until });
    this.#dueAt = Math.min(this.#dueAt ?? Infinity, until);
  }

  /** Forgets a member that has left. */
  forget(member: Pick<Member, "token" | "key">): void {
    this.#waiting.delete(idOf(member));
  }

  /** Until when a member waits, in milliseconds of the room's clock; undefined if it does not. */
  waitsUntil(member: Pick<Member, "token" | "key">): number | undefined {
    return this.#waiting.get(idOf(member))?.until;
  }

  /** Takes the members that have waited long enough, those that began first before the others. */
  takeDue(now: number): Member[] {
    if (this.#dueAt === undefined || this.#dueAt > now) return [];
    const due: Member[] = [];
    let next = Infinity;
    for (const [id, { member, until }] of this.#waiting) {
      if (until > now) {
        next = Math.min(next, until);
        continue;
      }
      due.push(member);
      this.#waiting.delete(id);
    }
    this.#dueAt = next === Infinity ? undefined : next;
    return due;
  }
}

function idOf({ token, key }: Pick<Member, "token" | "key">): string {
  return token || key;
}
