/** The host: what it does with datagrams, when it wakes the room, bugs, failures and the end. */
import { assert, assertEquals } from "@std/assert";
import { encode, type EventPacket, MAX_CLASSIC_BYTES, type Packet } from "../../protocol.ts";
import { stderr } from "../../runtime/output.ts";
import { Failure } from "../../runtime/program.ts";
import { Trace } from "../../runtime/trace.ts";
import { Doors } from "../../server/doors/doors.ts";
import { NetworkEmulator, PERFECT } from "../../server/doors/network_emulator.ts";
import { TcpDoor } from "../../server/doors/tcp.ts";
import { UdpDoor } from "../../server/doors/udp.ts";
import { Host } from "../../server/host.ts";
import type { KeptMember } from "../../server/journal/past.ts";
import type { MemberObserver } from "../../server/room/admission.ts";
import type { Peer } from "../../server/room/peer.ts";
import type { Room } from "../../server/room/room.ts";
import type { RoomOptions } from "../../server/room/room_options.ts";
import { FakeListener } from "../support/fake_connection.ts";
import { FakeJournal } from "../support/fake_journal.ts";
import { FakeNames } from "../support/fake_names.ts";
import { ignoredBy } from "../support/fake_room.ts";
import { FakeSocket } from "../support/fake_socket.ts";
import { withFakeTime } from "../support/fake_time.ts";
import { peerOf } from "../support/peer_of.ts";

const A = peerOf("10.0.0.1:1"), B = peerOf("10.0.0.2:2");
const TOKEN = "00000000000000aa", EPOCH = "91c4be20d7a35f68";
const SAID: EventPacket = { dialect: "v1", type: "INCOMING", epoch: EPOCH, seq: 1, at: 1, from: A.address, text: "x" };
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A host with a socket that only remembers what is sent. */
function openHost(
  { observers = [], trace, ...room }: RoomOptions & { observers?: MemberObserver[]; trace?: Trace } = {},
) {
  const socket = new FakeSocket();
  const door = new UdpDoor({ socket, fast: { reason: "this is a test" } }, new NetworkEmulator(1));
  const journal = new FakeJournal({ epoch: EPOCH }), names = new FakeNames();
  let stops = 0;
  const stopping = () => void stops++;
  const doors = new Doors([door, new TcpDoor(new FakeListener())]);
  const host = new Host({ doors, journal, names, room, observers, trace, stopping });
  /** What was sent since the last call. */
  const sent = async () => {
    await door.idle();
    return socket.transmitted.splice(0).map(({ to, text }) => `${to}: ${text.replace(/ sum=[0-9a-f]{8}/, "")}`);
  };
  return { host, journal, names, socket, emulator: door.emulator, stops: () => stops, sent };
}

/** Lets a v1 member join from an address. */
async function join({ host, sent }: ReturnType<typeof openHost>, peer: Peer, token = TOKEN): Promise<void> {
  const greeting = (cookie?: string): Packet => ({ dialect: "v1", type: "GREETING", id: 1, token, cookie });
  host.receive(encode(greeting()), peer);
  const [, cookie] = /RETRY\/1 .* cookie=([0-9a-f]{16})/.exec((await sent()).join())!;
  host.receive(encode(greeting(cookie)), peer);
  await sent();
}

Deno.test("host: a datagram goes to the room, and what is none is counted", async () => {
  const { host, sent } = openHost();
  host.receive(bytesOf("GREETING"), A);
  host.receive(bytesOf("MESSAGE hello"), A);
  assertEquals(await sent(), ["10.0.0.1 1: INCOMING <From 10.0.0.1:1>: hello"]);
  host.receive(bytesOf("INCOMING/1"), A);
  host.receive(bytesOf("no\0packet"), A);
  const longest = "MESSAGE " + "x".repeat(MAX_CLASSIC_BYTES - 8);
  host.receive(bytesOf(`${longest}x`), A);
  const ignored = { "no-packet": 2, "not-for-server": 1 };
  assertEquals([ignoredBy(host.room), await sent()], [ignored, []]);
  host.receive(bytesOf(longest), A);
  assertEquals(ignoredBy(host.room), ignored);
  await host.stop();
});

