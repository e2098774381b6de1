/** Others with a new name: who is ignored stays so, and what is for somebody goes on to the same one. */
import { assertEquals } from "@std/assert";
import { type FakeClient, FakeNetwork } from "../../support/fake_network.ts";
import { EPOCH, type FakeSession, joined, TOKEN } from "../../support/fake_session.ts";

const AT = "192.168.1.22:40112";

function renamed(fake: FakeSession, seq: number, before: string, name: string, token?: string): void {
  const members = [{ address: AT, name, before }];
  fake.receive({ dialect: "v1", type: "RENAMED", epoch: EPOCH, seq, at: 1, members, token });
}

Deno.test("renamed people: who is ignored by name is not heard under the next one, and the user is told", () => {
  const fake = joined();
  fake.session.view.people.ignore("Alice");
  renamed(fake, 1, "Alice", "Alicia");
  fake.event(2, { name: "Alicia" });
  assertEquals(fake.texts, []);
  assertEquals(fake.notices, ["You ignore Alice, so you hear no more from Alicia either; /unignore Alicia undoes it"]);
  fake.session.view.people.unignore("Alicia");
  fake.event(3, { name: "Alicia" });
  assertEquals(fake.texts, ["3"]);
});

Deno.test("renamed people: a forged new name makes nobody ignored for long", () => {
  const fake = joined();
  fake.session.view.people.ignore("Alice");
  renamed(fake, 1, "Alice", "Bob");
  fake.event(1, { name: "Bob" });
  assertEquals(fake.passUntilSent("RESEND").length, 1);
  fake.event(1, { name: "Bob", token: TOKEN });
  assertEquals([fake.texts, fake.session.view.people.ignored], [["1"], ["Alice"]]);
});

Deno.test("renamed people: a forged new name of one who is followed lets nobody hear it for long", () => {
  const fake = joined();
  fake.session.view.people.ignore("Mal");
  renamed(fake, 1, "Mal", "Ben", TOKEN);
  renamed(fake, 2, "Ben", "Zoe");
  fake.event(2, { name: "Bob" });
  fake.pass(30);
  fake.event(2, { name: "Bob", token: TOKEN });
  fake.event(3, { name: "Ben" });
  assertEquals([fake.texts, fake.session.view.people.ignored], [["2"], ["Mal", "Ben"]]);
});

Deno.test("renamed people: an answer goes to the one who wrote, when two swap their names", () => {
  const fake = joined();
  fake.session.view.showDirect({ address: AT, name: "Ben", pass: TOKEN, text: "x", age: 0 }, 0, 0);
  const members = [{ address: AT, name: "Ann", before: "Ben" }, { address: "10.0.0.1:1", name: "Ben", before: "Ann" }];
  fake.receive({ dialect: "v1", type: "RENAMED", epoch: EPOCH, seq: 1, at: 1, members });
  assertEquals(fake.session.view.lastWriter?.who, { name: "Ann" });
});

/** What a client was told alone, in order. */
function toldAlone({ shown }: FakeClient): string[] {
  return shown.flatMap((shown) => shown.kind === "direct" ? [shown.text] : []);
}

/** Alice and Carol, who has written to her. */
function written(relay = true): { net: FakeNetwork; alice: FakeClient; carol: FakeClient } {
  const net = new FakeNetwork(), alice = net.connect({ name: "Alice", relay }), carol = net.connect({ name: "Carol" });
  net.pass(1000);
  carol.act((session, now) => session.sayTo("Alice", "it is me", now));
  net.passUntil(() => toldAlone(alice).length === 1);
  return { net, alice, carol };
}

function rename(net: FakeNetwork, client: FakeClient, name: string): void {
  client.act((session, now) => session.rename(name, now));
  net.pass(1000);
}

Deno.test("renamed people: an answer goes to the one who wrote, whoever takes the old name", () => {
  for (const isTaken of [false, true]) {
    const { net, alice, carol } = written();
    rename(net, carol, "Caroline");
    const mallory = isTaken ? net.connect({ name: "Carol" }) : undefined;
    net.pass(1000);
    alice.act((session, now) => session.reply("only for you", now));
    net.pass(15_000);
    assertEquals([toldAlone(carol), mallory && toldAlone(mallory)], [["only for you"], mallory && []]);
    assertEquals(alice.notices, ["Delivered to Caroline: only for you"]);
  }
});

Deno.test("renamed people: what is under way goes on to the new name, and to nobody who takes the old one", () => {
  const { net, alice, carol } = written(false);
  alice.act((session, now) => session.sayTo("Carol", "one", now));
  net.passUntil(() => toldAlone(carol).length === 1);
  alice.unreachable.add(carol);
  alice.act((session, now) => session.sayTo("Carol", "two", now));
  net.pass(500);
  rename(net, carol, "Caroline");
  const mallory = net.connect({ name: "Carol" });
  net.pass(1500);
  alice.unreachable.clear();
  net.passUntil(() => alice.session.waiting === 0);
  assertEquals([toldAlone(carol), toldAlone(mallory)], [["one", "two"], []]);
  assertEquals(alice.notices.at(-1), "Delivered to Caroline: two");
});
