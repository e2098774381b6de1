/**
 * HPKE (RFC 9180): seals bytes for whoever has the private key of a public key.
 *
 * This is its base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-128-GCM, for one text only.
 *
 * @module
 */
import { concatBytes } from "./bytes.ts";
import type { CryptoFunctions, KeyPair } from "./crypto_functions.ts";

/** What HPKE computes with. */
export type HpkeFunctions = Pick<
  CryptoFunctions,
  "hmacSha256" | "newX25519KeyPair" | "x25519" | "aes128GcmSeal" | "aes128GcmOpen"
>;

/** What both sides must agree on. */
export interface HpkeContext {
  /** What the text is for. */
  info: string;
  /** What stands beside it, in the open. */
  additional: string;
}

/** A sealed text. */
export interface Sealed {
  /** The encapsulated key: 32 bytes. */
  key: Uint8Array;
  /** 16 bytes longer than the text. */
  sealed: Uint8Array;
}

const HASH_BYTES = 32, KEY_BYTES = 16, NONCE_BYTES = 12;
const encoder = new TextEncoder();
const NONE = new Uint8Array();
/** The suites of RFC 9180, section 7: of the encapsulation, and of all. */
const KEM_SUITE = concatBytes(encoder.encode("KEM"), Uint8Array.of(0, 0x20));
const HPKE_SUITE = concatBytes(encoder.encode("HPKE"), Uint8Array.of(0, 0x20, 0, 1, 0, 1));

/**
 * Seals a text for a public key; undefined if that is not one.
 *
 * @param pair The key pair for this text alone. Default: a new one.
 */
export function seal(
  text: Uint8Array,
  publicKey: Uint8Array,
  context: HpkeContext,
  functions: HpkeFunctions,
  pair: KeyPair = functions.newX25519KeyPair(),
): Sealed | undefined {
  const secret = sharedSecret(pair, publicKey, pair.publicKey, publicKey, functions);
  if (!secret) return undefined;
  const options = { ...schedule(secret, context, functions), additional: encoder.encode(context.additional) };
  return { key: pair.publicKey, sealed: functions.aes128GcmSeal(options, text) };
}

/** Opens what was sealed for a key pair; undefined if it was not sealed for it, or with another context. */
export function open(
  { key, sealed }: Sealed,
  pair: KeyPair,
  context: HpkeContext,
  functions: HpkeFunctions,
): Uint8Array | undefined {
  const secret = sharedSecret(pair, key, key, pair.publicKey, functions);
  if (!secret) return undefined;
  const options = { ...schedule(secret, context, functions), additional: encoder.encode(context.additional) };
  return functions.aes128GcmOpen(options, sealed);
}

/** ExtractAndExpand of RFC 9180, section 4.1. */
function sharedSecret(
  own: KeyPair,
  other: Uint8Array,
  encapsulated: Uint8Array,
  receiver: Uint8Array,
  functions: HpkeFunctions,
): Uint8Array | undefined {
  const agreed = functions.x25519(own, other);
  if (!agreed) return undefined;
  const extracted = labeledExtract(NONE, KEM_SUITE, "eae_prk", agreed, functions);
  const both = concatBytes(encapsulated, receiver);
  return labeledExpand(extracted, KEM_SUITE, "shared_secret", both, HASH_BYTES, functions);
}

/** KeySchedule of RFC 9180, section 5.1, in base mode: the key and the nonce of the only text. */
function schedule(
  secret: Uint8Array,
  { info }: HpkeContext,
  functions: HpkeFunctions,
): { key: Uint8Array; nonce: Uint8Array } {
  const pskId = labeledExtract(NONE, HPKE_SUITE, "psk_id_hash", NONE, functions);
  const infoHash = labeledExtract(NONE, HPKE_SUITE, "info_hash", encoder.encode(info), functions);
  const context = concatBytes(Uint8Array.of(0), pskId, infoHash);
  const extracted = labeledExtract(secret, HPKE_SUITE, "secret", NONE, functions);
  return {
    key: labeledExpand(extracted, HPKE_SUITE, "key", context, KEY_BYTES, functions),
    nonce: labeledExpand(extracted, HPKE_SUITE, "base_nonce", context, NONCE_BYTES, functions),
  };
}

/** HKDF-Extract (RFC 5869, section 2.2) with the labels of RFC 9180, section 4. */
function labeledExtract(
  salt: Uint8Array,
  suite: Uint8Array,
  label: string,
  input: Uint8Array,
  { hmacSha256 }: HpkeFunctions,
): Uint8Array {
  return hmacSha256(salt, concatBytes(encoder.encode("HPKE-v1"), suite, encoder.encode(label), input));
}

/** HKDF-Expand (RFC 5869, section 2.3) with the same labels, to at most 32 bytes. */
function labeledExpand(
  key: Uint8Array,
  suite: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
  { hmacSha256 }: HpkeFunctions,
): Uint8Array {
  const labeled = concatBytes(Uint8Array.of(0, length), encoder.encode("HPKE-v1"), suite, encoder.encode(label), info);
  return hmacSha256(key, concatBytes(labeled, Uint8Array.of(1))).slice(0, length);
}
