/** The UDP door where it can send to many at once: what is sent when, and what it waits for. */
import { assertEquals, assertGreater, assertGreaterOrEqual } from "@std/assert";
import { setImmediate } from "node:timers";
import { parseNetwork } from "../../../protocol/ip_network.ts";
import { NetworkEmulator, PERFECT } from "../../../server/doors/network_emulator.ts";
import { UdpDoor } from "../../../server/doors/udp.ts";
import type { Recipient } from "../../../server/room/delivery.ts";
import { FakeBatchSender, type FakeBatchSenderOptions } from "../../support/fake_batch_sender.ts";
import { FakeSocket } from "../../support/fake_socket.ts";
import { withFakeTime } from "../../support/fake_time.ts";
import { recipientOf } from "../../support/peer_of.ts";

const BYTES = new TextEncoder().encode("hello");
const recipient = (port: number): Recipient => recipientOf(`10.0.0.1:${port}`);

interface DoorOptions extends FakeBatchSenderOptions {
  socket?: FakeSocket;
  members?: number;
}

/** A door with so many v1 recipients, at ports from 1 on. */
function openDoor({ socket = new FakeSocket(), members = 0, ...options }: DoorOptions = {}) {
  const fast = new FakeBatchSender(options);
  const door = new UdpDoor({ socket, fast }, new NetworkEmulator(1));
  for (let port = 1; port <= members; port++) door.join(recipient(port));
  return { fast, door, socket };
}

const sizes = ({ portions }: FakeBatchSender) => portions.map(({ length }) => length);

Deno.test("udp batches: in a room of up to 1,024 a broadcast has left before the call returns", async () => {
  const { fast, door } = openDoor({ members: 1024 });
  for (let i = 0; i < 3; i++) door.broadcast(BYTES, "v1");
  assertEquals([sizes(fast), fast.waits], [[1024, 1024, 1024], 0]);
  door.join(recipient(1025));
  door.broadcast(BYTES, "v1");
  await door.idle();
  assertEquals(sizes(fast).slice(3), [512, 513]);
});

Deno.test("udp batches: each dialect has its own recipients, and one of them is left out", () => {
  const { fast, door } = openDoor({ members: 3 });
  const line = recipientOf("10.0.0.1:4", "classic-line"), last = recipient(5);
  for (const recipient of [line, last]) door.join(recipient);
  door.broadcast(BYTES, "classic-line");
  door.broadcast(BYTES, "v1", last);
  assertEquals([fast.portions[0], fast.portions[1].toSorted()], [[4], [1, 2, 3]]);
  assertEquals([door.size("v1"), door.size("classic-line"), door.size("classic")], [4, 1, 0]);
  door.leave(last);
  assertEquals(door.size("v1"), 3);
});

Deno.test("udp batches: a full socket is waited for, and nobody gets a second copy", async () => {
  const { fast, door } = openDoor({ members: 5 });
  fast.space = 3;
  door.broadcast(BYTES, "v1");
  // a broadcast that does not wait would go on in these turns of the event loop
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  assertEquals([fast.portions, fast.waits, door.statistics.sent], [[[1, 2, 3]], 1, 3]);
  fast.drain(10);
  await door.idle();
  assertEquals([fast.portions, door.statistics.sent], [[[1, 2, 3], [4, 5]], 5]);
});

Deno.test("udp batches: copies that the system refuses are counted as failed, not as sent", () => {
  const { door } = openDoor({ members: 5, fails: (port) => port % 2 === 0 });
  for (let i = 0; i < 2; i++) door.broadcast(BYTES, "v1");
  assertEquals(door.statistics, { sent: 6, failed: 4, dropped: 0 });
});

Deno.test("udp batches: a recipient that the socket can't send to is left out, and may leave", () => {
  const { fast, door } = openDoor({ refuses: (port) => port === 2 });
  const members = [1, 2, 3].map(recipient);
  for (const member of members) door.join(member);
  assertEquals(door.size("v1"), 2);
  door.leave(members[1]);
  door.broadcast(BYTES, "v1");
  assertEquals(fast.portions, [[1, 3]]);
});

Deno.test("udp batches: an emulated fault meets each copy by itself", async () => {
  const { fast, door, socket } = openDoor({ members: 100 });
  door.emulator.conditions = { ...PERFECT, drop: 0.5 };
  door.broadcast(BYTES, "v1");
  await door.idle();
  const { dropped, passed } = door.emulator.statistics;
  assertEquals([fast.portions, socket.transmitted.length, dropped + passed], [[], passed, 100]);
  assertGreaterOrEqual(Math.min(dropped, passed), 20);
});

Deno.test("udp batches: the event loop does other work between two portions of a large broadcast", async () => {
  // busy for so long that the event loop must get a turn
  const sent = () => {
    for (const until = performance.now() + 2; performance.now() < until;);
  };
  const { fast, door } = openDoor({ members: 5000, sent });
  const turnsAt = new Set<number>();
  const count = () => {
    turnsAt.add(fast.portions.length);
    if (sizes(fast).reduce((sum, size) => sum + size, 0) < 5000) setTimeout(count);
  };
  setTimeout(count);
  door.broadcast(BYTES, "v1");
  await door.idle();
  assertEquals(sizes(fast), [...Array(8).fill(512), 904]);
  assertGreater(turnsAt.size, 3, `turns after ${[...turnsAt]} portions`);
});

