/** What a session does at a server that is not the one at which its user has registered. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { toHex } from "../../../protocol/bytes.ts";
import { ROUNDS } from "../../../protocol/passwords.ts";
import { answerTo, SALT } from "../../support/accounts.ts";
import {
  ADDRESS,
  COOKIE,
  EPOCH,
  FakeSession,
  type FakeSessionOptions,
  joined,
  TOKEN,
  type V1,
} from "../../support/fake_session.ts";
import { NO_PASSWORD } from "../../support/login_session.ts";

const PASSWORD = "correct horse", NAME = "Alice";
const CHALLENGE = {
  dialect: "v1",
  type: "CHALLENGE",
  address: ADDRESS,
  salt: toHex(SALT),
  rounds: ROUNDS,
  nonce: "b80d3f6217ca94e51f60a9d2e8c37b54",
} as const;
/**
 * The client is in the network of its server, or on the same machine; but the server sees it at {@linkcode ADDRESS}.
 */
const ELSEWHERE = { servers: ["192.168.1.1:9090"], port: 40000, interfaces: ["192.168.1.77/24"] };

/** A session that has greeted with the cookie. */
function greeting(options: FakeSessionOptions = {}): FakeSession {
  const fake = new FakeSession({ name: NAME, ...options });
  fake.start();
  fake.receive({ dialect: "v1", type: "RETRY", id: fake.takeAll("SIGN-IN")[0].id, cookie: COOKIE });
  return fake;
}

function lastGreeting(fake: FakeSession): V1<"SIGN-IN"> {
  return fake.takeAll("SIGN-IN").at(-1)!;
}

function welcome(fake: FakeSession, id: number, fields: Partial<V1<"WELCOME">> = {}): void {
  const head = { dialect: "v1", type: "WELCOME", id, address: ADDRESS, epoch: EPOCH, seq: 0, keepalive: 1000 } as const;
  fake.receive({ ...head, name: NAME, ...fields });
}

/** A member that has proven its password. */
function signedIn(): FakeSession {
  const fake = greeting({ password: PASSWORD });
  fake.receive({ ...CHALLENGE, id: lastGreeting(fake).id });
  fake.hash();
  const { id, cnonce } = lastGreeting(fake);
  const { verifier } = answerTo({ ...CHALLENGE, id, token: TOKEN }, {
    name: NAME,
    token: TOKEN,
    password: PASSWORD,
    cnonce,
  });
  welcome(fake, id, { verifier });
  assertEquals(fake.session.state, "joined");
  return fake;
}

/** Asserts that a session has left with a reason, and what it has sent but for its greetings. */
function assertLeft(fake: FakeSession, reason: RegExp): void {
  assert(fake.session.closing);
  assertMatch(fake.session.failure!, reason);
  fake.pass(5000);
  const types = fake.take().map(({ packet }) => packet.type);
  assertEquals([...new Set(types)].filter((type) => type !== "SIGN-IN"), ["LEAVE"]);
}

Deno.test("false server: one that passes the login on gets no proof of it", () => {
  for (const canAsk of [true, false]) {
    const fake = greeting({ password: PASSWORD, canAsk, whereabouts: ELSEWHERE });
    fake.say("a secret");
    fake.receive({ ...CHALLENGE, id: lastGreeting(fake).id });
    assertEquals(fake.derivations, []);
    assertLeft(fake, /^The server sees you at 192\.168\.1\.21:52207, but you are at 192\.168\.1\.77:40000: /);
  }
  // one that sees the client where it is does
  const fake = greeting({
    password: PASSWORD,
    whereabouts: { ...ELSEWHERE, port: 52207, interfaces: ["192.168.1.21/24"] },
  });
  fake.receive({ ...CHALLENGE, id: lastGreeting(fake).id });
  assertEquals(fake.derivations.length, 1);
});

Deno.test("false server: one that passes on gets no other password, and no name", () => {
  for (const change of ["register", "password", "unregister"] as const) {
    const fake = joined({ name: NAME, whereabouts: ELSEWHERE });
    fake.session.changeAccount(change, fake.now);
    const [{ id }] = fake.takeAll(change === "unregister" ? "UNREGISTER" : "REGISTER");
    const asked = change === "register" ? { salt: undefined, nonce: undefined, key: "ab".repeat(32) } : {};
    fake.receive({ ...CHALLENGE, ...asked, id });
    assertEquals(fake.session.wantsPassword, undefined);
    assertLeft(fake, /^The server sees you at 192\.168\.1\.21:52207, but/);
  }
});

