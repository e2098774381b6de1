/** A session and somebody who forges the server's address, in a room whose WELCOME has a digest. */
import { assertEquals } from "@std/assert";
import { FakeLine } from "../../support/fake_screen.ts";
import { ADDRESS, EPOCH, type FakeSession, joined, TOKEN } from "../../support/fake_session.ts";

const BOB = "192.168.1.22:40112";
const LINE = new FakeLine(9, undefined, (seq) => ({ name: "Bob", text: `true ${seq}` }));

/** The text of an event of the line. */
const said = (seq: number) => ({ name: "Bob", text: `true ${seq}` });

Deno.test("session: a forged line whose true copy was lost is found by the next WELCOME, and the true one is shown", () => {
  const fake = joined();
  fake.event(1, said(1));
  fake.event(2, { name: "Bob", text: "forged" });
  fake.event(3, said(3));
  fake.pass(1100);
  fake.welcome({ seq: 3, digest: LINE.digest(3) });
  fake.pass(50);
  const [{ from, to }] = fake.takeAll("RESEND");
  assertEquals([from, to], [1, 3]);
  for (const seq of [1, 2, 3]) fake.event(seq, { ...said(seq), token: TOKEN });
  assertEquals(fake.texts, ["true 1", "forged", "true 3", "true 2"]);
  assertEquals(fake.notices, [`Not true, somebody has forged it in the server's name: "<From ${BOB}:Bob>: forged"`]);
  fake.pass(900);
  assertEquals(fake.takeAll("RESEND"), []);
});

Deno.test("session: when each WELCOME has the right digest, nothing is asked for", () => {
  const fake = joined();
  for (let seq = 1; seq <= 9; seq++) {
    fake.event(seq, said(seq));
    fake.pass(1100);
    fake.welcome({ seq, digest: LINE.digest(seq) });
  }
  fake.pass(900);
  assertEquals([fake.takeAll("RESEND"), fake.texts.length, fake.notices], [[], 9, []]);
});

Deno.test("session: in a room without echo, a forged line in the place of its own is found by the ACK", () => {
  const fake = joined();
  fake.say("mine");
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.event(1, { name: "Bob", text: "forged" });
  const ack = { dialect: "v1", type: "ACK", stream, id: 1, epoch: EPOCH, seq: 1 } as const;
  fake.receive(ack);
  assertEquals(fake.notices, [`Not true, somebody has forged it in the server's name: "<From ${BOB}:Bob>: forged"`]);
  fake.receive(ack);
  fake.pass(900);
  assertEquals([fake.takeAll("RESEND"), fake.notices.length, fake.session.waiting], [[], 1, 0]);
});

Deno.test("session: a forged line that was not shown, because its sender is ignored, is not quoted either", () => {
  const fake = joined();
  fake.session.view.people.ignore("Bob");
  fake.event(1, { name: "Bob", text: "an insult" });
  fake.event(1, said(1));
  fake.pass(1100);
  fake.event(1, { ...said(1), token: TOKEN });
  assertEquals(fake.notices, ["Somebody sends forged packets in the server's name; they were not believed"]);
});

const ANEW = "00000000000000ee";
const STREAM = "00000000000000bb";

/** The server is gone, and comes back without its memory. */
function beginAnew(fake: FakeSession): void {
  fake.welcome({ epoch: ANEW });
  fake.take();
}

Deno.test("session: what is forged while the server is gone is not shown, and makes nobody deaf", () => {
  const fake = joined();
  const bob = { name: "Bob", stream: STREAM };
  fake.event(1, { ...bob, id: 1, text: "true 1" });
  fake.pass(1100);
  fake.welcome({ seq: 1 });
  fake.pass(9000);
  assertEquals(fake.session.state, "joining");
  for (let i = 2; i <= 300; i++) fake.event(i, { ...bob, id: i, text: `I owe Mallory ${i}` });
  fake.receive({ dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq: 900 });
  beginAnew(fake);
  for (let i = 2; i <= 30; i++) fake.event(i - 1, { ...bob, epoch: ANEW, id: i, text: `true ${i}` });
  assertEquals(fake.texts, Array.from({ length: 30 }, (_, i) => `true ${i + 1}`));
  assertEquals(fake.session.statistics.lost, 0);
  assertEquals(fake.notices.filter((text) => text.includes("checked")), []);
});

Deno.test("session: what was forged before the server's end was noticed makes nobody deaf, and the user is told", () => {
  const fake = joined();
  const bob = { name: "Bob", stream: STREAM };
  fake.event(1, { ...bob, id: 1, text: "true 1" });
  fake.pass(1100);
  fake.welcome({ seq: 1 });
  // nobody answers any more, but it is not sure yet
  fake.pass(2500);
  assertEquals(fake.session.state, "joined");
  for (let i = 2; i <= 300; i++) fake.event(i, { ...bob, id: i, text: `I owe Mallory ${i}` });
  // for places behind a gap
  for (let i = 302; i <= 310; i++) fake.event(i, { ...bob, id: i, text: `I owe Mallory ${i}` });
  const forged = fake.texts.length - 1;
  assertEquals(forged, 299);
  beginAnew(fake);
  assertEquals(fake.texts.length, 1 + forged, "those behind the gap wait for what may come before them");
  const notices = [
    "The server began anew before it could be checked that the last 308 lines were really said",
    "The server has started anew; joined again",
  ];
  assertEquals(fake.notices.toSorted(), notices.toSorted());
  for (let i = 2; i <= 30; i++) fake.event(i - 1, { ...bob, epoch: ANEW, id: i, text: `true ${i}` });
  assertEquals(fake.texts.slice(1 + forged), Array.from({ length: 29 }, (_, i) => `true ${i + 2}`));
});

