/**
 * A line that is typed and not shown, such as a password.
 *
 * @module
 */

/** What a key press has led to, if to anything: the line was ended by Enter, or Ctrl-C or Ctrl-D was pressed. */
export type HiddenKey = { is: "answer"; text: string } | { is: "interrupt" } | { is: "end" };

/** How many characters are kept: more than any password has. */
const MAX_CHARACTERS = 1024;

/** One line. Backspace, Ctrl-U and Ctrl-W work as usual; Tab, arrows and other keys do nothing. */
export class HiddenLine {
  #typed: string[] = [];
  /** How far an escape sequence has come, which an arrow key sends for instance. */
  #escape: "none" | "begun" | "parameters" = "none";

  /** Takes what was typed. What is typed or pasted behind the end of the line is not taken for anything. */
  type(text: string): HiddenKey | undefined {
    for (const character of text) {
      const key = this.#press(character);
      if (key) return key;
    }
    return undefined;
  }

  #press(character: string): HiddenKey | undefined {
    if (this.#escape !== "none") {
      this.#continueEscape(character);
      return undefined;
    }
    switch (character) {
      case "\r":
      case "\n": {
        const text = this.#typed.join("");
        this.#typed = [];
        return { is: "answer", text };
      }
      case "\x03":
        return { is: "interrupt" };
      case "\x04":
        return this.#typed.length === 0 ? { is: "end" } : undefined;
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
    if (!/\p{Cc}/u.test(character) && this.#typed.length < MAX_CHARACTERS) this.#typed.push(character);
    return undefined;
  }

  /** ECMA-48, section 5.4: a control sequence has parameters and ends with a character from `@` to `~`. */
  #continueEscape(character: string): void {
    if (this.#escape === "begun" && (character === "[" || character === "O")) this.#escape = "parameters";
    else if (this.#escape === "begun" || /[@-~]/.test(character)) this.#escape = "none";
  }
}
