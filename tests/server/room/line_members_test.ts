/** Members that have a connection and speak in lines. */
import { assert, assertEquals } from "@std/assert";
import { FakeJournal } from "../../support/fake_journal.ts";
import type { Sent } from "../../support/fake_delivery.ts";
import { textOf } from "../../support/fake_delivery.ts";
import { FakeRoom, ignoredBy, one, outline, to } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

const A = "10.0.0.7:1001", B = "10.0.0.8:1002", UDP = "10.0.0.9:9";
const tcp = (address: string) => `tcp ${address}`;

function connect(room: FakeRoom, ...addresses: string[]): Sent[] {
  for (const address of addresses) assert(room.room.connected(peerOf(tcp(address)), room.now));
  return room.delivery.take();
}

function type(room: FakeRoom, address: string, line: string): Sent[] {
  assertEquals(room.room.receiveLine(line, peerOf(tcp(address)), room.now), 0);
  return room.delivery.take();
}

/** What was sent to a connection, as text. */
const read = (sent: Sent[], address: string) => to(sent, tcp(address)).map(textOf).join("");

Deno.test("line members: one joins with its connection, reads nothing of that, and leaves with it", () => {
  const room = new FakeRoom();
  const { token } = room.join(UDP, "Alice");
  room.settle();
  assertEquals(connect(room, A, B), []);
  const told = room.pass(5000);
  assertEquals(read(told, A), `[${B}] is Online\n`);
  assertEquals(read(told, B), `[${A}] is Online\n`);
  assertEquals(one(to(told, UDP), "ONLINE").members.map(({ address }) => address), [A, B]);
  assertEquals(read(room.say(UDP, token, 1, "hi"), A), `<From ${UDP}:Alice>: hi\n`);
  room.room.hungUp(peerOf(tcp(A)), room.now);
  assertEquals(read(room.pass(5000), B), `[${A}] is Offline\n`);
  assertEquals(room.room.size, 2);
});

Deno.test("line members: who comes is told to all others by the same packets, and to those that come without themselves", () => {
  const room = new FakeRoom();
  const old = ["10.0.1.1:1", "10.0.1.2:1", "10.0.1.3:1"];
  connect(room, ...old);
  room.settle();
  connect(room, A, B);
  const told = room.pass(5000);
  for (const address of old) assertEquals(read(told, address), `[${A}] is Online\n[${B}] is Online\n`);
  assertEquals([read(told, A), read(told, B)], [`[${B}] is Online\n`, `[${A}] is Online\n`]);
  const packets = new Set(old.flatMap((address) => to(told, tcp(address)).map(({ packet }) => packet)));
  assertEquals(packets.size, 2, "a delivery encodes a packet once");
});

Deno.test("line members: what one says is heard by all others, and by itself with --echo only", () => {
  for (const lines of [false, true]) {
    const room = new FakeRoom({ echo: { lines } });
    room.join(UDP);
    room.datagram("10.0.0.6:6", "GREETING");
    connect(room, A, B);
    const sent = type(room, A, "hello \x1b[31m");
    assertEquals(read(sent, B), `<From ${A}>: hello ?[31m\n`);
    assertEquals(one(to(sent, UDP), "INCOMING").text, "hello ?[31m");
    assertEquals(to(sent, "10.0.0.6:6").map(textOf), [`INCOMING <From ${A}>: hello ?[31m`]);
    assertEquals(read(sent, A), lines ? `<From ${A}>: hello ?[31m\n` : "");
  }
});

Deno.test("line members: with --no-echo one that sends datagrams gets no copy, and one with a connection neither", () => {
  const room = new FakeRoom({ echo: { datagrams: false } });
  const { token } = room.join(UDP);
  connect(room, A);
  assertEquals(outline(room.say(UDP, token, 1, "hi")).sort(), [`${UDP} ACK`, `${tcp(A)} INCOMING`]);
  assertEquals(outline(type(room, A, "hi")), [`${UDP} INCOMING`]);
});

