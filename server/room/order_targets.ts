/**
 * Whom an order is about, and who may keep order.
 *
 * @module
 */
import { printable } from "../../protocol/text.ts";
import type { Accounts } from "./accounts.ts";
import type { FormerNames } from "./former_names.ts";
import { type Member, type Members, nameOf } from "./members.ts";
import { type Giver, OrderProblem } from "./orders.ts";

/** Finds the members that orders are about. */
export class OrderTargets {
  readonly #members: Members;
  readonly #formerNames: FormerNames;
  readonly #accounts: Accounts | undefined;

  /** @param accounts Undefined if this server protects no names. */
  constructor(members: Members, formerNames: FormerNames, accounts: Accounts | undefined) {
    this.#members = members;
    this.#formerNames = formerNames;
    this.#accounts = accounts;
  }

  /**
   * Whether a member may keep order: it has the name of an account that may. Nobody has such a name who has not proven
   * it.
   */
  isOperator({ name }: Pick<Member, "name">): boolean {
    return name !== undefined && this.#accounts?.get(name)?.isOperator === true;
  }

  /** The member with a name or an address, or that had the name a moment ago; undefined if there is none. */
  find(who: string, now: number): Member | undefined {
    return this.#members.withName(who) ?? this.#members.withAddress(who) ?? this.#formerNames.holderOf(who, now);
  }

  /** How a member is called that was found; with the name that it had, if it was found by that. */
  nameFor(member: Member, who: string, now: number): string {
    const isFormer = this.#members.withAddress(who) !== member && this.#formerNames.holderOf(who, now) === member;
    return isFormer ? `${nameOf(member)} (${printable(who)} a moment ago)` : nameOf(member);
  }

  /** The member with a token, or with the key of a peer. */
  holding(tokenOrKey: string): Member | undefined {
    return this.#members.withToken(tokenOrKey) ?? this.#members.withKey(tokenOrKey);
  }

  /**
   * The member with a name or an address, if the giver may do something to it.
   *
   * @throws {OrderProblem} if it is not here, or the giver may not.
   */
  findFor(giver: Giver, who: string, now: number): Member {
    const member = this.find(who, now);
    if (!member) throw new OrderProblem(`${printable(who)} is not here`);
    this.check(giver, member);
    return member;
  }

  /**
   * Operators are equals: if one could throw another out, whoever is the first to act would keep the room. Only the
   * server's terminal is above them.
   *
   * @throws {OrderProblem} if the giver may do nothing to a member: to itself, or to another operator.
   */
  check(giver: Giver, member: Member): void {
    if (!giver) return;
    if (member === giver) throw new OrderProblem("That is you");
    if (this.isOperator(member)) {
      throw new OrderProblem(`${nameOf(member)} is an operator: only the server's terminal may do that`);
    }
  }

  /** @throws {OrderProblem} if the giver may not take a name from who may have it, because that is an operator's. */
  checkName(giver: Giver, name: string): void {
    const account = giver && this.#accounts?.lookAlikeOf(name);
    if (account?.isOperator) {
      throw new OrderProblem(`${account.name} is an operator: only the server's terminal may do that`);
    }
  }
}
