/** How a session joins: greetings, names, refusals, keep-alive. */
import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { Session } from "../../../client/session/session.ts";
import type { Packet } from "../../../protocol.ts";
import { ADDRESS, COOKIE, EPOCH, FakeSession, joined, TOKEN, type V1, WELCOME } from "../../support/fake_session.ts";

const OTHER_EPOCH = "00000000000000ee";

Deno.test("session: greets at once, again with growing pauses, and joins when the server answers", () => {
  const fake = new FakeSession();
  const start = fake.now;
  fake.start();
  fake.pass(6000);
  const times = fake.take().filter(({ packet }) => packet.dialect === "v1").map(({ at }) => at - start);
  assertEquals(times[0], 0);
  const pauses = times.slice(1).map((at, i) => at - times[i]);
  assert(pauses[0] < pauses[1] && pauses[1] < pauses[2], `pauses ${pauses}`);
  assert(Math.max(...pauses) <= 2000, "a server that comes back is joined within 2 s");
  assertLess(times.length, 30);
  assertEquals(fake.session.state, "joining");
  fake.pass(1500);
  fake.welcome();
  assertEquals([fake.session.state, fake.session.address], ["joined", ADDRESS]);
});

Deno.test("session: no answer is told once, within 2 s, with the likely reasons", () => {
  const fake = new FakeSession();
  fake.start();
  fake.pass(1500);
  assertEquals(fake.notices, []);
  fake.pass(500);
  assertEquals(fake.notices.length, 1, "told within 2 s");
  for (const reason of ["192.168.1.1:9090", "started", "address", "port", "firewall"]) {
    assertStringIncludes(fake.notices[0], reason);
  }
  fake.pass(60_000);
  assertEquals(fake.notices.length, 1);
  fake.welcome();
  assertEquals(fake.notices.length, 2);
  assertStringIncludes(fake.notices[1], "joined");
});

Deno.test("session: joining without delay says nothing", () => {
  assertEquals(joined().shown, []);
});

Deno.test("session: without a name it greets, with one it signs in, each with a token of its own", () => {
  const [token, otherToken] = [1, 2].map(() => {
    const sent: V1<"GREETING">[] = [];
    const send = (packet: Packet) => void sent.push(packet as V1<"GREETING">);
    const session = new Session({ server: "192.168.1.1:9090", send, show: () => {} });
    session.start(0);
    session.receive({ dialect: "v1", type: "RETRY", id: sent[0].id, cookie: COOKIE }, 0);
    return sent[1].token!;
  });
  assertMatch(token, /^[0-9a-f]{16}$/);
  assertNotEquals(otherToken, token);
  const named = new FakeSession({ name: "Alice" });
  named.start();
  assertEquals(named.takeAll("SIGN-IN").map(({ name }) => name), ["Alice"]);
});

Deno.test("session: goes on showing the cookie, with short pauses, until the server says that it is a member", () => {
  const fake = new FakeSession();
  fake.start();
  fake.pass(150);
  const [{ id: first }, { id: second }] = fake.takeAll("GREETING"), token = TOKEN;
  const retry = { dialect: "v1", type: "RETRY", cookie: COOKIE } as const;
  fake.receive({ ...retry, id: first });
  const shows = () => fake.takeAll("GREETING").map(({ token, cookie }) => [token, cookie]);
  assertEquals(shows(), [[token, COOKIE]]);
  fake.receive({ ...retry, id: second });
  assertEquals([shows(), fake.session.state], [[[token, COOKIE]], "joining"]);
  fake.pass(4500);
  const shown = fake.takeAll("GREETING");
  assertGreater(shown.length, 4);
  fake.receive({ ...WELCOME, id: shown.at(-1)!.id, keepalive: 5000 });
  assertEquals(fake.session.state, "joined");
  fake.pass(4900);
  assertEquals(fake.take(), []);
  fake.pass(200);
  assertEquals(shows(), [[token, undefined]]);
});

Deno.test("session: where the server knows it elsewhere it shows the cookie at once, and stays who it is", () => {
  const fake = joined({ name: "Alice" });
  fake.pass(1000);
  const elsewhere = { address: "192.168.1.99:1" };
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ dialect: "v1", type: "RETRY", id, cookie: COOKIE });
  assertEquals(fake.takeAll("SIGN-IN").map(({ token, cookie }) => [token, cookie]), [[TOKEN, COOKIE]]);
  fake.start();
  fake.welcome({ ...elsewhere, name: "Alice" });
  fake.say("x");
  assertEquals(fake.takeAll("MESSAGE").map(({ token }) => token), [TOKEN]);
  assertEquals([fake.session.address, fake.session.name, fake.shown], [elsewhere.address, "Alice", []]);
});

