/**
 * A lock on the room: nobody comes who was not there. It ends with the server.
 *
 * @module
 */
import type { Accounts } from "./accounts.ts";
import type { Announcements } from "./announcements.ts";
import type { Expulsion } from "./expulsions.ts";
import type { Member } from "./members.ts";
import { byWhom } from "./order_words.ts";
import { type Giver, type OrderCommand, OrderProblem, TOLD } from "./orders.ts";
import { SilentTokens } from "./silent_tokens.ts";

/** What the lock needs of the room. */
export interface LockContext {
  accounts: Accounts | undefined;
  announcements: Announcements;
  /** Notes whether the room is locked. */
  note: (isLocked: boolean) => void;
  /** Called when the room is not locked any more. */
  unlocked?: (now: number) => void;
}

const LOCKED: Expulsion = { code: "locked", text: "The room is locked: nobody new may come in now" };

/** Whether newcomers may come into one room. */
export class Lock {
  readonly #context: LockContext;
  readonly #silent = new SilentTokens();
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
  left({ token, key, address, dialect }: Member, isSilent: boolean): void {
    if (isSilent && dialect !== "line") this.#silent.add(token || key, address);
    else this.#silent.delete(token || key);
  }

  /**
   * Lets nobody back who fell silent at the IP address of one that was told to go: it may have laid up tokens there.
   */
  forgetSilentAt(address: string): void {
    this.#silent.forgetAt(address);
  }

  /** Why a newcomer may not come in; undefined if it may. */
  refusalOf(holder: string, name: string | undefined): Expulsion | undefined {
    if (!this.#isLocked || this.#silent.has(holder)) return undefined;
    // who asks for such a name has to prove that it is its own
    return name !== undefined && this.#context.accounts?.get(name)?.isOperator ? undefined : LOCKED;
  }

  #set(giver: Giver, now: number, isLocked: boolean): string {
    const state = isLocked ? "locked" : "unlocked";
    if (this.#isLocked === isLocked) {
      throw new OrderProblem(`The room is ${isLocked ? "locked already" : "not locked"}`);
    }
    const { announcements, note, unlocked } = this.#context;
    this.#isLocked = isLocked;
    announcements.tell(`The room was ${state}${byWhom(giver)}`, now);
    note(isLocked);
    if (!isLocked) unlocked?.(now);
    return TOLD;
  }
}
