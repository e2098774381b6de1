/** Whom WELCOME tells where to join instead: who is at a loopback address, while others are not. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { decode } from "../../../protocol.ts";
import { Members } from "../../../server/room/members.ts";
import type { JoinAddress } from "../../../server/room/join_address.ts";
import { FakeRoom } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

const HERE = "127.0.0.1:40001", HERE6 = "[::1]:40002", LAN = "192.168.1.21:1", LAN6 = "[2001:db8::21]:2";
const SERVER = "192.168.1.10:9090", SERVER6 = "[2001:db8::10]:9090";
const joinAddress: JoinAddress = (family) => family === "IPv6" ? SERVER6 : SERVER;

/** What two clients at loopback addresses of both families are told. */
const told = (room: FakeRoom) => [HERE, HERE6].map((address) => room.join(address).join);

Deno.test("join address: a client at a loopback address is told of one while others are elsewhere, with each WELCOME", () => {
  const room = new FakeRoom({ joinAddress });
  assertEquals(told(room), [undefined, undefined]);
  const { token, join } = room.join(LAN);
  assertEquals(join, undefined);
  assertEquals(told(room), [SERVER, SERVER]);
  room.join(LAN6);
  assertEquals(told(room), [SERVER, SERVER6]);
  // Alice moves to this machine, and leaves
  room.move("127.0.0.1:9", token);
  assertEquals(told(room), [SERVER6, SERVER6]);
  room.v1("127.0.0.1:9", "LEAVE", { id: 1, token });
  assertEquals(told(room), [SERVER6, SERVER6]);
});

Deno.test("join address: classic members elsewhere count, those that have a connection do not", () => {
  const room = new FakeRoom({ joinAddress });
  room.room.connected(peerOf(`tcp ${LAN}`), room.now);
  assertEquals(told(room), [undefined, undefined]);
  room.datagram(LAN, "GREETING");
  assertEquals(told(room), [SERVER, SERVER]);
});

Deno.test("join address: without one that others reach, nothing is told", () => {
  const one = new FakeRoom({ joinAddress: () => undefined }), other = new FakeRoom();
  for (const room of [one, other]) {
    room.join(LAN);
    assertEquals(told(room), [undefined, undefined]);
  }
});

Deno.test("join address: of several it is the one by which others ask, who was heard last before the rest", () => {
  const room = new FakeRoom({ joinAddress: (family, via) => via && `${family} ${via}` });
  const ask = (address: string, text: string, via?: string) => {
    const decoded = decode(new TextEncoder().encode(text));
    if (decoded.ok) room.room.receive(decoded.packet, { ...peerOf(address), via }, room.now, text.length);
    room.delivery.take();
  };
  ask("192.168.1.23:3", "GREETING", "10.0.0.7");
  assertEquals(told(room), ["IPv4 10.0.0.7", "IPv4 10.0.0.7"]);
  const docker = "172.17.0.2:4", asks = (token: string) => `LIST/1 id=1 token=${token}`;
  const { token: alice } = room.join(LAN), { token: guest } = room.join(docker), { token: six } = room.join(LAN6);
  ask(docker, asks(guest), "172.17.0.1");
  ask(LAN, asks(alice), "192.168.1.10");
  ask(LAN6, asks(six), "2001:db8::10");
  ask("127.0.0.1:5", asks(room.join("127.0.0.1:5").token), "127.0.0.1");
  assertEquals(told(room), ["IPv4 192.168.1.10", "IPv6 2001:db8::10"]);
  // a classic member is written to through the server, so it does not count before the others
  ask("192.168.1.23:3", "MESSAGE hi", "10.0.0.7");
  assertEquals(told(room), ["IPv4 192.168.1.10", "IPv6 2001:db8::10"]);
  ask(docker, asks(guest), "172.17.0.1");
  assertEquals(told(room), ["IPv4 172.17.0.1", "IPv6 2001:db8::10"]);
});

Deno.test("join address: behind a crowd on this machine nobody elsewhere is looked for, and the first address is told", () => {
  const asked: (string | undefined)[] = [];
  const room = new FakeRoom({
    joinAddress: (_, via) => {
      asked.push(via);
      return SERVER;
    },
  });
  const { token } = room.join(LAN);
  const list = { dialect: "v1", type: "LIST", id: 1, token } as const;
  room.room.receive(list, { ...peerOf(LAN), via: "192.168.1.10" }, room.now, 100);
  for (let i = 0; i < 128; i++) assertEquals(room.join(`127.0.0.1:${1 + i}`).join, SERVER);
  assertEquals(asked, [...Array(127).fill("192.168.1.10"), undefined]);
});

Deno.test("join address: whether anybody is elsewhere is known without a look at a crowd", () => {
  const members = new Members();
  for (let i = 0; i < 100_000; i++) {
    const peer = peerOf(`127.0.${i >> 8 & 255}.${i & 255}:${1 + (i >> 16)}`);
    members.add({ peer, dialect: "classic", token: "" }, 0, 0);
  }
  members.add({ peer: peerOf(LAN), dialect: "v1", token: "a" }, 0, 0);
  const begin = performance.now();
  for (let i = 0; i < 100_000; i++) assert(members.hasElsewhere("IPv4") && !members.hasElsewhere("IPv6"));
  assertLess(performance.now() - begin, 1000);
});
