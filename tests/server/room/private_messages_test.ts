/** Private messages between version 1 members and members that have a connection, which pass through the server. */
import { assert, assertEquals, assertLess, assertLessOrEqual, assertMatch } from "@std/assert";
import fc from "fast-check";
import { encode, type V1Packet } from "../../../protocol.ts";
import { byteLength } from "../../../protocol/utf8.ts";
import { explain } from "../../../server/ignored_words.ts";
import { Ignored } from "../../../server/room/ignored.ts";
import { type Sent, textOf } from "../../support/fake_delivery.ts";
import { all, FakeRoom, ignoredBy, one, OTHER_STREAM, outline, STREAM, to, type V1 } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";
import { ALICE, BOB, CAROL, PrivateRoom, read, type Relayed, tcp, textsIn, TIM } from "../../support/private_room.ts";
import { messageIn } from "../../support/packets.ts";

Deno.test("private messages: who has a connection is reached through the server, and PEER says so", () => {
  const room = new PrivateRoom();
  const sent = room.v1(ALICE, "LOOKUP", { id: 9, token: room.alice, name: "bob" });
  assertEquals(outline(sent), [`${ALICE} PEER`]);
  const { address, relay, transport, pass } = one(sent, "PEER");
  assertEquals([address, relay, transport, pass], [BOB, true, "tcp", room.pairPass]);
  const byAddress = one(room.v1(ALICE, "LOOKUP", { id: 9, token: room.alice, address: BOB }), "PEER");
  assertEquals([byAddress.relay, byAddress.transport, byAddress.pass], [true, "tcp", room.pairPass]);
  const { token } = room.join(CAROL, "Carol");
  const { relay: direct, transport: none } = room.lookUp("Carol");
  assertEquals([direct, none], [false, undefined]);
  assert(room.lookUp("Bob", CAROL, token).pass !== room.pairPass, "each pair has its own");
});

Deno.test("private messages: one to a connection is shown once, marked as such, and acknowledged the same way", () => {
  const room = new PrivateRoom();
  const sent = room.relay(room.message(1, "hi \x1b[2J"));
  assertEquals(read(sent), [`<- <From ${ALICE}:Alice> (through the server): hi ?[2J`]);
  const ack: Relayed = { dialect: "v1", type: "ACK", pass: room.pairPass, stream: STREAM, id: 1 };
  assertEquals(one(sent, "RELAY"), { dialect: "v1", type: "RELAY", token: room.alice, address: BOB, packet: ack });
  assertEquals(outline(sent), [`${tcp(BOB)} INCOMING`, `${ALICE} RELAY`]);
  assertEquals(outline(room.relay(room.message(1, "hi"))), [`${ALICE} RELAY`]);
  assertEquals(read(room.relay(room.message(2, "waves", { action: true }))), [
    `<- <From ${ALICE}:Alice> (through the server): * Alice waves`,
  ]);
  assertEquals(room.room.statistics.messages, 0);
});

Deno.test("private messages: those to a connection come in order; one that nobody waits for any more is skipped", () => {
  const room = new PrivateRoom();
  assertEquals(outline(room.relay(room.message(3, "c", { first: 1 }))), []);
  assertEquals(outline(room.relay(room.message(2, "b", { first: 1 }))), []);
  const texts = (sent: Sent[]) => read(sent).map((line) => line.at(-1));
  const sent = room.relay(room.message(1, "a"));
  assertEquals([texts(sent), messageIn(one(sent, "RELAY")).id], [["a", "b", "c"], 3]);
  assertEquals(texts(room.relay(room.message(5, "e"))), ["e"]);
  assertEquals(texts(room.relay(room.message(1, "a", { stream: OTHER_STREAM }))), ["a"]);
  assertEquals(texts(room.relay(room.message(5, "e"))), []);
});

Deno.test("private messages: each line of a long one says whose it is", () => {
  const room = new PrivateRoom();
  room.join(ALICE, "𝒜".repeat(32));
  const forged = "<From 10.0.0.1:1:Teacher>: go home ";
  const lines = read(room.relay(room.message(1, forged.repeat(24) + "x".repeat(16))));
  assertEquals(lines.length, 2);
  for (const line of lines) {
    assert(line.startsWith(`<- <From ${ALICE}:𝒜`), line);
    assertLess(byteLength(line), 1023);
  }
});

