/** The room: who may speak, in which dialect, and what happens to the messages. */
import { assert, assertEquals, assertLessOrEqual, assertMatch, assertNotEquals } from "@std/assert";
import { encode, MAX_TEXT_BYTES } from "../../../protocol.ts";
import { digestBefore } from "../../../protocol/reliable/line_digest.ts";
import { textOf } from "../../support/fake_delivery.ts";
import { all, FakeRoom, ignoredBy, one, outline, STREAM, to } from "../../support/fake_room.ts";

const A = "127.0.0.1:40001", B = "127.0.0.1:40002", C = "[::1]:40003", D = "127.0.0.1:40004";
const WRONG = "0123456789abcdef";

Deno.test("room: classic members hear what each of them says, the sender included, byte for byte", () => {
  const room = new FakeRoom();
  assertEquals(room.datagram(A, "GREETING"), []);
  assertEquals(room.datagram(C, "GREETING\n"), []);
  const sent = room.datagram(A, "MESSAGE hello");
  assertEquals(sent.map((datagram) => [datagram.to, textOf(datagram)]), [
    [A, "INCOMING <From 127.0.0.1:40001>: hello"],
    [C, "INCOMING <From 127.0.0.1:40001>: hello\n"],
  ]);
  assertEquals(room.datagram(C, "MESSAGEhi\n").map(textOf)[0], "INCOMING <From [::1]:40003>: hi");
});

Deno.test("room: a classic greeting repeated changes nothing, and a message from a stranger is ignored", () => {
  const room = new FakeRoom();
  room.datagram(A, "GREETING");
  room.datagram(A, "GREETING");
  assertEquals(room.room.size, 1);
  assertEquals(room.datagram(B, "MESSAGE let me in"), []);
  assertEquals(room.datagram(A, "MESSAGE x").length, 1);
  const { joined, messages } = room.room.statistics;
  assertEquals([joined, messages, ignoredBy(room.room)], [1, 1, { "not-joined": 1 }]);
});

Deno.test("room: invalid datagrams, and packets that are not for a server, are ignored and counted", () => {
  const room = new FakeRoom();
  const { token } = room.join(A);
  const noise = ["", "LIST all", "GREETING/2 id=1", "INCOMING <From 1.2.3.4:5>: x", "OPEN/1", "MESSAGE ", "ACK/1 id=3"];
  for (const datagram of noise) assertEquals(room.datagram(A, datagram), [], datagram);
  for (const datagram of noise) assertEquals(room.datagram(B, datagram), [], datagram);
  assertEquals(ignoredBy(room.room), { "no-packet": 8, "not-for-server": 5, "classic-at-v1": 1 });
  assertEquals(room.say(A, token, 1, "still here").length, 1);
});

Deno.test("room: WELCOME tells the member's address, a token of its own, the epoch, the seq and the times", () => {
  const room = new FakeRoom();
  const welcome = room.join(A, "Alice");
  assertEquals(welcome, {
    dialect: "v1",
    type: "WELCOME",
    id: 2,
    address: A,
    token: welcome.token,
    epoch: room.room.epoch,
    seq: 0,
    digest: digestBefore(room.room.epoch),
    name: "Alice",
    keepalive: 1000,
    noecho: false,
    operator: false,
    join: undefined,
    verifier: undefined,
    topic: undefined,
  });
  assertMatch(welcome.token, /^[0-9a-f]{16}$/);
  const other = room.join(B);
  assertEquals(other.name, undefined);
  assertNotEquals(other.token, welcome.token);
});

Deno.test("room: two rooms have different epochs and cookies", () => {
  const first = new FakeRoom(), second = new FakeRoom();
  assertNotEquals(first.join(A).epoch, second.join(A).epoch);
  assertNotEquals(first.cookie(B), second.cookie(B));
});

Deno.test("room: a v1 message becomes one event for everyone, each in its dialect", () => {
  const room = new FakeRoom();
  room.datagram(B, "GREETING\n");
  const { token, epoch } = room.join(A, "Alice");
  room.pass(200);
  const sent = room.say(A, token, 1, "Hello World!");
  assertEquals(outline(sent), [`${B} INCOMING`, `${A} INCOMING`]);
  assertEquals(textOf(sent[0]), "INCOMING <From 127.0.0.1:40001:Alice>: Hello World!\n");
  assertEquals(one(to(sent, A), "INCOMING"), {
    dialect: "v1",
    type: "INCOMING",
    epoch,
    seq: 2, // behind the arrivals
    at: room.now,
    from: A,
    name: "Alice",
    stream: STREAM,
    id: 1,
    action: undefined,
    text: "Hello World!",
  });
});

