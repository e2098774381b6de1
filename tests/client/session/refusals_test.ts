/** What the server refuses is shown, each refusal once, and nothing is repeated or waited for because of it. */
import { assertEquals, assertLessOrEqual, assertMatch } from "@std/assert";
import { RoundTrip } from "../../../protocol/reliable/round_trip.ts";
import { SendStream } from "../../../protocol/reliable/send_stream.ts";
import { seededRandom } from "../../../server/doors/network_emulator.ts";
import { all, FakeRoom } from "../../support/fake_room.ts";
import { ADDRESS, COOKIE, EPOCH, FakeSession, joined, TOKEN, type V1 } from "../../support/fake_session.ts";

const REFUSAL = { dialect: "v1", type: "ERROR", code: "quota-exceeded", text: "Your quota is used up" } as const;

Deno.test("refusals: a message that is refused is shown once, not sent again, and counts as undelivered", () => {
  const fake = joined();
  for (const text of ["one", "two", "three"]) fake.say(text);
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.receive({ ...REFUSAL, stream, id: 2 });
  // its repeat was under way
  fake.receive({ ...REFUSAL, stream, id: 2 });
  assertEquals(fake.notices, [`Not delivered ("two"): Your quota is used up`]);
  fake.event(1, { from: ADDRESS, stream, id: 1, text: "one" });
  fake.pass(500);
  const repeats = fake.takeAll("MESSAGE").map(({ id, first }) => `${id} ${first}`);
  assertEquals(new Set(repeats), new Set(["3 undefined"]), "nobody waits for what is refused");
  fake.event(2, { from: ADDRESS, stream, id: 3, text: "three" });
  fake.session.drain(fake.now);
  assertEquals([fake.session.waiting, fake.session.failure], [0, "1 message not delivered"]);
});

Deno.test("refusals: the text is made safe and cut, a long message too, and without a text the code is shown", () => {
  const fake = joined();
  fake.say("word ".repeat(100));
  fake.say("x");
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.receive({ ...REFUSAL, stream, id: 1, text: `\x1b[2Jno\n${"🙂".repeat(250)}` });
  fake.receive({ ...REFUSAL, stream, id: 2, text: " \t" });
  const [long, short] = fake.notices;
  assertMatch(long, /^Not delivered \("(word ?){8,12}…"\): \?\[2Jno\?(🙂){193}$/u);
  assertEquals(short, `Not delivered ("x"): quota-exceeded`);
});

Deno.test("refusals: of a message that was not sent, of another stream, or to another's token nothing is believed", () => {
  const fake = joined();
  for (let i = 0; i < 40; i++) fake.say(`${i}`);
  const [{ stream }] = fake.takeAll("MESSAGE");
  for (const id of [0, 33, 41, 2 ** 53 - 1]) fake.receive({ ...REFUSAL, stream, id });
  fake.receive({ ...REFUSAL, stream: "00000000000000bb", id: 1 });
  fake.receive({ ...REFUSAL, stream, id: 1, token: "0123456789abcdef" });
  assertEquals([fake.session.waiting, fake.shown], [40, []]);
});

Deno.test("refusals: all but the refused messages arrive once and in order, though three in ten datagrams get lost", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed), isLost = () => random() < 0.3;
    const room = new FakeRoom({ rate: { rate: 0, burst: 0 } }), { token } = room.join(ADDRESS);
    const stream = new SendStream(new RoundTrip());
    const texts = Array.from({ length: 60 }, (_, i) => `${i}`), refused = new Set(texts.filter(() => random() < 0.3));
    for (const text of texts) stream.add({ text }, 0);
    stream.open(0);
    const told: string[] = [], said: string[] = [];
    for (let now = 0; stream.size > 0 && now < 60_000; now += 10) {
      for (const { id, ...message } of stream.wake(now)) {
        if (isLost()) continue;
        if (refused.has(message.text)) {
          if (isLost()) continue;
          const draft = stream.settle(id, now);
          if (draft) told.push(draft.text);
          continue;
        }
        const sent = room.v1(ADDRESS, "MESSAGE", { token, id, ...message });
        for (const { id, text, token: isAnswer } of all(sent, "INCOMING")) {
          if (isAnswer === undefined) said.push(text);
          if (!isLost()) stream.settle(id!, now);
        }
        for (const { id } of all(sent, "ACK")) if (!isLost()) stream.acknowledge(stream.name, id, now);
      }
    }
    assertEquals(said, texts.filter((text) => !refused.has(text)), `seed ${seed}`);
    assertEquals([stream.size, new Set(told), told.length], [0, refused, refused.size], `seed ${seed}`);
  }
});

