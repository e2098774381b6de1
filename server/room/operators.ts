/**
 * Takes the orders of members that are operators.
 *
 * @module
 */
import { MAX_TEXT_BYTES, type V1Packet } from "../../protocol.ts";
import { byteLength } from "../../protocol/utf8.ts";
import { activityOf } from "./activity.ts";
import { AnsweredRequests } from "./answered_requests.ts";
import type { Delivery } from "./delivery.ts";
import type { Ignored } from "./ignored.ts";
import type { Limits } from "./limits.ts";
import type { Member } from "./members.ts";
import type { OrderTargets } from "./order_targets.ts";
import type { OrderAnswer, Orders } from "./orders.ts";

/** What the orders of operators need of the room. */
export interface OperatorsContext {
  delivery: Delivery;
  ignored: Ignored;
  limits: Limits;
  orders: Orders;
  targets: OrderTargets;
}

const TOO_LONG = `A command has at most ${MAX_TEXT_BYTES} bytes`;
const TOO_FAST = "Not done: you say and order too much at once; try again in a moment";
const TOO_OLD = "This may have been done before: its id is smaller than those of later orders";
const NOT_ALLOWED = "Only an operator may do that; who runs the server makes one by op NAME";

/** The orders of one room's members. */
export class Operators {
  readonly #context: OperatorsContext;

  constructor(context: OperatorsContext) {
    this.#context = context;
  }

  /** Whether a line begins with the word of a command. */
  isOrder(line: string): boolean {
    return this.#context.orders.isOrder(line);
  }

  /** Whether a member may keep order. */
  isOperator(member: Member): boolean {
    return this.#context.targets.isOperator(member);
  }

  /** What a member can order, a line for each command; nothing if it may not. */
  helpFor(member: Member): string[] {
    const { orders } = this.#context;
    return this.isOperator(member) ? orders.help(false) : [];
  }

  /**
   * Takes a token of a member for the answer to an order. Returns 0 if there was one, otherwise the milliseconds until
   * it is to be tried again.
   */
  pause(member: Member, now: number): number {
    const { limits } = this.#context;
    return this.isOperator(member) ? limits.orderPause(member, now) : limits.requestPause(member, 1, now);
  }

  /** Carries out what a member has typed, if it may. */
  execute(line: string, member: Member, now: number): OrderAnswer {
    const { limits, orders } = this.#context;
    if (!this.#mayGive(line, member)) return { isDone: false, text: NOT_ALLOWED };
    // over a connection a line may be longer than a COMMAND
    if (byteLength(line) > MAX_TEXT_BYTES) return { isDone: false, text: TOO_LONG };
    // what everybody is told of pushes out what was said
    if (orders.isToldToAll(line) && !limits.takeOrderToken(member, now)) return { isDone: false, text: TOO_FAST };
    return orders.execute(line, member, now);
  }

  /** Answers a COMMAND, which is done once however often it is repeated. */
  receive(packet: V1Packet & { type: "COMMAND" }, member: Member, now: number): void {
    const { delivery } = this.#context;
    if (this.pause(member, now) > 0) return this.#context.ignored.count("fast-requests");
    const { id } = packet, { token } = member, activity = activityOf(member);
    const answered = activity.answered?.get(packet);
    if (answered) return delivery.send(member, answered);
    const isAllowed = this.#mayGive(packet.text, member);
    const { isDone, text } = activity.answered?.isOld(packet)
      ? { isDone: false, text: TOO_OLD }
      : this.execute(packet.text, member, now);
    const code = isAllowed ? "bad-command" : "not-allowed";
    const answer = isDone
      ? { dialect: "v1", type: "REPLY", token, id, text } as const
      : { dialect: "v1", type: "ERROR", token, code, id, text } as const;
    if (isAllowed && text !== TOO_OLD) (activity.answered ??= new AnsweredRequests()).add(packet, answer);
    // it may have been about this very member
    delivery.send(member, answer);
  }

  #mayGive(line: string, member: Member): boolean {
    const { orders } = this.#context;
    return this.isOperator(member) || orders.isForAll(line);
  }
}
