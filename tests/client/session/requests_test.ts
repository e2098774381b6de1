/** What is asked of the server, and written to one member alone: in its turn, and with a word when it comes to nothing. */
import { assert, assertEquals, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { FakeSession, joined } from "../../support/fake_session.ts";

const OTHER_EPOCH = "00000000000000ee";
const BOB = "192.168.1.22:40112";
const STREAM = "00000000000000cc";

Deno.test("requests: requests that wait for their turn make it full too, and strangers' messages do not", () => {
  const fake = new FakeSession({ name: "Alice" });
  for (let i = 0; i < 1000; i++) {
    assertEquals(fake.session.full, false);
    fake.session.sayTo("Bob", `line ${i}`, fake.now);
  }
  assertEquals([fake.session.full, fake.notices], [true, []]);

  const asked = joined({ name: "Alice" });
  for (let i = 0; !asked.session.full; i++) {
    asked.session.whois("Bob", asked.now);
    assert(i < 2000, "look-ups without an answer grow without bound");
  }
  assertLessOrEqual(asked.takeAll("LOOKUP").length, 32, "the server is asked as much at once as it can answer");
  asked.session.whois("Bob", asked.now);
  asked.session.list(asked.now);
  assertEquals(asked.session.asked.open, 1032, "what comes in spite of that is refused");
  assertEquals(asked.notices, Array(2).fill("Too many requests wait for their turn; try again in a moment"));

  const heard = joined({ name: "Alice" });
  const spam = {
    dialect: "v1",
    type: "MESSAGE",
    stream: "00000000000000cc",
    pass: "00000000000000bb",
    id: 1,
    text: "spam",
  } as const;
  for (let i = 0; i < 5000; i++) heard.session.receiveFromPeer(spam, `10.6.${i >> 8}.${i & 255}:6`, heard.now);
  assertEquals([heard.take(), heard.session.full], [[], false]);
  heard.session.whois("Bob", heard.now);
  assertEquals(heard.takeAll("LOOKUP").map(({ name }) => name), ["Bob"], "one's own question does not wait for theirs");
});

Deno.test("requests: of many questions each is asked in its turn, in order, and answered", () => {
  const fake = new FakeSession({ name: "Alice" });
  const names = Array.from({ length: 500 }, (_, i) => `user${i}`);
  for (const name of names) fake.session.whois(name, fake.now);
  fake.welcome();
  const asked: (string | undefined)[] = [];
  for (let lookups; (lookups = fake.takeAll("LOOKUP")).length > 0;) {
    for (const { id, name } of lookups) {
      asked.push(name);
      fake.receive({ dialect: "v1", type: "PEER", id: id!, name, address: BOB, since: 1 });
    }
  }
  assertEquals(asked, names);
  assertEquals(fake.shown.map((shown) => shown.kind === "whois" && shown.name), names);
});

Deno.test("requests: the past is asked for when the server has answered, like everything else", () => {
  const fake = new FakeSession();
  fake.session.history(20, fake.now);
  fake.session.list(fake.now);
  assertEquals(fake.notices, []);
  fake.start();
  fake.welcome({ seq: 2 });
  assertEquals(fake.takeAll("RESEND").map(({ from, to }) => [from, to]), [[1, 2]]);
  fake.event(1);
  assertEquals(fake.texts, [], "anybody may have forged it");
  fake.resent(1, 2);
  assertEquals(fake.texts, ["1", "2"]);
  assertEquals(fake.takeAll("LIST").length, 1, "what was asked behind it comes behind it");
});

Deno.test("requests: the past that was asked for is gone when the server begins anew: said, and counted", () => {
  const fake = new FakeSession();
  fake.welcome({ seq: 5 });
  fake.session.history(20, fake.now);
  fake.closing();
  fake.pass(1000);
  fake.welcome({ epoch: OTHER_EPOCH });
  assert(fake.notices.some((text) => text.includes("another past")));
  fake.session.drain(fake.now);
  assertEquals(fake.session.failure, "1 question not answered");
});

Deno.test("requests: while the server is away a question is refused, and counts", () => {
  const fake = joined({ name: "Alice" });
  fake.closing();
  fake.session.list(fake.now);
  assertStringIncludes(fake.notices.at(-1)!, "does not answer at the moment");
  fake.session.sayTo("Bob", "hi", fake.now);
  const text = "The server does not answer at the moment; try again when it does";
  assertEquals(fake.notices.at(-1), `Not delivered to Bob ("hi"): ${text}`);
  fake.pass(1000);
  fake.welcome();
  fake.session.drain(fake.now);
  assertEquals(fake.session.failure, "1 message not delivered");
});

/** Lets a message to this client alone come, and the server say whose it is. */
function direct(fake: FakeSession, text: string, from: string, name?: string): void {
  const id = 1;
  const stream = from.replace(/\D/g, "").padStart(16, "0");
  const pass = stream;
  fake.receive({ dialect: "v1", type: "PUNCH", address: from, name, pass });
  fake.session.receiveFromPeer({ dialect: "v1", type: "MESSAGE", pass, stream, id, text }, from, fake.now);
  fake.take();
}

Deno.test("requests: an answer goes to whoever wrote last, to its address when it has no name", () => {
  const fake = joined({ name: "Alice" });
  direct(fake, "hi", BOB, "Bob");
  fake.session.reply("hello", fake.now);
  assertEquals(fake.takeAll("LOOKUP").map(({ name }) => name), ["Bob"]);
  direct(fake, "psst", "10.0.0.9:9");
  fake.session.reply("hello", fake.now);
  assertEquals(fake.takeAll("LOOKUP").map(({ name, address }) => [name, address]), [[undefined, "10.0.0.9:9"]]);
  direct(fake, "hi", "10.0.0.8:8", "Carole");
  fake.session.reply("hello", fake.now);
  assertEquals(fake.takeAll("LOOKUP").map(({ name }) => name), ["Carole"]);
});

Deno.test("requests: a peer is heard while the client is a member, and unless its address is ignored", () => {
  const early = new FakeSession({ name: "Alice" });
  early.start();
  early.take();
  const fake = joined({ name: "Alice" });
  fake.session.view.people.ignore(BOB);
  const message = {
    dialect: "v1",
    type: "MESSAGE",
    pass: STREAM,
    stream: STREAM,
    id: 1,
    text: "hi",
  } as const;
  for (const hearer of [early, fake]) {
    hearer.receive({ dialect: "v1", type: "PUNCH", address: BOB, name: "Bob", pass: STREAM });
    hearer.session.receiveFromPeer(message, BOB, hearer.now);
    assertEquals([hearer.takeAll("ACK"), hearer.shown], [[], []]);
  }
});

Deno.test("requests: who is ignored by its address is not heard from another one either, and an answer goes to the name", () => {
  const fake = joined({ name: "Alice" });
  const pass = "00000000000000bb", elsewhere = "10.0.0.9:9";
  const write = (id: number, text: string) =>
    fake.session.receiveFromPeer(
      { dialect: "v1", type: "MESSAGE", pass, stream: STREAM, id, first: 1, text },
      elsewhere,
      fake.now,
    );
  fake.receive({ dialect: "v1", type: "PUNCH", address: BOB, name: "Bob", pass });
  write(1, "one");
  assertEquals(fake.shown.map((shown) => shown.kind === "direct" && [shown.from, shown.name]), [[BOB, "Bob"]]);
  fake.session.reply("hello", fake.now);
  assertEquals(fake.takeAll("LOOKUP").map(({ name }) => name), ["Bob"]);
  fake.session.view.people.ignore(BOB);
  write(2, "two");
  assertEquals(fake.shown.length, 1);
});

Deno.test("requests: whom a new server does not know yet is waited for, and whom the first one does not know is not", () => {
  for (const hasBegunAnew of [true, false]) {
    const fake = joined({ name: "Alice" });
    if (hasBegunAnew) {
      fake.pass(1100);
      fake.welcome({ epoch: OTHER_EPOCH });
    }
    fake.session.sayTo("Bob", "hi", fake.now);
    const [{ id }] = fake.takeAll("LOOKUP");
    fake.receive({ dialect: "v1", type: "ERROR", code: "no-such-user", id, text: "Bob is not here" });
    assertEquals(fake.notices.some((text) => text.startsWith("Not delivered to Bob")), !hasBegunAnew);
  }
});
