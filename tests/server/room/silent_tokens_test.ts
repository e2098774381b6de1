/** Those who fell silent are remembered, and nobody can lay up places for later or push out the others. */
import { assertEquals } from "@std/assert";
import { SilentTokens } from "../../../server/room/silent_tokens.ts";
import { one } from "../../support/fake_room.ts";
import { OrderRoom } from "../../support/order_room.ts";

const B = "10.0.0.2:40002", M = "10.0.0.66:40066";
const tokenOf = (i: number) => (0xabc0000000000000n + BigInt(i)).toString(16);

Deno.test("silent tokens: one IP address has 200 places, all together 10,000; the first to fall silent makes room", () => {
  const silent = new SilentTokens();
  silent.add("bob", B);
  for (let i = 0; i < 30_000; i++) silent.add(tokenOf(i), `${M.slice(0, -5)}${i}`);
  assertEquals([silent.size, silent.has("bob"), silent.has(tokenOf(29_799))], [201, true, false]);
  assertEquals(silent.has(tokenOf(29_800)), true);
  silent.forgetAt("10.0.0.66:1");
  assertEquals([silent.size, silent.has("bob")], [1, true]);
  for (let i = 0; i < 30_000; i++) silent.add(tokenOf(i), `127.0.0.1:${i}`);
  silent.forgetAt("127.0.0.1:9");
  assertEquals([silent.size, silent.has("bob"), silent.has(tokenOf(20_000))], [10_000, false, true]);
});

Deno.test("silent tokens: who has gone through many tokens at its address has none for the locked room", () => {
  const room = new OrderRoom({ timeout: 60_000 });
  const bob = room.join(B, "Bob");
  room.pass(61_000);
  const cookie = room.cookie(M);
  for (let i = 0; i < 12_000; i++) {
    room.now++;
    room.greet(M, { id: i, token: tokenOf(i), cookie });
  }
  room.room.order("lock", room.now);
  assertEquals(room.move(B, bob.token, "Bob").name, "Bob");
  room.room.order(`kick ${M}`, room.now);
  room.delivery.take();
  for (const i of [0, 11_998, 11_999]) {
    const { code } = one(room.v1(M, "GREETING", { id: 1, token: tokenOf(i), cookie }), "ERROR");
    assertEquals(code, i === 11_999 ? "kicked" : "locked");
  }
});

Deno.test("silent tokens: whoever is kicked has none left at its IP address, others have theirs", () => {
  const room = new OrderRoom({ timeout: 60_000 });
  const bob = room.join(B, "Bob"), other = room.join("10.0.0.66:9");
  room.pass(61_000);
  room.join(M, "Mallory");
  room.room.order("lock", room.now);
  room.room.order("kick Mallory", room.now);
  room.delivery.take();
  const greeting = { id: 1, token: other.token, cookie: room.cookie("10.0.0.66:9") };
  assertEquals(one(room.v1("10.0.0.66:9", "GREETING", greeting), "ERROR").code, "locked");
  assertEquals(room.move(B, bob.token, "Bob").name, "Bob");
});
