/** Who keeps order is said at the server's terminal, and only who has an account can. */
import { assertEquals } from "@std/assert";
import { FakeRoom, one } from "../../support/fake_room.ts";
import { ALICE, OrderRoom, read } from "../../support/order_room.ts";

const B = "10.0.0.2:40002", T = "10.0.0.4:40004";

Deno.test("op: who has a registered name may keep order until deop; all hear of it", () => {
  const room = new OrderRoom();
  const { token } = room.join(B, "bob");
  room.addAccount("Bob", false);
  const order = (text: string) => room.room.order(text, room.now);
  const command = (id: number) => room.v1(B, "COMMAND", { id, token, text: "bans" });
  assertEquals(one(command(1), "ERROR").code, "not-allowed");
  assertEquals(order("op BOB"), { isDone: true, text: "" });
  assertEquals(room.notices(room.delivery.take()), ["Bob is an operator now"]);
  assertEquals(one(command(2), "REPLY").text, "Nobody is banned");
  assertEquals(one(room.v1(B, "LOOKUP", { id: 3, token, name: "Bob" }), "PEER").operator, true);
  room.connect(T);
  assertEquals(read(room.type(T, "/whois bob"), `tcp ${T}`), `bob is at ${B}, registered, operator\n`);
  assertEquals(order("op Bob").text, "Bob is an operator already");
  assertEquals(order("deop bob").text, "");
  assertEquals(order("deop bob").text, "Bob is no operator already");
  assertEquals(one(command(4), "ERROR").code, "not-allowed");
});

Deno.test("op: it takes an account, and is for the server's terminal alone", () => {
  const room = new OrderRoom();
  room.join(B, "Bob");
  room.connect(T);
  room.type(T, "/name Tom");
  const advice = (name: string) => room.room.order(`op ${name}`, room.now).text;
  assertEquals(advice("Bob"), "Bob has no account: let it type /register first");
  assertEquals(advice("Tom"), "Tom has no account: when it has left, type account add Tom here");
  assertEquals(advice("Eve"), "Eve has no account: type account add Eve here");
  assertEquals(room.problem("op Bob"), "op is typed into the server's terminal");
  room.addAccount("Tom", true);
  assertEquals(read(room.type(T, "/op Bob"), `tcp ${T}`), "!! op is typed into the server's terminal\n");
  const without = new FakeRoom();
  assertEquals(
    without.room.order("op Bob", without.now).text,
    "An operator needs an account: start the server with --state FILE",
  );
});

Deno.test("op: each WELCOME says whether the member may keep order", () => {
  const room = new OrderRoom();
  const { token } = room.join(B, "Bob");
  const bob = () => one(room.v1(B, "SIGN-IN", { id: 9, token, name: "Bob" }), "WELCOME").operator;
  assertEquals([room.join(ALICE, "Alice").operator, bob()], [true, false]);
  room.addAccount("Bob", false);
  room.room.order("op Bob", room.now);
  assertEquals(bob(), true);
  room.room.order("deop Bob", room.now);
  assertEquals(bob(), false);
});