Deno.test("host: the trace gets each datagram that had no effect, with the reason, and nothing else", async () => {
  const lines: string[] = [];
  const trace = new Trace((line) => lines.push(line), true);
  const opened = openHost({ trace, rate: { rate: 1, burst: 1 } }), { host } = opened;
  const traced = (text: string, peer: Peer) => {
    host.receive(bytesOf(text), peer);
    return lines.splice(0).map((line) => line.replace(/ from 10\.0\.0\.[12]:[12]: /, " "));
  };
  assertEquals(traced("MESSAGE hi", A), [
    'Ignored "MESSAGE hi" no greeting came from this address before: send GREETING first',
  ]);
  assertEquals(traced("GREETING", A), []);
  assertEquals(traced("MESSAGE hi", peerOf("10.0.0.1:2")), [
    'Ignored "MESSAGE hi" no greeting came from this address before: send GREETING first ' +
    "(10.0.0.1:1 has greeted: send everything from one socket)",
  ]);
  assertEquals(traced(`GREETING/1 id=1 token=${TOKEN} cookie=${EPOCH}`, B), [
    'Ignored "GREETING/1 id=1 token=(hidden) cookie=(hidden)" the cookie is not that of this address, or it is too ' +
    "old: take the one of the last RETRY/1",
  ]);
  assertEquals(traced("MESSAGE hi", A), []);
  assertEquals(traced("MESSAGE hi", A), [
    'Ignored "MESSAGE hi" it came faster than --rate, or all with this IP address say too much',
  ]);
  assertEquals(traced("WELCOME/1 id=1", A), ['Ignored "WELCOME/1 id=1" no client sends WELCOME/1 to a server']);
  assertEquals(traced("HELLO/1 id=1", A), ['Ignored "HELLO/1 id=1" HELLO/1 is no packet of version 1']);
  assertEquals(
    traced("GREETING/1 id=x", B)[0].replace(/: .*/, ""),
    'Ignored "GREETING/1 id=x" the field id is malformed',
  );
  await join(opened, B);
  const message = (id: number) => `MESSAGE/1 token=${TOKEN} stream=${EPOCH} id=${id} first=1\nhi`;
  assertEquals(traced(message(2), B), [
    String
      .raw`Held "MESSAGE/1 token=(hidden) stream=${EPOCH} id=2 first=1\nhi" the message with the id=1 of this stream has to come first`,
  ]);
  assertEquals(traced(message(1), B), []);
  trace.isOn = false;
  assertEquals(traced("HELO", A), []);
  await host.stop();
});

Deno.test("host: the trace gets a line of a connection that had no effect, and no remark on the line before", async () => {
  const lines: string[] = [];
  const { host } = openHost({ trace: new Trace((line) => lines.push(line), true) });
  const member = peerOf("tcp 10.0.0.7:7"), stranger = peerOf("tcp 10.0.0.8:8");
  assert(host.connected(member));
  assertEquals(host.receiveLine("lost", stranger), 0);
  assertEquals(lines.length, 1);
  assert(lines[0].startsWith('Ignored "lost" from 10.0.0.8:8: '), lines[0]);
  host.receiveLine("hello", member);
  host.receiveLine("/list", member);
  assertEquals(lines.length, 1);
  await host.stop();
});

Deno.test("host: what the trace leaves out of a flood is told a second later, and at the latest when the host stops", () =>
  withFakeTime(async ({ advance }) => {
    const lines: string[] = [];
    const { host } = openHost({ trace: new Trace((line) => lines.push(line), true) });
    const flood = (count: number, text = "HELO") => {
      for (let i = 0; i < count; i++) host.receive(bytesOf(text), peerOf(`10.9.${i >> 8}.${i & 255}:1`));
    };
    flood(5000);
    assertEquals(lines.length, 10);
    await advance(1100);
    assertEquals(lines.splice(0).at(-1), "… and 4990 more in the last second");
    flood(100, "HULLO");
    assertEquals(lines.splice(0).length, 5);
    await host.stop();
    assertEquals(lines, ["… and 95 more"]);
  }));

