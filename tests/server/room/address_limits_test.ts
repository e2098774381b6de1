/** The limits for all that comes from one IP address: names, requests, and the bytes of classic answers. */
import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { AddressLimits } from "../../../server/room/address_limits.ts";
import { FrugalBucket } from "../../../server/room/frugal_bucket.ts";
import { Ignored } from "../../../server/room/ignored.ts";
import { Limits } from "../../../server/room/limits.ts";
import { Members } from "../../../server/room/members.ts";
import { all, FakeRoom, one, STREAM } from "../../support/fake_room.ts";
import { FakeNetwork } from "../../support/fake_network.ts";
import { peerOf } from "../../support/peer_of.ts";

/** Members with different ports of one IP address, or of one IPv6 network. */
const at = (ip: string, port: number) => `${ip}:${port}`;

const tokenOf = (port: number) => port.toString(16).padStart(16, "0");

/** Signs in from so many ports, and returns how many have got their names. */
function signIn(room: FakeRoom, ip: string, first: number, count: number, prefix = "n"): number {
  const named = room.room.users().total;
  for (let port = first; port < first + count; port++) {
    const token = tokenOf(port);
    const cookie = room.cookie(at(ip, port));
    room.v1(at(ip, port), "SIGN-IN", { id: 2, token, cookie, name: `${prefix}${port}` });
  }
  return room.room.users().total - named;
}

Deno.test("address limits: forged addresses use up nothing of the validated peers", () => {
  const limits = new AddressLimits(), real = { ...peerOf("10.0.0.1:1"), validated: true };
  const count = (peer: typeof real) => {
    let taken = 0;
    while (limits.takeSignInToken(peer, 0)) taken++;
    return taken;
  };
  assertEquals([count(peerOf("10.0.0.1:2")), count(real)], [500, 500]);
});

Deno.test("room: 500 clients behind one NAT sign in at once, further ones 20 a second, and no other address waits", () => {
  const room = new FakeRoom();
  assertEquals(signIn(room, "203.0.113.1", 1, 600), 500);
  assertEquals(signIn(room, "203.0.113.2", 1001, 10), 10);
  room.now += 1000;
  assertEquals(signIn(room, "203.0.113.1", 501, 100), 20, "the same clients ask again");
  room.now += 4000;
  assertEquals(signIn(room, "203.0.113.1", 521, 80), 80);
});

Deno.test("room: one port that asks for names that can't be had takes nothing from the others at its address", () => {
  const room = new FakeRoom();
  room.join("203.0.113.9:1", "Alice");
  const from = at("203.0.113.1", 60_000), token = tokenOf(60_000);
  const wanted = ["Alice", "\u0410lice", "Server", "10.0.0.1"];
  const ask = (name: string) => room.v1(from, "SIGN-IN", { id: 2, token, cookie: room.cookie(from), name });
  const codes = Array.from({ length: 1000 }, (_, i) => all(ask(wanted[i % 4]), "ERROR").map(({ code }) => code)).flat();
  assertEquals(codes.slice(0, 4), ["name-taken", "name-taken", "bad-name", "bad-name"]);
  assertEquals(codes.length, 10, "ten at once");
  room.now += 3000;
  assertEquals(Array.from({ length: 20 }, () => ask("Alice").length).filter(Boolean).length, 3, "then one a second");
  room.now += 1000;
  assertEquals(signIn(room, "203.0.113.1", 1, 500), 500);
});

Deno.test("room: 600 ports that ask for a name that is taken take no turn from the others at their address", () => {
  const room = new FakeRoom();
  room.join("203.0.113.9:1", "Alice");
  for (let port = 1; port <= 600; port++) {
    const from = at("203.0.113.1", port), cookie = room.cookie(from);
    const error = one(room.v1(from, "SIGN-IN", { id: 2, token: tokenOf(port), cookie, name: "Alice" }), "ERROR");
    assertEquals(error.code, "name-taken");
  }
  assertEquals(signIn(room, "203.0.113.1", 601, 1), 1);
});

