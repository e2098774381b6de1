/**
 * A line that is typed and not shown, such as a password.
 *
 * @module
 */

/** What a key press has led to: the line was ended by Enter, or Ctrl-C or Ctrl-D was pressed. */
export type HiddenKey = { is: "answer"; text: string } | { is: "interrupt" } | { is: "end" };

/** How many characters are kept: more than any password has. */
const MAX_CHARACTERS = 1024;
/** The keys that count also behind an ESC: Enter, Ctrl-C, Ctrl-D, and another ESC. */
const ALWAYS_KEYS = "\r\n\x03\x04\x1b";

/** One line. Backspace, Ctrl-U and Ctrl-W work as usual; Tab, arrows and other keys do nothing. */
export class HiddenLine {
  readonly #endAnswers: boolean;
  #typed: string[] = [];
  #isAnswered = false;
  #isLate = false;
  /** How far an escape sequence has come, which an arrow key sends for instance. */
  #escape: "none" | "begun" | "parameters" = "none";

  /** @param endAnswers Whether Ctrl-D does the same as Enter alone. */
  constructor(endAnswers = false) {
    this.#endAnswers = endAnswers;
  }

  /** Whether something was typed or pasted behind the end of the line. It is not kept. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /** Takes what was typed, as it came in one read. Behind the end of the line only Ctrl-C and Ctrl-D count. */
  type(text: string): HiddenKey[] {
    const keys: HiddenKey[] = [];
    for (const character of text) {
      const key = this.#press(character);
      if (key) keys.push(key);
    }
    // what a key sends comes in one read, so this is the key Esc
    if (this.#escape === "begun") this.#escape = "none";
    return keys;
  }

  #press(character: string): HiddenKey | undefined {
    if (this.#escape !== "none") {
      if (!ALWAYS_KEYS.includes(character)) return this.#continueEscape(character);
      this.#escape = "none";
    }
    switch (character) {
      case "\r":
      case "\n":
        return this.#isAnswered ? undefined : this.#answer();
      case "\x03":
        return { is: "interrupt" };
      case "\x04":
        if (this.#typed.length > 0) return undefined;
        return this.#endAnswers && !this.#isAnswered ? this.#answer() : { is: "end" };
      case "\b":
      case "\x7f":
        this.#typed.pop();
        return undefined;
      case "\x15":
      case "\x17":
        this.#typed = [];
        return undefined;
      case "\x1b":
        this.#escape = "begun";
        return undefined;
    }
    if (/\p{Cc}/u.test(character)) return undefined;
    if (this.#isAnswered) this.#isLate = true;
    else if (this.#typed.length < MAX_CHARACTERS) this.#typed.push(character);
    return undefined;
  }

  #answer(): HiddenKey {
    const text = this.#typed.join("");
    this.#typed = [];
    this.#isAnswered = true;
    return { is: "answer", text };
  }

  /** ECMA-48, section 5.4: a control sequence has parameters and ends with a character from `@` to `~`. */
  #continueEscape(character: string): undefined {
    if (this.#escape === "begun" && (character === "[" || character === "O")) this.#escape = "parameters";
    else if (this.#escape === "begun" || /[@-~]/.test(character)) this.#escape = "none";
  }
}
