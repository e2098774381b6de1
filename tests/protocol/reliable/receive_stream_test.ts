/** One sender's messages in order, each once, whatever the network does to them. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { SEND_WINDOW } from "../../../protocol.ts";
import { type MessagePacket, ReceiveStream } from "../../../protocol/reliable/receive_stream.ts";

const NAME = "c07d5f3be8192a64";

function message(id: number, first = 1): MessagePacket {
  return { dialect: "v1", type: "MESSAGE", stream: NAME, id, first, text: `${id}` };
}

/** Lets a message arrive, and takes what can be taken then; returns the ids. */
function arrive(stream: ReceiveStream, message: MessagePacket): number[] {
  stream.hold(message);
  const ids: number[] = [];
  for (let next; (next = stream.takeNext());) ids.push(next.id);
  return ids;
}

Deno.test("receive stream: an early message waits for those before it", () => {
  const stream = new ReceiveStream(NAME);
  assertEquals(arrive(stream, message(3)), []);
  assertEquals(arrive(stream, message(2)), []);
  assertEquals(stream.heldCount, 2);
  assertEquals(arrive(stream, message(1)), [1, 2, 3]);
  assertEquals([stream.heldCount, stream.next], [0, 4]);
});

Deno.test("receive stream: it is begun once a message was taken, not when its sender gives up those before", () => {
  const stream = new ReceiveStream(NAME);
  assertEquals([arrive(stream, message(5, 3)), stream.next, stream.isBegun], [[], 3, false]);
  assertEquals([arrive(stream, message(3, 3)), stream.isBegun], [[3], true]);
  assertEquals(new ReceiveStream(NAME, 4).isBegun, true);
});

Deno.test("receive stream: a repeat is given once, whether it waited or not", () => {
  const stream = new ReceiveStream(NAME);
  assertEquals([1, 3, 3, 1, 2, 2].flatMap((id) => arrive(stream, message(id))), [1, 2, 3]);
  assertEquals(stream.isRepeat(message(3)), true);
  assertEquals(stream.isRepeat(message(4)), false);
});

Deno.test("receive stream: it holds a window of early messages and no more", () => {
  const stream = new ReceiveStream(NAME);
  for (let id = 2; id < 1000; id++) stream.hold(message(id));
  assertEquals(stream.heldCount, SEND_WINDOW - 1);
  assertEquals(arrive(stream, message(1)).length, SEND_WINDOW);
  assertEquals(stream.next, SEND_WINDOW + 1);
});

Deno.test("receive stream: messages that the sender has settled are not waited for, held ones are forgotten", () => {
  const stream = new ReceiveStream(NAME);
  for (const id of [3, 5, 6]) stream.hold(message(id));
  assertEquals(arrive(stream, message(7, 5)), [5, 6, 7]);
  assertEquals([stream.heldCount, stream.next], [0, 8]);
  assertEquals(stream.isRepeat(message(3)), true);
});

Deno.test("receive stream: it waits for first, or goes on behind what it has taken, whichever is greater", () => {
  // without a first there is nothing before the message that its sender still keeps
  const alone = (id: number): MessagePacket => ({ dialect: "v1", type: "MESSAGE", stream: NAME, id, text: `${id}` });
  const unknown = new ReceiveStream(NAME);
  assertEquals(arrive(unknown, message(7, 6)), []);
  assertEquals(arrive(unknown, alone(6)), [6, 7]);
  assertEquals(arrive(unknown, alone(40)), [40]);
  const known = new ReceiveStream(NAME, 4);
  assertEquals(arrive(known, alone(3)), []);
  assertEquals(arrive(known, message(5, 2)), [], "4 may still come");
  assertEquals(arrive(known, message(6, 5)), [5, 6]);
});

Deno.test("receive stream: first never goes back", () => {
  const stream = new ReceiveStream(NAME, 10);
  assertEquals(arrive(stream, message(9, 1)), []);
  assertEquals(arrive(stream, message(10, 1)), [10]);
});

Deno.test("receive stream: a message whose turn has come is held until it is taken", () => {
  const stream = new ReceiveStream(NAME);
  assertEquals([stream.isReady, stream.takeNext()], [false, undefined]);
  for (const id of [2, 1]) stream.hold(message(id));
  assertEquals([stream.isReady, stream.heldCount, stream.next], [true, 2, 1]);
  assertEquals([stream.isHeld(message(1)), stream.isRepeat(message(1))], [true, false]);
  assertEquals([stream.takeNext()?.id, stream.isReady, stream.isRepeat(message(1))], [1, true, true]);
  assertEquals([stream.takeNext()?.id, stream.isReady, stream.takeNext()], [2, false, undefined]);
});

Deno.test("receive stream: the repeat of what is held changes nothing but what its sender has settled", () => {
  const stream = new ReceiveStream(NAME);
  stream.hold(message(3));
  stream.hold({ ...message(3), text: "another" });
  assertEquals([stream.heldCount, stream.isReady], [1, false]);
  stream.hold({ ...message(3, 3), text: "another" });
  assertEquals(stream.takeNext()?.text, "3");
});

Deno.test("receive stream: what is dropped can come again", () => {
  const stream = new ReceiveStream(NAME);
  for (const id of [1, 2]) stream.hold(message(id));
  stream.drop(message(1));
  assertEquals([stream.isReady, stream.heldCount], [false, 1]);
  assertEquals(arrive(stream, message(1)), [1, 2]);
});

Deno.test("receive stream: in whatever order and however often messages come, each is given once and in order", () => {
  const schedule = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 200 });
  fc.assert(fc.property(schedule, (arrivals) => {
    const stream = new ReceiveStream(NAME);
    const given = [...arrivals, ...Array.from({ length: 20 }, (_, i) => i + 1)]
      .flatMap((id) => arrive(stream, message(id)));
    assertEquals(given, Array.from({ length: 20 }, (_, i) => i + 1));
  }));
});

Deno.test("receive stream: what was refused is not taken from a late copy, and the rest goes on when it is settled", () => {
  const stream = new ReceiveStream(NAME);
  const packet = (id: number, first = id) => message(id, first);
  stream.hold(packet(3, 1));
  stream.refuse(packet(2, 1));
  assertEquals([stream.isRefused(packet(2)), stream.isRefused(packet(3)), stream.heldCount], [true, false, 1]);
  // far behind it, as after many that were refused
  stream.refuse(packet(90));
  assertEquals([stream.isRefused(packet(90)), stream.isRefused(packet(2)), stream.heldCount], [true, false, 0]);
  stream.refuse(packet(91 + SEND_WINDOW, 90));
  assertEquals(stream.isRefused(packet(91 + SEND_WINDOW)), false, "nobody fills the memory");
  stream.hold(packet(91, 90));
  assertEquals(stream.isReady, false);
  stream.hold(packet(92, 91));
  assertEquals([stream.takeNext()?.id, stream.takeNext()?.id, stream.isRefused(packet(90))], [91, 92, false]);
});
