/** sendmmsg on real sockets: slots, destinations that fail, full buffers, closing and permissions. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  BLOCK_SLOTS,
  MAX_PAYLOAD_BYTES,
  openSendmmsg,
  type Sendmmsg,
} from "../../../../server/doors/linux/sendmmsg.ts";

const supported = Deno.build.os === "linux" && ["x86_64", "aarch64"].includes(Deno.build.arch);
const MARK = "that was all";
const DEADLINE_MS = 10_000;

function listen(hostname: string, options?: { reuseAddress: boolean }): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname, port: 0, ...options });
}

function addressOf(conn: Deno.DatagramConn): Deno.NetAddr {
  return conn.addr as Deno.NetAddr;
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function open(conn: Deno.DatagramConn): Sendmmsg {
  const socket = openSendmmsg(conn);
  assert(!("reason" in socket), "reason" in socket ? socket.reason : "");
  return socket;
}

/** The next datagram's text and sender; fails by closing the socket when none comes. */
async function receive(conn: Deno.DatagramConn): Promise<[string, Deno.NetAddr]> {
  const deadline = setTimeout(() => conn.close(), DEADLINE_MS);
  try {
    const [datagram, sender] = await conn.receive();
    return [new TextDecoder().decode(datagram), sender as Deno.NetAddr];
  } finally {
    clearTimeout(deadline);
  }
}

async function next(conn: Deno.DatagramConn): Promise<string> {
  return (await receive(conn))[0];
}

/** The datagrams that have reached a socket: on one machine, all that were sent before the mark. */
async function arrived(sink: Deno.DatagramConn, server: Deno.DatagramConn): Promise<string[]> {
  await server.send(bytes(MARK), addressOf(sink));
  const texts: string[] = [];
  for (let text; (text = await next(sink)) !== MARK;) texts.push(text);
  return texts;
}

/** Runs a test with a server socket and some sockets to send to; does nothing where sendmmsg is not supported. */
function withSockets(
  name: string,
  { server: hostname = "127.0.0.1", sinks: hosts = ["127.0.0.1"], count = 1 },
  run: (server: Deno.DatagramConn, sinks: Deno.DatagramConn[], socket: Sendmmsg) => Promise<void> | void,
) {
  Deno.test(name, async () => {
    if (!supported) return;
    const server = listen(hostname);
    const sinks = Array.from({ length: count }, (_, index) => listen(hosts[index % hosts.length]));
    const socket = open(server);
    try {
      await run(server, sinks, socket);
    } finally {
      socket.close();
      for (const conn of [server, ...sinks]) {
        try {
          conn.close();
        } catch {
          // the deadline closed it
        }
      }
    }
  });
}

const IPV6 = { server: "::1", sinks: ["::1"] };
const MIXED = { server: "::", sinks: ["127.0.0.1", "::1"] };

for (
  const [family, hosts] of Object.entries({
    "IPv4": {},
    "IPv6": IPV6,
    "IPv4 and IPv6 from ::": MIXED,
  })
) {
  withSockets(`a payload reaches 3,000 slots, ${family}`, { ...hosts, count: 30 }, async (server, sinks, socket) => {
    const table = socket.table();
    for (let slot = 0; slot < 3000; slot++) assertEquals(table.add(addressOf(sinks[slot % 30])), slot);
    assertEquals(table.size, 3000);
    // as many at a time as the smallest receive buffer takes; the steps do not end where blocks do
    for (let from = 0; from < 3000; from += 1500) {
      assertEquals(table.send(bytes(`from ${from}`), from, from + 1500), from + 1500);
      for (const sink of sinks) assertEquals(await arrived(sink, server), Array(50).fill(`from ${from}`));
    }
    assertEquals(table.failed, 0);
  });
}

withSockets("a :: socket sends to the address that receive returned", MIXED, async (server, [sink], socket) => {
  await sink.send(bytes("hello"), { ...addressOf(server), hostname: "127.0.0.1" });
  const [, sender] = await receive(server);
  assertEquals(sender.hostname, "::ffff:127.0.0.1");
  const table = socket.table();
  table.add(sender);
  table.send(bytes("welcome"), 0, 1);
  assertEquals(await next(sink), "welcome");
});

