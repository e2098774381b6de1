/**
 * The cryptographic functions that both sides are given, because a page in a browser has other ones than Deno.
 *
 * @module
 */

/** A key pair of X25519 (RFC 7748): 32 bytes each. */
export interface KeyPair {
  privateKey: Uint8Array;
  publicKey: Uint8Array;
}

/** What stands beside a text that AES-GCM encrypts. */
export interface GcmOptions {
  /** 16 bytes. */
  key: Uint8Array;
  /** 12 bytes, never twice with one key. */
  nonce: Uint8Array;
  /** What is not encrypted, but must be the same when it is opened. */
  additional: Uint8Array;
}

/** The functions. They answer at once: what takes long, the hashing of a password, is a {@linkcode Derive}. */
export interface CryptoFunctions {
  randomBytes(length: number): Uint8Array;
  /** FIPS 180-4. */
  sha256(bytes: Uint8Array): Uint8Array;
  /** RFC 2104. */
  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array;
  newX25519KeyPair(): KeyPair;
  /** The shared secret of a private key and another's public key; undefined for a public key that must not be used. */
  x25519(pair: KeyPair, publicKey: Uint8Array): Uint8Array | undefined;
  /** NIST SP 800-38D; the tag stands behind the encrypted text. */
  aes128GcmSeal(options: GcmOptions, plain: Uint8Array): Uint8Array;
  /** Returns undefined if the text was not sealed with these. */
  aes128GcmOpen(options: GcmOptions, sealed: Uint8Array): Uint8Array | undefined;
}

/** What a password is hashed with. */
export interface Derivation {
  /** As {@linkcode preparePassword} returns it. */
  password: string;
  salt: Uint8Array;
  /** How often. */
  rounds: number;
}

/**
 * Hashes a password by PBKDF2 with HMAC-SHA-256 (RFC 8018, section 5.2) to 32 bytes, the SaltedPassword of SCRAM. It
 * takes tens of milliseconds, so it answers later.
 */
export type Derive = (derivation: Derivation) => Promise<Uint8Array>;