Deno.test("host: of a flood from strangers most is dropped unread, and neither members nor connections are", () =>
  withFakeTime(async ({ advance }) => {
    const opened = openHost(), { host } = opened;
    const dropped = () => host.room.statistics.ignored.flood;
    await join(opened, A);
    const greeting = encode({ dialect: "v1", type: "GREETING", id: 1000 });
    const flood = (count: number) => {
      for (let i = 0; i < count; i++) host.receive(greeting, peerOf(`10.9.${i >> 8}.${i & 255}:1`));
    };
    flood(20_000);
    // those of the member that has joined were strangers' too
    assertEquals(dropped(), 18_002);
    for (let i = 0; i < 50; i++) {
      host.receive(encode({ dialect: "v1", type: "LIST", id: 7, token: TOKEN }), A);
      host.receive(greeting, { ...peerOf("10.9.9.9:9"), validated: true });
    }
    assertEquals(dropped(), 18_002);
    await advance(100);
    flood(2000);
    assertEquals(dropped(), 18_002 + 1000);
    await host.stop();
  }));

Deno.test("host: of a flood from a member's address without its token most is dropped unread, its own packets are not", () =>
  withFakeTime(async () => {
    const opened = openHost(), { host, sent } = opened;
    await join(opened, A);
    const wrong = "00000000000000bb";
    const forged: Packet[] = [
      { dialect: "v1", type: "GREETING", id: 1000000 },
      { dialect: "v1", type: "GREETING", id: 1, token: wrong, cookie: wrong },
      { dialect: "v1", type: "MESSAGE", token: wrong, stream: EPOCH, id: 1, text: "forged" },
      { dialect: "classic", type: "MESSAGE", text: "forged" },
    ];
    for (let i = 0; i < 40_000; i++) host.receive(encode(forged[i % 4]), A);
    const { flood } = host.room.statistics.ignored;
    assertEquals(flood, 38_002);
    await sent();
    host.receive(encode({ dialect: "v1", type: "LIST", id: 7, token: TOKEN }), A);
    assertEquals((await sent()).map((text) => text.split(" ")[2]), ["USERS/1"]);
    assertEquals(host.room.statistics.ignored.flood, flood);
    await host.stop();
  }));

Deno.test("host: of a flood from a classic member's address most is dropped unread, the other members are served", () =>
  withFakeTime(async ({ advance }) => {
    // as with --rate 20: 200 datagrams a second of each classic member, and 400 at once
    const { host, sent } = openHost({ rate: { rate: 20, burst: 40 } });
    host.receive(bytesOf("GREETING"), A);
    host.receive(bytesOf("GREETING"), B);
    const wrong = "00000000000000bb";
    const forged = [
      bytesOf("GREETING"),
      bytesOf("MESSAGE forged"),
      bytesOf(`LIST/1 id=1 token=${wrong}`),
      bytesOf("LIST"),
    ];
    const flood = (count: number) => {
      const before = host.room.statistics.ignored.flood;
      for (let i = 0; i < count; i++) host.receive(forged[i % 4], A);
      return host.room.statistics.ignored.flood - before;
    };
    // two strangers have greeted
    assertEquals(flood(30_000), 30_000 - 400 - (2000 - 2));
    await sent();
    for (let i = 0; i < 10; i++) host.receive(bytesOf("LIST"), B);
    assertEquals((await sent()).length, 10);
    await advance(100);
    assertEquals(flood(30_000), 30_000 - 20 - 1000);
    await host.stop();
  }));

Deno.test("host: without --rate a classic member may send as much as it likes", () =>
  withFakeTime(async () => {
    const { host } = openHost();
    host.receive(bytesOf("GREETING"), A);
    for (let i = 0; i < 20_000; i++) host.receive(bytesOf("GREETING"), A);
    assertEquals(ignoredBy(host.room), {});
    await host.stop();
  }));

