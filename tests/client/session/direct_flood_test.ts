/** Direct messages in floods: what is shown, asked, answered and remembered stays bounded, and no peer is kept out. */
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { encode, MAX_TEXT_BYTES } from "../../../protocol.ts";
import { type FakePeer, SERVER } from "../../support/fake_peers.ts";
import { A, B, forged, guess, message, pair, STRANGER, stray, STREAM, texts } from "../../support/direct_messages.ts";

Deno.test("direct flood: a message that was acknowledged is shown, however many strangers come after it", () => {
  const { net, bob } = pair();
  net.serverAnswers = false;
  const stranger = (n: number) => `198.51.100.${n}:666`;
  // each begins in the middle of a stream with a pass that is not known yet; the first says the beginning late
  for (let n = 1; n <= 32; n++) net.inject(message(2, "late", STREAM, 1, guess(n)), stranger(n), bob);
  net.pass(4000);
  net.inject(message(1, "first", STREAM, 1, guess(1)), stranger(1), bob);
  net.pass(2000);
  for (let n = 33; n <= 64; n++) net.inject(message(1, "hi", STREAM, 1, guess(n)), stranger(n), bob);
  net.pass(10_000);
  assertEquals(texts(bob.shown).slice(0, 2), ["first", "late"]);
});

Deno.test("direct flood: a flood from one address is held to a bound until the server has said who it is", () => {
  const { net, bob } = pair();
  net.serverAnswers = false;
  const text = "x".repeat(MAX_TEXT_BYTES);
  for (let i = 0; i < 20_000; i++) {
    const stream = (i % 1000).toString(16).padStart(16, "0");
    net.inject(message(1 + Math.floor(i / 1000), text, stream, 1, "00000000000000bb"), STRANGER, bob);
  }
  assertEquals(bob.transactions.size, 1);
  net.pass(6000);
  assertLessOrEqual(bob.shown.length, 200);
});

Deno.test("direct flood: a flood from 20,000 addresses leaves the server in peace and memory bounded", () => {
  const { net, bob } = pair();
  net.serverAnswers = false;
  const before = net.wire.length;
  for (let i = 0; i < 20_000; i++) net.inject(stray(1, "spam"), forged(i), bob);
  assertLessOrEqual(bob.transactions.size, 1000, "questions open at once");
  net.pass(10_000);
  const lookups = net.wire.slice(before).filter(({ to }) => to === SERVER).length;
  assertLessOrEqual(lookups, 10_000, "look-ups that the flood made the server answer");
  assertEquals(bob.transactions.size, 0);
});

Deno.test("direct flood: a flood from many addresses does not make a peer's message be shown twice", () => {
  const { net, bob } = pair();
  net.inject(message(1, "once"), A, bob);
  net.pass(100);
  for (let i = 0; i < 1000; i++) {
    net.inject(stray(1, "spam"), forged(i), bob);
    // slowly enough for the server to say of each that it is nobody
    if (i % 20 === 0) net.pass(10);
  }
  // the acknowledgement was lost: the peer repeats
  net.inject(message(1, "once"), A, bob);
  net.pass(10_000);
  assertEquals(bob.shown.filter(({ address }) => address === A).map(({ text }) => text), ["once"]);
});

Deno.test("direct flood: repeats with forged source addresses make a peer send to others ten small packets a second at most", () => {
  for (const isConfirmed of [true, false]) {
    const { net, alice, bob } = pair();
    if (isConfirmed) alice.say("Bob", "hi");
    net.pass(100);
    net.inject(message(1, "x"), A, bob);
    net.inject(message(3, "held", STREAM, 1), A, bob);
    net.pass(100);
    const before = net.wire.length;
    let forgeries = 0;
    for (let ms = 0; ms < 4000; ms++) {
      // a repeat, one that is held back, and the like of a stranger
      for (const packet of [message(1, "x"), message(3, "held", STREAM, 1), stray(1, "x")]) {
        net.inject(packet, forged(forgeries++), bob);
      }
      net.pass(1);
    }
    const sent = net.wire.slice(before).filter(({ from }) => from === B);
    const strangers = 32 + 4 * 5;
    assertLessOrEqual(sent.filter(({ to }) => to !== SERVER).length, 20 + 4 * 10 + strangers);
    for (const { packet, to } of sent) {
      if (to !== SERVER) assertLessOrEqual(encode(packet).length, encode(message(1, "x")).length);
    }
    // to the peer itself goes more, and what it says is not lost
    for (let id = 2; id <= 11; id++) net.inject(message(id, `${id}`, STREAM, 1), A, bob);
    net.pass(1000);
    net.inject(message(11, "11", STREAM, 1), A, bob);
    assertEquals(net.sent("ACK").findLast(({ to }) => to === A)?.packet.id, 11);
  }
});

