/** What the room is about: newcomers read it in their WELCOME, the others hear when it changes. */
import { assertEquals } from "@std/assert";
import { one } from "../../support/fake_room.ts";
import { ALICE, OrderRoom, read } from "../../support/order_room.ts";

const B = "10.0.0.2:40002", T = "10.0.0.4:40004";

Deno.test("topic: it is told when it changes, and is in each WELCOME", () => {
  const room = new OrderRoom();
  assertEquals(room.join(B).topic, undefined);
  room.settle();
  const sent = room.order("topic Sockets,  and what they \x07lose");
  assertEquals(room.notices(sent), ["Alice has changed the topic: Sockets,  and what they ?lose"]);
  assertEquals(one(sent, "REPLY").text, "", "the notice says it");
  assertEquals(room.join(B).topic, "Sockets,  and what they ?lose");
  room.room.order("topic Threads", room.now);
  assertEquals(room.notices(room.delivery.take()), ["The topic is now: Threads"]);
  assertEquals(room.notices(room.order("topic -")), ["Alice has taken the topic away"]);
  assertEquals(room.join(B).topic, undefined);
  assertEquals(room.answer("topic"), "There is no topic");
});

Deno.test("topic: anybody may ask for it, and only an operator change it", () => {
  const room = new OrderRoom();
  const { token } = room.join(B, "Bob");
  room.connect(T);
  room.order("topic Sockets");
  const command = (text: string, id: number) => room.v1(B, "COMMAND", { id, token, text });
  assertEquals(one(command("topic", 1), "REPLY").text, "The topic is: Sockets");
  assertEquals(one(command("topic mine", 2), "ERROR").code, "not-allowed");
  assertEquals(read(room.type(T, "/topic"), `tcp ${T}`), "The topic is: Sockets\n");
  assertEquals(
    read(room.type(T, "/topic mine"), `tcp ${T}`),
    "!! Only an operator may do that; who runs the server makes one by op NAME\n",
  );
});

Deno.test("topic: who speaks in lines reads it when it signs in for the first time", () => {
  const room = new OrderRoom();
  room.connect(T);
  room.order("topic Sockets");
  assertEquals(read(room.type(T, "/nick Tom"), `tcp ${T}`), "Signed in as Tom\nThe topic is: Sockets\n");
  assertEquals(read(room.type(T, "/nick Tim"), `tcp ${T}`), "Signed in as Tim\n");
  const sent = room.datagram(B, "SIGN-IN Bob\n");
  assertEquals(read(sent, B), "INCOMING Signed in as Bob\nINCOMING The topic is: Sockets\n");
});

Deno.test("topic: it is a line of at most 300 bytes, which fits into the longest WELCOME", () => {
  const room = new OrderRoom();
  assertEquals(room.problem(`topic ${"é".repeat(151)}`), "A topic has at most 300 bytes");
  assertEquals(room.answer(`topic ${"é".repeat(150)}`), "");
  assertEquals(room.join(ALICE, "Alice").topic?.length, 150);
  assertEquals(room.notices(room.order("topic one\ntwo")), ["Alice has changed the topic: one?two"]);
});
