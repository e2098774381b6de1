/** Signing in with a name that has a password, as a session does it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ROUNDS } from "../../../protocol/passwords.ts";
import { SALT } from "../../support/accounts.ts";
import { COOKIE, FakeSession, SERVER } from "../../support/fake_session.ts";
import {
  AGAIN,
  answer,
  challenge,
  challenged,
  FIRST,
  lastGreeting,
  NAME,
  NO_PASSWORD,
  PASSWORD,
  refuse,
  verifierFor,
  welcome,
  WRONG,
} from "../../support/login_session.ts";

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

Deno.test("login: whatever a proof is answered with, the user who has typed the password can type again", () => {
  const codes: [code: string, state: string, notice: string][] = [
    ["too-many-tries", "joining", `No. ${AGAIN}`],
    ["room-full", "joining", `No. ${AGAIN}`],
    ["what-nobody-knows", "joining", `No. ${AGAIN}`],
    ["name-taken", "refused", 'The server does not give you the name Alice: "No"'],
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

Deno.test("login: just Enter gives the name up, and another one can be chosen", () => {
  const fake = challenged();
  fake.session.givePassword("", fake.now);
  assertEquals([fake.session.state, fake.session.wantsPassword], ["refused", undefined]);
  assertEquals(fake.notices, [FIRST, "The name Alice is registered here", NO_PASSWORD]);
  fake.session.rename("Bob", fake.now);
  const { id, name, proof } = lastGreeting(fake);
  assertEquals([name, proof], ["Bob", undefined]);
  welcome(fake, id);
  assertEquals([fake.session.state, fake.session.name], ["joined", "Bob"]);
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
  // it was there, so the port is right, and no firewall is in the way
  assertEquals(silent.notices.at(-1), `No answer from ${SERVER} any more. ${AGAIN}`);
  const given = challenged({ password: PASSWORD, canAsk: false });
  given.hash();
  given.pass(5500);
  assertEquals(given.notices, [`No answer from ${SERVER} any more. Trying again`]);
  // and another name may be chosen then
  silent.session.rename("Other", silent.now);
  assertEquals(lastGreeting(silent).name, "Other");
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

Deno.test("login: a password that was wrong is not tried again, whether it was typed or given beforehand", () => {
  for (const password of [undefined, "battery staple"]) {
    const fake = challenged({ password });
    if (password === undefined) answer(fake, "battery staple");
    else fake.hash();
    refuse(fake, lastGreeting(fake).id);
    // the user thinks of another name, and comes back to this one
    fake.session.givePassword("", fake.now);
    fake.session.rename(NAME, fake.now);
    challenge(fake);
    assertEquals([fake.session.wantsPassword?.name, fake.derivations], [NAME, []], `${password}`);
  }
});

const TOO_MANY = { dialect: "v1", type: "ERROR", code: "too-many-tries", text: "Too many" } as const;

/** A session whose user was told that the server looks at no passwords for now. */
function putOff(): FakeSession {
  const fake = challenged();
  answer(fake, PASSWORD);
  fake.receive({ ...TOO_MANY, id: lastGreeting(fake).id });
  return fake;
}

Deno.test("login: who waits, as too many passwords were tried, can take another name", () => {
  const fake = putOff();
  assertMatch(fake.notices.at(-1)!, /^Too many\. .*\/nick NAME takes another name$/);
  fake.session.rename("Other", fake.now);
  const { id, name, proof } = lastGreeting(fake);
  assertEquals([name, proof], ["Other", undefined]);
  welcome(fake, id);
  assertEquals([fake.session.name, fake.session.state], ["Other", "joined"]);
  // and so can who has given the password beforehand
  const given = challenged({ password: PASSWORD });
  given.hash();
  given.receive({ ...TOO_MANY, id: lastGreeting(given).id });
  assertEquals(given.notices, ["Too many. Trying again. /nick NAME takes another name"]);
  given.session.rename("Other", given.now);
  assertEquals(lastGreeting(given).name, "Other");
});

Deno.test("login: another name that is refused too can be followed by a third, and none of them is taken later", () => {
  const fake = putOff();
  fake.session.rename("Other", fake.now);
  fake.receive({ dialect: "v1", type: "ERROR", code: "name-taken", id: lastGreeting(fake).id, text: "No" });
  assertEquals([fake.session.wantsName, fake.notices.at(-1)], [true, NO_PASSWORD]);
  fake.session.rename("Rudi", fake.now);
  const { id, name } = lastGreeting(fake);
  assertEquals(name, "Rudi");
  welcome(fake, id);
  fake.pass(3000);
  assertEquals(new Set(fake.takeAll("SIGN-IN").map(({ name }) => name)), new Set(["Rudi"]));
});

Deno.test("login: a name that was wished for before the question is not taken behind the one that is chosen", () => {
  const fake = new FakeSession({ name: NAME });
  fake.start();
  fake.session.rename("Other", fake.now);
  fake.receive({ dialect: "v1", type: "RETRY", id: lastGreeting(fake).id, cookie: COOKIE });
  challenge(fake);
  fake.session.givePassword("", fake.now);
  fake.session.rename("Rudi", fake.now);
  welcome(fake, lastGreeting(fake).id);
  fake.pass(3000);
  assertEquals(new Set(fake.takeAll("SIGN-IN").map(({ name }) => name)), new Set(["Rudi"]));
});

Deno.test("login: what is asked while the server does not let this client in is said to wait", () => {
  const fake = putOff();
  fake.session.list(fake.now);
  assertEquals(fake.notices.at(-1), "You are not in the room yet: that waits until you are");
  fake.pass(1500);
  const greeting = lastGreeting(fake);
  welcome(fake, greeting.id, { verifier: verifierFor(greeting) });
  assertEquals(fake.takeAll("LIST").length, 1);
});
