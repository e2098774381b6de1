/**
 * What a member's name may be, when two names are the same, and which one comes first in a list.
 *
 * @module
 */

/** The message for a user whose name is not valid. */
export const NAME_RULE = "A name has 1 to 32 letters, digits and _ - . only; choose another";
/** The longest name, in characters (code points). */
export const MAX_NAME_CHARACTERS = 32;

const NAME = /^(?!\p{M})[\p{L}\p{M}\p{Nd}_.-]{1,32}$/u;
/** The same, with characters that are not in this program's version of Unicode: a later one may have them as letters. */
const NAME_OF_ANY_VERSION = /^(?!\p{M})[\p{L}\p{M}\p{Nd}\p{Cn}_.-]{1,32}$/u;

/**
 * Returns a name as the room keeps it (Unicode NFC), or undefined when it is not valid. A name has 1 to
 * {@linkcode MAX_NAME_CHARACTERS} letters and digits of any script, `_`, `-` and `.`. It may have combining marks, but
 * not at the beginning, and at most three in a row. It has no invisible characters.
 */
export function normalizeName(text: string): string | undefined {
  return normalizeIf(NAME, text);
}

/**
 * Returns a name that somebody else has found valid, as {@linkcode normalizeName} does. It may have letters that only a
 * later version of Unicode has: whoever ignored an event for the name in it would hear nothing more.
 */
export function readName(text: string): string | undefined {
  return normalizeIf(NAME_OF_ANY_VERSION, text);
}

function normalizeIf(valid: RegExp, text: string): string | undefined {
  if (text.length > 4 * MAX_NAME_CHARACTERS) return undefined;
  const normal = text.normalize("NFC");
  // invisible characters and long runs of combining marks would make two different names look the same
  if (/[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]|\p{M}{4}/u.test(normal)) return undefined;
  return valid.test(normal) ? normal : undefined;
}

/** A key to compare names without case: two names are the same name when they have the same key. */
export function nameKey(name: string): string {
  // upper case makes "straße" and "STRASSE" equal, and "σ" and "ς"; the first lower case is for the capital "ẞ",
  // which upper case does not change
  return name.normalize("NFC").toLowerCase().toUpperCase().toLowerCase().normalize("NFC");
}

/**
 * Compares the keys of two names for a sorted list: negative when the first one comes first, 0 when they are the same.
 * The order is that of the code points, which is also the order of the keys' bytes in UTF-8.
 */
export function compareKeys(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let i = 0; i < length; i++) {
    const unit = one.charCodeAt(i), otherUnit = other.charCodeAt(i);
    if (unit !== otherUnit) return rank(unit) - rank(otherUnit);
  }
  return one.length - other.length;
}

/** The place of a UTF-16 unit in the order of code points: surrogates, of which larger ones are made, come last. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}
