/**
 * What a command of the client is.
 *
 * @module
 */
import type { Session } from "../session/session.ts";
import type { TransferControl } from "../session/transfers/transfer.ts";

/** What a command works with. */
export interface CommandContext {
  session: Session;
  /** The files that members hand to each other. */
  transfers: TransferControl;
  /** The time, in milliseconds. */
  now: number;
  /** Whether input and output are a terminal. */
  interactive: boolean;
  /** Shows text that is not part of the chat. */
  print(text: string): void;
  /** Leaves after everything that was typed has arrived. */
  quit(): void;
  /** Sets whether the time is shown before messages. */
  setTimes(shown: boolean): void;
}

/** A command: how it is typed, what help shows, and what it does. */
export interface Command {
  /** Without the slash; the first is the one that help shows. */
  names: string[];
  /** The required parameters, as help shows them. The last parameter takes the rest of the line. */
  parameters: string[];
  /** The optional parameter, as help shows it. */
  optional?: string;
  summary: string;
  run(context: CommandContext, ...values: string[]): void;
}
