/** A locked room lets nobody new in, and keeps nobody out who was there. */
import { assertEquals } from "@std/assert";
import { signInWith } from "../../support/accounts.ts";
import { all, one, to } from "../../support/fake_room.ts";
import { OrderRoom, PASSWORD, read } from "../../support/order_room.ts";

const B = "10.0.0.2:40002", C = "10.0.0.3:40003", T = "10.0.0.4:40004";
const TEXT = "The room is locked: nobody new may come in now";

Deno.test("lock: newcomers learn why they may not come in, whatever they speak", () => {
  const room = new OrderRoom();
  const sent = room.order("lock");
  assertEquals([one(sent, "REPLY").text, room.notices(sent)], ["", ["The room was locked by Alice"]]);
  assertEquals(room.problem("lock"), "The room is locked already");
  const { code, text } = room.refused(B, "Bob");
  assertEquals([code, text], ["locked", TEXT]);
  assertEquals(room.connect(T), `!! ${TEXT}\n`);
  assertEquals(read(room.datagram(C, "GREETING\n"), C), `INCOMING !! ${TEXT}\n`);
  assertEquals([room.datagram(C, "GREETING"), room.datagram(C, "SIGN-IN Carol")], [[], []]);
  assertEquals(room.room.size, 1);
  assertEquals(room.notices(room.order("unlock")), ["The room was unlocked by Alice"]);
  assertEquals(room.join(B, "Bob").name, "Bob");
  assertEquals(room.connect(T), "");
  room.datagram(C, "GREETING");
  assertEquals(room.room.size, 4);
  assertEquals(room.problem("unlock"), "The room is not locked");
});

Deno.test("lock: members move and stay; who falls silent comes back, who has said goodbye does not", () => {
  const room = new OrderRoom({ timeout: 60_000 });
  const bob = room.join(B, "Bob"), carol = room.join(C, "Carol");
  room.room.order("lock", room.now);
  assertEquals(room.move("10.0.0.9:9", bob.token, "Bob").name, "Bob");
  room.v1(C, "LEAVE", { id: 5, token: carol.token });
  room.pass(61_000);
  assertEquals(room.room.size, 0);
  assertEquals(room.move(B, bob.token, "Bob").name, "Bob");
  assertEquals(room.refused(C, "Carol").code, "locked");
  room.v1(B, "LEAVE", { id: 6, token: bob.token });
  room.pass(6000);
  assertEquals(room.refused(B, "Bob").code, "locked");
  // an operator, who has to prove that she is one
  assertEquals(one(room.comeBack(), "WELCOME").name, "Alice");
});

Deno.test("lock: only operators may", () => {
  const room = new OrderRoom();
  const { token } = room.join(B, "Bob");
  assertEquals(all(room.v1(B, "COMMAND", { id: 1, token, text: "lock" }), "ERROR")[0].code, "not-allowed");
  assertEquals(room.connect(T), "");
});

Deno.test("lock: an operator gets in as ever, on a device that was never here; who has another registered name does not", () => {
  const room = new OrderRoom(), elsewhere = { room, from: C, token: "00000000000000cc", password: PASSWORD };
  room.addAccount("Bob", false);
  room.room.order("lock", room.now);
  room.settle();
  assertEquals(one(signInWith({ ...elsewhere, name: "Alice", password: "wrong" }), "ERROR").code, "wrong-password");
  assertEquals(one(signInWith({ ...elsewhere, name: "Bob" }), "ERROR").code, "locked");
  assertEquals(one(to(signInWith({ ...elsewhere, name: "Alice" }), C), "WELCOME").operator, true);
  // nor does who is no operator any more
  room.room.order("deop Alice", room.now);
  room.delivery.take();
  const third = { ...elsewhere, from: B, token: "00000000000000bb", name: "Alice" };
  assertEquals(one(signInWith(third), "ERROR").code, "locked");
});
