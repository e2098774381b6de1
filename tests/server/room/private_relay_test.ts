/** Private messages between version 1 members through the server, and what a hostile member can't do with them. */
import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual, assertMatch } from "@std/assert";
import fc from "fast-check";
import { encode, MAX_AGE_MS, MAX_DATAGRAM_BYTES, MAX_TEXT_BYTES } from "../../../protocol.ts";
import { byteLength } from "../../../protocol/utf8.ts";
import { explain } from "../../../server/ignored_words.ts";
import { Ignored } from "../../../server/room/ignored.ts";
import type { RoomOptions } from "../../../server/room/room_options.ts";
import { type Sent, textOf } from "../../support/fake_delivery.ts";
import { all, FakeRoom, ignoredBy, one, OTHER_STREAM, outline, STREAM, to, type V1 } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

const ALICE = "10.0.0.7:1001", BOB = "10.0.0.8:1002", CAROL = "[2001:db8::9]:1003";

type Relayed = V1<"RELAY">["packet"];

/** A member of a {@linkcode RelayRoom}. */
interface Somebody {
  address: string;
  token: string;
}

/** A room with Alice and Bob. */
class RelayRoom extends FakeRoom {
  readonly alice: Somebody;
  readonly bob: Somebody;
  readonly pairPass: string;

  constructor(options?: RoomOptions & { ignored?: Ignored }) {
    super(options);
    this.alice = this.member(ALICE, "Alice");
    this.bob = this.member(BOB, "Bob");
    this.pairPass = this.passOf(this.alice, BOB);
  }

  member(address: string, name?: string): Somebody {
    const { token } = this.join(address, name);
    return { address, token };
  }

  passOf({ address: from, token }: Somebody, address: string): string {
    return one(this.v1(from, "LOOKUP", { id: 9, token, address }), "PEER").pass!;
  }

  relay({ address: from, token }: Somebody, address: string, packet: Relayed): Sent[] {
    return this.v1(from, "RELAY", { token, address, packet });
  }

  message(id: number, text = "hi", fields: Partial<V1<"MESSAGE">> = {}): Relayed {
    return { dialect: "v1", type: "MESSAGE", pass: this.pairPass, stream: STREAM, id, text, ...fields } as Relayed;
  }

  ack(id: number, pass = this.pairPass): Relayed {
    return { dialect: "v1", type: "ACK", pass, stream: STREAM, id };
  }
}

Deno.test("private relay: a message is passed on as it is, with its sender, and the acknowledgement the same way back", () => {
  const room = new RelayRoom();
  const packet = room.message(3, "This one takes the long way.", { first: 2, age: 1004, action: true });
  const sent = room.relay(room.alice, BOB, packet), { token } = room.bob;
  assertEquals(outline(sent), [`${BOB} RELAY`]);
  assertEquals(one(sent, "RELAY"), { dialect: "v1", type: "RELAY", token, address: ALICE, name: "Alice", packet });
  const back = room.relay(room.bob, ALICE, room.ack(3));
  assertEquals(outline(back), [`${ALICE} RELAY`]);
  // an ACK needs no name
  const { alice: { token: alice } } = room, ack = room.ack(3);
  const relay = { dialect: "v1", type: "RELAY", token: alice, address: BOB, name: undefined, packet: ack } as const;
  assertEquals(one(back, "RELAY"), relay);
  assertEquals([room.room.statistics.messages, ignoredBy(room.room)], [0, {}]);
});

Deno.test("private relay: the longest packet fits, and leaves no longer than it came but for its sender's address and name", () => {
  const address = "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%enp0s31f6.1000a]:65535", name = "𠀀".repeat(32);
  const room = new RelayRoom(), longest = room.member(address, name), id = Number.MAX_SAFE_INTEGER;
  const pass = room.passOf(longest, BOB), fields = { pass, first: id - 1, age: MAX_AGE_MS, action: true };
  const packet = room.message(id, "x".repeat(MAX_TEXT_BYTES), fields);
  const { packet: relayed, bytes: { length } } = room.relay(longest, BOB, packet)[0];
  assertEquals((relayed as V1<"RELAY">).packet, packet);
  assertLessOrEqual(length, MAX_DATAGRAM_BYTES);
  const came = encode({ dialect: "v1", type: "RELAY", token: longest.token, address: BOB, packet }).length;
  assertEquals(length, came + byteLength(address) - BOB.length + byteLength(` name=${name}`));
});

