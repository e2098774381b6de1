/** Names that are asked for elsewhere, and whose answer may come later. */
import { assertEquals } from "@std/assert";
import type { KeptMember } from "../../../server/journal/past.ts";
import { textOf } from "../../support/fake_delivery.ts";
import { FakeNames } from "../../support/fake_names.ts";
import { FakeRoom, one, outline, to } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

const A = "127.0.0.1:40001", B = "127.0.0.1:40002", C = "[::1]:40003";
const TOKEN = "00000000000000aa", OTHER = "00000000000000bb";

/** A room whose names answer when the test calls `answer`. */
function late(options: ConstructorParameters<typeof FakeRoom>[0] = {}) {
  const names = new FakeNames({ isLate: true });
  const room = new FakeRoom({ ...options, names });
  const answer = () => {
    room.room.claimed(...names.answer()!, room.now);
    return room.delivery.take();
  };
  /** A SIGN-IN with the cookie of the address. */
  const signIn = (from: string, token: string, name: string, id = 2) => {
    const cookie = room.cookie(from);
    return room.v1(from, "SIGN-IN", { id, token, cookie, name });
  };
  const holders = () => Object.fromEntries(names.holders);
  return { room, names, answer, signIn, holders };
}

Deno.test("names: a SIGN-IN is answered when the names have answered, and the newcomer joins then", () => {
  const { room, answer, signIn, holders } = late();
  assertEquals([signIn(A, TOKEN, "Alice"), room.room.size], [[], 0]);
  const welcome = one(answer(), "WELCOME");
  assertEquals([welcome.name, welcome.id, room.room.size], ["Alice", 2, 1]);
  assertEquals(holders(), { alice: TOKEN });
});

Deno.test("names: of repeated packets the latest is answered, and the names are asked once", () => {
  const { room, names, answer, signIn } = late();
  signIn(A, TOKEN, "Alice");
  const cookie = room.cookie(A);
  for (const id of [3, 4, 5]) assertEquals(room.v1(A, "SIGN-IN", { id, token: TOKEN, cookie, name: "Alice" }), []);
  assertEquals(names.waiting.length, 1);
  assertEquals(one(answer(), "WELCOME").id, 5);
});

Deno.test("names: whoever has not shown its cookie costs no question", () => {
  const { room, names } = late();
  for (const token of [undefined, TOKEN]) {
    one(room.v1(A, "SIGN-IN", { id: 1, token, name: "Alice" }), "RETRY");
  }
  assertEquals(names.waiting, []);
});

Deno.test("names: a refusal is an ERROR; the newcomer has not joined, a member keeps its name", () => {
  const { room, names, answer, signIn, holders } = late();
  names.holders.set("alice", "somebody at another server");
  signIn(A, TOKEN, "Alice");
  const refusal = one(answer(), "ERROR");
  assertEquals([refusal.code, refusal.id, room.room.size], ["name-taken", 2, 0]);
  signIn(A, TOKEN, "Bob");
  answer();
  assertEquals(room.v1(A, "SIGN-IN", { id: 9, token: TOKEN, name: "ALICE" }), []);
  assertEquals(one(answer(), "ERROR").code, "name-taken");
  assertEquals([room.room.users().names, holders().bob], [["Bob"], TOKEN]);
});

Deno.test("names: a keep-alive with the present name asks for nothing", () => {
  const { room, names, answer, signIn } = late();
  signIn(A, TOKEN, "Alice");
  answer();
  assertEquals(one(room.v1(A, "SIGN-IN", { id: 3, token: TOKEN, name: "Alice" }), "WELCOME").name, "Alice");
  assertEquals(names.waiting, []);
});