Deno.test("udp batches: between two portions a broadcast waits for as long as datagrams arrive", () =>
  withFakeTime(async ({ advance }) => {
    let arrived = 0;
    const arrivedAt: number[] = [];
    // time stands still between the portions, so only a lack of arrivals ends the pause
    const sent = () => {
      arrivedAt.push(arrived);
      advance(1);
    };
    const { fast, door, socket } = openDoor({ members: 1100, sent });
    const running = door.run({ receive: () => void arrived++ });
    let left = 40;
    const next = () => {
      if (left-- === 0) return;
      socket.arrive("x");
      setImmediate(next);
    };
    setImmediate(next);
    door.broadcast(BYTES, "v1");
    await door.idle();
    assertEquals([sizes(fast), arrivedAt], [[512, 588], [0, 40]]);
    await door.close();
    await running;
  }));

Deno.test("udp batches: between two portions a broadcast waits for as long as answers are sent", () =>
  withFakeTime(async ({ advance }) => {
    class SlowSocket extends FakeSocket {
      override async send(bytes: Uint8Array, addr: Deno.Addr): Promise<number> {
        await new Promise<void>((resolve) => setImmediate(resolve));
        return await super.send(bytes, addr);
      }
    }
    const socket = new SlowSocket();
    const answeredAt: number[] = [];
    const sent = () => {
      answeredAt.push(socket.transmitted.length);
      advance(1);
    };
    const { door } = openDoor({ socket, members: 1100, sent });
    for (let i = 0; i < 2000; i++) door.send(recipient(9999), BYTES);
    door.broadcast(BYTES, "v1");
    await door.idle();
    assertEquals(answeredAt[0], 0);
    // the last answers have left the queue, and are under way
    assertGreaterOrEqual(answeredAt[1], 2000 - 2 * 64);
  }));

Deno.test("udp batches: the door asks for a large receive buffer, tells what was lost, and closes both sockets", async () => {
  const { fast, door, socket } = openDoor();
  assertEquals([fast.receiveBuffer, door.inboundDrops], [8 * 1024 * 1024, 7]);
  assertEquals(door.method, "Sending to many at once by sendmmsg");
  await door.close();
  assertEquals([fast.isClosed, socket.isClosed], [true, true]);
});

/** A door at 10.0.0.1 whose send buffer holds 100 short datagrams, and whose system looks for 10.0.0.200 in vain. */
function openSmallDoor() {
  const fast = new FakeBatchSender(), socket = new FakeSocket();
  fast.sendBuffer = 76_800;
  fast.neighbourTable = new Map([["10.0.0.2", true], ["10.0.0.200", false]]);
  const localNetworks = () => [parseNetwork("10.0.0.1/24")!];
  return { fast, socket, door: new UdpDoor({ socket, fast }, new NetworkEmulator(1), { localNetworks }) };
}

Deno.test("udp batches: in a full buffer there is an answer to strangers only that are known to be there", async () => {
  const { fast, socket, door } = openSmallDoor();
  fast.pendingBytes = fast.sendBuffer;
  for (let i = 0; i < 100; i++) door.send({ ...recipientOf("192.0.2.1:1"), validated: true }, BYTES);
  await door.idle();
  socket.transmitted.length = 0;
  for (const host of ["10.0.0.2", "10.0.0.3", "10.0.0.200"]) door.send(recipientOf(`${host}:1`), BYTES);
  await door.idle();
  assertEquals(socket.transmitted.map(({ to }) => to), ["10.0.0.2 1"]);
  assertEquals(door.statistics.dropped, 2);
});

Deno.test("udp batches: a broadcast goes now and then to an absent member too, even while strangers have no answer", () =>
  withFakeTime(async ({ advance }) => {
    const { fast, socket, door } = openSmallDoor();
    door.join(recipientOf("10.0.0.200:1"));
    fast.space = 0;
    fast.pendingBytes = fast.sendBuffer;
    for (let i = 0; i < 100; i++) door.send(recipientOf("10.0.0.200:2"), BYTES);
    door.broadcast(BYTES, "v1");
    await advance(1);
    fast.pendingBytes = 0;
    fast.drain(1000);
    await door.idle();
    await advance(5000);
    socket.transmitted.length = 0;
    for (let i = 0; i < 3; i++) door.broadcast(BYTES, "v1");
    await door.idle();
    assertEquals([socket.transmitted.map(({ to }) => to), fast.portions.flat()], [
      ["10.0.0.200 1"],
      [],
    ]);
  }));

Deno.test("udp batches: the neighbours are looked at now and then, so that it is known later who was there", () =>
  withFakeTime(async ({ advance }) => {
    const { fast, door } = openSmallDoor();
    let looks = 0;
    fast.neighbours = () => {
      looks++;
      return fast.neighbourTable;
    };
    const running = door.run({ receive() {} });
    await advance(9000);
    await door.close();
    await running;
    await advance(9000);
    assertEquals(looks, 3);
  }));
