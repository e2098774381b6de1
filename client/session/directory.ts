/**
 * Asks the server who is here.
 *
 * @module
 */
import { nameKey } from "../../protocol/names.ts";
import type { Answer, Fact, Question } from "./facts.ts";
import type { Peers } from "./peers.ts";
import type { People } from "./people.ts";
import { reasonOf } from "./refusals.ts";
import type { Transactions } from "./transactions.ts";

/** The most names that are listed. */
const MAX_NAMES = 100_000;

type NamesQuestion = Extract<Question, { ask: "names" }>;
type WhoisQuestion = Extract<Question, { ask: "whois" }>;

/** Asks for the list of names, page by page, and for who has a name or an address. */
export class Directory {
  readonly #transactions: Transactions;
  readonly #people: People;
  readonly #peers: Pick<Peers, "isRelayed" | "isRelayAllowed">;
  #open = 0;

  /** @param peers To which members this client has found no direct way, and whether it uses the server's. */
  constructor(
    transactions: Transactions,
    people: People,
    peers: Pick<Peers, "isRelayed" | "isRelayAllowed">,
  ) {
    this.#transactions = transactions;
    this.#people = people;
    this.#peers = peers;
  }

  /** How many questions have no answer yet. */
  get openCount(): number {
    return this.#open;
  }

  /** Asks for everyone who is signed in, and how many are here without a name. */
  list(now: number): void {
    this.#ask({ ask: "names", listed: new Set(), onlyRelayed: new Set(), before: this.#people.names }, now);
  }

  /** Asks who has a name, or an address. */
  whois(who: WhoisQuestion["who"], now: number): void {
    this.#ask({ ask: "whois", who }, now);
  }

  /** Takes the answer to a question; undefined when there was none in time. */
  answered(question: NamesQuestion | WhoisQuestion, answer: Answer | undefined, now: number): Fact[] {
    this.#open--;
    return question.ask === "names" ? this.#listed(question, answer, now) : this.#tellWhois(question, answer);
  }

  #listed({ listed, onlyRelayed, before }: NamesQuestion, answer: Answer | undefined, now: number): Fact[] {
    if (answer?.type !== "USERS") return unanswered("The server did not say who is here", answer);
    const countBefore = listed.size;
    for (const name of answer.names) {
      listed.add(name);
      this.#people.remember(name);
    }
    for (const name of answer.onlyRelayed ?? []) onlyRelayed.add(name);
    // a page must bring something new: otherwise a server could make this ask without end
    if (answer.more && listed.size > countBefore && listed.size < MAX_NAMES) {
      this.#ask({ ask: "names", after: answer.names.at(-1), listed, onlyRelayed, before }, now);
      return [];
    }
    if (!answer.more) {
      const here = new Set([...listed].map(nameKey));
      for (const name of before) if (!here.has(nameKey(name))) this.#people.forget(name);
    }
    const names = [...listed];
    const relayed = names.filter((name) => onlyRelayed.has(name) || this.#peers.isRelayed({ name }));
    const ways = relayed.length > 0 ? { onlyRelayed: relayed, ...this.#forbidden } : {};
    return [{ type: "show", shown: { kind: "users", names, ...ways, unnamed: answer.unnamed } }];
  }

  #tellWhois({ who }: WhoisQuestion, answer: Answer | undefined): Fact[] {
    if (answer?.type === "ERROR" && answer.code === "no-such-user") {
      const text = "name" in who ? `Nobody here is called ${who.name}` : `Nobody is at ${who.address}`;
      return [{ type: "problem", text }];
    }
    if (answer?.type !== "PEER") return unanswered("The server did not say who that is", answer);
    const { name, address, since, pass, classic = false, registered, operator, transport, norelay } = answer;
    // whoever had the name or the address before may have been reached by another way
    const isRelayed = pass !== undefined && this.#peers.isRelayed({ pass });
    const way = answer.relay || isRelayed ? { relay: true, ...this.#forbidden } : {};
    const rank = { ...(registered && { registered }), ...(operator && { operator }) };
    const how = { ...(transport && { transport }), ...way, ...(norelay && { norelay }) };
    return [{ type: "show", shown: { kind: "whois", name, address, since, classic, ...rank, ...how } }];
  }

  get #forbidden(): { forbidden?: true } {
    return this.#peers.isRelayAllowed ? {} : { forbidden: true };
  }

  #ask(question: Question, now: number): void {
    this.#open++;
    this.#transactions.begin(question, now);
  }
}

function unanswered(text: string, answer: Answer | undefined): Fact[] {
  const why = answer?.type === "ERROR" ? `: ${reasonOf(answer)}` : "";
  return [{ type: "problem", text: `${text}${why}` }, { type: "shortfall", what: "unanswered", count: 1 }];
}