Deno.test("names: a name is given back when its member leaves, takes another, or was not let in", () => {
  const { room, answer, signIn, holders } = late({ maxMembers: 1 });
  signIn(A, TOKEN, "Alice");
  answer();
  room.v1(A, "SIGN-IN", { id: 3, token: TOKEN, name: "Alicia" });
  answer();
  assertEquals(holders(), { alicia: TOKEN });
  room.v1(A, "SIGN-IN", { id: 4, token: TOKEN, name: "ALICIA" });
  answer();
  assertEquals([holders(), room.room.users().names], [{ alicia: TOKEN }, ["ALICIA"]]);
  room.v1(A, "LEAVE", { id: 5, token: TOKEN });
  assertEquals(holders(), {});
  // Bob asks first, and then the last place is gone
  signIn(B, OTHER, "Bob");
  room.join(C);
  assertEquals(one(answer(), "ERROR").code, "room-full");
  assertEquals([holders(), room.room.size], [{}, 1]);
});

Deno.test("names: a name that is granted to a member that has left is given back", () => {
  const { room, answer, signIn, holders } = late();
  for (const pause of [0, 6000]) {
    signIn(A, TOKEN, "Alice");
    room.v1(A, "LEAVE", { id: 3, token: TOKEN });
    room.pass(pause);
    assertEquals(answer(), []);
    assertEquals([holders(), room.room.size], [{}, 0], `${pause} ms after the goodbye`);
  }
});

Deno.test("names: a late answer does not let in, or move, whoever's connection has ended", () => {
  const { room, answer, holders } = late();
  const signIn = (from: string, name: string) => room.v1(from, "SIGN-IN", { id: 1, token: TOKEN, name });
  const [first, second] = ["tcp 10.0.0.1:1", "tcp 10.0.0.1:2"];
  signIn(first, "Alice");
  room.room.hungUp(peerOf(first), room.now);
  assertEquals([answer(), holders(), room.room.size], [[], {}, 0]);
  signIn(first, "Alice");
  answer();
  signIn(second, "Alicia");
  room.room.hungUp(peerOf(second), room.now);
  assertEquals([answer(), holders(), room.room.users().names], [[], { alice: TOKEN }, ["Alice"]]);
  assertEquals(outline(room.say(first, TOKEN, 1, "still here")), [`${first} INCOMING`]);
});

Deno.test("names: a question without an answer is asked again after 5 s, when the client repeats its wish", () => {
  const { room, names, answer, signIn } = late();
  signIn(A, TOKEN, "Alice");
  names.waiting.length = 0;
  room.pass(4999);
  signIn(A, TOKEN, "Alice");
  assertEquals(names.waiting, []);
  room.pass(1);
  signIn(A, TOKEN, "Alice", 7);
  assertEquals(one(answer(), "WELCOME").id, 7);
});

Deno.test("names: a member's wishes are limited like all that it asks for; its keep-alives are not", () => {
  const { room, names, answer, signIn } = late();
  signIn(A, TOKEN, "Alice");
  answer();
  names.isLate = false;
  let answers = 0;
  for (let i = 0; i < 1200; i++) answers += room.v1(A, "SIGN-IN", { id: i, token: TOKEN, name: `n${i}` }).length;
  assertEquals(answers, 1000);
  assertEquals(one(room.v1(A, "SIGN-IN", { id: 1, token: TOKEN, name: "n4" }), "WELCOME").name, "n4");
});

Deno.test("names: a member of an earlier run claims its name again, and goes without it when it is another's", () => {
  const names = new FakeNames();
  names.holders.set("bob", "somebody at another server");
  const member = (address: string, token: string, name: string): KeptMember => {
    return { address, dialect: "v1", token, name, since: 1 };
  };
  const room = new FakeRoom({ names, members: [member(A, TOKEN, "Alice"), member(B, OTHER, "Bob")] });
  assertEquals([room.room.users().names, names.holders.get("alice")], [["Alice"], TOKEN]);
});

Deno.test("names: the last name that was asked for is the one that counts", () => {
  const { room, answer, signIn, holders } = late();
  signIn(A, TOKEN, "Alice");
  signIn(A, TOKEN, "Alicia", 3);
  assertEquals(answer(), [], "the answer for Alice is out of date");
  assertEquals(one(answer(), "WELCOME").name, "Alicia");
  assertEquals(holders(), { alicia: TOKEN });
  // a member that thinks better of it keeps the name that it has
  room.v1(A, "SIGN-IN", { id: 4, token: TOKEN, name: "Bob" });
  assertEquals(one(room.v1(A, "SIGN-IN", { id: 5, token: TOKEN, name: "Alicia" }), "WELCOME").name, "Alicia");
  assertEquals([answer(), holders(), room.room.users().names], [[], { alicia: TOKEN }, ["Alicia"]]);
});

