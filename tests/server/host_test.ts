/** The host: what it does with datagrams, bugs and failures, and how it stops. */
import { assert, assertEquals } from "@std/assert";
import { encode, MAX_CLASSIC_BYTES, type Packet } from "../../protocol.ts";
import { Failure } from "../../runtime/program.ts";
import { NetworkEmulator, PERFECT } from "../../server/doors/network_emulator.ts";
import { UdpDelivery } from "../../server/doors/udp_delivery.ts";
import { Host } from "../../server/host.ts";
import type { RoomObserver } from "../../server/room/room.ts";
import { FakeSender } from "../support/fake_sender.ts";

const A = "10.0.0.1:1", B = "10.0.0.2:2";
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A host whose door only remembers what is sent. */
function openHost(...observers: RoomObserver[]) {
  const sender = new FakeSender();
  const emulator = new NetworkEmulator(1);
  const delivery = new UdpDelivery(sender, { emulator });
  const calls: string[] = [];
  const host = new Host({
    door: {
      address: sender.addr,
      delivery,
      method: "",
      async *datagrams() {},
      inboundDrops: () => 0,
      close: () => void calls.push("closed"),
    },
    emulator,
    room: {},
    observers,
    stopping: () => void calls.push("stopping"),
  });
  const texts = async () => {
    await delivery.idle();
    return sender.transmitted.splice(0).map(({ to, text }) => `${to}: ${text}`);
  };
  return { host, emulator, delivery, calls, texts };
}

Deno.test("host: a datagram goes to the room, an invalid one is counted", async () => {
  const { host, delivery, texts } = openHost();
  host.receive(bytesOf("GREETING"), A);
  host.receive(bytesOf("MESSAGE hello"), A);
  assertEquals(await texts(), ["10.0.0.1 1: INCOMING <From 10.0.0.1:1>: hello"]);
  host.receive(bytesOf("no packet"), A);
  host.receive(new Uint8Array(MAX_CLASSIC_BYTES + 1), A);
  assertEquals([host.room.statistics.ignored, delivery.arrived], [2, 4]);
  await host.stop();
});

Deno.test("host: an oversized datagram does not reach the emulator", async () => {
  const { host, emulator } = openHost();
  emulator.conditions = { ...PERFECT, drop: 1 };
  host.receive(new Uint8Array(MAX_CLASSIC_BYTES + 1), A);
  host.receive(bytesOf("GREETING"), A);
  assertEquals(emulator.statistics.dropped, 1);
  await host.stop();
});

Deno.test("host: a bug ends one step and not the room", async () => {
  const { error } = console, lines: string[] = [];
  console.error = (line: string) => lines.push(line);
  try {
    const { host, calls, texts } = openHost({
      joined({ address }) {
        if (address === A) throw new TypeError("oh");
      },
    });
    host.receive(bytesOf("GREETING"), A);
    host.receive(bytesOf("GREETING"), B);
    host.receive(bytesOf("MESSAGE still here"), B);
    assert((await texts()).includes("10.0.0.2 2: INCOMING <From 10.0.0.2:2>: still here"));
    assertEquals([host.failure, calls, lines], [undefined, [], ["Ignored: TypeError: oh, a bug of this server"]]);
    await host.stop();
  } finally {
    console.error = error;
  }
});

Deno.test("host: a failure stops it, and the members are told", async () => {
  const failure = new Failure("The state file can't be written");
  const { host, calls, texts } = openHost({
    happened() {
      throw failure;
    },
  });
  const greet = (cookie?: string): Packet => ({
    dialect: "v1",
    type: "GREETING",
    id: 1,
    token: "0".repeat(16),
    cookie,
  });
  host.receive(encode(greet()), A);
  const [, cookie] = /token=([0-9a-f]{16}) pending=1/.exec((await texts())[0])!;
  host.receive(encode(greet(cookie)), A);
  await texts();
  host.receive(bytesOf("GREETING"), B);
  host.receive(bytesOf("MESSAGE hello"), B);
  assertEquals(host.failure, failure);
  await host.stop();
  assertEquals(calls, ["stopping", "closed"]);
  assertEquals((await texts()).map((text) => text.replace(/ sum=.*/, "")), ["10.0.0.1 1: CLOSING/1"]);
});

Deno.test("host: datagrams that arrive after the stop are ignored, and a second stop does nothing", async () => {
  const { host, calls } = openHost();
  const first = host.stop();
  host.receive(bytesOf("GREETING"), A);
  assertEquals(host.room.size, 0);
  await Promise.all([first, host.stop()]);
  assertEquals(calls, ["stopping", "closed"]);
});
