/** Passwords over connections: taken only where the server was told to, one after the other, and never shown. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { visibleLine } from "../../../protocol/visible_bytes.ts";
import { MemoryAccounts } from "../../../server/room/accounts.ts";
import { MAX_NAMES_PER_ADDRESS } from "../../../server/room/address_limits.ts";
import { Limits } from "../../../server/room/limits.ts";
import { Members } from "../../../server/room/members.ts";
import { accountOf, quickDerive, signInWith } from "../../support/accounts.ts";
import { textOf } from "../../support/fake_delivery.ts";
import { FakeRoom, type FakeRoomOptions, one, to } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

const PASSWORD = "correct horse", A = "tcp 192.0.2.1:40001", B = "tcp 192.0.2.2:40002";

/** A room in which Alice is registered, and which takes passwords over connections. */
function newRoom(options: FakeRoomOptions = {}) {
  const accounts = new MemoryAccounts([accountOf("Alice", PASSWORD)]);
  const room = new FakeRoom({ accounts, plainPasswords: true, ...options });
  /** Hands a line over, and returns what is answered to it. */
  const type = (line: string, from = A): string => {
    room.room.receiveLine(line, peerOf(from), room.now);
    return answers(from);
  };
  const answers = (from = A): string =>
    to(room.delivery.take(), from).map((sent) => textOf(sent).replace(/^INCOMING /, "").trim()).join("|");
  const connect = (from = A) => room.room.connected(peerOf(from), room.now);
  /** Hashes the password that waits first; returns what it was. */
  const derive = (): string | undefined => {
    const derivation = room.derivations.shift();
    if (derivation) room.room.derived(quickDerive(derivation), room.now);
    return derivation?.password;
  };
  return { room, accounts, type, answers, connect, derive };
}

Deno.test("/login: the right password gives the name, and what is said behind it waits for it", () => {
  const { room, type, answers, connect, derive } = newRoom();
  connect();
  connect(B);
  assertEquals(type(`/login Alice ${PASSWORD}`), "");
  assert(room.room.receiveLine("hello", peerOf(A), room.now) > 0);
  assertEquals(derive(), PASSWORD);
  assertEquals(answers(), "Signed in as Alice");
  assertEquals(room.room.receiveLine("hello", peerOf(A), room.now), 0);
  assertMatch(answers(B), /<From 192\.0\.2\.1:40001:Alice>: hello/);
  assertMatch(type("/whois alice", B), /^Alice is at 192\.0\.2\.1:40001, registered$/);
});

Deno.test("/login: a wrong password and an unknown name take as long and read the same; nothing is quoted", () => {
  const { type, answers, connect, derive } = newRoom();
  connect();
  for (const name of ["Alice", "Mallory"]) {
    assertEquals(type(`/login ${name} battery staple`), "");
    assertEquals(derive(), "battery staple");
    assertEquals(answers(), `That is not the password of ${name}`);
  }
  assertEquals(type("/login Alice"), "/login takes NAME PASSWORD");
});

Deno.test("/login: one password is hashed at a time, two wait of one address, and nobody's are hashed who is slowed", () => {
  const { room, type, answers, connect, derive } = newRoom();
  const ports = [1, 2, 3].map((port) => `tcp 192.0.2.1:${port}`);
  for (const from of [...ports, B]) connect(from);
  assertEquals([...ports, B].map((from) => type(`/login Alice wrong password`, from)), [
    "",
    "",
    "Too many log in at once: try again in a few seconds",
    "",
  ]);
  assertEquals(room.derivations.length, 1);
  for (let i = 0; i < 3; i++) {
    assertEquals(room.derivations.length, 1);
    derive();
  }
  assertEquals(answers(B), "That is not the password of Alice");
  let looked = 3;
  while (type("/login Alice wrong password", B) === "") {
    derive();
    answers(B);
    looked++;
  }
  assertEquals(looked, 7);
});

