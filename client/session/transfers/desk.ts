/**
 * What a user says about files, by the numbers and names that are typed.
 *
 * @module
 */
import type { Fact } from "../facts.ts";
import { readWho, WHO_RULE } from "../who.ts";
import type { TransferControl, TransferEnd, TransferState } from "./transfer.ts";
import type { Transfers } from "./transfers.ts";
import type { Request } from "../requests.ts";

/** What the desk works with. */
export interface DeskParts {
  transfers: Transfers;
  /** Has something done when its turn comes. */
  request: (request: Request, now: number) => void;
  /** Does what follows from facts. */
  handle: (facts: Fact[], now: number) => void;
  /** Shows what is wrong with a line that was meant as a command. */
  reject: (text: string) => void;
}

/** What is asked for when none of several is named. */
type Wanted = { verb: string; of: (state: TransferState) => boolean; none: string };

const ASKED: Omit<Wanted, "verb"> = { of: ({ state }) => state === "asked", none: "No file is offered to you" };
const ANY: Omit<Wanted, "verb"> = { of: () => true, none: "No file is offered or under way" };

/** The files of one session, as its user handles them. */
export class TransferDesk implements TransferControl {
  readonly #parts: DeskParts;

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  get states(): TransferState[] {
    return this.#parts.transfers.states;
  }

  offer(text: string, path: string, now: number, until?: number): void {
    const who = readWho(text);
    if (who) this.#parts.request({ want: "file", target: { who, until }, path }, now);
    else this.#parts.reject(WHO_RULE);
  }

  accept(number: number | undefined, now: number): void {
    const { transfers, handle } = this.#parts, chosen = this.#choose(number, { ...ASKED, verb: "/accept" });
    if (chosen) handle(transfers.accept(chosen.number, now), now);
  }

  decline(number: number | undefined, now: number): void {
    const chosen = this.#choose(number, { ...ASKED, verb: "/decline" });
    if (chosen) this.#end(chosen, now);
  }

  cancel(number: number | undefined, now: number): void {
    const chosen = this.#choose(number, { ...ANY, verb: "/cancel" });
    if (chosen) this.#end(chosen, now);
  }

  takeOnlyFrom(name: string): void {
    this.#parts.transfers.takeOnlyFrom(name);
  }

  list(now: number): void {
    this.#parts.handle([{ type: "show", shown: { kind: "transfers", transfers: this.states } }], now);
  }

  takeEnded(): TransferEnd[] {
    return this.#parts.transfers.takeEnded();
  }

  #end({ number, state }: TransferState, now: number): void {
    const { transfers, handle } = this.#parts, isAsked = state === "asked";
    const problem = isAsked ? "you did not want it" : "you have ended it";
    handle(transfers.end(number, isAsked ? "declined" : "cancelled", problem, now), now);
  }

  #choose(number: number | undefined, { verb, of, none }: Wanted): TransferState | undefined {
    const { reject } = this.#parts, those = this.states.filter(of);
    const [first, ...others] = number === undefined ? those : those.filter((state) => state.number === number);
    if (first && others.length === 0) return first;
    if (!first) reject(those.length === 0 ? none : `There is no ${number} to ${verb}; /files lists them`);
    else reject(`Which one? ${those.map(({ number, file }) => `${verb} ${number} is ${file}`).join(", ")}`);
  }
}
