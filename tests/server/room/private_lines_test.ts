/** Private messages that members with a connection type: to an address, in answer to one, and where none is passed on. */
import { assertEquals, assertLess, assertMatch } from "@std/assert";
import type { Sent } from "../../support/fake_delivery.ts";
import { all, one, outline, to } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";
import { ALICE, BOB, CAROL, PrivateRoom, read, type Relayed, tcp, textsIn, TIM } from "../../support/private_room.ts";
import { messageIn } from "../../support/packets.ts";

Deno.test("private lines: a connection writes to an address too, for one without a name, whatever that speaks", () => {
  const room = new PrivateRoom(), dora = "10.0.0.11:11", emil = "10.0.0.12:12";
  const { token } = room.join(CAROL);
  room.connect(TIM);
  room.datagram(dora, "GREETING");
  room.delivery.take();
  const sent = room.type(BOB, `/send ${CAROL} who are you?`);
  const { pass, stream, id } = messageIn(one(to(sent, CAROL), "RELAY"));
  const ack: Relayed = { dialect: "v1", type: "ACK", pass, stream, id };
  assertEquals(read(room.relay(ack, { from: CAROL, token })), [`-> ${CAROL} (through the server): who are you?`]);
  const toTim = room.type(BOB, `/send ${TIM} and you?`);
  assertEquals(read(toTim, TIM), [`<- <From ${BOB}:Bob> (through the server): and you?`]);
  assertEquals(read(toTim), [`-> ${TIM} (through the server): and you?`]);
  assertEquals(read(room.type(BOB, `/send ${dora} hi`)), [
    `-> ${dora} (through the server, as a classic program does not confirm): hi`,
  ]);
  assertEquals(read(room.type(BOB, `/send ${emil} hi`)), [`${emil} is not here`]);
});

Deno.test("private lines: /reply over a connection answers whoever was last shown to have written to it alone", () => {
  const room = new PrivateRoom(), nobody = ["Nobody who has written to you alone is here"];
  room.connect(TIM);
  assertEquals(read(room.type(BOB, "/reply hello?")), nobody);
  room.relay(room.message(1, "hi"));
  assertEquals(textsIn(room.type(BOB, "/reply hi Alice")), ["hi Alice"]);
  room.type(TIM, `/send Bob I have no name`);
  room.pass(5000);
  // what is held or repeated is not shown
  room.relay(room.message(3, "later", { first: 1 }));
  room.relay(room.message(1, "hi"));
  assertEquals(read(room.type(BOB, "/reply hi Tim"), TIM), [`<- <From ${BOB}:Bob> (through the server): hi Tim`]);
  assertEquals(read(room.type(TIM, "/r hi Bob")), [`<- <From ${TIM}> (through the server): hi Bob`]);
  // the next one at the same address is somebody else
  room.room.hungUp(peerOf(tcp(TIM)), room.now);
  room.connect(TIM);
  assertEquals(read(room.type(BOB, "/reply still there?")), nobody);
});

Deno.test("private lines: /reply over a connection sends nothing while it may be for another one than the last writer", () => {
  const room = new PrivateRoom(), both = ["!! Tim and Alice have both just written: say /send NAME TEXT"];
  const ways = (sent: Sent[]) => [...textsIn(sent), ...read(sent, TIM)].length;
  const write = (id: number) => room.relay(room.message(id, "x"));
  room.connect(TIM, "Tim");
  room.type(TIM, "/send Bob shall we?");
  assertEquals(ways(room.type(BOB, "/reply yes")), 1);
  room.pass(10_000);
  write(1);
  // however often one asks, and the last one writes
  for (let i = 2; i < 6; i++, write(i), room.pass(1000)) {
    const sent = room.type(BOB, "/reply yes");
    assertEquals([ways(sent), read(sent)], [0, both]);
  }
  room.pass(1000);
  assertEquals(textsIn(room.type(BOB, "/reply you, Alice")), ["you, Alice"]);
  room.type(TIM, "/send Bob now?");
  assertEquals(read(room.type(BOB, "/reply yes")), ["!! Alice and Tim have both just written: say /send NAME TEXT"]);
  // who has left is not meant
  room.v1(ALICE, "LEAVE", { id: 3, token: room.alice });
  assertEquals(ways(room.type(BOB, "/reply yes")), 1);
});

Deno.test("private lines: /reply over a connection finds a member that has moved to another address", () => {
  const room = new PrivateRoom(), elsewhere = "10.9.9.9:9";
  room.relay(room.message(1, "hi"));
  room.move(elsewhere, room.alice, "Alice");
  const sent = room.type(BOB, "/reply hi Alice");
  assertEquals(textsIn(to(sent, elsewhere)), ["hi Alice"]);
});

Deno.test("private lines: where none passes through the server, each is answered by a line, and /help names no way", () => {
  const room = new PrivateRoom({ relay: false, rate: { rate: 10, burst: 10 } });
  room.connect(TIM, "Tim");
  room.datagram("10.0.0.6:6", "SIGN-IN Zoe");
  for (const name of ["Alice", "Tim", "Zoe"]) {
    const sent = room.type(BOB, `/send ${name} hi`);
    assertEquals(outline(sent), [`${tcp(BOB)} INCOMING`]);
    assertEquals(read(sent), [`!! Not delivered to ${name} (this server passes no private messages on): hi`]);
  }
  assertEquals(read(room.type(BOB, "/send Nobody hi")), ["Nobody is not here"]);
  // it costs what it would cost to be delivered
  assertEquals(read(room.type(BOB, `/send Tim ${"word ".repeat(800)}`)).length, 5);
  assertLess(0, [1, 2, 3].reduce((pause) => Math.max(pause, room.hand(BOB, "/send Tim hi").pause), 0));
  assertEquals(all(room.pass(10_000), "RELAY"), []);
  const help = read(room.type(BOB, "/help"));
  assertMatch(help.at(-1)!, /With a name, plain list works too\.$/);
  assertEquals(help.filter((line) => /\bsend\b|reply|server/.test(line)), []);
  assertEquals(help.length, read(new PrivateRoom().type(BOB, "/help")).length - 2);
});
