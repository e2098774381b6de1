/** The doors: each peer's door is found, and a broadcast is encoded once per dialect. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Dialect, V1Packet } from "../../../protocol.ts";
import type { Door, DoorKeeper, DoorStatistics } from "../../../server/doors/door.ts";
import { Doors } from "../../../server/doors/doors.ts";
import type { Recipient } from "../../../server/room/delivery.ts";
import { recipientOf } from "../../support/peer_of.ts";

const A = "10.0.0.7:52207";
const SAID: V1Packet = {
  dialect: "v1",
  type: "INCOMING",
  epoch: "91c4be20d7a35f68",
  seq: 1,
  at: 1,
  from: A,
  text: "hi",
};
const HEARTBEAT: V1Packet = { dialect: "v1", type: "HEARTBEAT", epoch: "91c4be20d7a35f68", seq: 1 };

/** A door that keeps what it is given. */
class FakeDoor implements Door {
  readonly statistics: DoorStatistics = { sent: 0, failed: 0, dropped: 0 };
  readonly members = new Set<Recipient>();
  readonly sent: { to: string; bytes: Uint8Array }[] = [];
  readonly calls: string[] = [];
  readonly closing = Promise.withResolvers<void>();

  constructor(readonly scheme: string) {}

  async run(keeper: DoorKeeper): Promise<void> {
    keeper.receive(new Uint8Array(), recipientOf(this.scheme === "" ? A : `${this.scheme} ${A}`));
    await this.closing.promise;
  }

  size(dialect: Dialect): number {
    return [...this.members].filter((member) => member.dialect === dialect).length;
  }
  join(recipient: Recipient): void {
    this.members.add(recipient);
  }
  leave(recipient: Recipient): void {
    this.members.delete(recipient);
  }
  send({ key }: Recipient, bytes: Uint8Array): void {
    this.sent.push({ to: key, bytes });
  }
  broadcast(bytes: Uint8Array, dialect: Dialect, except?: Recipient): void {
    this.calls.push(dialect);
    for (const member of this.members) if (member.dialect === dialect && member !== except) this.send(member, bytes);
  }
  prepareToClose(): void {
    this.calls.push("prepareToClose");
  }
  close(): Promise<void> {
    return this.closing.promise;
  }
}

function open() {
  const udp = new FakeDoor(""), tcp = new FakeDoor("tcp");
  return { udp, tcp, doors: new Doors([udp, tcp]) };
}

Deno.test("doors: peers with one address and port are found at their own doors", () => {
  const { udp, tcp, doors } = open();
  const [a, b] = [recipientOf(A), recipientOf(`tcp ${A}`)];
  for (const recipient of [a, b]) doors.join(recipient);
  assertEquals([[...udp.members], [...tcp.members]], [[a], [b]]);
  doors.send(b, HEARTBEAT);
  assertEquals([udp.sent.length, tcp.sent.map(({ to }) => to)], [0, [`tcp ${A}`]]);
  doors.leave(b);
  assertEquals([udp.members.size, tcp.members.size], [1, 0]);
});

Deno.test("doors: an IPv6 address with a zone is no scheme", () => {
  const { udp, doors } = open();
  doors.join(recipientOf("[fe80::1%eth0]:9"));
  assertEquals(udp.members.size, 1);
});

Deno.test("doors: a broadcast is encoded once per dialect, for all doors", () => {
  const { udp, tcp, doors } = open();
  for (const key of [A, `tcp ${A}`]) doors.join(recipientOf(key));
  doors.join(recipientOf("tcp 10.0.0.8:1", "classic-line"));
  doors.broadcast(SAID);
  assertEquals(tcp.sent.length, 2);
  assert(udp.sent[0].bytes === tcp.sent[0].bytes, "the same bytes");
  assertEquals(new TextDecoder().decode(tcp.sent[1].bytes), `INCOMING <From ${A}>: hi\n`);
  assertEquals([udp.calls, tcp.calls], [["v1"], ["v1", "classic-line"]], "no dialect that nobody has there");
});

