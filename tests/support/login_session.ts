/**
 * A session that signs in with a name that has a password, and its server.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { toHex } from "../../protocol/bytes.ts";
import { ROUNDS } from "../../protocol/passwords.ts";
import { answerTo, SALT } from "./accounts.ts";
import { ADDRESS, COOKIE, EPOCH, FakeSession, type FakeSessionOptions, TOKEN, type V1 } from "./fake_session.ts";

/** The password of the name, as the server knows it. */
export const PASSWORD = "correct horse";
/** The name, which is registered. */
export const NAME = "Alice";
/** What is told before a question for the password of the name that this client wants to join with. */
export const FIRST = "The name Alice is registered: its owner's password, or just Enter for another name";
/** What is told when it was wrong. */
export const WRONG =
  "That is not the password of Alice (Enter alone gives up; who runs the server can give it a new one)";

/** The server's question, without its id and the token. */
export const CHALLENGE = {
  dialect: "v1",
  type: "CHALLENGE",
  address: ADDRESS,
  salt: toHex(SALT),
  rounds: ROUNDS,
  nonce: "b80d3f6217ca94e51f60a9d2e8c37b54",
} as const;

/** A session whose greeting with the cookie is asked for a password. */
export function challenged(options: FakeSessionOptions = {}, fields: Partial<V1<"CHALLENGE">> = {}): FakeSession {
  const fake = new FakeSession({ name: NAME, ...options });
  fake.start();
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ dialect: "v1", type: "RETRY", id, cookie: COOKIE });
  challenge(fake, fields);
  return fake;
}

/** Lets the server ask for a password in answer to the last greeting; it had no proof. */
export function challenge(fake: FakeSession, fields: Partial<V1<"CHALLENGE">> = {}): void {
  const { id } = fake.takeAll("SIGN-IN").at(-1)!;
  fake.receive({ ...CHALLENGE, id, ...fields });
}

/** The last greeting that was sent. */
export function lastGreeting(fake: FakeSession): V1<"SIGN-IN"> {
  return fake.takeAll("SIGN-IN").at(-1)!;
}

/** The verifier that an honest server answers a greeting with. */
export function verifierFor({ name, nonce, cnonce, proof }: V1<"SIGN-IN">, password = PASSWORD, salt?: string): string {
  const packet = { ...CHALLENGE, id: 0, token: TOKEN, nonce, ...(salt && { salt }) };
  const answer = answerTo(packet, { name, token: TOKEN, password, cnonce });
  assertEquals(proof, answer.proof.proof);
  return answer.verifier;
}

/** Lets the server welcome this client, in answer to a greeting. */
export function welcome(fake: FakeSession, id: number, fields: Partial<V1<"WELCOME">> = {}): void {
  const head = { dialect: "v1", type: "WELCOME", id, address: ADDRESS, epoch: EPOCH, seq: 0, keepalive: 1000 } as const;
  fake.receive({ ...head, name: fake.session.name, ...fields });
}

/** Types a password, and hashes it. */
export function answer(fake: FakeSession, text: string): void {
  fake.session.givePassword(text, fake.now);
  fake.hash();
}

/** Lets the server find the proof of a greeting wrong. */
export function refuse(fake: FakeSession, id: number, text = "That is not the password of Alice"): void {
  fake.receive({ dialect: "v1", type: "ERROR", code: "wrong-password", id, text });
}

/** What is told before the question for another name to who was asked for a password. */
export const NO_PASSWORD = "Choose another name; all see it, so type no password";

/** What is told when a proof is not looked at: whoever has typed the password can type again. */
export const AGAIN = "Trying again with the password that you have typed: what you type now is for all. " +
  "/nick NAME takes another name";
