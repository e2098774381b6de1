/**
 * The keyboard of a terminal: what is typed goes to node:readline, or for a while past it, so that it is not shown.
 *
 * @module
 */
import process from "node:process";
import { PassThrough } from "node:stream";
import { HiddenLine } from "./hidden_line.ts";

/** Where the keys come from, and what a keyboard calls. */
export interface KeyboardOptions {
  /** Default: standard input. */
  input?: Pick<typeof process.stdin, "on" | "pause" | "resume">;
  /** Makes the terminal report each key, or whole lines. */
  setRawMode: (raw: boolean) => void;
  /** A line that was not shown is there. */
  answered: (text: string) => void;
  /** Ctrl-C was pressed while nothing is shown. */
  interrupted: () => void;
}

/** Standard input as node:readline reads it. */
export class Keyboard extends PassThrough {
  /** As node:readline calls it. */
  readonly setRawMode: (raw: boolean) => this;
  readonly #options: KeyboardOptions;
  readonly #input: NonNullable<KeyboardOptions["input"]>;
  #decoder = new TextDecoder();
  /** What takes the keys in place of node:readline. */
  #hidden: HiddenLine | undefined;

  constructor(options: KeyboardOptions) {
    super();
    this.#options = options;
    const input = this.#input = options.input ?? process.stdin;
    this.setRawMode = (raw) => {
      options.setRawMode(raw);
      return this;
    };
    input.on("data", (chunk: Uint8Array) => this.#take(chunk));
    input.on("end", () => this.end());
    // when the terminal is closed, reads fail; the client must still send its LEAVE
    input.on("error", () => this.end());
    this.on("drain", () => input.resume());
  }

  /**
   * From now on a line is read that is not shown, and nothing but that. Returns whether something was typed behind the
   * hidden line before it, which is lost.
   *
   * @param endAnswers Whether Ctrl-D does the same as Enter alone; otherwise it ends the input.
   */
  hide(endAnswers = false): boolean {
    const isLost = this.show();
    this.#hidden = new HiddenLine(endAnswers);
    // half a character that came before the question belongs to nothing
    this.#decoder = new TextDecoder();
    return isLost;
  }

  /**
   * From now on node:readline gets what is typed. What was typed of a hidden line is forgotten. Returns whether
   * something was typed behind its end, which is lost.
   */
  show(): boolean {
    const isLost = this.#hidden?.isLate ?? false;
    this.#hidden = undefined;
    return isLost;
  }

  /** Reads no more. */
  stop(): void {
    this.#input.pause();
  }

  #take(chunk: Uint8Array): void {
    if (this.#hidden === undefined) {
      if (!this.writableEnded && !this.write(chunk)) this.#input.pause();
      return;
    }
    for (const key of this.#hidden.type(this.#decoder.decode(chunk, { stream: true }))) {
      if (key.is === "interrupt") this.#options.interrupted();
      else if (key.is === "answer") this.#options.answered(key.text);
      else if (!this.writableEnded) this.end();
    }
  }
}
