/** How many connections the TCP door takes, of whom, and how it closes them: in memory, from any address. */
import { assertEquals } from "@std/assert";
import type { DoorKeeper } from "../../../server/doors/door.ts";
import { TcpDoor, type TcpLimits } from "../../../server/doors/tcp.ts";
import { FakeConnection, FakeListener } from "../../support/fake_connection.ts";
import { type FakeTime, withFakeTime } from "../../support/fake_time.ts";

/** A door, and the addresses that are here. */
function open({ advance, settle }: FakeTime, limits?: TcpLimits) {
  const listener = new FakeListener(), door = new TcpDoor(listener, limits), here = new Set<string>();
  const keeper: DoorKeeper = {
    receive: () => {},
    connected({ address }) {
      here.add(address);
      return true;
    },
    receiveLine: () => 0,
    dismissed() {},
    hungUp: ({ address }) => void here.delete(address),
  };
  const running = door.run(keeper);
  return {
    door,
    running,
    here,
    /** Lets connections come from an IP address, one port after the other, and waits until they have joined. */
    async come(count: number, hostname: string, firstPort = 1000): Promise<FakeConnection[]> {
      const conns = Array.from({ length: count }, (_, i) => new FakeConnection(hostname, firstPort + i));
      for (const conn of conns) {
        listener.come(conn);
        await settle();
      }
      await advance(50);
      return conns;
    },
    /** Closes the door, and lets the time pass that this takes at most. */
    async close(): Promise<void> {
      const closing = door.close();
      await advance(2000);
      await closing;
      await running;
    },
  };
}

Deno.test("tcp door: 500 connections have one IP address, of this machine as many as there are places", () =>
  withFakeTime(async (time) => {
    const { here, come, close } = open(time);
    const [first, ...others] = await come(501, "10.0.0.7");
    assertEquals(here.size, 500);
    const refused = others.at(-1)!;
    assertEquals(refused.text, "There are 500 connections from your IP address: close one of them first\n");
    assertEquals(refused.done.at(-1), "closeWrite");
    // of IPv6 the first 64 bits count
    await come(300, "2001:db8::1");
    await come(201, "2001:db8::2");
    assertEquals(here.size, 1000);
    await come(1, "10.0.0.8");
    await come(600, "127.0.0.1");
    assertEquals(here.size, 1601);
    first.end();
    await time.settle();
    await come(2, "10.0.0.7", 3000);
    assertEquals(here.size, 1601);
    await close();
  }));

Deno.test("tcp door: there are 5,000 connections, and no more than 100 are told so at the same time", () =>
  withFakeTime(async (time) => {
    const { here, come, close } = open(time);
    await come(5000, "127.0.0.1");
    assertEquals(here.size, 5000);
    const refused = await come(101, "10.0.0.7");
    assertEquals(here.size, 5000);
    const told = refused.filter(({ text }) => text === "The server is full: it has 5000 connections\n");
    assertEquals(told.length, 100);
    assertEquals([refused[100].text, refused[100].isClosed], ["", true]);
    // they stay no longer than a second
    await time.advance(1000);
    assertEquals(refused.every(({ isClosed }) => isClosed), true);
    const [next] = await come(1, "10.0.0.7", 3000);
    assertEquals(next.text, "The server is full: it has 5000 connections\n");
    await close();
  }));

Deno.test("tcp door: lines leave at once, and the system looks whether the other end is still there", () =>
  withFakeTime(async (time) => {
    const { come, close } = open(time);
    const [conn] = await come(1, "10.0.0.7");
    assertEquals(conn.done, ["setNoDelay true", "setKeepAlive true"]);
    await close();
  }));

Deno.test("tcp door: closing waits 100 ms for the other ends to close, and 1 s for those that take nothing", () =>
  withFakeTime(async (time) => {
    for (const isStuck of [false, true]) {
      const { door, running, here, come } = open(time);
      const [polite, silent] = await come(2, "10.0.0.7");
      for (const address of here) {
        const recipient = { key: `tcp ${address}`, address, validated: true, direct: false, dialect: "line" as const };
        door.join(recipient);
      }
      silent.isStuck = isStuck;
      door.broadcast(new TextEncoder().encode("bye\n"), "line");
      const closing = door.close();
      await time.settle();
      polite.end();
      await time.advance(isStuck ? 998 : 99);
      await time.settle();
      assertEquals([polite.isClosed, silent.isClosed], [true, false]);
      await time.advance(101);
      assertEquals([polite.text, silent.isClosed], ["bye\n", true]);
      await Promise.all([closing, running]);
    }
  }));
