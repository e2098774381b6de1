/** What a guess at a password costs, rule by rule, and from where a name is known to be its owner's. */
import { assertEquals } from "@std/assert";
import { MemoryAccounts } from "../../../server/room/accounts.ts";
import { type Attempt, Attempts } from "../../../server/room/attempts.ts";
import { accountOf, answerTo, registrationFor, signInWith } from "../../support/accounts.ts";
import { FakeRoom, one } from "../../support/fake_room.ts";

const PASSWORD = "correct horse", A = "192.0.2.1:40001", TOKEN = "00000000000000aa";

/** Attempts where Alice is registered. */
function newAttempts() {
  const accounts = new MemoryAccounts([accountOf("Alice", PASSWORD)]), attempts = new Attempts(accounts);
  /** Makes an attempt from an address, which is wrong unless it is told otherwise; returns whether it was looked at. */
  const guess = (address: string, { name = "Alice", isProtected = true, isRight = false } = {}, now = 0): boolean => {
    const attempt: Attempt = { name, isProtected, address };
    if (!attempts.take(attempt, now)) return false;
    isRight ? attempts.succeeded(attempt) : attempts.failed(attempt, now);
    return true;
  };
  /** How many of many guesses from addresses of their own are looked at. */
  const looked = (more: Parameters<typeof guess>[1] = {}, first = 1) =>
    Array.from({ length: 20 }, (_, i) => guess(`198.51.100.${first + i}:9`, more)).filter((it) => it).length;
  return { accounts, attempts, guess, looked };
}

Deno.test("attempts: a right one gives back what it has cost the name and its address", () => {
  const { guess, accounts } = newAttempts();
  for (let i = 0; i < 100; i++) {
    guess("192.0.2.1:9", { isRight: true });
    // as if it had never been here
    accounts.setKnownAddresses("Alice", []);
  }
  const other = { name: "Bob" };
  assertEquals(Array.from({ length: 8 }, () => guess("192.0.2.1:9")).filter((it) => it).length, 7, "of the name");
  let ofAddress = 7;
  for (let i = 0; i < 40; i++) if (guess("192.0.2.1:9", { ...other, name: `Bob${i}` })) ofAddress++;
  assertEquals(ofAddress, 30, "of the address");
});

Deno.test("attempts: an address that was wrong has no part of the reserve for an hour", () => {
  const { guess } = newAttempts();
  for (let i = 0; i < 7; i++) assertEquals(guess("192.0.2.9:9"), true);
  assertEquals([guess("192.0.2.9:9"), guess("192.0.2.8:8"), guess("192.0.2.8:8")], [false, true, false]);
  // by then the name has its own tokens again, so others use them up first
  const hour = 3_600_000;
  for (let i = 0; i < 7; i++) guess("192.0.2.7:7", {}, hour - 1);
  assertEquals(guess("192.0.2.9:9", {}, hour - 1), false);
  assertEquals(guess("192.0.2.9:9", {}, hour), true);
});

Deno.test("attempts: protected and invented names are remembered apart, so that the others push nothing out", () => {
  /** Guesses at more names than are remembered; returns the time behind them. */
  const flood = (guess: ReturnType<typeof newAttempts>["guess"], pause: number): number => {
    for (let i = 0; i < 11_000; i++) {
      guess(`10.${i >> 8}.${i & 255}.1:9`, { name: `n${i}`, isProtected: false }, i * pause);
    }
    return 11_000 * pause + 1000;
  };
  const fast = newAttempts();
  assertEquals([fast.looked(), fast.guess("192.0.2.9:9")], [10, false]);
  // by then strangers may try again
  const soon = flood(fast.guess, 0);
  assertEquals([fast.guess("192.0.2.10:9", {}, soon), fast.guess("192.0.2.11:9", { name: "Zoe" }, soon)], [
    false,
    true,
  ]);
  // slow enough to be looked at, and over before the hour is
  const { guess } = newAttempts();
  guess("192.0.2.9:9");
  const later = flood(guess, 200);
  for (let i = 0; i < 7; i++) assertEquals(guess(`192.0.2.${20 + i}:9`, {}, later), true);
  assertEquals([guess("192.0.2.9:9", {}, later), guess("192.0.2.12:9", {}, later)], [false, true]);
});

Deno.test("attempts: from a known address neither the name nor strangers count; the last four are known", () => {
  const { accounts, attempts, guess, looked } = newAttempts();
  const remember = (i: number) => attempts.remember({ name: "Alice", address: `192.0.2.${i}:${i}` });
  for (const i of [1, 2, 3, 4]) remember(i);
  // used again, it is the last one
  remember(1);
  remember(5);
  assertEquals(accounts.knownAddresses("ALICE"), ["192.0.2.3", "192.0.2.4", "192.0.2.1", "192.0.2.5"]);
  looked();
  assertEquals(["2", "3", "1"].map((i) => guess(`192.0.2.${i}:9`)), [false, true, true]);
  attempts.remember({ name: "Bob", address: "192.0.2.1:1" });
  assertEquals(accounts.knownAddresses("Bob"), [], "not for a name without an account");
});

Deno.test("attempts: whoever registers, changes its password or signs in is known there; who gives up is not", () => {
  const accounts = new MemoryAccounts(), room = new FakeRoom({ accounts, plainPasswords: true });
  const me = { name: "Alice", token: TOKEN }, known = () => accounts.knownAddresses("Alice");
  room.move(A, TOKEN, "Alice");
  const ask = (id: number) => one(room.v1(A, "REGISTER", { id, token: TOKEN }), "CHALLENGE");
  one(room.v1(A, "REGISTER", registrationFor(ask(20), me, PASSWORD)), "REPLY");
  assertEquals(known(), ["192.0.2.1"]);
  accounts.setKnownAddresses("Alice", []);
  one(room.v1(A, "REGISTER", { ...registrationFor(ask(23), me, PASSWORD, PASSWORD), id: 24 }), "REPLY");
  assertEquals(known(), ["192.0.2.1"], "a new password");
  const elsewhere = { room, from: "192.0.2.2:2", ...me, token: "00000000000000bb" };
  signInWith({ ...elsewhere, password: "wrong" });
  assertEquals(known(), ["192.0.2.1"]);
  signInWith({ ...elsewhere, password: PASSWORD });
  assertEquals(known(), ["192.0.2.1", "192.0.2.2"]);
  const challenge = one(room.v1(elsewhere.from, "UNREGISTER", { id: 30, token: elsewhere.token }), "CHALLENGE");
  const { proof } = answerTo(challenge, { ...elsewhere, password: PASSWORD, word: "unregister" });
  one(room.v1(elsewhere.from, "UNREGISTER", { id: 31, token: elsewhere.token, ...proof }), "REPLY");
  accounts.put(accountOf("Alice", PASSWORD));
  assertEquals(known(), [], "who registers it next has no part of it");
  // the server's terminal
  accounts.setKnownAddresses("Alice", ["192.0.2.3"]);
  room.room.order("account remove Alice", room.now);
  accounts.put(accountOf("Alice", PASSWORD));
  assertEquals(known(), []);
});