Deno.test("private relay: an ACK without a stream, which only a check of the direct way has, is not passed on", () => {
  const room = new RelayRoom(), head = `RELAY/1 token=${room.bob.token} address=${ALICE}\nACK/1 pass=${room.pairPass}`;
  room.relay(room.alice, BOB, room.message(1));
  assertEquals(outline(room.datagram(BOB, `${head} stream=${STREAM} id=7`)), [`${ALICE} RELAY`]);
  assertEquals(room.datagram(BOB, `${head} id=7`), []);
});

Deno.test("private relay: the shortest leaves at most three times as long, whatever its sender is called", () => {
  const address = "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%enp0s31f6.1000a]:65535", near = "1.1.1.1:1";
  const room = new RelayRoom(), longest = room.member(address, "𠀀".repeat(32)), { token } = longest;
  room.member(near);
  const pass = room.passOf(longest, near);
  const text = `RELAY/1 token=${token} address=${near}\nMESSAGE/1 pass=${pass} stream=${STREAM} id=1\nx`;
  const sent = room.datagram(address, text);
  assertEquals(outline(sent), [`${near} RELAY`]);
  assertLessOrEqual(sent[0].bytes.length, 3 * text.length);
});

Deno.test("private relay: an ACK is passed on to whoever has written through the server only", () => {
  const ignored = new Ignored(), room = new RelayRoom({ ignored });
  const acks = [room.ack(1), room.ack(7)];
  const what = new TextEncoder().encode("RELAY/1");
  for (const packet of acks) {
    assertEquals(room.relay(room.bob, ALICE, packet), []);
    assertMatch(explain(ignored.last!, { address: BOB, what }), /^it is an ACK\/1 for somebody/);
  }
  room.relay(room.alice, BOB, room.message(1));
  for (const packet of acks) assertEquals(one(room.relay(room.bob, ALICE, packet), "RELAY").packet, packet);
  // and not the other way
  assertEquals(room.relay(room.alice, BOB, room.ack(1)), []);
  room.relay(room.bob, ALICE, room.message(1));
  assertEquals(outline(room.relay(room.alice, BOB, room.ack(1))), [`${BOB} RELAY`]);
});

Deno.test("private relay: one follows its receiver to another address only if its sender names that", () => {
  const room = new RelayRoom();
  room.move(CAROL, room.bob.token, "Bob");
  assertEquals(room.relay(room.alice, BOB, room.message(1)), []);
  // the pass is still that of the two
  assertEquals(outline(room.relay(room.alice, CAROL, room.message(1))), [`${CAROL} RELAY`]);
  room.move(BOB, OTHER_STREAM, "Eve");
  assertEquals(room.relay(room.alice, BOB, room.message(1)), []);
});

Deno.test("private relay: where one sends datagrams and another has a connection, the pass says whom it is for", () => {
  const room = new RelayRoom(), key = `tcp ${BOB}`;
  room.room.connected(peerOf(key), room.now);
  room.room.receiveLine("/name Tim", peerOf(key), room.now);
  room.delivery.take();
  const { address, token } = room.alice;
  const { pass } = one(room.v1(address, "LOOKUP", { id: 1, token, name: "Tim" }), "PEER");
  assertEquals(outline(room.relay(room.alice, BOB, room.message(1))), [`${BOB} RELAY`]);
  assertEquals(outline(room.relay(room.alice, BOB, room.message(1, "hi", { pass }))), [
    `${key} INCOMING`,
    `${ALICE} RELAY`,
  ]);
});