Deno.test("/login: however many wait, the terminal's password is hashed next", () => {
  const { room, type, connect, answers, derive } = newRoom();
  for (let i = 0; i < 20; i++) {
    connect(`tcp 192.0.2.${i}:1`);
    type(`/login Bob${i} wrong password`, `tcp 192.0.2.${i}:1`);
  }
  assertEquals(answers("tcp 192.0.2.19:1"), "");
  for (const name of ["Carol", "Dora"]) {
    assertEquals(room.room.order(`account add ${name}`, room.now).text, `Making an account for ${name} …`);
  }
  assertEquals(
    room.room.order("account add Emil", room.now).text,
    "The last ones are not done yet: try again in a second",
  );
  // the one that is under way
  assertEquals(derive(), "wrong password");
  for (const _ of "12") assertMatch(derive()!, /^\w+-\w+-\w+$/);
  assertEquals(derive(), "wrong password");
});

Deno.test("/login: one that is mistyped is said to nobody, and what only looks like one is", () => {
  const { room, connect } = newRoom();
  connect();
  connect(B);
  room.settle();
  /** What is sent when the first one types a line: to whom, and the text. */
  const heard = (line: string) => {
    room.room.receiveLine(line, peerOf(A), room.now);
    return room.delivery.take().map((sent) => `${sent.to} ${textOf(sent).trim()}`).join("|");
  };
  const hint = "Said to nobody, since it may have a password in it: /login NAME PASSWORD begins with one slash";
  for (const before of ["", "//", " //", "\x00/", "\x1b[A/", "\u200b", "\\", "MESSAGE ", "MESSAGE: /", "/me "]) {
    assertEquals(heard(`${before}login Alice ${PASSWORD}`), `${A} ${hint}`, before);
  }
  for (const text of ["login", "login Alice", "my login is Alice too", "logins are hard to type"]) {
    assertMatch(heard(text), new RegExp(`192.0.2.2:40002 .*${text}`), text);
  }
  const none = newRoom({ plainPasswords: false });
  none.connect();
  none.connect(B);
  none.room.room.receiveLine("login is not needed here", peerOf(A), none.room.now);
  assertMatch(none.answers(B), /login is not needed here$/);
});

Deno.test("/login: whoever hangs up meanwhile gets nothing; an account that is gone lets nobody in", () => {
  const { room, accounts, type, answers, connect, derive } = newRoom();
  connect();
  type(`/login Alice ${PASSWORD}`);
  room.room.hungUp(peerOf(A), room.now);
  derive();
  assertEquals([answers(), room.room.size], ["", 0]);
  connect();
  type(`/login Alice ${PASSWORD}`);
  accounts.remove("Alice");
  derive();
  assertEquals(answers(), "That is not the password of Alice");
});

Deno.test("/login: it takes the name from another member, and gives it to one that proves it in version 1", () => {
  const { room, type, connect, derive } = newRoom();
  connect();
  connect(B);
  type(`/login Alice ${PASSWORD}`);
  derive();
  room.delivery.take();
  type(`/login Alice ${PASSWORD}`, B);
  derive();
  const sent = room.delivery.take().map((it) => `${it.to} ${textOf(it)}`).join("|");
  assertMatch(sent, /192\.0\.2\.1:40001 !! Somebody has signed in elsewhere/);
  assertMatch(sent, /192\.0\.2\.2:40002 Signed in as Alice/);
  const v1 = { room, from: "192.0.2.3:3", token: "00000000000000aa", name: "Alice", password: PASSWORD };
  assertEquals(one(signInWith(v1), "WELCOME").name, "Alice");
  assertEquals(room.room.size, 1);
});

Deno.test("/login: without --plain-passwords it is refused in words, and help does not list it", () => {
  const { type, connect } = newRoom({ plainPasswords: false });
  connect();
  const refusal = "This server takes no password here, where others on the way can read it: use the udp-chat client";
  assertEquals(type(`/login Alice ${PASSWORD}`), refusal);
  assertEquals(type("/help").includes("/login"), false);
  const other = newRoom();
  other.connect();
  assertMatch(other.type("/help"), /\/login NAME PASSWORD {2}signs in with a registered name/);
});

Deno.test("/login: over UDP it is said to nobody, and no trace shows the password", () => {
  const { room } = newRoom();
  const from = "10.0.0.9:9";
  room.datagram(from, "GREETING");
  const sent = room.datagram(from, `/login Alice ${PASSWORD}`).map(textOf).join("|");
  assertMatch(sent, /^INCOMING Nobody got this: there is no \/login over UDP/);
  for (const line of [`/login Alice ${PASSWORD}`, `login Alice ${PASSWORD}`, ` /LOGIN Alice ${PASSWORD}`]) {
    assertEquals(/Alice|correct|horse/.test(visibleLine(line)), false, visibleLine(line));
  }
});