Deno.test("false server: in a pipe one that does not ask for the password that was given is told nothing", () => {
  for (const name of [NAME, undefined]) {
    const fake = greeting({ password: PASSWORD, canAsk: false });
    fake.say("a secret");
    welcome(fake, lastGreeting(fake).id, { name });
    assertLeft(
      fake,
      /^The server has not asked for the password of Alice: the name is not registered here, or .* Left$/,
    );
  }
});

Deno.test("false server: nor does it get anything in the classic dialect, which has no passwords", () => {
  const fake = new FakeSession({ name: NAME, password: PASSWORD, canAsk: false });
  fake.start();
  fake.say("a secret");
  fake.pass(3000);
  fake.datagram("INCOMING <From 192.168.1.22:40112>: hello");
  fake.session.drain(fake.now);
  fake.pass(60_000);
  assertEquals(fake.session.state, "closed");
  assertEquals(new Set(fake.take().map(({ packet }) => `${packet.dialect} ${packet.type}`)), new Set(["v1 SIGN-IN"]));
  assertEquals(fake.session.failure, "No answer from 192.168.1.1:9090; 1 message not delivered");
});

Deno.test("false server: one that gives the name while the password is being hashed is not believed", () => {
  const fake = greeting({ password: PASSWORD, canAsk: false });
  fake.say("a secret");
  fake.receive({ ...CHALLENGE, id: lastGreeting(fake).id });
  fake.pass(1500);
  welcome(fake, lastGreeting(fake).id);
  assertEquals(fake.session.state, "joining");
  fake.hash();
  const greetings = fake.take().map(({ packet }) => packet.type);
  assertEquals(new Set(greetings), new Set(["SIGN-IN"]));
});

Deno.test("false server: a refusal that looks like a question for a password is quoted, and no password is to be typed", () => {
  const text = "That is not the password of Alice. Type it again";
  for (const code of ["name-taken", "bad-name", "name-wanted"]) {
    const fake = greeting();
    fake.receive({ ...CHALLENGE, id: lastGreeting(fake).id });
    fake.session.givePassword(PASSWORD, fake.now);
    fake.hash();
    fake.receive({ dialect: "v1", type: "ERROR", code, id: lastGreeting(fake).id, text });
    assertEquals(fake.session.wantsName, true);
    assertEquals(fake.notices.slice(1), [`The server does not give you the name Alice: "${text}"`, NO_PASSWORD]);
  }
  // nor is one to be said to all by a member that wants another name
  const member = joined({ name: "Bob" });
  member.session.rename(NAME, member.now);
  member.receive({ ...CHALLENGE, id: lastGreeting(member).id });
  member.session.givePassword(PASSWORD, member.now);
  member.hash();
  member.receive({ dialect: "v1", type: "ERROR", code: "name-taken", id: lastGreeting(member).id, text });
  assertEquals(member.notices.at(-1), `The server does not give you the name Alice: "${text}". You are still Bob`);
});

Deno.test("false server: a name that was proven is proven again at a server that has begun anew, or not used", () => {
  const fake = signedIn();
  // the same server goes on without a question
  fake.pass(1000);
  welcome(fake, lastGreeting(fake).id);
  assertEquals(fake.session.closing, false);
  fake.receive({ dialect: "v1", type: "ERROR", code: "not-joined", text: "" });
  fake.say("a secret");
  fake.pass(200);
  welcome(fake, lastGreeting(fake).id, { epoch: "00000000000000ee" });
  assertLeft(fake, /^The server has begun anew, and has not asked for the password of Alice/);
  assertEquals(fake.texts, []);
});

Deno.test("false server: under another name there is nothing to prove", () => {
  const fake = signedIn();
  fake.session.rename("Bob", fake.now);
  welcome(fake, lastGreeting(fake).id, { name: "Bob" });
  fake.receive({ dialect: "v1", type: "ERROR", code: "not-joined", text: "" });
  fake.pass(200);
  welcome(fake, lastGreeting(fake).id, { name: "Bob", epoch: "00000000000000ee" });
  assertEquals([fake.session.state, fake.session.name], ["joined", "Bob"]);
});

Deno.test("false server: while a password is being hashed nobody complains that there is no answer, and a pipe waits", () => {
  const fake = greeting({ password: PASSWORD, canAsk: false });
  fake.receive({ ...CHALLENGE, id: lastGreeting(fake).id });
  fake.session.drain(fake.now);
  fake.pass(30_000);
  assertEquals([fake.notices, fake.session.closing], [[], false]);
  fake.hash();
  assert(lastGreeting(fake).proof !== undefined);
  // from then on the server has to answer
  fake.pass(30_000);
  assertEquals([fake.notices.length, fake.session.closing], [1, true]);
});
