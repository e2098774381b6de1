/**
 * What a password may be, and how it is hashed.
 *
 * @module
 */

/** The message for a user whose password is not valid. */
export const PASSWORD_RULE = "A password has 8 to 128 characters; choose another";
/** How often a new password is hashed. OWASP's password storage cheat sheet of 2023 asks for so many with SHA-256. */
export const ROUNDS = 600_000;
/**
 * The most rounds that a client computes, a second or two of work. It computes no fewer than {@linkcode ROUNDS} either:
 * a server that asks for few could find the password out from the proof.
 */
export const MAX_ROUNDS = 2_400_000;
/** The length of a salt, in bytes. */
export const SALT_BYTES = 16;

/**
 * Returns a password as it is hashed, or undefined if it is not valid: in Unicode NFC, with plain spaces, and without
 * control characters (the OpaqueString profile of RFC 8265, section 4.2).
 *
 * @param isNew Whether it is to be registered: then it must be long enough too.
 */
export function preparePassword(text: string, isNew = false): string | undefined {
  const prepared = text.replace(/\p{Zs}/gu, " ").normalize("NFC");
  const { length } = [...prepared];
  if (length < (isNew ? 8 : 1) || length > 128 || /[\p{Cc}\p{Cs}]/u.test(prepared)) return undefined;
  return prepared;
}
