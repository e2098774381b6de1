/** Direct messages in floods: what is shown, answered and remembered stays bounded, and no peer is kept out. */
import { assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { encode } from "../../../protocol.ts";
import { type FakePeer, type FakePeers, SERVER } from "../../support/fake_peers.ts";
import {
  A,
  B,
  forged,
  guess,
  message,
  pair,
  punch,
  STRANGER,
  stray,
  STREAM,
  texts,
} from "../../support/direct_messages.ts";

Deno.test("direct flood: what has no pass that is known is neither shown nor answered, and nobody is forgotten for it", () => {
  const { net, bob } = pair();
  punch(bob, net.now);
  net.inject(message(1, "once"), A, bob);
  const before = net.wire.length;
  for (let i = 0; i < 20_000; i++) {
    net.inject(stray(1, "spam"), forged(i), bob);
    net.inject(message(1, "spam", guess(i), 1, guess(i)), forged(i), bob);
    net.inject(message(1, "spam", guess(i), 1, guess(1)), A, bob);
  }
  net.inject(message(1, "once"), A, bob);
  assertEquals([texts(bob.shown), bob.transactions.size], [["once"], 0]);
  assertEquals(net.wire.slice(before).map(({ packet, to }) => [packet.type, to]), [["ACK", A]]);
});

Deno.test("direct flood: what has an old pass takes no place either", () => {
  const { net, bob } = pair();
  punch(bob, net.now);
  net.inject(message(1, "once"), A, bob);
  net.pass(10_000);
  for (let i = 0; i < 1000; i++) net.inject(message(1, "spam", guess(i)), A, bob);
  punch(bob, net.now);
  net.inject(message(1, "once"), A, bob);
  assertEquals([texts(bob.shown), net.sent("ACK").length], [["once"], 2]);
});

Deno.test("direct flood: repeats with forged source addresses make a peer send to others ten small packets a second at most", () => {
  const { net, bob } = pair();
  let forgeries = 0;
  for (let ms = 0; ms < 4000; ms++) {
    if (ms % 1000 === 0) punch(bob, net.now);
    // a repeat, one that is held back, and the like of a stranger
    for (const packet of [message(1, "x"), message(3, "held", STREAM, 1), stray(1, "x")]) {
      net.inject(packet, forged(forgeries++), bob);
    }
    net.pass(1);
  }
  const sent = net.wire.filter(({ from }) => from === B);
  assertGreater(sent.length, 0);
  assertLessOrEqual(sent.length, 20 + 4 * 10);
  for (const { packet, to } of sent) {
    assertEquals(to === SERVER, false);
    assertLessOrEqual(encode(packet).length, encode(message(1, "x")).length);
  }
  // to the peer itself goes more, and what it says is not lost
  for (let id = 2; id <= 11; id++) net.inject(message(id, `${id}`, STREAM, 1), A, bob);
  net.pass(1000);
  net.inject(message(11, "11", STREAM, 1), A, bob);
  assertEquals(net.sent("ACK").findLast(({ to }) => to === A)?.packet.id, 11);
});

Deno.test("direct flood: however many members have passes, all together make a peer send no more than that to others", () => {
  const { net, bob } = pair();
  for (let i = 0; i < 100; i++) tell(bob, i, net.now);
  for (let ms = 0; ms < 4000; ms++) {
    net.inject(message(1, "x", guess(ms % 100), 1, guess(ms % 100)), STRANGER, bob);
    net.pass(1);
  }
  const sent = net.wire.filter(({ to }) => to === STRANGER);
  assertGreater(sent.length, 0);
  assertLessOrEqual(sent.length, 200 + 4 * 20);
});

Deno.test("direct flood: who repeats without end takes no acknowledgement from one whose NAT shows another address", () => {
  const { net, bob } = pair();
  for (let i = 0; i < 2; i++) tell(bob, i, net.now);
  for (let ms = 0; ms < 5000; ms++) {
    net.inject(message(1, "x", guess(0), 1, guess(0)), STRANGER, bob);
    if (ms === 4000) net.inject(message(1, "y", guess(1), 1, guess(1)), forged(1), bob);
    net.pass(1);
  }
  assertLessOrEqual(net.sent("ACK").filter(({ to }) => to === STRANGER).length, 5 + 5 * 2);
  assertEquals(net.sent("ACK").filter(({ to }) => to === forged(1)).length, 1);
});

Deno.test("direct flood: strangers at 1,000 a second, with passes that they guess, keep no first message of a member out", () => {
  const { net, bob } = pair();
  for (let n = 1, i = 0; n <= 20; n++) {
    const member = net.join(`192.0.2.${100 + n}:40000`, `Member${n}`);
    for (let ms = 0; ms < 100; ms++) {
      net.inject(message(1, "spam", STREAM, 1, guess(i)), forged(i), bob);
      i++;
      if (ms === 40) member.say("Bob", `hello ${n}`);
      net.pass(1);
    }
    assertEquals(member.delivered.map(({ text }) => text), [`hello ${n}`]);
  }
});

Deno.test("direct flood: a peer shows 100 lines a second at most, and 200 at once; the rest comes later", () => {
  const { net, alice, bob } = pair();
  const texts = Array.from({ length: 1000 }, (_, i) => `line ${i}`);
  alice.say("Bob", ...texts);
  net.pass(5000);
  assertLessOrEqual(bob.shown.length, 200 + 5 * 100);
  net.pass(5000);
  assertEquals(bob.shown.map(({ text }) => text), texts);
  assertEquals(alice.failed, []);
});

Deno.test("direct flood: new words of the server give no peer more lines", () => {
  const { net, bob } = pair();
  for (let ms = 0, id = 1; ms < 1000; ms++) {
    // its name and even its pass may be new
    punch(bob, net.now, { name: `Alice${ms}`, pass: guess(ms >> 8) });
    for (const end = id + 20; id < end; id++) {
      net.inject(message(id, "spam", guess(id), id, guess(ms >> 8)), A, bob);
    }
    net.pass(1);
  }
  assertLessOrEqual(bob.shown.length, 200 + 100);
});

Deno.test("direct flood: of each peer the last four streams are remembered", () => {
  const { net, bob } = pair();
  punch(bob, net.now);
  const stream = (n: number) => `${n}`.padStart(16, "0");
  for (let n = 1; n <= 4; n++) net.inject(message(1, `${n}`, stream(n)), A, bob);
  for (let n = 1; n <= 4; n++) net.inject(message(1, `${n}`, stream(n)), A, bob);
  assertEquals(texts(bob.shown), ["1", "2", "3", "4"]);
  net.inject(message(1, "5", stream(5)), A, bob);
  for (let n = 5; n >= 1; n--) net.inject(message(1, `${n} again`, stream(n)), A, bob);
  assertEquals(texts(bob.shown), ["1", "2", "3", "4", "5", "1 again"]);
});

Deno.test("direct flood: what comes from the peer's own address is acknowledged 100 times a second, 200 at once", () => {
  const { net, bob } = pair();
  punch(bob, net.now);
  for (let i = 0; i < 150; i++) net.inject(message(1, "x"), A, bob);
  assertGreater(net.sent("ACK").length, 140);
  for (let ms = 0; ms < 4000; ms++) {
    net.inject(message(1, "x"), A, bob);
    net.pass(1);
  }
  assertLessOrEqual(net.sent("ACK").length, 200 + 4 * 100);
});

/** Lets the server name the i-th of many members to another one. */
function tell(to: FakePeer, i: number, now: number): void {
  punch(to, now, { address: forged(i), name: `User${i}`, pass: guess(i) });
}

/** Lets the i-th of many members write. */
function write(net: FakePeers, to: FakePeer, i: number, id = 1): void {
  net.inject(message(id, `${i}`, guess(i), 1, guess(i)), forged(i), to);
}

Deno.test("direct flood: members that look a peer up and write nothing make it drop no message, and show none twice", () => {
  const { net, bob } = pair();
  for (let i = 0; i < 10; i++) tell(bob, i, net.now);
  for (let i = 0; i < 5; i++) write(net, bob, i);
  for (let i = 10; i < 4096; i++) tell(bob, i, net.now);
  for (let i = 0; i < 10; i++) {
    write(net, bob, i);
    write(net, bob, i, 2);
  }
  const expected = [0, 1, 2, 3, 4, ...Array.from({ length: 20 }, (_, i) => i >> 1).filter((i, n) => i >= 5 || n % 2)];
  assertEquals(texts(bob.shown), expected.map(String));
});

Deno.test("direct flood: of those that have not written 4,096 are known, and who was longest without a PUNCH goes first", () => {
  const { net, bob } = pair();
  for (let i = 0; i < 4096; i++) tell(bob, i, net.now);
  tell(bob, 0, net.now);
  tell(bob, 4096, net.now);
  for (const i of [0, 1, 2, 4096]) write(net, bob, i);
  assertEquals(texts(bob.shown), ["0", "2", "4096"]);
});

Deno.test("direct flood: of 256 that have written the streams are known, whoever else looks up; then the oldest go", () => {
  const held = (i: number) => net.inject(message(3, `${i} held`, guess(i), 1, guess(i)), forged(i), bob);
  const { net, bob } = pair();
  for (let i = 0; i < 256; i++) {
    tell(bob, i, net.now);
    write(net, bob, i);
    held(i);
    net.pass(1);
  }
  for (let i = 256; i < 3000; i++) tell(bob, i, net.now);
  for (let i = 0; i < 256; i++) write(net, bob, i);
  assertEquals(bob.shown.length, 256);
  tell(bob, 0, net.now);
  write(net, bob, 256);
  for (const i of [0, 2, 255]) write(net, bob, i, 2);
  assertEquals(texts(bob.shown.slice(256)), ["256", "0", "0 held", "2", "2 held", "255", "255 held"]);
  // it may write all the same, and repeats are not shown again, but what was held for it is gone
  for (const id of [1, 2]) write(net, bob, 1, id);
  assertEquals(texts(bob.shown.slice(263)), ["1"]);
});

Deno.test("direct flood: whose pass is old makes room before whose is believed", () => {
  const { net, bob } = pair();
  for (let i = 0; i < 256; i++) {
    if (i === 128) net.pass(10_000);
    tell(bob, i, net.now);
    write(net, bob, i);
    net.inject(message(3, `${i}`, guess(i), 1, guess(i)), forged(i), bob);
  }
  for (let i = 256; i < 256 + 128; i++) {
    tell(bob, i, net.now);
    write(net, bob, i);
  }
  const before = bob.shown.length;
  for (let i = 128; i < 256 + 128; i++) write(net, bob, i);
  assertEquals(bob.shown.length, before);
  // what they had sent early is still held
  for (let i = 128; i < 256; i++) write(net, bob, i, 2);
  assertEquals(bob.shown.length, before + 2 * 128);
});

/** Lets the i-th of many members send a message through the server. */
function relay(net: FakePeers, to: FakePeer, i: number, id: number, first = id): void {
  const packet = message(id, `${i}`, guess(i), first, guess(i)) as Parameters<typeof to.inbox.receiveRelayed>[0];
  to.act(to.inbox.receiveRelayed(packet, { address: forged(i), name: `User${i}` }, net.now));
}

Deno.test("direct flood: 300 members that check, and hold messages back, make nothing be shown twice or get lost", () => {
  const { net, bob } = pair();
  tell(bob, 0, net.now);
  write(net, bob, 0);
  net.inject(message(3, "early", guess(0), 1, guess(0)), forged(0), bob);
  for (let i = 1; i <= 300; i++) {
    tell(bob, i, net.now + 1);
    net.inject({ dialect: "v1", type: "OPEN", pass: guess(i), id: 1 }, forged(i), bob);
  }
  for (let i = 1; i <= 300; i++) relay(net, bob, i, 5, 3);
  write(net, bob, 0);
  assertEquals(texts(bob.shown), ["0"]);
  // of whom something was shown is not among those that are forgotten
  write(net, bob, 0, 2);
  assertEquals(texts(bob.shown), ["0", "0", "early"]);
});

Deno.test("direct flood: nor is one among them that was forgotten and has come back", () => {
  const { net, bob } = pair();
  for (let i = 0; i <= 256; i++) {
    tell(bob, i, net.now + i);
    write(net, bob, i);
  }
  tell(bob, 0, net.now + 257);
  net.inject(message(3, "early", guess(0), 1, guess(0)), forged(0), bob);
  for (let i = 257; i < 600; i++) relay(net, bob, i, 5, 3);
  write(net, bob, 0, 2);
  assertEquals(texts(bob.shown.slice(257)), ["0", "early"]);
});

Deno.test("direct flood: of 10,000 that have written and were forgotten no repeat is shown again", () => {
  const { net, bob } = pair();
  for (let i = 0; i <= 256 + 10_000; i++) {
    tell(bob, i, net.now);
    write(net, bob, i);
    if (i % 100 === 0) net.pass(1000);
  }
  const before = bob.shown.length;
  // the second comes back in the stead of another
  for (const i of [10_256, 1]) {
    tell(bob, i, net.now);
    write(net, bob, i);
  }
  assertEquals(bob.shown.length, before);
  tell(bob, 0, net.now);
  write(net, bob, 0);
  assertEquals(texts(bob.shown.slice(before)), ["0"]);
});

Deno.test("direct flood: a crowd that repeats through the server leaves acknowledgements to those who write one line", () => {
  const { net, bob } = pair();
  for (let ms = 0; ms < 12_000; ms++) {
    // each of 240 about once a second
    if (ms % 4 === 0) relay(net, bob, 1 + ms / 4 % 240, 1);
    net.pass(1);
  }
  const before = net.wire.length;
  for (let i = 1; i <= 10; i++) relay(net, bob, 240 + i, 1);
  const acks = net.wire.slice(before).filter(({ packet }) => packet.type === "RELAY");
  assertEquals(acks.length, 10);
});

Deno.test("direct flood: all together cause 100 acknowledgements a second through the server, and 200 at once", () => {
  const { net, bob } = pair();
  for (let ms = 0; ms < 4000; ms++) {
    relay(net, bob, ms % 250, 1);
    net.pass(1);
  }
  const acks = net.wire.filter(({ packet }) => packet.type === "RELAY");
  assertGreater(acks.length, 500);
  assertLessOrEqual(acks.length, 200 + 4 * 100);
});
