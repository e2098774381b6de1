/**
 * A lock on the room: nobody comes who was not there. It ends with the server.
 *
 * @module
 */
import type { Accounts } from "./accounts.ts";
import type { Announcements } from "./announcements.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Expulsion } from "./expulsions.ts";
import type { Member } from "./members.ts";
import { byWhom } from "./order_words.ts";
import { type Giver, type OrderCommand, OrderProblem, TOLD } from "./orders.ts";

/** What the lock needs of the room. */
export interface LockContext {
  accounts: Accounts | undefined;
  announcements: Announcements;
  /** Notes whether the room is locked. */
  note: (isLocked: boolean) => void;
}

const LOCKED: Expulsion = { code: "locked", text: "The room is locked: nobody new may come in now" };

/** Whether newcomers may come into one room. */
export class Lock {
  readonly #context: LockContext;
  /** Whether who had a token was here until it fell silent: a closed lid must not keep anybody out. */
  readonly #fellSilent = new BoundedMap<boolean>();
  #isLocked = false;
  readonly commands: readonly OrderCommand[] = [
    {
      word: "lock",
      parameters: [],
      summary: "lets nobody new in; who falls silent may come back, and operators come as ever",
      run: (giver, now) => this.#set(giver, now, true),
    },
    { word: "unlock", parameters: [], summary: "ends that", run: (giver, now) => this.#set(giver, now, false) },
  ];

  constructor(context: LockContext) {
    this.#context = context;
  }

  get isLocked(): boolean {
    return this.#isLocked;
  }

  /** Notes that a member has left. */
  left({ token, key, dialect }: Pick<Member, "token" | "key" | "dialect">, isSilent: boolean): void {
    const holder = token || key;
    if (dialect !== "line" && (isSilent || this.#fellSilent.get(holder))) this.#fellSilent.set(holder, isSilent);
  }

  /** Why a newcomer may not come in; undefined if it may. */
  refusalOf(holder: string, name: string | undefined): Expulsion | undefined {
    if (!this.#isLocked || this.#fellSilent.get(holder)) return undefined;
    // who asks for such a name has to prove that it is its own
    return name !== undefined && this.#context.accounts?.get(name)?.isOperator ? undefined : LOCKED;
  }

  #set(giver: Giver, now: number, isLocked: boolean): string {
    const state = isLocked ? "locked" : "unlocked";
    if (this.#isLocked === isLocked) {
      throw new OrderProblem(`The room is ${isLocked ? "locked already" : "not locked"}`);
    }
    const { announcements, note } = this.#context;
    this.#isLocked = isLocked;
    announcements.tell(`The room was ${state}${byWhom(giver)}`, now);
    note(isLocked);
    return TOLD;
  }
}
