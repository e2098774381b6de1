/** The state file: a room continues where it was after a stop, a kill or damage to the log. */
import { assert, assertEquals, assertGreater, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { Failure } from "../../../runtime/program.ts";
import { seededRandom } from "../../../server/doors/network_emulator.ts";
import { openState } from "../../../server/journal/state_file.ts";
import { all, one, OTHER_STREAM, outline, settledId, STREAM, to } from "../../support/fake_room.ts";
import {
  A,
  B,
  C,
  copyAsAfterCrash,
  D,
  fillWithMessages,
  type KeptRoom,
  openFolder,
  openRoom,
  readPast,
} from "../../support/state_files.ts";

/** An object without the keys whose value is undefined: a packet that was read from the file lacks such keys. */
function withoutUndefined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** A past with its members in a fixed order, so that it can be compared. */
function comparable({ members, ...past }: KeptRoom): KeptRoom {
  return { ...past, members: members.toSorted((a, b) => a.address < b.address ? -1 : 1) };
}

Deno.test("state: a new file begins with an epoch of its own and nothing else", () => {
  using folder = openFolder();
  const first = readPast(folder.file()), other = readPast(folder.file("other.db"));
  assertMatch(first.epoch, /^[0-9a-f]{16}$/);
  assertEquals(first, { epoch: first.epoch, seq: 0, events: [], members: [], streams: {} });
  assertNotEquals(first.epoch, other.epoch);
  assertEquals(readPast(folder.file()).epoch, first.epoch);
});

Deno.test({
  name: "state: only its owner may read a new file and its log; the mode of a file that is there stays",
  ignore: Deno.build.os === "windows",
  fn() {
    using folder = openFolder();
    const modeOf = (path: string) => Deno.statSync(path).mode! & 0o777;
    const path = folder.file(), log = `${path}-wal`;
    for (const expected of [0o600, 0o644]) {
      using opened = openRoom(path);
      opened.room.join(A, "Alice");
      assertEquals([path, log].map(modeOf), [expected, expected]);
      Deno.chmodSync(path, 0o644);
    }
  },
});

Deno.test("state: two members have the same pass after a new start, so that an answer to earlier words goes to who said them", () => {
  using folder = openFolder();
  const passIn = (path: string) => {
    using opened = openRoom(path);
    const { room } = opened, { token } = room.join(A, "Alice");
    room.join(B, "Bob");
    return one(room.v1(A, "LOOKUP", { id: 9, token, name: "Bob" }), "PEER").pass;
  };
  const pass = passIn(folder.file());
  assertMatch(pass!, /^[0-9a-f]{16}$/);
  assertEquals(passIn(folder.file()), pass);
  assertNotEquals(passIn(folder.file("other.db")), pass);
});

Deno.test("state: an empty file is a new one", () => {
  using folder = openFolder();
  Deno.writeFileSync(folder.file(), new Uint8Array());
  assertEquals(readPast(folder.file()).seq, 0);
});

for (const how of ["stopped", "killed"] as const) {
  Deno.test(`state: a server that was ${how} comes back with epoch, events, names, streams and classic members`, () => {
    using folder = openFolder();
    let path = folder.file();
    let epoch: string, token: string, past: ReturnType<typeof comparable>;
    {
      using opened = openRoom(path);
      const { room } = opened;
      ({ token, epoch } = room.join(A, "Alice"));
      room.join(B);
      room.datagram(C, "GREETING");
      room.datagram(D, "SIGN-IN Zoë\n");
      for (const id of [1, 2, 3]) room.say(A, token, id, `text ${id}\u0007 ✓`);
      room.v1(A, "MESSAGE", { token, stream: STREAM, id: 4, action: true, text: "waves" });
      room.datagram(C, "MESSAGE from a classic client");
      room.pass(1000);
      // early: not taken yet, so not kept either
      room.v1(A, "MESSAGE", { token, stream: STREAM, id: 6, first: 5, text: "too early" });
      past = comparable({
        epoch,
        seq: room.room.statistics.messages + 1,
        events: all(room.v1(A, "RESEND", { token, epoch, from: 1, to: 100 }), "INCOMING").map(withoutUndefined),
        members: [],
        streams: { [token]: [STREAM, 4] },
      });
      if (how === "killed") path = copyAsAfterCrash(path, folder.file("crashed.db"));
    }

    const { events, members, ...line } = comparable(readPast(path));
    assertEquals(line, { epoch, seq: past.seq, streams: past.streams });
    assertEquals(
      events.filter(({ type }) => type === "INCOMING").map((event) => ({ ...event, token })),
      past.events,
      "no token of a member that has asked is kept",
    );
    assertEquals(members.map(({ address, name, dialect }) => [address, name, dialect]), [
      [A, "Alice", "v1"],
      [B, undefined, "v1"],
      [C, undefined, "classic"],
      [D, "Zoë", "classic-line"],
    ]);
    using opened = openRoom(path);
    const { room } = opened;

    // Alice still has her token, and what she repeats is not taken twice
    assertEquals(settledId(room.say(A, token, 4, "waves")), 4);
    const sent = room.say(A, token, 5, "after");
    assertEquals(outline(sent).toSorted(), [A, B, C, D].map((address) => `${address} INCOMING`).toSorted());
    assertEquals(one(to(sent, A), "INCOMING").seq, past.seq + 1);
    // the names are still taken, and the past can still be asked for
    assertEquals(room.refused("127.0.0.1:40005", "alice").code, "name-taken");
    assertEquals(room.refused("127.0.0.1:40005", "ZOË").code, "name-taken");
    const again = all(room.v1(A, "RESEND", { token, epoch, from: 1, to: past.seq }), "INCOMING");
    assertEquals(again, past.events);
    // and the heartbeats show what was lost at the end
    assertEquals(one(to(room.pass(150), B), "HEARTBEAT").seq, past.seq + 1);
  });
}

Deno.test("state: without a new event, heartbeats after a restart show members what they have missed", () => {
  using folder = openFolder();
  {
    using opened = openRoom(folder.file());
    const { token } = opened.room.join(A);
    opened.room.say(A, token, 1, "the last");
  }
  using opened = openRoom(folder.file());
  assertEquals(one(opened.room.pass(150), "HEARTBEAT").seq, 1);
});

Deno.test("state: departures and changes of name, address and dialect are kept", () => {
  using folder = openFolder();
  {
    using opened = openRoom(folder.file());
    const { room } = opened;
    const alice = room.join(A, "Alice");
    room.v1(A, "SIGN-IN", { id: 2, token: alice.token, name: "Alicia" });
    const bob = room.join(B, "Bob");
    room.v1(B, "LEAVE", { id: 2, token: bob.token });
    // Alicia's NAT gives her Bob's address
    const { token } = room.move(B, alice.token, "Alicia");
    room.say(B, token, 1, "from here");
    room.datagram(C, "GREETING");
    const carole = room.join(C, "Carole");
    room.v1(C, "GREETING", { id: 2, token: carole.token });
    room.join(D);
    room.pass(30_000);
    room.v1(B, "GREETING", { id: 4, token });
    room.pass(40_000);
  }
  const { members, streams } = comparable(readPast(folder.file()));
  const rows = members.map(({ address, name, dialect, token }) => [address, name, dialect, streams[token]]);
  assertEquals(rows, [[B, "Alicia", "v1", [STREAM, 1]]], "Carole and the other were silent for too long");
});

Deno.test("state: a member that moves has one row, with its new address, even if no other change follows", () => {
  using folder = openFolder();
  const tokens: string[] = [];
  {
    using opened = openRoom(folder.file());
    const { room } = opened;
    tokens.push(room.join(A, "Alice").token);
    for (const address of [B, C, B]) tokens.push(room.move(address, tokens[0]).token);
  }
  const { members } = comparable(readPast(folder.file()));
  assertEquals(members.map(({ address, name, token }) => [address, name, token]), [[B, "Alice", tokens[0]]]);
  assertEquals(new Set(tokens).size, 1);
  using opened = openRoom(folder.file());
  assertEquals(one(opened.room.say(A, tokens[0], 1, "from the old place"), "ERROR").code, "not-joined");
  assertEquals(one(opened.room.say(B, tokens[0], 1, "from here"), "INCOMING").from, B);
});

Deno.test("state: a member whose address changed before the server was restarted is still the same member", () => {
  using folder = openFolder();
  let token: string, cookie: string;
  {
    using opened = openRoom(folder.file());
    ({ token } = opened.room.join(A));
    opened.room.say(A, token, 1, "once");
    cookie = opened.room.cookie(B, { token });
  }
  using opened = openRoom(folder.file());
  // the cookie was the old server's
  const again = opened.room.cookie(B, { token, cookie });
  assertNotEquals(again, cookie);
  opened.room.greet(B, { token, cookie: again });
  assertEquals(settledId(opened.room.say(B, token, 1, "once")), 1);
  assertEquals(opened.room.room.size, 1);
});

Deno.test("state: a classic member that turns out to speak version 1 has one row", () => {
  using folder = openFolder();
  const dialects = () => comparable(readPast(folder.file())).members.map(({ dialect }) => dialect);
  {
    using opened = openRoom(folder.file());
    opened.room.datagram(A, "GREETING");
    opened.room.cookie(A);
  }
  assertEquals(dialects(), ["classic"]);
  {
    using opened = openRoom(folder.file());
    opened.room.join(A);
    assertEquals(opened.room.room.size, 1);
  }
  assertEquals(dialects(), ["v1"]);
});

Deno.test("state: a classic member that turns out to speak version 1 is in the file at every moment", () => {
  using folder = openFolder();
  const path = folder.file();
  using opened = openRoom(path);
  opened.room.datagram(A, "GREETING");
  const { exec } = DatabaseSync.prototype;
  const dialects: string[][] = [];
  try {
    DatabaseSync.prototype.exec = function (sql) {
      exec.call(this, sql);
      if (sql !== "COMMIT") return;
      DatabaseSync.prototype.exec = exec;
      const copy = copyAsAfterCrash(path, folder.file(`${dialects.length}.db`));
      dialects.push(readPast(copy).members.map(({ dialect }) => dialect));
    };
    opened.room.join(A);
  } finally {
    DatabaseSync.prototype.exec = exec;
  }
  assertEquals(dialects, [["v1"]]);
});

Deno.test("state: a stream outlives a restart although its member was away, and stays its own", () => {
  using folder = openFolder();
  let token: string;
  {
    using opened = openRoom(folder.file());
    ({ token } = opened.room.join(A));
    opened.room.say(A, token, 1, "once");
    opened.room.pass(61_000);
    assertEquals(opened.room.room.size, 0);
  }
  using opened = openRoom(folder.file());
  const other = opened.room.join(B).token;
  assertEquals(one(opened.room.say(B, other, 2, "not mine"), "ERROR").code, "stream-taken");
  opened.room.move(C, token);
  assertEquals(settledId(opened.room.say(C, token, 1, "once")), 1);
  one(to(opened.room.say(C, token, 2, "and again"), B), "INCOMING");
});

Deno.test("state: the file agrees with the memory about whose a stream is, and how far it is kept", () => {
  using folder = openFolder();
  const [alice, bob] = ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"];
  const { journal, close } = openState(folder.file());
  const append = (token: string, id: number) =>
    journal.append({ type: "INCOMING", from: A, at: 0, stream: STREAM, id, text: "x" }, { key: A, token });
  append(alice, 5);
  append(bob, 9);
  append(alice, 2);
  assertEquals(journal.stream(STREAM), { name: STREAM, owner: alice, lastId: 5, appendedId: 5 });
  close();
  assertEquals(readPast(folder.file()).streams, { [alice]: [STREAM, 5] });
});

Deno.test("state: the streams of members that have left are forgotten after 10,000 others, in the file too", () => {
  using folder = openFolder();
  const { journal, close } = openState(folder.file());
  const owner = (i: number) => i.toString(16).padStart(16, "0");
  const said = (i: number) => {
    const message = { type: "INCOMING", from: A, at: 0, stream: owner(i), id: 1, text: "x" } as const;
    journal.append(message, { key: A, token: owner(i) });
    journal.ownerLeft(owner(i), false);
  };
  for (let i = 0; i < 10_002; i++) said(i);
  close();
  const { streams } = readPast(folder.file());
  assertEquals([0, 1, 2, 10_001].map((i) => owner(i) in streams), [false, false, true, true]);
});

Deno.test("state: a member with a connection is not in the file, since no connection outlives the server", () => {
  using folder = openFolder();
  const TOKEN = "00000000000000aa", TCP = "tcp 127.0.0.1:40009";
  const addresses = (path: string) => readPast(path).members.map(({ address }) => address);
  using opened = openRoom(folder.file());
  const { room } = opened;
  const look = (copy: string) => addresses(copyAsAfterCrash(folder.file(), folder.file(copy)));
  room.join(A);
  room.greet(TCP, { token: TOKEN, name: "Tim" });
  assertEquals(look("1.db"), [A]);
  room.greet(B, { token: TOKEN, cookie: room.cookie(B) });
  assertEquals(look("2.db").toSorted(), [A, B]);
  room.greet(TCP, { token: TOKEN });
  assertEquals(look("3.db"), [A]);
  room.v1(TCP, "LEAVE", { id: 9, token: TOKEN });
  assertEquals(look("4.db"), [A]);
});

Deno.test("state: a member who begins a new stream is kept with the new one", () => {
  using folder = openFolder();
  {
    using opened = openRoom(folder.file());
    const { token } = opened.room.join(A);
    opened.room.say(A, token, 1, "one");
    opened.room.v1(A, "MESSAGE", { token, stream: OTHER_STREAM, id: 7, text: "two" });
  }
  using reopened = openRoom(folder.file());
  assertEquals([STREAM, OTHER_STREAM].map((name) => reopened.state.journal.stream(name)?.lastId), [1, 7]);
});

/** Asserts what is true of every state that a crash leaves: its events are a prefix, and its streams match them. */
function assertPrefix(torn: KeptRoom, whole: KeptRoom, what: string): void {
  const { events, seq, epoch, members, streams } = torn;
  if (seq > 0) assertEquals(epoch, whole.epoch, what);
  assertEquals(seq, events.length, what);
  assertEquals(events, whole.events.slice(0, seq), what);
  for (const { token, address } of members) {
    const said = events.filter((event) => event.type === "INCOMING" && event.from === address && event.stream);
    assertEquals(streams[token]?.[1] ?? 0, said.length, `${what}: the stream of ${address} is where its events are`);
  }
  const speakers = new Set(events.flatMap((event) => event.type === "INCOMING" ? [event.from] : []));
  for (const address of speakers) {
    assert(members.some((member) => member.address === address), `${what}: ${address} spoke and is a member`);
  }
}

// the second is so long that SQLite has moved the log into the file and begun it again in between
for (const messages of [40, 240]) {
  Deno.test(`state: a log torn or damaged anywhere leaves a prefix of the events (${2 * messages} messages)`, () => {
    using folder = openFolder();
    const path = folder.file();
    const random = seededRandom(messages);
    using opened = openRoom(path);
    fillWithMessages(opened, messages);
    const copy = copyAsAfterCrash(path, folder.file("crashed.db"));
    const [file, log] = [Deno.readFileSync(copy), Deno.readFileSync(`${copy}-wal`)];
    const whole = readPast(copy);
    assertGreater(whole.seq, 2 * messages);
    assertPrefix(whole, whole, "whole");

    const lengths = new Set<number>();
    for (let i = 0; i < 60; i++) {
      const at = Math.floor(random() * (log.length + 1));
      const damaged = i % 2 === 0 ? log.slice(0, at) : log.slice();
      if (i % 2 === 1 && at < damaged.length) damaged[at] ^= 1 << Math.floor(8 * random());
      const torn = folder.file(`torn${i}.db`);
      Deno.writeFileSync(torn, file);
      Deno.writeFileSync(`${torn}-wal`, damaged);
      const past = readPast(torn);
      assertPrefix(past, whole, `log ${i % 2 === 0 ? "cut" : "damaged"} at ${at} of ${log.length}`);
      assertEquals(comparable(readPast(torn)), comparable(past), "and it stays like that");
      lengths.add(past.seq);
    }
    assertGreater(lengths.size, 10, "it was torn in different places");
  });
}

Deno.test("state: a log torn while a member moves leaves it at one address", () => {
  using folder = openFolder();
  const path = folder.file();
  using opened = openRoom(path);
  const { token } = opened.room.join(A, "Alice");
  for (let i = 1; i <= 20; i++) opened.room.move(`127.0.0.1:${i}`, token, "Alice");
  const copy = copyAsAfterCrash(path, folder.file("crashed.db"));
  const [file, log] = [Deno.readFileSync(copy), Deno.readFileSync(`${copy}-wal`)];
  // a header of 32 bytes, then frames: a page each, and 24 bytes before it
  const frame = new DataView(log.buffer).getUint32(8) + 24;
  const places = new Set<string>();
  for (let end = 32; end <= log.length; end += frame) {
    const torn = folder.file(`torn${end}.db`);
    Deno.writeFileSync(torn, file);
    Deno.writeFileSync(`${torn}-wal`, log.slice(0, end));
    const { members } = readPast(torn);
    assert(members.length <= 1, members.map(({ address }) => address).join());
    for (const { address } of members) places.add(address);
  }
  assertEquals(places.size, 21, "each place is found in the log");
});

Deno.test("state: a message is synchronised with the disk before it is sent, arrivals and departures are not", () => {
  using folder = openFolder();
  const levels: unknown[] = [];
  const { exec } = DatabaseSync.prototype;
  try {
    DatabaseSync.prototype.exec = function (sql) {
      // the level at a commit: 1 is NORMAL, 2 is FULL
      if (sql === "COMMIT") levels.push(this.prepare("PRAGMA synchronous").get()!.synchronous);
      return exec.call(this, sql);
    };
    using opened = openRoom(folder.file());
    const { token } = opened.room.join(A);
    opened.room.say(A, token, 1, "hello");
    opened.room.v1(A, "LEAVE", { id: 2, token });
  } finally {
    DatabaseSync.prototype.exec = exec;
  }
  assertEquals(levels, [1, 2, 1]);
});

Deno.test("state: a member that begins with the highest possible id does not damage the file", () => {
  using folder = openFolder();
  {
    using opened = openRoom(folder.file());
    const { token } = opened.room.join(A);
    const id = Number.MAX_SAFE_INTEGER;
    opened.room.v1(A, "MESSAGE", { token, stream: STREAM, id, text: "the last" });
    // signing in writes the member's row again
    opened.room.v1(A, "SIGN-IN", { id: 2, token, name: "Alice" });
  }
  const { events, members, streams } = readPast(folder.file());
  assertEquals([events.length, members.length], [1, 1]);
  assertEquals(Object.values(streams), [[STREAM, Number.MAX_SAFE_INTEGER]]);
});

Deno.test("state: a write that fails throws a Failure, which ends the server", () => {
  using folder = openFolder();
  const { room, state } = openRoom(folder.file());
  const { token } = room.join(A, "Alice");
  state.close();
  const pattern = /^The state file .* can't be written \(.*\): the server stops, so that nothing is lost$/;
  for (
    const step of [
      () => room.say(A, token, 1, "hello"),
      () => room.join(B),
      () => room.v1(A, "SIGN-IN", { id: 2, token, name: "Alicia" }),
      () => room.v1(A, "LEAVE", { id: 3, token }),
    ]
  ) {
    assertMatch(assertThrows(step, Failure).message, pattern);
  }
});