Deno.test("private relay: for a classic member the server takes it, whether datagrams reach it or not, and acknowledges it", () => {
  for (const zoe of ["127.0.0.1:6", "10.0.0.6:6"]) {
    const room = new RelayRoom();
    room.datagram(zoe, "SIGN-IN Zoe");
    const pass = room.passOf(room.alice, zoe), say = (id: number) => room.message(id, `\x1b[2J ${id}`, { pass });
    const sent = room.relay(room.alice, zoe, say(1));
    assertEquals(to(sent, zoe).map(textOf), [`INCOMING <- <From ${ALICE}:Alice> (through the server): ?[2J 1\n`]);
    assertEquals(one(sent, "RELAY").packet, room.ack(1, pass));
    // once, and in order
    assertEquals(outline(room.relay(room.alice, zoe, say(1))), [`${ALICE} RELAY`]);
    assertEquals(outline(room.relay(room.alice, zoe, room.message(3, "c", { pass, first: 2 }))), [`${ALICE} RELAY`]);
    assertEquals(to(room.relay(room.alice, zoe, say(2)), zoe).length, 2);
    assertEquals(room.relay(room.alice, zoe, room.ack(1, pass)), []);
  }
});

Deno.test("private relay: a new message costs as much as one to all, a repeat and an ACK only a request", () => {
  const room = new RelayRoom({ rate: { rate: 10, burst: 10 } });
  const passed = (ids: number[]) => ids.filter((id) => room.relay(room.alice, BOB, room.message(id)).length > 0);
  const ids = Array.from({ length: 30 }, (_, i) => i + 1);
  assertEquals(passed(ids), ids.slice(0, 10));
  assertEquals(ignoredBy(room.room), { "fast-messages": 20 });
  assertEquals(outline(room.say(ALICE, room.alice.token, 1, "to all", OTHER_STREAM)), []);
  assertEquals(passed(ids), ids.slice(0, 10));
  assertEquals(outline(room.relay(room.bob, ALICE, room.ack(1))), [`${ALICE} RELAY`]);
  room.pass(1000);
  assertEquals(passed(ids), ids.slice(0, 19));
});

Deno.test("private relay: one that is repeated without end costs again after 30 repeats, to a connection too", () => {
  const room = new RelayRoom({ rate: { rate: 0.001, burst: 3 } }), tim = "10.0.0.6:6";
  room.room.connected(peerOf(`tcp ${tim}`), room.now);
  const toTim = room.passOf(room.alice, tim);
  const passed = (address: string, pass: string) => {
    let count = 0;
    for (let i = 0; i < 200; i++, room.pass(100)) {
      count += room.relay(room.alice, address, room.message(1, "x", { pass })).filter(({ packet }) =>
        packet.type === "RELAY"
      ).length;
    }
    return count;
  };
  assertEquals([passed(BOB, room.pairPass), passed(tim, toTim)], [3 * 31, 0]);
  room.pass(1_000_000);
});

Deno.test("private relay: a server that passes nothing on ignores them, and says why", () => {
  const ignored = new Ignored(), room = new RelayRoom({ relay: false, ignored });
  assertEquals(room.relay(room.alice, BOB, room.message(1)), []);
  assertEquals(room.relay(room.alice, BOB, room.ack(1)), []);
  assertEquals(ignoredBy(room.room), { "no-relay": 2 });
  const what = new TextEncoder().encode("RELAY/1");
  assertMatch(explain(ignored.last!, { address: ALICE, what }), /--no-relay/);
});

Deno.test("private relay: without the pass of the two, a token at home or a member there, nothing is passed on", () => {
  const room = new RelayRoom(), carol = room.member(CAROL, "Carol");
  room.datagram("10.0.0.6:6", "SIGN-IN Zoe");
  const alicesToCarol = room.passOf(room.alice, CAROL), carolsToBob = room.passOf(carol, BOB);
  const send = (from: Somebody, address: string, pass: string) =>
    [room.message(1, "x", { pass }), room.ack(1, pass)].flatMap((packet) => outline(room.relay(from, address, packet)));
  assertEquals(send(room.alice, BOB, alicesToCarol), []);
  // she has seen the pass of others, or guesses one
  for (const pass of [room.pairPass, alicesToCarol, "0123456789abcdef"]) assertEquals(send(carol, BOB, pass), []);
  for (const address of [ALICE, "10.9.9.9:9", "10.0.0.6:6"]) assertEquals(send(carol, address, carolsToBob), []);
  // another's token from her address, and hers from another's
  assertEquals(send({ address: CAROL, token: room.alice.token }, BOB, room.pairPass), []);
  assertEquals(send({ address: ALICE, token: carol.token }, BOB, carolsToBob), []);
  // from a classic member's address, and from who is nobody
  for (const address of ["10.0.0.6:6", "10.6.6.6:6"]) {
    assertEquals(send({ address, token: carol.token }, BOB, carolsToBob), [`${address} ERROR`, `${address} ERROR`]);
  }
  room.v1(BOB, "LEAVE", { id: 3, token: room.bob.token });
  assertEquals(send(carol, BOB, carolsToBob), []);
});

