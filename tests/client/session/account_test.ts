/** Registering a name, changing its password, and giving it up, as a session does it. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { fromHex, toHex } from "../../../protocol/bytes.ts";
import { open } from "../../../protocol/hpke.ts";
import { PASSWORD_RULE, ROUNDS } from "../../../protocol/passwords.ts";
import { serverSignature, storedKeysOf, unpackKeys } from "../../../protocol/scram.ts";
import { CRYPTO } from "../../../runtime/crypto.ts";
import { answerTo, keysOf, quickDerive, SALT } from "../../support/accounts.ts";
import { ADDRESS, FakeSession, joined, TOKEN, type V1 } from "../../support/fake_session.ts";

const PASSWORD = "correct horse", OTHER = "battery staple";
const NAME = "Alice";
const PAIR = CRYPTO.newX25519KeyPair();
/** What the server says that a change takes, without its id. */
const UNPROTECTED = {
  dialect: "v1",
  type: "CHALLENGE",
  token: TOKEN,
  address: ADDRESS,
  rounds: ROUNDS,
  key: toHex(PAIR.publicKey),
} as const;
const PROTECTED = { ...UNPROTECTED, salt: toHex(SALT), nonce: "b80d3f6217ca94e51f60a9d2e8c37b54" } as const;

type Change = "register" | "password" | "unregister";

/** A member whose server has said what a change takes. */
function begun(change: Change, challenge: Omit<V1<"CHALLENGE">, "id">): FakeSession {
  const fake = joined({ name: NAME });
  fake.session.changeAccount(change, fake.now);
  const [{ id, ...rest }] = fake.takeAll(change === "unregister" ? "UNREGISTER" : "REGISTER");
  assertEquals("proof" in rest || "key" in rest, false);
  fake.receive({ ...challenge, id });
  // how to give up is said before the first question
  if (asked(fake) && change !== "unregister") {
    assertEquals(fake.notices, ["Just Enter changes nothing"]);
    fake.shown.pop();
  }
  return fake;
}

/** Answers the questions with these, and hashes what is to be hashed. */
function type(fake: FakeSession, ...answers: string[]): void {
  for (const answer of answers) {
    fake.session.givePassword(answer, fake.now);
    fake.hash();
  }
}

/** What the user is asked now. */
function asked(fake: FakeSession): string | undefined {
  const wanted = fake.session.wantsPassword;
  return wanted && `${wanted.what} of ${wanted.name}`;
}

/** The password that a REGISTER has sealed, as the server keeps it. */
function unsealed({ key, sealed }: V1<"REGISTER">, pair = PAIR): ReturnType<typeof unpackKeys> {
  const box = { key: fromHex(key!), sealed: fromHex(sealed!) };
  const packed = open(box, pair, { info: "udp-chat register", additional: `${TOKEN} ${NAME}` }, CRYPTO);
  return packed && unpackKeys(packed);
}

/** Asserts that a REGISTER has sealed a password. */
function assertSealed(packet: V1<"REGISTER">, password: string, pair = PAIR): void {
  const { salt, ...keys } = unsealed(packet, pair)!;
  assertEquals(keys, storedKeysOf(keysOf(password, salt), CRYPTO));
  assertNotEquals(salt, SALT);
}

function reply(fake: FakeSession, id: number, text: string, verifier?: string): void {
  fake.receive({ dialect: "v1", type: "REPLY", id, text, verifier });
}

/** The verifier of a server that has opened a first registration. */
function verifierOf(packet: V1<"REGISTER">, address: string = ADDRESS): string {
  const purpose = `register ${TOKEN} ${address} ${packet.key} ${packet.sealed}`;
  return toHex(serverSignature(unsealed(packet)!, purpose, CRYPTO));
}

