/** One socket of the UDP door: when much of its send buffer is taken, absent recipients take no more of it. */
import { setImmediate } from "node:timers";
import { assertEquals, assertLess } from "@std/assert";
import { parseNetwork } from "../../../protocol/ip_network.ts";
import { Neighbours } from "../../../server/doors/neighbours.ts";
import { sizeInBuffer } from "../../../server/doors/send_buffer.ts";
import { UdpSocket } from "../../../server/doors/udp_socket.ts";
import { FakeBatchSender } from "../../support/fake_batch_sender.ts";
import { FakeSocket } from "../../support/fake_socket.ts";
import { withFakeTime } from "../../support/fake_time.ts";
import { recipientOf } from "../../support/peer_of.ts";

/** A short datagram takes 768 bytes of the buffer, so 100 of them fit into it. */
const BUFFER = 76_800;
const BYTES = new TextEncoder().encode("hello");
const ABSENT = "10.0.0.200";
const of = (host: string, validated: boolean) => ({ address: `${host}:1`, validated });

/** A socket of 10.0.0.1. Each recipient has a port of its own, from 1 on. */
function openSocket() {
  const fast = new FakeBatchSender();
  fast.sendBuffer = BUFFER;
  const localNetworks = () => [parseNetwork("10.0.0.1/24")!];
  const neighbours = new Neighbours({ read: () => fast.neighbours(), localNetworks });
  const socket = new UdpSocket(new FakeSocket(), { fast, neighbours });
  fast.neighbourTable = new Map([["10.0.0.2", true], [ABSENT, false]]);
  let port = 0;
  const join = (host: string, dialect: "v1" | "classic") => {
    const recipient = recipientOf(`${host}:${++port}`, dialect);
    socket.join(recipient);
    return recipient;
  };
  /** Lets so many bytes of the buffer be taken by what is sent now. */
  const fill = (bytes: number) => {
    fast.pendingBytes = bytes;
    for (let i = 0; i < BUFFER / 768; i++) socket.admits(of("192.0.2.1", true), BYTES);
  };
  return { fast, socket, join, fill };
}

/** Broadcasts, and returns the ports that got a copy, and those that were tried again. */
async function broadcast({ fast, socket }: ReturnType<typeof openSocket>, dialect: "v1" | "classic") {
  const again = socket.begin(dialect, BYTES).map(({ address }) => Number(address.split(":")[1]));
  while (socket.remaining(dialect) > 0) await socket.sendNext(dialect, BYTES, 1000).wait;
  return { sent: fast.portions.splice(0).flat(), again };
}

Deno.test("udp socket: a stranger has an answer while little of the buffer is taken, wherever it is", () => {
  const { socket, fill } = openSocket();
  fill(BUFFER / 4 - 4 * 768);
  for (const host of ["10.0.0.2", ABSENT, "10.0.0.3", "192.0.2.1"]) {
    assertEquals(socket.admits(of(host, false), BYTES), true, host);
  }
});

Deno.test("udp socket: when a quarter is taken, only strangers have answers that are known to be there, or far away", () =>
  withFakeTime(async ({ advance }) => {
    const { fast, socket, fill } = openSocket();
    fill(BUFFER / 4);
    const admitted = () =>
      ["10.0.0.2", ABSENT, "10.0.0.3", "192.0.2.1"].filter((host) => socket.admits(of(host, false), BYTES));
    assertEquals(admitted(), ["10.0.0.2", "192.0.2.1"]);
    // a newcomer asks for the server's hardware address first, and so becomes known
    fast.neighbourTable = new Map([["10.0.0.3", true], [ABSENT, false]]);
    await advance(100);
    assertEquals(admitted(), ["10.0.0.3", "192.0.2.1"]);
    // who is absent has no answer for a while, or the buffer would be full again at once
    fast.pendingBytes = 0;
    assertEquals(admitted(), ["10.0.0.2", "10.0.0.3", "192.0.2.1"]);
    await advance(29_999);
    assertEquals(admitted().length, 3);
    await advance(1);
    assertEquals(admitted().length, 4);
  }));

Deno.test("udp socket: answers to strangers leave more than half of the buffer free, even before it is asked for", () => {
  const { fast, socket } = openSocket();
  let admitted = 0;
  fast.pending = () => 768 * admitted;
  for (let i = 0; i < 1000; i++) if (socket.admits(of(ABSENT, false), BYTES)) admitted++;
  assertEquals(admitted, 25);
});

Deno.test("udp socket: a member's answer is dropped only if it is absent, as long as the buffer was too full lately", () =>
  withFakeTime(async ({ advance }) => {
    const { fast, socket, fill } = openSocket();
    const admitted = () => ["10.0.0.2", ABSENT, "10.0.0.3"].filter((host) => socket.admits(of(host, true), BYTES));
    fill(BUFFER / 4 - 3 * 768);
    assertEquals(admitted().length, 3);
    fill(BUFFER / 4);
    assertEquals(admitted(), ["10.0.0.2", "10.0.0.3"]);
    fast.pendingBytes = 0;
    await advance(29_999);
    assertEquals(admitted(), ["10.0.0.2", "10.0.0.3"]);
    await advance(1);
    assertEquals(admitted().length, 3);
  }));

