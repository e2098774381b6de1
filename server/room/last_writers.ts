/**
 * Who has written last to a member alone, for `/reply`.
 *
 * @module
 */
import type { Member } from "./members.ts";

/** The last one, and the one before it, if that is another. */
interface Writers {
  last: WeakRef<Member>;
  before: WeakRef<Member> | undefined;
  /** When the last one took over from the one before, in milliseconds. */
  changedAt: number;
}

/** For how long after another one has taken over an answer may be meant for the one before, in milliseconds. */
const DOUBT_MS = 5000;

/** The last writers of the members that do not speak version 1. */
export class LastWriters {
  /**
   * They may have left, and are not kept for this: a writer would keep the one that wrote to it, and so on without end.
   */
  readonly #writers = new WeakMap<Member, Writers>();

  /** Notes that a member reads what another has written to it. */
  note(from: Member, to: Member, now: number): void {
    const known = this.#writers.get(to);
    if (known?.last.deref() === from) return;
    this.#writers.set(to, { last: new WeakRef(from), before: known?.last, changedAt: now });
  }

  /** Whom an answer may be for, as far as they are here: nobody, the last writer, or before it the one before it. */
  of(member: Member, isHere: (writer: Member) => boolean, now: number): Member[] {
    const { last, before, changedAt } = this.#writers.get(member) ?? {};
    const writers = now < changedAt! + DOUBT_MS ? [before, last] : [last];
    return writers.map((it) => it?.deref()).filter((it) => it !== undefined).filter(isHere);
  }
}
