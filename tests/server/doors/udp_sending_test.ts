/** The UDP door where it sends one by one: a recipient that can't be reached costs no other its copy, and the queues are bounded. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { encode } from "../../../protocol.ts";
import { socketAddress } from "../../../runtime/udp.ts";
import { NetworkEmulator } from "../../../server/doors/network_emulator.ts";
import { UdpDoor } from "../../../server/doors/udp.ts";
import type { Recipient } from "../../../server/room/delivery.ts";
import { FakeSocket } from "../../support/fake_socket.ts";
import { recipientOf } from "../../support/peer_of.ts";

const EPOCH = "91c4be20d7a35f68";

function heartbeat(seq: number): Uint8Array {
  return encode({ dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq });
}

function recipient(port: number): Recipient {
  return recipientOf(`10.0.0.1:${port}`);
}

/** A door that sends one by one. */
function openDoor(socket: FakeSocket): UdpDoor {
  return new UdpDoor({ socket, fast: { reason: "this is a test" } }, new NetworkEmulator(1));
}

/** A door with so many v1 recipients, at ports from 1 on. */
function doorWith(members: number, socket: FakeSocket): UdpDoor {
  const door = openDoor(socket);
  for (let port = 1; port <= members; port++) door.join(recipient(port));
  return door;
}

const ports = (socket: FakeSocket) => socket.transmitted.map(({ to }) => Number(to.split(" ")[1]));

Deno.test("udp sending: addresses that can't be reached cost nobody else a copy", async () => {
  const socket = new FakeSocket({ fails: (_, port) => port % 3 === 0 });
  const udp = doorWith(10, socket);
  udp.broadcast(heartbeat(1), "v1");
  udp.send(recipient(3), heartbeat(2));
  udp.broadcast(heartbeat(3), "v1");
  await udp.idle();
  const reached = [1, 2, 4, 5, 7, 8, 10];
  assertEquals(ports(socket), [...reached, ...reached]);
  assertEquals(udp.statistics, { sent: 14, failed: 7, dropped: 0 });
});

Deno.test("udp sending: a send that throws synchronously counts as failed", async () => {
  class ThrowingSocket extends FakeSocket {
    override send(): never {
      throw new TypeError("no such thing");
    }
  }
  const udp = openDoor(new ThrowingSocket());
  udp.join(recipient(1));
  udp.broadcast(heartbeat(1), "v1");
  await udp.idle();
  assertEquals(udp.statistics.failed, 1);
});

Deno.test("udp sending: a broadcast skips the excepted member and those who have left", async () => {
  const socket = new FakeSocket();
  const udp = openDoor(socket);
  const [a, b, c] = [1, 2, 3].map((port) => recipient(port));
  for (const member of [a, b, c]) udp.join(member);
  udp.leave(c);
  udp.broadcast(heartbeat(1), "v1", a);
  await udp.idle();
  assertEquals(ports(socket), [2]);
});

Deno.test("udp sending: answers to single members go before what is left of a broadcast", async () => {
  let udp: UdpDoor | undefined = undefined;
  const socket = new FakeSocket({
    sending: ({ to }) => {
      if (to === "10.0.0.1 5") { for (const seq of [1, 2]) udp!.send(recipient(9999), heartbeat(seq)); }
    },
  });
  udp = doorWith(1000, socket);
  udp.broadcast(heartbeat(1), "v1");
  await udp.idle();
  assertLess(ports(socket).lastIndexOf(9999), 200, "the portion that was under way may go first");
  assertEquals(socket.transmitted.length, 1002);
});

Deno.test("udp sending: an answer given while broadcasts wait goes before them, and they keep their order", async () => {
  const socket = new FakeSocket();
  const udp = doorWith(100, socket);
  for (const seq of [1, 2, 3]) udp.broadcast(heartbeat(seq), "v1");
  udp.send(recipient(7777), heartbeat(9));
  await udp.idle();
  assertLess(ports(socket).indexOf(7777), 101);
  const order = socket.transmitted.map(({ text }) => /seq=(\d+)/.exec(text)![1]).filter((seq) => seq !== "9");
  assertEquals(order, ["1", "2", "3"].flatMap((seq) => Array(100).fill(seq)));
});

Deno.test("udp sending: a member that leaves during a broadcast costs no other a copy, and nobody gets two", async () => {
  const members = Array.from({ length: 300 }, (_, i) => recipient(i + 1));
  let udp: UdpDoor | undefined = undefined;
  const gone = new Set<number>();
  const socket = new FakeSocket({
    sending: ({ to }) => {
      const port = Number(to.split(" ")[1]);
      // a member that was just served leaves, and one that was not; a newcomer joins
      for (const other of [port, 301 - port]) {
        if (port % 7 !== 0 || other < 1 || other > 300) continue;
        gone.add(other);
        udp!.leave(members[other - 1]);
      }
      if (port % 50 === 0 && port < 1000) udp!.join(recipient(port + 1000));
    },
  });
  udp = openDoor(socket);
  for (const member of members) udp.join(member);
  udp.broadcast(heartbeat(1), "v1");
  await udp.idle();
  const served = ports(socket);
  assertEquals(served.filter((port) => port > 1000), [], "who comes in the middle was not there when it was said");
  assertEquals(new Set(served).size, served.length, "two copies");
  for (let port = 1; port <= 300; port++) if (!gone.has(port)) assert(served.includes(port), `${port} got no copy`);
});

