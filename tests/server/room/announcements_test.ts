/** What the server says to all shows whose words it is in each of its pieces. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { MAX_TEXT_BYTES } from "../../../protocol.ts";
import { byteLength } from "../../../protocol/utf8.ts";
import { OrderRoom, read } from "../../support/order_room.ts";

Deno.test("say: each piece of a long text has its author, and but the first shows that it goes on", () => {
  const room = new OrderRoom(), lie = "Alice is no operator any more ";
  const notices = room.notices(room.order(`say ${lie.repeat(28)}for now.`));
  assertEquals(notices.length, 2);
  assertMatch(notices[0], /^Alice says: Alice is no/);
  assertMatch(notices[1], /^Alice says: … for now/);
  // over TCP a line may be longer than a COMMAND
  room.connect("10.0.0.4:40004");
  room.type("10.0.0.4:40004", "/name Tom");
  room.addAccount("Tom", true);
  room.settle();
  const long = read(room.type("10.0.0.4:40004", `/say ${"a".repeat(853)}`), "tcp 10.0.0.4:40004");
  assertEquals(long, "!! A command has at most 856 bytes\n");
  for (const text of notices) assert(byteLength(text) <= MAX_TEXT_BYTES, text);
});

Deno.test("say: a long text of the server's terminal shows where it goes on", () => {
  const room = new OrderRoom();
  room.room.order(`say ${"word ".repeat(300)}`, room.now);
  const notices = room.notices(room.delivery.take());
  assertEquals(notices.map((text) => text.slice(0, 6)), ["word w", "… word"]);
});

Deno.test("say: orders that everybody is told of count as messages, in each dialect, and no more are done", () => {
  const room = new OrderRoom({ rate: { rate: 1, burst: 3 } }), T = "10.0.0.4:40004";
  room.connect(T);
  room.type(T, "/name Tom");
  room.addAccount("Tom", true);
  room.settle();
  const refusal = "Not done: you say and order too much at once; try again in a moment";
  let told = 0;
  for (let i = 0; i < 100; i++) told += room.notices([...room.order(`say ${i}`), ...room.type(T, `/say ${i}`)]).length;
  assertEquals(told, 6);
  for (const order of ["say x", "topic x", "mute Tom", "kick Nobody", "ban Bob", "unban Bob", "lock"]) {
    assertEquals(room.problem(order), refusal);
  }
  assertEquals(read(room.type(T, "/lock"), `tcp ${T}`), `!! ${refusal}\n`);
  // questions take nothing
  for (const order of ["bans", "mutes", "topic"]) assertMatch(room.answer(order), /^(Nobody is|There is no topic)/);
  room.pass(1000);
  assertEquals(room.notices(room.order("lock")), ["The room was locked by Alice"]);
});

Deno.test("say: nothing in it reaches a terminal as a control character, whatever the members speak", () => {
  const room = new OrderRoom(), T = "10.0.0.4:40004", C = "10.0.0.3:40003";
  room.connect(T);
  room.datagram(C, "GREETING\n");
  room.settle();
  for (const order of ["say \x1b[2J", "topic \x9b2J\x07"]) {
    const sent = room.order(order);
    const shown = [read(sent, C), read(sent, `tcp ${T}`), room.notices(sent).join()];
    // deno-lint-ignore no-control-regex
    for (const text of shown) assertMatch(text, /^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*\?\??[[2]/, JSON.stringify(text));
    // deno-lint-ignore no-control-regex
    for (const text of shown) assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(text), false, JSON.stringify(text));
  }
});
