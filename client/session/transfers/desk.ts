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
  /** What the folder is called that files come to. */
  folder: string;
}

/** Which files a command is for, and what is said of those that it is not for. */
interface Wanted {
  /** Whether it is for a file. */
  of: (state: TransferState) => boolean;
  /** What is said where there is none. */
  none: string;
  /** What tells several apart. */
  words: (state: TransferState) => string;
}

const ASKED: Wanted = { of: ({ state }) => state === "asked", none: "No file is offered to you", words: whose };
const ANY: Wanted = {
  of: () => true,
  none: "No file is offered or under way",
  words: (transfer) => `${whose(transfer)} (${stageOf(transfer)})`,
};

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
    const { transfers, handle, folder } = this.#parts, chosen = this.#choose("/accept", number, ASKED);
    if (!chosen) return;
    handle(transfers.accept(chosen.number, now), now);
    const isComing = this.states.some(({ number, state }) => number === chosen.number && state !== "asked");
    if (isComing) handle([{ type: "notice", text: `${whose(chosen)} is coming into ${folder}` }], now);
  }

  decline(number: number | undefined, now: number): void {
    const chosen = this.#choose("/decline", number, ASKED);
    if (chosen) this.#end(chosen, now);
  }

  cancel(number: number | undefined, now: number): void {
    const chosen = this.#choose("/cancel", number, ANY);
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

  /** The file with a number, or the only one that a command is for; undefined after saying why there is none. */
  #choose(verb: string, number: number | undefined, { of, none, words }: Wanted): TransferState | undefined {
    const { reject } = this.#parts, { states } = this;
    if (number !== undefined) {
      const named = states.find((state) => state.number === number);
      if (named && of(named)) return named;
      reject(named ? whyNotAsked(named) : `There is no file ${number}; /files lists them`);
      return undefined;
    }
    const [first, ...others] = states.filter(of);
    if (first && others.length === 0) return first;
    if (!first) reject(none);
    else {
      const all = [first, ...others].map((transfer) => `${verb} ${transfer.number} is ${words(transfer)}`);
      reject(`Which one? ${all.join(", ")}`);
    }
    return undefined;
  }
}

/** Which file it is: `notes.txt from Ann`. */
function whose({ file, direction, peer }: TransferState): string {
  return `${file} ${direction === "out" ? "to" : "from"} ${peer}`;
}

/** How far it is, in a word. */
function stageOf({ state, done, size }: TransferState): string {
  if (state !== "running" && state !== "finishing") return "waits";
  return `${size === 0 ? 100 : Math.floor(done / size * 100)}%`;
}

/** Why a file can't be accepted or declined. */
function whyNotAsked({ number, direction, peer }: TransferState): string {
  const what = direction === "out" ? `${number} is yours, for ${peer}` : `${number} is under way already`;
  return `${what}; /cancel ${number} ends it`;
}
