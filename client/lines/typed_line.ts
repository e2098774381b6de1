/**
 * What a typed line means to a client of a TCP server. Such servers have commands of their own, so only a few words are
 * the client's.
 *
 * @module
 */

/** The meaning of a typed line: text for the server, or a wish of the user. */
export type TypedLine =
  | { kind: "text"; text: string }
  | { kind: "help" }
  /** `text` is what the server is told before. */
  | { kind: "quit"; text?: string };

const QUIT = ["/quit", "/exit", "/q"];

/** The list of commands, one on each line. */
export const HELP_TEXT = `/help  tells this
/?     asks the server; ours lists its commands
/quit  leaves; so do /exit, /q, Ctrl-C, Ctrl-D and quit, which the server is told
All other lines go to the server as they are, also those that begin with /,
because it may have commands of its own.`;

/** Finds out what a line means. A blank line means nothing. */
export function readTypedLine(line: string): TypedLine | undefined {
  const word = line.trim();
  if (word === "") return undefined;
  if (word === "quit") return { kind: "quit", text: word };
  if (word.toLowerCase() === "/help") return { kind: "help" };
  if (QUIT.includes(word.toLowerCase())) return { kind: "quit" };
  return { kind: "text", text: line };
}

/** Whether a line is there to tell the server a name: the name alone, `/name NAME`, `NICK NAME` or the like. */
export function givesName(line: string, name: string): boolean {
  const [first, ...others] = line.trim().split(/\s+/);
  return others.length === 0 ? first === name : /^(?:\/.+|[A-Z-]+)$/.test(first) && others.join(" ") === name;
}

/** Whether a line is most likely there to tell a server some name: `/name NAME`, `/nick NAME` and what else is usual. */
export function tellsName(line: string): boolean {
  return /^(?:\/(?:name|nick)|NICK|SIGN-IN) +\S{1,128}\s*$/.test(line);
}

/** Completes a half-typed command; see node:readline. */
export function completeTypedLine(line: string): [string[], string] {
  const isCommand = /^\/\S*$/.test(line);
  return [isCommand ? ["/help", "/quit"].filter((command) => command.startsWith(line)) : [], line];
}
