/**
 * Reads lines from the user and shows text: on a terminal with a prompt and line editing, or through a plain pipe.
 *
 * @module
 */
import process from "node:process";
import { clearScreenDown, createInterface, cursorTo, moveCursor } from "node:readline";
import { FLUSH_MS, Output, stderr } from "../../runtime/output.ts";
import { pluralize } from "../../protocol/text.ts";
import { Keyboard } from "./keyboard.ts";
import { TerminalOutput } from "./terminal_output.ts";
import { UnreadOutput } from "./unread_output.ts";
import { cellsOf, wrap } from "./wrapping.ts";

/** The input and output of the client. */
export interface Screen {
  /** Whether input and output are a terminal. */
  readonly interactive: boolean;
  /** The lines of input, to its end. */
  readonly lines: AsyncIterable<string>;
  /** Whether so much waits for the reader of the pipe that nothing more should be printed for now. */
  readonly isFull: boolean;
  /** Whether the output is read. */
  readonly output: UnreadOutput;
  /** Shows text. The line that is being typed stays as it is. On a terminal, long lines are wrapped. */
  print(text: string): void;
  /** Shows text that is not part of the chat; in a pipe it goes to standard error. */
  printAside(text: string): void;
  /**
   * Shows the prompt for a line or for a name; or a question, whose answer is not shown. A line that was half typed
   * then is gone, and what was typed before the question does not come back by the arrow keys. Does nothing in a pipe.
   */
  prompt(wanted?: "line" | "name" | Question): void;
  /** Lets a line that was typed not come back by the arrow keys. */
  forget(line: string): void;
  /**
   * Stops reading and restores the terminal, when everything is written. A stopped terminal is left after 1 s. A pipe
   * that nobody reads is left 1 s after Ctrl-C, or after a signal that means the same.
   */
  close(): Promise<void>;
}

/** What the user is asked. */
export interface Question {
  question: string;
  /** Whether Ctrl-D does the same as Enter alone; otherwise it ends the input. */
  endAnswers: boolean;
}

/** Options of a screen. */
export interface ScreenOptions {
  /** The time at which the client begins to read lines, in milliseconds. */
  now: number;
  /**
   * Called for Ctrl-C, and for signals that mean the same; and when standard output can't be written any more, or goes
   * on after it was full.
   */
  signal: (signal: "interrupt" | "output changed") => void;
  /** Shows a notice. */
  notice: (text: string) => void;
  /** Takes the answer to a question, if any is asked. */
  answered?: (text: string) => void;
  /** Returns ways to complete the line that was typed so far; see {@linkcode createInterface}. */
  complete?: (line: string) => [string[], string];
}

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
/** The signals that make the client leave. On Windows there is only SIGINT, the signal of Ctrl-C. */
const SIGNALS: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];
/** How much may wait for the reader of a pipe before nothing more is taken from the server. */
const MAX_PIPE_BYTES = 8 << 20;
/** A line takes about 450 bytes beside its text. */
const MAX_PIPE_LINES = 50_000;

/** Opens a terminal when standard input and standard output are both one, otherwise a pipe; and welcomes the user. */
export function openScreen(options: ScreenOptions): Screen {
  const isTerminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  const screen = isTerminal ? openTerminal(options) : openPipe(options);
  screen.print("Welcome to the chat room!\nType your message and press Enter to send it");
  return screen;
}

function openTerminal({ now, signal, notice, answered, complete }: ScreenOptions): Screen {
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

function openPipe({ now, signal }: ScreenOptions): Screen {
  const readline = createInterface({ input: process.stdin, crlfDelay: Infinity, terminal: false });
  const output = new Output(Deno.stdout, {
    maxLines: MAX_PIPE_LINES,
    maxBytes: MAX_PIPE_BYTES,
    drops: false,
    resumed: () => signal("output changed"),
    failed,
  });
  const unread = new UnreadOutput(now);
  function failed(error: unknown): void {
    unread.failed(error);
    signal("output changed");
  }
  const interruption = Promise.withResolvers<void>();
  const interrupt = () => {
    interruption.resolve();
    signal("interrupt");
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupt);
  return {
    interactive: false,
    lines: readline,
    get isFull() {
      return output.isFull;
    },
    output: unread,
    print: (text) => void output.print(text),
    printAside: (text) => void stderr.print(text),
    prompt() {},
    forget() {},
    async close() {
      readline.close();
      const isWritten = await Promise.race([
        output.flush(),
        interruption.promise.then(() => output.flush(FLUSH_MS)),
      ]);
      if (!isWritten) failed(new Error("nobody reads it"));
      for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupt);
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
