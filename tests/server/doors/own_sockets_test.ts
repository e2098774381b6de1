/** The UDP door with a socket for each address of the machine: peers get everything by the one that they came by. */
import { assertEquals, assertThrows } from "@std/assert";
import { setImmediate } from "node:timers";
import { Failure } from "../../../runtime/program.ts";
import { NetworkEmulator, PERFECT } from "../../../server/doors/network_emulator.ts";
import type { OwnSockets } from "../../../server/doors/own_sockets.ts";
import { openUdpDoor, UdpDoor } from "../../../server/doors/udp.ts";
import type { Recipient } from "../../../server/room/delivery.ts";
import type { Peer } from "../../../server/room/peer.ts";
import { FakeBatchSender } from "../../support/fake_batch_sender.ts";
import { FakeSocket } from "../../support/fake_socket.ts";
import { withFakeTime } from "../../support/fake_time.ts";
import { recipientOf } from "../../support/peer_of.ts";

const BYTES = new TextEncoder().encode("hello");
const A = "10.0.0.7", B = "10.0.0.8";
const recipient = (port: number, via?: string): Recipient => ({ ...recipientOf(`10.0.0.1:${port}`), via });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A machine whose addresses change, and the sockets that were opened for them. */
class FakeMachine implements OwnSockets {
  /** Undefined when they can't be listed. */
  now: string[] | undefined;
  /** Addresses for which the system refuses a socket. */
  readonly refused = new Set<string>();
  /** The sockets by address; the first socket's address is "first". */
  readonly sockets = new Map<string, { socket: FakeSocket; fast: FakeBatchSender }>();
  readonly #isFast: boolean;

  constructor(now: string[] | undefined, { isFast = false } = {}) {
    this.now = now;
    this.#isFast = isFast;
  }

  addresses(): string[] | undefined {
    return this.now;
  }

