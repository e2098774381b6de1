/** Peers: members are told apart by their keys, and what is asked of them depends on their being validated. */
import { assertEquals } from "@std/assert";
import { decode } from "../../../protocol.ts";
import { textOf } from "../../support/fake_delivery.ts";
import { all, FakeRoom, one, OTHER_STREAM, outline, to } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

const A = "10.0.0.7:52207", B = "127.0.0.1:40002", TOKEN = "00000000000000aa";
/** A connection from the same address and port. */
const TCP = `tcp ${A}`;

Deno.test("peers: a UDP and a TCP peer of one address are two members", () => {
  const room = new FakeRoom();
  const udp = room.join(A, "Alice"), tcp = room.greet(TCP, { token: TOKEN, name: "Bob" });
  assertEquals([udp.address, tcp.address, tcp.name, room.room.size], [A, A, "Bob", 2]);
  const sent = room.say(A, udp.token, 1, "by UDP");
  assertEquals(outline(sent).sort(), [`${A} INCOMING`, `${TCP} INCOMING`]);
  assertEquals(one(to(sent, TCP), "INCOMING").from, A);
  assertEquals(one(to(room.say(TCP, TOKEN, 1, "by TCP", OTHER_STREAM), A), "INCOMING").name, "Bob");
  // each has its own presence, and leaves alone
  const online = all(to(room.pass(100), A), "ONLINE").flatMap(({ members }) => members);
  assertEquals(online, [{ address: A, name: "Alice" }, { address: A, name: "Bob" }]);
  room.v1(TCP, "LEAVE", { id: 2, token: TOKEN });
  assertEquals(all(to(room.pass(100), A), "OFFLINE").flatMap(({ members }) => members), [{ address: A, name: "Bob" }]);
  assertEquals([room.room.size, room.room.users().names], [1, ["Alice"]]);
});

Deno.test("peers: a classic member at the address of another door's member does not disturb it", () => {
  const room = new FakeRoom();
  const { token } = room.join(A, "Alice");
  room.datagram(TCP, "GREETING\n");
  assertEquals(room.room.size, 2);
  assertEquals(outline(room.datagram(TCP, "MESSAGE hello")), [`${A} INCOMING`, `${TCP} INCOMING`]);
  assertEquals(room.datagram(A, "MESSAGE bare words carry no token"), []);
  assertEquals(outline(room.say(A, token, 1, "hi")).sort(), [`${A} INCOMING`, `${TCP} INCOMING`]);
});

Deno.test("peers: who has a connection is asked for no cookie, but for a greeting", () => {
  const room = new FakeRoom();
  assertEquals(room.greet(TCP, { token: TOKEN }).token, TOKEN);
  const other = "00000000000000bb";
  assertEquals(one(room.v1(`tcp ${B}`, "LIST", { id: 1, token: other }), "ERROR").code, "not-joined");
});

Deno.test("peers: a member moves to a connection without a cookie, and back to an address only with one", () => {
  const room = new FakeRoom();
  const { token } = room.join(B, "Alice");
  room.greet(TCP, { token, name: "Alice" });
  assertEquals(one(room.say(TCP, token, 1, "x"), "INCOMING").from, A);
  room.cookie(B, { token });
  assertEquals(one(room.say(TCP, token, 2, "y"), "INCOMING").from, A);
  assertEquals(room.move(B, token).address, B);
});

Deno.test("peers: how much a member may ask for depends on its address being validated, not on its dialect", () => {
  const room = new FakeRoom();
  const answers = (from: string) => {
    let count = 0;
    for (let i = 0; i < 1200; i++) count += room.datagram(from, "LIST").length;
    return count;
  };
  room.datagram(A, "GREETING");
  room.datagram(TCP, "GREETING");
  assertEquals([answers(A), answers(TCP)], [20, 1000]);
});

Deno.test("peers: a connection that ends removes its member, and the others are told", () => {
  const left: string[] = [];
  const room = new FakeRoom({ observer: { left: ({ key }, how) => left.push(`${key} ${how}`) } });
  room.join(A);
  room.greet(TCP, { token: TOKEN, name: "Bob" });
  room.settle();
  room.room.hungUp(peerOf(TCP), room.now);
  room.room.hungUp(peerOf(TCP), room.now);
  assertEquals([left, room.room.size], [[`${TCP} disconnect`], 1]);
  assertEquals(one(room.pass(100), "OFFLINE").members, [{ address: A, name: "Bob" }]);
  // it connects again from another port, and is the same member
  assertEquals(room.greet(`tcp ${B}`, { token: TOKEN, name: "Bob" }).name, "Bob");
});