Deno.test("line members: names, list, whois and help are answered to the one who asks", () => {
  const room = new FakeRoom();
  const { token } = room.join(UDP, "Alice");
  connect(room, A, B);
  assertEquals(read(type(room, A, "/name Bob"), A), "Signed in as Bob\n");
  assertEquals(read(type(room, B, "SIGN-IN bob"), B), "The name bob is taken; choose another\n");
  assertEquals(read(type(room, A, "list"), A), "Signed In Users: Alice, Bob (and 1 unnamed)\n");
  assertEquals(read(type(room, A, "/whois alice"), A), `Alice is at ${UDP}\n`);
  assertEquals(read(type(room, A, "/whois nobody\x1b"), A), "nobody? is not here\n");
  assert(read(type(room, A, "/help"), A).includes("/quit"));
  assertEquals(read(type(room, A, "/hug Alice"), A).startsWith("There is no command /hug"), true);
  assertEquals(one(to(room.v1(UDP, "LOOKUP", { id: 9, token, name: "bob" }), UDP), "PEER").address, A);
  assertEquals(one(to(room.v1(UDP, "LOOKUP", { id: 9, token, address: A }), UDP), "PEER").name, "Bob");
});

Deno.test("line members: quit ends the membership, which closes the connection", () => {
  const room = new FakeRoom();
  connect(room, A, B);
  room.settle();
  assertEquals([...room.delivery.recipients].map(({ key }) => key), [tcp(A), tcp(B)]);
  type(room, A, "quit");
  assertEquals([...room.delivery.recipients].map(({ key }) => key), [tcp(B)]);
  room.room.hungUp(peerOf(tcp(A)), room.now);
  assertEquals(read(room.pass(5000), B), `[${A}] is Offline\n`);
  // a line that was read with the quit
  assertEquals(type(room, A, "too late"), []);
});

Deno.test("line members: a line for which there is no token is handed over again, none is lost", () => {
  const room = new FakeRoom({ rate: { rate: 10, burst: 10 } });
  connect(room, A, B);
  const heard: string[] = [];
  for (let i = 1; i <= 30;) {
    const pause = room.room.receiveLine(`line ${i}`, peerOf(tcp(A)), room.now);
    heard.push(read(room.delivery.take(), B));
    if (pause === 0) i++;
    else room.now += pause;
  }
  assertEquals(
    heard.filter((text) => text !== ""),
    Array.from({ length: 30 }, (_, i) => `<From ${A}>: line ${i + 1}\n`),
  );
  assertEquals(ignoredBy(room.room), {});
});

Deno.test("line members: a long line becomes several messages, and the line behind it waits for its end", () => {
  const room = new FakeRoom({ rate: { rate: 1, burst: 2 } });
  connect(room, A, B);
  room.settle();
  const words = Array.from({ length: 600 }, (_, i) => `w${i}`).join(" ");
  let heard = read(type(room, A, words), B);
  const pause = room.room.receiveLine("/quit", peerOf(tcp(A)), room.now);
  assert(pause > 0, "the quit does not overtake");
  heard += read(room.pass(10_000), B);
  assertEquals(heard.replaceAll(`<From ${A}>: `, "").trim().split(/\s+/), words.split(" "));
  assertEquals(room.room.statistics.messages, 4);
  type(room, A, "/quit");
  assertEquals(room.room.size, 1);
});

Deno.test("line members: the empty line at the end of a connection waits until all of a long one is said", () => {
  const room = new FakeRoom({ rate: { rate: 1, burst: 2 } });
  connect(room, A, B);
  type(room, A, "x ".repeat(1500));
  assertEquals(room.room.statistics.messages, 2);
  let pause: number;
  while ((pause = room.room.receiveLine("", peerOf(tcp(A)), room.now)) > 0) room.pass(pause);
  room.room.hungUp(peerOf(tcp(A)), room.now);
  assertEquals([room.room.statistics.messages, ignoredBy(room.room)], [4, {}]);
});

