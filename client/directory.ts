/**
 * Asking the server who is here.
 *
 * @module
 */
import { nameKey } from "../protocol/fields.ts";
import type { Questions } from "./questions.ts";
import type { View } from "./view.ts";

/** The most names that are listed. */
const MAX_NAMES = 100_000;

/** What asking needs of the session. */
export interface DirectoryOptions {
  questions: Questions;
  view: View;
  token: () => string;
}

/** The list of names, however long, and who has one of them. */
export class Directory {
  readonly #questions: Questions;
  readonly #view: View;
  readonly #token: () => string;

  constructor({ questions, view, token }: DirectoryOptions) {
    this.#questions = questions;
    this.#view = view;
    this.#token = token;
  }

  /** Shows everyone who is signed in, and how many are here without a name. */
  list(now: number): void {
    this.#listAfter([], now);
  }

  /** Shows who has a name. */
  whois(name: string, now: number): void {
    this.#questions.ask({
      packet: (id) => ({ dialect: "v1", type: "LOOKUP", id, token: this.#token(), name }),
      answered: (answer) => {
        if (answer.type !== "PEER") return this.#view.problem(`Nobody here is called ${name}`);
        const { address, since, classic } = answer;
        this.#view.show({ kind: "whois", name: answer.name, address, since, classic: classic ?? false });
      },
      failed: () => this.#view.problem("The server did not say who that is"),
    }, now);
  }

  /** Asks for the names behind those that are known, until there are no more. */
  #listAfter(known: string[], now: number): void {
    const failed = () => this.#view.problem("The server did not say who is here");
    this.#questions.ask({
      packet: (id) => ({ dialect: "v1", type: "LIST", id, token: this.#token(), after: known.at(-1) }),
      answered: (answer, now) => {
        if (answer.type !== "USERS") return failed();
        const names = [...known, ...answer.names];
        for (const name of answer.names) this.#view.people.saw(name);
        // what does not go on behind the last name would be asked for without end
        const last = known.at(-1);
        const goesOn = answer.names.length > 0 && (last === undefined || nameKey(answer.names[0]) > nameKey(last));
        if (answer.more && goesOn && names.length < MAX_NAMES) this.#listAfter(names, now);
        else this.#view.show({ kind: "users", names, unnamed: answer.unnamed });
      },
      failed,
    }, now);
  }
}
