/**
 * Asks the server who is here.
 *
 * @module
 */
import type { Transaction, Transactions } from "./transactions.ts";
import type { View } from "./view.ts";
import { nameKey } from "../../protocol/names.ts";

/** The most names that are listed. */
const MAX_NAMES = 100_000;

/** What the directory needs from the session. */
export interface DirectoryOptions {
  transactions: Transactions;
  view: View;
  token: () => string;
  /** Called when a request gets no answer. */
  unanswered: () => void;
}

/** Asks for the list of names, page by page, and for who has a name or an address. */
export class Directory {
  readonly #transactions: Transactions;
  readonly #view: View;
  readonly #token: () => string;
  readonly #unanswered: () => void;
  #open = 0;

  constructor({ transactions, view, token, unanswered }: DirectoryOptions) {
    this.#transactions = transactions;
    this.#view = view;
    this.#token = token;
    this.#unanswered = unanswered;
  }

  /** How many requests have no answer yet. */
  get openCount(): number {
    return this.#open;
  }

  /** Shows everyone who is signed in, and how many are here without a name. */
  list(now: number): void {
    this.#listAfter([], this.#view.people.names, now);
  }

  /** Shows who has a name, or an address. */
  whois(who: { name: string } | { address: string }, now: number): void {
    this.#ask({
      packet: (id) => ({ dialect: "v1", type: "LOOKUP", id, token: this.#token(), ...who }),
      answered: (answer) => {
        if (answer.type !== "PEER") {
          return this.#view.problem(
            "name" in who ? `Nobody here is called ${who.name}` : `Nobody is at ${who.address}`,
          );
        }
        const { name, address, since, classic } = answer;
        this.#view.show({ kind: "whois", name, address, since, classic: classic ?? false });
      },
      failed: () => this.#failed("The server did not say who that is"),
    }, now);
  }

  /**
   * Asks for the names after those in `known`, page by page, until there are no more.
   *
   * @param before The names that this client knew when it began to ask.
   */
  #listAfter(known: string[], before: string[], now: number): void {
    const failed = () => this.#failed("The server did not say who is here");
    this.#ask({
      packet: (id) => ({ dialect: "v1", type: "LIST", id, token: this.#token(), after: known.at(-1) }),
      answered: (answer, now) => {
        if (answer.type !== "USERS") return failed();
        const names = [...known, ...answer.names];
        for (const name of answer.names) this.#view.people.remember(name);
        // a page must continue after the last name: otherwise a server could make this ask without end
        const last = known.at(-1);
        const continuesList = answer.names.length > 0 &&
          (last === undefined || nameKey(answer.names[0]) > nameKey(last));
        if (answer.more && continuesList && names.length < MAX_NAMES) return this.#listAfter(names, before, now);
        if (!answer.more) {
          const here = new Set(names.map(nameKey));
          for (const name of before) if (!here.has(nameKey(name))) this.#view.people.forget(name);
        }
        this.#view.show({ kind: "users", names, unnamed: answer.unnamed });
      },
      failed,
    }, now);
  }

  #ask({ packet, answered, failed }: Transaction, now: number): void {
    this.#open++;
    this.#transactions.begin({
      packet,
      answered: (answer, now) => {
        this.#open--;
        answered(answer, now);
      },
      failed: (now) => {
        this.#open--;
        failed?.(now);
      },
    }, now);
  }

  #failed(text: string): void {
    this.#view.problem(text);
    this.#unanswered();
  }
}