/** What an honest server expects of another password, or that the name is given up; and by what it proves itself. */
function answerFor({ cnonce, ...packet }: V1<"REGISTER"> | V1<"UNREGISTER">): ReturnType<typeof answerTo> {
  const claim = { name: NAME, token: TOKEN, password: PASSWORD, cnonce };
  const also = packet.type === "REGISTER" ? `${packet.key} ${packet.sealed}` : undefined;
  return answerTo({ ...PROTECTED, id: 0 }, { ...claim, word: also === undefined ? "unregister" : "register", also });
}

Deno.test("account: a name is registered with a password that is typed twice and sealed for the server", () => {
  const fake = begun("register", UNPROTECTED);
  assertEquals(asked(fake), "new of Alice");
  type(fake, PASSWORD);
  assertEquals(asked(fake), "again of Alice");
  assertEquals(fake.take(), []);
  type(fake, PASSWORD);
  assertEquals(asked(fake), undefined);
  const packet = fake.takeAll("REGISTER")[0];
  assertSealed(packet, PASSWORD);
  assertEquals(packet.proof, undefined);
  // it is repeated as it is until the server has answered
  fake.pass(700);
  const repeats = fake.takeAll("REGISTER");
  for (const repeat of repeats) assertEquals(repeat, packet);
  assertEquals(repeats.length > 0, true);
  reply(fake, packet.id, "The name Alice is yours now\x1b[2J\n\nsecond line", verifierOf(packet));
  assertEquals(fake.notices.map((text) => text.replace("\x1b", "ESC")), [
    "The name Alice is yours now?[2J",
    "second line",
  ]);
  assertEquals(fake.session.expectsPassword, false);
});

Deno.test("account: a password that is too short, or typed in two ways, is asked for again", () => {
  const fake = begun("register", UNPROTECTED);
  type(fake, "short");
  assertEquals([asked(fake), fake.notices], ["new of Alice", [PASSWORD_RULE]]);
  type(fake, PASSWORD, OTHER);
  assertEquals(asked(fake), "new of Alice");
  assertMatch(fake.notices[1], /^The two are not the same/);
  type(fake, PASSWORD, PASSWORD);
  assertSealed(fake.takeAll("REGISTER")[0], PASSWORD);
});

Deno.test("account: another password takes the proof of the present one, for what is sealed with it", () => {
  const fake = begun("password", PROTECTED);
  assertEquals(asked(fake), "present of Alice");
  type(fake, PASSWORD, OTHER, OTHER);
  const packet = fake.takeAll("REGISTER")[0];
  assertSealed(packet, OTHER);
  const { proof, verifier } = answerFor(packet);
  assertEquals(packet.proof, proof.proof);
  reply(fake, packet.id, "The password of Alice is changed", verifier);

  // after a new start of the server nobody is asked for the new one
  fake.receive({ dialect: "v1", type: "ERROR", code: "not-joined", text: "" });
  fake.pass(200);
  const { id } = fake.takeAll("SIGN-IN")[0], { salt } = unsealed(packet)!;
  fake.receive({ ...PROTECTED, id, salt: toHex(salt) });
  assertEquals([asked(fake), fake.derivations], [undefined, []]);
  assertEquals(fake.takeAll("SIGN-IN").length, 1);
});

Deno.test("account: a name is given up by the proof of its password", () => {
  const fake = begun("unregister", { ...PROTECTED, key: undefined });
  // what follows is said before the password is asked for
  const told = "Anybody may take the name Alice then, and where only registered names are let in you are out";
  assertEquals(fake.notices, [`${told}; just Enter changes nothing`]);
  type(fake, PASSWORD);
  const packet = fake.takeAll("UNREGISTER")[0], { proof, verifier } = answerFor(packet);
  assertEquals(packet.proof, proof.proof);
  reply(fake, packet.id, "The name Alice is not protected any more", verifier);
  assertEquals(fake.notices.slice(1), ["The name Alice is not protected any more"]);
});

