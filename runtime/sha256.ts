/**
 * The hash that both sides make the digest of the line with.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Returns the first 128 bits of the SHA-256 (FIPS 180-4) of a text in UTF-8, as 32 hexadecimal digits. */
export function sha256Hex128(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