Deno.test("host: a packet that no client sends to a server is dropped unread", async () => {
  const { host, sent } = openHost();
  // they would be no packets, if they were read
  for (const type of ["ONLINE", "OFFLINE", "USERS", "INCOMING", "HEARTBEAT", "ACK", "OPEN"]) {
    host.receive(bytesOf(`${type}/1 damaged`), A);
  }
  assertEquals(ignoredBy(host.room), { "not-for-server": 7 });
  for (
    const text of [
      "GREETING/1 damaged",
      "GREETING/10",
      "LIST all",
      "LISTEN/1",
      "-/1",
      "",
      "ABCDEFGHIJ/1",
    ]
  ) {
    host.receive(bytesOf(text), A);
  }
  assertEquals(ignoredBy(host.room), { "not-for-server": 7, "no-packet": 7 });
  for (const text of ["TCP/IP is nice", "LISTS", "A", "/1"]) host.receive(bytesOf(text), A);
  assertEquals(ignoredBy(host.room), { "not-for-server": 7, "no-packet": 7, "not-joined": 4 });
  host.receive(bytesOf("GREETING"), A);
  host.receive(bytesOf("MESSAGE/ hello"), A);
  host.receive(bytesOf("MESSAGE 1/2"), A);
  assertEquals(await sent(), ["/ hello", "1/2"].map((text) => `10.0.0.1 1: INCOMING <From 10.0.0.1:1>: ${text}`));
  await host.stop();
});

Deno.test("host: wakes the room when it is due, each time, and not after the end", () =>
  withFakeTime(async ({ advance, delays }) => {
    const opened = openHost(), { host, sent } = opened;
    await join(opened, A);
    assertEquals(delays(), [100]);
    await advance(100);
    assertEquals((await sent()).map((text) => text.split(" ")[2]), ["ONLINE/1"]);
    await advance(100);
    assertEquals((await sent()).map((text) => text.split(" ")[2]), ["HEARTBEAT/1"]);
    assertEquals(delays().length, 1);
    await host.stop();
    assertEquals(delays(), []);
  }));

Deno.test("host: wakes a room that was restored without a datagram", () =>
  withFakeTime(async ({ advance }) => {
    const member: KeptMember = {
      address: A.address,
      dialect: "v1",
      token: TOKEN,
      name: undefined,
      since: 1,
    };
    const { host, sent } = openHost({ members: [member] });
    await advance(100);
    assertEquals(await sent(), [`10.0.0.1 1: HEARTBEAT/1 epoch=${EPOCH} seq=0`]);
    await host.stop();
  }));

Deno.test("host: a connection that was closed because it said too much is counted and traced, another one is traced", async () => {
  const lines: string[] = [], { host } = openHost({ trace: new Trace((line) => lines.push(line), true) });
  host.dismissed(A, "too much");
  host.dismissed(B, "ssh");
  assertEquals(lines, [
    `Closed the connection of ${A.address}: it said more than the room takes`,
    `Closed the connection of ${B.address}: it began as SSH`,
  ]);
  assertEquals(host.room.statistics.ignored["fast-lines"], 1);
  await host.stop();
});

Deno.test("host: tells all observers everything, the first of them first", async () => {
  const told: string[] = [];
  const observer = (who: string): MemberObserver => ({
    joined: ({ address }) => told.push(`${who} joined ${address}`),
    changed: ({ address, name }) => told.push(`${who} changed ${address} ${name}`),
    left: ({ address }, how) => told.push(`${who} left ${address} ${how}`),
  });
  const opened = openHost({ observers: [observer("1"), {}, observer("2")] }), { host } = opened;
  await join(opened, A);
  host.receive(bytesOf("GREETING"), B);
  host.receive(bytesOf("SIGN-IN Bob"), B);
  host.receive(encode({ dialect: "v1", type: "LEAVE", id: 2, token: TOKEN }), A);
  const facts = [
    `joined ${A.address}`,
    `joined ${B.address}`,
    `changed ${B.address} Bob`,
    `left ${A.address} goodbye`,
  ];
  assertEquals(told, facts.flatMap((fact) => [`1 ${fact}`, `2 ${fact}`]));
  await host.stop();
});

