/** Signing in with a name that has a password, as a session does it. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { toHex } from "../../../protocol/bytes.ts";
import { MAX_ROUNDS, ROUNDS } from "../../../protocol/passwords.ts";
import { answerTo, quickDerive, SALT } from "../../support/accounts.ts";
import {
  ADDRESS,
  COOKIE,
  EPOCH,
  FakeSession,
  type FakeSessionOptions,
  TOKEN,
  type V1,
} from "../../support/fake_session.ts";

const PASSWORD = "correct horse";
const NAME = "Alice";
/** What is told before a question for the password of the name that this client wants to join with. */
const FIRST = "The name Alice is registered: its owner's password, or just Enter for another name";
/** What is told when it was wrong. */
const WRONG = "That is not the password of Alice (Enter alone gives up; who runs the server can give it a new one)";

/** The server's question, without its id and the token. */
const CHALLENGE = {
  dialect: "v1",
  type: "CHALLENGE",
  address: ADDRESS,
  salt: toHex(SALT),
  rounds: ROUNDS,
  nonce: "b80d3f6217ca94e51f60a9d2e8c37b54",
} as const;

/** A session whose greeting with the cookie is asked for a password. */
function challenged(options: FakeSessionOptions = {}, fields: Partial<V1<"CHALLENGE">> = {}): FakeSession {
  const fake = new FakeSession({ name: NAME, ...options });
  fake.start();
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ dialect: "v1", type: "RETRY", id, cookie: COOKIE });
  challenge(fake, fields);
  return fake;
}

/** Lets the server ask for a password in answer to the last greeting; it had no proof. */
function challenge(fake: FakeSession, fields: Partial<V1<"CHALLENGE">> = {}): void {
  const { id } = fake.takeAll("SIGN-IN").at(-1)!;
  fake.receive({ ...CHALLENGE, id, ...fields });
}

/** The last greeting that was sent. */
function lastGreeting(fake: FakeSession): V1<"SIGN-IN"> {
  return fake.takeAll("SIGN-IN").at(-1)!;
}

/** The verifier that an honest server answers a greeting with. */
function verifierFor({ name, nonce, cnonce, proof }: V1<"SIGN-IN">, password = PASSWORD, salt?: string): string {
  const packet = { ...CHALLENGE, id: 0, token: TOKEN, nonce, ...(salt && { salt }) };
  const answer = answerTo(packet, { name, token: TOKEN, password, cnonce });
  assertEquals(proof, answer.proof.proof);
  return answer.verifier;
}

function welcome(fake: FakeSession, id: number, fields: Partial<V1<"WELCOME">> = {}): void {
  const head = { dialect: "v1", type: "WELCOME", id, address: ADDRESS, epoch: EPOCH, seq: 0, keepalive: 1000 } as const;
  fake.receive({ ...head, name: fake.session.name, ...fields });
}

/** Types a password, and hashes it. */
function answer(fake: FakeSession, text: string): void {
  fake.session.givePassword(text, fake.now);
  fake.hash();
}

function refuse(fake: FakeSession, id: number, text = "That is not the password of Alice"): void {
  fake.receive({ dialect: "v1", type: "ERROR", code: "wrong-password", id, text });
}

Deno.test("login: the user is asked, the proof goes out, and the server shows that it knows the password", () => {
  const fake = challenged();
  assertEquals(fake.session.state, "challenged");
  assertEquals(fake.session.wantsPassword, { what: "present", name: NAME });
  // nothing is sent meanwhile
  fake.pass(60_000);
  assertEquals(fake.take(), []);

  fake.session.givePassword(PASSWORD, fake.now);
  assertEquals(fake.session.wantsPassword, undefined);
  assertEquals(fake.derivations, [{ password: PASSWORD, salt: SALT, rounds: ROUNDS }]);
  assertEquals(fake.takeAll("SIGN-IN"), []);
  fake.hash();
  const greeting = lastGreeting(fake), verifier = verifierFor(greeting);
  // each repeat is the same but for its id
  fake.pass(500);
  const repeats = fake.takeAll("SIGN-IN");
  assert(repeats.length > 1);
  for (const repeat of repeats) assertEquals({ ...repeat, id: greeting.id }, greeting);

  welcome(fake, repeats.at(-1)!.id, { verifier });
  assertEquals([fake.session.state, fake.session.name], ["joined", NAME]);
  // a member has it, and proves it no more
  fake.pass(1000);
  assertEquals(lastGreeting(fake).proof, undefined);
  assertEquals(fake.notices, [FIRST, "Joined as Alice"]);
});

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