Deno.test("names: a member that moves and asks for a new name does both when the answer is there", () => {
  const { room, answer, signIn } = late();
  signIn(A, TOKEN, "Alice");
  answer();
  signIn(B, TOKEN, "Alicia");
  const welcome = one(answer(), "WELCOME");
  assertEquals([welcome.address, welcome.name, room.room.size], [B, "Alicia", 1]);
});

Deno.test("names: a classic member is answered later too, and its v1 successor takes its name over", () => {
  const { room, answer, signIn, holders } = late();
  assertEquals(room.datagram(A, "SIGN-IN Carole\n"), []);
  assertEquals(room.room.size, 1, "signing in greets too");
  assertEquals(answer().map(textOf), ["INCOMING Signed in as Carole\n"]);
  assertEquals(holders(), { carole: A });
  room.datagram(B, "SIGN-IN carole");
  assertEquals(answer().map(textOf), ["INCOMING The name carole is taken; choose another\n"]);
  signIn(A, TOKEN, "Carole");
  assertEquals(one(answer(), "WELCOME").name, "Carole");
  assertEquals([holders(), room.room.size], [{ carole: TOKEN }, 2]);
});

Deno.test("names: a classic member that is gone when the answer comes gets none, and the name is free", () => {
  const { room, answer, holders } = late();
  room.datagram(A, "SIGN-IN Carole");
  room.join(A);
  assertEquals(answer(), []);
  assertEquals([holders(), room.room.users().names], [{}, []], "nor does its v1 successor get the name");
});

Deno.test("names: a full room asks nobody about a newcomer's name", () => {
  const { room, names, signIn } = late({ maxMembers: 1 });
  const cookie = room.cookie(A);
  room.join(B);
  assertEquals(one(room.v1(A, "SIGN-IN", { id: 2, token: TOKEN, cookie, name: "Alice" }), "ERROR").code, "room-full");
  assertEquals(names.waiting, []);
  // but a member may take a name
  signIn(B, room.join(B).token, "Bob");
  assertEquals(names.waiting.length, 1);
});

Deno.test("names: an answer that nobody waits for, as after a restart, gives the name back", () => {
  const { room, names, holders } = late();
  names.holders.set("alice", TOKEN);
  room.room.claimed({ name: "Alice", holder: TOKEN }, true, room.now);
  assertEquals(holders(), {});
});

Deno.test("names: at most 10,000 questions wait for an answer", () => {
  const { room, names, answer } = late({ classic: { members: 20_000 } });
  for (let i = 0; i < 10_001; i++) room.datagram(`10.${i >> 8}.${i & 255}.1:9`, `SIGN-IN n${i}`);
  assertEquals(names.waiting.length, 10_000);
  answer();
  room.datagram("10.39.16.1:9", "SIGN-IN n10000");
  assertEquals(names.waiting.length, 10_000, "there is a place again");
  // and also when the oldest have had no answer for long
  room.now += 5000;
  room.datagram("10.200.0.1:9", "SIGN-IN late");
  assertEquals(names.waiting.length, 10_001);
});

Deno.test("names: a name that another member has here is refused, whatever the names say", () => {
  const { room, names, answer, signIn } = late();
  signIn(A, TOKEN, "Alice");
  signIn(B, OTHER, "alice");
  answer();
  names.holders.clear();
  assertEquals(outline(to(answer(), B)), [`${B} ERROR`]);
  assertEquals([room.room.users().names, names.holders.size], [["Alice"], 0]);
  // and now it is refused without a question
  assertEquals([outline(signIn(B, OTHER, "alice", 3)), names.waiting], [[`${B} ERROR`], []]);
});
