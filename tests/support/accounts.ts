/**
 * Accounts and proofs of clients, made at once: a password that is hashed once here is as good in a test as one that is
 * hashed 600,000 times.
 *
 * @module
 */
import type { Proof, V1Packet } from "../../protocol.ts";
import { fromHex, toHex } from "../../protocol/bytes.ts";
import type { Derivation } from "../../protocol/crypto_functions.ts";
import { seal } from "../../protocol/hpke.ts";
import { ROUNDS } from "../../protocol/passwords.ts";
import {
  authMessage,
  type ClientKeys,
  clientKeysOf,
  clientProof,
  packKeys,
  serverSignature,
  storedKeysOf,
} from "../../protocol/scram.ts";
import { CRYPTO } from "../../runtime/crypto.ts";
import type { Account } from "../../server/room/accounts.ts";
import type { Sent } from "./fake_delivery.ts";
import { type FakeRoom, one, type V1 } from "./fake_room.ts";

/** The salt of all accounts here. */
export const SALT = new Uint8Array(16).fill(0x5a);

/** What stands in for PBKDF2 here. */
export function quickDerive({ password, salt }: Pick<Derivation, "password" | "salt">): Uint8Array {
  return CRYPTO.hmacSha256(salt, new TextEncoder().encode(password));
}

/** The keys that a client makes of a password, with a salt. */
export function keysOf(password: string, salt: Uint8Array = SALT): ClientKeys {
  return clientKeysOf(quickDerive({ password, salt }), CRYPTO);
}

/** An account with a password. */
export function accountOf(name: string, password: string, isOperator = false): Account {
  return { name, salt: SALT, rounds: ROUNDS, isOperator, ...storedKeysOf(keysOf(password), CRYPTO) };
}

/** What somebody proves. */
export interface Claim {
  name: string;
  token: string;
  password: string;
  word?: "sign-in" | "register" | "unregister";
  /** What it is bound to beside the token and the address. */
  also?: string;
  cnonce?: string;
}

/** The answer of an honest client to a CHALLENGE, and the verifier that it waits for. */
export function answerTo(
  { address, salt = "", rounds, nonce = "" }: V1<"CHALLENGE">,
  { name, token, password, word = "sign-in", also, cnonce = "7e02d5c19a4f63b8e1d7052c8f96ab34" }: Claim,
): { proof: Required<Proof>; verifier: string; message: string } {
  const purpose = [word, token, address, ...(also === undefined ? [] : [also])].join(" ");
  const message = authMessage({ name, cnonce, nonce, salt: fromHex(salt), rounds, purpose });
  const keys = keysOf(password, fromHex(salt)), proof = toHex(clientProof(keys, message, CRYPTO));
  return { proof: { nonce, cnonce, proof }, verifier: toHex(serverSignature(keys, message, CRYPTO)), message };
}

/** Whoever has a token at an address of a room, and knows a name and a password. */
export interface Person {
  room: FakeRoom;
  from: string;
  token: string;
  name: string;
  password: string;
}

/** Asks for a name, and returns the CHALLENGE. */
export function challengeFor({ room, from, token, name }: Omit<Person, "password">, id = 2): V1<"CHALLENGE"> {
  return one(room.v1(from, "SIGN-IN", { id, token, cookie: room.cookie(from), name }), "CHALLENGE");
}

/** Asks for a name with a proof, and returns all that is sent in answer. */
export function prove({ room, from, token, name }: Omit<Person, "password">, proof: Proof, id = 3): Sent[] {
  return room.v1(from, "SIGN-IN", { id, token, cookie: room.cookie(from), name, ...proof });
}

/** Signs in with a password, and returns all that is sent in answer to the proof. */
export function signInWith(person: Person): Sent[] {
  return prove(person, answerTo(challengeFor(person), person).proof);
}

/** A REGISTER for a name with a password, sealed for the key of a CHALLENGE; with a proof of the present password. */
export function registrationFor(
  challenge: V1<"CHALLENGE">,
  { name, token }: { name: string; token: string },
  password: string,
  present?: string,
): Omit<V1Packet & { type: "REGISTER" }, "dialect" | "type"> {
  const packed = packKeys(SALT, storedKeysOf(keysOf(password), CRYPTO));
  const context = { info: "udp-chat register", additional: `${token} ${name}` };
  const box = seal(packed, fromHex(challenge.key!), context, CRYPTO)!;
  const key = toHex(box.key), sealed = toHex(box.sealed), also = `${key} ${sealed}`;
  const proof = present === undefined
    ? {}
    : answerTo(challenge, { name, token, password: present, word: "register", also }).proof;
  return { id: 22, token, key, sealed, ...proof };
}
