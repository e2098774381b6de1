/** What a server may do while a session signs in, and what an honest one does not. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { MAX_ROUNDS, ROUNDS } from "../../../protocol/passwords.ts";
import { quickDerive, SALT } from "../../support/accounts.ts";
import { COOKIE, EPOCH, FakeSession, joined, type V1 } from "../../support/fake_session.ts";
import {
  AGAIN,
  answer,
  CHALLENGE,
  challenge,
  challenged,
  lastGreeting,
  NAME,
  PASSWORD,
  verifierFor,
  welcome,
} from "../../support/login_session.ts";

Deno.test("login: a server that does not know the password is not taken for the right one, and is left", () => {
  for (const verifier of [undefined, "0".repeat(64)]) {
    const fake = challenged({ password: PASSWORD, canAsk: false });
    fake.hash();
    const { id } = lastGreeting(fake);
    fake.say("not for everybody's ears");
    welcome(fake, id, { verifier, seq: 7 });
    fake.event(8, { text: "welcome to the trap" });
    assert(fake.session.closing);
    // it only says goodbye
    assertEquals(fake.take().map(({ packet }) => packet.type), ["LEAVE"]);
    fake.pass(1000);
    assertEquals(fake.session.state, "closed");
    assertMatch(fake.session.failure!, /^This server does not know the password of Alice, so it may not be the server/);
    assertEquals(fake.texts, []);
  }
});

Deno.test("login: a WELCOME without the verifier is not taken for the answer to an earlier greeting", () => {
  const fake = new FakeSession({ name: NAME, password: PASSWORD });
  fake.start();
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ dialect: "v1", type: "RETRY", id, cookie: COOKIE });
  fake.pass(300);
  const ids = fake.takeAll("SIGN-IN").map(({ id }) => id);
  fake.receive({ ...CHALLENGE, id: ids[0] });
  fake.hash();
  const greeting = lastGreeting(fake);
  welcome(fake, ids[1]);
  assertEquals([fake.session.state, fake.session.closing], ["joining", false]);
  // nor is a question that belongs to one
  fake.receive({ ...CHALLENGE, id: ids[1], nonce: "000000000000000000000000000000aa" });
  fake.pass(500);
  assertEquals(lastGreeting(fake).nonce, greeting.nonce);
});

Deno.test("login: a new nonce is answered by a new proof, without a question to anybody", () => {
  const fake = challenged();
  answer(fake, PASSWORD);
  const first = lastGreeting(fake);
  fake.receive({ ...CHALLENGE, id: first.id, nonce: "000000000000000000000000000000aa" });
  const second = lastGreeting(fake);
  assertEquals(second.nonce, "000000000000000000000000000000aa");
  assertNotEquals(second.cnonce, first.cnonce);
  assertEquals(fake.derivations, []);
  welcome(fake, second.id, { verifier: verifierFor(second) });
  assertEquals(fake.session.state, "joined");
});

Deno.test("login: a server that asks again and again is not greeted as fast as it asks", () => {
  const fake = challenged({ password: PASSWORD });
  fake.hash();
  let greetings = 0;
  const end = fake.now + 10_000;
  while (fake.now < end) {
    for (const { id } of fake.takeAll("SIGN-IN")) {
      greetings++;
      fake.receive({ ...CHALLENGE, id, nonce: greetings.toString(16).padStart(32, "0") });
    }
    fake.pass(1);
  }
  assert(greetings < 20, `${greetings} greetings`);
});

Deno.test("login: a server that has another salt each time does not make this client hash for ever", () => {
  for (const canAsk of [true, false]) {
    const fake = challenged({ password: PASSWORD, canAsk });
    let hashed = 0;
    for (let i = 0; i < 20; i++) {
      hashed += fake.derivations.length;
      fake.hash();
      const greeting = fake.takeAll("SIGN-IN").at(-1);
      if (greeting) fake.receive({ ...CHALLENGE, id: greeting.id, salt: i.toString(16).padStart(32, "0") });
      fake.pass(1000);
    }
    assertEquals([hashed, fake.session.state], [2, "refused"]);
    assertMatch(fake.notices.join("\n"), /^The server asks for the password of Alice with another salt each time/);
  }
});

Deno.test("login: a server that answers each proof with another question does not keep the user from typing", () => {
  const fake = challenged();
  answer(fake, PASSWORD);
  for (let i = 0; i < 10; i++) {
    const { id } = lastGreeting(fake);
    fake.receive({ ...CHALLENGE, id, nonce: i.toString(16).padStart(32, "0") });
    fake.pass(1500);
  }
  assertEquals([fake.session.expectsPassword, fake.notices.slice(1)], [
    false,
    [`The server asks again and again. ${AGAIN}`],
  ]);
});

Deno.test("login: a server that asks for few rounds, for too many, or for half of it gets nothing", () => {
  const odd: [Partial<V1<"CHALLENGE">>, RegExp][] = [
    [{ rounds: ROUNDS - 1 }, /hashed 599999 times, which would let it find the password out/],
    [{ rounds: 0 }, /hashed 0 times/],
    [{ rounds: MAX_ROUNDS + 1 }, /hashed 2400001 times, which would take this computer too long/],
    [{ salt: undefined, nonce: undefined }, /question for a password is not whole/],
  ];
  for (const [fields, words] of odd) {
    const fake = challenged({ password: PASSWORD }, fields);
    fake.hash();
    assertEquals([fake.derivations, fake.takeAll("SIGN-IN"), fake.session.state], [[], [], "refused"]);
    assertMatch(fake.notices.join("\n"), words);
  }
});

Deno.test("login: where nobody asks for the password that was given, the user is told once", () => {
  const fake = new FakeSession({ name: NAME, password: PASSWORD });
  fake.welcome();
  fake.pass(1000);
  fake.welcome();
  assertEquals(fake.notices, [
    "The server has not asked for the password of Alice: the name is not registered here, or this is not the server " +
    "that you registered at",
  ]);
  assertEquals(fake.shown.map(({ kind }) => kind), ["problem"]);
});

Deno.test("login: a question, or an answer, that nobody waits for changes nothing", () => {
  const fake = new FakeSession({ name: NAME });
  fake.welcome();
  fake.take();
  for (const id of [0, 1, 2 ** 40]) fake.receive({ ...CHALLENGE, id });
  fake.receive({ dialect: "v1", type: "ERROR", code: "wrong-password", text: "" });
  fake.session.givePassword(PASSWORD, fake.now);
  const derivation = { password: PASSWORD, salt: SALT, rounds: ROUNDS };
  fake.session.derived(derivation, quickDerive(derivation), fake.now);
  assertEquals([fake.session.state, fake.session.wantsPassword, fake.derivations], ["joined", undefined, []]);
});

Deno.test("login: nothing that comes of a server that was found to be a false one is taken", () => {
  const fake = new FakeSession({ name: "Bob" });
  fake.welcome();
  fake.event(1, { text: "before" });
  fake.session.rename(NAME, fake.now);
  challenge(fake);
  answer(fake, PASSWORD);
  const { id } = lastGreeting(fake), { length } = fake.shown;
  welcome(fake, id, { name: NAME, epoch: "00000000000000ee", seq: 9, topic: "the trap", verifier: "0".repeat(64) });
  assertMatch(fake.session.failure!, /^This server does not know the password of Alice/);
  for (const epoch of [EPOCH, "00000000000000ee"]) fake.event(2, { epoch, text: "after" });
  fake.receive({ dialect: "v1", type: "REPLY", id: 1, text: "after" });
  fake.pass(1000);
  assertEquals([fake.texts, fake.shown.length, fake.session.topic], [["before"], length, joined().session.topic]);
});