Deno.test("line members: lines wait while the journal is behind, and so do the parts of one", () => {
  const journal = new FakeJournal();
  const room = new FakeRoom({ journal, rate: { rate: 0, burst: 0 } });
  connect(room, A);
  room.settle();
  journal.isLate = true;
  for (let i = 0; i < 9_999; i++) type(room, A, "x");
  // one part of this is appended, the other waits
  type(room, A, "x ".repeat(600));
  assertEquals(journal.pending, 10_000);
  assert(room.room.receiveLine("next", peerOf(tcp(A)), room.now) > 0);
  room.pass(1000);
  assertEquals(journal.pending, 10_000);
  assertEquals(journal.keep(1).length, 1);
  room.pass(20);
  assertEquals(journal.pending, 10_000);
  assertEquals(room.room.receiveLine("next", peerOf(tcp(A)), room.now), 10);
  assertEquals(journal.keep(1).length, 1);
  type(room, A, "next");
});

Deno.test("line members: commands beyond the limit of requests wait, and each is answered; blank lines wait as well", () => {
  const room = new FakeRoom(), answers = new Map<string, number>();
  connect(room, A);
  const commands = [["/list", 1], ["/nothing", 1], ["/whois x", 1], ["/send x y", 1], ["/reply x", 1], [
    "/help",
    9,
  ]] as const;
  for (const [command, lines] of [...commands, [" ", 0]] as const) {
    room.settle();
    const begunAt = room.now;
    let atOnce = 0, count = 0;
    for (let i = 0; i < 2000; i++) {
      let pause;
      while ((pause = room.room.receiveLine(command, peerOf(tcp(A)), room.now)) > 0) {
        atOnce ||= i;
        count += to(room.pass(pause), tcp(A)).length;
      }
      count += room.delivery.take().length;
    }
    answers.set(command, count);
    const cost = Math.max(1, lines);
    assertEquals(atOnce, Math.floor(1000 / cost), command);
    const seconds = (room.now - begunAt) / 1000, due = (2000 * cost - 1000) / 500;
    assert(Math.abs(seconds - due) < 0.1, `${command}: ${seconds} s`);
  }
  assertEquals([...answers.values()], [2000, 2000, 2000, 2000, 2000, 18_000, 0]);
  assertEquals(ignoredBy(room.room), {});
});

Deno.test("line members: of one IP address 500 names are given at once, and who asks for one later waits for it", () => {
  const room = new FakeRoom(), waiting = new Set<string>();
  for (let i = 0; i < 700; i++) connect(room, `10.0.0.7:${1000 + i}`);
  const ask = (address: string, i: number) => room.room.receiveLine(`/name U${i}`, peerOf(tcp(address)), room.now);
  for (let i = 0; i < 700; i++) if (ask(`10.0.0.7:${1000 + i}`, i) > 0) waiting.add(`10.0.0.7:${1000 + i}`);
  assertEquals([waiting.size, room.delivery.take().length], [200, 500]);
  for (let seconds = 0; seconds < 11; seconds++) {
    room.pass(1000);
    for (const address of waiting) if (ask(address, Number(address.split(":")[1])) === 0) waiting.delete(address);
  }
  assertEquals(waiting.size, 0);
  assertEquals(room.room.users().total, 700);
  // who has a name does not wait for another one
  assertEquals(ask("10.0.0.7:1000", 9999), 0);
});

Deno.test("line members: what many say in a large room waits, and what comes in datagrams does not", () => {
  const room = new FakeRoom({ rate: { rate: 0, burst: 0 } }), { token } = room.join(UDP), count = 999;
  for (let i = 0; i < count; i++) connect(room, `10.0.${i >> 8}.${i & 255}:1000`);
  room.settle();
  let lines = 0;
  for (let second = 0; second <= 10; second++) {
    for (let i = 0; i < count; i++) {
      if (room.room.receiveLine("hi", peerOf(tcp(`10.0.${i >> 8}.${i & 255}:1000`)), room.now) === 0) lines++;
    }
    assertEquals(lines, 100 + 50 * second);
    room.delivery.take();
    assertEquals(room.say(UDP, token, second + 1, "hello").length > count, true);
    room.pass(1000);
  }
});

Deno.test("line members: a line of blanks says nothing, and costs nothing of what may be said", () => {
  const room = new FakeRoom({ rate: { rate: 1, burst: 1 } });
  connect(room, A, B);
  for (const blank of ["", " ", "\t\t ", "/me  "]) assertEquals(read(type(room, A, blank), B), "", blank);
  assertEquals([room.room.statistics.messages, ignoredBy(room.room)], [0, {}]);
  assertEquals(read(type(room, A, "hi"), B), `<From ${A}>: hi\n`);
});