withSockets("add takes only numeric addresses of the socket's family", {}, async (server, [sink], socket) => {
  const { port } = addressOf(sink);
  const table = socket.table();
  for (const hostname of ["localhost", "::1", "127.0.0.1\0", "127.0.0.1%1", "1".repeat(100), "127.0.0.256", ""]) {
    assertEquals(table.add({ hostname, port }), undefined, hostname);
  }
  assertEquals(table.size, 0);
  assertEquals(table.add({ hostname: "::ffff:127.0.0.1", port }), 0);
  assertEquals(table.send(bytes("mapped"), 0, 1), 1);
  assertEquals(await arrived(sink, server), ["mapped"]);
});

withSockets("slots stay with their addresses as others come and go", { count: 8 }, async (server, sinks, socket) => {
  const table = socket.table();
  let slots: number[] = [];
  const add = (sink: number) => assertEquals(table.add(addressOf(sinks[sink])), slots.push(sink) - 1);
  const remove = (slot: number) => {
    const last = slots.length - 1;
    assertEquals(table.remove(slot), slot === last ? undefined : last);
    slots[slot] = slots[last];
    slots.pop();
  };
  const swap = (slot: number, other: number) => {
    table.swap(slot, other);
    [slots[slot], slots[other]] = [slots[other], slots[slot]];
  };
  const check = async (first: number) => {
    const expected: string[][] = sinks.map(() => []);
    for (let slot = first; slot < Math.min(first + 400, slots.length); slot++) {
      expected[slots[slot]].push(`slot ${slot}`);
      table.send(bytes(`slot ${slot}`), slot, slot + 1);
    }
    for (const [index, sink] of sinks.entries()) assertEquals(await arrived(sink, server), expected[index]);
  };
  // a generator with a fixed seed, so that a failure can be reproduced
  let state = 1;
  const random = (below: number) => (state = state * 48_271 % 0x7fffffff) % below;

  for (let step = 0; step < 2 * BLOCK_SLOTS + 200; step++) add(random(8));
  for (let step = 0; step < 300; step++) swap(random(slots.length), random(slots.length));
  for (let step = 0; step < 500; step++) remove(random(slots.length));
  for (let step = 0; step < 100; step++) add(random(8));
  assertEquals(table.size, slots.length);
  for (let first = 0; first < slots.length; first += 400) await check(first);
  while (slots.length > 0) remove(random(slots.length));
  assertEquals(table.size, 0);
  assertEquals(table.send(bytes("nobody"), 0, 5), 5);
  slots = [];
  add(3);
  await check(0);
  for (const slot of [-1, 1, 0.5, NaN]) {
    assertThrows(() => table.remove(slot), RangeError);
    assertThrows(() => table.swap(0, slot), RangeError);
  }
});

withSockets("tables share a socket, not their slots", { count: 2 }, async (server, sinks, socket) => {
  const tables = [socket.table(), socket.table()];
  for (const [index, table] of tables.entries()) table.add(addressOf(sinks[index]));
  for (const [index, table] of tables.entries()) table.send(bytes(`dialect ${index}`), 0, table.size);
  for (const [index, sink] of sinks.entries()) assertEquals(await arrived(sink, server), [`dialect ${index}`]);
});

withSockets(
  "a destination that fails costs no other its copy",
  { ...IPV6, count: 2 },
  async (server, sinks, socket) => {
    const gone = listen("::1");
    const refusing = addressOf(gone);
    gone.close();
    const table = socket.table();
    // port 0 is no destination, and ::1 can't reach IPv4; a refusal comes too late to count as a failure
    const nowhere = { hostname: "::1", port: 0 };
    const unreachable = { ...addressOf(sinks[0]), hostname: "::ffff:127.0.0.1" };
    for (let slot = 0; slot < 300; slot++) {
      table.add(
        slot % 100 === 0 ? nowhere : slot === 151 ? unreachable : slot % 3 === 2 ? refusing : addressOf(sinks[0]),
      );
    }
    table.add(addressOf(sinks[1]));
    table.add(nowhere);
    table.add(unreachable);
    table.send(bytes("still here"), 0, table.size);
    // slots 0, 100, 200, 151 and the last two
    assertEquals(table.failed, 6);
    assertEquals((await arrived(sinks[0], server)).length, 197);
    assertEquals((await arrived(sinks[1], server)).length, 1);
    // every copy of these sends fails
    for (const slot of [301, 302]) assertEquals(table.send(bytes("again"), slot, slot + 1), slot + 1);
    assertEquals(table.failed, 8);
  },
);

