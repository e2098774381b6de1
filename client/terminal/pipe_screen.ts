/**
 * The client in a pipe: lines of text, in and out.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { FLUSH_MS, Output, stderr } from "../../runtime/output.ts";
import { DEFAULT_COLUMNS, type Screen, type ScreenOptions, SIGNALS } from "./screen.ts";
import { UnreadOutput } from "./unread_output.ts";

/** How much may wait for the reader of a pipe before nothing more is taken from the server. */
const MAX_PIPE_BYTES = 8 << 20;
/** A line takes about 450 bytes beside its text. */
const MAX_PIPE_LINES = 50_000;

/** Opens standard input and standard output, of which at least one is no terminal. */
export function openPipe({ now, signal }: ScreenOptions): Screen {
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
    columns: DEFAULT_COLUMNS,
    status() {},
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
