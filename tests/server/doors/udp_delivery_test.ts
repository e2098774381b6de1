/** Delivery over a socket: a recipient that can't be reached costs no other its copy, and the queues are bounded. */
import { assert, assertEquals, assertLess } from "@std/assert";
import type { Dialect, V1Packet } from "../../../protocol.ts";
import { socketAddress } from "../../../runtime/udp.ts";
import { UdpDelivery } from "../../../server/doors/udp_delivery.ts";
import type { Recipient } from "../../../server/room/delivery.ts";
import { FakeSender } from "../../support/fake_sender.ts";

const EPOCH = "91c4be20d7a35f68";

function heartbeat(seq: number): V1Packet {
  return { dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq };
}

function said(text: string): V1Packet {
  return { dialect: "v1", type: "INCOMING", epoch: EPOCH, seq: 1, at: 1, from: "127.0.0.1:1", text };
}

function recipient(port: number, dialect: Dialect = "v1"): Recipient {
  return { address: `10.0.0.1:${port}`, dialect };
}

/** A delivery with so many v1 recipients, at ports from 1 on. */
function delivery(members: number, sender: FakeSender): UdpDelivery {
  const udp = new UdpDelivery(sender);
  for (let port = 1; port <= members; port++) udp.join(recipient(port));
  return udp;
}

const ports = (sender: FakeSender) => sender.transmitted.map(({ to }) => Number(to.split(" ")[1]));

Deno.test("delivery: addresses that can't be reached cost nobody else a copy", async () => {
  const sender = new FakeSender({ fails: (_, port) => port % 3 === 0 });
  const udp = delivery(10, sender);
  udp.broadcast(heartbeat(1));
  udp.send(recipient(3), heartbeat(2));
  udp.broadcast(heartbeat(3));
  await udp.idle();
  const reached = [1, 2, 4, 5, 7, 8, 10];
  assertEquals(ports(sender), [...reached, ...reached]);
  assertEquals(udp.statistics, { sent: 14, failed: 7, dropped: 0 });
});

Deno.test("delivery: a send that throws synchronously counts as failed", async () => {
  const udp = new UdpDelivery({
    addr: { transport: "udp", hostname: "0.0.0.0", port: 1 },
    send: () => {
      throw new TypeError("no such thing");
    },
  });
  udp.join(recipient(1));
  udp.broadcast(heartbeat(1));
  await udp.idle();
  assertEquals(udp.statistics.failed, 1);
});

Deno.test("delivery: a broadcast is encoded once per dialect, and skips dialects without a word for it", async () => {
  const sender = new FakeSender();
  const udp = new UdpDelivery(sender);
  for (const [i, dialect] of (["v1", "classic", "v1", "classic-line"] as const).entries()) {
    udp.join(recipient(i + 1, dialect));
  }
  udp.broadcast(said("hi"));
  udp.broadcast(heartbeat(1));
  await udp.idle();
  assertEquals(ports(sender), [1, 3, 2, 4, 1, 3]);
  assertEquals(sender.transmitted[2].text, "INCOMING <From 127.0.0.1:1>: hi");
  assertEquals(sender.transmitted[3].text, "INCOMING <From 127.0.0.1:1>: hi\n");
  assert(sender.transmitted[0].bytes === sender.transmitted[1].bytes);
});

Deno.test("delivery: a broadcast skips the excepted member and those who have left", async () => {
  const sender = new FakeSender();
  const udp = new UdpDelivery(sender);
  const [a, b, c] = [1, 2, 3].map((port) => recipient(port));
  for (const member of [a, b, c]) udp.join(member);
  udp.leave(c);
  udp.broadcast(heartbeat(1), a);
  await udp.idle();
  assertEquals(ports(sender), [2]);
});

Deno.test("delivery: answers to single members go before what is left of a broadcast", async () => {
  let udp: UdpDelivery | undefined = undefined;
  const sender = new FakeSender({
    sending: ({ to }) => {
      if (to === "10.0.0.1 5") { for (const seq of [1, 2]) udp!.send(recipient(9999), heartbeat(seq)); }
    },
  });
  udp = delivery(1000, sender);
  udp.broadcast(said("x"));
  await udp.idle();
  assertLess(ports(sender).lastIndexOf(9999), 200, "the portion that was under way may go first");
  assertEquals(sender.transmitted.length, 1002);
});

Deno.test("delivery: an answer given while broadcasts wait goes before them, and they keep their order", async () => {
  const sender = new FakeSender();
  const udp = delivery(100, sender);
  for (const seq of [1, 2, 3]) udp.broadcast(heartbeat(seq));
  udp.send(recipient(7777), heartbeat(9));
  await udp.idle();
  assertLess(ports(sender).indexOf(7777), 101);
  const order = sender.transmitted.map(({ text }) => /seq=(\d+)/.exec(text)![1]).filter((seq) => seq !== "9");
  assertEquals(order, ["1", "2", "3"].flatMap((seq) => Array(100).fill(seq)));
});