Deno.test("direct flood: of a peer whose name is asked for again a bounded number of messages waits, and none is lost", () => {
  const { net, bob } = pair();
  net.inject(message(1, "1"), A, bob);
  net.pass(11_000);
  net.serverAnswers = false;
  const all = Array.from({ length: 150 }, (_, i) => i + 1);
  for (const id of all.slice(1)) net.inject(message(id, `${id}`, STREAM, 1), A, bob);
  net.serverAnswers = true;
  net.pass(4000);
  assertEquals(texts(bob.shown), all.slice(0, 65).map(String));
  // the others were not acknowledged
  assertEquals(net.sent("ACK").at(-1)?.packet.id, 65);
  for (const id of all) net.inject(message(id, `${id}`, STREAM, 1), A, bob);
  assertEquals(texts(bob.shown), all.map(String));
  assert(bob.shown.every(({ name }) => name === "Alice"));
});

Deno.test("direct flood: a confirmed peer's message that waits for its name is shown, however many peers come after it", () => {
  const { net, bob } = pair();
  net.inject(message(1, "one"), A, bob);
  net.pass(11_000);
  net.serverAnswers = false;
  net.inject(message(2, "two"), A, bob);
  const punch = { dialect: "v1", type: "PUNCH", token: STREAM } as const;
  for (let i = 0; i < 300; i++) {
    bob.act(bob.inbox.punched({ ...punch, address: forged(i), pass: guess(i) }, net.now));
  }
  net.pass(6000);
  assertEquals(texts(bob.shown), ["one", "two"]);
});

Deno.test("direct flood: addresses that send no beginning shut the door for 5 s at most", () => {
  const { net, bob } = pair();
  for (let i = 0; i < 32; i++) net.inject(message(2, "no beginning", STREAM, 1, guess(i)), forged(i), bob);
  net.pass(4900);
  net.inject(message(1, "hi"), A, bob);
  net.pass(99);
  assertEquals([bob.shown, net.sent("LOOKUP")], [[], []], "32 have a place, and no more");
  net.pass(1);
  // what was not acknowledged is repeated
  net.inject(message(1, "hi"), A, bob);
  net.pass(100);
  assertEquals(bob.shown.map(({ text, name }) => [text, name]), [["hi", "Alice"]]);
});

Deno.test("direct flood: strangers at 50 a second, with passes that they guess, keep no first message of a member out", () => {
  const { net, bob } = pair();
  let i = 0;
  for (let n = 1; n <= 20; n++) {
    const member = net.join(`192.0.2.${100 + n}:40000`, `Member${n}`);
    for (let ms = 0; ms < 500; ms += 20) {
      net.inject(message(1, "spam", STREAM, 1, guess(i)), forged(i), bob);
      i++;
      if (ms === 240) member.say("Bob", `hello ${n}`);
      net.pass(20);
    }
    assertEquals(member.delivered.map(({ text }) => text), [`hello ${n}`]);
  }
});

Deno.test("direct flood: a confirmed peer shows 100 lines a second at most, and 200 at once; the rest comes later", () => {
  const { net, alice, bob } = pair();
  const texts = Array.from({ length: 1000 }, (_, i) => `line ${i}`);
  alice.say("Bob", ...texts);
  net.pass(5000);
  assertLessOrEqual(bob.shown.length, 200 + 5 * 100);
  net.pass(5000);
  assertEquals(bob.shown.map(({ text }) => text), texts);
  assertEquals(alice.failed, []);
});

Deno.test("direct flood: passes that nobody was given show no more lines than addresses without one", () => {
  const { net, bob } = pair();
  for (let ms = 0; ms < 1000; ms += 10) {
    for (let id = 1; id <= 64; id++) {
      for (let n = 0; n < 32; n++) net.inject(message(id, "spam", guess(n), 1, guess(n)), forged(n), bob);
    }
    net.pass(10);
  }
  assertLessOrEqual(bob.shown.length, 32 + 5);
});

