/** SCRAM-SHA-256 against the example of RFC 7677, section 3, and the messages of our own form. */
import { assert, assertEquals } from "@std/assert";
import { fromBase64, fromHex, toBase64 } from "../../protocol/bytes.ts";
import {
  authMessage,
  clientKeysOf,
  clientProof,
  type Exchange,
  isProofRight,
  packKeys,
  serverSignature,
  storedKeysOf,
  unpackKeys,
} from "../../protocol/scram.ts";
import { CRYPTO, derive } from "../../runtime/crypto.ts";

Deno.test("SCRAM: the example of RFC 7677", async () => {
  const salted = await derive({
    password: "pencil",
    salt: fromBase64("W22ZaJ0SNY7soEsUEjb6gQ=="),
    rounds: 4096,
  });
  const message = [
    "n=user,r=rOprNGfwEbeRWgbNEkqO",
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
  ].join(",");
  const keys = clientKeysOf(salted, CRYPTO), stored = storedKeysOf(keys, CRYPTO);
  const proof = clientProof(keys, message, CRYPTO);
  assertEquals(toBase64(proof), "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  assert(isProofRight(proof, stored, message, CRYPTO));
  assertEquals(toBase64(serverSignature(stored, message, CRYPTO)), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
});

const EXCHANGE: Exchange = {
  name: "Zoë",
  cnonce: "0123456789abcdef0123456789abcdef",
  nonce: "fedcba98765432100011223344556677",
  salt: fromHex("000102030405060708090a0b0c0d0e0f"),
  rounds: 600_000,
  purpose: "sign-in 5f1c0d9a7be2e604 192.168.1.21:52207",
};

Deno.test("SCRAM: our AuthMessage has the form of RFC 5802, with the purpose as its channel binding", () => {
  const binding = btoa("p=udp-chat,,sign-in 5f1c0d9a7be2e604 192.168.1.21:52207");
  const nonce = "0123456789abcdef0123456789abcdeffedcba98765432100011223344556677";
  assertEquals(
    authMessage(EXCHANGE),
    `n=Zoë,r=${EXCHANGE.cnonce},r=${nonce},s=AAECAwQFBgcICQoLDA0ODw==,i=600000,c=${binding},r=${nonce}`,
  );
});

Deno.test("SCRAM: a proof is right for its own exchange and keys only", () => {
  const keys = clientKeysOf(new Uint8Array(32).fill(1), CRYPTO), stored = storedKeysOf(keys, CRYPTO);
  const others = storedKeysOf(clientKeysOf(new Uint8Array(32).fill(2), CRYPTO), CRYPTO);
  const message = authMessage(EXCHANGE), proof = clientProof(keys, message, CRYPTO);
  assert(isProofRight(proof, stored, message, CRYPTO));
  assert(!isProofRight(proof, others, message, CRYPTO));
  assert(!isProofRight(proof.map((byte, i) => i === 31 ? byte ^ 1 : byte), stored, message, CRYPTO));
  const changes: Partial<Exchange>[] = [
    { name: "Zoe" },
    { cnonce: EXCHANGE.nonce },
    { nonce: "fedcba98765432110011223344556677" },
    { salt: new Uint8Array(16) },
    { rounds: 600_001 },
    { purpose: EXCHANGE.purpose.replace("sign-in", "unregister") },
    { purpose: EXCHANGE.purpose.replace("52207", "52208") },
  ];
  for (const change of changes) {
    assert(!isProofRight(proof, stored, authMessage({ ...EXCHANGE, ...change }), CRYPTO), JSON.stringify(change));
  }
});

Deno.test("SCRAM: what the server keeps comes back from its 80 bytes", () => {
  const stored = storedKeysOf(clientKeysOf(new Uint8Array(32).fill(1), CRYPTO), CRYPTO);
  const packed = packKeys(EXCHANGE.salt, stored);
  assertEquals(packed.length, 80);
  assertEquals(unpackKeys(packed), { salt: EXCHANGE.salt, ...stored });
  assertEquals(unpackKeys(packed.slice(1)), undefined);
});
