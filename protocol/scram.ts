/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677): both sides prove that they know a password, without saying it.
 *
 * PROTOCOL.md says in which fields of our packets its parts stand.
 *
 * @module
 */
import { concatBytes, isEqualInConstantTime, toBase64 } from "./bytes.ts";
import type { CryptoFunctions } from "./crypto_functions.ts";

/** What SCRAM computes with. */
export type ScramFunctions = Pick<CryptoFunctions, "sha256" | "hmacSha256">;

/** The keys that the client makes of a password. */
export interface ClientKeys {
  clientKey: Uint8Array;
  serverKey: Uint8Array;
}

/** What the server keeps in place of a password. Neither of the two is enough to sign in with. */
export interface StoredKeys {
  /** The hash of the ClientKey. */
  storedKey: Uint8Array;
  serverKey: Uint8Array;
}

/** What both sides prove to each other. */
export interface Exchange {
  /** As the client has written it. */
  name: string;
  /** The client's nonce, and the server's. */
  cnonce: string;
  nonce: string;
  salt: Uint8Array;
  rounds: number;
  /** What the proof is for: it is worth nothing for anything else (the channel binding of RFC 5802, section 6). */
  purpose: string;
}

const encoder = new TextEncoder();

/** The keys of a SaltedPassword, which is made by a {@linkcode Derive}. */
export function clientKeysOf(saltedPassword: Uint8Array, { hmacSha256 }: ScramFunctions): ClientKeys {
  return {
    clientKey: hmacSha256(saltedPassword, encoder.encode("Client Key")),
    serverKey: hmacSha256(saltedPassword, encoder.encode("Server Key")),
  };
}

/** What the server keeps of a client's keys. */
export function storedKeysOf({ clientKey, serverKey }: ClientKeys, { sha256 }: ScramFunctions): StoredKeys {
  return { storedKey: sha256(clientKey), serverKey };
}

/** The AuthMessage: the three messages of RFC 5802, section 3, with commas between. */
export function authMessage({ name, cnonce, nonce, salt, rounds, purpose }: Exchange): string {
  // p= names a channel binding of our own, which is the purpose
  const binding = toBase64(encoder.encode(`p=udp-chat,,${purpose}`));
  return [
    `n=${name},r=${cnonce}`,
    `r=${cnonce}${nonce},s=${toBase64(salt)},i=${rounds}`,
    `c=${binding},r=${cnonce}${nonce}`,
  ].join(",");
}

/** The ClientProof: that the client knows the ClientKey. */
export function clientProof({ clientKey }: ClientKeys, message: string, functions: ScramFunctions): Uint8Array {
  const signature = functions.hmacSha256(functions.sha256(clientKey), encoder.encode(message));
  return xor(clientKey, signature);
}

/** Whether a ClientProof is right. */
export function isProofRight(
  proof: Uint8Array,
  { storedKey }: Pick<StoredKeys, "storedKey">,
  message: string,
  { sha256, hmacSha256 }: ScramFunctions,
): boolean {
  const clientKey = xor(proof, hmacSha256(storedKey, encoder.encode(message)));
  return isEqualInConstantTime(sha256(clientKey), storedKey);
}

/** The ServerSignature: that the server knows what the password was registered as. */
export function serverSignature(
  { serverKey }: Pick<StoredKeys, "serverKey">,
  message: string,
  { hmacSha256 }: ScramFunctions,
): Uint8Array {
  return hmacSha256(serverKey, encoder.encode(message));
}

/** Puts what the server keeps into 80 bytes, with the salt, to be sealed. */
export function packKeys(salt: Uint8Array, { storedKey, serverKey }: StoredKeys): Uint8Array {
  return concatBytes(salt, storedKey, serverKey);
}

/** Reads what {@linkcode packKeys} has put together; undefined for another length. */
export function unpackKeys(packed: Uint8Array): StoredKeys & { salt: Uint8Array } | undefined {
  if (packed.length !== 80) return undefined;
  return { salt: packed.slice(0, 16), storedKey: packed.slice(16, 48), serverKey: packed.slice(48) };
}

function xor(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((byte, i) => byte ^ other[i]);
}