Deno.test("refusals: a question that is refused shows why, and counts as not answered", () => {
  for (const ask of ["list", "whois"] as const) {
    const fake = joined();
    if (ask === "list") fake.session.list(fake.now);
    else fake.session.whois("Bob", fake.now);
    const [{ id }] = fake.take().map(({ packet }) => packet as V1<"LIST" | "LOOKUP">);
    fake.receive({ ...REFUSAL, id });
    // a repeat of the question was answered too
    fake.receive({ ...REFUSAL, id });
    const what = ask === "list" ? "who is here" : "who that is";
    assertEquals(fake.notices, [`The server did not say ${what}: Your quota is used up`]);
    fake.session.drain(fake.now);
    assertEquals(fake.session.failure, "1 question not answered");
  }
});

Deno.test("refusals: only no-such-user says that nobody has a name", () => {
  const whois = joined();
  whois.session.whois("Bob", whois.now);
  const [{ id }] = whois.takeAll("LOOKUP");
  whois.receive({ ...REFUSAL, code: "no-such-user", id, text: "Bob is not here" });
  assertEquals(whois.notices, ["Nobody here is called Bob"]);
  for (const code of ["no-such-user", "quota-exceeded"]) {
    const fake = joined();
    fake.session.sayTo("Bob", "hi", fake.now);
    const [{ id }] = fake.takeAll("LOOKUP");
    fake.receive({ ...REFUSAL, code, id });
    const why = code === "no-such-user" ? "nobody here has that name" : "Your quota is used up";
    assertEquals(fake.notices, [`Not delivered to Bob ("hi"): ${why}`]);
    fake.session.drain(fake.now);
    assertEquals(fake.session.failure, "1 message not delivered");
  }
});

Deno.test("refusals: a greeting that is refused is shown once, whatever was greeted with meanwhile", () => {
  const fake = new FakeSession();
  fake.start();
  fake.pass(3000);
  const ids = fake.takeAll("GREETING").map(({ id }) => id);
  fake.shown.length = 0;
  for (const id of ids) fake.receive({ ...REFUSAL, id });
  assertEquals(fake.notices, ["Your quota is used up. Trying again"]);
  fake.receive({ dialect: "v1", type: "RETRY", id: ids.at(-1)!, cookie: COOKIE });
  for (const id of ids) fake.receive({ ...REFUSAL, id });
  assertEquals(fake.notices.length, 1, "what was greeted with before is not open any more");
});

Deno.test("refusals: what belongs to nothing is shown, each text once a minute", () => {
  const fake = joined();
  fake.receive(REFUSAL);
  fake.receive({ ...REFUSAL, id: 5 });
  fake.receive({ ...REFUSAL, stream: "00000000000000bb" });
  assertEquals(fake.notices, ["The server reports: Your quota is used up"]);
  fake.receive({ ...REFUSAL, text: "" });
  assertEquals(fake.notices.slice(1), ["The server reports: quota-exceeded"]);
  fake.now += 60_000;
  fake.receive({ ...REFUSAL, text: "" });
  assertEquals(fake.notices.slice(2), ["The server reports: quota-exceeded"]);
  // late answers to requests that are not open any more
  for (const code of ["name-taken", "bad-name", "room-full", "no-such-user"]) fake.receive({ ...REFUSAL, code });
  assertEquals(fake.notices.length, 3);
});

Deno.test("refusals: a server that sends thousands fills no screen, whatever their texts", () => {
  const fake = joined();
  for (let i = 0; i < 60_000; i++) {
    fake.now += 10;
    fake.receive({ ...REFUSAL, id: i % 7 ? i : undefined, text: `${i}` });
  }
  assertLessOrEqual(fake.notices.filter((text) => text.startsWith("The server reports")).length, 13);
  fake.receive({ dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq: 0, token: TOKEN });
  assertEquals(fake.session.state, "joined");
});