Deno.test("peers: an end of a connection that its member has left does not concern the member", () => {
  const room = new FakeRoom();
  room.greet(TCP, { token: TOKEN });
  room.greet(`tcp ${B}`, { token: TOKEN });
  room.room.hungUp(peerOf(TCP), room.now);
  assertEquals(room.room.size, 1);
});

Deno.test("peers: a look-up by address finds who sends datagrams before who has a connection; NATs are opened only between such peers", () => {
  const room = new FakeRoom(), there = "10.0.0.8:1";
  const alice = room.join(there, "Alice").token;
  room.greet(TCP, { token: TOKEN, name: "Tim" });
  const byAddress = () => room.v1(there, "LOOKUP", { id: 1, token: alice, address: A });
  assertEquals(one(byAddress(), "PEER").name, "Tim");
  room.join(A, "Udo");
  assertEquals(one(byAddress(), "PEER").name, "Udo");
  const toTim = room.v1(there, "LOOKUP", { id: 2, token: alice, name: "Tim" });
  const ofTim = room.v1(TCP, "LOOKUP", { id: 3, token: TOKEN, name: "Alice" });
  assertEquals([outline(toTim), outline(ofTim)], [[`${there} PEER`], [`${TCP} PEER`]]);
  assertEquals([one(toTim, "PEER").relay, one(ofTim, "PEER").relay], [true, true]);
  const udo = room.v1(there, "LOOKUP", { id: 4, token: alice, name: "Udo" });
  assertEquals([outline(udo), one(udo, "PEER").relay], [[`${A} PUNCH`, `${there} PEER`], false]);
});

Deno.test("peers: classic words over a connection are read at once, also after a greeting in version 1", () => {
  const room = new FakeRoom();
  room.datagram(TCP, "GREETING\n");
  assertEquals(room.datagram(TCP, "MESSAGE hello").map(textOf), [`INCOMING <From ${A}>: hello\n`]);
});

/** Lets a datagram arrive that asks by an address of the server. */
function arrive(room: FakeRoom, from: string, via: string | undefined, text: string): void {
  const decoded = decode(new TextEncoder().encode(text));
  if (decoded.ok) room.room.receive(decoded.packet, { ...peerOf(from), via }, room.now, text.length);
}

/** By which address of the server each member gets what is sent to it. */
const paths = ({ delivery }: FakeRoom) => [...delivery.recipients].map(({ key, via }) => `${key} via ${via}`);

Deno.test("peers: a member is answered from the address that it asked last; a forged packet does not change it", () => {
  const room = new FakeRoom();
  const { token } = room.join(A);
  assertEquals(paths(room), [`${A} via undefined`]);
  arrive(room, A, "10.0.0.1", `LIST/1 id=1 token=${token}`);
  assertEquals(paths(room), [`${A} via 10.0.0.1`]);
  arrive(room, A, "10.0.0.2", `GREETING/1 id=2 token=${token}`);
  assertEquals(paths(room), [`${A} via 10.0.0.2`]);

  const wrong = token.replace(/.$/, (last) => last === "0" ? "1" : "0");
  for (const words of ["LIST/1 id=3", "GREETING/1 id=4", "SIGN-IN/1 id=5 name=Eve", "LEAVE/1 id=6"]) {
    arrive(room, A, "10.0.0.3", `${words} token=${wrong}`);
  }
  for (const words of ["GREETING", "MESSAGE x", "LIST", "GREETING/1 id=7"]) arrive(room, A, "10.0.0.3", words);
  assertEquals(paths(room), [`${A} via 10.0.0.2`]);

  arrive(room, A, undefined, `LIST/1 id=8 token=${token}`);
  assertEquals(paths(room), [`${A} via undefined`]);
});

Deno.test("peers: a member that moves is answered from the address that it asks there", () => {
  const room = new FakeRoom();
  const { token } = room.join(A);
  const cookie = room.cookie(B, { token });
  arrive(room, B, "10.0.0.2", `GREETING/1 id=2 token=${token} cookie=${cookie}`);
  assertEquals(paths(room), [`${B} via 10.0.0.2`]);
});

Deno.test("peers: a classic member is answered from the address that it asked first; after a restart from the next", () => {
  const room = new FakeRoom();
  arrive(room, A, "10.0.0.1", "GREETING");
  arrive(room, A, "10.0.0.2", "GREETING");
  arrive(room, A, "10.0.0.2", "MESSAGE x");
  assertEquals(paths(room), [`${A} via 10.0.0.1`]);

  const kept = { address: A, dialect: "classic", token: "", name: undefined, since: 0 } as const;
  const restarted = new FakeRoom({ members: [kept] });
  assertEquals(paths(restarted), [`${A} via undefined`]);
  for (const via of ["10.0.0.2", "10.0.0.1"]) arrive(restarted, A, via, "MESSAGE x");
  assertEquals(paths(restarted), [`${A} via 10.0.0.2`]);
});
