/**
 * The client in a script: nothing is read, and nothing of the chat is shown.
 *
 * Standard output is for what the script goes on with.
 *
 * @module
 */
import { stderr, stdout } from "../../runtime/output.ts";
import { DEFAULT_COLUMNS, type Screen, type ScreenOptions, SIGNALS } from "./screen.ts";
import { StatusLines } from "./status_lines.ts";
import { UnreadOutput } from "./unread_output.ts";
import { wrap } from "./wrapping.ts";

/**
 * Opens standard output, and standard error: for what is not part of the chat and, if it is a terminal, for the status.
 */
export function openScript({ now, signal }: Pick<ScreenOptions, "now" | "signal">): Screen {
  const isTerminal = Deno.stderr.isTerminal();
  const status = new StatusLines();
  const interrupt = () => signal("interrupt");
  for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupt);

  const columns = () => isTerminal ? consoleSize().columns : DEFAULT_COLUMNS;
  const space = () => ({ columns: columns(), rows: consoleSize().rows - 1 });

  /** What clears the status, with the cursor in the row below it. */
  function erased(): string {
    const rows = status.rows(columns());
    status.drawn = [];
    return rows > 0 ? `\x1b[${rows}A\r\x1b[J` : "";
  }

  function printAside(text: string): void {
    if (!isTerminal) return void stderr.print(text);
    const rows = wrap(text, columns());
    stderr.write(`${erased()}${rows}\n${status.draw(space())}`, rows.split("\n").length);
  }

  return {
    interactive: false,
    lines: NO_LINES,
    isFull: false,
    output: new UnreadOutput(now),
    get columns() {
      return columns();
    },
    print(text) {
      // on a terminal both would be there, in any order, and what is said aside has it too
      if (!isTerminal || !Deno.stdout.isTerminal()) stdout.print(text);
    },
    printAside,
    status(lines) {
      status.set(lines);
      // a stopped terminal gets a later one
      if (!isTerminal || !stderr.isIdle || status.isCurrent(space())) return;
      stderr.write(status.redraw(space(), 0) ?? `${erased()}${status.draw(space())}`, 0);
    },
    prompt() {},
    forget() {},
    close() {
      if (isTerminal) stderr.write(erased(), 0);
      for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupt);
      return Promise.resolve();
    },
  };
}

/** The size of the terminal. Deno knows it of standard input, output or error, whichever is one. */
function consoleSize(): { columns: number; rows: number } {
  try {
    return Deno.consoleSize();
  } catch {
    return { columns: DEFAULT_COLUMNS, rows: 24 };
  }
}

/** Lines that never come, and never end. */
const NO_LINES: AsyncIterable<string> = {
  [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }),
};