Deno.test("room: one port that asks for ever new names leaves the others at its address theirs", () => {
  const room = new FakeRoom();
  const from = at("203.0.113.1", 60_000);
  for (let i = 0; i < 450; i++) {
    const token = tokenOf(70_000 + i);
    room.v1(from, "SIGN-IN", { id: 2, token, cookie: room.cookie(from), name: `x${i}` });
  }
  assertEquals(signIn(room, "203.0.113.1", 1, 500), 490);
});

Deno.test("room: 500 who sign in with one address within 5 s are let in, each at its first try", () => {
  const room = new FakeRoom();
  for (let second = 0; second < 5; second++) {
    assertEquals(signIn(room, "203.0.113.1", 1 + 100 * second, 100), 100);
    room.now += 1000;
  }
});

Deno.test("room: who waits for its turn to sign in is told once why, not that there is no server, and gets in", () => {
  const network = new FakeNetwork();
  let port = 0;
  const signIn = () => {
    const token = tokenOf(++port);
    const packet = { dialect: "v1", type: "SIGN-IN", id: 1, token, name: `n${port}` } as const;
    network.room!.receive(packet, peerOf(`tcp ${at("203.0.113.1", port)}`), network.now, 100);
  };
  /** The others take each turn as soon as there is one. */
  const crowd = (ms: number) => {
    for (; ms > 0; ms--) {
      signIn();
      network.pass(1);
    }
  };
  for (let i = 0; i < 500; i++) signIn();
  crowd(20);
  const alice = network.connect({ name: "Alice", key: "203.0.113.1:60000" });
  crowd(4000);
  assertEquals(alice.notices, ["Too many sign in from your IP address at once. Trying again"]);
  assertEquals(alice.session.state, "joining");
  assert(network.passUntil(() => alice.session.state === "joined", 3000) !== undefined);
  assertEquals(alice.notices.slice(1), ["Joined as Alice"]);
});

Deno.test("room: who has a name keeps it and may change it, however many sign in from its address", () => {
  const room = new FakeRoom();
  const alice = room.join("10.0.0.1:60000", "Alice");
  signIn(room, "10.0.0.1", 1, 600);
  const from = "10.0.0.1:60000", { token } = alice;
  assertEquals(one(room.v1(from, "SIGN-IN", { id: 3, token, name: "Alice" }), "WELCOME").name, "Alice");
  assertEquals(one(room.v1(from, "SIGN-IN", { id: 4, token, name: "Alicia" }), "WELCOME").name, "Alicia");
});

Deno.test("room: one address has at most 1,000 names at a time, and a name that is free again makes room", () => {
  for (const ip of ["127.0.0.1", "[2001:db8::1]"]) {
    const room = new FakeRoom();
    signIn(room, ip, 1, 500);
    for (let first = 501; first < 1101; first += 100) {
      room.now += 5000;
      signIn(room, ip, first, 100);
    }
    assertEquals(room.room.users().total, 1000, ip);
    room.now += 1000;
    const { code, text } = room.refused(at(ip, 5000), "late");
    assertEquals([code, text], ["room-full", "Too many names from your address"]);
    // from another address, and without a name, one may still come
    assertEquals(room.join("203.0.113.9:1", "other").name, "other");
    const { token, name } = room.join(at(ip, 5001));
    assertEquals([name, room.room.size], [undefined, 1002]);
    // of those that have moved the new address has the names
    assertEquals(room.move("203.0.113.9:2", tokenOf(1), "n1").name, "n1");
    assertEquals(one(room.v1(at(ip, 5001), "SIGN-IN", { id: 3, token, name: "late" }), "WELCOME").name, "late");
  }
});