  open(address: string) {
    if (this.refused.has(address)) return undefined;
    const opened = { socket: new FakeSocket(), fast: new FakeBatchSender() };
    this.sockets.set(address, opened);
    return { socket: opened.socket, fast: this.#isFast ? opened.fast : { reason: "this is a test" } };
  }

  openDoor(): UdpDoor {
    const { socket, fast } = this.open("first")!;
    return new UdpDoor({ socket, fast }, new NetworkEmulator(1), { own: this });
  }

  socket(address: string): FakeSocket {
    return this.sockets.get(address)!.socket;
  }

  /** The ports that each socket has sent to since the last call, in ascending order. */
  sent(): Record<string, number[]> {
    const sent: Record<string, number[]> = {};
    for (const [address, { socket, fast }] of this.sockets) {
      const single = socket.transmitted.splice(0).map(({ to }) => Number(to.split(" ")[1]));
      sent[address] = [...single, ...fast.portions.splice(0).flat()].sort();
    }
    return sent;
  }
}

Deno.test("own sockets: answers and broadcasts leave by the socket that the peer came by", async () => {
  for (const isFast of [false, true]) {
    const machine = new FakeMachine([A, B], { isFast });
    const door = machine.openDoor();
    const heard: Peer[] = [];
    const running = door.run({ receive: (_, peer) => void heard.push(peer) });
    for (const [i, address] of ["first", A, B].entries()) machine.socket(address).arrive("x", i + 1);
    await turn();
    assertEquals(heard.map(({ key, via }) => [key, via]), [
      ["10.0.0.1:1", undefined],
      ["10.0.0.1:2", A],
      ["10.0.0.1:3", B],
    ]);
    assertEquals(door.arrived, 3);
    for (const peer of heard) door.join({ ...peer, dialect: "v1" });
    door.broadcast(BYTES, "v1");
    door.send({ ...heard[1], dialect: "v1" }, BYTES);
    await door.idle();
    assertEquals(machine.sent(), { first: [1], [A]: [2, 2], [B]: [3] });
    assertEquals([door.statistics, door.size("v1")], [{ sent: 4, failed: 0, dropped: 0 }, 3]);
    await door.close();
    await running;
    assertEquals([...machine.sockets.values()].map(({ socket }) => socket.isClosed), [true, true, true]);
  }
});

Deno.test("own sockets: one recipient is left out, whichever socket it has", async () => {
  const machine = new FakeMachine([A, B], { isFast: true });
  const door = machine.openDoor();
  const members = [recipient(1), recipient(2, A), recipient(3, A), recipient(4, B)];
  for (const member of members) door.join(member);
  door.broadcast(BYTES, "v1", members[1]);
  door.leave(members[3]);
  door.broadcast(BYTES, "v1");
  await door.idle();
  assertEquals(machine.sent(), { first: [1, 1], [A]: [2, 3, 3], [B]: [4] });
});

Deno.test("own sockets: when an address is gone its members are reached by the first socket, and again by their own when it is back", () =>
  withFakeTime(async ({ advance }) => {
    for (const isFast of [false, true]) {
      const machine = new FakeMachine([A], { isFast });
      const door = machine.openDoor();
      const running = door.run({ receive: () => {} });
      const members = [recipient(1), recipient(2, A), recipient(3, A)];
      for (const member of members) door.join(member);
      const say = async () => {
        door.broadcast(BYTES, "v1");
        door.send(members[2], BYTES);
        await door.idle();
        return machine.sent();
      };
      assertEquals(await say(), { first: [1], [A]: [2, 3, 3] });

      machine.now = [];
      await advance(3000);
      assertEquals(machine.socket(A).isClosed, true);
      assertEquals(await say(), { first: [1, 2, 3, 3], [A]: [] });
      door.leave(members[1]);

      machine.now = [A];
      await advance(3000);
      assertEquals(await say(), { first: [1], [A]: [3, 3] });
      for (const member of members) door.leave(member);
      assertEquals(door.size("v1"), 0);
      assertEquals(door.statistics.sent, 11);

      // addresses that can't be listed for once change nothing
      machine.now = undefined;
      await advance(3000);
      assertEquals(machine.socket(A).isClosed, false);
      await door.close();
      await running;
    }
  }));

Deno.test("own sockets: a socket that the system refuses is tried again, and what is delayed outlives its socket", () =>
  withFakeTime(async ({ advance }) => {
    const machine = new FakeMachine([A]);
    machine.refused.add(A);
    const door = machine.openDoor();
    const heard: string[] = [];
    const running = door.run({ receive: (_, { via }) => void heard.push(String(via)) });
    assertEquals([...machine.sockets.keys()], ["first"]);
    machine.refused.clear();
    await advance(3000);
    machine.socket(A).arrive("x");
    await turn();
    assertEquals(heard, [A]);

    door.emulator.conditions = { ...PERFECT, delay: [4000, 4000] };
    door.send(recipient(2, A), BYTES);
    await door.idle();
    machine.now = [];
    await advance(3000);
    await advance(1000);
    await door.idle();
    assertEquals(machine.sent(), { first: [2], [A]: [] });
    await door.close();
    await running;
  }));

Deno.test("own sockets: what a closed socket has lost and skipped stays counted", () =>
  withFakeTime(async ({ advance }) => {
    const machine = new FakeMachine([A], { isFast: true });
    const door = machine.openDoor();
    const running = door.run({ receive: () => {} });
    assertEquals(door.inboundDrops, 14);
    machine.now = [];
    await advance(3000);
    assertEquals([door.inboundDrops, machine.sockets.get(A)!.fast.isClosed], [14, true]);
    await door.close();
    await running;
  }));

Deno.test("own sockets: a portion of a large broadcast has as many copies as with one socket", async () => {
  const machine = new FakeMachine([A, B], { isFast: true });
  const door = machine.openDoor();
  for (let port = 1; port <= 1024; port++) door.join(recipient(port, [A, B][port % 2]));
  door.broadcast(BYTES, "v1");
  const sizes = (address: string) => machine.sockets.get(address)!.fast.portions.map(({ length }) => length);
  assertEquals([sizes(A), sizes(B)], [[512], [512]], "all of it before the call returns");
  door.join(recipient(1025, B));
  door.broadcast(BYTES, "v1");
  assertEquals([sizes(A), sizes(B)], [[512, 512], [512]], "one portion");
  await door.idle();
  assertEquals([sizes(A), sizes(B)], [[512, 512], [512, 513]]);
});

Deno.test("own sockets: no more than 64 addresses get one", async () => {
  const machine = new FakeMachine(Array.from({ length: 100 }, (_, i) => `10.0.1.${i}`));
  const door = machine.openDoor();
  assertEquals(machine.sockets.size, 65);
  await door.close();
});

Deno.test("own sockets: nobody else gets the port of a wildcard host, neither by asking to share it", async () => {
  for (const host of ["0.0.0.0", "::"]) {
    const door = openUdpDoor(host, 0, new NetworkEmulator());
    const { port } = door.address;
    const cannotBeShared = Deno.build.os === "linux" && door.method.includes("sendmmsg");
    try {
      assertThrows(() => openUdpDoor(host, port, new NetworkEmulator()), Failure, `Port ${port} is in use`);
      if (!cannotBeShared) continue;
      for (const hostname of ["0.0.0.0", "::", "127.0.0.1"]) {
        assertThrows(
          () => Deno.listenDatagram({ transport: "udp", hostname, port, reuseAddress: true }),
          Deno.errors.AddrInUse,
        );
      }
    } finally {
      await door.close();
    }
    await openUdpDoor(host, port, new NetworkEmulator()).close();
  }
});
