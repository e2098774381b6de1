/**
 * Reads lines from the user and shows text: on a terminal with a prompt and line editing, or through a plain pipe.
 *
 * @module
 */
import process from "node:process";
import { clearScreenDown, createInterface, cursorTo, moveCursor } from "node:readline";
import { wrap } from "./wrapping.ts";

/** The input and output of the client. */
export interface Screen {
  /** Whether input and output are a terminal. */
  readonly interactive: boolean;
  /** The lines of input, to its end. */
  readonly lines: AsyncIterable<string>;
  /** Shows text. The line that is being typed stays as it is. On a terminal, long lines are wrapped. */
  print(text: string): void;
  /** Shows text that is not part of the chat; in a pipe it goes to standard error. */
  printAside(text: string): void;
  /** Shows the prompt for a line or for a name; does nothing in a pipe. */
  prompt(wanted?: "line" | "name"): void;
  /** Stops reading and restores the terminal. */
  close(): void;
}

/** The callbacks of a screen. */
export interface ScreenOptions {
  /** Called for Ctrl-C, and for signals that mean the same. */
  interrupted: () => void;
  /** Called once when standard output can't be written any more. From then on nothing is written to it. */
  outputFailed: (error: unknown) => void;
  /** Returns ways to complete the line that was typed so far; see {@linkcode createInterface}. */
  complete?: (line: string) => [string[], string];
}

/** The prompts for a line and for a name. */
const PROMPTS = { line: "+> ", name: "name> " };
/** The columns of a terminal that does not tell how many it has. */
const DEFAULT_COLUMNS = 80;
/** The signals that make the client leave. On Windows there is only SIGINT, the signal of Ctrl-C. */
const SIGNALS: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];
/** The pause before the next attempt to write to a full pipe, in milliseconds. */
const FULL_PIPE_PAUSE_MS = 5;

/** Opens a terminal when standard input and standard output are both one, otherwise a pipe. */
export function openScreen(options: ScreenOptions): Screen {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal() ? openTerminal(options) : openPipe(options);
}

function openTerminal({ interrupted, complete }: ScreenOptions): Screen {
  const readline = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: PROMPTS.line,
    historySize: 500,
    removeHistoryDuplicates: true,
    completer: complete,
  });
  // while readline reads the keyboard, it reports Ctrl-C as its own event; after the end of input, the terminal is back
  // in its normal mode and Ctrl-C comes as a signal
  readline.on("SIGINT", interrupted);
  for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupted);
  // when the terminal is closed, reads and writes fail; the client must still send its LEAVE
  for (const stream of [process.stdin, process.stdout]) stream.on("error", () => {});
  // after a suspension (Ctrl-Z), the line that was being typed is not shown until readline draws it again
  readline.on("SIGCONT", () => readline.prompt(true));
  let prompting = false;
  let closed = false;
  readline.on("close", () => {
    // the line that was being typed stays, so later text, such as the shell's prompt, must begin on a new line
    if (prompting) process.stdout.write("\n");
    closed = true;
  });

  function print(shown: string): void {
    const text = wrap(shown, process.stdout.columns || DEFAULT_COLUMNS);
    if (!prompting || closed) {
      process.stdout.write(`${text}\n`);
      return;
    }
    // the line that is being typed may take several rows: go to the first one and clear all of them
    const { rows } = readline.getCursorPos();
    moveCursor(process.stdout, 0, -rows);
    cursorTo(process.stdout, 0);
    clearScreenDown(process.stdout);
    // before readline draws the line again, it goes up by the rows above the cursor, so these rows must exist again
    process.stdout.write(`${text}\n${"\n".repeat(rows)}`);
    readline.prompt(true);
  }

  return {
    interactive: true,
    lines: linesUntilError(readline),
    print,
    printAside: print,
    prompt(wanted = "line") {
      if (closed) return;
      prompting = true;
      readline.setPrompt(PROMPTS[wanted]);
      readline.prompt(true);
    },
    close() {
      for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupted);
      readline.close();
    },
  };
}

function openPipe({ interrupted, outputFailed }: ScreenOptions): Screen {
  const readline = createInterface({ input: process.stdin, crlfDelay: Infinity, terminal: false });
  for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupted);
  let isBroken = false;
  return {
    interactive: false,
    lines: readline,
    print(text) {
      if (isBroken) return;
      try {
        writeLine(Deno.stdout, text);
      } catch (error) {
        isBroken = true;
        outputFailed(error);
      }
    },
    printAside(text) {
      try {
        writeLine(Deno.stderr, text);
      } catch {
        // there is no other output to report this error to
      }
    },
    prompt() {},
    close() {
      for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupted);
      readline.close();
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

/** Writes a line to a pipe. It waits while the pipe is full, even when the pipe is non-blocking. */
function writeLine(output: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(`${text}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(output.writeSync(bytes));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_PAUSE_MS);
    }
  }
}
