/** What a hostile member, a forged source address or a crowd can't do to the room. */
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { encode, type V1Packet } from "../../../protocol.ts";
import { textOf } from "../../support/fake_delivery.ts";
import { FakeNetwork } from "../../support/fake_network.ts";
import { all, FakeRoom, ignoredBy, one, OTHER_STREAM, outline, STREAM, to } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

const A = "127.0.0.1:40001", B = "127.0.0.1:40002", C = "[::1]:40003", D = "127.0.0.1:40004";

/** One of many forged source addresses. */
function forged(i: number): string {
  return `10.0.${i >> 10}.1:${1 + (i & 1023)}`;
}

Deno.test("room: a member's token sent from another member's address moves nobody", () => {
  const changes: string[] = [];
  const room = new FakeRoom({ observer: { changed: ({ address }) => changes.push(address) } });
  const alice = room.join(A, "Alice");
  const bob = room.join(B, "Bob");
  room.settle();
  const stale = { token: alice.token, cookie: alice.token };
  for (
    const sent of [
      room.v1(B, "GREETING", { id: 7, token: alice.token }),
      room.v1(B, "SIGN-IN", { id: 8, name: "Bob", ...stale }),
      room.v1(B, "SIGN-IN", { id: 9, name: "Mallory", ...stale }),
    ]
  ) {
    assertEquals(outline(sent), [`${B} RETRY`]);
  }
  assertEquals([room.room.size, changes], [2, []]);
  assertEquals(room.say(B, alice.token, 1, "the attacker's token does not speak for the victim"), []);
  assertEquals(one(to(room.say(B, bob.token, 1, "still me", OTHER_STREAM), A), "INCOMING").name, "Bob");
  assertEquals(one(to(room.say(A, alice.token, 1, "still here"), B), "INCOMING").from, A);
});

Deno.test("room: a member that moves must show the cookie, which was sent to its new address only", () => {
  const places: string[] = [];
  const room = new FakeRoom({ observer: { changed: ({ address }) => places.push(address) } });
  const { token } = room.join(A, "Alice");
  const bob = room.join(B);
  room.settle();
  const elsewhere = room.cookie(D, { token }), cookie = room.cookie(C, { token });
  for (const wrong of [undefined, elsewhere, token]) room.cookie(C, { id: 3, token, cookie: wrong });
  assertEquals(places, [], "who has the token may have forged the address: nobody has moved yet");
  assertEquals(outline(room.say(B, bob.token, 1, "who is where?", OTHER_STREAM)).sort(), [
    `${A} INCOMING`,
    `${B} INCOMING`,
  ]);
  const welcome = room.greet(C, { id: 4, token, cookie });
  assertEquals([welcome.name, welcome.token], ["Alice", token]);
  assertEquals(places, [C]);
  assertEquals(one(to(room.say(C, token, 1, "moved"), B), "INCOMING").name, "Alice");
  assertEquals(one(room.v1(B, "LOOKUP", { id: 5, token: bob.token, name: "Alice" }), "PEER").address, C);
  // the cookie is of no use elsewhere
  room.cookie(A, { id: 6, token, cookie });
  assertEquals(places, [C]);
});

Deno.test("room: a client that sends from two addresses does not get its name twice", () => {
  const room = new FakeRoom();
  const { token } = room.join(A, "Alice");
  const other = "00000000000000bb", name = "Alice", cookie = room.cookie(B);
  assertEquals(one(room.v1(B, "SIGN-IN", { id: 2, token: other, cookie, name }), "ERROR").code, "name-taken");
  assertEquals(room.cookie(B, { id: 3, token, name }), cookie, "one cookie for one address");
  assertEquals([room.greet(B, { id: 4, token, cookie, name }).name, room.room.size], ["Alice", 1]);
  // the cookie, sent as a token, admits nobody
  assertEquals([room.say(B, cookie, 1, "x"), room.room.size], [[], 1]);
  assertEquals(all(room.v1(B, "LIST", { id: 5, token }), "USERS").map(({ names }) => names), [["Alice"]]);
});

Deno.test("room: a cookie that another client has chosen as its token admits nobody", () => {
  const room = new FakeRoom();
  const cookie = room.cookie(B);
  room.move(C, cookie, "Mallory");
  assertEquals(one(room.v1(B, "LIST", { id: 2, token: cookie }), "ERROR").code, "not-joined");
  assertEquals([room.cookie(B, { id: 3, token: cookie }), room.room.size], [cookie, 1]);
});

