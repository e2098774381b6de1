/**
 * Challenges and proofs: that somebody knows the password of a name (SCRAM, see PROTOCOL.md).
 *
 * @module
 */
import type { Proof, V1Packet } from "../../protocol.ts";
import { fromHex, toHex } from "../../protocol/bytes.ts";
import type { CryptoFunctions } from "../../protocol/crypto_functions.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import { nameKey } from "../../protocol/names.ts";
import { ROUNDS, SALT_BYTES } from "../../protocol/passwords.ts";
import { authMessage, isProofRight, serverSignature, type StoredKeys } from "../../protocol/scram.ts";
import type { Account, Accounts } from "./accounts.ts";
import type { Attempt, Attempts } from "./attempts.ts";
import { BoundedMap } from "./bounded_map.ts";
import { type KeyedHash, newKeyedHash } from "./keyed_hash.ts";
import type { Peer } from "./peer.ts";
import type { Refusal } from "./refusal.ts";
import { RotatingHash } from "./rotating_hash.ts";

/** Who is to prove that it knows a password. */
export interface Claimant {
  /** As it stands in the packet, or as the member has it. */
  name: string;
  token: string;
  peer: Pick<Peer, "key" | "address">;
}

/** What a proof is for. */
export interface Purpose {
  word: "sign-in" | "register" | "unregister";
  /** What it is bound to beside the token and the address. */
  also?: string;
}

/** The fields of a proof that is there. */
export type WholeProof = Required<Proof>;

/** A proof that was taken, and what the server has proven itself by in turn. */
export interface TakenProof {
  proof: WholeProof;
  /** Of the peer that it came from. */
  key: string;
  verifier: string;
}

/** Why a proof is refused. */
export type ProofRefusal = Refusal<"wrong-password" | "too-many-tries">;

/**
 * What becomes of a proof: it is right, and the verifier proves the server in turn; it is refused; or it is out of
 * date.
 */
export type Verdict = { verifier: string } | ProofRefusal | "stale";

/** The fields of a CHALLENGE for a present password. */
export type Challenge = Required<Pick<V1Packet & { type: "CHALLENGE" }, "address" | "salt" | "rounds" | "nonce">>;

/** How long a nonce may be used at least, in milliseconds: twice as long as it takes to type a password. */
const NONCE_LIFETIME_MS = 60_000;

/** What a wrong proof is remembered by. */
const digestOf = newKeyedHash();

/** What proofs need of the room. */
export interface ProofsContext {
  accounts: Accounts;
  crypto: CryptoFunctions;
  attempts: Attempts;
  /** What salts are made up with; with the same secret, the same ones. Default: a random one. */
  secret?: string;
}

/**
 * Makes challenges and checks proofs. A challenge costs no memory: its nonce is 64 random bits and a keyed hash of
 * them, of all that it is for, and of how often somebody has proven this name, so that it is used up by a proof.
 */
export class Proofs {
  readonly #context: ProofsContext;
  readonly #nonces = new RotatingHash(NONCE_LIFETIME_MS);
  /** How many proofs of each name were right, by its key. It has room for all accounts. */
  readonly #uses = new BoundedMap<number>();
  /**
   * The last wrong proof of each client with all that it is for, hashed, by its token and the name: a repeat of it
   * tells a guesser nothing.
   */
  readonly #wrong = new BoundedMap<string>();
  readonly #madeUp: KeyedHash;
  /** The keys of names without an account. */
  readonly #noKeys: StoredKeys;

  constructor(context: ProofsContext) {
    this.#context = context;
    const { secret, crypto } = context;
    this.#noKeys = { storedKey: crypto.randomBytes(32), serverKey: crypto.randomBytes(32) };
    this.#madeUp = newKeyedHash(secret === undefined ? undefined : new TextEncoder().encode(secret));
  }

  /**
   * What is kept of a name; made up, and always the same, for a name without an account. No proof is right for that.
   */
  keptOf(name: string): Omit<Account, "name" | "isOperator"> {
    // made up for the others too, so that it takes as long
    const salt = this.#makeUpSalt(name);
    return this.#context.accounts.get(name) ?? { salt, rounds: ROUNDS, ...this.#noKeys };
  }