Deno.test("room: a message is encoded once per dialect, not once per member", () => {
  const room = new FakeRoom();
  const { token } = room.join(A);
  for (let port = 1; port <= 20; port++) room.join(`10.0.0.1:${port}`);
  const sent = room.say(A, token, 1, "x");
  assertEquals(sent.length, 21);
  assertEquals(new Set(sent.map(({ bytes }) => bytes)).size, 1);
});

Deno.test("room: a classic member's message reaches v1 members as an event without stream and id", () => {
  const room = new FakeRoom();
  room.join(A);
  room.datagram(B, "GREETING");
  const event = one(to(room.datagram(B, "MESSAGE hello everyone"), A), "INCOMING");
  assertEquals([event.from, event.name, event.stream, event.id, event.text], [
    B,
    undefined,
    undefined,
    undefined,
    "hello everyone",
  ]);
});

Deno.test("room: before the greeting a v1 packet is answered by ERROR not-joined with its id, and its stream if it has one", () => {
  const room = new FakeRoom();
  const { epoch } = room.join(A);
  const message = { token: WRONG, stream: STREAM, id: 7, text: "x" };
  const refusal = one(room.v1(B, "MESSAGE", message), "ERROR");
  assertEquals([refusal.code, refusal.id, refusal.stream], ["not-joined", 7, STREAM]);
  const other = one(room.v1(B, "LIST", { id: 8, token: WRONG }), "ERROR");
  assertEquals([other.code, other.id, other.stream], ["not-joined", 8, undefined], "no message is refused");
  assertEquals(one(room.v1(B, "LEAVE", { id: 9, token: WRONG }), "ERROR").id, 9);
  assertEquals(one(room.v1(B, "RESEND", { token: WRONG, epoch, from: 1, to: 1 }), "ERROR").code, "not-joined");
  room.datagram(C, "GREETING"); // a classic member has no token
  assertEquals(one(room.v1(C, "MESSAGE", message), "ERROR").code, "not-joined");
  assertEquals(room.room.statistics.messages, 0);
});

Deno.test("room: a packet with a wrong token, another member's token or none is dropped without an answer", () => {
  const room = new FakeRoom();
  const { token, epoch } = room.join(A, "Alice");
  const { token: other } = room.join(B, "Bob");
  room.say(A, token, 1, "there is something to resend");
  for (const forged of [WRONG, other, undefined]) {
    assertEquals(room.v1(A, "MESSAGE", { token: forged, stream: STREAM, id: 2, text: "forged" }), []);
  }
  assertEquals(room.v1(A, "LEAVE", { id: 1, token: WRONG }), []);
  assertEquals(room.v1(A, "LIST", { id: 1, token: WRONG }), []);
  assertEquals(room.v1(A, "LOOKUP", { id: 1, token: WRONG, name: "Bob" }), []);
  assertEquals(room.v1(A, "RESEND", { token: WRONG, epoch, from: 1, to: 1 }), []);
  assertEquals(room.room.size, 2);
  assertEquals(room.say(A, token, 2, "genuine").length, 2);
});

Deno.test("room: a forged greeting does not rename or refresh the member, which gets the answer", () => {
  const room = new FakeRoom({ timeout: 60_000 });
  room.join(A, "Alice");
  room.pass(50_000);
  for (const forged of [WRONG, undefined]) {
    // another client may have the address by now
    assertEquals(one(to(room.v1(A, "SIGN-IN", { id: 5, token: forged, name: "Mallory" }), A), "RETRY").id, 5);
    room.v1(A, "GREETING", { id: 6, token: forged });
  }
  assertEquals(one(room.v1(B, "LIST", { id: 1, token: room.join(B).token }), "USERS").names, ["Alice"]);
  room.pass(9_999);
  assertEquals(room.room.size, 2);
  room.pass(1);
  assertEquals(room.room.size, 1, "Alice is gone 60 s after her only packet");
});

Deno.test("room: classic words from a v1 member's address are ignored", () => {
  const room = new FakeRoom();
  const { token } = room.join(A, "Alice");
  for (const word of ["GREETING", "MESSAGE forged", "SIGN-IN Mallory", "LIST", "forged"]) {
    assertEquals(room.datagram(A, word), [], word);
  }
  const event = one(room.say(A, token, 1, "genuine"), "INCOMING");
  assertEquals([event.name, ignoredBy(room.room)], ["Alice", { "classic-at-v1": 5 }]);
});

