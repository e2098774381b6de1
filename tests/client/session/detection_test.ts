/** Mistakes about the dialect of a server: how they are avoided, found out and mended. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { BESIDE, COOKIE, FakeSession, WELCOME } from "../../support/fake_session.ts";

/** A session that takes its server for a classic one, since it has forwarded something. */
function withClassicServer(): FakeSession {
  const fake = new FakeSession();
  fake.start();
  fake.datagram("INCOMING <From 1.2.3.4:5>: welcome");
  fake.pass(1500);
  return fake;
}

Deno.test("detection: a server that is taken for a classic one is greeted in version 1 ever less until it has sent a line back", () => {
  for (const echoFrom of ["nowhere", "another port", "the server"]) {
    const fake = withClassicServer();
    fake.say("one");
    fake.take();
    if (echoFrom === "another port") fake.datagram("<From 1.2.3.4:5>: one", BESIDE);
    if (echoFrom === "the server") fake.datagram("<From 1.2.3.4:5>: one");
    const times: number[] = [];
    for (const start = fake.now; fake.now < start + 1_200_000;) {
      fake.pass(1000);
      const sent = fake.take();
      assert(sent.every(({ packet }) => packet.type === "GREETING" && packet.dialect === "v1"));
      times.push(...sent.map(({ at }) => at - start));
    }
    if (echoFrom === "the server") assertEquals(times, []);
    else assert(times.length >= 8 && times.length <= 12 && times[0] < 10_000, `${echoFrom}: ${times}`);
  }
});

Deno.test("detection: a server that was taken for a classic one and answers in version 1 gets what was said, once", () => {
  for (const after of [100, 2000, 12_000]) {
    const fake = new FakeSession();
    fake.start();
    fake.pass(6000);
    fake.datagram("INCOMING <From 1.2.3.4:5>: welcome");
    fake.datagram("bystander", BESIDE);
    fake.pass(1500);
    const [{ id }] = fake.takeAll("GREETING").slice(-1);
    for (const text of ["one", "two"]) fake.say(text);
    fake.pass(after);
    assertEquals(fake.session.state, "classic");
    const probe = fake.takeAll("GREETING").at(-1);
    assertEquals(probe !== undefined, after > 10_000);
    fake.receive({ dialect: "v1", type: "RETRY", id: probe?.id ?? id, cookie: COOKIE });
    const [greeting] = fake.takeAll("GREETING");
    fake.receive({ ...WELCOME, id: greeting.id });
    assertEquals(fake.session.state, "joined");
    const messages = fake.takeAll("MESSAGE");
    assertEquals(messages.map(({ text }) => text), ["one", "two"], `after ${after} ms`);
    assertEquals(fake.notices.filter((text) => text.includes("version 1 after all")).length, 1);
    for (const { id, stream } of messages) fake.receive({ dialect: "v1", type: "ACK", id, stream });
    fake.session.drain(fake.now);
    fake.pass(1000);
    assertEquals([fake.session.state, fake.session.failure], ["closed", undefined]);
  }
});

Deno.test("detection: what one server has confirmed is not said again to another that speaks version 1; what was under way may be lost", () => {
  const fake = withClassicServer();
  for (const text of ["one", "two"]) fake.say(text);
  fake.datagram("INCOMING <From 1.2.3.4:5>: one");
  const [{ id }] = fake.takeAll("GREETING").slice(-1);
  fake.receive({ dialect: "v1", type: "RETRY", id, cookie: COOKIE });
  fake.receive({ ...WELCOME, id: fake.takeAll("GREETING")[0].id });
  assertEquals(fake.takeAll("MESSAGE"), []);
  assertStringIncludes(fake.notices.join(), "may be lost");
  fake.session.drain(fake.now);
  assertStringIncludes(fake.session.failure!, "1 of 2 messages has not come back");
});

Deno.test("detection: another port of the server's address is no sign before the classic greeting, which it can't know of", () => {
  for (const [after, isHeard] of [[1000, false], [2500, true]] as const) {
    const fake = new FakeSession();
    fake.start();
    fake.pass(after);
    for (const text of ["x", "INCOMING <From 1.2.3.4:5>: x", "GREETING/1 id=5"]) fake.datagram(text, BESIDE);
    fake.take();
    fake.pass(isHeard ? 1500 : 200);
    const few = fake.takeAll("GREETING").length;
    assertEquals([fake.session.state, few >= 8], [isHeard ? "classic" : "joining", isHeard]);
    assertEquals(fake.shown.filter(({ kind }) => kind === "line").length, isHeard ? 2 : 0);
  }
});

Deno.test("detection: nobody elsewhere answers for a server that passes greetings on, or is taken for a classic one", () => {
  const elsewhere = "192.168.1.66:9090";
  for (const sign of ["GREETING/1 id=5", "INCOMING <From 1.2.3.4:5>: welcome"]) {
    const fake = new FakeSession();
    fake.start();
    const [{ id }] = fake.takeAll("GREETING");
    const retry = { dialect: "v1", type: "RETRY", id, cookie: COOKIE } as const;
    fake.datagram(sign);
    if (sign.startsWith("INCOMING")) fake.pass(2000);
    fake.take();
    fake.session.receiveFromPeer(retry, elsewhere, fake.now);
    assertEquals([fake.session.serverAddress, fake.take()], [undefined, []]);
    fake.receive(retry);
    assertEquals(fake.takeAll("GREETING").map(({ cookie }) => cookie), [COOKIE]);
  }
});

Deno.test("detection: the answer of a classic server to a later greeting in version 1 is not shown again", () => {
  const fake = new FakeSession();
  fake.start();
  const answer = () => {
    for (const { packet } of fake.take()) if (packet.dialect === "v1") fake.datagram("Unknown command");
  };
  answer();
  fake.pass(60_000, answer);
  assertEquals(fake.session.state, "classic");
  const shown = () => fake.shown.filter(({ kind }) => kind === "line").length;
  assertEquals(shown(), 1);
  // somebody has said it
  fake.datagram("Unknown command");
  assertEquals(shown(), 2);
});

Deno.test("detection: what another port of the server's address sends back asks for as many greetings as anything else", () => {
  for (const sign of ["<From 1.2.3.4:5>: hello", "GREETING/1 id=5"]) {
    const fake = new FakeSession();
    fake.start();
    fake.say("hello");
    fake.pass(10_000);
    fake.take();
    fake.datagram(sign, BESIDE);
    fake.pass(1500);
    assert(fake.takeAll("GREETING").length >= 8, sign);
  }
});
