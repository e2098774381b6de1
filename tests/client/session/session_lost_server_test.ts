/** A whole session against a server that says what the test says: losing the server, and finding it again. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ADDRESS, EPOCH, type FakeSession, joined, TOKEN } from "../../support/fake_session.ts";

const OTHER_EPOCH = "00000000000000ee";

/** Answers every greeting as the server does, while time passes. */
function passAnswered(fake: FakeSession, ms: number, seq = 0): void {
  fake.pass(ms, () => {
    const greeting = fake.take().map(({ packet }) => packet).findLast(({ type }) => type === "GREETING");
    if (!greeting) return;
    const { id } = greeting as { id: number };
    fake.receive({
      dialect: "v1",
      type: "WELCOME",
      id,
      address: ADDRESS,
      token: TOKEN,
      epoch: EPOCH,
      seq,
      keepalive: 1000,
    });
  });
}

Deno.test("session: a late event does not bring back a server that has said goodbye", () => {
  const fake = joined();
  fake.receive({ dialect: "v1", type: "CLOSING", epoch: EPOCH });
  fake.pass(300);
  fake.event(1, { token: TOKEN });
  fake.pass(300);
  fake.event(2, { token: TOKEN });
  assertEquals([fake.session.state, fake.notices.length], ["joining", 1]);
});

Deno.test("session: a CLOSING that somebody has forged changes nothing: the server still answers", () => {
  const fake = joined();
  fake.pass(200);
  fake.receive({ dialect: "v1", type: "CLOSING", epoch: EPOCH });
  assertEquals(fake.take().map(({ packet }) => packet.type), ["GREETING"]);
  fake.say("still here");
  assertEquals(fake.takeAll("MESSAGE").length, 1);
  fake.receive({ dialect: "v1", type: "CLOSING", epoch: EPOCH });
  fake.start();
  fake.welcome();
  fake.pass(900);
  assertEquals([fake.session.state, fake.notices], ["joined", []]);
});

Deno.test("session: a server that falls silent is told once, what is typed is kept, and its return is told", () => {
  const fake = joined();
  fake.pass(13_000);
  assertEquals(fake.session.state, "joining");
  assertEquals(fake.notices.length, 1);
  assertStringIncludes(fake.notices[0], "No answer");
  fake.say("kept");
  assertEquals(fake.notices[1], "The server does not answer; 1 message kept until it does");
  assertEquals(fake.takeAll("MESSAGE"), []);
  fake.pass(2000);
  fake.welcome();
  assertEquals(fake.session.state, "joined");
  assertEquals(fake.notices[2], "Connected again");
  assertEquals(fake.takeAll("MESSAGE").map(({ text }) => text), ["kept"]);
  assertEquals(fake.notices.length, 3);
});

Deno.test("session: a server that says goodbye is believed when it is silent, and greeted until it is back", () => {
  const fake = joined();
  fake.closing();
  assertEquals(fake.session.state, "joining");
  assertStringIncludes(fake.notices[0], "closed");
  fake.take();
  fake.pass(10_000);
  assert(fake.takeAll("GREETING").length >= 8, "so that it is joined within 2 s of its return");
  assertEquals(fake.notices.length, 1);
});

Deno.test("session: while the server is away only what is said to everyone is counted as kept", () => {
  const fake = joined({ name: "Alice" });
  fake.session.sayTo("Bob", "not kept", fake.now);
  fake.closing();
  fake.say("kept");
  assertStringIncludes(fake.notices.at(-1)!, "1 message kept");
});

Deno.test("session: back in the same epoch, it fetches what it missed and sends nothing settled again", () => {
  const fake = joined();
  fake.say("settled");
  fake.say("under way");
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.event(1, { from: ADDRESS, stream, id: 1, text: "settled" });
  fake.closing();
  fake.pass(3000);
  fake.welcome({ seq: 5 });
  assertEquals(fake.takeAll("MESSAGE").map(({ stream, id, text }) => [stream, id, text]), [[stream, 2, "under way"]]);
  fake.pass(30);
  assertEquals(fake.takeAll("RESEND").map(({ from, to }) => [from, to]), [[2, 5]]);
});

Deno.test("session: in a new epoch it begins anew, and sends again with the same ids what nobody acknowledged", () => {
  const fake = joined();
  fake.event(1);
  fake.say("settled");
  fake.say("under way");
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 1 });
  fake.closing();
  fake.pass(3000);
  fake.welcome({ epoch: OTHER_EPOCH, seq: 0 });
  assertStringIncludes(fake.notices.at(-1)!, "anew");
  assertEquals(fake.takeAll("MESSAGE").map(({ stream, id, first, token, text }) => [stream, id, first, token, text]), [
    [stream, 2, undefined, TOKEN, "under way"],
  ]);
  fake.event(1, { epoch: OTHER_EPOCH, text: "new line" });
  assertEquals(fake.texts, ["1", "new line"]);
});

Deno.test("session: a message that is said again in a new epoch is not shown again", () => {
  const fake = joined();
  fake.event(1, { stream: "00000000000000cc", id: 4, text: "hello" });
  fake.closing();
  fake.pass(300);
  fake.welcome({ epoch: OTHER_EPOCH });
  fake.event(1, { epoch: OTHER_EPOCH, stream: "00000000000000cc", id: 4, text: "hello" });
  fake.event(2, { epoch: OTHER_EPOCH, stream: "00000000000000cc", id: 5, text: "next" });
  assertEquals(fake.texts, ["hello", "next"]);
});

Deno.test("session: a server that does not know it any more is greeted again, without a word to the user", () => {
  const fake = joined();
  fake.pass(100);
  fake.say("x");
  fake.take();
  fake.receive({ dialect: "v1", type: "ERROR", code: "not-joined", id: 1, text: "Greet first" });
  assertEquals(fake.takeAll("GREETING").length, 1);
  fake.start();
  fake.welcome();
  assertEquals(fake.takeAll("MESSAGE").map(({ id, token }) => [id, token]), [[1, TOKEN]]);
  assertEquals(fake.shown, []);
});

Deno.test("session: keeps alive without a word for as long as it is answered", () => {
  const fake = joined();
  passAnswered(fake, 600_000);
  assertEquals([fake.shown, fake.session.state], [[], "joined"]);
});
