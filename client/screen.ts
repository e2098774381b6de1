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
  /** Shows that a line can be typed. */
  prompt(): void;
  /** Leaves the terminal as it was. */
  close(): void;
}

/** What a screen tells, and asks. */
export interface ScreenOptions {
  /** Called for Ctrl-C. */
  interrupted: () => void;
  /** Ways to complete the line that was typed so far; see {@linkcode createInterface}. */
  complete?: (line: string) => [string[], string];
}

/** What stands before the line that is typed. */
const PROMPT = "+> ";

/** A terminal where both ends are one, otherwise a pipe. */
export function openScreen(options: ScreenOptions): Screen {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal() ? openTerminal(options) : openPipe(options);
}

function openTerminal({ interrupted, complete }: ScreenOptions): Screen {
  const readline = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: PROMPT,
    historySize: 500,
    removeHistoryDuplicates: true,
    completer: complete,
  });
  readline.on("SIGINT", interrupted);
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? [] : ["SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, interrupted);
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
    lines: readline,
    print,
    printAside: print,
    prompt() {
      prompting = true;
      readline.prompt();
    },
    close() {
      for (const signal of signals) Deno.removeSignalListener(signal, interrupted);
      readline.close();
    },
  };
}

function openPipe({ interrupted }: ScreenOptions): Screen {
  const readline = createInterface({ input: process.stdin, crlfDelay: Infinity, terminal: false });
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, interrupted);
  const encoder = new TextEncoder();
  return {
    interactive: false,
    lines: readline,
    print: (text) => writeAll(Deno.stdout, encoder.encode(`${text}\n`), interrupted),
    printAside: (text) => writeAll(Deno.stderr, encoder.encode(`${text}\n`), interrupted),
    prompt() {},
    close() {
      for (const signal of signals) Deno.removeSignalListener(signal, interrupted);
      readline.close();
    },
  };
}

/** Writes to a pipe; when nobody reads it any more, the program has no purpose. */
function writeAll(output: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array, broken: () => void): void {
  try {
    while (bytes.length > 0) bytes = bytes.subarray(output.writeSync(bytes));
  } catch {
    broken();
  }
}