Deno.test("session: a WELCOME with another token, or for a greeting that was not sent, is not believed", () => {
  const fake = new FakeSession();
  fake.start();
  const [{ id }] = fake.takeAll("GREETING");
  fake.receive({ ...WELCOME, id, token: "0123456789abcdef" });
  fake.receive({ ...WELCOME, id: id + 1 });
  assertEquals(fake.session.state, "joining");
});

Deno.test("session: the token goes to nobody who has not shown that it speaks version 1", () => {
  const fake = new FakeSession();
  fake.start();
  fake.pass(5000);
  assertEquals(new Set(fake.takeAll("GREETING").map(({ token }) => token)), new Set([undefined]));
  fake.welcome();
  assertEquals(fake.session.state, "joined");
});

Deno.test("session: an answer with the greeting's id is the server's from wherever it comes, and it stays there", () => {
  const fake = new FakeSession(), elsewhere = "192.168.1.2:9090";
  fake.start();
  const [{ id }] = fake.takeAll("GREETING");
  const retry = { dialect: "v1", type: "RETRY", cookie: COOKIE } as const;
  fake.session.receiveFromPeer({ ...retry, id: id + 7 }, "192.168.1.66:9090", fake.now);
  assertEquals(fake.session.serverAddress, undefined);
  fake.session.receiveFromPeer({ ...retry, id }, elsewhere, fake.now);
  assertEquals(fake.session.serverAddress, elsewhere);
  const [second] = fake.takeAll("GREETING");
  const welcome = { ...WELCOME, id: second.id };
  fake.session.receiveFromPeer({ ...welcome, token: "0123456789abcdef" }, "192.168.1.66:9090", fake.now);
  assertEquals([fake.session.serverAddress, fake.session.state], [elsewhere, "joining"]);
  fake.receive(welcome);
  assertEquals(fake.session.state, "joined");
});

Deno.test("session: where each datagram comes from another address, the server is not asked again and again", () => {
  const fake = joined();
  let greetings = 0;
  for (let ms = 0; ms < 5000; ms++) {
    const sent = fake.takeAll("GREETING");
    greetings += sent.length;
    const cookie = String(ms).padStart(16, "0");
    for (const { id } of sent) {
      fake.receive({ dialect: "v1", type: "RETRY", id, cookie });
    }
    fake.pass(1);
  }
  assertLess(greetings, 20);
});

Deno.test("session: a name in the server's spelling is one's name; with none the user is told, and is in the room", () => {
  for (const [given, problems] of [["alice", 0], [undefined, 1]] as const) {
    const fake = new FakeSession({ name: "Alice" });
    fake.welcome({ name: given });
    assertEquals([fake.session.state, fake.session.name], ["joined", given]);
    assertEquals(fake.shown.filter(({ kind }) => kind === "problem").length, problems);
  }
});

Deno.test("session: a full room is told once, and tried again until there is a place", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  for (let i = 0; i < 20; i++) {
    for (const { id } of fake.takeAll("SIGN-IN")) {
      fake.receive({ dialect: "v1", type: "ERROR", code: "room-full", id, text: "The room is full" });
    }
    fake.pass(1000);
  }
  assertEquals([fake.session.state, fake.shown], ["joining", [
    { kind: "problem", text: "The room is full. Trying again" },
  ]]);
  fake.welcome();
  fake.welcome();
  assertEquals(fake.session.state, "joined");
});

Deno.test("session: keeps alive as often as the server says", () => {
  for (const keepalive of [1000, 20_000]) {
    const fake = new FakeSession();
    for (let greeting = 1; greeting <= 2; greeting++) fake.welcome({ keepalive });
    fake.take();
    fake.pass(keepalive - 1);
    assertEquals(fake.takeAll("GREETING"), []);
    fake.pass(1);
    assertEquals(fake.takeAll("GREETING").map(({ token }) => token), [TOKEN]);
  }
});