Deno.test("members only: a connection hears and says nothing until it has logged in", () => {
  const { room, type, answers, connect, derive } = newRoom({ membersOnly: true });
  const v1 = { room, from: "192.0.2.3:3", token: "00000000000000aa", name: "Alice", password: PASSWORD };
  one(signInWith(v1), "WELCOME");
  assertEquals([connect(), connect(B), room.room.size], [true, true, 1]);
  room.settle();
  assertEquals(answers(), "");
  const hint = "Log in first: /login NAME PASSWORD (others on the way can read the password)";
  assertEquals([type("hello"), type("/list")], [hint, hint]);
  room.say(v1.from, v1.token, 1, "a secret");
  assertEquals(answers(), "");
  type(`/login Alice ${PASSWORD}`);
  // it waits, too
  assert(room.room.receiveLine("hello", peerOf(A), room.now) > 0);
  derive();
  assertEquals(answers(), "Signed in as Alice");
  assertEquals([room.room.size, room.room.users().names], [1, ["Alice"]]);
  // who goes on without is slowed down, and forgotten when it hangs up
  let pause = 0;
  for (let i = 0; i < 11; i++) pause = room.room.receiveLine("hello", peerOf(B), room.now);
  assert(pause > 0);
  room.delivery.take();
  room.room.hungUp(peerOf(B), room.now);
  assertEquals([type("hello", B), room.room.statistics.ignored["not-joined"]], ["", 1]);
});

Deno.test("members only: without --plain-passwords connections are closed, and classic programs told why", () => {
  const { room, connect, answers } = newRoom({
    membersOnly: true,
    plainPasswords: false,
    classic: { accountsOnly: true },
  });
  assertEquals(connect(), false);
  const line = "This server lets in only who has an account, and only by the udp-chat client";
  assertEquals(answers(), line);
  assertEquals(room.datagram("10.0.0.1:9", "GREETING").map(textOf).map((text) => text.trim()), [`INCOMING ${line}`]);
  assertEquals([room.room.size, room.room.statistics.ignored["refused-classic"]], [0, 1]);
  // an address may be forged, so there are few such lines for all
  let told = 0;
  for (let i = 0; i < 1000; i++) told += room.datagram(`10.0.0.1:${i + 1}`, "GREETING").length;
  assertEquals(told, 19);
});

Deno.test("members only: of the members of an earlier run those stay who have an account", () => {
  const kept = { dialect: "v1", since: 1 } as const;
  const { room } = newRoom({
    membersOnly: true,
    members: [
      { ...kept, address: "192.0.2.1:1", token: "00000000000000aa", name: "Alice" },
      { ...kept, address: "192.0.2.1:2", token: "00000000000000bb", name: "Bob" },
      { ...kept, address: "192.0.2.1:3", token: "00000000000000cc", name: undefined },
    ],
  });
  assertEquals([room.room.size, room.room.users().names], [1, ["Alice"]]);
});

Deno.test("/login: while the room is locked a connection may wait to log in, and only an operator gets in", () => {
  const { room, accounts, type, answers, connect, derive } = newRoom();
  accounts.put(accountOf("Olga", PASSWORD, true));
  room.room.order("lock", room.now);
  assertEquals([connect(), connect(B), room.room.size], [true, true, 0]);
  const hint = "!! The room is locked: nobody new may come in now; an operator types /login NAME PASSWORD " +
    "(others on the way can read the password)";
  assertEquals(answers(), hint);
  assertEquals([type("hello"), type("/list"), room.room.size], [hint, hint, 0]);
  type(`/login Alice ${PASSWORD}`);
  derive();
  assertEquals([answers(), room.room.size], ["!! The room is locked: nobody new may come in now", 0]);
  type(`/login Olga ${PASSWORD}`, B);
  derive();
  assertEquals([answers(B), room.room.users().names], ["Signed in as Olga", ["Olga"]]);
  room.room.receiveLine("/unlock", peerOf(B), room.now);
  room.pass(2000);
  assertEquals(type("/name Carl"), "Signed in as Carl");
  // without --plain-passwords it is closed as ever
  const other = newRoom({ plainPasswords: false });
  other.room.room.order("lock", other.room.now);
  assertEquals([other.connect(), other.answers()], [false, "!! The room is locked: nobody new may come in now"]);
});