Deno.test("udp socket: answers to absent members leave room for classic copies", () =>
  withFakeTime(() => {
    const { fast, socket, join } = openSocket();
    for (let i = 0; i < 30; i++) join("10.0.0.2", "classic");
    let admitted = 0;
    fast.pending = () => 768 * (admitted + fast.portions.flat().length);
    for (let i = 0; i < 1000; i++) if (socket.admits(of(ABSENT, true), BYTES)) admitted++;
    socket.begin("classic", BYTES);
    assertEquals([admitted, socket.sendNext("classic", BYTES, 1000).sent], [25, 12]);
  }));

Deno.test("udp socket: classic copies take three eighths of the buffer, and absent recipients are set aside", () =>
  withFakeTime(async ({ advance }) => {
    const opened = openSocket();
    const { fast, socket, join } = opened;
    for (let i = 0; i < 50; i++) join(ABSENT, "classic");
    const present = join("10.0.0.2", "classic");
    // nothing leaves
    fast.pending = () => 768 * fast.portions.flat().length;
    socket.begin("classic", BYTES);
    const { sent, wait } = socket.sendNext("classic", BYTES, 1000);
    assertEquals([sent, fast.portions.flat().length], [37, 37]);
    // 37 are under way, and the other absent ones get none
    assertEquals([socket.remaining("classic"), socket.size("classic")], [1, 51]);
    fast.pending = () => 0;
    await advance(1);
    await wait;
    fast.portions.length = 0;
    assertEquals(socket.sendNext("classic", BYTES, 1000), { sent: 1 });
    assertEquals(fast.portions.splice(0), [[51]]);
    assertEquals(await broadcast(opened, "classic").then(({ sent }) => sent), [51]);
    socket.leave(present);
    assertEquals(socket.size("classic"), 50);
  }));

Deno.test("udp socket: version 1 may take all of the buffer; if it is full, absent members are set aside", () =>
  withFakeTime(async () => {
    const opened = openSocket();
    const { fast, socket, join } = opened;
    const gone = Array.from({ length: 120 }, () => join(ABSENT, "v1"));
    join("10.0.0.2", "v1");
    fast.space = 100;
    socket.begin("v1", BYTES);
    fast.pendingBytes = BUFFER;
    const { sent, wait } = socket.sendNext("v1", BYTES, 1000);
    assertEquals([sent, fast.waits, socket.remaining("v1"), socket.size("v1")], [100, 1, 1, 121]);
    fast.drain(100);
    await wait;
    fast.portions.length = 0;
    assertEquals(socket.sendNext("v1", BYTES, 1000), { sent: 1 });
    for (const member of gone) socket.leave(member);
    assertEquals([socket.size("v1"), await broadcast(opened, "v1").then(({ sent }) => sent)], [1, [121, 121]]);
  }));

/** Lets all members be set aside that are absent now. */
async function setAside({ fast, socket }: ReturnType<typeof openSocket>) {
  fast.space = 0;
  fast.pendingBytes = BUFFER;
  socket.begin("v1", BYTES);
  const { wait } = socket.sendNext("v1", BYTES, 1000);
  fast.pendingBytes = 0;
  fast.drain(1000);
  await wait;
  fast.portions.length = 0;
}

Deno.test("udp socket: who is set aside is tried again now and then, and gets everything once it is back", () =>
  withFakeTime(async ({ advance }) => {
    const opened = openSocket();
    const { fast, join } = opened;
    const hosts = Array.from({ length: 12 }, (_, i) => `10.0.0.${100 + i}`);
    fast.neighbourTable = new Map(hosts.map((host) => [host, false]));
    // one of each two with the same address is enough to find out
    for (const host of [...hosts, ...hosts]) join(host, "v1");
    await setAside(opened);
    await advance(4999);
    assertEquals(await broadcast(opened, "v1"), { sent: [], again: [] });
    await advance(1);
    const first = await broadcast(opened, "v1");
    assertEquals([first.sent, first.again.length], [[], 4]);
    await advance(1000);
    const second = await broadcast(opened, "v1");
    assertEquals(new Set([...first.again, ...second.again].map((port) => port % 12)).size, 8, "each in its turn");
    fast.neighbourTable = new Map([[hosts[0], true]]);
    await advance(100);
    const { sent, again } = await broadcast(opened, "v1");
    assertEquals([sent, again], [[1, 13], []]);
  }));

