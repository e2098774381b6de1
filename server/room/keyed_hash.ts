/**
 * Makes values that only this server can make: cookies and passes.
 *
 * @module
 */
import { createHmac, randomBytes } from "node:crypto";

/** Returns a new secret of 256 random bits. */
export function newSecret(): Uint8Array {
  return randomBytes(32);
}

/**
 * Returns 64 bits, as 16 hexadecimal digits, that nobody can guess who does not know the secret: HMAC with SHA-256
 * (RFC 2104), truncated.
 */
export function keyedHash(secret: Uint8Array, text: string): string {
  return createHmac("sha256", secret).update(text).digest("hex").slice(0, 16);
}