Deno.test("private messages: between connections, too, no line of a long one looks like another's", () => {
  const room = new PrivateRoom(), from = "[fe80::ffff:ffff:ffff:ffff%enp0s31f6.100aa]:52207", name = "𠀀".repeat(32);
  room.connect(from, name);
  const text = `${"x".repeat(600)} <From\u{a0}10.0.0.1:5555:Teacher>:\u{a0}go\u{a0}home`.padEnd(850, ".");
  const sent = room.type(from, `/send Bob ${text}`);
  const shown = read(sent);
  assertEquals([shown.length, read(sent, from).length], [2, 1]);
  for (const line of shown) {
    assert(line.startsWith(`<- <From ${from}:${name}> (through the server): `), line);
    assertLess(byteLength(line), 1023);
  }
});

Deno.test("private messages: with a wrong pass, or to whom there is no such way, nothing happens", () => {
  const room = new PrivateRoom();
  const { token: carol } = room.join(CAROL, "Carol");
  room.connect(TIM, "Tim");
  const wrong = "0123456789abcdef", pair = room.lookUp("Carol").pass!;
  for (const pass of [wrong, pair, room.lookUp("Tim").pass!, room.lookUp("Bob", CAROL, carol).pass!]) {
    assertEquals(room.relay(room.message(1, "x", { pass })), []);
    assertEquals(room.relay({ dialect: "v1", type: "ACK", pass, stream: STREAM, id: 1 }), []);
  }
  // to another version 1 member, to oneself, to nobody
  for (const address of [CAROL, ALICE, TIM, "10.9.9.9:9"]) {
    assertEquals(room.relay(room.message(1, "x"), { address }), []);
  }
  assertEquals(room.relay(room.message(1, "x"), { from: CAROL, token: carol }), []);
  assertEquals(ignoredBy(room.room)["not-joined"], 13);
  const ignored = new Ignored(), other = new FakeRoom({ ignored }), { token } = other.join(ALICE);
  other.v1(ALICE, "RELAY", { token, address: BOB, packet: room.message(1, "x") });
  assertMatch(
    explain(ignored.last!, { address: ALICE, what: new TextEncoder().encode("RELAY/1") }),
    /^nobody is at the address/,
  );
});

Deno.test("private messages: before somebody is a member it can send none, nor from another address", () => {
  const room = new PrivateRoom();
  const options = { from: "10.6.6.6:6", token: "6666666666666666" };
  for (const from of [options, { from: CAROL }]) {
    const sent = room.relay(room.message(1, "x"), from);
    assertEquals(one(sent, "ERROR").code, "not-joined");
  }
  room.join(CAROL, "Carol");
  assertEquals(room.relay(room.message(1, "x"), { from: CAROL }), []);
  room.v1(ALICE, "LEAVE", { id: 3, token: room.alice });
  assertEquals(outline(room.relay(room.message(1, "x"))), [`${ALICE} ERROR`]);
});

Deno.test("private messages: the next connection from the same address and port is another member, with another pass", () => {
  const room = new PrivateRoom();
  room.relay(room.message(1, "for Bob"));
  room.room.hungUp(peerOf(tcp(BOB)), room.now);
  assertEquals(outline(room.relay(room.message(2, "for Bob"))), []);
  room.connect(BOB, "Eve");
  assertEquals(outline(room.relay(room.message(2, "for Bob"))), []);
  assert(room.lookUp("Eve").pass !== room.pairPass);
});

Deno.test("private messages: a flood of them costs as much as one to everybody, and repeats are free of that", () => {
  const room = new PrivateRoom({ rate: { rate: 10, burst: 10 } });
  let shown = 0;
  for (let id = 1; id <= 30; id++) shown += read(room.relay(room.message(id, "x"))).length;
  assertEquals(shown, 10);
  assertEquals(ignoredBy(room.room), { "fast-messages": 20 });
  assertEquals(outline(room.say(ALICE, room.alice, 1, "to all", OTHER_STREAM)), []);
  assertEquals(outline(room.relay(room.message(10, "x"))), [`${ALICE} RELAY`]);
  room.pass(1000);
  assertEquals(read(room.relay(room.message(11, "x"))).length, 1);
});

Deno.test("private messages: repeats and refused ones without end are bounded by the limit of requests", () => {
  const room = new PrivateRoom();
  room.relay(room.message(1, "x"));
  let answers = 0;
  for (let i = 0; i < 5000; i++) answers += room.relay(room.message(1, "x")).length;
  assertLess(answers, 1000);
  assertLess(4000, ignoredBy(room.room)["fast-requests"]!);
});

