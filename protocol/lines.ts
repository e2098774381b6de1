/**
 * Lines that people read, the same on a screen and in a classic INCOMING.
 *
 * @module
 */

/** What somebody said, and who it was. */
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

/** Who is here. */
export interface UserList {
  /** The names of those who have signed in, or the first of them. */
  names: string[];
  /** How many have signed in; as many as there are names where it is missing. */
  total?: number;
  /** How many are here without a name. */
  unnamed: number;
}

/** Who is here, in a line: `Signed In Users: Alice, Bob and 3 more (and 2 unnamed)`. */
export function usersLine({ names, total = names.length, unnamed }: UserList): string {
  const more = total > names.length ? ` and ${total - names.length} more` : "";
  return `Signed In Users: ${names.join(", ") || "none"}${more}${unnamed > 0 ? ` (and ${unnamed} unnamed)` : ""}`;
}
