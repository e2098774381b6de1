/**
 * What a member's name may be, and when two names are the same.
 *
 * @module
 */

/** The message for a user whose name is not valid. */
export const NAME_RULE = "A name has 1 to 32 letters, digits and _ - . only; choose another";
/** The longest name, in characters (code points). */
export const MAX_NAME_CHARACTERS = 32;

/**
 * Returns a name as the room keeps it (Unicode NFC), or undefined when it is not valid. A name has 1 to
 * {@linkcode MAX_NAME_CHARACTERS} letters and digits of any script, `_`, `-` and `.`. It may have combining marks, but
 * not at the beginning, and at most three in a row. It has no invisible characters.
 */
export function normalizeName(text: string): string | undefined {
  if (text.length > 4 * MAX_NAME_CHARACTERS) return undefined;
  const normal = text.normalize("NFC");
  // invisible characters and long runs of combining marks would make two different names look the same
  if (/\p{Default_Ignorable_Code_Point}|\p{M}{4}/u.test(normal)) return undefined;
  return /^(?!\p{M})[\p{L}\p{M}\p{Nd}_.-]{1,32}$/u.test(normal) ? normal : undefined;
}

/** A key to compare names without case: two names are the same name when they have the same key. */
export function nameKey(name: string): string {
  // upper case makes "straße" and "STRASSE" equal, and "σ" and "ς"; the first lower case is for the capital "ẞ",
  // which upper case does not change
  return name.normalize("NFC").toLowerCase().toUpperCase().toLowerCase().normalize("NFC");
}
