/**
 * Members as the user names them: by a name, or by an address.
 *
 * @module
 */
import { parseAddress } from "../../protocol/fields.ts";
import { isIPv4 } from "../../protocol/ip_address.ts";
import { nameKey, readName } from "../../protocol/names.ts";

/** A member, by its name or its address. */
export type Who = { name: string } | { address: string };

/** What a user is told whose text is neither a name nor an address. */
export const WHO_RULE = "A name has 1 to 32 letters, digits and _ - . only, and an address a port: 192.0.2.7:52207";

/** Reads a name or an address; undefined if a text is neither, as an IP address without a port. */
export function readWho(text: string): Who | undefined {
  const name = isIPv4(text) ? undefined : readName(text);
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
