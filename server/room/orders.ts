/**
 * What is typed to keep order: into the server's terminal, or by members that are operators.
 *
 * The commands are in tables, from which help is made. Each part of the room brings the table of its own commands.
 *
 * @module
 */
import { MAX_TEXT_BYTES } from "../../protocol.ts";
import { splitText, splitWords } from "../../protocol/text.ts";
import { byteLength } from "../../protocol/utf8.ts";
import type { Member } from "./members.ts";

/** Who gives an order: a member, or undefined for the server's terminal. */
export type Giver = Member | undefined;

/** What becomes of an order. */
export interface OrderAnswer {
  isDone: boolean;
  /** A line for who has given it, or several; empty if everybody is told. */
  text: string;
}

/** A command: how it is typed, what help shows, and what it does. */
export interface OrderCommand {
  /** In lower case; several words with a space between are typed one behind the other: `account add`. */
  word: string;
  /** The required parameters, as help shows them. The last parameter takes the rest of the line. */
  parameters: readonly string[];
  /** The optional parameter, as help shows it. */
  optional?: string;
  summary: string;
  /** Whether it is for the server's terminal only. */
  isForTerminal?: boolean;
  /** Whether anybody may give it without its parameter: it only tells something then. */
  isForAllAlone?: boolean;
  /** Whether it tells something to its giver alone; the others tell everybody what was done. */
  isQuestion?: boolean;
  /**
   * Carries it out; returns what was done, in words, or {@linkcode TOLD}. Throws an {@linkcode OrderProblem} if it
   * can't be done.
   */
  run(giver: Giver, now: number, ...values: string[]): string;
}

/** The answer to an order where what is told to everybody says all. */
export const TOLD = "";

/** What stands at the end of an answer that was too long. */
const CUT_MARK = "…";

/** Why an order can't be done, in words. */
export class OrderProblem extends Error {}

/** The commands of all parts. */
export class Orders {
  readonly #commands: readonly OrderCommand[];

  constructor(...tables: (readonly OrderCommand[])[]) {
    this.#commands = tables.flat();
  }

  /** Whether a line begins with the word of a command. */
  isOrder(line: string): boolean {
    return this.#find(line) !== undefined;
  }

  /** Whether a line begins with the word of a command, or with the first one of several. */
  isKnown(line: string): boolean {
    return this.#find(line) !== undefined || this.#secondWords(line).length > 0;
  }

  /** Whether anybody may give an order, and not only who keeps order. */
  isForAll(line: string): boolean {
    return this.#find(line)?.isForAllAlone === true && firstWord(line) === line.trim();
  }

  /** Whether everybody may be told of what becomes of an order. */
  isToldToAll(line: string): boolean {
    const command = this.#find(line);
    return command !== undefined && !command.isQuestion && !this.isForAll(line);
  }

  /** The lines of help. */
  help(isForTerminal: boolean): string[] {
    const rows = this.#commands.filter((command) => isForTerminal || !command.isForTerminal).map((command) => {
      const { word, parameters, optional, summary } = command;
      return [[word, ...parameters, ...(optional ? [`[${optional}]`] : [])].join(" "), summary];
    });
    const width = Math.max(...rows.map(([left]) => left.length));
    return rows.map(([left, summary]) => `${left.padEnd(width)}  ${summary}`);
  }

  /** Carries an order out. The caller knows that the giver may give it. */
  execute(line: string, giver: Giver, now: number): OrderAnswer {
    const command = this.#find(line);
    if (giver && command?.isForTerminal) {
      return { isDone: false, text: `${command.word} is typed into the server's terminal` };
    }
    if (!command) {
      const seconds = giver ? [] : this.#secondWords(line);
      const text = seconds.length > 0
        ? `${firstWord(line).toLowerCase()} takes ${seconds.join(", ").replace(/, (?!.*, )/, " or ")}`
        : `There is no command '${firstWord(line)}'`;
      return { isDone: false, text };
    }
    const { word, parameters, optional } = command;
    const rest = behindWords(line, word.split(" ").length);
    const values = splitWords(rest, parameters.length + (optional ? 1 : 0));
    if (values.length < parameters.length) return { isDone: false, text: `${word} takes ${parameters.join(" ")}` };
    if (parameters.length === 0 && !optional && rest !== "") return { isDone: false, text: `${word} takes nothing` };
    // the terminal has room for everything
    const fit = (text: string) => giver ? cutToFit(text) : text;
    try {
      return { isDone: true, text: fit(command.run(giver, now, ...values)) };
    } catch (error) {
      if (error instanceof OrderProblem) return { isDone: false, text: fit(error.message) };
      throw error;
    }
  }

  #find(line: string): OrderCommand | undefined {
    return this.#commands.find(({ word }) => {
      const count = word.split(" ").length;
      return line.trim().toLowerCase().split(/\s+/, count).join(" ") === word;
    });
  }

  /** What may stand behind the first word of a line, if that word alone is no command. */
  #secondWords(line: string): string[] {
    const first = `${firstWord(line).toLowerCase()} `;
    return this.#commands.map(({ word }) => word).filter((word) => word.startsWith(first))
      .map((word) => word.slice(first.length));
  }
}

function firstWord(line: string): string {
  return line.trim().split(/\s/, 1)[0];
}

/** What stands behind the first words of a line. */
function behindWords(line: string, count: number): string {
  let rest = line.trim();
  for (let i = 0; i < count; i++) rest = rest.replace(/^\S+\s*/, "");
  return rest;
}

/** Cuts an answer so that it fits into a REPLY. */
function cutToFit(text: string): string {
  if (byteLength(text) <= MAX_TEXT_BYTES) return text;
  const [first] = splitText(text, MAX_TEXT_BYTES - byteLength(CUT_MARK));
  return first + CUT_MARK;
}