Deno.test("doors: a packet that is sent to one after the other is encoded once per dialect", () => {
  const { tcp, doors } = open();
  const [a, b] = ["tcp 10.0.0.8:1", "tcp 10.0.0.8:2"].map((key) => recipientOf(key));
  const c = recipientOf("tcp 10.0.0.8:3", "classic");
  for (const to of [a, b, c, b]) doors.send(to, SAID);
  doors.send(b, { ...SAID, text: "bye" });
  const [first, second, third, fourth, fifth] = tcp.sent.map(({ bytes }) => bytes);
  assert(first === second, "the same bytes");
  assertEquals(new TextDecoder().decode(third), `INCOMING <From ${A}>: hi`);
  assertEquals(fourth, first);
  assertEquals(new TextDecoder().decode(fifth).endsWith("bye"), true);
});

Deno.test("doors: nothing is encoded for a dialect that nobody has, or that can't express the packet", () => {
  const { tcp, doors } = open();
  // encoding this would throw
  doors.broadcast({ ...SAID, text: "x".repeat(2000) } as V1Packet);
  doors.join(recipientOf("tcp 10.0.0.8:1", "classic"));
  doors.broadcast(HEARTBEAT);
  doors.send(recipientOf("tcp 10.0.0.8:1", "classic"), HEARTBEAT);
  assertEquals([tcp.calls, tcp.sent], [[], []]);
});

Deno.test("doors: a broadcast leaves the excepted recipient out, and only that one", () => {
  const { udp, tcp, doors } = open();
  const [a, b] = [recipientOf(A), recipientOf(`tcp ${A}`)];
  for (const recipient of [a, b]) doors.join(recipient);
  doors.broadcast(HEARTBEAT, b);
  assertEquals([udp.sent.length, tcp.sent.length], [1, 0]);
});

Deno.test("doors: statistics are the sum of all doors", () => {
  const { udp, tcp, doors } = open();
  Object.assign(udp.statistics, { sent: 1, failed: 2, dropped: 3 });
  Object.assign(tcp.statistics, { sent: 10, failed: 20, dropped: 30 });
  assertEquals(doors.statistics, { sent: 11, failed: 22, dropped: 33 });
});

Deno.test("doors: all of them prepare to close", () => {
  const { udp, tcp, doors } = open();
  doors.prepareToClose();
  assertEquals([udp.calls, tcp.calls], [["prepareToClose"], ["prepareToClose"]]);
});

Deno.test("doors: closing them waits for each of them", async () => {
  for (const scheme of ["", "tcp"]) {
    const { udp, tcp, doors } = open();
    const [first, last] = scheme === "" ? [udp, tcp] : [tcp, udp];
    let isClosed = false;
    const closing = doors.close().then(() => isClosed = true);
    first.closing.resolve();
    // all that follows from one closed door has happened after a turn of the event loop
    await new Promise((resolve) => setTimeout(resolve));
    assertEquals(isClosed, false, `closed without waiting for "${last.scheme}"`);
    last.closing.resolve();
    await closing;
  }
});

Deno.test("doors: they run until all of them are closed", async () => {
  const { udp, tcp, doors } = open();
  const heard: string[] = [];
  let isOver = false;
  const keeper = { connected: () => true, receiveLine: () => 0, dismissed: () => {}, hungUp: () => {} };
  const running = doors.run({ ...keeper, receive: (_, { key }) => heard.push(key) }).then(() => isOver = true);
  assertEquals(heard, [A, `tcp ${A}`]);
  tcp.closing.resolve();
  await Promise.resolve();
  assertEquals(isOver, false);
  udp.closing.resolve();
  await running;
});

Deno.test("doors: a peer whose door is not there is a bug that is not hidden", () => {
  const { udp, tcp, doors } = open();
  const stranger = recipientOf(`web ${A}`);
  for (const step of [() => doors.join(stranger), () => doors.leave(stranger), () => doors.send(stranger, HEARTBEAT)]) {
    assertThrows(step, TypeError, `There is no door for the peer web ${A}`);
  }
  assertEquals([udp.members.size, tcp.members.size, udp.sent, tcp.sent], [0, 0, [], []]);
});
