/**
 * The cryptographic functions of Deno.
 *
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
} from "node:crypto";
import { concatBytes, fromBase64, toBase64 } from "../protocol/bytes.ts";
import type { CryptoFunctions, Derive } from "../protocol/crypto_functions.ts";

/** What a key of X25519 is as a JSON Web Key (RFC 8037). */
const X25519 = { kty: "OKP", crv: "X25519" };
const BLOCK_BYTES = 64;
const TAG_BYTES = 16;

/** The functions that node:crypto has. */
export const CRYPTO: CryptoFunctions = {
  randomBytes: (length) => new Uint8Array(randomBytes(length)),
  sha256,
  hmacSha256(key, bytes) {
    // made of two plain hashes, because Deno 2.4 warns about the HMAC of node:crypto
    const short = key.length > BLOCK_BYTES ? sha256(key) : key;
    return sha256(concatBytes(xorBlock(short, 0x5c), sha256(concatBytes(xorBlock(short, 0x36), bytes))));
  },
  newX25519KeyPair() {
    const { x, d } = generateKeyPairSync("x25519").privateKey.export({ format: "jwk" });
    return { publicKey: fromBase64Url(x!), privateKey: fromBase64Url(d!) };
  },
  x25519(pair, publicKey) {
    const own = { ...X25519, x: toBase64Url(pair.publicKey), d: toBase64Url(pair.privateKey) };
    const other = { ...X25519, x: toBase64Url(publicKey) };
    try {
      const secret = diffieHellman({
        privateKey: createPrivateKey({ key: own, format: "jwk" }),
        publicKey: createPublicKey({ key: other, format: "jwk" }),
      });
      // a public key of small order makes the same secret with every key (RFC 7748, section 6.1)
      return secret.every((byte) => byte === 0) ? undefined : new Uint8Array(secret);
    } catch {
      return undefined;
    }
  },
  aes128GcmSeal({ key, nonce, additional }, plain) {
    const cipher = createCipheriv("aes-128-gcm", key, nonce);
    cipher.setAAD(additional);
    const encrypted = concatBytes(cipher.update(plain), cipher.final());
    return concatBytes(encrypted, cipher.getAuthTag());
  },
  aes128GcmOpen({ key, nonce, additional }, sealed) {
    if (sealed.length < TAG_BYTES) return undefined;
    const decipher = createDecipheriv("aes-128-gcm", key, nonce);
    decipher.setAAD(additional);
    decipher.setAuthTag(sealed.slice(-TAG_BYTES));
    try {
      return concatBytes(decipher.update(sealed.slice(0, -TAG_BYTES)), decipher.final());
    } catch {
      return undefined;
    }
  },
};

/** Hashes a password, beside the program's own thread. */
export const derive: Derive = async ({ password, salt, rounds }) => {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(password), "PBKDF2", false, ["deriveBits"]);
  const options = { name: "PBKDF2", hash: "SHA-256", salt: new Uint8Array(salt), iterations: rounds };
  return new Uint8Array(await crypto.subtle.deriveBits(options, key, 256));
};

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

function xorBlock(key: Uint8Array, byte: number): Uint8Array {
  return Uint8Array.from({ length: BLOCK_BYTES }, (_, i) => byte ^ (key[i] ?? 0));
}

function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64Url(text: string): Uint8Array {
  return fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
}