Deno.test("session: an answer to a greeting that it did not send, or that was answered, changes nothing", () => {
  const fake = new FakeSession();
  fake.start();
  fake.receive({ ...WELCOME, id: 12345 });
  assertEquals(fake.session.state, "joining");
  fake.pass(300);
  const [{ id }] = fake.takeAll("GREETING");
  const welcome = { ...WELCOME, id };
  fake.receive(welcome);
  assertEquals(fake.session.state, "joined");
  fake.receive({ ...welcome, epoch: OTHER_EPOCH });
  fake.say("x");
  assertEquals(fake.takeAll("MESSAGE")[0].token, TOKEN);
});

Deno.test("session: a late answer of the server before the restart does not take it back there", () => {
  const fake = new FakeSession();
  fake.start();
  fake.pass(300);
  const [first, second] = fake.takeAll("GREETING").map(({ id }) => id);
  fake.receive({ ...WELCOME, id: second, epoch: OTHER_EPOCH, seq: 7 });
  fake.receive({ ...WELCOME, id: first });
  fake.welcome({ epoch: OTHER_EPOCH, seq: 7 });
  fake.event(8, { epoch: OTHER_EPOCH, text: "of the server that is there" });
  assertEquals(fake.texts, ["of the server that is there"]);
});

Deno.test("session: a refused name is told, nothing is sent, and another name can be tried", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.say("kept");
  fake.start();
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ dialect: "v1", type: "ERROR", code: "name-taken", id, text: "The name Alice is taken\x1b[2J" });
  assertEquals([fake.session.state, fake.shown], ["refused", [
    { kind: "refused", code: "name-taken", name: "Alice", text: "The name Alice is taken?[2J" },
  ]]);
  fake.pass(30_000);
  assertEquals(fake.take(), []);
  fake.session.rename("Alicia", fake.now);
  assertEquals(fake.takeAll("SIGN-IN").map(({ name }) => name), ["Alicia"]);
  fake.start();
  fake.welcome();
  assertEquals([fake.session.state, fake.session.name], ["joined", "Alicia"]);
  assertEquals(fake.takeAll("MESSAGE").map(({ text }) => text), ["kept"]);
});

Deno.test("session: a refusal without a reason is told in a sentence, and once", () => {
  const cases = [
    ["name-taken", "Alice", "The server does not take the name Alice; choose another"],
    ["bad-name", undefined, "The server refuses, and does not say why (bad-name)"],
    ["no-idea", "Alice", "The server refuses, and does not say why (no-idea). Trying again"],
  ] as const;
  for (const [code, name, said] of cases) {
    const fake = new FakeSession({ name });
    fake.start();
    for (let i = 0; i < 5; i++) {
      for (const { id } of fake.takeAll(name === undefined ? "GREETING" : "SIGN-IN")) {
        fake.receive({ dialect: "v1", type: "ERROR", code, id, text: i % 2 ? "" : " \t" });
      }
      fake.pass(1000);
    }
    assertEquals(fake.notices, [said]);
    fake.session.drain(fake.now);
    fake.pass(11_000);
    assertEquals(fake.session.failure, said.replace(". Trying again", ""));
  }
});

Deno.test("session: each move to another address is answered by its cookie at once, however often it moves", () => {
  const fake = joined();
  for (let move = 0; move < 10; move++) {
    fake.pass(1000);
    const [{ id }] = fake.takeAll("GREETING");
    fake.receive({ dialect: "v1", type: "RETRY", id, cookie: COOKIE });
    const [greeting] = fake.takeAll("GREETING");
    assertEquals(greeting?.cookie, COOKIE, `move ${move}`);
    fake.receive({ ...WELCOME, id: greeting.id });
  }
});

Deno.test("session: of a refusal that is too long for a line the first 200 characters are shown", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ dialect: "v1", type: "ERROR", code: "bad-name", id, text: `no\n${"🙂".repeat(250)}` });
  assertEquals(fake.shown, [{ kind: "refused", code: "bad-name", name: "Alice", text: `no?${"🙂".repeat(197)}` }]);
});

Deno.test("session: while its name is refused it greets nobody, whatever else comes from the server", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  fake.pass(300);
  const ids = fake.takeAll("SIGN-IN").map(({ id }) => id);
  fake.receive({ dialect: "v1", type: "ERROR", code: "name-taken", id: ids.at(-1), text: "The name Alice is taken" });
  // the answers to the greetings before are late
  for (const id of ids) fake.receive({ dialect: "v1", type: "RETRY", id, cookie: COOKIE });
  fake.event(1);
  fake.pass(60_000);
  assertEquals([fake.take(), fake.session.state, fake.session.nextWake], [[], "refused", undefined]);
});