/** Collects the lines of standard error as long as `body` runs. */
async function withErrors(body: (lines: string[]) => Promise<void>): Promise<void> {
  const { print } = stderr, lines: string[] = [];
  stderr.print = (line) => lines.push(line) > 0;
  try {
    await body(lines);
  } finally {
    stderr.print = print;
  }
}

Deno.test("host: a bug ends one step and not the room", () =>
  withErrors(async (lines) => {
    const buggy: MemberObserver = {
      joined({ address }) {
        if (address === A.address) throw new TypeError("oh");
      },
    };
    const { host, stops, sent } = openHost({ observers: [buggy] });
    host.receive(bytesOf("GREETING"), A);
    host.receive(bytesOf("GREETING"), B);
    host.receive(bytesOf("MESSAGE still here"), B);
    assert((await sent()).includes("10.0.0.2 2: INCOMING <From 10.0.0.2:2>: still here"));
    assertEquals([host.failure, stops(), lines], [undefined, 0, ["Ignored: TypeError: oh, a bug of this server"]]);
    await host.stop();
  }));

Deno.test("host: a bug in what is due does not come back but once a second", () =>
  withErrors((lines) =>
    withFakeTime(async ({ advance }) => {
      const opened = openHost(), { host } = opened;
      await join(opened, A);
      let wakes = 0;
      host.room.wake = () => {
        wakes++;
        throw new RangeError("not yet");
      };
      await advance(99);
      assertEquals(wakes, 0);
      await advance(1);
      assertEquals(wakes, 1);
      // an arrival in between does not wake it earlier
      host.receive(bytesOf("GREETING"), B);
      await advance(999);
      assertEquals(wakes, 1);
      await advance(2001);
      assertEquals([wakes, lines.length], [4, 4]);
      await host.stop();
    })
  ));

Deno.test("host: a failure stops it, and the members are told", async () => {
  const failure = new Failure("The state file can't be written");
  const opened = openHost(), { host, journal, socket, stops, sent } = opened;
  await join(opened, A);
  host.receive(bytesOf("GREETING"), B);
  journal.failure = failure;
  assertEquals([host.failure, stops()], [undefined, 0]);
  host.receive(bytesOf("MESSAGE hello"), B);
  assertEquals([host.failure, stops()], [failure, 1]);
  assertEquals(await sent(), [`10.0.0.1 1: CLOSING/1 epoch=${host.room.epoch}`]);
  await host.stop();
  assertEquals([socket.isClosed, stops()], [true, 1]);
});

Deno.test("host: a journal that fails later stops it too, once", async () => {
  const failure = new Failure("The log does not answer any more");
  const opened = openHost(), { host, stops, sent } = opened;
  await join(opened, A);
  host.fail(failure);
  host.fail(new Failure("nor does it now"));
  assertEquals([host.failure, stops()], [failure, 1]);
  assertEquals(await sent(), [`10.0.0.1 1: CLOSING/1 epoch=${EPOCH}`]);
  await host.stop();
});

Deno.test("host: an event that is kept later is told, and the room is woken for its heartbeat", () =>
  withFakeTime(async ({ advance, delays }) => {
    const opened = openHost(), { host, journal, sent } = opened;
    await join(opened, A);
    // what follows from the arrival is sent
    await advance(40_000);
    await sent();
    journal.isLate = true;
    host.receive(
      encode({ dialect: "v1", type: "MESSAGE", token: TOKEN, stream: TOKEN, id: 1, text: "x" }),
      A,
    );
    assertEquals([await sent(), journal.pending], [[], 1]);
    for (const entry of journal.keep()) host.appended(entry);
    assertEquals((await sent()).map((text) => text.split(" ")[2]), ["INCOMING/1"]);
    assertEquals(delays(), [100]);
    await host.stop();
  }));

Deno.test("host: a name that is granted later is told", async () => {
  const { host, names, sent } = openHost();
  names.isLate = true;
  host.receive(bytesOf("SIGN-IN Bob"), B);
  assertEquals(await sent(), []);
  host.claimed(...names.answer()!);
  assertEquals(await sent(), ["10.0.0.2 2: INCOMING Signed in as Bob\n"]);
  await host.stop();
});