Deno.test("members only: a right /login does not pass a ban or the lock, and is answered to its own connection alone", () => {
  const { room, accounts, type, answers, connect, derive } = newRoom({ membersOnly: true });
  accounts.put(accountOf("Olga", PASSWORD, true));
  connect();
  const logIn = (name: string) => {
    assertEquals(type(`/login ${name} ${PASSWORD}`), "");
    derive();
    return answers();
  };
  room.room.order("ban Alice", room.now);
  assertEquals(logIn("Alice"), "!! The name Alice is banned until an operator ends it");
  room.room.order("unban Alice", room.now);
  room.room.order("lock", room.now);
  assertEquals([logIn("Alice"), room.room.size], ["!! The room is locked: nobody new may come in now", 0]);
  assertEquals(logIn("Olga"), "Signed in as Olga");
  room.room.order("unlock", room.now);
  room.delivery.take();
  // one hangs up, and another one has its address by the time the password is hashed
  connect(B);
  assertEquals(type(`/login Alice ${PASSWORD}`, B), "");
  room.room.hungUp(peerOf(B), room.now);
  connect(B);
  derive();
  assertEquals([answers(B), room.room.users().names], ["", ["Olga"]]);
  assertMatch(type("hello", B), /^Log in first/);
});

Deno.test("members only: who logs in where many have signed in gets in with the name, or reads why not and stays outside", () => {
  for (const isLocked of [false, true]) {
    const { room, accounts, type, answers, connect, derive } = newRoom({ membersOnly: !isLocked });
    const names = ["Olga", "Otto"];
    for (const name of names) accounts.put(accountOf(name, PASSWORD, true));
    const logIn = (name: string, from: string) => {
      assertEquals(type(`/login ${name} ${PASSWORD}`, from), "");
      derive();
      return answers(from);
    };
    const { takeSignInToken } = Limits.prototype, { namesAt } = Members.prototype;
    if (isLocked) room.room.order("lock", room.now);
    connect(A);
    connect(B);
    answers();
    try {
      Limits.prototype.takeSignInToken = () => false;
      assertEquals(logIn("Olga", A), "Signed in as Olga");
      Members.prototype.namesAt = () => MAX_NAMES_PER_ADDRESS;
      assertEquals(logIn("Otto", B), "Too many names from your address");
    } finally {
      Object.assign(Limits.prototype, { takeSignInToken });
      Object.assign(Members.prototype, { namesAt });
    }
    assertEquals(room.room.size, 1);
    assertEquals(logIn("Otto", B), "Signed in as Otto");
  }
});

Deno.test("/login: when the lock ends, those who wait are in, and are told", () => {
  const { room, type, answers, connect } = newRoom();
  room.room.order("lock", room.now);
  connect();
  connect(B);
  room.room.order("ban 192.0.2.2", room.now);
  answers();
  room.room.order("unlock", room.now);
  const sent = room.delivery.take();
  const read = (from: string) => to(sent, from).map((one) => textOf(one).trim());
  assertEquals(read(A).at(-1), "The room is unlocked");
  assertEquals(read(B).at(-1), "!! Your IP address is banned until an operator ends it");
  assertEquals(room.room.size, 1);
  assertEquals(type("/name Tom"), "Signed in as Tom");
  // one whose password is looked at just then comes in too
  const busy = newRoom();
  busy.room.room.order("lock", busy.room.now);
  busy.connect();
  busy.type("/login Alice wrong password");
  busy.room.room.order("unlock", busy.room.now);
  busy.answers();
  busy.derive();
  assertEquals(busy.answers(), "That is not the password of Alice|The room is unlocked");
  // those who have to log in wait on
  const other = newRoom({ membersOnly: true });
  other.room.room.order("lock", other.room.now);
  other.connect();
  other.answers();
  other.room.room.order("unlock", other.room.now);
  assertEquals([other.answers(), other.room.room.size], ["", 0]);
});