withSockets("a payload may be as long as a datagram", {}, async (server, [sink], socket) => {
  const table = socket.table();
  table.add(addressOf(sink));
  const payload = new Uint8Array(MAX_PAYLOAD_BYTES + 1).fill(0x61);
  // the length field counts the headers of IPv4 and UDP too, 28 bytes
  for (const length of [0, 1, 1232, MAX_PAYLOAD_BYTES - 28]) {
    assertEquals(table.send(payload.subarray(0, length), 0, 1), 1);
    assertEquals((await arrived(sink, server)).map((text) => text.length), [length]);
  }
  assertEquals(table.failed, 0);
  assertEquals(table.send(payload.subarray(0, MAX_PAYLOAD_BYTES - 27), 0, 1), 1);
  assertEquals(table.send(payload, 0, 1), 1);
  assertEquals(table.failed, 2);
  assertEquals(await arrived(sink, server), []);
});

withSockets("buffers are as large as the kernel says", {}, (_server, _sinks, socket) => {
  assertEquals(socket.setReceiveBuffer(65_536), 131_072);
  assertEquals(socket.setSendBuffer(32_768), 65_536);
  assert(socket.setReceiveBuffer(2 ** 40) > 131_072);
});

withSockets("datagrams that do not fit into the receive buffer are counted", {}, async (server, [sink], socket) => {
  const counter = open(sink);
  counter.setReceiveBuffer(4096);
  const table = socket.table();
  for (let slot = 0; slot < 500; slot++) table.add(addressOf(sink));
  table.send(new Uint8Array(100), 0, 500);
  const lost = counter.inboundDrops();
  counter.close();
  assert(lost > 0);
  for (let copy = lost; copy < 500; copy++) await next(sink);
  assertEquals(await arrived(sink, server), []);
});

withSockets("after close nothing is sent, and the connection stays open", {}, async (server, [sink], socket) => {
  const table = socket.table();
  table.add(addressOf(sink));
  assertEquals(await socket.writable(DEADLINE_MS), true);
  const resting = socket.rest();
  socket.close();
  socket.close();
  await resting;
  await socket.rest();
  assertEquals(table.send(bytes("late"), 0, 1), 1);
  assertEquals(await socket.writable(DEADLINE_MS), false);
  assertEquals([socket.setReceiveBuffer(4096), socket.setSendBuffer(4096), socket.inboundDrops()], [0, 0, 0]);
  assertEquals(await arrived(sink, server), []);
});

Deno.test("a socket still sends after its connection is closed, and does not affect a new connection", async () => {
  if (!supported) return;
  const [server, sink] = [listen("127.0.0.1"), listen("127.0.0.1")];
  const socket = open(server);
  const table = socket.table();
  for (let slot = 0; slot < 100; slot++) table.add(addressOf(sink));
  server.close();
  // very likely gets the descriptor number that has become free
  const other = listen("127.0.0.1");
  table.send(bytes("to the last"), 0, 100);
  assertEquals(await arrived(sink, other), Array(100).fill("to the last"));
  await sink.send(bytes("heard"), addressOf(other));
  assertEquals(await next(other), "heard");
  socket.close();
  const again = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: addressOf(server).port });
  for (const conn of [again, other, sink]) conn.close();
});

Deno.test("a connection whose socket is not found, or found twice, is refused with the reason", () => {
  if (!supported) return;
  const first = listen("127.0.0.1", { reuseAddress: true });
  const { port } = addressOf(first);
  const second = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port, reuseAddress: true });
  assertEquals(openSendmmsg(first), {
    reason: `more than one socket of this process is bound to 127.0.0.1 port ${port}`,
  });
  second.close();
  // a TCP socket on the same port is no match
  const tcp = Deno.listen({ hostname: "127.0.0.1", port });
  open(first).close();
  first.close();
  assertEquals(openSendmmsg(first), { reason: `no descriptor is bound to 127.0.0.1 port ${port}` });
  tcp.close();
});

