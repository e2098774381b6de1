/** A member asks for another name, and keeps the one that it has until the server has given it the new one. */
import { assertEquals } from "@std/assert";
import { COOKIE, EPOCH, FakeSession, joined, WELCOME } from "../../support/fake_session.ts";

const OTHER_EPOCH = "0000000000000002";

/** Asks for a name; returns the id of the greeting with it. */
function ask(fake: FakeSession, name: string): number {
  fake.take();
  fake.session.rename(name, fake.now);
  const [greeting] = fake.takeAll("SIGN-IN");
  assertEquals(greeting?.name, name);
  return greeting.id;
}

function refuse(fake: FakeSession, id: number, code = "name-taken", text = "The name Bob is taken"): void {
  fake.receive({ dialect: "v1", type: "ERROR", code, id, text });
}

/** The names of the greetings that are sent within some milliseconds; undefined for a greeting without one. */
function greetedIn(fake: FakeSession, ms: number): (string | undefined)[] {
  fake.pass(ms);
  return fake.take().flatMap(({ packet }) =>
    packet.dialect !== "v1"
      ? []
      : packet.type === "SIGN-IN"
      ? [packet.name]
      : packet.type === "GREETING"
      ? [undefined]
      : []
  );
}

Deno.test("renaming: the old name stays until the WELCOME has the new one", () => {
  const fake = joined({ name: "Alice" });
  const id = ask(fake, "Alicia");
  assertEquals([fake.session.name, fake.session.asked.open], ["Alice", 1]);
  fake.receive({ ...WELCOME, id, name: "Alicia" });
  assertEquals([fake.session.name, fake.session.state, fake.session.asked.open], ["Alicia", "joined", 0]);
  assertEquals(new Set(greetedIn(fake, 1200)), new Set(["Alicia"]));
  assertEquals(fake.notices, []);
});

Deno.test("renaming: lost greetings are repeated, and a late answer to an earlier one gives no name", () => {
  const fake = joined({ name: "Alice" });
  fake.pass(1000);
  const keepAlive = fake.takeAll("SIGN-IN").at(-1)!.id;
  fake.session.rename("Alicia", fake.now);
  fake.receive({ ...WELCOME, id: keepAlive, name: "Alice" });
  assertEquals([fake.session.name, fake.notices, fake.session.asked.open], ["Alice", [], 1]);
  const greeted = greetedIn(fake, 1000);
  assertEquals([greeted.length > 4, new Set(greeted)], [true, new Set(["Alicia"])]);
});

Deno.test("renaming: a name that is refused leaves the old one, and in a pipe counts as not done", () => {
  for (const [code, text] of [["name-taken", "The name Bob is taken"], ["bad-name", "Nobody may be called Bob"]]) {
    const fake = joined({ name: "Alice" });
    refuse(fake, ask(fake, "Bob"), code, text);
    assertEquals([fake.session.state, fake.session.name, fake.session.wantsName], ["joined", "Alice", false]);
    assertEquals(fake.notices, [`${text}. You are still Alice`]);
    assertEquals(new Set(greetedIn(fake, 500)), new Set(["Alice"]));
    fake.session.drain(fake.now);
    assertEquals(fake.session.failure, "1 command refused");
  }
});

Deno.test("renaming: who has no name can take one, and stays without it when it is refused", () => {
  const fake = joined();
  refuse(fake, ask(fake, "Bob"));
  assertEquals([fake.session.name, fake.notices], [undefined, ["The name Bob is taken. You have no name"]]);
  assertEquals(new Set(greetedIn(fake, 500)), new Set([undefined]));
  const id = ask(fake, "Bea");
  fake.receive({ ...WELCOME, id, name: "Bea" });
  assertEquals(fake.session.name, "Bea");
});

Deno.test("renaming: what is said and asked for after it is sent after it", () => {
  const fake = joined({ name: "Alice" });
  fake.say("before");
  const [{ stream }] = fake.takeAll("MESSAGE");
  const id = ask(fake, "Alicia");
  fake.say("after");
  fake.session.list(fake.now);
  fake.session.rename("Ali", fake.now);
  fake.say("the last");
  fake.pass(90);
  const meanwhile = new Set(fake.takeAll("MESSAGE").map(({ text }) => text));
  assertEquals([meanwhile, fake.session.waiting], [new Set(["before"]), 3], "it is repeated, and nothing else is sent");
  fake.event(1, { stream, id: 1, text: "before" });
  fake.receive({ ...WELCOME, id, name: "Alicia" });
  const sent = fake.take().map(({ packet }) => packet);
  assertEquals(sent.map(({ type }) => type), ["MESSAGE", "LIST", "SIGN-IN"]);
  fake.receive({ ...WELCOME, id: (sent[2] as { id: number }).id, name: "Ali" });
  assertEquals(fake.takeAll("MESSAGE").map(({ text }) => text), ["the last"]);
  assertEquals(fake.session.name, "Ali");
});

