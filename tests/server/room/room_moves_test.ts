/** Members that move, come back from another address, and leave. */
import { assertEquals } from "@std/assert";
import { all, FakeRoom, one, OTHER_STREAM, outline, settledId, STREAM, to } from "../../support/fake_room.ts";

const A = "127.0.0.1:40001", B = "127.0.0.1:40002", C = "[::1]:40003";

Deno.test("room: a member that comes back from another port keeps name, place, token and stream", () => {
  const room = new FakeRoom();
  room.join(C);
  const { token, epoch } = room.join(A, "Alice");
  room.say(A, token, 1, "from here");
  room.settle();
  const welcome = room.move(B, token, "Alice");
  assertEquals([welcome.address, welcome.name, welcome.token, welcome.epoch], [B, "Alice", token, epoch]);
  assertEquals(room.room.size, 2);
  assertEquals(settledId(room.say(B, token, 1, "from here")), 1, "the repeat is still recognised");
  assertEquals(outline(room.say(B, token, 2, "from there")).sort(), [`${B} INCOMING`, `${C} INCOMING`].sort());
  const refusal = room.v1(A, "MESSAGE", { token, stream: STREAM, id: 3, text: "x" });
  assertEquals(one(to(refusal, A), "ERROR").code, "not-joined", "the old address is nobody's");
});

Deno.test("room: a return from another port causes no notice, and the timeout starts again", () => {
  const room = new FakeRoom();
  const { token } = room.join(A, "Alice");
  room.pass(50_000);
  room.move(B, token, "Alice");
  const sent = room.pass(59_999);
  assertEquals([...all(sent, "ONLINE"), ...all(sent, "OFFLINE")], []);
  assertEquals(room.room.size, 1);
  room.pass(1);
  assertEquals(room.room.size, 0);
});

Deno.test("room: a member that gets another member's address replaces that member after it shows the cookie", () => {
  const left: string[] = [];
  const room = new FakeRoom({ observer: { left: ({ address, name }, how) => left.push(`${address} ${name} ${how}`) } });
  room.join(C);
  const { token } = room.join(A, "Alice");
  room.say(A, token, 1, "from here");
  const bob = room.join(B, "Bob");
  room.say(B, bob.token, 1, "my last words", OTHER_STREAM);
  room.settle();
  const cookie = room.cookie(B, { token, name: "Alice" });
  assertEquals(left, [], "a greeting can be forged");
  assertEquals(room.greet(B, { id: 2, token, cookie, name: "Alice" }).name, "Alice");
  assertEquals([left, room.room.size], [[`${B} Bob taken`], 2]);
  assertEquals(settledId(room.say(B, token, 1, "from here")), 1, "the repeat is still recognised");
  assertEquals(one(to(room.pass(1000), C), "OFFLINE").members, [{ address: B, name: "Bob" }]);
  // Bob returns from another address and continues his stream
  assertEquals(room.move(A, bob.token, "Bob").name, "Bob");
  assertEquals(settledId(room.say(A, bob.token, 1, "my last words", OTHER_STREAM)), 1);
});

Deno.test("room: a client may choose its token, and joins with it even when its address changes meanwhile", () => {
  const room = new FakeRoom();
  const token = "00000000000000aa";
  // the answer to the greeting that makes it a member is late or lost, and its address has changed by now
  const here = room.cookie(A, { token, name: "Alice" }), there = room.cookie(B, { token, name: "Alice" });
  assertEquals(room.room.size, 0);
  room.greet(A, { id: 2, token, cookie: here, name: "Alice" });
  const welcome = room.greet(B, { id: 3, token, cookie: there, name: "Alice" });
  assertEquals([welcome.name, welcome.token, room.room.size], ["Alice", token, 1]);
});

Deno.test("room: a member that moves before its arrival is announced is announced at its new address", () => {
  const room = new FakeRoom();
  const { token } = room.join(A, "Alice");
  room.move(B, token, "Alice");
  assertEquals(all(room.pass(1000), "ONLINE").flatMap(({ members }) => members), [{ address: B, name: "Alice" }]);
});

Deno.test("room: a member that moves again before it has used a cookie is still the same member", () => {
  const room = new FakeRoom();
  const { token } = room.join(A);
  room.say(A, token, 1, "once");
  const between = room.cookie(B, { token });
  const there = room.cookie(C, { token, cookie: between });
  room.greet(C, { id: 2, token, cookie: there });
  assertEquals(settledId(room.say(C, token, 1, "once")), 1);
  assertEquals([room.room.size, room.room.statistics.messages], [1, 1]);
});

Deno.test("room: late packets from the address that a member was moving to do not bring it back after LEAVE", () => {
  const room = new FakeRoom();
  const { token } = room.join(A, "Alice");
  const cookie = room.cookie(B, { token, name: "Alice" });
  // LEAVE comes from the new address before the member has moved there
  assertEquals(outline(room.v1(B, "LEAVE", { id: 3, token })), [`${B} ACK`]);
  assertEquals(room.v1(B, "SIGN-IN", { id: 2, token, cookie, name: "Alice" }), []);
  assertEquals(one(room.say(B, token, 1, "x"), "ERROR").code, "not-joined");
  assertEquals(room.room.size, 0);
});

Deno.test("room: a member that returns after a long silence continues its stream", () => {
  const room = new FakeRoom();
  const { token } = room.join(A);
  room.say(A, token, 1, "its answer is lost");
  room.pass(61_000);
  assertEquals(room.room.size, 0);
  room.move(B, token);
  assertEquals(settledId(room.say(B, token, 1, "its answer is lost")), 1);
  assertEquals(one(room.say(B, token, 2, "and I am back"), "INCOMING").text, "and I am back");
});

Deno.test("room: LEAVE counts from another member's address too, and when it overtakes the greeting", () => {
  const room = new FakeRoom();
  const alice = room.join(A, "Alice");
  room.join(B, "Bob");
  assertEquals(outline(room.v1(B, "LEAVE", { id: 3, token: alice.token })), [`${B} ACK`]);
  assertEquals(room.room.users().names, ["Bob"]);
  const token = "00000000000000aa", name = "Carol";
  const cookie = room.cookie(C, { token, name });
  room.pass(4000);
  assertEquals(one(room.v1(C, "LEAVE", { id: 3, token }), "ERROR").code, "not-joined");
  assertEquals(room.v1(C, "SIGN-IN", { id: 2, token, cookie, name }), []);
  assertEquals(room.room.users().names, ["Bob"]);
});

Deno.test("room: late greetings of a client that joined at another address and left do not bring it back", () => {
  const room = new FakeRoom();
  const token = "00000000000000aa", name = "Alice";
  const cookie = room.cookie(B, { token, name });
  room.move(C, token, name);
  room.v1(C, "LEAVE", { id: 3, token });
  const late = () => outline(room.v1(B, "SIGN-IN", { id: 2, token, cookie, name }));
  assertEquals([late(), room.room.size], [[], 0]);
  room.pass(5000);
  assertEquals(late(), [`${B} WELCOME`], "who comes back after a while is welcome");
});

Deno.test("room: LEAVE is answered by an ACK with its id, a second LEAVE by ERROR not-joined", () => {
  const room = new FakeRoom();
  const { token } = room.join(A, "Alice");
  assertEquals(one(room.v1(A, "LEAVE", { id: 9, token }), "ACK"), { dialect: "v1", type: "ACK", token, id: 9 });
  assertEquals(room.room.size, 0);
  assertEquals(one(room.v1(A, "LEAVE", { id: 8, token }), "ERROR").code, "not-joined");
});
