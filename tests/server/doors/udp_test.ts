/** The UDP door: what arrives is counted and passed on, and it closes when all is sent, or soon after. */
import { assertEquals, assertThrows } from "@std/assert";
import { setImmediate } from "node:timers";
import { encode, MAX_CLASSIC_BYTES } from "../../../protocol.ts";
import { Failure, UsageError } from "../../../runtime/program.ts";
import type { DatagramKeeper } from "../../../server/doors/door.ts";
import { NetworkEmulator, PERFECT } from "../../../server/doors/network_emulator.ts";
import { openUdpDoor, UdpDoor } from "../../../server/doors/udp.ts";
import type { Peer } from "../../../server/room/peer.ts";
import { FakeSocket } from "../../support/fake_socket.ts";
import { withFakeTime } from "../../support/fake_time.ts";
import { recipientOf } from "../../support/peer_of.ts";

const EPOCH = "91c4be20d7a35f68";
const CLOSING = encode({ dialect: "v1", type: "CLOSING", epoch: EPOCH });
const member = (port: number) => recipientOf(`10.0.0.1:${port}`);

/** Keeps what a door passes on, and calls `received` after each. */
class FakeKeeper implements DatagramKeeper {
  readonly heard: { text: string; peer: Peer }[] = [];
  constructor(readonly received: (count: number) => void = () => {}) {}
  receive(bytes: Uint8Array, peer: Peer): void {
    this.heard.push({ text: new TextDecoder().decode(bytes), peer });
    this.received(this.heard.length);
  }
}

function openDoor(socket = new FakeSocket()): UdpDoor {
  return new UdpDoor({ socket, fast: { reason: "this is a test" } }, new NetworkEmulator(1));
}

/** Lets the door read what has arrived. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The types of the packets that a socket has sent. */
const sentTypes = (socket: FakeSocket) => socket.transmitted.map(({ text }) => text.split(/[ /]/)[0]);

Deno.test("udp door: passes on what arrives with its peer and counts it, until it is closed", async () => {
  const socket = new FakeSocket();
  const door = openDoor(socket);
  const keeper = new FakeKeeper((count) => {
    assertEquals(door.arrived, count);
    if (count === 2) door.close();
  });
  for (const text of ["a", "b"]) socket.arrive(text);
  await door.run(keeper);
  const peer = { key: "10.0.0.1:1", address: "10.0.0.1:1", validated: false, direct: true, via: undefined };
  assertEquals(keeper.heard, [{ text: "a", peer }, { text: "b", peer }]);
});

Deno.test("udp door: what arrives passes through the emulator, but not what is too long anyway", async () => {
  const socket = new FakeSocket();
  const door = openDoor(socket);
  door.emulator.conditions = { ...PERFECT, drop: 1 };
  const keeper = new FakeKeeper(() => void door.close());
  const longest = "x".repeat(MAX_CLASSIC_BYTES), tooLong = `${longest}x`;
  for (const text of ["a", longest, tooLong]) socket.arrive(text);
  await door.run(keeper);
  assertEquals(keeper.heard.map(({ text }) => text), [tooLong]);
  assertEquals([door.emulator.statistics.dropped, door.arrived], [2, 3]);
});

Deno.test("udp door: what is delayed on its way in keeps its bytes and its peer, and is forgotten at the end", () =>
  withFakeTime(async ({ advance, delays }) => {
    const socket = new FakeSocket();
    const door = openDoor(socket);
    door.emulator.conditions = { ...PERFECT, delay: [5000, 5000] };
    const keeper = new FakeKeeper();
    const running = door.run(keeper);
    // they share the socket's buffer
    for (const [i, text] of ["one", "two", "three"].entries()) socket.arrive(text, i + 1);
    await turn();
    assertEquals([door.arrived, delays()], [3, [5000, 5000, 5000]]);
    await advance(4999);
    assertEquals(keeper.heard, []);
    await advance(1);
    const heard = keeper.heard.map(({ text, peer: { key } }) => `${key} ${text}`);
    assertEquals(heard, ["10.0.0.1:1 one", "10.0.0.1:2 two", "10.0.0.1:3 three"]);
    socket.arrive("too late");
    await turn();
    assertEquals(delays(), [5000]);
    await door.close();
    await running;
    assertEquals(delays(), []);
    await advance(10_000);
    assertEquals(keeper.heard.length, 3);
  }));

Deno.test("udp door: before it closes, what is sent is not delayed, and does not wait for earlier broadcasts", async () => {
  const socket = new FakeSocket();
  const door = openDoor(socket);
  for (const port of [1, 2]) door.join(member(port));
  for (let seq = 1; seq <= 100; seq++) {
    door.broadcast(encode({ dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq }), "v1");
  }
  door.emulator.conditions = { ...PERFECT, delay: [60_000, 60_000] };
  door.prepareToClose();
  door.broadcast(CLOSING, "v1");
  await door.close();
  assertEquals(sentTypes(socket), ["HEARTBEAT", "HEARTBEAT", "CLOSING", "CLOSING"]);
  assertEquals(socket.isClosed, true);
});

Deno.test("udp door: closing forgets what the emulator holds back", async () => {
  const socket = new FakeSocket();
  const door = openDoor(socket);
  await withFakeTime(async ({ advance, delays }) => {
    door.emulator.conditions = { ...PERFECT, delay: [5000, 5000] };
    door.send(member(1), CLOSING);
    await door.idle();
    assertEquals(delays(), [5000]);
    await door.close();
    assertEquals(delays(), []);
    await advance(10_000);
  });
  assertEquals(socket.transmitted, []);
});

Deno.test("udp door: a send that never ends holds the end up for a second only", async () => {
  class StuckSocket extends FakeSocket {
    override send(): Promise<number> {
      return new Promise(() => {});
    }
  }
  const socket = new StuckSocket();
  const door = openDoor(socket);
  door.join(member(1));
  await withFakeTime(async ({ advance }) => {
    door.broadcast(CLOSING, "v1");
    const closing = door.close();
    await advance(999);
    assertEquals(socket.isClosed, false);
    await advance(1);
    await closing;
  });
  assertEquals(socket.isClosed, true);
});

Deno.test("udp door: a port or a host that can't be had is told with what to do", async () => {
  const first = openUdpDoor("127.0.0.1", 0, new NetworkEmulator());
  try {
    assertThrows(() => openUdpDoor("127.0.0.1", first.address.port, new NetworkEmulator()), Failure, "is in use");
    assertThrows(() => openUdpDoor("192.0.2.99", 0, new NetworkEmulator()), UsageError, "This machine has no address");
  } finally {
    await first.close();
  }
});