Deno.test("room: classic members with one address have at most 1,000 names, apart from those in version 1", () => {
  const room = new FakeRoom();
  assertEquals(signIn(room, "127.0.0.1", 1, 10), 10);
  const answers: string[] = [];
  for (let port = 2001; port <= 3002; port++) {
    if (port > 2500) room.now += 50;
    const [answer] = room.datagram(at("127.0.0.1", port), `SIGN-IN c${port}`);
    if (answer.packet.type === "INCOMING" && answer.packet.dialect === "classic") answers.push(answer.packet.line);
  }
  assertEquals(answers.slice(-3), [
    "Signed in as c3000",
    "Too many names from your address",
    "Too many names from your address",
  ]);
  assertEquals(room.room.users().total, 1010);
});

Deno.test("room: a victim whose ports are forged gets 16,000 bytes of classic answers, then 2,000 a second", () => {
  const room = new FakeRoom();
  for (let i = 1; i <= 200; i++) room.join(`10.1.0.${i}:1`, `Student_${i}`);
  let port = 0;
  const flood = (packets: number) => {
    let bytes = 0;
    for (let i = 0; i < packets; i++) {
      const from = at("10.0.0.1", 1 + port++ % 400);
      for (const word of ["GREETING", "LIST", "SIGN-IN x y"]) {
        for (const { packet } of room.datagram(from, word)) {
          if (packet.type === "INCOMING") {
            bytes += 9 + new TextEncoder().encode((packet as { line: string }).line).length;
          }
          if (packet.type === "USERS") bytes += 9 + packet.names.join(", ").length;
        }
      }
    }
    return bytes;
  };
  const first = flood(400);
  assertLessOrEqual(first, 16_000);
  assertGreaterOrEqual(first, 13_000);
  room.now += 1000;
  const second = flood(400);
  assertLessOrEqual(second, 2100);
  assertGreaterOrEqual(second, 700);
  // another address is answered
  assertEquals(room.datagram("10.0.0.2:1", "SIGN-IN Bob").length, 1);
});

Deno.test("room: repeats of messages and renames take the tokens of requests", () => {
  const room = new FakeRoom(), from = "10.0.0.1:1";
  const { token } = room.join(from, "Alice");
  room.say(from, token, 1, "hello");
  let answers = 0;
  for (let i = 0; i < 1500; i++) answers += room.say(from, token, 1, "hello").length;
  assertEquals(answers, 1000);
  assertEquals(room.v1(from, "SIGN-IN", { id: 3, token, name: "Alicia" }), []);
  // a message that is new needs none of them, and a keep-alive does not either
  assertEquals(all(room.say(from, token, 2, "again"), "INCOMING").length, 1);
  assertEquals(one(room.v1(from, "SIGN-IN", { id: 4, token, name: "Alice" }), "WELCOME").name, "Alice");
  room.now += 100;
  const renamed = Array.from({ length: 100 }, (_, i) => {
    return room.v1(from, "SIGN-IN", { id: 5, token, name: `Alice${i}` }).length;
  });
  assertEquals(renamed.reduce((sum, count) => sum + count), 50);
});

Deno.test("room: a message in the stream of another, and a RESEND for an epoch that is over, cost a token each", () => {
  const room = new FakeRoom(), from = "10.0.0.1:1";
  const other = room.join("10.0.0.2:1");
  room.say("10.0.0.2:1", other.token, 1, "mine");
  const { token } = room.join(from);
  let answers = 0;
  for (let i = 0; i < 400; i++) {
    answers += room.v1(from, "RESEND", { token, epoch: "0".repeat(16), from: 1, to: 2 }).length;
    answers += all(room.say(from, token, 1, "theirs", STREAM), "ERROR").length;
    answers += room.v1(from, "LIST", { id: 1, token }).length;
  }
  assertEquals(answers, 1000);
});