Deno.test("room: greetings forged from a newcomer's address do not keep it out", () => {
  const room = new FakeRoom();
  const mallory = room.join(B, "Mallory");
  const token = "00000000000000aa";
  const cookie = room.cookie(A);
  for (const forged of [undefined, mallory.token, "00000000000000bb"]) room.cookie(A, { id: 9, token: forged });
  room.greet(A, { id: 2, token, cookie });
  assertEquals(room.room.size, 2);
});

Deno.test("room: 40,000 greetings a second from forged addresses keep nobody out, a second's round trip away", () => {
  const room = new FakeRoom();
  const cookie = room.cookie(A);
  for (let i = 0; i < 40_000; i++) room.cookie(`198.51.${i >> 8 & 255}.${i & 255}:${1024 + (i >> 16)}`);
  room.pass(1000);
  assertEquals(room.greet(A, { id: 2, token: "00000000000000aa", cookie }).address, A);
});

Deno.test("room: greetings forged from a member's address are answered a thousand times a second at most", () => {
  const room = new FakeRoom();
  const { token } = room.join(A, "Alice");
  let answers = 0;
  for (let i = 0; i < 5000; i++) answers += room.v1(A, "GREETING", { id: i, token: i % 2 ? STREAM : undefined }).length;
  assertEquals(answers, 1000);
  assertEquals(outline(room.v1(A, "GREETING", { id: 1, token })), [`${A} WELCOME`], "the member is answered");
  assertEquals(outline(room.v1(B, "GREETING", { id: 1 })), [`${B} RETRY`], "and so is a newcomer");
});

Deno.test("room: to an address that is not validated goes at most three times what came from there", () => {
  const room = new FakeRoom({ maxMembers: 1 });
  room.join(B, "Alice");
  const token = "00000000000000aa", stream = STREAM;
  const requests: [V1Packet["type"], Record<string, unknown>][] = [
    ["GREETING", { id: 1 }],
    ["GREETING", { id: 1, token, cookie: "00000000000000cc" }],
    ["SIGN-IN", { id: 1, name: "A" }],
    ["SIGN-IN", { id: 1, token, name: "Alice" }],
    ["LIST", { id: 1, token }],
    ["LOOKUP", { id: 1, token, name: "A" }],
    ["LEAVE", { id: 1, token }],
    ["RESEND", { token, epoch: token, from: 1, to: 1 }],
    ["MESSAGE", { token, stream, id: 1, text: "x" }],
  ];
  for (const [type, body] of requests) {
    const packet = { dialect: "v1", type, ...body } as V1Packet, { length } = encode(packet);
    for (const bytes of [length, length - 13]) {
      room.room.receive(packet, peerOf(A), room.now, bytes);
      const answered = room.delivery.take().reduce((sum, { bytes }) => sum + bytes.length, 0);
      assertLessOrEqual(answered, 3 * bytes, `${type} of ${bytes} bytes`);
    }
  }
  assertEquals(room.datagram(A, "GREETING/1 id=1"), [], "too short for any answer");
  assertEquals(outline(room.datagram(A, "GREETING/1 id=1000000000")), [`${A} RETRY`]);
});

Deno.test("room: a v1 greeting forged from a classic member's address does not affect the member", () => {
  const left: string[] = [];
  const room = new FakeRoom({
    observer: { left: ({ address, dialect }, how) => left.push(`${address} ${dialect} ${how}`) },
  });
  room.datagram(A, "GREETING\n");
  room.datagram(B, "GREETING");
  const forged = [
    () => room.v1(A, "GREETING", { id: 1 }),
    () => room.v1(A, "GREETING", { id: 2, token: "0123456789abcdef" }),
    () => room.v1(A, "SIGN-IN", { id: 3, name: "Mallory" }),
    () => room.v1(A, "GREETING", { id: 4, token: room.join(C, "Carol").token }),
    () => room.v1(A, "SIGN-IN", { id: 5, token: room.join(D, "Dora").token, name: "Dora" }),
  ];
  for (const forge of forged) {
    forge();
    const heard = to(room.datagram(B, "MESSAGE to you"), A).map(textOf);
    assertEquals(heard.filter((text) => !text.startsWith("INCOMING/1 ")), [`INCOMING <From ${B}>: to you\n`]);
    assertEquals(textOf(to(room.datagram(A, "MESSAGE to you too"), B)[0]), `INCOMING <From ${A}>: to you too`);
    assertEquals(left, []);
  }
});

