/**
 * The question of a TCP server after the name: when it is asked, who answers it, and when the first line waits for it.
 *
 * @module
 */
import { normalizeName } from "../../protocol/names.ts";
import { printable } from "../../protocol/text.ts";
import { asksForName } from "./heard_text.ts";
import { givesName, tellsName } from "./typed_line.ts";

/** How long the first line waits for a question after the name, in milliseconds. */
const QUESTION_MS = 500;
/**
 * How long after the connection, in milliseconds, and behind how many lines of a banner a question after the name is
 * the server's. Later it is a member's, and nobody but the user may answer it.
 */
const MAX_QUESTION_MS = 2000;
const MAX_BANNER_LINES = 10;

/** What is done about a question: what the user is told, and what the server is answered at once. */
export interface NameAnswer {
  notice: string;
  answer?: string;
}

/** The questions after the name of one session: one on each connection at most. */
export class NameQuestion {
  /** The name that was given at the start, and the one that is the answer by now. */
  readonly #given: string | undefined;
  #name: string | undefined;
  /** Whether the next line that is typed is the name. */
  #asksUser = false;
  /** How many lines have arrived on this connection, and whether the server has asked, and one was written. */
  #linesHeard = 0;
  #wasAsked = false;
  #hasSaid = false;
  #holdUntil = -Infinity;
  /** The last line on this connection that told the server a name. */
  #naming: string | undefined;
  #connectedAt = -Infinity;

  constructor(name: string | undefined) {
    this.#given = this.#name = name;
  }

  /** Until when lines wait for the question, in milliseconds. */
  get holdUntil(): number {
    return this.#holdUntil;
  }

  /** What the user has to know who had told the server a name: that of `-u` is told by {@linkcode said}. */
  get forgotten(): string {
    if (this.#naming === undefined || this.#given !== undefined) return "";
    return printable(`; the server does not know your name any more, unless you say ${this.#naming} again`);
  }

  /** Notes that there is a connection, on which nothing was asked or said yet. */
  connected(now: number): void {
    this.#connectedAt = now;
    this.#linesHeard = 0;
    this.#wasAsked = this.#hasSaid = this.#asksUser = false;
    this.#holdUntil = this.#name === undefined ? now : now + QUESTION_MS;
    this.#naming = undefined;
  }

  /** Notes that the connection is gone. */
  lost(): void {
    this.#asksUser = false;
  }

  /** Takes a line that was typed. Returns the name if it is the answer that the user was asked for. */
  typed(text: string): string | undefined {
    // whoever types while the question comes may have meant something else, which no later server should be told
    const name = this.#asksUser ? normalizeName(text.trim()) : undefined;
    this.#asksUser = false;
    if (name !== undefined) this.#name = name;
    return name;
  }

  /**
   * Takes a line that has arrived. Returns whether it is the question.
   *
   * @param hasEnd Whether a line feed stood behind it.
   */
  heard(line: string, hasEnd: boolean, now: number): boolean {
    const isEarly = ++this.#linesHeard <= MAX_BANNER_LINES && now < this.#connectedAt + MAX_QUESTION_MS;
    const isQuestion = isEarly && !this.#wasAsked && asksForName(line, hasEnd);
    if (!isEarly || isQuestion) this.#holdUntil = Math.min(this.#holdUntil, now);
    if (isQuestion) this.#wasAsked = true;
    return isQuestion;
  }

  /** Notes that the beginning of a line has arrived: what looks like nothing yet may become the question. */
  heardPart(now: number): void {
    if (this.#holdUntil > now) this.#holdUntil = Math.min(now + QUESTION_MS, this.#connectedAt + MAX_QUESTION_MS);
  }

  /** What is done about the question. `canAnswer`: whether there is still somebody to answer. */
  answer(canAnswer: boolean): NameAnswer | undefined {
    const name = this.#name;
    if (this.#hasSaid) {
      const hint = name === undefined ? "; -u NAME gives one at once" : "";
      return { notice: `The server asks for a name, and may take the first line for it${hint}` };
    }
    if (!canAnswer) return undefined;
    if (name !== undefined) {
      return { notice: `The server asks for a name; the answer is ${printable(name)}`, answer: name };
    }
    this.#asksUser = true;
    return { notice: "The server asks for a name: the next line that you type is the answer" };
  }

  /**
   * Notes that a line is written. Returns what the user is to be told who has given a name: that the server does not
   * know it, unless the first line is there to tell it.
   *
   * @param isLastWord Whether the user leaves with it.
   */
  said(text: string, isLastWord: boolean): string | undefined {
    const isUnasked = !this.#hasSaid && !this.#wasAsked, name = this.#given;
    if (tellsName(text)) this.#naming = text.trim();
    this.#hasSaid = true;
    if (!isUnasked || name === undefined || isLastWord || givesName(text, name)) return undefined;
    return printable(`The server has not asked for a name: nobody knows you as ${name}. Some take /name ${name}`);
  }
}