Deno.test("account: an operator that gives its name up is told that it is none then", () => {
  const fake = new FakeSession({ name: NAME });
  fake.welcome({ operator: true });
  fake.take();
  fake.session.changeAccount("unregister", fake.now);
  fake.receive({ ...PROTECTED, id: fake.takeAll("UNREGISTER")[0].id });
  assertMatch(fake.notices[1], /^Anybody may take the name Alice then, you are no operator then, and where only/);
  fake.pass(1000);
  fake.welcome();
  assertEquals(fake.notices[2], "You are no operator here any more");
});

Deno.test("account: a server whose key or nonce is gone gets it anew, without another question", () => {
  const fake = begun("password", PROTECTED);
  type(fake, PASSWORD, OTHER, OTHER);
  const first = fake.takeAll("REGISTER")[0], pair = CRYPTO.newX25519KeyPair();
  fake.receive({ ...PROTECTED, id: first.id, nonce: "000000000000000000000000000000aa", key: toHex(pair.publicKey) });
  const second = fake.takeAll("REGISTER")[0];
  assertSealed(second, OTHER, pair);
  assertEquals(second.nonce, "000000000000000000000000000000aa");
  assertNotEquals(second.id, first.id);
  // but not for ever
  let { id } = second;
  for (let i = 0; i < 10; i++) {
    fake.receive({ ...PROTECTED, id });
    id = fake.takeAll("REGISTER").at(0)?.id ?? id;
  }
  assertEquals(fake.notices, ["The server asks again and again; nothing was changed"]);
});

Deno.test("account: what a new server knows shows that it was done, although the answer was lost", () => {
  const fake = begun("register", UNPROTECTED);
  type(fake, PASSWORD, PASSWORD);
  const packet = fake.takeAll("REGISTER")[0], { salt } = unsealed(packet)!;
  fake.receive({ ...PROTECTED, id: packet.id, salt: toHex(salt) });
  assertEquals(fake.notices, ["The name Alice is yours now"]);
  // if somebody else was faster, it was not
  const late = begun("register", UNPROTECTED);
  type(late, PASSWORD, PASSWORD);
  late.receive({ ...PROTECTED, id: late.takeAll("REGISTER")[0].id });
  assertMatch(late.notices[0], /^The password was changed by somebody else meanwhile/);
});