Deno.test("private relay: what may not be in an envelope is no packet", () => {
  const room = new RelayRoom(), { token } = room.alice;
  const inner = `MESSAGE/1 pass=${room.pairPass} stream=${STREAM} id=1\nhi`;
  const send = (packet: string) => room.datagram(ALICE, `RELAY/1 token=${token} address=${BOB}\n${packet}`);
  assertEquals(outline(send(inner)), [`${BOB} RELAY`]);
  const forged = [
    `RELAY/1 token=${token} address=${BOB}\n${inner}`,
    inner.replace(" stream", ` token=${room.bob.token} stream`),
    inner.replace(/pass=\S+ /, ""),
    `PUNCH/1 token=${token} address=${ALICE} pass=${room.pairPass}`,
    `OPEN/1 pass=${room.pairPass} id=1`,
    inner.replace("hi", "x".repeat(MAX_TEXT_BYTES + 1)),
    "",
  ];
  for (const packet of forged) assertEquals(send(packet), [], packet);
  assertEquals(ignoredBy(room.room), { "no-packet": forged.length });
});

Deno.test("private relay: to oneself it comes back once", () => {
  const room = new RelayRoom(), pass = room.passOf(room.alice, ALICE);
  assertEquals(outline(room.relay(room.alice, ALICE, room.message(1, "note", { pass }))), [`${ALICE} RELAY`]);
});

Deno.test("private relay: whatever is in an envelope, at most one packet leaves, for whom it names, and hardly longer", () => {
  const zoe = "127.0.0.1:6", hex = fc.constantFrom(STREAM, OTHER_STREAM);
  const envelope = fc.record({
    isAck: fc.boolean(),
    stream: hex,
    id: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(Number.MAX_SAFE_INTEGER)),
    text: fc.string({ minLength: 1 }),
    from: fc.constantFrom(0, 1, 2),
    address: fc.constantFrom(ALICE, BOB, CAROL, zoe, "10.9.9.9:9"),
    passOf: fc.constantFrom(ALICE, BOB, CAROL, zoe),
    leaves: fc.constantFrom(undefined, undefined, undefined, undefined, 0, 1, 2),
  });
  fc.assert(
    fc.property(fc.array(envelope, { maxLength: 60 }), (envelopes) => {
      const room = new RelayRoom(), members = [room.alice, room.bob, room.member(CAROL, "Carol")];
      room.datagram(zoe, "SIGN-IN Zoe");
      const passes = members.map((member) =>
        new Map([ALICE, BOB, CAROL, zoe].map((address) => [address, room.passOf(member, address)]))
      );
      for (const { isAck, stream, id, text, from, address, passOf, leaves } of envelopes) {
        const pass = passes[from].get(passOf)!, member = members[from];
        const packet = isAck ? { ...room.ack(id, pass), stream } : room.message(id, text, { pass, stream });
        const sent = room.relay(member, address, packet);
        if (passOf !== address) assertEquals(all(sent, "RELAY"), []);
        const relayed = to(sent, address).filter(({ packet }) => packet.type === "RELAY");
        const { length } = encode({ dialect: "v1", type: "RELAY", token: member.token, address, packet });
        assertLessOrEqual(relayed.length, 1);
        for (const { bytes } of relayed) assertLessOrEqual(bytes.length, length + CAROL.length + " name=Carol".length);
        // for Zoe the server answers, and shows what was held too; for others nothing else leaves
        if (address !== zoe && passOf === address) assertLessOrEqual(sent.length, 1);
        if (leaves !== undefined) room.v1(members[leaves].address, "LEAVE", { id: 3, token: members[leaves].token });
      }
      assertEquals(all(room.pass(60_000), "RELAY"), []);
    }),
    { numRuns: 100 },
  );
});

