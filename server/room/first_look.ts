/**
 * A first look at a datagram, before it is read as a packet. It costs little, because it is taken at each datagram of a
 * flood.
 *
 * @module
 */

import { TO_SERVER, V1_TYPES } from "../../protocol.ts";
import type { IgnoreReason } from "./ignored.ts";

/** The types that no client sends to a server. */
const NOT_TO_SERVER = V1_TYPES.filter((type) => !TO_SERVER.some((other) => other === type));
/** The longest type of all, in bytes. */
const LONGEST_TYPE = Math.max(...V1_TYPES.map((type) => type.length));
/** Where the search for a token ends, in bytes. A packet with one behind is no less a packet, but it seems forged. */
const TOKEN_WITHIN = 256;
const SLASH = "/".charCodeAt(0), HYPHEN = "-".charCodeAt(0), A = "A".charCodeAt(0), Z = "Z".charCodeAt(0);
const ZERO = "0".charCodeAt(0), NINE = "9".charCodeAt(0);

/**
 * Why a datagram need not be read: it is a packet of version 1 that no client sends to a server, or no packet at all. To
 * read a list of members takes ten times as long as to read a greeting.
 *
 * @returns undefined when it has to be read.
 */
export function refusalAtSight(bytes: Uint8Array): Extract<IgnoreReason, "not-for-server" | "no-packet"> | undefined {
  let end = 0;
  while (end < LONGEST_TYPE && (bytes[end] >= A && bytes[end] <= Z || bytes[end] === HYPHEN)) end++;
  // without the slash and a digit it is not version 1
  const isVersioned = bytes[end] === SLASH && bytes[end + 1] >= ZERO && bytes[end + 1] <= NINE;
  if (end === 0 || !isVersioned) return undefined;
  const isType = (type: string) => type.length === end && isAt(bytes, 0, type);
  if (TO_SERVER.some(isType)) return undefined;
  return NOT_TO_SERVER.some(isType) ? "not-for-server" : "no-packet";
}

/** Whether a datagram seems to have the token of a member: whoever sends it knows the token, or has read this packet. */
export function hasToken(bytes: Uint8Array, token: string): boolean {
  const first = token.charCodeAt(0);
  for (let i = 0, end = Math.min(bytes.length, TOKEN_WITHIN) - token.length; i <= end; i++) {
    if (bytes[i] === first && isAt(bytes, i, token)) return true;
  }
  return false;
}

function isAt(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
