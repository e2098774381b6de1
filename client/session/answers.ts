/**
 * Hands each answer of the server to the part of the session that has asked for it.
 *
 * @module
 */
import type { Account } from "./account.ts";
import type { Directory } from "./directory.ts";
import type { Answer, Fact, Question } from "./facts.ts";
import type { Orders } from "./orders.ts";
import type { Peers } from "./peers.ts";
import { StrayRefusals } from "./refusals.ts";
import type { Transactions } from "./transactions.ts";

/** The parts that ask the server something, and what their questions are sent with. */
export interface AskingParts {
  transactions: Transactions;
  directory: Directory;
  peers: Peers;
  orders: Orders;
  account: Account;
}

/** The answers that one session gets. */
export class Answers {
  readonly #parts: AskingParts;
  readonly #strayRefusals = new StrayRefusals();

  constructor(parts: AskingParts) {
    this.#parts = parts;
  }

  /** Takes a packet that answers a question. A refusal that belongs to none is shown. */
  take(packet: Answer, now: number): Fact[] {
    const { transactions } = this.#parts, question = transactions.answer(packet);
    if (question) return this.handOver(question, packet, now);
    // to a question that has been answered, or was given up, there is nothing more to say
    if (packet.type !== "ERROR" || transactions.hasAsked(packet.id)) return [];
    return this.#strayRefusals.take(packet, now);
  }

  /** Hands the answer to a question to whoever has asked it; undefined when there was none in time. */
  handOver(question: Question, answer: Answer | undefined, now: number): Fact[] {
    const { directory, peers, orders, account } = this.#parts;
    switch (question.ask) {
      case "names":
      case "whois":
        return directory.answered(question, answer, now);
      case "where":
        return peers.located(question, answer, now);
      case "reach":
        peers.links.located(question, answer, now);
        return [{ type: "reached" }];
      case "order":
        return orders.answered(question, answer);
      case "account":
        return account.answered(question.packet, answer, now);
    }
  }
}
