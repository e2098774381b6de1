/**
 * All that keeps order in a room, put together.
 *
 * @module
 */
import type { NewEvent } from "../journal/journal.ts";
import type { KeptBan } from "../journal/past.ts";
import type { Accounts } from "./accounts.ts";
import type { Admission } from "./admission.ts";
import { Announcements } from "./announcements.ts";
import { banCommands } from "./ban_commands.ts";
import { type BanKeeper, Bans } from "./bans.ts";
import type { Delivery } from "./delivery.ts";
import { EntryRules } from "./entry_rules.ts";
import { kickCommands } from "./kicks.ts";
import type { Limits } from "./limits.ts";
import { Lock } from "./lock.ts";
import { Mutes } from "./mutes.ts";
import { operatorCommands } from "./operator_commands.ts";
import { Operators } from "./operators.ts";
import { OrderTargets } from "./order_targets.ts";
import { type OrderCommand, Orders } from "./orders.ts";
import { Topic } from "./topic.ts";

/** Keeps what outlives the server. Each method writes before it returns. */
export interface OrderKeeper extends BanKeeper {
  /** @param topic Undefined if there is none any more. */
  putTopic(topic: string | undefined): void;
}

/** What an earlier run of the server has kept, and what keeps it for the next one. */
export interface KeptOrder {
  bans?: readonly KeptBan[];
  topic?: string;
  keeper?: OrderKeeper;
}

/** What keeps order before anybody is here. */
export interface OrderRulesContext {
  accounts: Accounts | undefined;
  kept: KeptOrder | undefined;
  ownAddresses: (() => readonly Uint8Array[]) | undefined;
  /** Appends an event to the journal. */
  publish: (event: NewEvent, now: number) => void;
  /** The time that is shown to people, in Unix milliseconds. */
  time: (now: number) => number;
}

/** The parts that know who may come in, which admission needs. */
export class OrderKeeping {
  readonly announcements: Announcements;
  readonly bans: Bans;
  readonly lock: Lock;
  readonly rules: EntryRules;
  readonly topic: Topic;
  readonly #context: OrderRulesContext;

  constructor(context: OrderRulesContext) {
    const { accounts, kept = {}, ownAddresses, time } = this.#context = context;
    const { keeper } = kept;
    this.announcements = new Announcements(context);
    this.bans = new Bans({ kept: kept.bans, keeper, ownAddresses, time });
    this.lock = new Lock({ accounts, announcements: this.announcements });
    this.rules = new EntryRules(this);
    const keep = keeper && ((text: string | undefined) => keeper.putTopic(text));
    this.topic = new Topic({ announcements: this.announcements, text: kept.topic, keep });
  }

  /**
   * Makes the parts that act on members.
   *
   * @param others The commands of other parts.
   */
  over(members: { admission: Admission; delivery: Delivery; limits: Limits }, others: readonly OrderCommand[]) {
    const { admission } = members, { accounts, time } = this.#context;
    const { announcements, bans, lock, topic } = this;
    const targets = new OrderTargets(admission.members, accounts);
    const context = { ...members, accounts, announcements, bans, targets, time };
    const mutes = new Mutes(context);
    const orders = new Orders(
      kickCommands(context),
      mutes.commands,
      banCommands(context),
      topic.commands,
      announcements.commands,
      lock.commands,
      operatorCommands(context),
      others,
    );
    return { mutes, orders, operators: new Operators({ ...members, orders, targets }), targets };
  }
}
