/** A whole session against a server that says what the test says: what it hears, and what it misses. */
import { assertEquals } from "@std/assert";
import { ADDRESS, EPOCH, FakeSession, incoming, joined, TOKEN } from "../../support/fake_session.ts";

const OTHER_EPOCH = "00000000000000ee";
const BOB = "192.168.1.22:40112";
const STREAM = "00000000000000cc";

Deno.test("session: an ACK with a seq takes the place of the event, so that there is no gap", () => {
  const fake = joined();
  fake.say("hello");
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.event(2, { text: "an answer" });
  assertEquals(fake.texts, []);
  // one of an earlier life of the server speaks of another number line
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 1, epoch: "00000000000000bb", seq: 1 });
  assertEquals(fake.texts, []);
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 1, epoch: EPOCH, seq: 1 });
  assertEquals(fake.texts, ["an answer"]);
  fake.pass(900);
  assertEquals(fake.takeAll("RESEND"), []);
});

Deno.test("session: an ACK of another stream takes no place in the room", () => {
  const fake = joined();
  fake.event(2, { text: "second" });
  fake.receive({ dialect: "v1", type: "ACK", stream: STREAM, id: 1, epoch: EPOCH, seq: 1 });
  assertEquals(fake.texts, [], "the first is still missing");
});

Deno.test("session: events are shown in the order of the room, each once, gaps asked for", () => {
  const fake = joined();
  for (const seq of [1, 3, 4, 3, 1]) fake.event(seq);
  assertEquals(fake.texts, ["1"]);
  assertEquals(fake.passUntilSent("RESEND").map(({ token, epoch, from, to }) => [token, epoch, from, to]), [
    [TOKEN, EPOCH, 2, 2],
  ]);
  fake.event(2);
  assertEquals(fake.texts, ["1", "2", "3", "4"]);
  const { received, repaired, duplicates } = fake.session.statistics;
  assertEquals([received, repaired, duplicates], [4, 1, 2]);
});

Deno.test("session: a heartbeat or a WELCOME shows what is missing at the end", () => {
  const fake = joined();
  fake.receive({ dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq: 2 });
  assertEquals(fake.passUntilSent("RESEND").map(({ from, to }) => [from, to]), [[1, 2]]);
  fake.event(1);
  fake.event(2);
  fake.pass(980);
  fake.welcome({ seq: 3 });
  assertEquals(fake.passUntilSent("RESEND").map(({ from, to }) => [from, to]), [[3, 3]]);
});

Deno.test("session: a newcomer begins behind what the WELCOME names", () => {
  const fake = new FakeSession();
  fake.welcome({ seq: 41 });
  fake.event(42);
  fake.event(40);
  fake.pass(500);
  assertEquals([fake.texts, fake.takeAll("RESEND")], [["42"], []]);
});

Deno.test("session: what the server keeps no more is told, and it goes on behind that", () => {
  const fake = joined();
  fake.event(13);
  fake.receive({ dialect: "v1", type: "GONE", epoch: EPOCH, from: 1, to: 10 });
  assertEquals(fake.texts, [], "two of those before 13 may still come");
  fake.event(11);
  fake.event(12);
  assertEquals(fake.shown.map((shown) => "text" in shown && shown.text), [
    "10 messages missed for good: the server does not have them any more",
    "11",
    "12",
    "13",
  ]);
  assertEquals(fake.session.statistics.lost, 10);
});

Deno.test("session: events and heartbeats of another epoch are passed over", () => {
  const fake = joined();
  fake.event(1, { epoch: OTHER_EPOCH });
  fake.receive({ dialect: "v1", type: "HEARTBEAT", epoch: OTHER_EPOCH, seq: 9 });
  fake.receive({ dialect: "v1", type: "CLOSING", epoch: OTHER_EPOCH });
  fake.pass(900);
  assertEquals([fake.shown, fake.takeAll("RESEND"), fake.session.state], [[], [], "joined"]);
});

Deno.test("session: an event with another's token is not shown, and a GONE without the token skips nothing", () => {
  const fake = joined();
  fake.event(1, { token: "0123456789abcdef" });
  fake.receive({ dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq: 3 });
  fake.datagram(`GONE/1 epoch=${EPOCH} from=1 to=3`);
  assertEquals([fake.texts, fake.notices], [[], []]);
  for (const seq of [1, 2, 3]) fake.event(seq);
  assertEquals(fake.texts, ["1", "2", "3"]);
});

Deno.test("session: what leads far makes it greet, since the answer tells where the line ends", () => {
  for (const claim of ["HEARTBEAT", "INCOMING"]) {
    const fake = joined();
    fake.pass(200);
    if (claim === "HEARTBEAT") fake.receive({ dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq: 1500 });
    else fake.event(1500);
    assertEquals(fake.takeAll("GREETING").length, 1, claim);
  }
});