/** Members with one IP address that ask for all they can, and one that asks 15 times; returns its answers and theirs. */
function askBesideLoopers(loopers: number): { answers: number; looped: number } {
  const room = new FakeRoom({ maxMembers: 1000 }), honest = at("10.0.0.1", 60_000);
  const from = Array.from({ length: loopers }, (_, i) => at("10.0.0.1", i + 1));
  const tokens = new Map([...from, honest].map((key) => [key, room.join(key).token]));
  const { epoch } = room.join("10.0.0.2:1");
  room.settle();
  for (let id = 1; id <= 10; id++) room.say(honest, tokens.get(honest)!, id, `${id}`);
  let looped = 0, answers = 0;
  const loop = (key: string) => {
    const token = tokens.get(key)!;
    looped += room.v1(key, "RESEND", { token, epoch, from: 1, to: 10 }).length;
    looped += room.v1(key, "LIST", { id: 1, token }).length;
  };
  // they go on for 2 s before it asks, then it asks once a second
  for (let ms = 0; ms < 17_000; ms += 20) {
    room.pass(20);
    for (const key of from) for (let i = 0; i < 3; i++) loop(key);
    if (ms < 2000 || ms % 1000 !== 0) continue;
    answers += room.v1(honest, "LIST", { id: 7, token: tokens.get(honest)! }).length;
  }
  return { answers, looped };
}

Deno.test("room: who asks for little is answered beside others with its IP address that ask for all they can", () => {
  for (const loopers of [14, 100]) {
    const { answers, looped } = askBesideLoopers(loopers);
    assertEquals(answers, 15, `${loopers} who ask for all they can`);
    // ten times what one may ask for, and at first the reserve
    assertGreaterOrEqual(looped, 10_000 + 17 * 5000 - 1000);
    assertLessOrEqual(looped, 10_000 + 17 * 5000 + Math.min(3000, 20 * loopers));
  }
});

Deno.test("room: members with one IP address that ask for little get at most the reserve, however many they are", () => {
  const limits = new Limits({ rate: 0, burst: 0 }, new Ignored()), members = new Members();
  const crowd = Array.from({ length: 1000 }, (_, i) => {
    const peer = { ...peerOf(at("10.0.0.1", i + 1)), validated: true };
    return members.add({ peer, dialect: "v1", token: tokenOf(i + 1) }, 0, 0);
  });
  const ask = (now: number, times: number) => {
    let taken = 0;
    for (let i = 0; i < times; i++) for (const member of crowd) if (limits.takeRequestTokens(member, 1, now)) taken++;
    return taken;
  };
  assertEquals(ask(0, 15), 10_000 + 1000);
  assertEquals(ask(1000, 1), 1000, "of what all may ask for");
  assertEquals(ask(1000, 4), 4000);
  assertEquals(ask(1000, 1), 1000, "of the reserve");
  assertEquals(ask(1000, 1), 0);
});

Deno.test("frugal bucket: who asks five times a second gets all, who asks ever more gets nothing, and it may recover", () => {
  const bucket = new FrugalBucket(0);
  const ask = (from: number, to: number, every: number, cost = 1) => {
    let taken = 0;
    for (let now = from; now < to; now += every) if (bucket.take(now, cost)) taken++;
    return taken;
  };
  assertEquals(ask(0, 60_000, 200), 300);
  assertEquals(ask(60_000, 61_000, 1), 20);
  assertEquals(ask(61_000, 70_000, 100), 0);
  assertEquals(ask(70_000, 71_000, 250), 3);
  // a request that costs more than it can hold takes all
  assertEquals(ask(80_000, 90_000, 1000, 128), 1 + 1);
});

Deno.test("room: all members with one IP address ask for ten times as much as one, and the reserve", () => {
  const room = new FakeRoom();
  const members = Array.from({ length: 20 }, (_, i) => at("10.0.0.1", i + 1));
  const tokens = new Map(members.map((from) => [from, room.join(from).token]));
  const ask = (from: string) => room.v1(from, "LIST", { id: 1, token: tokens.get(from)! }).length;
  let answers = 0;
  for (let i = 0; i < 1000; i++) for (const from of members) answers += ask(from);
  // each is let have its 20 of the reserve before it is known that it asks for much
  assertEquals(answers, 10_000 + 20 * 20);
  // one that is over its own limit takes nothing from the others
  room.now += 1000;
  let alone = 0;
  for (let i = 0; i < 6000; i++) alone += ask(members[0]);
  assertEquals(alone, 500);
  assert(ask(members[19]) === 1);
});