Deno.test("room: a classic member becomes a v1 member when it greets with its cookie", () => {
  const left: string[] = [];
  const room = new FakeRoom({
    observer: { left: ({ address, dialect }, how) => left.push(`${address} ${dialect} ${how}`) },
  });
  room.datagram(A, "GREETING");
  room.datagram(B, "GREETING");
  const cookie = room.cookie(A), token = "00000000000000aa";
  room.settle();
  assertEquals(left, []);
  room.greet(A, { id: 2, token, cookie: room.cookie(A) });
  assertEquals([left, room.room.size, room.cookie(B) === cookie], [[`${A} classic upgrade`], 2, false]);
  assertEquals(room.datagram(A, "MESSAGE a bare word is ignored now"), []);
  room.pass(5000);
  const sent = room.datagram(B, "MESSAGE x");
  assertEquals(to(sent, A).map((datagram) => textOf(datagram).split(" ")[0]), ["INCOMING/1"]);
});

Deno.test("room: a forged greeting costs one answer: nobody joins, and nobody is kept out for long", () => {
  const joined: string[] = [];
  const room = new FakeRoom({ observer: { joined: ({ address, dialect }) => joined.push(`${address} ${dialect}`) } });
  const bob = room.join(B, "Bob");
  room.settle();
  joined.length = 0;
  for (let i = 1; i <= 1000; i++) {
    assertEquals(outline(room.v1(forged(i), "GREETING", { id: 1 })), [`${forged(i)} RETRY`]);
  }
  assertEquals(outline(room.v1(A, "SIGN-IN", { id: 1, name: "Mallory" })), [`${A} RETRY`]);
  assertEquals([joined, room.room.size, room.room.nextWake! > room.now], [[], 1, true]);
  // the forged addresses get no presence and no messages, and nobody finds them
  assertEquals(outline(room.pass(1000)), []);
  assertEquals(outline(room.say(B, bob.token, 1, "x")), [`${B} INCOMING`]);
  assertEquals(one(room.v1(B, "LOOKUP", { id: 2, token: bob.token, name: "Mallory" }), "ERROR").code, "no-such-user");
  assertEquals(one(room.v1(B, "LIST", { id: 3, token: bob.token }), "USERS").unnamed, 0);
  // classic packets of a v1 client are ignored at first, because it sends the same in version 1
  assertEquals([room.datagram(A, "GREETING"), room.datagram(A, "MESSAGE x")], [[], []]);
  room.pass(5000);
  room.datagram(A, "GREETING");
  assertEquals(joined, [`${A} classic`]);
  assertEquals(to(room.datagram(A, "MESSAGE I am real"), A).map(textOf), [`INCOMING <From ${A}>: I am real`]);
});

Deno.test("room: answers to classic packets have a rate limit, so that a forged address gets no flood", () => {
  const room = new FakeRoom();
  for (let i = 1; i <= 100; i++) room.join(forged(i), `Student_${i}`);
  room.datagram(A, "GREETING");
  const answers = { LIST: 0, "SIGN-IN Alice": 0 };
  for (let i = 0; i < 1000; i++) {
    for (const word of ["LIST", "SIGN-IN Alice"] as const) answers[word] += room.datagram(A, word).length;
  }
  assertEquals(answers.LIST + answers["SIGN-IN Alice"], 20);
  room.pass(1000);
  assertEquals(room.datagram(A, "LIST").length, 1);
});

Deno.test("room: a classic datagram that becomes many messages counts as many", () => {
  const room = new FakeRoom({ rate: { rate: 20, burst: 40 } });
  room.datagram(A, "GREETING");
  let said = 0;
  for (let i = 0; i < 40; i++) said += room.datagram(A, `MESSAGE ${"x".repeat(4000)}`).length;
  assertEquals(said, 40);
});

Deno.test("room: a crowd that falls silent at once is removed in portions, each member checked about once", () => {
  const crowd = 100_000;
  let left = 0;
  const room = new FakeRoom({ observer: { left: () => left++ } });
  for (let i = 0; i < crowd; i++) {
    room.join(forged(i));
  }
  assertEquals(room.room.size, crowd);
  // the arrivals are announced, but the fake delivery does not keep the packets
  room.delivery.broadcast = () => {};
  room.pass(59_999);
  const start = room.now;
  let wakes = 0, largest = 0;
  while (room.room.size > 0) {
    assert(++wakes <= crowd / 1000 + 50, `${room.room.size} are left after ${wakes} wakes`);
    room.now = Math.max(room.now, Math.ceil(room.room.nextWake!));
    const before = left;
    room.room.wake(room.now);
    largest = Math.max(largest, left - before);
  }
  assertEquals([left, largest], [crowd, 1000]);
  assertLessOrEqual(room.now - start, 1, "one portion follows the other without a pause");
});

Deno.test("room: packets are handled between two portions of a crowd that is removed", () => {
  const room = new FakeRoom();
  for (let port = 1; port <= 3000; port++) room.join(`10.0.0.1:${port}`);
  room.delivery.broadcast = () => {};
  room.pass(59_999);
  room.now++;
  room.room.wake(room.now);
  assertEquals([room.room.size, room.room.nextWake], [2000, room.now]);
  const welcome = room.join(A);
  room.room.wake(room.now);
  room.room.wake(room.now);
  assertEquals(room.room.size, 1);
  assertEquals(one(room.v1(A, "LIST", { id: 1, token: welcome.token }), "USERS").unnamed, 1);
});

