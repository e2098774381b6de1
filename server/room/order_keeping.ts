/**
 * All that keeps order in a room, put together.
 *
 * @module
 */
import { pluralize } from "../../protocol/text.ts";
import type { NewEvent } from "../journal/journal.ts";
import type { KeptBan, Passing } from "../journal/past.ts";
import type { Accounts } from "./accounts.ts";
import type { Admission } from "./admission.ts";
import { Announcements } from "./announcements.ts";
import { banCommands } from "./ban_commands.ts";
import { type BanKeeper, Bans } from "./bans.ts";
import type { Delivery } from "./delivery.ts";
import { EntryRules } from "./entry_rules.ts";
import { kickCommands } from "./kicks.ts";
import type { Ignored } from "./ignored.ts";
import type { Limits } from "./limits.ts";
import { Lock } from "./lock.ts";
import { Mutes } from "./mutes.ts";
import { operatorOrders } from "./operator_orders.ts";
import { Operators } from "./operators.ts";
import { OrderTargets } from "./order_targets.ts";
import { type OrderCommand, Orders } from "./orders.ts";
import { Topic } from "./topic.ts";

/** Keeps what outlives the server. Each method writes before it returns. */
export interface OrderKeeper extends BanKeeper {
  /** @param passing What there is that ends with the server. */
  putPassing(passing: readonly Passing[]): void;
  /** @param topic Undefined if there is none any more. */
  putTopic(topic: string | undefined): void;
}

/** What an earlier run of the server has kept, and what keeps it for the next one. */
export interface KeptOrder {
  bans?: readonly KeptBan[];
  topic?: string;
  /** What there was that has ended with the server. */
  passing?: readonly Passing[];
  keeper?: OrderKeeper;
}

/** What keeps order before anybody is here. */
export interface OrderRulesContext {
  accounts: Accounts | undefined;
  kept: KeptOrder | undefined;
  ownAddresses: (() => readonly Uint8Array[]) | undefined;
  /** Appends an event to the journal. */
  publish: (event: NewEvent, now: number) => void;
  /** Prints a line on the server's terminal. Default: nothing is printed. */
  tellTerminal?: (line: string) => void;
  /** Called when the room is not locked any more. Default: nothing is done. */
  unlocked?: (now: number) => void;
  /** The time that is shown to people, in Unix milliseconds. */
  time: (now: number) => number;
}

/** What keeps order in one room, among its members. */
export interface RoomOrder {
  mutes: Mutes;
  orders: Orders;
  operators: Operators;
  targets: OrderTargets;
  /** What is in force now, a line for each. */
  state(): string[];
}

/** The parts that know who may come in, which admission needs; with admission, the others are made. */
export class OrderKeeping {
  readonly announcements: Announcements;
  readonly bans: Bans;
  readonly lock: Lock;
  readonly rules: EntryRules;
  readonly topic: Topic;
  readonly #context: OrderRulesContext;
  readonly #passing = new Set<Passing>();

  constructor(context: OrderRulesContext) {
    const { accounts, kept = {}, ownAddresses, tellTerminal = () => {}, time } = this.#context = context;
    const { keeper } = kept;
    this.announcements = new Announcements({ ...context, tellTerminal });
    this.bans = new Bans({ kept: kept.bans, keeper, ownAddresses, time });
    this.lock = new Lock({
      accounts,
      announcements: this.announcements,
      note: (isLocked) => this.#note("lock", isLocked),
      unlocked: context.unlocked,
    });
    this.rules = new EntryRules(this);
    const keep = keeper && ((text: string | undefined) => keeper.putTopic(text));
    this.topic = new Topic({ announcements: this.announcements, text: kept.topic, keep });
  }

  /**
   * Makes the parts that act on members.
   *
   * @param others The commands of other parts.
   */
  over(
    members: { admission: Admission; delivery: Delivery; ignored: Ignored; limits: Limits },
    others: readonly OrderCommand[],
  ): RoomOrder {
    const { admission } = members, { accounts, time } = this.#context;
    const { announcements, bans, lock, topic } = this;
    const targets = new OrderTargets(admission.members, admission.formerNames, accounts);
    const context = { ...members, accounts, announcements, bans, targets, time };
    const mutes = new Mutes({ ...context, note: (isAnybodyMuted) => this.#note("mutes", isAnybodyMuted) });
    const orders = new Orders(
      kickCommands(context),
      mutes.commands,
      banCommands(context),
      topic.commands,
      announcements.commands,
      lock.commands,
      operatorOrders(context),
      others,
    );
    const state = () => [
      ...lock.isLocked ? ["The room is locked"] : [],
      ...mutes.size > 0 ? [`${pluralize(mutes.size, "member")} muted; mutes lists them`] : [],
      ...topic.text === undefined ? [] : [topic.words],
    ];
    return { mutes, orders, operators: new Operators({ ...members, orders, targets }), state, targets };
  }

  /** Tells what was in force when an earlier run of the server has ended, and is no more. */
  tellEnded(now: number): void {
    const { keeper, passing = [] } = this.#context.kept ?? {};
    if (passing.length === 0) return;
    const ended = [
      ...passing.includes("lock") ? ["the room is not locked any more"] : [],
      ...passing.includes("mutes") ? ["whoever was muted may speak again"] : [],
    ];
    this.announcements.tell(`The server was started anew: ${ended.join(", and ")}`, now);
    keeper?.putPassing([]);
  }

  /** Notes what ends with the server, so that the next run can tell of it. */
  #note(what: Passing, isThere: boolean): void {
    if (this.#passing.has(what) === isThere) return;
    if (isThere) this.#passing.add(what);
    else this.#passing.delete(what);
    this.#context.kept?.keeper?.putPassing([...this.#passing]);
  }
}
