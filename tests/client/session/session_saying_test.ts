/** A whole session against a server that says what the test says: what its user says, until it has arrived. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decode, encode, type Packet } from "../../../protocol.ts";
import { ADDRESS, EPOCH, FakeSession, joined, TOKEN, WELCOME } from "../../support/fake_session.ts";

const OTHER_EPOCH = "00000000000000ee";
const BOB = "192.168.1.22:40112";

Deno.test("session: what is typed before the server has answered goes out when it has, in order", () => {
  const fake = new FakeSession();
  fake.start();
  for (const text of ["1", "2", "3"]) fake.say(text);
  assertEquals(fake.takeAll("MESSAGE"), []);
  fake.start();
  fake.welcome();
  assertEquals(fake.takeAll("MESSAGE").map(({ id, first, text }) => [id, first, text]), [
    [1, undefined, "1"],
    [2, 1, "2"],
    [3, 1, "3"],
  ]);
});

Deno.test("session: a message is repeated with the same id until its own event comes, and is shown once", () => {
  const fake = joined();
  fake.say("hello");
  const [{ stream, id, token }] = fake.takeAll("MESSAGE");
  assertEquals([id, token, fake.session.waiting], [1, TOKEN, 1]);
  fake.pass(900);
  const repeats = fake.takeAll("MESSAGE");
  assert(repeats.length >= 1);
  for (const repeat of repeats) assertEquals([repeat.stream, repeat.id, repeat.text], [stream, 1, "hello"]);
  fake.event(1, { from: ADDRESS, stream, id: 1, text: "hello" });
  fake.event(1, { from: ADDRESS, stream, id: 1, text: "hello" });
  assertEquals([fake.session.waiting, fake.texts, fake.session.statistics.duplicates], [0, ["hello"], 1]);
  fake.take();
  fake.pass(900);
  assertEquals(fake.takeAll("MESSAGE"), []);
});

Deno.test("session: an ACK settles a message too, but only one for its own stream", () => {
  const fake = joined();
  fake.say("hello");
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.receive({ dialect: "v1", type: "ACK", stream: "00000000000000bb", id: 1 });
  fake.event(1, { stream: "00000000000000bb", id: 1 });
  assertEquals(fake.session.waiting, 1);
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 1 });
  assertEquals(fake.session.waiting, 0);
});

Deno.test("session: somebody else's event with this stream does not settle a message", () => {
  const fake = joined();
  fake.say("hello");
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.event(1, { from: BOB, stream, id: 1 });
  assertEquals(fake.session.waiting, 1);
});

Deno.test("session: at most 32 messages are under way", () => {
  const fake = joined();
  for (let i = 1; i <= 100; i++) fake.say(`${i}`);
  const first = fake.takeAll("MESSAGE");
  assertEquals(first.map(({ id }) => id), Array.from({ length: 32 }, (_, i) => i + 1));
  fake.receive({ dialect: "v1", type: "ACK", stream: first[0].stream, id: 10 });
  assertEquals(fake.takeAll("MESSAGE").map(({ id, first }) => [id, first]).slice(0, 2), [[33, 11], [34, 11]]);
});

Deno.test("session: a long text becomes several messages, an empty one none", () => {
  const fake = joined();
  fake.say(`${"word ".repeat(300)}end`);
  const sent = fake.takeAll("MESSAGE");
  assertEquals(sent.length, 2);
  assertEquals(sent.map(({ text }) => text).join(" "), `${"word ".repeat(300)}end`);
  fake.say("");
  assertEquals(fake.takeAll("MESSAGE"), []);
});

Deno.test("session: what one does is marked as such", () => {
  const fake = joined();
  fake.session.say("waves", fake.now, true);
  assertEquals(fake.takeAll("MESSAGE").map(({ action, text }) => [action, text]), [[true, "waves"]]);
  fake.event(1, { action: true, text: "nods" });
  assertEquals(fake.shown.map((shown) => "action" in shown && shown.action), [true]);
});

Deno.test("session: beyond 1,000 waiting messages it takes none, and says so", () => {
  const fake = new FakeSession();
  for (let i = 0; i < 1000; i++) fake.say(`${i}`);
  assertEquals([fake.session.full, fake.session.waiting, fake.notices], [true, 1000, []]);
  fake.say("one too many");
  assertEquals(fake.session.waiting, 1000);
  assertStringIncludes(fake.notices[0], "Not sent");
  fake.welcome();
  for (let left = 1000; left > 0; left -= 32) {
    const { stream, id } = fake.takeAll("MESSAGE").at(-1)!;
    fake.receive({ dialect: "v1", type: "ACK", stream, id });
  }
  fake.session.drain(fake.now);
  fake.pass(1000);
  assertEquals([fake.session.waiting, fake.session.failure], [0, "1 message not delivered"]);
});

Deno.test("session: its own message is known by stream, id and text, from whatever address it comes", () => {
  const fake = joined();
  for (const text of ["one", "two", "three"]) fake.say(text);
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.event(1, { from: "10.9.9.9:9", stream, id: 1, text: "one" });
  assertEquals(fake.session.waiting, 2);
  // a copy does not settle what was said before it
  fake.event(2, { from: "10.9.9.9:9", stream, id: 3, text: "three" });
  assertEquals(fake.session.waiting, 1);
  // a server may change a text on its way
  fake.event(3, { from: ADDRESS, stream, id: 2, text: "TWO" });
  assertEquals([fake.session.waiting, fake.takeAll("MESSAGE")], [1, []]);
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 2 });
  fake.event(4, { from: ADDRESS, stream, id: 3, text: "three" });
  assertEquals([fake.session.waiting, fake.texts], [0, ["one", "three", "TWO"]]);
});

Deno.test("session: when another speaks in its stream, only the message whose text it guessed is settled", () => {
  const fake = joined();
  for (const text of ["do NOT pay", "ok"]) fake.say(text);
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.event(1, { from: "10.6.6.6:6", stream, id: 2 ** 53 - 1, text: "forged" });
  fake.event(2, { from: "10.6.6.6:6", stream, id: 2, text: "ok" });
  assertEquals([fake.session.waiting, fake.take()], [1, []], "what is before it is not settled by another's copy");
});

Deno.test("session: whoever guesses one of its texts takes away no other one", () => {
  const fake = joined();
  const texts = Array.from({ length: 20 }, (_, i) => `${i + 1}`);
  for (const text of texts) fake.say(text);
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.event(0, { from: ADDRESS, stream, id: 20, text: "20" });
  assertEquals(fake.session.waiting, 19);
  fake.pass(500);
  assertEquals(new Set(fake.takeAll("MESSAGE").map(({ text }) => text)), new Set(texts.slice(0, 19)));
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 19 });
  assertEquals(fake.session.waiting, 0);
  // with the token it settles no more: a copy is about its own message, an ACK about all up to it
  for (const text of ["21", "22"]) fake.say(text);
  fake.event(2, { from: ADDRESS, stream, id: 22, text: "22", token: TOKEN });
  assertEquals(fake.session.waiting, 1);
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 22 });
  assertEquals(fake.session.waiting, 0);
});

Deno.test("session: without its token nothing settles, refuses, skips or moves what waits", () => {
  for (const token of [undefined, "0123456789abcdef"]) {
    const fake = joined();
    fake.say("one");
    const [{ stream }] = fake.takeAll("MESSAGE");
    const head = { dialect: "v1", token } as { dialect: "v1"; token: string };
    const forged: Packet[] = [
      { ...head, type: "ACK", stream, id: 1 },
      { ...head, type: "ACK", stream, id: 1, epoch: EPOCH, seq: 1 },
      { ...head, type: "GONE", epoch: EPOCH, from: 1, to: 2 ** 53 - 1 },
      { ...head, type: "HEARTBEAT", epoch: EPOCH, seq: 2 ** 53 - 1 },
      { ...head, type: "ERROR", code: "not-joined", id: 1, text: "x" },
      { ...head, type: "ERROR", code: "stream-taken", id: 1, stream, text: "x" },
      { ...WELCOME, ...head, id: 1, epoch: OTHER_EPOCH },
      { ...head, type: "PUNCH", address: BOB, pass: stream },
    ];
    for (const packet of forged) {
      const decoded = decode(encode(packet));
      if (decoded.ok) fake.session.receive(decoded.packet, fake.now);
    }
    assertEquals([fake.session.waiting, fake.session.state, fake.take()], [1, "joined", []]);
    fake.pass(450);
    assertEquals(fake.takeAll("MESSAGE").length > 0, true, "it is sent again in time");
    fake.event(1, { from: ADDRESS, stream, id: 1, text: "one" });
    assertEquals([fake.session.waiting, fake.texts], [0, ["one"]]);
  }
});

Deno.test("session: when its stream is another's, it sends all that waits once in a new one", () => {
  const fake = joined();
  for (const text of ["one", "two", "three"]) fake.say(text);
  const sent = fake.takeAll("MESSAGE"), [{ stream }] = sent;
  // each message that was under way is refused
  for (const { id } of sent) {
    fake.receive({ dialect: "v1", type: "ERROR", code: "stream-taken", id, stream, text: "Another member uses it" });
  }
  const again = fake.takeAll("MESSAGE");
  assertEquals(again.map(({ id, first, text }) => [id, first ?? id, text]), [[1, 1, "one"], [2, 1, "two"], [
    3,
    1,
    "three",
  ]]);
  assertEquals([new Set(again.map(({ stream }) => stream)).size, again[0].stream === stream], [1, false]);
  for (const [i, text] of ["one", "two", "three"].entries()) {
    fake.event(i + 1, { from: ADDRESS, stream: again[0].stream, id: i + 1, text });
  }
  assertEquals([fake.session.waiting, fake.notices], [0, []]);
});
