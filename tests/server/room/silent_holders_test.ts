/** Names whose holders seem to be gone: when they are free, and who just gets one. */
import { assertEquals, assertMatch } from "@std/assert";
import { textOf } from "../../support/fake_delivery.ts";
import { FakeRoom, one, to } from "../../support/fake_room.ts";

const A = "192.0.2.1:40001", B = "192.0.2.2:40002", CLASSIC = "10.0.0.1:9";

Deno.test("names: one whose holder has missed its greetings says when it is free", () => {
  const room = new FakeRoom();
  room.join(A, "Bob");
  room.pass(2000);
  assertEquals(room.refused(B, "bob").text, "The name bob is taken; choose another");
  room.pass(11_000);
  assertEquals(room.refused(B, "bob").text, "The name bob is taken; if that was you, it is free in 47 s");
  room.pass(47_000);
  assertEquals(room.join(B, "bob").name, "bob");
});

Deno.test("names: a classic member that has been silent for a minute stays without its name, and the others are told", () => {
  const room = new FakeRoom();
  room.datagram(CLASSIC, "SIGN-IN Bob\n");
  const { token } = room.join(A, "Alice");
  for (let i = 0; i < 2; i++) {
    room.pass(29_000);
    room.v1(A, "GREETING", { id: 3, token });
  }
  assertEquals(room.refused(B, "Bob").text, "The name Bob is taken; choose another");
  room.pass(2000);
  assertEquals(room.join(B, "Bob").name, "Bob");
  const told = room.pass(1000).filter(({ to }) => to === A).map(textOf).join("|");
  assertMatch(told, /ONLINE\/1 [^|]*10\.0\.0\.1:9(\n|$)/m);
  assertEquals([room.room.size, room.room.users().names], [3, ["Alice", "Bob"]]);
  // another classic program takes it in the same way
  const other = new FakeRoom();
  other.datagram(CLASSIC, "SIGN-IN Bob\n");
  other.pass(60_000);
  const sent = other.datagram("10.0.0.2:9", "SIGN-IN Bob\n");
  const read = (key: string) => to(sent, key).map((one) => textOf(one).trim());
  assertEquals(read("10.0.0.2:9"), ["INCOMING Signed in as Bob"]);
  assertEquals(read(CLASSIC), [
    "INCOMING You were silent, and another has the name Bob now: SIGN-IN takes another one",
  ]);
});

Deno.test("names: PEER says whether a name is registered", async () => {
  const { MemoryAccounts } = await import("../../../server/room/accounts.ts");
  const { accountOf } = await import("../../support/accounts.ts");
  const accounts = new MemoryAccounts(), room = new FakeRoom({ accounts });
  const { token } = room.join(A, "Alice");
  room.join(B, "Bob");
  accounts.put(accountOf("alice", "correct horse"));
  const registered = ["Alice", "Bob"].map((name, id) =>
    one(room.v1(A, "LOOKUP", { id, token, name }), "PEER").registered
  );
  assertEquals(registered, [true, false]);
});