Deno.test("host: a name that is refused later is told too", async () => {
  const { host, names, sent } = openHost();
  names.isLate = true;
  host.receive(bytesOf("SIGN-IN Bob"), B);
  names.holders.set("bob", "somebody else");
  host.claimed(...names.answer()!);
  assertEquals(await sent(), ["10.0.0.2 2: INCOMING The name Bob is taken; choose another\n"]);
  await host.stop();
});

Deno.test("host: a peer whose connection has ended is no member any more, and the others are told in time", () =>
  withFakeTime(async ({ advance }) => {
    const opened = openHost(), { host, sent } = opened;
    await join(opened, A);
    await join(opened, B, "00000000000000bb");
    // what follows from the arrivals is sent
    await advance(40_000);
    await sent();
    host.hungUp(B);
    assertEquals(host.room.size, 1);
    await advance(1000);
    assert((await sent())[0].startsWith("10.0.0.1 1: OFFLINE/1 "));
    await host.stop();
  }));

/** Each kind of step: what a door, a journal or names call, and how to replace the method of the room behind it. */
const STEPS: [step: (host: Host) => void, call: (room: Room, callee: () => void) => void][] = [
  [(host) => host.receive(bytesOf("GREETING"), A), (room, callee) => room.receive = callee],
  [(host) => host.hungUp(A), (room, callee) => room.hungUp = callee],
  [(host) => host.appended({ event: SAID }), (room, callee) => room.appended = callee],
  [(host) => host.claimed({ name: "Bob", holder: TOKEN }, true), (room, callee) => room.claimed = callee],
];

Deno.test("host: a bug in any kind of step ends that step only", () =>
  withErrors(async (lines) => {
    for (const [step, call] of STEPS) {
      const { host, stops } = openHost();
      call(host.room, () => {
        throw new TypeError(`oh ${step}`);
      });
      step(host);
      assertEquals([host.failure, stops()], [undefined, 0]);
      assert(lines.pop()?.startsWith("Ignored: TypeError: oh"), String(step));
      await host.stop();
    }
  }));

Deno.test("host: a failure in any kind of step stops it", async () => {
  for (const [step, call] of STEPS) {
    const { host, stops, socket } = openHost();
    const failure = new Failure("The disk is full");
    call(host.room, () => {
      throw failure;
    });
    step(host);
    await host.stop();
    assertEquals([host.failure, stops(), socket.isClosed], [failure, 1, true], String(step));
  }
});

Deno.test("host: after the stop nothing reaches the room, and a late failure is no reason for the stop", async () => {
  for (const [step, call] of STEPS) {
    const { host } = openHost();
    let calls = 0;
    call(host.room, () => calls++);
    step(host);
    const stopped = host.stop();
    step(host);
    await stopped;
    step(host);
    host.fail(new Failure("too late"));
    assertEquals([calls, host.failure], [1, undefined], String(step));
  }
});

Deno.test("host: the goodbye is sent before the socket is closed, whatever the emulator would do", async () => {
  const opened = openHost(), { host, socket, emulator } = opened;
  await join(opened, A);
  emulator.conditions = { ...PERFECT, delay: [60_000, 60_000] };
  await host.stop();
  assertEquals([socket.isClosed, socket.transmitted.map(({ text }) => text.split(" ")[0])], [true, ["CLOSING/1"]]);
});

Deno.test("host: whoever is told that it stops may stop it again", async () => {
  const door = new UdpDoor({ socket: new FakeSocket(), fast: { reason: "this is a test" } }, new NetworkEmulator(1));
  let stops = 0;
  const host: Host = new Host({
    doors: new Doors([door]),
    journal: new FakeJournal(),
    room: {},
    observers: [],
    stopping() {
      stops++;
      host.stop();
    },
  });
  await host.stop();
  assertEquals(stops, 1);
});

Deno.test("host: after the stop nothing that arrives does anything, and it stops once", async () => {
  const { host, socket, stops } = openHost();
  const first = host.stop();
  host.receive(bytesOf("GREETING"), A);
  assertEquals(host.room.size, 0);
  await Promise.all([first, host.stop()]);
  assertEquals([stops(), socket.isClosed], [1, true]);
});