Deno.test("private relay: a crowd that floods one member with envelopes fills nobody's line, and keeps nobody from writing", () => {
  const room = new RelayRoom();
  const crowd = Array.from({ length: 300 }, (_, i) => room.member(`10.1.0.1:${1 + i}`));
  const passes = crowd.map((member) => room.passOf(member, BOB));
  room.pass(10_000);
  let count = 0;
  const delays: number[] = [];
  let id = 1, saidAt = 2000;
  for (let ms = 0; ms < 10_000; ms++) {
    // 2,000 a second, new ones, repeats and ACKs; within the limits of one IP address
    for (const i of [2 * ms % 300, (2 * ms + 1) % 300]) {
      const pass = passes[i], packet = i % 3 === 0 ? room.ack(1, pass) : room.message(1 + ms % (1 + i), "x", { pass });
      count += to(room.relay(crowd[i], BOB, packet), BOB).length;
    }
    // Alice repeats what has not arrived
    if (
      ms >= saidAt && (ms - saidAt) % 100 === 0 && to(room.relay(room.alice, BOB, room.message(id)), BOB).length > 0
    ) {
      delays.push(ms - saidAt);
      [id, saidAt] = [id + 1, ms + 1];
    }
    room.pass(1);
  }
  assertGreater(count, 1000);
  assertLessOrEqual(count, 200 + 10 * 100);
  assertEquals(delays[0], 0);
  // 40 at once, and then 5 a second
  assertGreater(delays.length, 50);
  assertLessOrEqual(Math.max(...delays), 500);
  // and nobody else notices
  const carol = room.member(CAROL, "Carol"), pass = room.passOf(carol, ALICE);
  assertEquals(outline(room.relay(carol, ALICE, room.message(1, "hi", { pass }))), [`${ALICE} RELAY`]);
});

Deno.test("private relay: what one member may not get any more is told apart from what its sender may not ask for", () => {
  const ignored = new Ignored(), room = new RelayRoom({ ignored }), what = new TextEncoder().encode("RELAY/1");
  room.relay(room.bob, ALICE, room.message(1));
  const send = (count: number) => {
    ignored.last = undefined;
    for (let i = 0; i < count; i++) room.relay(room.alice, BOB, room.ack(1));
    return ignored.last && explain(ignored.last, { address: ALICE, what });
  };
  assertEquals(send(140), undefined);
  assertMatch(send(1)!, /^whom it is for gets more private messages/);
  assertMatch(send(1000)!, /^it asks for too much/);
});

Deno.test("private relay: envelopes and ACKs without end from one member are bounded by its requests and the receiver's line", () => {
  const room = new RelayRoom({ rate: { rate: 20, burst: 40 } });
  room.relay(room.bob, ALICE, room.message(1));
  let passed = 0;
  for (let i = 0; i < 20_000; i++) {
    passed += room.relay(room.alice, BOB, i % 2 === 0 ? room.ack(i) : room.message(1 + i)).length;
    if (i % 4 === 0) room.pass(1);
  }
  // for 5 s
  assertLessOrEqual(passed, 200 + 5 * 102);
  assertLess(15_000, ignoredBy(room.room)["fast-requests"]!);
});

Deno.test("private relay: to thousands of addresses one member sends no more than it may ask for", () => {
  const room = new RelayRoom({ rate: { rate: 20, burst: 40 } });
  const others = Array.from({ length: 2000 }, (_, i) => `10.2.${i >> 8}.${i & 255}:9`);
  const passes = new Map<string, string>();
  for (const address of others) {
    const other = room.member(address), pass = room.passOf(room.alice, address);
    passes.set(address, pass);
    room.relay(other, ALICE, room.message(1, "x", { pass }));
    room.pass(5);
  }
  room.pass(10_000);
  const reached = others.filter((address) => {
    const pass = passes.get(address)!;
    return [room.message(1, "x", { pass }), room.ack(1, pass)].some((packet) =>
      to(room.relay(room.alice, address, packet), address).length > 0
    );
  });
  assertLess(reached.length, 500);
  // and to addresses at which nobody is it gets nothing at all
  room.pass(10_000);
  const nobody = Array.from({ length: 2000 }, (_, i) => `10.9.${i >> 8}.${i & 255}:9`);
  assertEquals(nobody.flatMap((address) => room.relay(room.alice, address, room.message(1))), []);
  assert(ignoredBy(room.room)["not-joined"]! <= 501);
});
