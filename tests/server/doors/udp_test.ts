/** The UDP door: what arrives is counted, and it closes when all is sent, or soon after. */
import { assertEquals, assertThrows } from "@std/assert";
import type { V1Packet } from "../../../protocol.ts";
import { Failure, UsageError } from "../../../runtime/program.ts";
import { NetworkEmulator, PERFECT } from "../../../server/doors/network_emulator.ts";
import { openUdpDoor, UdpDoor } from "../../../server/doors/udp.ts";
import { FakeSocket } from "../../support/fake_socket.ts";
import { withFakeTime } from "../../support/fake_time.ts";

const EPOCH = "91c4be20d7a35f68";
const CLOSING: V1Packet = { dialect: "v1", type: "CLOSING", epoch: EPOCH };
const member = (port: number) => ({ address: `10.0.0.1:${port}`, dialect: "v1" } as const);

function openDoor(socket = new FakeSocket()): UdpDoor {
  return new UdpDoor(socket, new NetworkEmulator(1), { reason: "this is a test" });
}

/** The types of the packets that a socket has sent. */
const sentTypes = (socket: FakeSocket) => socket.transmitted.map(({ text }) => text.split(/[ /]/)[0]);

Deno.test("udp door: gives what arrives and counts it, until it is closed", async () => {
  const socket = new FakeSocket();
  const door = openDoor(socket);
  const texts: string[] = [];
  const reading = (async () => {
    for await (const { bytes, from } of door.datagrams()) {
      texts.push(`${from} ${new TextDecoder().decode(bytes)} ${door.arrived}`);
      if (texts.length === 2) await door.close();
    }
  })();
  for (const text of ["a", "b"]) socket.arrive(text);
  await reading;
  assertEquals(texts, ["10.0.0.1:1 a 1", "10.0.0.1:1 b 2"]);
});

Deno.test("udp door: before it closes, what is sent is not delayed, and does not wait for earlier broadcasts", async () => {
  const socket = new FakeSocket();
  const door = openDoor(socket);
  for (const port of [1, 2]) door.delivery.join(member(port));
  for (let seq = 1; seq <= 100; seq++) door.delivery.broadcast({ dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq });
  door.emulator.conditions = { ...PERFECT, delay: [60_000, 60_000] };
  door.prepareToClose();
  door.delivery.broadcast(CLOSING);
  await door.close();
  assertEquals(sentTypes(socket), ["HEARTBEAT", "HEARTBEAT", "CLOSING", "CLOSING"]);
  assertEquals(socket.isClosed, true);
});

Deno.test("udp door: closing forgets what the emulator holds back", async () => {
  const socket = new FakeSocket();
  const door = openDoor(socket);
  await withFakeTime(async ({ advance, delays }) => {
    door.emulator.conditions = { ...PERFECT, delay: [5000, 5000] };
    door.delivery.send(member(1), CLOSING);
    await door.delivery.idle();
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
  door.delivery.join(member(1));
  await withFakeTime(async ({ advance }) => {
    door.delivery.broadcast(CLOSING);
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
