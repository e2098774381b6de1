/**
 * The client on a terminal: a prompt, line editing, and what is printed above them.
 *
 * @module
 */
import process from "node:process";
import { clearScreenDown, createInterface, cursorTo, moveCursor } from "node:readline";
import { pluralize } from "../../protocol/text.ts";
import { Keyboard } from "./keyboard.ts";
import { type Question, type Screen, type ScreenOptions, SIGNALS } from "./screen.ts";
import { TerminalOutput } from "./terminal_output.ts";
import { UnreadOutput } from "./unread_output.ts";
import { cellsOf, wrap } from "./wrapping.ts";

/**
 * What node:readline keeps of what is typed; its types leave the writing out. The history begins with the latest line.
 */
interface Typed {
  line: string;
  cursor: number;
  history: string[];
  historyIndex: number;
}

/** The prompts for a line and for a name. */
const PROMPTS = { line: "+> ", name: "name> " };
const DROPPED = "What you had begun to type is gone: it may have been the password";
const TYPED_BEHIND = "What you typed meanwhile is gone: it was not sent";
/** The columns of a terminal that does not tell how many it has. */
const DEFAULT_COLUMNS = 80;
/** Opens the terminal that standard input and standard output are. */
export function openTerminal({ now, signal, notice, answered, complete }: ScreenOptions): Screen {
  const interrupted = () => signal("interrupt");
  const output = new TerminalOutput((dropped) => {
    if (dropped > 0) notice(`${pluralize(dropped, "line")} not shown while the terminal was stopped`);
    else if (prompting && !closed) redraw();
  });
  const setRaw = (raw: boolean) => {
    try {
      process.stdin.setRawMode(raw);
    } catch {
      // Deno 2.4 throws where the terminal is closed already
    }
  };
  const keyboard = new Keyboard({
    setRawMode: (raw) => output.setRawMode(raw, setRaw),
    interrupted,
    answered(text) {
      endQuestion();
      answered?.(text);
    },
  });
  const readline = createInterface({
    input: keyboard,
    output,
    terminal: true,
    prompt: PROMPTS.line,
    historySize: 500,
    removeHistoryDuplicates: true,
    completer: complete,
  });
  const typed = readline as unknown as Typed;
  // while readline reads the keyboard, it reports Ctrl-C as its own event; after the end of input, the terminal is back
  // in its normal mode and Ctrl-C comes as a signal
  readline.on("SIGINT", interrupted);
  for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupted);
  // after a suspension (Ctrl-Z), the line that was being typed is not shown until it is drawn again
  readline.on("SIGCONT", redraw);
  let prompting = false;
  let closed = false;
  /** What the user is asked; empty when the answer is there. While it is defined, readline shows nothing. */
  let question: string | undefined;
  readline.on("close", () => {
    // the line that was being typed stays, so later text, such as the shell's prompt, must begin on a new line
    output.isHushed = false;
    if (question !== undefined) endQuestion();
    else if (prompting) output.write("\n");
    closed = true;
  });

  function print(shown: string): void {
    const text = wrap(shown, output.columns || DEFAULT_COLUMNS);
    output.draw(shown.split("\n").length, () => {
      if (!prompting || closed) return output.write(`${text}\n`);
      const rows = erase();
      output.write(`${text}\n`);
      drawBelow(rows);
    });
  }

  /** Clears what is being typed, which may take several rows. Returns the rows above the cursor that it took. */
  function erase(): number {
    const rows = question === undefined
      ? readline.getCursorPos().rows
      : Math.floor(cellsOf(question) / (output.columns || DEFAULT_COLUMNS));
    // go to the first one and clear all of them
    moveCursor(output, 0, -rows);
    cursorTo(output, 0);
    clearScreenDown(output);
    return rows;
  }

  /** Draws what is being typed again, after {@linkcode erase}. */
  function drawBelow(rows: number): void {
    if (question !== undefined) return void output.write(question);
    // before readline draws the line again, it goes up by the rows above the cursor, so these rows must exist again
    output.write("\n".repeat(rows));
    readline.prompt(true);
  }

  function redraw(): void {
    if (question === undefined) readline.prompt(true);
    else output.draw(0, () => output.write(question!));
  }

  /** Drops the line that is half typed. Returns whether there was one. */
  function dropHalfTyped(): boolean {
    if (typed.line === "") return false;
    if (prompting && question === undefined) output.draw(0, () => erase());
    Object.assign(typed, { line: "", cursor: 0, historyIndex: -1 });
    return true;
  }

  function ask({ question: text, endAnswers }: Question): void {
    if (question === text) return;
    if (question === undefined) {
      // what was typed since the last command may be the password
      while (typed.history.length > 0 && !typed.history[0].startsWith("/")) typed.history.shift();
      if (dropHalfTyped()) notice(DROPPED);
    }
    if (keyboard.hide(endAnswers)) notice(TYPED_BEHIND);
    output.draw(0, () => {
      if (prompting) erase();
      output.write(text);
    });
    prompting = output.isHushed = true;
    question = text;
  }

  function endQuestion(): void {
    if (question) output.draw(0, () => output.write("\n"));
    question = "";
  }

  return {
    interactive: true,
    lines: linesUntilError(readline),
    isFull: false,
    output: new UnreadOutput(now),
    print,
    printAside: print,
    prompt(wanted = "line") {
      if (closed) return;
      if (typeof wanted === "object") return ask(wanted);
      if (question !== undefined) {
        // also keys that were on their way to readline when the question came
        const isLost = [keyboard.show(), dropHalfTyped()].includes(true);
        if (isLost) notice(TYPED_BEHIND);
      }
      output.draw(0, () => {
        if (question !== undefined) erase();
        question = undefined;
        output.isHushed = false;
        prompting = true;
        readline.setPrompt(PROMPTS[wanted]);
        readline.prompt(true);
      });
    },
    forget(line) {
      typed.history.splice(0, Infinity, ...typed.history.filter((known) => known !== line));
      typed.historyIndex = -1;
    },
    async close() {
      // Deno itself restores a stopped terminal at the exit of the program, but not the console of Windows
      if (await output.flush() || Deno.build.os === "windows") {
        readline.close();
        keyboard.stop();
        await output.flush();
      }
      for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupted);
    },
  };
}

/** The lines of a terminal. Any error ends them, because it means that the terminal was closed. */
async function* linesUntilError(lines: AsyncIterable<string>): AsyncGenerator<string> {
  try {
    yield* lines;
  } catch {
    // the caller handles it like the end of input
  }
}
