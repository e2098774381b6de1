/** What keeps order, at the client: orders and their answers, mutes, the topic, and what the server says to all. */
import { assertEquals } from "@std/assert";
import { ADDRESS, EPOCH, type FakeSession, joined, TOKEN, type V1 } from "../../support/fake_session.ts";

const OTHER_EPOCH = "0000000000000002";

/** What the server has said to all. */
function announced(fake: FakeSession): string[] {
  return fake.shown.flatMap((shown) => shown.kind === "announcement" ? [shown.text] : []);
}

function notice(seq: number, fields: Partial<V1<"NOTICE">> = {}): V1<"NOTICE"> {
  return { dialect: "v1", type: "NOTICE", epoch: EPOCH, seq, at: 1, text: `notice ${seq}`, ...fields };
}

Deno.test("order: it goes out in the words that were typed until it is answered, one at a time", () => {
  const fake = joined({ name: "Alice" });
  fake.session.order("mute Bob 5", fake.now);
  fake.session.order("unmute Bob", fake.now);
  fake.pass(350);
  const sent = fake.takeAll("COMMAND");
  assertEquals(sent.length > 1, true);
  assertEquals(new Set(sent.map(({ text, id }) => `${text} ${id}`)), new Set([`mute Bob 5 ${sent[0].id}`]));
  fake.receive({ dialect: "v1", type: "REPLY", id: sent[0].id, text: "Bob is muted\nfor 5 minutes" });
  assertEquals(fake.notices, ["Bob is muted", "for 5 minutes"]);
  const [next] = fake.takeAll("COMMAND");
  assertEquals([next.text, next.id > sent[0].id], ["unmute Bob", true]);
  fake.receive({ dialect: "v1", type: "ERROR", code: "bad-command", id: next.id, text: "Bob is not muted" });
  fake.receive({ dialect: "v1", type: "REPLY", id: sent[0].id, text: "Bob is muted" });
  assertEquals(fake.notices.slice(2), ["Bob is not muted"]);
  fake.session.drain(fake.now);
  assertEquals(fake.session.failure, "1 command refused");
});

Deno.test("order: without an answer it is not known what became of it; a new server is not asked again", () => {
  const fake = joined({ name: "Alice" });
  fake.session.order("kick Bob", fake.now);
  fake.pass(5500);
  assertEquals(fake.notices[0], "The server has not said whether it has done this: /kick Bob");
  const other = joined({ name: "Alice" });
  other.session.order("say Hello", other.now);
  other.pass(1000);
  other.welcome({ epoch: OTHER_EPOCH });
  other.pass(1000);
  assertEquals(other.takeAll("COMMAND"), []);
  assertEquals(other.notices, [
    "The server has not said whether it has done this: /say Hello",
    "The server has started anew; joined again",
  ]);
});

Deno.test("order: what is too long for a packet is not sent", () => {
  const fake = joined({ name: "Alice" });
  fake.session.order(`say ${"é".repeat(430)}`, fake.now);
  assertEquals([fake.takeAll("COMMAND"), fake.notices], [[], ["That is too long for an order"]]);
});

/** Lets the server refuse messages because this client is muted. */
function mute(fake: FakeSession, messages: V1<"MESSAGE">[]): void {
  for (const { stream, id } of messages) {
    fake.receive({ dialect: "v1", type: "ERROR", code: "muted", stream, id, text: "You are muted for 9 more minutes" });
  }
}

Deno.test("muted: a message is told of once and not sent again; what comes later is sent as ever", () => {
  const fake = joined({ name: "Bob" });
  fake.say("one");
  const [one] = fake.takeAll("MESSAGE");
  mute(fake, [one, one]);
  assertEquals(fake.notices, ['Not delivered ("one"): You are muted for 9 more minutes']);
  fake.pass(2000);
  assertEquals([fake.takeAll("MESSAGE"), fake.session.waiting], [[], 0]);
  fake.say("two");
  const [two] = fake.takeAll("MESSAGE");
  assertEquals([two.id, two.first], [2, undefined]);
  fake.event(1, { stream: two.stream, id: 2, text: "two" });
  fake.session.drain(fake.now);
  assertEquals([fake.session.closing, fake.session.failure], [true, "1 message not delivered"]);
});

Deno.test("muted: many that were under way share a line", () => {
  const fake = joined({ name: "Bob" });
  for (let i = 1; i <= 40; i++) fake.say(`line ${i}`);
  const window = fake.takeAll("MESSAGE");
  mute(fake, window);
  const rest = fake.passUntilSent("MESSAGE").filter(({ id }) => id > 32);
  assertEquals([window.length, rest.length, fake.notices], [32, 8, []]);
  mute(fake, rest);
  assertEquals(fake.notices, ['Not delivered ("line 1" and 39 more): You are muted for 9 more minutes']);
});

Deno.test("muted: the line does not wait for answers that do not come", () => {
  const fake = joined({ name: "Bob" });
  for (const text of ["one", "two"]) fake.say(text);
  mute(fake, fake.takeAll("MESSAGE").slice(0, 1));
  assertEquals(fake.notices, []);
  fake.pass(300);
  assertEquals(fake.notices, ['Not delivered ("one"): You are muted for 9 more minutes']);
});

