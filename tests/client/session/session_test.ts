/** A whole session against a server that says what the test says: talking, missing something, losing the server. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decode, encode, type Packet } from "../../../protocol.ts";
import { ADDRESS, EPOCH, FakeSession, incoming, joined, TOKEN, WELCOME } from "../../support/fake_session.ts";

const OTHER_EPOCH = "00000000000000ee";
const BOB = "192.168.1.22:40112";
const STREAM = "00000000000000cc";

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

Deno.test("session: what is typed before the server has answered goes out when it has, in order", () => {
  const fake = new FakeSession();
  fake.start();
  for (const text of ["1", "2", "3"]) fake.say(text);
  assertEquals(fake.takeAll("MESSAGE"), []);
  fake.start();
  fake.welcome();
  assertEquals(fake.takeAll("MESSAGE").map(({ id, first, text }) => [id, first, text]), [
    [1, undefined, "1"],
    [2, 1, "2"],
    [3, 1, "3"],
  ]);
});

Deno.test("session: a message is repeated with the same id until its own event comes, and is shown once", () => {
  const fake = joined();
  fake.say("hello");
  const [{ stream, id, token }] = fake.takeAll("MESSAGE");
  assertEquals([id, token, fake.session.waiting], [1, TOKEN, 1]);
  fake.pass(900);
  const repeats = fake.takeAll("MESSAGE");
  assert(repeats.length >= 1);
  for (const repeat of repeats) assertEquals([repeat.stream, repeat.id, repeat.text], [stream, 1, "hello"]);
  fake.event(1, { from: ADDRESS, stream, id: 1, text: "hello" });
  fake.event(1, { from: ADDRESS, stream, id: 1, text: "hello" });
  assertEquals([fake.session.waiting, fake.texts, fake.session.statistics.duplicates], [0, ["hello"], 1]);
  fake.take();
  fake.pass(900);
  assertEquals(fake.takeAll("MESSAGE"), []);
});

Deno.test("session: an ACK settles a message too, but only one for its own stream", () => {
  const fake = joined();
  fake.say("hello");
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.receive({ dialect: "v1", type: "ACK", stream: "00000000000000bb", id: 1 });
  fake.event(1, { stream: "00000000000000bb", id: 1 });
  assertEquals(fake.session.waiting, 1);
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 1 });
  assertEquals(fake.session.waiting, 0);
});

Deno.test("session: somebody else's event with this stream does not settle a message", () => {
  const fake = joined();
  fake.say("hello");
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.event(1, { from: BOB, stream, id: 1 });
  assertEquals(fake.session.waiting, 1);
});

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

Deno.test("session: at most 32 messages are under way", () => {
  const fake = joined();
  for (let i = 1; i <= 100; i++) fake.say(`${i}`);
  const first = fake.takeAll("MESSAGE");
  assertEquals(first.map(({ id }) => id), Array.from({ length: 32 }, (_, i) => i + 1));
  fake.receive({ dialect: "v1", type: "ACK", stream: first[0].stream, id: 10 });
  assertEquals(fake.takeAll("MESSAGE").map(({ id, first }) => [id, first]).slice(0, 2), [[33, 11], [34, 11]]);
});

Deno.test("session: a long text becomes several messages, an empty one none", () => {
  const fake = joined();
  fake.say(`${"word ".repeat(300)}end`);
  const sent = fake.takeAll("MESSAGE");
  assertEquals(sent.length, 2);
  assertEquals(sent.map(({ text }) => text).join(" "), `${"word ".repeat(300)}end`);
  fake.say("");
  assertEquals(fake.takeAll("MESSAGE"), []);
});

Deno.test("session: what one does is marked as such", () => {
  const fake = joined();
  fake.session.say("waves", fake.now, true);
  assertEquals(fake.takeAll("MESSAGE").map(({ action, text }) => [action, text]), [[true, "waves"]]);
  fake.event(1, { action: true, text: "nods" });
  assertEquals(fake.shown.map((shown) => "action" in shown && shown.action), [true]);
});

Deno.test("session: beyond 1,000 waiting messages it takes none, and says so", () => {
  const fake = new FakeSession();
  for (let i = 0; i < 1000; i++) fake.say(`${i}`);
  assertEquals([fake.session.full, fake.session.waiting, fake.notices], [true, 1000, []]);
  fake.say("one too many");
  assertEquals(fake.session.waiting, 1000);
  assertStringIncludes(fake.notices[0], "Not sent");
  fake.welcome();
  for (let left = 1000; left > 0; left -= 32) {
    const { stream, id } = fake.takeAll("MESSAGE").at(-1)!;
    fake.receive({ dialect: "v1", type: "ACK", stream, id });
  }
  fake.session.drain(fake.now);
  fake.pass(1000);
  assertEquals([fake.session.waiting, fake.session.failure], [0, "1 message not delivered"]);
});

Deno.test("session: an ACK of another stream takes no place in the room", () => {
  const fake = joined();
  fake.event(2, { text: "second" });
  fake.receive({ dialect: "v1", type: "ACK", stream: STREAM, id: 1, epoch: EPOCH, seq: 1 });
  assertEquals(fake.texts, [], "the first is still missing");
});

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

Deno.test("session: events are shown in the order of the room, each once, gaps asked for", () => {
  const fake = joined();
  for (const seq of [1, 3, 4, 3, 1]) fake.event(seq);
  assertEquals(fake.texts, ["1"]);
  fake.pass(30);
  assertEquals(fake.takeAll("RESEND").map(({ token, epoch, from, to }) => [token, epoch, from, to]), [
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
  fake.pass(30);
  assertEquals(fake.takeAll("RESEND").map(({ from, to }) => [from, to]), [[1, 2]]);
  fake.event(1);
  fake.event(2);
  fake.pass(980);
  fake.welcome({ seq: 3 });
  fake.pass(30);
  assertEquals(fake.takeAll("RESEND").map(({ from, to }) => [from, to]), [[3, 3]]);
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

Deno.test("session: its own message is known by stream, id and text, from whatever address it comes", () => {
  const fake = joined();
  for (const text of ["one", "two", "three"]) fake.say(text);
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.event(1, { from: "10.9.9.9:9", stream, id: 1, text: "one" });
  assertEquals(fake.session.waiting, 2);
  // a copy does not settle what was said before it
  fake.event(2, { from: "10.9.9.9:9", stream, id: 3, text: "three" });
  assertEquals(fake.session.waiting, 1);
  // a server may change a text on its way
  fake.event(3, { from: ADDRESS, stream, id: 2, text: "TWO" });
  assertEquals([fake.session.waiting, fake.takeAll("MESSAGE")], [1, []]);
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 2 });
  fake.event(4, { from: ADDRESS, stream, id: 3, text: "three" });
  assertEquals([fake.session.waiting, fake.texts], [0, ["one", "three", "TWO"]]);
});

Deno.test("session: when another speaks in its stream, only the message whose text it guessed is settled", () => {
  const fake = joined();
  for (const text of ["do NOT pay", "ok"]) fake.say(text);
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.event(1, { from: "10.6.6.6:6", stream, id: 2 ** 53 - 1, text: "forged" });
  fake.event(2, { from: "10.6.6.6:6", stream, id: 2, text: "ok" });
  assertEquals([fake.session.waiting, fake.take()], [1, []], "what is before it is not settled by another's copy");
});

Deno.test("session: whoever guesses one of its texts takes away no other one", () => {
  const fake = joined();
  const texts = Array.from({ length: 20 }, (_, i) => `${i + 1}`);
  for (const text of texts) fake.say(text);
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.event(0, { from: ADDRESS, stream, id: 20, text: "20" });
  assertEquals(fake.session.waiting, 19);
  fake.pass(500);
  assertEquals(new Set(fake.takeAll("MESSAGE").map(({ text }) => text)), new Set(texts.slice(0, 19)));
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 19 });
  assertEquals(fake.session.waiting, 0);
  // with the token it settles no more: a copy is about its own message, an ACK about all up to it
  for (const text of ["21", "22"]) fake.say(text);
  fake.event(2, { from: ADDRESS, stream, id: 22, text: "22", token: TOKEN });
  assertEquals(fake.session.waiting, 1);
  fake.receive({ dialect: "v1", type: "ACK", stream, id: 22 });
  assertEquals(fake.session.waiting, 0);
});

Deno.test("session: without its token nothing settles, refuses, skips or moves what waits", () => {
  for (const token of [undefined, "0123456789abcdef"]) {
    const fake = joined();
    fake.say("one");
    const [{ stream }] = fake.takeAll("MESSAGE");
    const head = { dialect: "v1", token } as { dialect: "v1"; token: string };
    const forged: Packet[] = [
      { ...head, type: "ACK", stream, id: 1 },
      { ...head, type: "ACK", stream, id: 1, epoch: EPOCH, seq: 1 },
      { ...head, type: "GONE", epoch: EPOCH, from: 1, to: 2 ** 53 - 1 },
      { ...head, type: "HEARTBEAT", epoch: EPOCH, seq: 2 ** 53 - 1 },
      { ...head, type: "ERROR", code: "not-joined", id: 1, text: "x" },
      { ...head, type: "ERROR", code: "stream-taken", id: 1, stream, text: "x" },
      { ...WELCOME, ...head, id: 1, epoch: OTHER_EPOCH },
      { ...head, type: "PUNCH", address: BOB, pass: stream },
    ];
    for (const packet of forged) {
      const decoded = decode(encode(packet));
      if (decoded.ok) fake.session.receive(decoded.packet, fake.now);
    }
    assertEquals([fake.session.waiting, fake.session.state, fake.take()], [1, "joined", []]);
    fake.pass(450);
    assertEquals(fake.takeAll("MESSAGE").length > 0, true, "it is sent again in time");
    fake.event(1, { from: ADDRESS, stream, id: 1, text: "one" });
    assertEquals([fake.session.waiting, fake.texts], [0, ["one"]]);
  }
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
  fake.pass(50);
  assertEquals(fake.takeAll("RESEND").map(({ from }) => from), [2, 1]);
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

Deno.test("session: when its stream is another's, it sends all that waits once in a new one", () => {
  const fake = joined();
  for (const text of ["one", "two", "three"]) fake.say(text);
  const sent = fake.takeAll("MESSAGE"), [{ stream }] = sent;
  // each message that was under way is refused
  for (const { id } of sent) {
    fake.receive({ dialect: "v1", type: "ERROR", code: "stream-taken", id, stream, text: "Another member uses it" });
  }
  const again = fake.takeAll("MESSAGE");
  assertEquals(again.map(({ id, first, text }) => [id, first ?? id, text]), [[1, 1, "one"], [2, 1, "two"], [
    3,
    1,
    "three",
  ]]);
  assertEquals([new Set(again.map(({ stream }) => stream)).size, again[0].stream === stream], [1, false]);
  for (const [i, text] of ["one", "two", "three"].entries()) {
    fake.event(i + 1, { from: ADDRESS, stream: again[0].stream, id: i + 1, text });
  }
  assertEquals([fake.session.waiting, fake.notices], [0, []]);
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

Deno.test("session: keeps alive without a word for as long as it is answered", () => {
  const fake = joined();
  passAnswered(fake, 600_000);
  assertEquals([fake.shown, fake.session.state], [[], "joined"]);
});
