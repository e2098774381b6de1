/**
 * Members as the user names them: by a name, or by an address.
 *
 * @module
 */
import { parseAddress } from "../../protocol/fields.ts";
import { nameKey, readName } from "../../protocol/names.ts";

/** A member, by its name or its address. */
export type Who = { name: string } | { address: string };

/** Reads a name or an address; undefined if a text is neither. */
export function readWho(text: string): Who | undefined {
  const name = readName(text);
  if (name !== undefined) return { name };
  return parseAddress(text) ? { address: text } : undefined;
}

/** What the user calls a member. */
export function nameOf(who: Who): string {
  return "name" in who ? who.name : who.address;
}

/** What is the same for all spellings of a name. No name is an address. */
export function keyOf(who: Who): string {
  return "name" in who ? nameKey(who.name) : who.address;
}
