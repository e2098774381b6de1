/** A client that the server has told to go stays outside until its user asks to come in again. */
import { assertEquals, assertMatch } from "@std/assert";
import { COOKIE, EPOCH, FakeSession, joined, SERVER, TOKEN, WELCOME } from "../../support/fake_session.ts";

const KICKED = { dialect: "v1", type: "ERROR", code: "kicked", text: "You were kicked by Alice: flooding" } as const;
const HINT = "/join asks to come in again, /quit leaves";

function expelled(): FakeSession {
  const fake = joined({ name: "Bob" });
  fake.receive(KICKED);
  fake.take();
  return fake;
}

Deno.test("expelled: it is shown once, and nothing is sent any more, however often the server says it", () => {
  for (const code of ["kicked", "banned", "locked", "signed-in-elsewhere"]) {
    const fake = joined({ name: "Bob" });
    fake.event(3);
    for (let i = 0; i < 3; i++) fake.receive({ ...KICKED, code });
    fake.take();
    fake.pass(60_000);
    assertEquals([fake.take(), fake.session.nextWake], [[], undefined]);
    assertEquals([fake.session.state, fake.session.isShutOut, fake.session.wantsName], ["expelled", true, false]);
    assertEquals(fake.notices, [KICKED.text, HINT]);
  }
});

Deno.test("expelled: in answer to the first greeting too, and without a text", () => {
  const fake = new FakeSession({ name: "Bob" });
  fake.start();
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ dialect: "v1", type: "RETRY", id, cookie: COOKIE });
  const [second] = fake.takeAll("SIGN-IN");
  fake.receive({ ...KICKED, code: "locked", id: second.id, text: "" });
  fake.pass(10_000);
  assertEquals([fake.take(), fake.session.state], [[], "expelled"]);
  assertEquals(fake.notices, ["The server has told you to go (locked)", HINT]);
});

Deno.test("expelled: nobody without the token can say so", () => {
  const fake = joined({ name: "Bob" });
  fake.datagram(`ERROR/1 code=kicked token=0000000000000001\nGo`);
  fake.datagram(`ERROR/1 code=kicked\nGo`);
  fake.datagram(`ERROR/1 code=kicked token=${TOKEN}\nGo`, "10.0.0.9:9");
  assertEquals(fake.session.state, "joined");
  fake.datagram(`ERROR/1 code=kicked token=${TOKEN}\nGo`, SERVER);
  assertEquals(fake.session.state, "expelled");
});

Deno.test("expelled: what waits is given up and told", () => {
  const fake = joined({ name: "Bob" });
  fake.event(1);
  for (const text of ["one", "two"]) fake.say(text);
  fake.session.sayTo("Alice", "secret", fake.now);
  fake.session.list(fake.now);
  fake.session.history(5, fake.now);
  fake.session.whois("Carol", fake.now);
  fake.receive(KICKED);
  assertEquals([fake.session.waiting, fake.session.asked], [0, { open: 0, waiting: 0 }]);
  assertEquals(fake.notices, [
    KICKED.text,
    'Not known to be delivered ("one" and 1 more): the server has told you to go',
    'Not delivered to Alice ("secret"): the server has told you to go',
    "Not asked: the server has told you to go",
    "Not asked: the server has told you to go",
    "The server did not say who is here",
    HINT,
  ]);
});

Deno.test("expelled: what is typed then is not sent, and why", () => {
  const fake = expelled();
  fake.say("hello?");
  fake.session.sayTo("Alice", "why?", fake.now);
  fake.session.list(fake.now);
  fake.session.order("kick Alice", fake.now);
  fake.session.rename("Bert", fake.now);
  assertEquals(fake.take(), []);
  assertEquals(fake.notices.slice(2), [
    `Not sent: ${KICKED.text}. /join asks to come in again`,
    `Not delivered to Alice ("why?"): Not sent: ${KICKED.text}. /join asks to come in again`,
    ...Array(3).fill(`Not sent: ${KICKED.text}. /join asks to come in again`),
  ]);
  assertEquals(fake.session.waiting, 0);
});

Deno.test("expelled: /join greets again with the same token; what was sent before is out of date", () => {
  const fake = expelled();
  fake.pass(5000);
  fake.session.comeBack(fake.now);
  const [first] = fake.takeAll("SIGN-IN");
  assertEquals([first.token, first.name, fake.session.state], [TOKEN, "Bob", "joining"]);
  fake.receive(KICKED);
  fake.receive({ ...KICKED, id: first.id - 1 });
  assertEquals(fake.session.state, "joining", "copies of what was said before");
  fake.receive({ dialect: "v1", type: "RETRY", id: first.id, cookie: COOKIE });
  const [second] = fake.takeAll("SIGN-IN");
  fake.receive({ ...WELCOME, id: second.id, name: "Bob" });
  assertEquals([fake.session.state, fake.notices.at(-1)], ["joined", "Joined as Bob"]);
  fake.say("back");
  assertEquals(fake.takeAll("MESSAGE").map(({ text }) => text), ["back"]);
  fake.receive(KICKED);
  assertEquals(fake.session.state, "expelled", "and it can be told again");
});

Deno.test("expelled: who comes back hears from then on, as a newcomer does, also of a server that began anew", () => {
  for (const epoch of [EPOCH, "00000000000000ee"]) {
    const fake = joined({ name: "Bob" });
    fake.event(1);
    // what was on its way when it was told to go is not wanted any more either
    if (epoch === EPOCH) fake.event(3);
    fake.receive(KICKED);
    fake.pass(5000);
    fake.session.comeBack(fake.now);
    fake.welcome({ epoch, seq: 900 });
    fake.pass(300);
    assertEquals([fake.takeAll("RESEND"), fake.texts], [[], ["1"]]);
    fake.event(902, { epoch });
    fake.event(901, { epoch });
    assertEquals(fake.texts, ["1", "901", "902"]);
    assertEquals(fake.session.statistics.lost, 0);
    assertEquals(fake.notices, [KICKED.text, HINT, "Joined as Bob"]);
  }
});

Deno.test("expelled: a server that does not let it in again says so, and one that is silent is told of", () => {
  const fake = expelled();
  fake.session.comeBack(fake.now);
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ ...KICKED, id });
  assertEquals([fake.session.state, fake.notices.filter((text) => text === KICKED.text).length], ["expelled", 2]);
  fake.session.comeBack(fake.now);
  fake.pass(3000);
  assertMatch(fake.notices.at(-1)!, /^No answer from 192\.168\.1\.1:9090/);
  fake.receive({ dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq: 0, token: TOKEN });
  assertEquals(fake.session.state, "joining", "what was sent to the member before lets nobody in");
});

Deno.test("expelled: who is in the room has nothing to ask for", () => {
  const fake = joined({ name: "Bob" });
  fake.session.comeBack(fake.now);
  assertEquals([fake.notices, fake.take()], [["/join is for who was told to go"], []]);
});

Deno.test("expelled: a pipe ends with the reason, without a goodbye", () => {
  const fake = joined({ name: "Bob" });
  fake.say("one");
  fake.receive(KICKED);
  fake.take();
  fake.session.drain(fake.now);
  assertEquals([fake.session.state, fake.take()], ["closed", []]);
  assertEquals(fake.session.failure, `${KICKED.text}; 1 message not delivered`);
});

Deno.test("expelled: it is as good an answer to a goodbye as any", () => {
  const fake = joined({ name: "Bob" });
  fake.session.close(fake.now);
  fake.receive(KICKED);
  assertEquals([fake.session.state, fake.session.failure], ["closed", undefined]);
});
