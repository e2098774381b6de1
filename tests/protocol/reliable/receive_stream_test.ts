/** One sender's messages in order, each once, whatever the network does to them. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { SEND_WINDOW } from "../../../protocol.ts";
import { type MessagePacket, ReceiveStream } from "../../../protocol/reliable/receive_stream.ts";

const NAME = "c07d5f3be8192a64";

function message(id: number, first = 1): MessagePacket {
  return { dialect: "v1", type: "MESSAGE", stream: NAME, id, first, text: `${id}` };
}

const ids = (messages: MessagePacket[]) => messages.map(({ id }) => id);

Deno.test("receive stream: an early message waits for those before it", () => {
  const stream = new ReceiveStream(NAME);
  assertEquals(ids(stream.take(message(3))), []);
  assertEquals(ids(stream.take(message(2))), []);
  assertEquals(stream.heldCount, 2);
  assertEquals(ids(stream.take(message(1))), [1, 2, 3]);
  assertEquals([stream.heldCount, stream.next], [0, 4]);
});

Deno.test("receive stream: a repeat is given once, whether it waited or not", () => {
  const stream = new ReceiveStream(NAME);
  assertEquals([1, 3, 3, 1, 2, 2].flatMap((id) => ids(stream.take(message(id)))), [1, 2, 3]);
  assertEquals(stream.isRepeat(message(3)), true);
  assertEquals(stream.isRepeat(message(4)), false);
});

Deno.test("receive stream: it holds a window of early messages and no more", () => {
  const stream = new ReceiveStream(NAME);
  for (let id = 2; id < 1000; id++) stream.take(message(id));
  assertEquals(stream.heldCount, SEND_WINDOW - 1);
  assertEquals(ids(stream.take(message(1))).length, SEND_WINDOW);
  assertEquals(stream.next, SEND_WINDOW + 1);
});

Deno.test("receive stream: messages that the sender has settled are not waited for, held ones are forgotten", () => {
  const stream = new ReceiveStream(NAME);
  for (const id of [3, 5, 6]) stream.take(message(id));
  assertEquals(ids(stream.take(message(7, 5))), [5, 6, 7]);
  assertEquals([stream.heldCount, stream.next], [0, 8]);
  assertEquals(stream.isRepeat(message(3)), true);
});

Deno.test("receive stream: it waits for first, or goes on behind what it has taken, whichever is greater", () => {
  // without a first there is nothing before the message that its sender still keeps
  const alone = (id: number): MessagePacket => ({ dialect: "v1", type: "MESSAGE", stream: NAME, id, text: `${id}` });
  const unknown = new ReceiveStream(NAME);
  assertEquals(ids(unknown.take(message(7, 6))), []);
  assertEquals(ids(unknown.take(alone(6))), [6, 7]);
  assertEquals(ids(unknown.take(alone(40))), [40]);
  const known = new ReceiveStream(NAME, 4);
  assertEquals(ids(known.take(alone(3))), []);
  assertEquals(ids(known.take(message(5, 2))), [], "4 may still come");
  assertEquals(ids(known.take(message(6, 5))), [5, 6]);
});

Deno.test("receive stream: first never goes back", () => {
  const stream = new ReceiveStream(NAME, 10);
  assertEquals(ids(stream.take(message(9, 1))), []);
  assertEquals(ids(stream.take(message(10, 1))), [10]);
});

Deno.test("receive stream: where no early message may be held, only the next one is taken", () => {
  const stream = new ReceiveStream(NAME);
  assertEquals(ids(stream.take(message(2), false)), []);
  assertEquals(stream.heldCount, 0);
  assertEquals(ids(stream.take(message(1), false)), [1]);
  assertEquals(ids(stream.take(message(2), false)), [2]);
});

Deno.test("receive stream: in whatever order and however often messages come, each is given once and in order", () => {
  const schedule = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 200 });
  fc.assert(fc.property(schedule, (arrivals) => {
    const stream = new ReceiveStream(NAME);
    const given = [...arrivals, ...Array.from({ length: 20 }, (_, i) => i + 1)]
      .flatMap((id) => ids(stream.take(message(id))));
    assertEquals(given, Array.from({ length: 20 }, (_, i) => i + 1));
  }));
});
