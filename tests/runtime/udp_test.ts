/** Receiving datagrams: nothing from the network ends it. */
import { assertEquals } from "@std/assert";
import { type Datagram, datagrams, type Receiver } from "../../runtime/udp.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A socket whose `receive` does what it is told, step by step, and is closed after the last. */
function receiver(steps: (Error | { from: Deno.NetAddr; data: string })[]): Receiver & { calls: number } {
  return {
    calls: 0,
    // not async, so that the overload with a sender of any kind fits
    receive(buffer = new Uint8Array(65_536)): Promise<[Uint8Array<ArrayBuffer>, Deno.Addr]> {
      const step = steps[this.calls++] ?? new Deno.errors.BadResource("closed");
      if (step instanceof Error) return Promise.reject(step);
      const { written } = new TextEncoder().encodeInto(step.data, buffer);
      return Promise.resolve([buffer.subarray(0, written) as Uint8Array<ArrayBuffer>, step.from]);
    },
  };
}

async function all(conn: Receiver): Promise<{ from: string; data: string }[]> {
  const seen = [];
  for await (const { bytes, from } of datagrams(conn)) seen.push({ from, data: text(bytes) });
  return seen;
}

const peer = (hostname: string, port: number): Deno.NetAddr => ({ transport: "udp", hostname, port });

Deno.test("datagrams: errors about peers and unknown ones are passed over, a closed socket ends the loop", async () => {
  const conn = receiver([
    new Deno.errors.ConnectionReset("WSAECONNRESET (os error 10054)"),
    new Deno.errors.ConnectionRefused("ECONNREFUSED (os error 111)"),
    new Error("nobody knows this one"),
    { from: peer("127.0.0.1", 52207), data: "GREETING" },
    new Deno.errors.BadResource("Bad resource ID"),
    { from: peer("127.0.0.1", 52207), data: "too late" },
  ]);
  assertEquals(await all(conn), [{ from: "127.0.0.1:52207", data: "GREETING" }]);
  assertEquals(conn.calls, 5);
});

Deno.test("datagrams: every error code that is about a peer is passed over", async () => {
  const codes = ["ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN"];
  const conn = receiver([
    ...codes.map((code) => Object.assign(new Error(code), { code })),
    { from: peer("::1", 5), data: "x" },
  ]);
  assertEquals(await all(conn), [{ from: "[::1]:5", data: "x" }]);
});

Deno.test("datagrams: one from port 0, where no answer can go, is passed over", async () => {
  const conn = receiver([{ from: peer("10.0.0.1", 0), data: "GREETING" }, { from: peer("10.0.0.1", 1), data: "next" }]);
  assertEquals(await all(conn), [{ from: "10.0.0.1:1", data: "next" }]);
});

Deno.test("datagrams: after an error about a peer there is no pause", async () => {
  let timers = 0;
  const { setTimeout } = globalThis;
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => (timers++, setTimeout(...args))) as never;
  try {
    await all(receiver(Array.from({ length: 3 }, () => new Deno.errors.ConnectionReset("10054"))));
    assertEquals(timers, 0);
    await all(receiver([new Error("nobody knows this one")]));
    assertEquals(timers, 1);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
});

Deno.test("datagrams: an interrupted receive ends the loop; on some systems closing causes it", async () => {
  const conn = receiver([new Deno.errors.Interrupted("operation canceled")]);
  assertEquals(await all(conn), []);
});

Deno.test("datagrams: an empty datagram is yielded too, and the buffer is used again", async () => {
  const conn = receiver([{ from: peer("10.0.0.1", 1), data: "" }, { from: peer("10.0.0.1", 1), data: "next" }]);
  const seen: Datagram[] = [];
  for await (const datagram of datagrams(conn)) seen.push(datagram);
  assertEquals(seen.map(({ bytes }) => bytes.length), [0, 4]);
  assertEquals(seen[0].bytes.buffer, seen[1].bytes.buffer);
});

Deno.test("datagrams: on a real socket, until it is closed", async () => {
  const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const sender = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = sender.addr as Deno.NetAddr;
  await sender.send(new TextEncoder().encode("MESSAGE hello"), conn.addr);
  const seen = [];
  for await (const { bytes, from } of datagrams(conn)) {
    seen.push({ from, data: text(bytes) });
    // the next receive must be under way when the socket is closed
    queueMicrotask(() => conn.close());
  }
  sender.close();
  assertEquals(seen, [{ from: `127.0.0.1:${port}`, data: "MESSAGE hello" }]);
});