Deno.test("account: each reason why nothing is changed is told", () => {
  const before: [Change, Omit<V1<"CHALLENGE">, "id">, RegExp][] = [
    ["register", PROTECTED, /^No password is asked: the name Alice is registered already; \/password changes/],
    ["password", UNPROTECTED, /^No password is asked: the name Alice is not registered; \/register does that/],
    ["unregister", UNPROTECTED, /^No password is asked: the name Alice is not registered/],
    ["register", { ...UNPROTECTED, rounds: 1000 }, /^No password is asked\. .* hashed 1000 times, /],
  ];
  for (const [change, challenge, words] of before) {
    const fake = begun(change, challenge);
    assertEquals(asked(fake), undefined);
    assertMatch(fake.notices.join("\n"), words);
    assertEquals(fake.session.expectsPassword, false);
  }
  const codes: [string, string, RegExp][] = [
    ["no-accounts", "", /^No password is asked: this server registers no names, as it was started without --state$/],
    ["too-many-tries", "Wait a minute", /^No password is asked: Wait a minute$/],
    ["odd", "", /^No password is asked: odd$/],
  ];
  for (const [code, text, words] of codes) {
    const fake = joined({ name: NAME });
    fake.session.changeAccount("register", fake.now);
    fake.receive({ dialect: "v1", type: "ERROR", code, text, id: fake.takeAll("REGISTER")[0].id });
    assertMatch(fake.notices.join("\n"), words);
  }
  const wrong = begun("password", PROTECTED);
  type(wrong, "not this one", OTHER, OTHER);
  const text = "That is not the password of Alice";
  wrong.receive({ dialect: "v1", type: "ERROR", code: "wrong-password", text, id: wrong.takeAll("REGISTER")[0].id });
  assertEquals(wrong.notices, [`Nothing was changed: ${text}`]);
  assertEquals(asked(wrong), undefined);

  const nameless = joined();
  nameless.session.changeAccount("register", nameless.now);
  assertEquals([nameless.take(), nameless.notices], [[], [
    "No password is asked: you have no name that could be registered",
  ]]);
  const odd = begun("register", { ...UNPROTECTED, key: "0".repeat(64) });
  type(odd, PASSWORD, PASSWORD);
  assertMatch(odd.notices[0], /^The server's key is not one that/);
});

Deno.test("account: without an answer the user is told, before and after a password was sent", () => {
  const before = joined({ name: NAME });
  before.session.changeAccount("register", before.now);
  before.pass(5000);
  assertEquals(before.notices.at(0), "No password is asked: the server has not answered");
  const after = begun("register", UNPROTECTED);
  type(after, PASSWORD, PASSWORD);
  after.pass(5000);
  assertMatch(after.notices[0], /^The server has not answered: nobody knows whether it was done/);
  assertEquals(after.session.expectsPassword, false);
});

Deno.test("account: just Enter changes nothing, at each question", () => {
  for (const answers of [[""], [PASSWORD, ""], [PASSWORD, OTHER, ""]]) {
    const fake = begun("password", PROTECTED);
    type(fake, ...answers);
    assertEquals([fake.take(), fake.notices, asked(fake)], [[], ["Nothing was changed"], undefined]);
  }
});

Deno.test("account: one change at a time, and only while the server answers", () => {
  const fake = begun("register", UNPROTECTED);
  fake.session.changeAccount("unregister", fake.now);
  assertMatch(fake.notices[0], /being changed already/);
  assertEquals(asked(fake), "new of Alice");
  const lost = joined({ name: NAME });
  lost.pass(10_000);
  lost.take();
  lost.session.changeAccount("register", lost.now);
  assertMatch(lost.notices.at(-1)!, /^The server does not answer at the moment/);
});

Deno.test("account: what is typed before the question comes may be meant for it", () => {
  const fake = joined({ name: NAME });
  fake.session.changeAccount("register", fake.now);
  assertEquals([fake.session.expectsPassword, asked(fake)], [true, undefined]);
});

Deno.test("account: a server that says that it is done must show that it knows the password", () => {
  const words = "This server does not know the password of Alice; do not use the new one elsewhere. Left";
  const wrong: [Change, Omit<V1<"CHALLENGE">, "id">, string[], string][] = [
    ["register", UNPROTECTED, [PASSWORD, PASSWORD], words],
    ["password", PROTECTED, [PASSWORD, OTHER, OTHER], words],
    ["unregister", PROTECTED, [PASSWORD], "This server does not know the password of Alice. Left"],
  ];
  for (const [change, challenge, answers, failure] of wrong) {
    for (const verifier of [undefined, "0".repeat(64)]) {
      const fake = begun(change, challenge);
      type(fake, ...answers);
      reply(fake, fake.takeAll(change === "unregister" ? "UNREGISTER" : "REGISTER")[0].id, "It is done", verifier);
      assertEquals([fake.session.closing, fake.session.failure], [true, failure]);
      assert(!fake.notices.includes("It is done"));
    }
  }
  // nor does the verifier of a registration do for another address
  const fake = begun("register", UNPROTECTED);
  type(fake, PASSWORD, PASSWORD);
  const packet = fake.takeAll("REGISTER")[0];
  reply(fake, packet.id, "It is done", verifierOf(packet, "192.168.1.66:1"));
  assertEquals(fake.session.failure, words);
});

Deno.test("account: a server that only knows the new salt has not shown that it knew the present password", () => {
  const fake = begun("password", PROTECTED);
  type(fake, PASSWORD, OTHER, OTHER);
  const packet = fake.takeAll("REGISTER")[0], { salt } = unsealed(packet)!;
  fake.receive({ ...PROTECTED, id: packet.id, salt: toHex(salt) });
  assertMatch(fake.notices.join("\n"), /^The answer is lost, and nobody knows whether the password was changed/);
});

Deno.test("account: what is typed while /register waits for its turn may be meant for its question", () => {
  const fake = joined({ name: NAME });
  fake.event(1);
  fake.session.history(10, fake.now);
  fake.session.changeAccount("register", fake.now);
  assertEquals([fake.takeAll("REGISTER"), fake.session.expectsPassword], [[], true]);
  // out of the room nobody will ask: then it waits no longer
  fake.receive({ dialect: "v1", type: "ERROR", code: "not-joined", text: "" });
  assertEquals(fake.notices.at(-1), "Not asked: you are not in the room at the moment");
  assertEquals(fake.session.expectsPassword, false);

  const early = new FakeSession({ name: NAME });
  early.start();
  early.session.changeAccount("register", early.now);
  early.pass(5000);
  assertEquals(early.session.expectsPassword, true);
  early.welcome();
  early.receive({ ...UNPROTECTED, id: early.takeAll("REGISTER")[0].id });
  assertEquals(asked(early), "new of Alice");
});

Deno.test("account: a present password that was wrong does not sign in after a new start of the server", () => {
  const fake = begun("password", PROTECTED);
  type(fake, "not this one", OTHER, OTHER);
  const { id } = fake.takeAll("REGISTER")[0];
  fake.receive({ dialect: "v1", type: "ERROR", code: "wrong-password", text: "", id });
  fake.receive({ dialect: "v1", type: "ERROR", code: "not-joined", text: "" });
  fake.pass(200);
  fake.receive({ ...PROTECTED, id: fake.takeAll("SIGN-IN")[0].id });
  assertEquals([asked(fake), fake.takeAll("SIGN-IN")], ["present of Alice", []]);
});

Deno.test("account: who has another name by the time of the answer changes nothing", () => {
  const fake = begun("register", UNPROTECTED);
  type(fake, PASSWORD);
  fake.session.rename("Bob", fake.now);
  fake.welcome({ name: "Bob" });
  fake.take();
  type(fake, PASSWORD);
  assertEquals(fake.notices.at(-1), "You have another name by now, so nothing was changed");
  assertEquals([fake.takeAll("REGISTER"), fake.session.expectsPassword], [[], false]);
});

Deno.test("account: a password is forgotten as soon as it is hashed, so a second result of that counts for nothing", () => {
  const fake = begun("register", UNPROTECTED);
  type(fake, PASSWORD);
  fake.session.givePassword(PASSWORD, fake.now);
  const [derivation] = fake.derivations;
  fake.hash();
  assertEquals(fake.takeAll("REGISTER").length, 1);
  fake.session.derived(derivation, quickDerive(derivation), fake.now);
  assertEquals(fake.takeAll("REGISTER"), []);
});

const KICKED = { dialect: "v1", type: "ERROR", code: "kicked", text: "You were kicked" } as const;
const NOT_IN = "Nothing was changed: you are not in the room any more. /join asks to come in again";

Deno.test("account: nobody is asked on who was told to go, nor at a server that has fallen silent", () => {
  for (const typed of [PASSWORD, ""]) {
    const fake = begun("password", PROTECTED);
    fake.receive(KICKED);
    assertEquals(asked(fake), "present of Alice", "what is being typed is not said to all");
    type(fake, typed);
    assertEquals([asked(fake), fake.notices.at(-1), fake.derivations], [undefined, NOT_IN, []]);
  }
  const silent = begun("register", UNPROTECTED);
  silent.pass(20_000);
  type(silent, PASSWORD);
  assertEquals(asked(silent), undefined);
  assertMatch(silent.notices.at(-1)!, /^Nothing was changed: the server does not answer at the moment/);
});

Deno.test("account: what was hashed when its user was told to go is not sent", () => {
  const fake = begun("password", PROTECTED);
  type(fake, PASSWORD, OTHER);
  fake.session.givePassword(OTHER, fake.now);
  fake.receive(KICKED);
  fake.take();
  fake.hash();
  assertEquals([fake.take(), fake.notices.at(-1), fake.session.expectsPassword], [[], NOT_IN, false]);
});