Deno.test("room: a classic member that greets in v1 becomes a v1 member, not a second member", () => {
  const room = new FakeRoom();
  room.datagram(A, "GREETING");
  const { token } = room.join(A);
  const sent = room.say(A, token, 1, "x");
  assertEquals(room.room.size, 1);
  assertEquals(outline(sent), [`${A} INCOMING`]);
  assertMatch(textOf(sent[0]), /^INCOMING\/1 /);
});

Deno.test("room: 60 s of silence remove a v1 member, never a classic one while there is room", () => {
  const room = new FakeRoom();
  room.datagram(B, "GREETING");
  const { token } = room.join(A);
  room.join(C);
  room.pass(30_000);
  room.v1(A, "GREETING", { id: 2, token });
  room.pass(29_999);
  assertEquals(room.room.size, 3);
  room.pass(1);
  assertEquals(room.room.size, 2, "C was never heard again");
  room.pass(29_999);
  assertEquals(room.room.size, 2);
  room.pass(1);
  assertEquals(room.room.size, 1);
  room.pass(3_600_000);
  assertEquals(room.room.size, 1);
  assertEquals(room.datagram(B, "MESSAGE still here").length, 1);
});

Deno.test("room: any packet with the right token shows that a member is alive", () => {
  const room = new FakeRoom();
  const { token, epoch } = room.join(A);
  const signs = [
    () => room.v1(A, "GREETING", { id: 2, token }),
    () => room.say(A, token, 1, "x"),
    () => room.v1(A, "LIST", { id: 3, token }),
    () => room.v1(A, "LOOKUP", { id: 4, token, name: "nobody" }),
    () => room.v1(A, "RESEND", { token, epoch, from: 1, to: 1 }),
  ];
  for (const sign of signs) {
    room.pass(59_000);
    sign();
  }
  room.pass(59_999);
  assertEquals(room.room.size, 1);
  room.pass(1);
  assertEquals(room.room.size, 0);
});

Deno.test("room: with nothing to do it does not want to be woken", () => {
  const room = new FakeRoom();
  assertEquals(room.room.nextWake, undefined);
  room.datagram(B, "GREETING");
  room.pass(30_000);
  assertEquals(room.room.nextWake, undefined);
});

Deno.test("room: the keep-alive grows with the room, from 1 s to a third of the timeout", () => {
  const room = new FakeRoom();
  const keepalive = (members: number) => {
    for (let port = room.room.size + 1; port < members; port++) room.join(`10.0.0.1:${port}`);
    return room.join(`10.0.0.1:${members}`).keepalive;
  };
  assertEquals(keepalive(500), 1000);
  assertEquals(keepalive(1000), 2000);
  assertEquals(keepalive(9_000), 18_000);
  assertEquals(keepalive(20_000), 20_000);
});

Deno.test("room: messages that arrive out of order are broadcast in order, each once", () => {
  const room = new FakeRoom();
  const { token } = room.join(A);
  const message = (id: number, first: number) =>
    room.v1(A, "MESSAGE", { token, stream: STREAM, id, first, text: `${id}` });
  const sent = [1, 3, 5, 2, 3, 4].flatMap((id) => message(id, 1));
  const toAll = all(sent, "INCOMING").filter(({ token }) => token === undefined);
  assertEquals(toAll.map(({ text }) => text), ["1", "2", "3", "4", "5"]);
  const repeat = message(4, 1);
  assertEquals(
    encode(one(repeat, "INCOMING")),
    encode({ ...toAll[3], token }),
    "the sender may have missed its own message",
  );
  assertEquals(repeat.length, 1);
  assertEquals(room.room.statistics.messages, 5);
});

Deno.test("room: an early message waits for messages that its sender still keeps, not for settled ones", () => {
  const room = new FakeRoom();
  const { token } = room.join(A);
  room.say(A, token, 1, "1");
  const sent = room.v1(A, "MESSAGE", { token, stream: STREAM, id: 9, first: 8, text: "9" });
  assertEquals(sent, [], "8 may still come");
  assertEquals(all(room.v1(A, "MESSAGE", { token, stream: STREAM, id: 8, text: "8" }), "INCOMING").length, 2);
});

Deno.test("room: without a first nothing before a message is waited for, as typed by hand", () => {
  const room = new FakeRoom();
  const { token } = room.join(A);
  const said = [5, 6, 40, 39].flatMap((id) => {
    return all(room.datagram(A, `MESSAGE/1 token=${token} stream=${STREAM} id=${id}\n${id}`), "INCOMING");
  });
  assertEquals(said.map(({ text }) => text), ["5", "6", "40"]);
});

