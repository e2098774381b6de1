/**
 * Makes values that only this server can make: cookies and passes.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";

/** Returns 64 bits, as 16 hexadecimal digits, that nobody can guess who does not know the key. */
export type KeyedHash = (text: string) => string;

/** The length of a block of SHA-256, in bytes. */
const BLOCK_BYTES = 64;

/**
 * Returns a keyed hash: HMAC with SHA-256 (RFC 2104), truncated. It is made of two plain hashes, because Deno 2.4 warns
 * about the HMAC of node:crypto.
 *
 * @param key At most 64 bytes. Default: 256 random bits.
 */
export function newKeyedHash(key: Uint8Array = randomBytes(32)): KeyedHash {
  const inner = xorBlock(key, 0x36), outer = xorBlock(key, 0x5c);
  return (text) => {
    const digest = createHash("sha256").update(inner).update(text).digest();
    return createHash("sha256").update(outer).update(digest).digest("hex").slice(0, 16);
  };
}

function xorBlock(key: Uint8Array, byte: number): Uint8Array {
  return Uint8Array.from({ length: BLOCK_BYTES }, (_, i) => byte ^ (key[i] ?? 0));
}