Deno.test("udp socket: who was there once need not wait for addresses at which nobody ever was", () =>
  withFakeTime(async ({ advance }) => {
    const opened = openSocket();
    const { fast, fill, join } = opened;
    const forged = Array.from({ length: 200 }, (_, i) => `10.0.0.${i + 20}`);
    for (const host of forged) join(host, "v1");
    const honest = join("10.0.0.2", "v1");
    // the neighbours are looked at while it is there
    fill(BUFFER);
    fast.neighbourTable = new Map([...forged, "10.0.0.2"].map((host) => [host, false]));
    await advance(100);
    await setAside(opened);
    await advance(5000);
    const { again } = await broadcast(opened, "v1");
    assertEquals([again.length, again.includes(Number(honest.address.split(":")[1]))], [5, true]);
  }));

Deno.test("udp socket: while little of the buffer is free, absent recipients are not tried again, and keep their turns", () =>
  withFakeTime(async ({ advance }) => {
    const opened = openSocket();
    const { fast, join, fill } = opened;
    join(ABSENT, "v1");
    await setAside(opened);
    await advance(5000);
    fill(3 * BUFFER / 8);
    assertEquals(await broadcast(opened, "v1"), { sent: [], again: [] });
    fast.pendingBytes = 0;
    assertEquals(await broadcast(opened, "v1"), { sent: [], again: [1] });
  }));

Deno.test("udp socket: who was set aside, is back and leaves is nowhere any more", () =>
  withFakeTime(async ({ advance }) => {
    const opened = openSocket();
    const { fast, socket, join } = opened;
    const member = join(ABSENT, "v1");
    await setAside(opened);
    fast.neighbourTable = new Map([[ABSENT, true]]);
    await advance(100);
    assertEquals(await broadcast(opened, "v1"), { sent: [1], again: [] });
    socket.leave(member);
    assertEquals([socket.size("v1"), socket.list()], [0, []]);
  }));

Deno.test("udp socket: an absent recipient is set aside only if much of the buffer is taken", () =>
  withFakeTime(async ({ advance }) => {
    const opened = openSocket();
    const { fast, socket, join } = opened;
    join("10.0.0.2", "v1");
    join(ABSENT, "v1");
    await setAside(opened);
    // the other is absent too now, but nothing waits
    fast.neighbourTable = new Map([["10.0.0.2", false], [ABSENT, false]]);
    await advance(100);
    assertEquals(await broadcast(opened, "v1"), { sent: [1], again: [] });
    assertEquals(socket.size("v1"), 2);
  }));

Deno.test("udp socket: nobody is set aside because a slow link has filled the buffer", () =>
  withFakeTime(async ({ advance }) => {
    const opened = openSocket();
    const { fast, socket, join, fill } = opened;
    for (let i = 0; i < 60; i++) join(i % 2 ? "10.0.0.2" : "192.0.2.1", "classic");
    fill(BUFFER);
    socket.begin("classic", BYTES);
    const { sent, wait } = socket.sendNext("classic", BYTES, 1000);
    assertEquals([sent, socket.remaining("classic")], [0, 60]);
    fast.pendingBytes = 0;
    await advance(1);
    await wait;
    assertEquals(socket.sendNext("classic", BYTES, 1000).sent, 60);
  }));

Deno.test("udp socket: after each datagram that was waited for, what else has arrived is taken at once, and in its order", async () => {
  const fast = new FakeBatchSender(), conn = new FakeSocket();
  const socket = new UdpSocket(conn, {
    fast,
    neighbours: new Neighbours({ read: () => undefined, localNetworks: () => [] }),
  });
  const heard: string[] = [];
  fast.arrived.push("2", "3");
  for (const text of ["1", "4", "5"]) conn.arrive(text);
  await socket.receive((bytes, from) => {
    heard.push(`${from} ${new TextDecoder().decode(bytes)}`);
    if (heard.length === 5) socket.close();
  });
  assertEquals(heard, ["1", "2", "3", "4", "5"].map((text) => `10.0.0.1:1 ${text}`));
});

Deno.test("udp socket: the event loop has a turn each 2 ms while more arrives, and not after each datagram", async () => {
  const fast = new FakeBatchSender(), conn = new FakeSocket(), { now } = performance;
  const socket = new UdpSocket(conn, {
    fast,
    neighbours: new Neighbours({ read: () => undefined, localNetworks: () => [] }),
  });
  fast.arrived.push(...Array(399).fill("x"));
  conn.arrive("x");
  let time = 0, count = 0, turns = 0;
  const countTurns = () => {
    turns++;
    if (count < 400) setImmediate(countTurns);
  };
  performance.now = () => time;
  try {
    setImmediate(countTurns);
    await socket.receive(() => {
      time += 1 / 8;
      if (++count === 400) socket.close();
    });
  } finally {
    performance.now = now;
  }
  // 50 ms in all
  assertLess(Math.abs(turns + fast.rests - 25), 5);
});

Deno.test("udp socket: a short datagram takes 768 bytes of the buffer, one of more than 128 bytes more", () => {
  assertEquals([0, 100, 128, 129, 640, 641].map((length) => sizeInBuffer(new Uint8Array(length))), [
    768,
    768,
    768,
    1280,
    1280,
    2304,
  ]);
});
