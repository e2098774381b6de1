/** Whom WELCOME tells where to join instead: who is at a loopback address, while others are not. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { Members } from "../../../server/room/members.ts";
import type { JoinAddress } from "../../../server/room/greeting.ts";
import { FakeRoom } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

const HERE = "127.0.0.1:40001", HERE6 = "[::1]:40002", LAN = "192.168.1.21:1", LAN6 = "[2001:db8::21]:2";
const SERVER = "192.168.1.10:9090", SERVER6 = "[2001:db8::10]:9090";
const joinAddress: JoinAddress = (isOfIPv6) => isOfIPv6 ? SERVER6 : SERVER;

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

Deno.test("join address: whether anybody is elsewhere is known without a look at a crowd", () => {
  const members = new Members();
  for (let i = 0; i < 100_000; i++) {
    const peer = peerOf(`127.0.${i >> 8 & 255}.${i & 255}:${1 + (i >> 16)}`);
    members.add({ peer, dialect: "classic", token: "" }, 0, 0);
  }
  members.add({ peer: peerOf(LAN), dialect: "v1", token: "a" }, 0, 0);
  const begin = performance.now();
  for (let i = 0; i < 100_000; i++) assert(members.hasElsewhere(false) && !members.hasElsewhere(true));
  assertLess(performance.now() - begin, 1000);
});
