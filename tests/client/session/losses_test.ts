/** What a client tells the server of its losses, and what it does with what the server sends because of them. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { copyCount } from "../../../protocol/reliable/copies.ts";
import { Handshake } from "../../../client/session/handshake.ts";
import { Login } from "../../../client/session/login.ts";
import { Naming } from "../../../client/session/naming.ts";
import { EPOCH, FakeSession, joined, TOKEN, type V1 } from "../../support/fake_session.ts";

const OTHER_TOKEN = "0123456789abcdef";
const OTHER_EPOCH = "00000000000000ee";

/** Lets events come, of which the first copy of every third is lost. */
function loseThird(fake: FakeSession, from: number, to: number): void {
  for (let seq = from; seq <= to; seq++) fake.event(seq, seq % 3 === 0 ? { copy: 1 } : {});
}

/** What the next greeting tells. */
function told(fake: FakeSession): number | undefined {
  return fake.passUntilSent("GREETING")[0].loss;
}

/** Loses so many greetings, each of which the next one follows that is answered. */
function loseGreetings(fake: FakeSession, times: number): void {
  fake.take();
  for (let i = 0; i < times; i++) {
    fake.passUntilSent("GREETING");
    const { id } = fake.passUntilSent("GREETING")[0];
    fake.welcome({ id });
  }
}

Deno.test("losses: greetings and RESENDs tell what is lost, and nothing where nothing is", () => {
  const fake = joined();
  for (let seq = 1; seq <= 30; seq++) fake.event(seq);
  assertEquals(told(fake), undefined);
  const lossy = joined();
  loseGreetings(lossy, 8);
  loseThird(lossy, 1, 60);
  lossy.take();
  lossy.event(62);
  const [{ loss }] = lossy.passUntilSent("RESEND");
  assert(loss! > 20 && loss! < 50, `${loss}`);
  assertEquals(told(lossy), loss, "the event that is asked for counts already");
});

Deno.test("losses: where answers to greetings are not lost, a short queue is full for what goes to all, and no further copies are asked for", () => {
  const fake = joined();
  loseThird(fake, 1, 60);
  assertEquals(copyCount(told(fake)! / 100), 0);
});

Deno.test("losses: a greeting with a name tells it too", () => {
  const fake = joined({ name: "Bob" });
  loseThird(fake, 1, 60);
  assertGreater(fake.passUntilSent("SIGN-IN")[0].loss!, 0);
});

Deno.test("losses: a server that has not answered yet is told nothing, however many greetings had no answer", () => {
  const fake = new FakeSession();
  fake.start();
  fake.pass(20_000);
  const greetings = fake.takeAll("GREETING");
  assertGreater(greetings.length, 5);
  assertEquals(new Set(greetings.map(({ loss }) => loss)), new Set([undefined]));
  fake.passUntilSent("GREETING");
  fake.pass(9000);
  // it may have started just now
  const { id } = fake.passUntilSent("GREETING")[0];
  fake.receive({ dialect: "v1", type: "RETRY", id, cookie: "a3d7e09b15c8f264" });
  assertEquals(fake.takeAll("GREETING").map(({ token, loss }) => [token, loss]), [[TOKEN, undefined]]);
});

Deno.test("losses: whoever has not shown that it speaks version 1 is told nothing of them", () => {
  const handshake = new Handshake({ token: TOKEN, naming: new Naming(undefined), login: new Login(TOKEN, undefined) });
  const loss = () => (handshake.greeting(1, 30) as V1<"GREETING">).loss;
  assertEquals(loss(), undefined);
  handshake.takeCookie("a3d7e09b15c8f264");
  assertEquals(loss(), 30);
});

Deno.test("losses: greetings without an answer count when the server has answered before", () => {
  const fake = joined();
  fake.passUntilSent("GREETING");
  const { id } = fake.passUntilSent("GREETING")[0];
  fake.receive({
    dialect: "v1",
    type: "WELCOME",
    id,
    address: "192.168.1.21:52207",
    epoch: EPOCH,
    seq: 0,
    keepalive: 1000,
  });
  assertGreater(fake.passUntilSent("GREETING")[0].loss!, 0);
});

Deno.test("losses: the answers to RESENDs are losses, the first copies that were only late are none", () => {
  for (const isLate of [false, true]) {
    const fake = joined();
    for (let seq = 1; seq <= 60; seq++) {
      fake.event(seq, seq % 3 === 0 ? { token: TOKEN } : {});
      if (isLate) fake.event(seq);
    }
    assertEquals(told(fake), isLate ? undefined : 1);
  }
});

Deno.test("losses: neither what a newcomer did not see nor the history is one", () => {
  const fake = new FakeSession();
  fake.welcome({ seq: 100 });
  for (let seq = 101; seq <= 140; seq++) fake.event(seq);
  fake.session.history(50, fake.now);
  fake.resent(60, 140);
  assertEquals(told(fake), undefined);
  // the server has begun anew, and has said something until this client was back
  fake.closing();
  fake.welcome({ epoch: OTHER_EPOCH, seq: 30 });
  for (let seq = 1; seq <= 30; seq++) fake.event(seq, { epoch: OTHER_EPOCH, token: TOKEN });
  const [loss = 0] = fake.passUntilSent("GREETING").map(({ loss }) => loss);
  assert(loss < 10, `${loss}`);
});