Deno.test("login: after a wrong password the user is asked again, and the second one counts", () => {
  const fake = challenged();
  answer(fake, "battery staple");
  const { id } = lastGreeting(fake);
  refuse(fake, id);
  assertEquals(fake.notices, [FIRST, WRONG]);
  assertEquals(fake.session.wantsPassword, { what: "present", name: NAME });
  // a copy of the refusal changes nothing
  fake.session.givePassword(PASSWORD, fake.now);
  refuse(fake, id);
  assertEquals(fake.session.wantsPassword, undefined);
  fake.hash();
  const greeting = lastGreeting(fake);
  refuse(fake, id);
  assertEquals(fake.session.wantsPassword, undefined);
  welcome(fake, greeting.id, { verifier: verifierFor(greeting) });
  assertEquals(fake.session.state, "joined");
});

Deno.test("login: many wrong passwords do not stop the greetings", () => {
  const fake = challenged();
  for (let i = 0; i < 10; i++) {
    answer(fake, `guess ${i}`);
    refuse(fake, lastGreeting(fake).id);
  }
  answer(fake, PASSWORD);
  const greeting = lastGreeting(fake);
  welcome(fake, greeting.id, { verifier: verifierFor(greeting) });
  assertEquals(fake.session.state, "joined");
});

Deno.test("login: what can be no password is not even sent", () => {
  const fake = challenged();
  answer(fake, "x".repeat(200));
  assertEquals([fake.derivations, fake.takeAll("SIGN-IN")], [[], []]);
  assertEquals(fake.notices, [FIRST, WRONG]);
  assertEquals(fake.session.wantsPassword?.name, NAME);
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

Deno.test("login: after a new start of the server nobody is asked again", () => {
  const fake = challenged();
  answer(fake, PASSWORD);
  const greeting = lastGreeting(fake);
  welcome(fake, greeting.id, { verifier: verifierFor(greeting) });
  fake.receive({ dialect: "v1", type: "ERROR", code: "not-joined", text: "" });
  fake.pass(200);
  challenge(fake, { nonce: "000000000000000000000000000000aa" });
  const again = lastGreeting(fake);
  welcome(fake, again.id, { verifier: verifierFor(again), epoch: "00000000000000ee" });
  assertEquals([fake.session.state, fake.derivations], ["joined", []]);
});

Deno.test("login: a member whose name was registered by somebody else meanwhile is asked, and what it says waits", () => {
  const fake = new FakeSession({ name: NAME });
  fake.welcome();
  fake.receive({ dialect: "v1", type: "ERROR", code: "not-joined", text: "" });
  fake.say("kept");
  fake.pass(200);
  challenge(fake);
  assertEquals(fake.session.state, "challenged");
  answer(fake, PASSWORD);
  const greeting = lastGreeting(fake);
  welcome(fake, greeting.id, { verifier: verifierFor(greeting) });
  assertEquals(fake.takeAll("MESSAGE").map(({ text }) => text), ["kept"]);
});

Deno.test("login: the password that was given beforehand is tried first, then the user is asked", () => {
  const fake = challenged({ password: "battery staple" });
  assertEquals(fake.session.wantsPassword, undefined);
  fake.hash();
  refuse(fake, lastGreeting(fake).id);
  assertEquals(fake.session.wantsPassword?.what, "present");
  answer(fake, PASSWORD);
  const greeting = lastGreeting(fake);
  welcome(fake, greeting.id, { verifier: verifierFor(greeting) });
  assertEquals(fake.session.state, "joined");
});

Deno.test("login: in a pipe the session ends with the reason, without a password and with a wrong one", () => {
  const without = challenged({ canAsk: false });
  without.say("lost");
  assertEquals(without.session.state, "refused");
  without.session.drain(without.now);
  assertEquals(
    without.session.failure,
    "The name Alice is registered here: give its password by --password-file FILE or UDP_CHAT_PASSWORD; " +
      "1 message not delivered",
  );
  const wrong = challenged({ canAsk: false, password: "battery staple" });
  wrong.hash();
  refuse(wrong, lastGreeting(wrong).id);
  wrong.session.drain(wrong.now);
  assertEquals(wrong.session.failure, "That is not the password of Alice");
});

Deno.test("login: while tries are slowed the client greets on with its proof", () => {
  const fake = challenged({ canAsk: false, password: PASSWORD });
  fake.hash();
  const greeting = lastGreeting(fake);
  const text = "Too many wrong passwords for Alice";
  fake.receive({ dialect: "v1", type: "ERROR", code: "too-many-tries", id: greeting.id, text });
  fake.pass(1500);
  assertEquals(fake.notices, [`${text}. Trying again`]);
  const later = lastGreeting(fake);
  assertEquals(later.proof, greeting.proof);
  welcome(fake, later.id, { verifier: verifierFor(later) });
  assertEquals(fake.session.state, "joined");
});

const AGAIN = "Trying again with the password that you have typed: what you type now is for all";

Deno.test("login: whatever a proof is answered with, the user who has typed the password can type again", () => {
  const codes: [code: string, state: string, notice: string][] = [
    ["too-many-tries", "joining", `No. ${AGAIN}`],
    ["room-full", "joining", `No. ${AGAIN}`],
    ["what-nobody-knows", "joining", `No. ${AGAIN}`],
    ["name-taken", "refused", "No"],
    ["kicked", "expelled", "No"],
  ];
  for (const [code, state, notice] of codes) {
    const fake = challenged();
    answer(fake, PASSWORD);
    assert(fake.session.expectsPassword);
    const { id, proof } = lastGreeting(fake);
    fake.receive({ dialect: "v1", type: "ERROR", code, id, text: "No" });
    assertEquals([fake.session.expectsPassword, fake.session.state, fake.notices[1]], [false, state, notice], code);
    if (state !== "joining") continue;
    // the next one says nothing new, and the proof goes out until it is taken or wrong
    fake.pass(1500);
    const again = lastGreeting(fake);
    assertEquals(again.proof, proof);
    fake.receive({ dialect: "v1", type: "ERROR", code, id: again.id, text: "No" });
    assertEquals(fake.notices.slice(1), [notice]);
    refuse(fake, again.id);
    assertEquals(fake.session.wantsPassword?.name, NAME);
  }
});

Deno.test("login: a member whose proof for another name is not looked at goes on as it was", () => {
  const fake = new FakeSession({ name: "Bob" });
  fake.welcome();
  fake.take();
  fake.session.rename(NAME, fake.now);
  challenge(fake);
  answer(fake, PASSWORD);
  const { id } = lastGreeting(fake);
  fake.receive({ dialect: "v1", type: "ERROR", code: "too-many-tries", id, text: "Too many" });
  assertEquals([fake.session.expectsPassword, fake.session.state, fake.session.name], [false, "joined", "Bob"]);
  assertEquals(fake.notices.at(-1), `Too many. ${AGAIN}`);
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

Deno.test("login: just Enter gives the name up, and another one can be chosen", () => {
  const fake = challenged();
  fake.session.givePassword("", fake.now);
  assertEquals([fake.session.state, fake.session.wantsPassword], ["refused", undefined]);
  assertEquals(fake.notices, [FIRST, "The name Alice is registered here; choose another"]);
  fake.session.rename("Bob", fake.now);
  const { id, name, proof } = lastGreeting(fake);
  assertEquals([name, proof], ["Bob", undefined]);
  welcome(fake, id);
  assertEquals([fake.session.state, fake.session.name], ["joined", "Bob"]);
});

Deno.test("login: lines that were typed before the question may be meant for it, and are said to nobody", () => {
  const fake = new FakeSession({ name: NAME });
  fake.start();
  fake.say(PASSWORD);
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ dialect: "v1", type: "RETRY", id, cookie: COOKIE });
  challenge(fake);
  assertEquals(fake.notices, ["Not sent, as it was typed before the question: 1 line", FIRST]);
  assert(fake.session.expectsPassword);
  answer(fake, PASSWORD);
  const greeting = lastGreeting(fake);
  welcome(fake, greeting.id, { verifier: verifierFor(greeting) });
  fake.pass(2000);
  assertEquals([fake.takeAll("MESSAGE"), fake.session.expectsPassword], [[], false]);
});

Deno.test("login: lines that were typed behind a wish for a protected name are said to nobody either", () => {
  const fake = new FakeSession({ name: "Bob" });
  fake.welcome();
  fake.say("before");
  fake.session.rename(NAME, fake.now);
  fake.say(PASSWORD);
  challenge(fake);
  assertEquals(fake.notices, [
    "Not sent, as it was typed before the question: 1 line",
    "The name Alice is registered: its owner's password, or just Enter to stay Bob",
  ]);
  fake.session.givePassword("", fake.now);
  fake.say("after");
  fake.pass(300);
  const said = fake.takeAll("MESSAGE").map(({ id, text }) => `${id} ${text}`);
  assertEquals([...new Set(said)].sort(), ["1 before", "2 after"]);
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

Deno.test("login: a member that wants a protected name keeps its own until it has proven that it may have the other", () => {
  const fake = new FakeSession({ name: "Bob" });
  fake.welcome();
  fake.take();
  fake.session.rename(NAME, fake.now);
  challenge(fake);
  assertEquals([fake.session.state, fake.session.name], ["joined", "Bob"]);
  assertEquals(fake.session.wantsPassword, { what: "present", name: NAME });
  // it stays a member meanwhile, and hears and says what it likes
  for (let i = 0; i < 5; i++) {
    fake.pass(1000);
    const { id, name, proof } = lastGreeting(fake);
    assertEquals([name, proof], ["Bob", undefined]);
    welcome(fake, id);
  }
  answer(fake, "battery staple");
  refuse(fake, lastGreeting(fake).id);
  assertEquals(fake.session.state, "joined");
  answer(fake, PASSWORD);
  const greeting = lastGreeting(fake);
  assertEquals(greeting.name, NAME);
  welcome(fake, greeting.id, { name: NAME, verifier: verifierFor(greeting) });
  assertEquals([fake.session.state, fake.session.name], ["joined", NAME]);
});

Deno.test("login: on a slow link nobody is told of silence between the question and the answer to the proof", () => {
  const fake = challenged();
  answer(fake, PASSWORD);
  const greeting = lastGreeting(fake);
  fake.pass(3000);
  welcome(fake, greeting.id, { verifier: verifierFor(greeting) });
  assertEquals([fake.session.state, fake.notices], ["joined", [FIRST, "Joined as Alice"]]);
  const silent = challenged();
  answer(silent, PASSWORD);
  silent.pass(5500);
  assertMatch(silent.notices.at(-1)!, /^No answer from/);
});

Deno.test("login: a member without a name is told that it can stay so", () => {
  const fake = new FakeSession();
  fake.welcome();
  fake.session.rename(NAME, fake.now);
  challenge(fake);
  assertMatch(fake.notices[0], /, or just Enter to stay without a name$/);
});

Deno.test("login: who has signed in elsewhere proves the password again by /join, without a question", () => {
  const fake = challenged();
  answer(fake, PASSWORD);
  const first = lastGreeting(fake);
  welcome(fake, first.id, { verifier: verifierFor(first) });
  fake.take();
  const gone = {
    dialect: "v1",
    type: "ERROR",
    code: "signed-in-elsewhere",
    text: "Somebody has signed in elsewhere",
  } as const;
  fake.receive(gone);
  fake.session.comeBack(fake.now);
  // the server repeats to each greeting without a proof what it has said; a copy of that is no news
  fake.receive(gone);
  challenge(fake, { nonce: "00000000000000aa" });
  const again = lastGreeting(fake);
  assertEquals([again.nonce, fake.session.wantsPassword], ["00000000000000aa", undefined]);
  welcome(fake, again.id, { verifier: verifierFor(again) });
  assertEquals([fake.session.state, fake.notices.at(-1)], ["joined", "Joined as Alice"]);
});

Deno.test("login: a question that is answered when the client was told to go brings it nowhere", () => {
  const fake = new FakeSession({ name: "Bob" });
  fake.welcome();
  fake.session.rename(NAME, fake.now);
  challenge(fake);
  fake.receive({ dialect: "v1", type: "ERROR", code: "kicked", text: "You were kicked by Carol" });
  // it is asked still, so that the rest of the answer is not shown
  assertEquals(fake.session.wantsPassword?.name, NAME);
  fake.take();
  answer(fake, PASSWORD);
  fake.pass(5000);
  assertEquals([fake.session.state, fake.session.wantsPassword, fake.take()], ["expelled", undefined, []]);
});

Deno.test("login: a member that gives just Enter, or in a pipe has no password, keeps its name", () => {
  for (const canAsk of [true, false]) {
    const fake = new FakeSession({ name: "Bob", canAsk });
    fake.welcome();
    fake.take();
    fake.session.rename(NAME, fake.now);
    challenge(fake);
    if (canAsk) fake.session.givePassword("", fake.now);
    assertMatch(fake.notices.join("\n"), /The name Alice is registered here.*\. You are still Bob$/);
    fake.pass(1000);
    const { id, name } = lastGreeting(fake);
    assertEquals(name, "Bob");
    welcome(fake, id);
    assertEquals([fake.session.state, fake.session.name], ["joined", "Bob"]);
  }
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

Deno.test("login: /whois says whose name is registered, and who may keep order", () => {
  const fake = new FakeSession({ name: NAME });
  fake.welcome();
  fake.take();
  fake.session.whois("Bob", fake.now);
  const [{ id }] = fake.takeAll("LOOKUP"), bob = { address: "192.168.1.22:40112", name: "Bob", since: 0 };
  fake.receive({ dialect: "v1", type: "PEER", id, ...bob, registered: true, operator: true });
  assertEquals(fake.shown.at(-1), { kind: "whois", ...bob, classic: false, registered: true, operator: true });
});

Deno.test("login: a server that lets nobody in without a name is asked again with one", () => {
  const fake = new FakeSession();
  fake.start();
  const [{ id }] = fake.takeAll("GREETING");
  fake.receive({ dialect: "v1", type: "RETRY", id, cookie: COOKIE });
  const text = "Nobody gets in here without a name";
  fake.receive({ dialect: "v1", type: "ERROR", code: "name-wanted", id: fake.takeAll("GREETING")[0].id, text });
  assertEquals([fake.session.wantsName, fake.notices], [true, [text]]);
});
