/**
 * What a client makes of a password: the keys, which it keeps in its memory, and the proofs.
 *
 * @module
 */
import type { Proof, V1Packet } from "../../protocol.ts";
import { fromHex, toHex } from "../../protocol/bytes.ts";
import type { CryptoFunctions, Derivation } from "../../protocol/crypto_functions.ts";
import { nameKey } from "../../protocol/names.ts";
import { MAX_ROUNDS, ROUNDS } from "../../protocol/passwords.ts";
import {
  authMessage,
  type ClientKeys,
  clientKeysOf,
  clientProof,
  type ScramFunctions,
  serverSignature,
} from "../../protocol/scram.ts";
import type { Whereabouts } from "./whereabouts.ts";

/** What a session needs to prove that its user knows a password. */
export interface PasswordOptions {
  crypto: CryptoFunctions;
  /** Is asked to hash a password. The result comes in by the session's `derived`, with this very object. */
  derive: (derivation: Derivation) => void;
  /** The password that the user has given beforehand. It is tried first. */
  given?: string;
  /** Whether the user can be asked for one. Default: no. */
  canAsk?: boolean;
  /** Returns where this client is now; undefined if that is not known. Default: it is not. */
  whereabouts?: () => Whereabouts | undefined;
}

/** A password that the user is asked for: the one that a name has, a new one, or the new one again. */
export interface WantedPassword {
  what: "present" | "new" | "again";
  name: string;
}

export type Challenge = Extract<V1Packet, { type: "CHALLENGE" }>;
/** What the keys of a password were made with, and the nonce to prove them for. */
export type SaltedChallenge = Challenge & { salt: string; nonce: string };

/** Whether a challenge is about a name that has a password. */
export function isSalted(challenge: Challenge): challenge is SaltedChallenge {
  return challenge.salt !== undefined && challenge.nonce !== undefined;
}

/** Says why no password is hashed so often; undefined if it is. */
export function roundsProblem({ rounds }: Pick<Challenge, "rounds">): string | undefined {
  if (rounds >= ROUNDS && rounds <= MAX_ROUNDS) return undefined;
  const why = rounds < ROUNDS ? "which would let it find the password out" : "which would take this computer too long";
  return `The server asks for a password that is hashed ${rounds} times, ${why}`;
}

/** How many are kept: one client knows one password, or a few while it changes. */
const MAX_KEYS = 8;

/**
 * The keys of the passwords that were typed, so that nobody is asked again after a new start of the server; and which
 * names a server has shown to be protected.
 */
export class PasswordKeys {
  readonly #keys = new Map<string, ClientKeys>();
  readonly #protected = new Set<string>();

  /** Notes whether the server has shown that it knows the password of a name. */
  noteProtected(name: string, isProtected: boolean): void {
    if (isProtected) this.#protected.add(nameKey(name));
    else this.#protected.delete(nameKey(name));
  }

  /** Whether a server has ever shown in this session that it knows the password of a name. */
  isProtected(name: string): boolean {
    return this.#protected.has(nameKey(name));
  }

  get(challenge: SaltedChallenge): ClientKeys | undefined {
    return this.#keys.get(keyOf(challenge.salt, challenge.rounds));
  }

  /** Keeps what was made of a SaltedPassword. */
  add({ salt, rounds }: Derivation, saltedPassword: Uint8Array, functions: ScramFunctions): ClientKeys {
    const key = keyOf(toHex(salt), rounds), keys = clientKeysOf(saltedPassword, functions);
    this.#keys.delete(key);
    this.#keys.set(key, keys);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > MAX_KEYS) this.#keys.delete(oldest);
    return keys;
  }

  remove(challenge: SaltedChallenge): void {
    this.#keys.delete(keyOf(challenge.salt, challenge.rounds));
  }
}

function keyOf(salt: string, rounds: number): string {
  return `${salt} ${rounds}`;
}

/** Proves that this client has the keys, for one purpose; and tells by which verifier the server proves the same. */
export function prove(
  keys: ClientKeys,
  { nonce, salt, rounds }: SaltedChallenge,
  { name, purpose }: { name: string; purpose: string },
  functions: CryptoFunctions,
): { proof: Required<Proof>; verifier: string } {
  const cnonce = toHex(functions.randomBytes(16));
  const message = authMessage({ name, cnonce, nonce, salt: fromHex(salt), rounds, purpose });
  return {
    proof: { nonce, cnonce, proof: toHex(clientProof(keys, message, functions)) },
    verifier: toHex(serverSignature(keys, message, functions)),
  };
}