Deno.test("room: an early message waits no longer when its repeat says that those before it are settled", () => {
  const room = new FakeRoom();
  const { token } = room.join(A);
  const message = (id: number, first: number) =>
    all(room.v1(A, "MESSAGE", { token, stream: STREAM, id, first, text: `${id}` }), "INCOMING").map(({ text }) => text);
  assertEquals([message(3, 1), message(4, 1), message(1, 1)], [[], [], ["1"]]);
  assertEquals(message(4, 3), ["3", "4"], "2 will not come");
});

Deno.test("room: at most 10,000 early messages are held, over all members", () => {
  const room = new FakeRoom();
  // each speaks in a stream of its own, named like its token
  const said = (address: string, token: string, id: number) =>
    room.v1(address, "MESSAGE", { token, stream: token, id, first: 1, text: "x" }).length;
  const tokens = new Map<string, string>();
  for (let port = 1; port <= 400; port++) tokens.set(`10.0.0.1:${port}`, room.join(`10.0.0.1:${port}`).token);
  let given = 0;
  for (const [address, token] of tokens) for (let id = 2; id <= 32; id++) given += said(address, token, id);
  assertEquals(given, 0);
  const released = [...tokens].map(([address, token]) => said(address, token, 1) / 400 - 1);
  assertEquals(released.reduce((sum, early) => sum + early), 10_000);
  assertEquals(released.at(-1), 0, "the last to come had no place left");
  // the places are free again
  const [[address, token]] = tokens;
  said(address, token, 34);
  assertEquals(said(address, token, 33) / 400, 2);
});

Deno.test("room: a member who leaves, or takes another stream, frees what was held for it", () => {
  const room = new FakeRoom();
  const hold = (address: string, token: string, stream: string) => {
    for (let id = 2; id <= 32; id++) room.v1(address, "MESSAGE", { token, stream, id, first: 1, text: "x" });
  };
  for (let round = 0; round < 400; round++) {
    const { token } = room.join(A);
    hold(A, token, STREAM);
    hold(A, token, "00000000000000ff");
    room.v1(A, "LEAVE", { id: 1, token });
    room.pass(5000);
  }
  const { token } = room.join(B);
  room.v1(B, "MESSAGE", { token, stream: STREAM, id: 2, first: 1, text: "2" });
  assertEquals(room.v1(B, "MESSAGE", { token, stream: STREAM, id: 1, text: "1" }).length, 2);
});

Deno.test("room: control and bidirectional characters in a message are replaced, in both dialects", () => {
  const room = new FakeRoom();
  room.datagram(B, "GREETING");
  const { token } = room.join(A);
  const sent = [
    ...room.say(A, token, 1, "\x1b[2Jred\u202eevil\u2028\x9b\x07\ttab\nline"),
    ...room.datagram(B, "MESSAGE \x1b]0;title\x07\u2066x\r\n"),
  ];
  const texts = sent.map((datagram) => textOf(datagram).replace(/^INCOMING\/1 .*\n/, ""));
  assertEquals(texts, [
    "INCOMING <From 127.0.0.1:40001>: ?[2Jred?evil??? tab?line",
    "?[2Jred?evil??? tab?line",
    "INCOMING <From 127.0.0.1:40002>: ?]0;title??x",
    "?]0;title??x",
  ]);
});

Deno.test("room: a classic text that is too long becomes several messages, none of its words lost", () => {
  const room = new FakeRoom();
  room.join(A);
  room.datagram(B, "GREETING");
  const words = Array.from({ length: 400 }, (_, i) => `wörd${i}`).join(" ");
  const events = all(to(room.datagram(B, `MESSAGE ${words}`), A), "INCOMING");
  assertEquals(events.map(({ text }) => text).join(" "), words);
  assertEquals(events.length, 5);
  for (const { text } of events) assertLessOrEqual(new TextEncoder().encode(text).length, MAX_TEXT_BYTES);
});

Deno.test("room: with --no-echo the sender gets an ACK with the seq, the others the message", () => {
  const room = new FakeRoom({ echo: { datagrams: false } });
  const welcome = room.join(A);
  room.join(B);
  room.settle();
  assertEquals(welcome.noecho, true);
  const sent = room.say(A, welcome.token, 1, "x");
  assertEquals(outline(sent).sort(), [`${A} ACK`, `${B} INCOMING`]);
  const { seq } = one(sent, "INCOMING");
  const { token, epoch } = welcome;
  const ack = { dialect: "v1", type: "ACK", token, stream: STREAM, id: 1, epoch, seq } as const;
  assertEquals(one(sent, "ACK"), ack);
  const resent = room.v1(A, "RESEND", { token, epoch, from: seq, to: seq });
  assertEquals(resent.map(({ packet }) => packet), [ack]);
});