Deno.test("private messages: what leaves for a RELAY is never longer than that and one header, and goes to two at most", () => {
  const number = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(fc.array(fc.tuple(number, number, fc.string(), fc.boolean()), { maxLength: 200 }), (all) => {
      const room = new PrivateRoom();
      let arrived = 0, left = 0;
      for (const [one, other, text, isAck] of all) {
        const [first, id] = [one, other].sort((a, b) => a - b), pass = room.pairPass;
        const packet: Relayed = isAck
          ? { dialect: "v1", type: "ACK", pass, stream: STREAM, id }
          : room.message(id, text || "x", { first });
        arrived += encode({ dialect: "v1", type: "RELAY", token: room.alice, address: BOB, packet }).length + 70;
        const sent = room.relay(packet);
        for (const { to: key, bytes } of sent) {
          assert(key === ALICE || key === tcp(BOB));
          // the acknowledgement is no longer than what it answers
          left += key === ALICE ? 0 : bytes.length;
          if (key === ALICE) assertLessOrEqual(bytes.length, arrived);
        }
        assertLessOrEqual(to(sent, ALICE).length, 1);
        assertLessOrEqual(left, arrived);
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("private messages: however many are held for earlier ones, the memory is bounded", () => {
  const room = new PrivateRoom();
  const members = Array.from({ length: 40 }, (_, i) => `10.1.${i}.1:9`);
  for (const [i, address] of members.entries()) {
    const { token } = room.join(address, `Member${i}`);
    const { pass } = room.lookUp("Bob", address, token);
    for (let id = 32; id > 1; id--) {
      room.relay(room.message(id, "held", { pass, first: 1 }), { from: address, token });
    }
  }
  // those that have waited for the longest time make room for 240 others
  assertEquals(ignoredBy(room.room)["queue-full"], Math.ceil(240 / 31));
  // and come again, when Bob may get as many more
  room.pass(7000);
  for (const [i, shown] of [[0, 1], [7, 1], [8, 32], [39, 32]]) {
    const { token } = room.join(members[i], `Member${i}`), { pass } = room.lookUp("Bob", members[i], token);
    const send = (id: number) => room.relay(room.message(id, `${id}`, { pass, first: 1 }), { from: members[i], token });
    assertEquals(read(send(1)).length, shown, `${i}`);
    if (shown === 1) { for (let id = 2; id <= 32; id++) assertEquals(read(send(id)).length, 1, `${i} ${id}`); }
  }
});

Deno.test("private messages: what is held is dropped after 10 s, or when its sender leaves, and then costs nothing again", () => {
  for (const leaves of [false, true]) {
    const room = new PrivateRoom({ rate: { rate: 0.001, burst: 5 } });
    const send = (ids: number[]) =>
      ids.flatMap((id) => read(room.relay(room.message(id, `${id}`, { first: 1 }))).length);
    assertEquals(send([2, 3, 4]), [0, 0, 0]);
    if (leaves) {
      room.v1(ALICE, "LEAVE", { id: 3, token: room.alice });
      room.pass(6000);
      room.move(ALICE, room.alice, "Alice");
    } else room.pass(11_000);
    assertEquals(send([1, 2, 3, 4]), [1, 1, 1, 1], `${leaves}`);
    assertEquals([send([5, 6]), ignoredBy(room.room)["fast-messages"]], [[1, 0], 1]);
  }
});

Deno.test("private messages: one from a connection is repeated until it is acknowledged, and its sender is told", () => {
  const room = new PrivateRoom();
  const sent = room.type(BOB, "/send alice are you there?");
  const relayed = one(sent, "RELAY"), { stream } = messageIn(relayed);
  const packet: Relayed = room.message(1, "are you there?", { stream });
  assertEquals(relayed, { dialect: "v1", type: "RELAY", token: room.alice, address: BOB, name: "Bob", packet });
  assertEquals(outline(sent), [`${ALICE} RELAY`]);
  const begin = room.now, repeats: { again: V1<"RELAY">; age: number }[] = [];
  while (room.now < begin + 2000) {
    repeats.push(...all(room.pass(1), "RELAY").map((again) => ({ again, age: room.now - begin })));
  }
  assertLess(2, repeats.length);
  for (const { again, age } of repeats) {
    assertEquals(again, { ...relayed, packet: room.message(1, "are you there?", { stream, age }) });
  }
  assertEquals(read(room.acknowledge(sent)), ["-> Alice (through the server): are you there?"]);
  assertEquals(textsIn(room.pass(20_000)), []);
  assertEquals(room.acknowledge(sent), []);
});

Deno.test("private messages: those from a connection leave one after the other, and a long one in pieces", () => {
  const room = new PrivateRoom();
  let sent = room.type(BOB, `/send Alice ${"word ".repeat(400)}`);
  room.type(BOB, "/send Alice last");
  const texts: string[] = [], told: string[] = [];
  while (textsIn(sent).length > 0) {
    assertEquals(textsIn(sent).length, 1);
    texts.push(...textsIn(sent));
    sent = room.acknowledge(sent);
    told.push(...read(sent));
  }
  assertEquals(texts.length, 4);
  assertEquals(texts.join(" ").split(/\s+/), [...Array(400).fill("word"), "last"]);
  assertEquals(told.filter((line) => line.startsWith("-> Alice (through the server): ")).length, 4);
});

Deno.test("private messages: one without an answer is given up after 8 s, and few datagrams have left for it", () => {
  const room = new PrivateRoom();
  const sent = room.type(BOB, "/send Alice hello");
  for (let i = 1; i < 10; i++) room.type(BOB, `/send Alice ${i}`);
  sent.push(...room.pass(7900));
  assertEquals(read(sent), []);
  const end = room.pass(200);
  assertEquals(
    read(end),
    [
      "!! Not known to be delivered to Alice (no answer for 8 s): hello",
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((text) => `!! Not delivered to Alice (no answer for 8 s): ${text}`),
    ],
  );
  assertEquals(all(sent, "RELAY").length, 14);
  assertEquals(room.room.nextWake === undefined || all(room.pass(10_000), "RELAY").length === 0, true);
  // a late answer settles nothing, and the next text goes on in the same stream
  assertEquals(room.acknowledge(sent), []);
  const [next] = all(room.type(BOB, "/send Alice again"), "RELAY");
  assertEquals([messageIn(next).stream, messageIn(next).id], [messageIn(all(sent, "RELAY")[0]).stream, 2]);
});

Deno.test("private messages: who gave no answer is sent the next text only four times, until that writes or answers to its sender", () => {
  const room = new PrivateRoom();
  room.connect(TIM, "Tim");
  const relays = (from: string, text: string) => {
    const sent = room.type(from, `/send Alice ${text}`);
    return all([...sent, ...room.pass(8100)], "RELAY").length;
  };
  assertEquals([relays(BOB, "1"), relays(BOB, "2")], [14, 4]);
  // she may ignore Bob alone
  assertEquals([relays(TIM, "3"), relays(TIM, "4")], [14, 4]);
  // what has nothing to do with it shows nothing
  room.v1(ALICE, "LIST", { id: 1, token: room.alice });
  room.join(CAROL, "Carol");
  for (const [name, address] of [["Tim", TIM], ["Carol", CAROL]]) {
    const sent = room.relay(room.message(1, "hi", { pass: room.lookUp(name).pass }), { address });
    assertLess(0, sent.length);
  }
  assertEquals([relays(BOB, "still 4"), relays(TIM, "5")], [4, 14]);
  room.relay(room.message(1, "hi"));
  assertEquals([relays(BOB, "6"), relays(BOB, "7")], [14, 4]);
  room.acknowledge(room.type(BOB, "/send Alice 8"));
  assertEquals([relays(BOB, "9"), relays(TIM, "10")], [14, 4]);
});

Deno.test("private messages: however many write to one member, few datagrams leave for it, and all texts in turn", () => {
  const room = new PrivateRoom(), senders = Array.from({ length: 500 }, (_, i) => `10.1.0.${i % 250}:${1000 + i}`);
  for (const address of senders) room.connect(address, `U${address.split(":")[1]}`);
  room.settle();
  const texts = new Set<string>();
  let count = 0;
  const note = (sent: Sent[]) => {
    count += all(sent, "RELAY").length;
    for (const text of textsIn(sent)) texts.add(text);
  };
  for (const address of senders) for (let i = 0; i < 32; i++) note(room.type(address, `/send Alice ${address} ${i}`));
  assertEquals(count, 200);
  for (let second = 1; second <= 30; second++) {
    note(room.pass(1000));
    assertLessOrEqual(count, 200 + 101 * second);
  }
  // the first text of each has been under way
  assertEquals(texts.size, 500);
});

Deno.test("private messages: a repeat costs its sender as much as any other answer", () => {
  const room = new PrivateRoom();
  for (let i = 0; i < 32; i++) room.join(`10.2.0.${i}:9`, `V${i}`);
  room.settle();
  for (let i = 0; i < 32; i++) room.type(BOB, `/send V${i} hello`);
  let answers = 0, repeats = 0;
  for (let ms = 0; ms < 4000; ms++) {
    while (room.hand(BOB, "/list").pause === 0) answers++;
    repeats += all(room.pass(1), "RELAY").length;
  }
  assertLess(100, repeats);
  assertLess(Math.abs(answers + repeats - 3000), 4);
});

Deno.test("private messages: one whose receiver leaves is not delivered; one whose sender leaves is forgotten", () => {
  const room = new PrivateRoom();
  room.type(BOB, "/send Alice hello");
  room.type(BOB, "/send Alice and bye");
  room.v1(ALICE, "LEAVE", { id: 3, token: room.alice });
  assertEquals(read(room.pass(1000)).filter((line) => line.startsWith("!!")), [
    "!! Not known to be delivered to Alice (has left): hello",
    "!! Not delivered to Alice (has left): and bye",
  ]);
  const { token } = room.join(CAROL, "Carol");
  const sent = room.type(BOB, "/send Carol hello");
  const { pass, stream } = messageIn(one(sent, "RELAY"));
  room.room.hungUp(peerOf(tcp(BOB)), room.now);
  assertEquals(all(room.pass(10_000), "RELAY"), []);
  room.connect(BOB, "Bob");
  assertEquals(room.relay({ dialect: "v1", type: "ACK", pass, stream, id: 1 }, { from: CAROL, token }), []);
});

Deno.test("private messages: one follows its receiver to another address", () => {
  const room = new PrivateRoom();
  room.type(BOB, "/send Alice hello");
  room.move("10.0.5.5:5", room.alice, "Alice");
  assertLess(0, to(room.pass(1000), "10.0.5.5:5").filter(({ packet }) => packet.type === "RELAY").length);
});

Deno.test("private messages: a member types no faster than it may speak, and no line is lost", () => {
  const room = new PrivateRoom({ rate: { rate: 10, burst: 10 } });
  room.connect(TIM, "Tim");
  const heard: string[] = [];
  let pauses = 0;
  for (let i = 1; i <= 30;) {
    const { pause, sent } = room.hand(BOB, `/send Tim ${i}`);
    heard.push(...read(sent, TIM));
    if (pause === 0) i++;
    else [room.now, pauses] = [room.now + pause, pauses + 1];
  }
  assertEquals(heard.map((line) => Number(line.split(": ")[1])), Array.from({ length: 30 }, (_, i) => i + 1));
  assertLess(15, pauses);
  // each piece of a long one has its price, and all of it is said at once
  const long = `/send Tim ${"word ".repeat(800)}`;
  const start = room.now, lines: string[] = [];
  for (let pause = 1; pause > 0;) {
    const { pause: next, sent } = room.hand(BOB, long);
    lines.push(...read(sent, TIM));
    room.now += pause = next;
  }
  assertLess(400, room.now - start);
  assertEquals(lines.length, 5);
});

Deno.test("private messages: of one member 32 wait at most, then its next line does", () => {
  const room = new PrivateRoom({ rate: { rate: 0, burst: 0 } });
  for (let i = 0; i < 32; i++) room.type(BOB, `/send Alice ${i}`);
  const { pause, sent } = room.hand(BOB, "/send Alice 32");
  assertEquals([pause, sent], [100, []]);
  room.pass(9000);
  assertEquals(room.hand(BOB, "/send Alice 32").pause, 0);
});

Deno.test("private messages: to ever new members one has 32 under way, and those that are idle make room", () => {
  const room = new PrivateRoom({ rate: { rate: 0, burst: 0 } });
  const members = Array.from({ length: 100 }, (_, i) => ({ address: `10.1.${i}.1:9`, name: `Member${i}` }))
    .map((member) => ({ ...member, ...room.join(member.address, member.name) }));
  let under = 0, paused = 0;
  for (const { address, token, name } of members) {
    const { pause, sent } = room.hand(BOB, `/send ${name} hello`);
    if (pause > 0) {
      paused++;
      continue;
    }
    const { pass, stream, id } = messageIn(one(sent, "RELAY"));
    // every second one answers
    if (under++ % 2 === 0) continue;
    const ack: Relayed = { dialect: "v1", type: "ACK", pass, stream, id };
    assertEquals(read(room.relay(ack, { from: address, token })).length, 1);
  }
  assertEquals([under, paused], [63, 37]);
});

Deno.test("private messages: of one sender 33 streams are kept; the first to which nothing waits is forgotten", () => {
  const room = new PrivateRoom({ rate: { rate: 0, burst: 0 } });
  const members = Array.from({ length: 34 }, (_, i) => ({ address: `10.1.${i}.1:9`, name: `Member${i}` }))
    .map((member) => ({ ...member, ...room.join(member.address, member.name) }));
  /** Writes to a member; returns the packet, and a function that acknowledges it. */
  const write = (i: number) => {
    const { address, token, name } = members[i];
    const { pass, stream, id } = messageIn(one(room.type(BOB, `/send ${name} hello`), "RELAY"));
    const ack: Relayed = { dialect: "v1", type: "ACK", pass, stream, id };
    return { stream, id, acknowledge: () => read(room.relay(ack, { from: address, token })).length };
  };
  const waits = write(0), second = write(1);
  assertEquals(second.acknowledge(), 1);
  const others = members.slice(2).map((_, i) => {
    const written = write(2 + i);
    assertEquals(written.acknowledge(), 1);
    return written;
  });
  // the 34th has made room for itself at the cost of the second
  assertEquals(waits.acknowledge(), 1);
  const third = write(2), again = write(1);
  assertEquals([third.stream, third.id], [others[0].stream, 2]);
  assertEquals([again.stream === second.stream, again.id], [false, 1]);
  // and that one at the cost of the first, to which nothing waits any more
  assertEquals(write(0).id, 1);
});

Deno.test("private messages: to a classic member one is sent once, and the sender is told that nothing confirms it", () => {
  const room = new PrivateRoom();
  room.datagram("10.0.0.6:6", "SIGN-IN Zoe");
  const sent = room.type(BOB, "/send zoe hi");
  assertEquals(to(sent, "10.0.0.6:6").map(textOf), [`INCOMING <- <From ${BOB}:Bob> (through the server): hi\n`]);
  assertEquals(read(sent), ["-> Zoe (through the server, as a classic program does not confirm): hi"]);
});

Deno.test("private messages: who came in a crowd that nobody was told of is told of when it sends one", () => {
  const room = new PrivateRoom();
  for (let i = 0; i < 13; i++) room.connect(`10.0.0.20:${2000 + i}`);
  room.pass(5000);
  room.type("10.0.0.20:2012", "/send Alice hi");
  const told = all(room.pass(500), "ONLINE").flatMap(({ members }) => members.map(({ address }) => address));
  assertEquals(told, ["10.0.0.20:2012"]);
});

Deno.test("private messages: any packets in a RELAY, from anybody, leave the room as it is", () => {
  const hex = fc.constantFrom(STREAM, OTHER_STREAM, "0000000000000000");
  const packet = fc.record({
    isAck: fc.boolean(),
    stream: hex,
    id: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(Number.MAX_SAFE_INTEGER)),
    first: fc.integer({ min: 1, max: 50 }),
    address: fc.constantFrom(BOB, TIM, ALICE, CAROL, "10.9.9.9:9"),
    isRight: fc.boolean(),
    line: fc.option(fc.constantFrom("/send Alice x", "/send Carol y", "/send Bob z", "quit")),
    pause: fc.nat(2000),
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 100 }), (steps) => {
      const room = new PrivateRoom();
      room.join(CAROL, "Carol");
      room.connect(TIM, "Tim");
      for (const { isAck, stream, id, first, address, isRight, line, pause } of steps) {
        const pass = isRight ? room.pairPass : stream;
        const relayed: V1Packet = isAck
          ? { dialect: "v1", type: "ACK", pass, stream, id }
          : room.message(id, "x", { pass, stream, first: Math.min(first, id) });
        room.relay(relayed as Relayed, { address });
        if (line) room.hand(TIM, line);
        room.pass(pause);
      }
      room.pass(10_000);
      assertEquals(all(room.pass(60_000), "RELAY"), []);
    }),
    { numRuns: 100 },
  );
});