Deno.test("session: a server that answers every packet with not-joined, CLOSING or a cookie is greeted no faster for it", () => {
  for (const answer of ["not-joined", "CLOSING", "cookie"] as const) {
    const fake = joined();
    fake.say("x");
    fake.session.drain(fake.now);
    let greetings = 0;
    const serve = () => {
      for (const { packet } of fake.take()) {
        if (packet.dialect !== "v1") continue;
        if (packet.type === "GREETING") {
          greetings++;
          const { id } = packet;
          fake.receive(answer === "cookie" ? { dialect: "v1", type: "RETRY", id, cookie: COOKIE } : { ...WELCOME, id });
        }
        if (answer === "not-joined") fake.receive({ dialect: "v1", type: "ERROR", code: answer, text: "Greet first" });
        if (answer === "CLOSING") fake.receive({ dialect: "v1", type: "CLOSING", epoch: EPOCH });
      }
    };
    for (let ms = 0; ms < 2000; ms++) {
      fake.pass(1);
      serve();
    }
    assertLessOrEqual(greetings, 45, answer);
  }
});

Deno.test("session: a refusal that another name would not help is told once, and it goes on trying", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  for (let i = 0; i < 5; i++) {
    for (const { id } of fake.takeAll("SIGN-IN")) {
      fake.receive({ dialect: "v1", type: "ERROR", code: "room-full", id, text: "The room is full" });
    }
    fake.pass(1000);
  }
  assertEquals([fake.notices, fake.session.state], [["The room is full. Trying again"], "joining"]);
  fake.welcome();
  assertEquals(fake.notices.at(-1), "Joined as Alice");
});

Deno.test("session: who thinks for long about another name is not told that there is no answer", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ dialect: "v1", type: "ERROR", code: "name-taken", id, text: "The name Alice is taken" });
  fake.pass(30_000);
  fake.session.rename("Bob", fake.now);
  fake.pass(50);
  assertEquals([fake.notices.slice(1), fake.take().filter(({ packet }) => packet.dialect === "classic")], [[], []]);
  fake.pass(1800);
  assertEquals(fake.notices.length, 2, "but after a while without an answer to this one");
});

Deno.test("session: a late WELCOME for the name before does not bring that name back", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  fake.pass(300);
  const ids = fake.takeAll("SIGN-IN").map(({ id }) => id);
  fake.receive({ dialect: "v1", type: "ERROR", code: "name-taken", id: ids[0], text: "The name Alice is taken" });
  fake.session.rename("Bob", fake.now);
  fake.receive({ ...WELCOME, id: ids[1], name: "Alice" });
  assertEquals([fake.session.state, fake.session.name, fake.notices.slice(1)], ["joining", "Bob", []]);
  fake.welcome();
  assertEquals([fake.session.name, fake.notices.at(-1)], ["Bob", "Joined as Bob"]);
});

Deno.test("session: a late refusal of the name before is told once, and is none of the name that was chosen then", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  fake.pass(300);
  const [first, second, third] = fake.takeAll("SIGN-IN").map(({ id }) => id);
  const refuse = (id: number) => {
    fake.receive({ dialect: "v1", type: "ERROR", code: "name-taken", id, text: "The name is taken" });
  };
  refuse(first);
  refuse(second);
  assertEquals(fake.shown.length, 1);
  fake.session.rename("Bob", fake.now);
  refuse(third);
  assertEquals([fake.session.state, fake.shown.length], ["joining", 1]);
  fake.welcome();
  assertEquals([fake.session.state, fake.session.name], ["joined", "Bob"]);
});

Deno.test("session: a refusal of a greeting that it did not send is no refusal", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  fake.receive({ dialect: "v1", type: "ERROR", code: "name-taken", id: 12345, text: "no" });
  fake.receive({ dialect: "v1", type: "ERROR", code: "name-taken", text: "no" });
  assertEquals([fake.session.state, fake.shown], ["joining", []]);
});

Deno.test("session: a server that never gives the name is not asked for it without end", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  let asked = 0;
  for (let i = 0; i < 50; i++) {
    const greetings = fake.takeAll("SIGN-IN");
    asked += greetings.length;
    for (const { id } of greetings) fake.receive({ ...WELCOME, id, name: undefined });
    fake.pass(10);
  }
  assertLess(asked, 5, "greetings in half a second");
});
