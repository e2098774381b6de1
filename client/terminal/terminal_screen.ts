/**
 * The client on a terminal: a prompt, line editing, and what is printed above them.
 *
 * @module
 */
import process from "node:process";
import { clearScreenDown, createInterface, cursorTo, moveCursor } from "node:readline";
import { pluralize } from "../../protocol/text.ts";
import { Keyboard } from "./keyboard.ts";
import { DEFAULT_COLUMNS, type Question, type Screen, type ScreenOptions, SIGNALS } from "./screen.ts";
import { StatusLines } from "./status_lines.ts";
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
  /** The rows above the cursor, by which it goes up before it draws the line again. */
  prevRows?: number;
}

/** The prompts for a line and for a name. */
const PROMPTS = { line: "+> ", name: "name> " };
const DROPPED = "What you had begun to type is gone: it may have been the password";
const TYPED_BEHIND = "What you typed meanwhile is gone: it was not sent";
/** The rows of a terminal that does not tell how many it has, and those that a message keeps beside other lines. */
const DEFAULT_ROWS = 24, LEAST_ROWS = 2;
/** What readline writes for Ctrl-L. */
const CLEAR_SCREEN = "\x1b[1;1H";
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
  const status = new StatusLines();
  const resized = () => output.emit("resize");
  // Deno 2.4 does not tell it by standard output; Windows has no such signal
  if (Deno.build.os === "windows") process.stdout.on("resize", resized);
  else Deno.addSignalListener("SIGWINCH", resized);
  // before node:readline, which only knows of its own line
  output.on("resize", () => {
    if (status.drawn.length > 0 && prompting && !closed) drawAnew();
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
  // Ctrl-Z, which readline leaves to its listeners
  readline.on("SIGTSTP", () => suspend());
  let prompting = false;
  let closed = false;
  /** What the user is asked; empty when the answer is there. While it is defined, readline shows nothing. */
  let question: string | undefined;
  /** Whether the status waits until all is written; whether Ctrl-Z was pressed, and the shell has the terminal. */
  let isStatusLate = false, isSuspended = false;
  readline.on("close", () => {
    // the line that was being typed stays, so later text, such as the shell's prompt, must begin on a new line
    output.isHushed = false;
    if (question !== undefined) endQuestion();
    else if (prompting) output.write("\n");
    closed = true;
  });

  const columns = () => output.columns || DEFAULT_COLUMNS;
  /** The rows of what is being typed above the cursor. */
  const rowsAbove = () =>
    question === undefined ? readline.getCursorPos().rows : Math.floor(cellsOf(question) / columns());

  /** How much room there is for the status, beside all of what is being typed. */
  function space(): { columns: number; rows: number } {
    const typedRows = 1 + (question === undefined ? endOfLine().rows : rowsAbove());
    return { columns: columns(), rows: (output.rows || DEFAULT_ROWS) - typedRows - LEAST_ROWS };
  }

  /** Where the end of the line that is being typed is. */
  function endOfLine(): { rows: number; cols: number } {
    const { cursor } = typed;
    typed.cursor = typed.line.length;
    const end = readline.getCursorPos();
    typed.cursor = cursor;
    return end;
  }

  /** Writes what a function writes at once, or nothing of it. */
  function draw(lines: number, body: () => void): void {
    const { drawn } = status;
    if (!output.draw(lines, body)) status.drawn = drawn;
  }

  // readline leaves its line behind, for Enter or a list of completions: the status is not to stay above that line
  output.before = (chunk) => {
    if (status.drawn.length === 0) return "";
    const isLeft = chunk.includes("\n"), rows = rowsAbove() + status.rows(columns());
    if (isLeft || chunk === CLEAR_SCREEN) status.drawn = [];
    return isLeft
      ? `\x1b[${rows}A\r\x1b[J${readline.getPrompt()}${typed.line}${endOfLine().cols === 0 ? " " : ""}`
      : "";
  };

  function print(shown: string): void {
    const text = wrap(shown, columns());
    draw(shown.split("\n").length, () => {
      if (!prompting || closed) return output.write(`${text}\n`);
      erase();
      output.write(`${text}\n`);
      drawBelow();
    });
  }

  /** Clears the status and what is being typed, which may take several rows. */
  function erase(): void {
    // go to the first one and clear all of them
    moveCursor(output, 0, -rowsAbove() - status.rows(columns()));
    cursorTo(output, 0);
    clearScreenDown(output);
    status.drawn = [];
  }

  /** Draws the status, and what is being typed, from where the cursor is. */
  function drawBelow(): void {
    output.write(status.draw(space()));
    drawTyped();
  }

  function drawTyped(): void {
    if (question !== undefined) return void output.write(question);
    // it is drawn below the cursor, not where it was before
    typed.prevRows = 0;
    readline.prompt(true);
  }

  /** Gives the terminal to the shell until that lets this program go on. */
  async function suspend(): Promise<void> {
    if (isSuspended) return;
    isSuspended = true;
    draw(0, () => {
      erase();
      drawTyped();
    });
    // what is written later would overwrite what the shell prints meanwhile
    await output.flush();
    process.once("SIGCONT", goOn);
    setRaw(false);
    try {
      process.kill(process.pid, "SIGTSTP");
    } catch {
      // without the permission for it
      process.off("SIGCONT", goOn);
      goOn();
    }
  }

  function goOn(): void {
    isSuspended = false;
    setRaw(!closed);
    if (closed) return;
    status.drawn = [];
    draw(0, drawBelow);
  }

  function drawAnew(): void {
    draw(0, () => {
      erase();
      drawBelow();
    });
  }

  function redraw(): void {
    if (question === undefined) readline.prompt(true);
    else draw(0, () => output.write(question!));
  }

  /** Draws the status again if it has changed, in place where that can be. */
  function drawStatus(): void {
    if (!prompting || closed || isStatusLate || isSuspended || status.isCurrent(space())) return;
    if (!output.isIdle) {
      // a stopped terminal gets the last one only
      isStatusLate = true;
      output.idle().then(() => {
        isStatusLate = false;
        drawStatus();
      });
      return;
    }
    draw(0, () => {
      const text = status.redraw(space(), rowsAbove());
      if (text !== undefined) return output.write(text);
      erase();
      drawBelow();
    });
  }

  /** Drops the line that is half typed. Returns whether there was one. */
  function dropHalfTyped(): boolean {
    if (typed.line === "") return false;
    if (prompting && question === undefined) draw(0, erase);
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
    draw(0, () => {
      if (prompting) erase();
      question = text;
      drawBelow();
    });
    prompting = output.isHushed = true;
  }

  function endQuestion(): void {
    const asked = question;
    if (asked) {
      draw(0, () => {
        if (status.drawn.length > 0) {
          erase();
          output.write(asked);
        }
        output.write("\n");
      });
    }
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
      draw(0, () => {
        const isAnew = question !== undefined || !status.isCurrent(space());
        if (isAnew) erase();
        question = undefined;
        output.isHushed = false;
        prompting = true;
        readline.setPrompt(PROMPTS[wanted]);
        if (isAnew) drawBelow();
        else readline.prompt(true);
      });
    },
    get columns() {
      return columns();
    },
    status(lines) {
      status.set(lines);
      drawStatus();
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
      if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGWINCH", resized);
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