Deno.test("losses: what a look back asks for is not missing, though it came too long ago to be remembered", () => {
  const fake = joined();
  loseGreetings(fake, 8);
  for (let seq = 1; seq <= 300; seq++) fake.event(seq);
  fake.session.history(250, fake.now);
  const asked = fake.passUntilSent("RESEND");
  fake.resent(201, 300);
  asked.push(...fake.passUntilSent("RESEND"));
  assertEquals(asked.map(({ from, to, loss }) => [from, to, loss]), [[201, 300, undefined], [101, 200, undefined]]);
  assertEquals(told(fake), undefined);
});

Deno.test("losses: neither forged events for places far ahead nor forged heartbeats change what is told", () => {
  for (const copy of [undefined, 1]) {
    const fake = joined();
    loseGreetings(fake, 8);
    loseThird(fake, 1, 60);
    const before = told(fake)!;
    for (let i = 0; i < 200; i++) fake.event(100_000 + i, { copy });
    assertEquals(told(fake), before);
  }
  const quiet = joined();
  for (let seq = 1; seq <= 30; seq++) quiet.event(seq);
  quiet.take();
  for (let i = 0; i < 20; i++) {
    quiet.receive({ dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq: 31 + i });
    quiet.pass(20);
  }
  assertEquals(new Set(quiet.takeAll("RESEND").map(({ loss }) => loss)), new Set([undefined]));
  assertEquals(told(quiet), undefined);
});

Deno.test("losses: of another epoch nothing is counted", () => {
  const fake = joined();
  for (let seq = 1; seq <= 60; seq++) {
    fake.event(seq, { epoch: OTHER_EPOCH, copy: 1 });
    fake.receive({ dialect: "v1", type: "ONLINE", epoch: OTHER_EPOCH, seq, at: 1, copy: 1, members: [] });
  }
  assertEquals(told(fake), undefined);
});

Deno.test("copies: whichever comes first is shown, in order and once, and the others are not asked for", () => {
  const fake = joined();
  fake.event(1, { copy: 1 });
  for (const copy of [undefined, 1, 2, 3]) fake.event(1, { copy });
  fake.event(3);
  assertEquals(fake.texts, ["1"]);
  fake.event(2, { copy: 2 });
  for (const seq of [2, 3]) for (const copy of [1, 2, 3]) fake.event(seq, { copy });
  assertEquals(fake.texts, ["1", "2", "3"]);
  assertEquals(
    fake.session.statistics.duplicates,
    1,
    "the further copies were sent on purpose; the first one of 1 was late",
  );
  fake.pass(900);
  assertEquals([fake.takeAll("RESEND"), fake.notices], [[], []]);
});

Deno.test("copies: one is believed no more than the first, since anybody can have forged it", () => {
  const fake = joined();
  fake.event(1, { copy: 1, text: "forged" });
  fake.event(1, { text: "true" });
  assertEquals(fake.passUntilSent("RESEND").map(({ from, to }) => [from, to]), [[1, 1]]);
  fake.event(1, { text: "true", token: TOKEN });
  assertEquals([fake.texts, fake.notices.length], [["forged", "true"], 1]);
});

Deno.test("copies: one of its own message settles it", () => {
  const fake = joined();
  fake.say("hello");
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.event(1, { stream, id: 1, text: "hello", copy: 3 });
  assertEquals(fake.session.waiting, 0);
});

Deno.test("answered repeats: the event with the token settles the message, and is shown once", () => {
  const fake = joined();
  fake.say("hello");
  const [{ stream, id }] = fake.takeAll("MESSAGE");
  fake.event(1);
  // each repeat has its answer
  for (let i = 0; i < 3; i++) fake.event(2, { stream, id, text: "hello", token: TOKEN });
  fake.event(2, { stream, id, text: "hello" });
  fake.pass(900);
  assertEquals([fake.texts, fake.session.waiting, fake.takeAll("MESSAGE")], [["1", "hello"], 0, []]);
});

Deno.test("held: a message is not repeated while the server holds it, and goes on when its time is over", () => {
  const fake = joined();
  fake.say("hello");
  const [{ stream, id }] = fake.takeAll("MESSAGE");
  fake.receive({ dialect: "v1", type: "HELD", stream, id, wait: 1200 });
  fake.pass(1200);
  assertEquals(fake.takeAll("MESSAGE"), []);
  fake.pass(500);
  assertGreater(fake.takeAll("MESSAGE").length, 0);
  fake.event(1, { stream, id, text: "hello" });
  assertEquals([fake.texts, fake.session.waiting], [["hello"], 0]);
});

Deno.test("held: what has not this client's token, or is of another stream, is not taken", () => {
  const held = (fields: string) => {
    const fake = joined();
    fake.say("hello");
    const [{ stream }] = fake.takeAll("MESSAGE");
    fake.datagram(`HELD/1 ${fields.replace("STREAM", stream)} id=1 wait=2000`);
    fake.pass(1500);
    return fake.takeAll("MESSAGE").length;
  };
  assertEquals(held(`token=${TOKEN} stream=STREAM`), 0);
  for (
    const fields of [`token=${OTHER_TOKEN} stream=STREAM`, "stream=STREAM", `token=${TOKEN} stream=${OTHER_EPOCH}`]
  ) {
    assertGreater(held(fields), 1, fields);
  }
});
