/**
 * The commands of the server's terminal that say who keeps order.
 *
 * @module
 */
import { printable } from "../../protocol/text.ts";
import type { Accounts } from "./accounts.ts";
import type { Announcements } from "./announcements.ts";
import type { OrderTargets } from "./order_targets.ts";
import { type OrderCommand, OrderProblem, TOLD } from "./orders.ts";

/** What the commands need of the room. */
export interface OperatorOrdersContext {
  accounts: Accounts | undefined;
  announcements: Announcements;
  targets: OrderTargets;
}

/** The commands that make operators. Only who has an account can be one: anybody may take another name. */
export function operatorOrders({ accounts, announcements, targets }: OperatorOrdersContext): OrderCommand[] {
  const howToGetOne = (name: string, now: number) => {
    const there = targets.find(name, now), add = `type account add ${printable(name)} here`;
    if (!there) return add;
    return there.dialect === "v1" ? "let it type /register first" : `when it has left, ${add}`;
  };
  const set = (name: string, isOperator: boolean, now: number) => {
    if (!accounts) throw new OrderProblem("An operator needs an account: start the server with --state FILE");
    const account = accounts.get(name);
    if (!account) {
      throw new OrderProblem(`${printable(name)} has no account: ${howToGetOne(name, now)}`);
    }
    const state = isOperator ? "an operator now" : "no operator any more";
    if (account.isOperator === isOperator) {
      throw new OrderProblem(`${account.name} is ${isOperator ? "an" : "no"} operator already`);
    }
    accounts.put({ ...account, isOperator });
    announcements.tell(`${account.name} is ${state}`, now);
    return TOLD;
  };
  return [
    {
      word: "op",
      parameters: ["NAME"],
      summary: "lets who has this registered name keep order",
      isForTerminal: true,
      run: (_giver, now, name) => set(name, true, now),
    },
    {
      word: "deop",
      parameters: ["NAME"],
      summary: "ends that",
      isForTerminal: true,
      run: (_giver, now, name) => set(name, false, now),
    },
  ];
}