Deno.test("room: with --no-echo a classic sender hears the others and not itself", () => {
  const room = new FakeRoom({ echo: { datagrams: false } });
  for (const address of [A, B]) room.datagram(address, "GREETING");
  assertEquals(outline(room.datagram(A, "MESSAGE x")), [`${B} INCOMING`]);
});

Deno.test("room: a full room refuses, and has a place again when someone has left", () => {
  const room = new FakeRoom({ maxMembers: 2 });
  const { token } = room.join(A);
  room.datagram(B, "GREETING");
  assertEquals(room.refused(C, "Carol", 5).code, "room-full");
  const newcomer = { token: "00000000000000aa", cookie: room.cookie(C) };
  assertEquals(one(room.v1(C, "GREETING", { id: 4, ...newcomer }), "ERROR").code, "room-full");
  assertEquals(room.datagram(C, "GREETING"), []);
  assertEquals(room.datagram(C, "MESSAGE x"), []);
  assertEquals(outline(room.v1(A, "GREETING", { id: 2, token })), [`${A} WELCOME`], "who is in stays in");
  assertEquals(room.move(D, token).address, D, "and may move");
  assertEquals(room.join(B).address, B, "the classic member turns out to speak version 1");
  assertEquals(one(room.v1(C, "GREETING", { id: 6, ...newcomer }), "ERROR").code, "room-full");
  room.v1(D, "LEAVE", { id: 3, token });
  assertEquals(room.join(C).address, C);
  assertEquals(room.room.size, 2);
});

Deno.test("room: messages that a classic member sends too fast are dropped", () => {
  const room = new FakeRoom({ rate: { rate: 1, burst: 2 } });
  room.datagram(A, "GREETING");
  assertEquals([1, 2, 3].flatMap((n) => room.datagram(A, `MESSAGE ${n}`)).map(textOf), [
    "INCOMING <From 127.0.0.1:40001>: 1",
    "INCOMING <From 127.0.0.1:40001>: 2",
  ]);
  room.pass(1000);
  assertEquals(room.datagram(A, "MESSAGE 4").length, 1);
});

Deno.test("room: CLOSING goes to v1 members only, because classic programs do not know it", () => {
  const room = new FakeRoom();
  const { epoch } = room.join(A);
  room.datagram(B, "GREETING");
  room.room.close();
  const sent = room.delivery.take();
  assertEquals(outline(sent), [`${A} CLOSING`]);
  assertEquals(one(sent, "CLOSING").epoch, epoch);
});

Deno.test("room: times in packets follow the wall clock, even when it is set; timeouts do not", () => {
  let wallClock = 1000;
  const room = new FakeRoom({ wallClock: () => wallClock });
  const { token } = room.join(A, "Alice");
  assertEquals(all(room.pass(30_000), "ONLINE").map(({ at }) => at), [1000]);
  wallClock = 3_600_000;
  assertEquals(one(room.say(A, token, 1, "x"), "INCOMING").at, 3_600_000);
  assertEquals(one(room.v1(A, "LOOKUP", { id: 1, token, name: "Alice" }), "PEER").since, 1000);
  wallClock = 0;
  room.pass(59_999);
  assertEquals(room.room.size, 1);
  room.pass(1);
  assertEquals(room.room.size, 0);
});

Deno.test("room: an observer is told of each member that joins, changes or leaves", () => {
  const told: string[] = [];
  const room = new FakeRoom({
    observer: {
      joined: ({ address }) => told.push(`joined ${address}`),
      changed: ({ address, name }) => told.push(`changed ${address} ${name}`),
      left: ({ address, name }, how) => told.push(`left ${address} ${name} ${how}`),
    },
  });
  const { token } = room.join(A);
  room.v1(A, "SIGN-IN", { id: 2, token, name: "Alice" });
  const moved = room.move(B, token);
  room.v1(B, "LEAVE", { id: 4, token: moved.token });
  room.join(C);
  room.pass(60_000);
  assert(told.includes(`left ${C} undefined silence`));
  assertEquals(told.slice(0, 4), [
    `joined ${A}`,
    `changed ${A} Alice`,
    `changed ${B} Alice`,
    `left ${B} Alice goodbye`,
  ]);
});