Deno.test("topic: a newcomer sees it once, and it can be asked for", () => {
  const fake = joined({ name: "Bob" });
  assertEquals([announced(fake), fake.session.topic], [[], "There is no topic"]);
  fake.pass(1000);
  fake.welcome({ topic: "Sockets" });
  assertEquals([announced(fake), fake.session.topic], [[], "The topic is: Sockets"], "a NOTICE has told the change");
  const other = joined();
  other.welcome({ topic: "Sockets", epoch: OTHER_EPOCH });
  for (const topic of ["Sockets", "Datagrams"]) {
    other.pass(1000);
    other.welcome({ topic, epoch: OTHER_EPOCH });
  }
  assertEquals(announced(other), ["The topic is: Sockets"]);
  for (const [topic, epoch] of [["Datagrams", "0000000000000003"], ["Streams\x1b[2J", "0000000000000004"]]) {
    other.pass(1000);
    other.welcome({ topic, epoch });
  }
  assertEquals(announced(other).slice(1), ["The topic is: Streams?[2J"], "only another one after a new start");
});

Deno.test("notice: only a copy with the token is shown, in its place; another one is a reason to ask", () => {
  const fake = joined();
  fake.receive(notice(1));
  fake.event(2, { text: "later" });
  assertEquals([announced(fake), fake.texts], [[], []]);
  assertEquals(fake.passUntilSent("RESEND").map(({ from, to }) => [from, to]), [[1, 1]]);
  fake.receive(notice(1, { token: TOKEN }));
  fake.receive(notice(1));
  fake.pass(1000);
  assertEquals(fake.shown.map(({ kind }) => kind), ["announcement", "message"]);
  assertEquals(fake.takeAll("RESEND"), []);
});

Deno.test("notice: one that came in place of what another member has forged shows the forgery at once", () => {
  const fake = joined();
  fake.event(1, { text: "forged" });
  fake.receive(notice(1));
  assertEquals(fake.passUntilSent("RESEND").map(({ from, to }) => [from, to]), [[1, 1]]);
  fake.receive(notice(1, { token: TOKEN }));
  assertEquals(announced(fake), ["notice 1"]);
  assertEquals(fake.notices.length, 2, "the forged line is taken back");
});

Deno.test("notice: forged ones show nothing, and cost a question in a while", () => {
  const fake = joined();
  for (let seq = 1; seq <= 3000; seq++) fake.receive(notice(seq, { text: "[Server] Go home" }));
  fake.pass(900);
  const { length } = fake.takeAll("RESEND");
  assertEquals([announced(fake), fake.texts, length < 100], [[], [], true], `${length} questions`);
});

Deno.test("notice: the history has them among the messages", () => {
  const fake = joined();
  fake.event(1);
  fake.receive(notice(2, { token: TOKEN }));
  fake.session.history(5, fake.now);
  fake.event(1, { token: TOKEN });
  fake.receive(notice(2, { token: TOKEN }));
  assertEquals(fake.shown.slice(2).map(({ kind }) => kind), ["notice", "message", "announcement", "notice"]);
});

Deno.test("order: an operator is told once that it is one, and when that changes", () => {
  const fake = joined({ name: "Alice" });
  assertEquals([fake.session.isOperator, fake.notices], [false, []]);
  for (const operator of [true, true, undefined, undefined, true]) {
    fake.pass(1000);
    fake.welcome({ operator });
    assertEquals(fake.session.isOperator, operator === true);
  }
  const gained = "You are an operator here: /help lists what you may do";
  assertEquals(fake.notices, [gained, "You are no operator here any more", gained]);
});

Deno.test("order: an answer that says nothing shows nothing", () => {
  const fake = joined({ name: "Alice" });
  fake.session.order("lock", fake.now);
  fake.receive({ dialect: "v1", type: "REPLY", id: fake.takeAll("COMMAND")[0].id, text: "" });
  assertEquals([fake.shown, fake.session.asked.open], [[], 0]);
});

Deno.test("order: one without a name sees by its address what the server says of it", () => {
  const fake = joined();
  const texts: [string, string][] = [
    [`${ADDRESS} was muted for 5 minutes`, `${ADDRESS} (you) was muted for 5 minutes`],
    [`Kicked: Bob, ${ADDRESS}.`, `Kicked: Bob, ${ADDRESS} (you).`],
    [`${ADDRESS}1 was kicked`, `${ADDRESS}1 was kicked`],
    [`1${ADDRESS} was kicked`, `1${ADDRESS} was kicked`],
  ];
  for (const [i, [text]] of texts.entries()) fake.receive(notice(i + 1, { text, token: TOKEN }));
  assertEquals(announced(fake), texts.map(([, seen]) => seen));
});

Deno.test("order: a server that changes its mind all the time is told of three times, then once a minute", () => {
  const fake = joined({ name: "Alice" });
  const lines = () => fake.notices.filter((text) => /^You are (?:an|no) operator/.test(text)).length;
  for (let i = 0; i < 60; i++) {
    fake.pass(1000);
    fake.welcome({ operator: i % 2 === 0 });
  }
  assertEquals(lines(), 3);
  // what it says last is told, if late
  fake.pass(60_000);
  fake.welcome();
  assertEquals([lines(), fake.notices.at(-1)], [4, "You are no operator here any more"]);
});
