/** A member that wants a protected name, or comes back under its own. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { COOKIE, FakeSession } from "../../support/fake_session.ts";
import {
  AGAIN,
  answer,
  challenge,
  challenged,
  FIRST,
  lastGreeting,
  NAME,
  PASSWORD,
  refuse,
  verifierFor,
  welcome,
} from "../../support/login_session.ts";

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
  assertMatch(fake.notices.at(-1)!, /^Nothing was changed: .*\/join asks to come in again$/);
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

Deno.test("login: who comes back by a name that it has proven is told that no password is asked", () => {
  const fake = challenged();
  answer(fake, PASSWORD);
  const greeting = lastGreeting(fake);
  welcome(fake, greeting.id, { verifier: verifierFor(greeting) });
  fake.receive({ dialect: "v1", type: "ERROR", code: "kicked", text: "You were kicked by Carol" });
  fake.take();
  fake.session.comeBack(fake.now);
  assertEquals(fake.notices.at(-1), "Asking to come in again as Alice; no password is asked");
  challenge(fake);
  const again = lastGreeting(fake);
  assert(again.proof !== undefined);
  welcome(fake, again.id, { verifier: verifierFor(again) });
  assertEquals([fake.session.state, fake.notices.at(-1)], ["joined", "Joined as Alice"]);
});