Deno.test("udp sending: the address is read when send is called, so a later change does not matter", async () => {
  const socket = new FakeSocket();
  const udp = openDoor(socket);
  const member: { -readonly [K in keyof Recipient]: Recipient[K] } = recipient(1);
  udp.send(member, heartbeat(1));
  member.address = "10.0.0.1:2";
  await udp.idle();
  assertEquals(ports(socket), [1]);
});

Deno.test("udp sending: no more than 20,000 answers wait, and what is given up is counted", async () => {
  const socket = new FakeSocket();
  const udp = openDoor(socket);
  for (let i = 0; i < 20_500; i++) udp.send({ ...recipient(1), validated: true }, heartbeat(i));
  await udp.idle();
  assertEquals(udp.statistics, { sent: 20_000, failed: 0, dropped: 500 });
});

Deno.test("udp sending: answers that don't get away to strangers keep no member waiting, and 64 of them are kept", async () => {
  const stuck = Promise.withResolvers<void>();
  class StuckSocket extends FakeSocket {
    override async send(bytes: Uint8Array, addr: Deno.Addr): Promise<number> {
      if ((addr as Deno.NetAddr).port === 1) await stuck.promise;
      return super.send(bytes, addr);
    }
  }
  const socket = new StuckSocket();
  const udp = openDoor(socket);
  for (let i = 0; i < 100; i++) udp.send(recipient(1), heartbeat(i));
  udp.send({ ...recipient(2), validated: true }, heartbeat(100));
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assertEquals(ports(socket), [2]);
  stuck.resolve();
  await udp.idle();
  assertEquals(udp.statistics, { sent: 65, failed: 0, dropped: 36 });
});

Deno.test("udp sending: no more than 1,000 broadcasts wait, and every copy that is given up is counted", async () => {
  const socket = new FakeSocket();
  const udp = doorWith(3, socket);
  for (let i = 0; i < 1010; i++) udp.broadcast(heartbeat(i), "v1");
  await udp.idle();
  assertEquals(udp.statistics, { sent: 3000, failed: 0, dropped: 30 });
});

Deno.test("udp sending: drops the waiting broadcasts that have not begun, so that CLOSING does not wait", async () => {
  const socket = new FakeSocket();
  const udp = doorWith(3, socket);
  for (let seq = 1; seq <= 900; seq++) udp.broadcast(heartbeat(seq), "v1");
  udp.prepareToClose();
  udp.broadcast(encode({ dialect: "v1", type: "CLOSING", epoch: EPOCH }), "v1");
  await udp.idle();
  const types = socket.transmitted.map(({ text }) => text.split(" ")[0]);
  assertEquals(types, [...Array(3).fill("HEARTBEAT/1"), ...Array(3).fill("CLOSING/1")]);
});

Deno.test("udp sending: a steady flow of answers is not taken for a queue", async () => {
  let left = 25_000;
  let udp: UdpDoor | undefined = undefined;
  const socket = new FakeSocket({
    sending: () => {
      if (left-- > 0) udp!.send(recipient(1), heartbeat(left));
    },
  });
  udp = openDoor(socket);
  udp.send(recipient(1), heartbeat(0));
  await udp.idle();
  assertEquals(udp.statistics, { sent: 25_001, failed: 0, dropped: 0 }, "never more than one waited");
});

Deno.test("udp sending: a steady flow of answers does not keep a broadcast from being sent", async () => {
  let udp: UdpDoor | undefined = undefined;
  let copies = 0, answers = 0;
  const socket = new FakeSocket({
    sending: ({ to }) => {
      if (to === "10.0.0.1 999") answers++;
      else copies++;
      if (copies < 10 && answers < 1000) udp!.send(recipient(999), heartbeat(1));
    },
  });
  udp = doorWith(10, socket);
  udp.broadcast(heartbeat(1), "v1");
  await udp.idle();
  assertEquals(copies, 10);
  assertLess(answers, 500, "answers sent before the tenth copy");
});

Deno.test("udp sending: idle resolves at once when nothing waits, and work after it is done as well", async () => {
  const socket = new FakeSocket();
  const udp = doorWith(1, socket);
  await udp.idle();
  for (const round of [1, 2]) {
    udp.broadcast(heartbeat(round), "v1");
    await udp.idle();
    assertEquals(socket.transmitted.length, round);
  }
});

Deno.test("udp sending: an address is written as the socket takes it", () => {
  const [ipv4, ipv6] = [new FakeSocket(), new FakeSocket({ hostname: "::" })];
  assertEquals(socketAddress("10.0.0.1:5", ipv4), { transport: "udp", hostname: "10.0.0.1", port: 5 });
  assertEquals(socketAddress("10.0.0.1:5", ipv6).hostname, "::ffff:10.0.0.1");
  assertEquals(socketAddress("[::1]:5", ipv6), { transport: "udp", hostname: "::1", port: 5 });
  assertEquals(socketAddress("[fe80::1%eth0]:5", ipv6).hostname, "fe80::1%eth0");
});

Deno.test("udp sending: a socket for both families gets IPv4 in its IPv6 form", async () => {
  const socket = new FakeSocket({ hostname: "::" });
  const udp = doorWith(1, socket);
  udp.send(recipientOf("[::1]:7"), heartbeat(1));
  udp.broadcast(heartbeat(1), "v1");
  await udp.idle();
  assertEquals(socket.transmitted.map(({ to }) => to).sort(), ["::1 7", "::ffff:10.0.0.1 1"]);
});
