/**
 * What the client asks of a screen: lines from the user, and text for the user.
 *
 * @module
 */
import type { UnreadOutput } from "./unread_output.ts";

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
  /** The width of the terminal, in cells. */
  readonly columns: number;
  /**
   * Shows lines between what was printed and the line that is being typed, in place of those before; none if there are
   * none. Each is one row, and is cut where the terminal is too narrow. Does nothing in a pipe.
   */
  status(lines: string[]): void;
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

/** The columns of what does not tell how many it has. */
export const DEFAULT_COLUMNS = 80;
/** The signals that make the client leave. On Windows there is only SIGINT, the signal of Ctrl-C. */
export const SIGNALS: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];