Deno.test("session: a line that came long after the server's end is told of, though the server then says itself that it began anew", () => {
  const fake = joined();
  const bob = { name: "Bob", stream: STREAM };
  fake.pass(1100);
  fake.welcome({ seq: 0 });
  fake.pass(4000);
  fake.event(1, { ...bob, id: 1, text: "I owe Mallory 1" });
  fake.receive({ dialect: "v1", type: "ERROR", token: TOKEN, code: "not-joined", text: "Greet first" });
  fake.pass(200);
  beginAnew(fake);
  assertEquals(fake.notices.filter((text) => text.includes("checked")).length, 1);
});

Deno.test("session: lines of an honest server that wait behind a lost one are shown when it begins anew", () => {
  const fake = joined();
  const bob = { name: "Bob", stream: STREAM };
  fake.event(1, { ...bob, id: 1, text: "one" });
  fake.event(3, { ...bob, id: 2, text: "two" });
  fake.pass(500);
  beginAnew(fake);
  assertEquals(fake.texts, ["one", "two"]);
  assertEquals(fake.notices, ["The server has started anew; joined again"]);
});

Deno.test("session: an honest server that begins anew is not called in question, and nothing is shown twice", () => {
  const fake = joined();
  const bob = { name: "Bob", stream: STREAM };
  fake.event(1, { ...bob, id: 1, text: "true 1" });
  fake.pass(1100);
  fake.welcome({ seq: 1 });
  // said since the last WELCOME, just before the end
  for (let i = 2; i <= 6; i++) fake.event(i, { ...bob, id: i, text: `true ${i}` });
  fake.pass(9000);
  beginAnew(fake);
  for (let i = 4; i <= 8; i++) fake.event(i - 3, { ...bob, epoch: ANEW, id: i, text: `true ${i}` });
  assertEquals(fake.texts, Array.from({ length: 8 }, (_, i) => `true ${i + 1}`));
  assertEquals(fake.notices.filter((text) => text.includes("checked")), []);
});

Deno.test("session: a single line that comes after the server's end is told of when it begins anew", () => {
  for (const isIgnored of [false, true]) {
    const fake = joined();
    fake.pass(1100);
    fake.welcome();
    fake.pass(2500);
    if (isIgnored) fake.session.view.people.ignore("Bob");
    fake.event(1, { name: "Bob", text: "I owe Mallory" });
    beginAnew(fake);
    assertEquals(
      fake.notices.filter((text) => text.includes("checked")),
      isIgnored ? [] : ["The server began anew before it could be checked that the last line was really said"],
    );
  }
});

Deno.test("session: its own message stays true when the server begins to leave out copies to the sender", () => {
  for (const isForged of [false, true]) {
    const fake = joined();
    fake.say("mine");
    const [{ stream }] = fake.takeAll("MESSAGE");
    const own = { from: ADDRESS, stream, id: 1 };
    fake.event(1, { ...own, text: isForged ? "forged" : "mine" });
    fake.pass(1100);
    // it has the same memory, and another digest
    fake.welcome({ seq: 1, digest: "ab".repeat(16), noecho: true });
    assertEquals(fake.passUntilSent("RESEND").map(({ from, to }) => [from, to]), [[1, 1]]);
    fake.receive({ dialect: "v1", type: "ACK", stream, id: 1, epoch: EPOCH, seq: 1 });
    const forged = `Not true, somebody has forged it in the server's name: "<From ${ADDRESS}>: forged"`;
    assertEquals(fake.notices, isForged ? [forged] : []);
    // a late copy is no sign of a forgery either
    fake.event(1, { ...own, text: "mine" });
    fake.pass(900);
    assertEquals([fake.takeAll("RESEND"), fake.notices.length], [[], isForged ? 1 : 0]);
  }
});

Deno.test("session: an answer to its own question counts only with its token, whoever has guessed the id", () => {
  const fake = joined();
  fake.session.list(fake.now);
  const [{ id }] = fake.takeAll("LIST");
  const users = { dialect: "v1", type: "USERS", id, total: 1, unnamed: 0 } as const;
  fake.receive({ ...users, token: "0123456789abcdef", names: ["Mallory"] });
  fake.receive({ ...users, names: ["Bob"] });
  assertEquals(fake.shown.flatMap((shown) => shown.kind === "users" ? shown.names : []), ["Bob"]);
});