Deno.test("session: a member that forges HEARTBEAT, GONE and events makes nobody deaf, and takes no word away", () => {
  const fake = joined();
  fake.pass(10);
  for (const seq of [2048, 2 ** 53 - 1]) {
    fake.receive({ dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq });
    fake.event(seq, { text: "forged" });
  }
  fake.event(1, { name: "Bob", text: "forged" });
  fake.event(1, { name: "Alice", text: "true" });
  assertEquals(fake.texts, ["forged"], "nobody can know yet which it is");
  assertEquals(fake.passUntilSent("RESEND").map(({ from }) => from), [2, 1]);
  fake.event(1, { name: "Alice", text: "true", token: TOKEN });
  assertEquals(fake.texts, ["forged", "true"]);
  assertEquals(fake.notices, [
    `Not true, somebody has forged it in the server's name: "<From ${BOB}:Bob>: forged"`,
  ]);
  // the next answer of the server shows where the line ends
  fake.pass(1000);
  fake.welcome({ seq: 1 });
  fake.take();
  fake.pass(900);
  assertEquals(fake.takeAll("RESEND"), []);
  fake.event(2, { text: "more" });
  assertEquals(fake.texts, ["forged", "true", "more"]);
});

Deno.test("session: a draining session waits for what is held back for an earlier message of its sender", () => {
  const fake = joined();
  const stream = "00000000000000cc";
  fake.event(2, { stream, id: 2, text: "two", token: TOKEN });
  fake.closing();
  fake.pass(300);
  fake.welcome({ epoch: OTHER_EPOCH });
  fake.session.drain(fake.now);
  assertEquals([fake.texts, fake.session.closing], [[], false]);
  for (const [seq, text] of [[1, "one"], [2, "two"]] as const) {
    fake.event(seq, { epoch: OTHER_EPOCH, stream, id: seq, text });
  }
  assertEquals([fake.texts, fake.session.closing], [["one", "two"], true]);
});

Deno.test("session: without echo the history's answers for its own messages are no duplicates", () => {
  const fake = joined();
  fake.say("mine");
  const [{ stream }] = fake.takeAll("MESSAGE");
  const ack = () => fake.receive({ dialect: "v1", type: "ACK", stream, id: 1, epoch: EPOCH, seq: 1 });
  ack();
  fake.event(2);
  fake.session.history(5, fake.now);
  ack();
  fake.resent(2, 2);
  assertEquals([fake.session.asked.open, fake.session.statistics.duplicates], [0, 0]);
  ack();
  fake.event(2);
  assertEquals(fake.session.statistics.duplicates, 2);
});

Deno.test("session: arrivals and departures of others are shown, one's own are not", () => {
  const fake = joined();
  const members = [{ address: ADDRESS }, { address: BOB, name: "Bob" }];
  fake.receive({ dialect: "v1", type: "ONLINE", epoch: EPOCH, seq: 1, at: 5, members });
  fake.receive({ dialect: "v1", type: "ONLINE", epoch: EPOCH, seq: 2, at: 6, members: [{ address: ADDRESS }] });
  fake.receive({ dialect: "v1", type: "OFFLINE", epoch: EPOCH, seq: 3, at: 7, members: [members[1]] });
  assertEquals(fake.shown, [
    { kind: "presence", online: true, members: [{ address: BOB, name: "Bob" }], at: 5 },
    { kind: "presence", online: false, members: [{ address: BOB, name: "Bob" }], at: 7 },
  ]);
});

Deno.test("session: nothing from the network can act on the terminal", () => {
  const fake = joined();
  const evil = "\x1b[2J\u202eevil\x07\x9b\u2028\n\r";
  fake.event(1, { text: evil });
  fake.receive({ dialect: "v1", type: "ERROR", code: "room-full", id: 1, text: evil });
  const classic = new FakeSession();
  classic.start();
  classic.pass(6000);
  classic.datagram(`INCOMING <From 1.2.3.4:5>: ${evil}`);
  classic.pass(3000);
  const refused = new FakeSession();
  refused.start();
  const [{ id }] = refused.takeAll("GREETING");
  refused.receive({ dialect: "v1", type: "ERROR", code: "room-full", id, text: evil });
  const all = [...fake.shown, ...classic.shown, ...refused.shown];
  assertEquals(all.length >= 4, true);
  // deno-lint-ignore no-control-regex -- control characters are the point
  for (const shown of all) assertEquals(/[\x00-\x1f\x7f-\x9f\u202e\u2028]/.exec(Object.values(shown).join("")), null);
});

Deno.test("session: PUNCH opens the way to a peer, and a stranger's packets are not taken for the server's", () => {
  const fake = joined();
  const punch = { dialect: "v1", type: "PUNCH", pass: "2be90f4417d6a3c8" } as const;
  fake.receive({ ...punch, address: BOB });
  assertEquals(fake.take().map(({ packet, peer }) => [packet.type, peer]), [["OPEN", BOB]]);
  fake.session.receiveFromPeer({ ...punch, token: TOKEN, address: "10.0.0.1:1" }, BOB, fake.now);
  fake.receive({ ...punch, token: "0123456789abcdef", address: "10.0.0.1:1" });
  fake.session.receiveFromPeer(incoming(1), BOB, fake.now);
  fake.session.receiveFromPeer({ dialect: "v1", type: "CLOSING", epoch: EPOCH }, BOB, fake.now);
  fake.session.receiveFromPeer({ dialect: "classic", type: "INCOMING", line: "<From x>: y" }, BOB, fake.now);
  assertEquals([fake.shown, fake.take().length, fake.session.state], [[], 0, "joined"]);
});
