/**
 * Formats lines for people. The lines are the same on a screen, in a classic INCOMING, and over a connection.
 *
 * @module
 */

import type { Presence, Renamed } from "./packets.ts";
import { splitText } from "./text.ts";
import { byteLength } from "./utf8.ts";

/** What a member with a connection reads when the server goes away. */
export const CLOSING_LINE = "The server is closing";

/**
 * The longest line of a connection in bytes, with its line feed: programs in C read it into a buffer of 1,024 bytes, in
 * which one is for the NUL.
 */
export const MAX_LINE_BYTES = 1023;

/**
 * Up to this many members that come, go or change their names at once have a line each; more of them share one line.
 */
const MAX_PRESENCE_LINES = 5;

/** A message and its sender. */
export interface ChatMessage {
  from: string;
  name?: string;
  /** Whether it tells what the sender does (`/me waves`). */
  action?: boolean;
  /** Whether it was sent to one member alone, and has passed through the server. */
  relayed?: boolean;
  text: string;
}

/** A message with its sender: `<From 127.0.0.1:52207:Alice>: Hello`. */
export function messageLine({ from, name, action, relayed, text }: ChatMessage): string {
  const sender = name === undefined ? from : `${from}:${name}`, how = relayed ? " (through the server)" : "";
  return `<From ${sender}>${how}: ${action ? `* ${name ?? from} ` : ""}${text}`;
}

/** A private message that passed through the server: `<- <From 127.0.0.1:52207:Alice> (through the server): Hello`. */
export function privateLine(message: ChatMessage): string {
  return `<- ${messageLine({ ...message, relayed: true })}`;
}

/**
 * A message as lines of a connection, as many as its text needs. Each says whose it is, so that no part of it looks
 * like another's line.
 *
 * @param lineOf Writes one line, with its sender in front: {@linkcode messageLine} or {@linkcode privateLine}.
 */
export function linesOf(message: ChatMessage, lineOf: (message: ChatMessage) => string): string[] {
  const limit = MAX_LINE_BYTES - 1 - byteLength(lineOf({ ...message, text: "" }));
  return splitText(message.text, limit).map((text) => lineOf({ ...message, text }));
}

/** What stands in front of the rest of a line that is too long, so that it does not look like a line of its own. */
const CONTINUED = "… ";

/** A line of any length, an answer for instance, as lines of a connection. */
export function cutLine(line: string): string[] {
  return markedPieces(line, MAX_LINE_BYTES - 1);
}

/** Splits a text into pieces of at most `limit` bytes; each but the first shows that it goes on from the one before. */
export function markedPieces(text: string, limit: number): string[] {
  if (byteLength(text) <= limit) return [text];
  const [first, ...others] = splitText(text, limit - byteLength(CONTINUED));
  return [first, ...others.map((piece) => CONTINUED + piece)];
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

/**
 * What the server itself says, in a line: `[Server] The lecture begins`. Nobody else can have a line like it: what
 * members say stands behind `<From …>`, and nobody may be called `Server`.
 */
export function noticeLine(text: string): string {
  return `[Server] ${text}`;
}

/** What the server itself says, as lines of a connection: each shows whose it is, also where a long text goes on. */
export function noticeLines(text: string): string[] {
  return markedPieces(text, MAX_LINE_BYTES - 1 - byteLength(noticeLine(""))).map(noticeLine);
}

/**
 * Who has another name, in a line each: `Alice is now Alicia`, and `127.0.0.1:52207 is now Alice` for who had none. Or
 * in one line for many.
 */
export function renamedLines(members: readonly Renamed[]): string[] {
  const lines = members.map(({ address, name, before }) => `${before ?? address} is now ${name}`);
  if (lines.length <= MAX_PRESENCE_LINES) return lines;
  return [`${lines.slice(0, 3).join(", ")} and ${lines.length - 3} more have other names`];
}

/** Who came or went, in a line each, `[127.0.0.1:52207 Alice] is Online`, or in one line for many. */
export function presenceLines(members: readonly Presence[], isOnline: boolean): string[] {
  const state = isOnline ? "Online" : "Offline";
  if (members.length > MAX_PRESENCE_LINES) {
    const names = members.slice(0, 3).map(({ address, name }) => name ?? address).join(", ");
    return [`${names} and ${members.length - 3} more are ${state}`];
  }
  return members.map(({ address, name }) => `[${name === undefined ? address : `${address} ${name}`}] is ${state}`);
}