Deno.test("direct flood: 3,000 addresses in a second cost the server few answers", () => {
  const { net, bob } = pair();
  for (let i = 0; i < 3000; i++) {
    net.inject(stray(1, "spam"), forged(i), bob);
    if (i % 3 === 0) net.pass(1);
  }
  assertLessOrEqual(net.sent("LOOKUP").length, 40);
  assertLessOrEqual(bob.shown.length, 40);
});

Deno.test("direct flood: an address that the server does not know can't fill the screen", () => {
  const { net, bob } = pair();
  for (let ms = 0, id = 1; ms < 10_000; ms++) {
    // repeated until it is acknowledged, as somebody would who keeps to the rules
    net.inject(stray(id, `spam ${id}`, STREAM, 1), STRANGER, bob);
    id = 1 + (net.sent("ACK").at(-1)?.packet.id ?? 0);
    net.pass(1);
  }
  assertLessOrEqual(bob.shown.length, 150);
});

Deno.test("direct flood: of each peer the last four streams are remembered", () => {
  const { net, alice, bob } = pair();
  alice.say("Bob", "hi");
  net.pass(100);
  const stream = (n: number) => `${n}`.padStart(16, "0");
  bob.shown.length = 0;
  for (let n = 1; n <= 3; n++) net.inject(message(1, `${n}`, stream(n)), A, bob);
  for (let n = 1; n <= 3; n++) net.inject(message(1, `${n}`, stream(n)), A, bob);
  assertEquals(texts(bob.shown), ["1", "2", "3"]);
  for (let n = 4; n <= 5; n++) net.inject(message(1, `${n}`, stream(n)), A, bob);
  for (let n = 5; n >= 1; n--) net.inject(message(1, `${n} again`, stream(n)), A, bob);
  assertEquals(texts(bob.shown), ["1", "2", "3", "4", "5", "1 again"]);
});

Deno.test("direct flood: what comes from the peer's own address is acknowledged 100 times a second, 200 at once", () => {
  for (const isAsked of [true, false]) {
    const { net, alice, bob } = pair();
    if (!isAsked) alice.say("Bob", "hi");
    net.pass(100);
    net.inject(message(1, "x"), A, bob);
    net.pass(100);
    const before = net.sent("ACK").length;
    for (let i = 0; i < 150; i++) net.inject(message(1, "x"), A, bob);
    assertGreater(net.sent("ACK").length - before, 140);
    for (let ms = 0; ms < 4000; ms++) {
      net.inject(message(1, "x"), A, bob);
      net.pass(1);
    }
    assertLessOrEqual(net.sent("ACK").length - before, 200 + 4 * 100);
  }
});

/** Lets the server say that a member has this pass. */
function punch({ inbox, act }: FakePeer, pass: string, now: number): void {
  act(inbox.punched({ dialect: "v1", type: "PUNCH", token: STREAM, address: A, name: "Alice", pass }, now));
}

Deno.test("direct flood: the last 256 passes are known, and whoever shows none takes no place from them", () => {
  const { net, bob } = pair();
  /** Whether a message with this pass is shown without a question to the server. */
  const isKnown = (i: number) => {
    const before = net.sent("LOOKUP").length;
    net.inject(message(1, `${i}`, STREAM, 1, guess(i)), A, bob);
    return net.sent("LOOKUP").length === before;
  };
  for (let i = 0; i < 255; i++) punch(bob, guess(i), net.now);
  net.inject(stray(1, "hi"), STRANGER, bob);
  punch(bob, guess(255), net.now);
  assertEquals([0, 255].map(isKnown), [true, true], "the stranger has gone first");
  punch(bob, guess(256), net.now);
  assertEquals([1, 256, 0].map(isKnown), [true, true, false]);
});

Deno.test("direct flood: while a message of each known peer waits, another peer waits too, and then is heard", () => {
  const { net, bob } = pair();
  for (let i = 0; i < 256; i++) punch(bob, guess(i), net.now);
  net.pass(11_000);
  net.serverAnswers = false;
  for (let i = 0; i < 256; i++) net.inject(message(1, `${i}`, STREAM, 1, guess(i)), A, bob);
  const last = () => {
    punch(bob, guess(256), net.now);
    net.inject(message(1, "last", STREAM, 1, guess(256)), A, bob);
  };
  last();
  assertEquals([net.sent("ACK").length, bob.shown], [256, []]);
  net.pass(6000);
  last();
  assertEquals(texts(bob.shown), [...Array.from({ length: 256 }, (_, i) => `${i}`), "last"]);
});