/** Runs a program from standard input in a process of its own; returns what it printed. */
async function output(command: string, args: string[], program: string): Promise<string> {
  const child = new Deno.Command(command, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(bytes(program));
  await writer.close();
  const deadline = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
  const { stdout, stderr } = await child.output();
  clearTimeout(deadline);
  return new TextDecoder().decode(stdout) || new TextDecoder().decode(stderr);
}

const MODULE = new URL("../../../../server/doors/linux/sendmmsg.ts", import.meta.url).href;

Deno.test("only the FFI permission is needed, and without it the reason says so", async () => {
  const program = `
    import { openSendmmsg } from ${JSON.stringify(MODULE)};
    const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const socket = openSendmmsg(conn);
    if ("reason" in socket) console.log(socket.reason);
    else {
      const table = socket.table();
      for (let slot = 0; slot < 50; slot++) table.add(conn.addr);
      table.send(new Uint8Array(5), 0, table.size);
      const [bytes] = await conn.receive();
      console.log("received", bytes.length);
      socket.close();
    }
    conn.close();`;
  const run = (...flags: string[]) =>
    output(Deno.execPath(), ["run", "--no-prompt", "--unstable-net", ...flags, "-"], program);
  const refused = supported
    ? "sendmmsg takes the permission to call the C library; run again with --allow-ffi\n"
    : `sendmmsg is used on Linux on x86_64 and aarch64 only, not on ${Deno.build.os} on ${Deno.build.arch}\n`;
  assertEquals(await run("--allow-net"), refused);
  assertEquals(await run("--allow-all", "--deny-ffi"), refused);
  assertEquals(await run("--allow-net", "--allow-ffi"), supported ? "received 5\n" : refused);
});

/**
 * A send buffer fills only while datagrams wait to leave. In a network namespace of the test's own they wait for the
 * hardware address of a neighbour that does not answer.
 */
Deno.test("a full send buffer loses nothing: send says where it stopped, writable when to go on", async () => {
  if (!supported) return;
  const network = "ip link set lo up && ip link add left type veth peer name right && " +
    "ip addr add 10.9.0.1/24 dev left && ip link set left up && ip link set right up";
  const namespaces = await new Deno.Command("unshare", { args: ["-rn", "sh", "-c", network] }).output()
    .then(({ success }) => success, () => false);
  if (!namespaces) {
    console.log("not tested: no network namespace can be made here");
    return;
  }
  const program = `
    import { openSendmmsg } from ${JSON.stringify(MODULE)};
    const ip = (...args) => new Deno.Command("ip", { args }).output();
    const answer = (host) => ip("neigh", "replace", host, "lladdr", "02:00:00:00:00:02", "dev", "left");
    const sent = async () => {
      const { stdout } = await ip("-s", "-j", "link", "show", "dev", "left");
      return JSON.parse(new TextDecoder().decode(stdout))[0].stats64.tx.bytes;
    };
    const conn = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
    const sink = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const socket = openSendmmsg(conn);
    socket.setSendBuffer(1);
    const table = socket.table();
    for (let slot = 0; slot < 60; slot++) table.add({ hostname: "10.9.0.2", port: 9 });
    table.add(sink.addr);
    const payload = new Uint8Array(1000);
    const before = await sent();
    const stopped = table.send(payload, 0, table.size);
    const full = await socket.writable(20);
    const writable = socket.writable(${DEADLINE_MS});
    await answer("10.9.0.2");
    const room = await writable;
    const end = table.send(payload, stopped, table.size);
    const [copy] = await sink.receive();
    const copies = Math.floor((await sent() - before) / 1042);
    const failed = table.failed;

    const other = socket.table();
    for (let slot = 0; slot < 60; slot++) other.add({ hostname: "10.9.0.3", port: 9 });
    const stoppedAgain = other.send(payload, 0, other.size) < other.size;
    const closing = socket.writable(3_600_000);
    socket.close();
    console.log(JSON.stringify({
      early: stopped > 0 && stopped < 60, full, room, end, last: copy.length, copies, failed,
      stoppedAgain, closed: await closing,
    }));
    conn.close();
    sink.close();`;
  const run = `${network} && exec "$0" run --no-check -A --unstable-net -`;
  assertEquals(JSON.parse(await output("unshare", ["-rn", "sh", "-c", run, Deno.execPath()], program)), {
    early: true,
    full: false,
    room: true,
    end: 61,
    last: 1000,
    copies: 60,
    failed: 0,
    stoppedAgain: true,
    closed: false,
  });
});
