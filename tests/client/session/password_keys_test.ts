/** The keys that a client keeps of the passwords that were typed. */
import { assertEquals } from "@std/assert";
import { PasswordKeys, type SaltedChallenge } from "../../../client/session/password_keys.ts";
import { fromHex } from "../../../protocol/bytes.ts";
import { ROUNDS } from "../../../protocol/passwords.ts";
import { CRYPTO } from "../../../runtime/crypto.ts";
import { quickDerive } from "../../support/accounts.ts";
import { ADDRESS, TOKEN } from "../../support/fake_session.ts";

function challengeOf(i: number, rounds = ROUNDS): SaltedChallenge {
  const salt = i.toString(16).padStart(32, "0"), nonce = "0".repeat(32);
  return { dialect: "v1", type: "CHALLENGE", id: 1, token: TOKEN, address: ADDRESS, rounds, salt, nonce };
}

function add(keys: PasswordKeys, i: number): void {
  const derivation = { password: "correct horse", salt: fromHex(challengeOf(i).salt), rounds: ROUNDS };
  keys.add(derivation, quickDerive(derivation), CRYPTO);
}

Deno.test("password keys: the last eight are kept, and one that is added again is the last", () => {
  const keys = new PasswordKeys();
  for (let i = 0; i < 8; i++) add(keys, i);
  add(keys, 0);
  add(keys, 8);
  const known = Array.from({ length: 9 }, (_, i) => keys.get(challengeOf(i)) !== undefined);
  assertEquals(known, [true, false, true, true, true, true, true, true, true]);
  assertEquals(keys.get(challengeOf(0, ROUNDS + 1)), undefined);
  keys.remove(challengeOf(0));
  assertEquals(keys.get(challengeOf(0)), undefined);
});

Deno.test("password keys: a name is known to be protected however it is written, until that is over", () => {
  const keys = new PasswordKeys();
  keys.noteProtected("Alice", true);
  assertEquals([keys.isProtected("ALICE"), keys.isProtected("Bob")], [true, false]);
  keys.noteProtected("alice", false);
  assertEquals(keys.isProtected("Alice"), false);
});