Deno.test("line members: who came in a crowd that nobody was told of is told of when it signs in", () => {
  const room = new FakeRoom();
  connect(room, B);
  room.settle();
  connect(room, ...Array.from({ length: 13 }, (_, i) => `10.0.0.7:${2000 + i}`));
  room.pass(5000);
  type(room, "10.0.0.7:2012", "/name Zoe");
  assertEquals(read(room.pass(5000), B), "[10.0.0.7:2012 Zoe] is Online\n");
  room.room.hungUp(peerOf(tcp("10.0.0.7:2012")), room.now);
  assertEquals(read(room.pass(5000), B), "[10.0.0.7:2012 Zoe] is Offline\n");
});

Deno.test("line members: an answer repeats no more than the beginning of a long word", () => {
  const room = new FakeRoom();
  connect(room, A);
  const word = "x".repeat(3000);
  for (const line of [`/whois ${word}`, `/send ${word} hi`, `/${word}`]) {
    const answer = read(type(room, A, line), A);
    assert(answer.includes("xxx") && answer.includes("…"), answer);
    assert(answer.length < 200, `${answer.length}`);
  }
  assertEquals(read(type(room, A, `/whois ${"x".repeat(128)}`), A), `${"x".repeat(128)} is not here\n`);
});

Deno.test("line members: beyond ten connections a second from one IP address the others hear of one when it speaks", () => {
  const room = new FakeRoom();
  connect(room, B);
  room.settle();
  connect(room, ...Array.from({ length: 13 }, (_, i) => `10.0.0.7:${2000 + i}`));
  assert(read(room.pass(5000), B).includes("and 7 more are Online"));
  assertEquals(room.room.size, 14);
  // it hears what is said all the same, and its end is no more told than its arrival
  const sent = type(room, B, "hi");
  assertEquals(read(sent, "10.0.0.7:2012"), `<From ${B}>: hi\n`);
  room.room.hungUp(peerOf(tcp("10.0.0.7:2012")), room.now);
  type(room, "10.0.0.7:2011", "/list");
  assertEquals(read(room.pass(5000), B), "");
  type(room, "10.0.0.7:2011", "here I am");
  assertEquals(read(room.pass(5000), B), "[10.0.0.7:2011] is Online\n");
});

Deno.test("line members: private messages between them pass through the server, and say so", () => {
  const room = new FakeRoom();
  connect(room, A, B);
  type(room, A, "/name Alice");
  type(room, B, "/name Bob");
  const sent = type(room, A, "send bob are you there?");
  assertEquals(read(sent, B), `<- <From ${A}:Alice> (through the server): are you there?\n`);
  assertEquals(read(sent, A), "-> Bob (through the server): are you there?\n");
  assertEquals(read(type(room, A, "/send Carol hi"), A), "Carol is not here\n");
  assertEquals(read(type(room, A, "/send Alice hi"), A), "That is you\n");
});

Deno.test("line members: one reads that the server closes", () => {
  const room = new FakeRoom();
  connect(room, A);
  room.room.close();
  assertEquals(read(room.delivery.take(), A), "The server is closing\n");
});

Deno.test("line members: a full room says so, and the connection may not stay", () => {
  const room = new FakeRoom({ maxMembers: 1 });
  connect(room, A);
  assertEquals(room.room.connected(peerOf(tcp(B)), room.now), false);
  assertEquals(read(room.delivery.take(), B), "The room is full\n");
  assertEquals(ignoredBy(room.room), { "room-full": 1 });
});

Deno.test("line members: one that is silent stays, and makes no room for a classic one", () => {
  const room = new FakeRoom({ classic: { members: 1 }, timeout: 10_000 });
  connect(room, A);
  room.datagram(UDP, "GREETING");
  room.pass(60_000);
  room.datagram("10.0.0.10:10", "GREETING");
  assertEquals(room.room.size, 2);
  assertEquals([...room.delivery.recipients].map(({ key }) => key), [tcp(A), "10.0.0.10:10"]);
});
