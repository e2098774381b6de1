/** What the server says to all shows whose words it is in each of its pieces. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { MAX_TEXT_BYTES } from "../../../protocol.ts";
import { byteLength } from "../../../protocol/text.ts";
import { OrderRoom } from "../../support/order_room.ts";

Deno.test("say: each piece of a long text has its author, and but the first shows that it goes on", () => {
  const room = new OrderRoom(), lie = "Alice is no operator any more ";
  const notices = room.notices(room.order(`say ${lie.repeat(28)}for now.`));
  assertEquals(notices.length, 2);
  assertMatch(notices[0], /^Alice says: Alice is no/);
  assertMatch(notices[1], /^Alice says: … for now/);
  // over TCP a line of the connection may be longer than a COMMAND
  room.connect("10.0.0.4:40004");
  room.type("10.0.0.4:40004", "/name Tom");
  room.addAccount("Tom", true);
  room.settle();
  const long = room.notices(room.type("10.0.0.4:40004", `/say ${"ä".repeat(2000)}`));
  assertEquals(long.map((text) => text.slice(0, 12)), ["Tom says: ää", ...Array(4).fill("Tom says: … ")]);
  for (const text of [...notices, ...long]) assert(byteLength(text) <= MAX_TEXT_BYTES, text);
});

Deno.test("say: a long text of the server's terminal shows where it goes on", () => {
  const room = new OrderRoom();
  room.room.order(`say ${"word ".repeat(300)}`, room.now);
  const notices = room.notices(room.delivery.take());
  assertEquals(notices.map((text) => text.slice(0, 6)), ["word w", "… word"]);
});