/** A room in which one member has said this many messages. */
function talkative(messages: number) {
  const room = new FakeRoom();
  const { token, epoch } = room.join(A, "Alice");
  for (let id = 1; id <= messages; id++) room.say(A, token, id, `${id}`);
  return { room, token, epoch };
}

Deno.test("room: requests for more than 500 datagrams a second are ignored and counted", () => {
  const { room, token, epoch } = talkative(200);
  const other = room.join(B);
  const flood = () => {
    let datagrams = 0;
    for (let i = 0; i < 100; i++) datagrams += room.v1(A, "RESEND", { token, epoch, from: 1, to: 100 }).length;
    return datagrams;
  };
  assertEquals([flood(), ignoredBy(room.room)], [1000, { "fast-requests": 90 }]);
  assertEquals(flood(), 0);
  assertEquals(room.v1(A, "LIST", { id: 1, token }), []);
  assertEquals(room.v1(A, "LOOKUP", { id: 1, token, name: "Alice" }), []);
  assertEquals(ignoredBy(room.room), { "fast-requests": 192 });
  // other members are still answered, and requests that are ignored still show that the member is alive
  assertEquals(all(room.v1(B, "RESEND", { token: other.token, epoch, from: 1, to: 100 }), "INCOMING").length, 100);
  assertEquals(one(room.say(A, token, 201, "x").slice(0, 1), "INCOMING").text, "x");
  room.pass(1000);
  assertEquals(flood(), 500, "a second later there are as many again");
});

Deno.test("room: a request costs as many tokens as its answer takes datagrams: LIST one, LOOKUP two", () => {
  const { room, token } = talkative(1);
  const answered = (ask: (id: number) => number) =>
    Array.from({ length: 1200 }, (_, i) => ask(i)).filter(Boolean).length;
  assertEquals(answered((id) => room.v1(A, "LIST", { id, token }).length), 1000);
  assertEquals(room.v1(A, "LOOKUP", { id: 1, token, name: "Alice" }), []);
  room.pass(1000);
  assertEquals(answered((id) => room.v1(A, "LOOKUP", { id, token, name: "Alice" }).length), 250);
  assertEquals(room.v1(A, "LIST", { id: 1, token }), []);
});

Deno.test("room: a classic text that its sender has no token for is not looked at", () => {
  const room = new FakeRoom({ rate: { rate: 1, burst: 2 } });
  room.datagram(A, "GREETING");
  let looks = 0;
  const packet = {
    dialect: "classic",
    type: "MESSAGE",
    get text() {
      looks++;
      return "x".repeat(4000);
    },
  } as const;
  for (let i = 0; i < 100; i++) room.room.receive(packet, peerOf(A), room.now, 4008);
  // the first had five parts, of which two could be taken
  assertEquals([room.delivery.take().length, looks, ignoredBy(room.room)], [2, 1, { "fast-messages": 100 }]);
  room.pass(1000);
  room.room.receive(packet, peerOf(A), room.now, 4008);
  assertEquals([room.delivery.take().length, looks], [1, 2]);
});

Deno.test("room: RESEND of events that do not exist costs nothing", () => {
  const { room, token, epoch } = talkative(3);
  for (let i = 0; i < 5000; i++) assertEquals(room.v1(A, "RESEND", { token, epoch, from: 900, to: 2 ** 40 }), []);
  assertEquals(all(room.v1(A, "RESEND", { token, epoch, from: 1, to: 3 }), "INCOMING").length, 3);
});

Deno.test("room: a member that loses 30% of what it is sent gets every message and is never refused", () => {
  const network = new FakeNetwork({ seed: 5, down: { drop: 0.3 } });
  const [alice, bob] = [network.connect({ name: "Alice" }), network.connect({ name: "Bob" })];
  network.passUntil(() => [alice, bob].every(({ session }) => session.state === "joined"));
  const texts: string[] = [];
  for (let i = 1; i <= 2000; i++) {
    texts.push(`text ${i}`);
    alice.say(texts[i - 1]);
    network.pass(5);
  }
  const passed = network.passUntil(() => bob.texts.length === texts.length);
  assert(passed !== undefined && passed < 3000, `Bob has ${bob.texts.length} after ${passed} ms`);
  assertEquals(bob.texts, texts);
  assertGreater(bob.session.statistics.repaired, 300);
  assertEquals(ignoredBy(network.room!), {});
});