Deno.test("delivery: a member that leaves during a broadcast costs no other a copy, and nobody gets two", async () => {
  const members = Array.from({ length: 300 }, (_, i) => recipient(i + 1));
  let udp: UdpDelivery | undefined = undefined;
  const gone = new Set<number>();
  const sender = new FakeSender({
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
  udp = new UdpDelivery(sender);
  for (const member of members) udp.join(member);
  udp.broadcast(heartbeat(1));
  await udp.idle();
  const served = ports(sender);
  assertEquals(served.filter((port) => port > 1000), [], "who comes in the middle was not there when it was said");
  assertEquals(new Set(served).size, served.length, "two copies");
  for (let port = 1; port <= 300; port++) if (!gone.has(port)) assert(served.includes(port), `${port} got no copy`);
});

Deno.test("delivery: the address is read when send is called, so a later change does not matter", async () => {
  const sender = new FakeSender();
  const udp = new UdpDelivery(sender);
  const member = recipient(1);
  udp.send(member, heartbeat(1));
  member.address = "10.0.0.1:2";
  await udp.idle();
  assertEquals(ports(sender), [1]);
});

Deno.test("delivery: no more than 20,000 answers wait, and what is given up is counted", async () => {
  const sender = new FakeSender();
  const udp = new UdpDelivery(sender);
  for (let i = 0; i < 20_500; i++) udp.send(recipient(1), heartbeat(i));
  await udp.idle();
  assertEquals(udp.statistics, { sent: 20_000, failed: 0, dropped: 500 });
});

Deno.test("delivery: no more than 1,000 broadcasts wait, and every copy that is given up is counted", async () => {
  const sender = new FakeSender();
  const udp = delivery(3, sender);
  for (let i = 0; i < 1010; i++) udp.broadcast(heartbeat(i));
  await udp.idle();
  assertEquals(udp.statistics, { sent: 3000, failed: 0, dropped: 30 });
});

Deno.test("delivery: drops the waiting broadcasts that have not begun, so that CLOSING does not wait", async () => {
  const sender = new FakeSender();
  const udp = delivery(3, sender);
  for (let seq = 1; seq <= 900; seq++) udp.broadcast(heartbeat(seq));
  udp.dropWaitingBroadcasts();
  udp.broadcast({ dialect: "v1", type: "CLOSING", epoch: EPOCH });
  await udp.idle();
  const types = sender.transmitted.map(({ text }) => text.split(" ")[0]);
  assertEquals(types, [...Array(3).fill("HEARTBEAT/1"), ...Array(3).fill("CLOSING/1")]);
});

Deno.test("delivery: the event loop does other work between two portions of a large broadcast", async () => {
  const portions: number[] = [];
  const table = {
    failed: 0,
    add: () => 0,
    remove: () => undefined,
    swap: () => {},
    send(_: Uint8Array, from: number, to: number) {
      portions.push(to - from);
      // busy for so long that the event loop must get a turn
      for (const until = performance.now() + 2; performance.now() < until;);
      return to;
    },
  };
  const udp = new UdpDelivery(new FakeSender(), {
    fast: { table: () => table, writable: () => Promise.resolve(true) },
  });
  for (let port = 1; port <= 5000; port++) udp.join(recipient(port));
  const turnsAt: number[] = [];
  const count = () => {
    turnsAt.push(portions.length);
    if (portions.reduce((sum, size) => sum + size, 0) < 5000) setTimeout(count);
  };
  setTimeout(count);
  udp.broadcast(heartbeat(1));
  await udp.idle();
  assertEquals(portions.reduce((sum, size) => sum + size, 0), 5000);
  assert(new Set(turnsAt).size > 3, `heard after ${[...new Set(turnsAt)]} of ${portions.length} portions`);
});

Deno.test("delivery: a steady flow of answers is not taken for a queue", async () => {
  let left = 25_000;
  let udp: UdpDelivery | undefined = undefined;
  const sender = new FakeSender({
    sending: () => {
      if (left-- > 0) udp!.send(recipient(1), heartbeat(left));
    },
  });
  udp = new UdpDelivery(sender);
  udp.send(recipient(1), heartbeat(0));
  await udp.idle();
  assertEquals(udp.statistics, { sent: 25_001, failed: 0, dropped: 0 }, "never more than one waited");
});

Deno.test("delivery: a steady flow of answers does not keep a broadcast from being sent", async () => {
  let udp: UdpDelivery | undefined = undefined;
  let copies = 0, answers = 0;
  const sender = new FakeSender({
    sending: ({ to }) => {
      if (to === "10.0.0.1 999") answers++;
      else copies++;
      if (copies < 10 && answers < 1000) udp!.send(recipient(999), heartbeat(1));
    },
  });
  udp = delivery(10, sender);
  udp.broadcast(said("x"));
  await udp.idle();
  assertEquals(copies, 10);
  assertLess(answers, 500, "answers sent before the tenth copy");
});

Deno.test("delivery: idle resolves at once when nothing waits, and work after it is done as well", async () => {
  const sender = new FakeSender();
  const udp = delivery(1, sender);
  await udp.idle();
  for (const round of [1, 2]) {
    udp.broadcast(heartbeat(round));
    await udp.idle();
    assertEquals(sender.transmitted.length, round);
  }
});

Deno.test("delivery: an address is written as the socket takes it", () => {
  const [ipv4, ipv6] = [new FakeSender(), new FakeSender({ hostname: "::" })];
  assertEquals(socketAddress("10.0.0.1:5", ipv4), { transport: "udp", hostname: "10.0.0.1", port: 5 });
  assertEquals(socketAddress("10.0.0.1:5", ipv6).hostname, "::ffff:10.0.0.1");
  assertEquals(socketAddress("[::1]:5", ipv6), { transport: "udp", hostname: "::1", port: 5 });
  assertEquals(socketAddress("[fe80::1%eth0]:5", ipv6).hostname, "fe80::1%eth0");
});

Deno.test("delivery: a socket for both families gets IPv4 in its IPv6 form", async () => {
  const sender = new FakeSender({ hostname: "::" });
  const udp = delivery(1, sender);
  udp.send({ address: "[::1]:7", dialect: "v1" }, heartbeat(1));
  udp.broadcast(heartbeat(1));
  await udp.idle();
  assertEquals(sender.transmitted.map(({ to }) => to).sort(), ["::1 7", "::ffff:10.0.0.1 1"]);
});