  challenge(claimant: Claimant, { word }: Purpose, now: number): Challenge {
    const { salt, rounds } = this.keptOf(claimant.name);
    // each has another one, so that nobody can see by it whether the name was signed in by meanwhile
    const random = randomHex64(), nonce = random + this.#nonces.of(this.#nonceText(claimant, word, random), now);
    return { address: claimant.peer.address, salt: toHex(salt), rounds, nonce };
  }

  /** Looks at a proof, unless it is out of date or too many were wrong. */
  check(claimant: Claimant, purpose: Purpose, proof: WholeProof, now: number): Verdict {
    const { attempts, crypto } = this.#context;
    if (!this.#isFresh(claimant, purpose, proof.nonce, now)) return "stale";
    const attempt = this.attemptOf(claimant), client = `${claimant.token}\n${nameKey(claimant.name)}`;
    const kept = this.keptOf(claimant.name), message = messageOf(claimant, purpose, proof, kept);
    // with something else sealed, the same proof may be right
    const digest = digestOf(`${message}\n${proof.proof}`);
    // on a slow network it comes several times, and the user has typed it once
    if (this.#wrong.get(client) === digest) return wrongPassword(claimant.name);
    if (!attempts.take(attempt, now)) return TOO_MANY_TRIES;
    if (!isProofRight(fromHex(proof.proof), kept, message, crypto)) {
      attempts.failed(attempt, now);
      this.#wrong.set(client, digest);
      return wrongPassword(claimant.name);
    }
    attempts.succeeded(attempt);
    return { verifier: toHex(serverSignature(kept, message, crypto)) };
  }

  /** Notes that a proof had its effect: the nonces that were made before are used up. */
  use(name: string): void {
    const key = nameKey(name);
    this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1);
  }

  attemptOf({ name, peer: { address } }: { name: string; peer: Pick<Peer, "address"> }): Attempt {
    return { name, isProtected: this.#context.accounts.get(name) !== undefined, address };
  }

  /** Whether a nonce was made for this, not long ago, and nobody has used it. */
  #isFresh(claimant: Claimant, { word }: Purpose, nonce: string, now: number): boolean {
    const random = nonce.slice(0, 16), mac = nonce.slice(16);
    return this.#nonces.isOf(this.#nonceText(claimant, word, random), mac, now);
  }

  #nonceText({ name, token, peer }: Claimant, word: string, random: string): string {
    return [random, word, token, peer.key, name, this.#uses.get(nameKey(name)) ?? 0].join("\n");
  }

  #makeUpSalt(name: string): Uint8Array {
    const key = nameKey(name),
      parts = Array.from({ length: SALT_BYTES / 8 }, (_, i) => this.#madeUp(`salt ${i}\n${key}`));
    return fromHex(parts.join(""));
  }
}

function messageOf(
  { name, token, peer: { address } }: Claimant,
  { word, also }: Purpose,
  { nonce, cnonce }: WholeProof,
  { salt, rounds }: Pick<Account, "salt" | "rounds"> & StoredKeys,
): string {
  const purpose = [word, token, address, ...(also === undefined ? [] : [also])].join(" ");
  return authMessage({ name, cnonce, nonce, salt, rounds, purpose });
}

/** The refusal of a wrong password; it reads the same for a name that nobody has registered. */
export function wrongPassword(name: string): ProofRefusal {
  return { code: "wrong-password", text: `That is not the password of ${name}` };
}

/**
 * The refusal of a proof that is not looked at. It does not say when one is, since whoever guesses would be there
 * first.
 */
export const TOO_MANY_TRIES: ProofRefusal = {
  code: "too-many-tries",
  text: "Too many wrong passwords were tried; try again in a few minutes",
};

/** The proof in a packet; undefined if there is none. */
export function proofIn({ nonce, cnonce, proof }: Proof): WholeProof | undefined {
  return nonce === undefined || cnonce === undefined || proof === undefined ? undefined : { nonce, cnonce, proof };
}

/** Whether two proofs are the same packet's. */
export function isSameProof(one: WholeProof, other: WholeProof): boolean {
  return one.nonce === other.nonce && one.cnonce === other.cnonce && one.proof === other.proof;
}
