/**
 * Formats lines for people. The lines are the same on a screen and in a classic INCOMING.
 *
 * @module
 */

/** A message and its sender. */
export interface ChatMessage {
  from: string;
  name?: string;
  /** Whether it tells what the sender does (`/me waves`). */
  action?: boolean;
  text: string;
}

/** A message with its sender: `<From 127.0.0.1:52207:Alice>: Hello`. */
export function messageLine({ from, name, action, text }: ChatMessage): string {
  const sender = name === undefined ? from : `${from}:${name}`;
  return action ? `<From ${sender}>: * ${name ?? from} ${text}` : `<From ${sender}>: ${text}`;
}

/** The members of the room. */
export interface UserList {
  /** The names of the members that have signed in, or the first of these names. */
  names: string[];
  /** How many members have signed in; by default the number of `names`. */
  total?: number;
  /** How many members have no name. */
  unnamed: number;
}

/** The members of the room, in one line: `Signed In Users: Alice, Bob and 3 more (and 2 unnamed)`. */
export function usersLine({ names, total = names.length, unnamed }: UserList): string {
  const more = total > names.length ? ` and ${total - names.length} more` : "";
  return `Signed In Users: ${names.join(", ") || "none"}${more}${unnamed > 0 ? ` (and ${unnamed} unnamed)` : ""}`;
}
