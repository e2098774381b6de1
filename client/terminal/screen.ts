/**
 * Where lines come from and where text goes: a terminal with a prompt and line editing, or a plain pipe.
 *
 * @module
 */
import { clearScreenDown, createInterface, cursorTo, moveCursor } from "node:readline";
import process from "node:process";

/** The user's side of the client. */
export interface Screen {
  /** Whether a person sits there. */
  readonly interactive: boolean;
  /** What is typed, line by line, to the end of input. */
  readonly lines: AsyncIterable<string>;
  /** Shows text; what is being typed stays as it is. */
  print(text: string): void;
  /** Shows text that is not part of the chat; in a pipe it goes to standard error. */
  printAside(text: string): void;
  /** Shows that a line can be typed, or a name. */
  prompt(wanted?: "line" | "name"): void;
  /** Leaves the terminal as it was. */
  close(): void;
}

/** What a screen tells, and asks. */
export interface ScreenOptions {
  /** Called for Ctrl-C, and for signals that mean the same. */
  interrupted: () => void;
  /** Called once when standard output can't be written any more; from then on nothing is shown there. */
  outputFailed: (error: unknown) => void;
  /** Ways to complete the line that was typed so far; see {@linkcode createInterface}. */
  complete?: (line: string) => [string[], string];
}

/** What stands before that which is typed. */
const PROMPTS = { line: "+> ", name: "name> " };
/** The signals to leave at; on Windows there is only the one of Ctrl-C. */
const SIGNALS: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];
/** The pause before more is written to a pipe that takes nothing for now, in milliseconds. */
const FULL_PIPE_PAUSE_MS = 5;

/** A terminal where both ends are one, otherwise a pipe. */
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
  // the key while readline reads it, the signal when the input has ended and the terminal is its old self
  readline.on("SIGINT", interrupted);
  for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupted);
  // a terminal that was closed fails to be read and written: the goodbye is to be said all the same
  for (const stream of [process.stdin, process.stdout]) stream.on("error", () => {});
  // a terminal that was suspended (Ctrl-Z) and is back shows nothing of the line until it is asked to
  readline.on("SIGCONT", () => readline.prompt(true));
  let prompting = false;
  let closed = false;
  readline.on("close", () => {
    // the line that was being typed stays; what follows, the shell's prompt too, begins a line of its own
    if (prompting) process.stdout.write("\n");
    closed = true;
  });

  function print(text: string): void {
    if (!prompting || closed) {
      process.stdout.write(`${text}\n`);
      return;
    }
    // the line being typed may take several rows: up to its first, and away with all of it
    const { rows } = readline.getCursorPos();
    moveCursor(process.stdout, 0, -rows);
    cursorTo(process.stdout, 0);
    clearScreenDown(process.stdout);
    // readline goes up by the rows above the cursor before it draws the line anew: they must be there again
    process.stdout.write(`${text}\n${"\n".repeat(rows)}`);
    readline.prompt(true);
  }

  return {
    interactive: true,
    lines: untilBroken(readline),
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
        // there is nowhere left to say so
      }
    },
    prompt() {},
    close() {
      for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupted);
      readline.close();
    },
  };
}

/** The lines of a terminal; one that was closed under the program has no more, whatever error says so. */
async function* untilBroken(lines: AsyncIterable<string>): AsyncGenerator<string> {
  try {
    yield* lines;
  } catch {
    // what follows is the same as at the end of input
  }
}

/** Writes a line to a pipe; one that is full is waited for, also where it is set not to block. */
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