Deno.test("renaming: a refusal that passes is told once, and what is said does not wait for it", () => {
  const fake = joined({ name: "Alice" });
  const id = ask(fake, "Bob");
  refuse(fake, id, "room-full", "Too many sign in at once");
  fake.say("hello");
  assertEquals(fake.takeAll("MESSAGE").map(({ text }) => text), ["hello"]);
  fake.pass(300);
  const again = fake.takeAll("SIGN-IN");
  refuse(fake, again[0].id, "room-full", "Too many sign in at once");
  assertEquals(fake.notices, ["Too many sign in at once. Trying again"]);
  fake.receive({ ...WELCOME, id: again.at(-1)!.id, name: "Bob" });
  assertEquals(fake.session.name, "Bob");
});

Deno.test("renaming: a server that has forgotten everything is greeted with the new name, or else with the old one", () => {
  for (const isFree of [true, false]) {
    const fake = joined({ name: "Alice" });
    ask(fake, "Bob");
    fake.receive({ dialect: "v1", type: "ERROR", code: "not-joined", text: "" });
    fake.pass(200);
    const first = fake.takeAll("SIGN-IN").at(-1)!;
    fake.receive({ dialect: "v1", type: "RETRY", id: first.id, cookie: COOKIE });
    const second = fake.takeAll("SIGN-IN").at(-1)!;
    assertEquals([second.name, second.cookie], ["Bob", COOKIE]);
    if (!isFree) refuse(fake, second.id);
    fake.pass(200);
    const { id, name } = isFree ? second : fake.takeAll("SIGN-IN").at(-1)!;
    assertEquals(name, isFree ? "Bob" : "Alice");
    fake.receive({ ...WELCOME, id, name, epoch: OTHER_EPOCH });
    assertEquals([fake.session.state, fake.session.name], ["joined", isFree ? "Bob" : "Alice"]);
  }
});

Deno.test("renaming: no rename is asked for twice, and none by what anybody could have sent", () => {
  const fake = joined({ name: "Alice" });
  fake.session.rename("Alice", fake.now);
  assertEquals([fake.notices, fake.takeAll("SIGN-IN")], [["You are Alice already"], []]);
  const members = [{ address: WELCOME.address, name: "Mallory", before: "Alice" }];
  fake.receive({ dialect: "v1", type: "RENAMED", epoch: EPOCH, seq: 1, at: 1, members });
  assertEquals(fake.session.name, "Alice", "only a WELCOME gives a name");
});

Deno.test("renaming: a pipe waits for the answer, and says when there is none", () => {
  const fake = joined({ name: "Alice" });
  fake.session.rename("Bob", fake.now);
  fake.session.drain(fake.now);
  assertEquals(fake.session.closing, false);
  fake.pass(11_000);
  assertEquals(fake.session.closing, true);
  assertEquals(fake.session.failure, "No answer from 192.168.1.1:9090");
});

Deno.test("renaming: what was typed behind it before the server has answered at all is said under the new name too", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  fake.say("before");
  fake.session.rename("Alicia", fake.now);
  fake.say("after");
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ dialect: "v1", type: "RETRY", id, cookie: COOKIE });
  const [second] = fake.takeAll("SIGN-IN");
  fake.receive({ ...WELCOME, id: second.id, name: "Alice" });
  const sent = fake.take().map(({ packet }) => packet) as { type: string; text?: string; id: number }[];
  assertEquals(sent.map(({ type, text }) => text ?? type), ["before", "SIGN-IN"]);
  fake.receive({ ...WELCOME, id: sent[1].id, name: "Alicia" });
  assertEquals(fake.takeAll("MESSAGE").map(({ text }) => text), ["after"]);
});

Deno.test("renaming: what waits for it is kept while the server is silent, and given up when it tells the client to go", () => {
  const fake = joined({ name: "Alice" });
  ask(fake, "Alicia");
  fake.pass(10_000);
  fake.say("after");
  assertEquals([fake.session.state, fake.session.waiting], ["joining", 1]);
  fake.receive({ dialect: "v1", type: "ERROR", code: "kicked", text: "You were kicked" });
  assertEquals(fake.notices.at(-2), 'Not delivered ("after"): the server has told you to go');
  assertEquals(fake.session.waiting, 0);
});
