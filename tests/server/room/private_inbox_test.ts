/** What the server remembers of private messages to members with a connection, and what it forgets first. */
import { assertEquals } from "@std/assert";
import { Ignored } from "../../../server/room/ignored.ts";
import { Limits } from "../../../server/room/limits.ts";
import { Members } from "../../../server/room/members.ts";
import { PrivateInbox } from "../../../server/room/private_inbox.ts";
import { FakeDelivery } from "../../support/fake_delivery.ts";
import { STREAM } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

/** An inbox without limits of speed; the pairs are numbers. */
function open() {
  const delivery = new FakeDelivery(), ignored = new Ignored(), members = new Members();
  const inbox = new PrivateInbox({
    delivery,
    ignored,
    shown: () => {},
    limits: new Limits({ rate: 0, burst: 0 }, ignored),
  });
  const from = members.add({ peer: peerOf("10.0.0.9:9"), dialect: "v1", token: "00000000000000aa" }, 0, 0);
  const to = members.add({ peer: peerOf("tcp 10.0.0.7:7"), dialect: "line", token: "" }, 0, 0);
  return {
    ignored,
    /** Takes a message; returns whether it was shown. */
    receive(pair: number, id = 1, first = id): boolean {
      const pass = pair.toString(16).padStart(16, "0");
      inbox.receive({ dialect: "v1", type: "MESSAGE", pass, stream: STREAM, id, first, text: "hi" }, from, to, 0);
      return delivery.take().some((sent) => sent.to === to.key);
    },
  };
}

Deno.test("private inbox: 10,000 pairs are remembered, and the one is forgotten that was longest without a new message", () => {
  const { receive } = open();
  for (let pair = 0; pair < 10_000; pair++) assertEquals(receive(pair), true);
  assertEquals([receive(0), receive(1)], [false, false]);
  // a repeat is nothing new
  assertEquals(receive(0, 2), true);
  assertEquals(receive(10_000), true);
  // a repeat is shown again only of the pair that was forgotten, and makes another one forgotten
  assertEquals([receive(0, 2), receive(2), receive(1)], [false, false, true]);
  assertEquals([receive(3), receive(2)], [false, true]);
});

Deno.test("private inbox: what is held of a pair that is forgotten makes room for others", () => {
  const { ignored, receive } = open();
  const hold = (firstPair: number) => {
    // 1,000 messages, each of which waits for the first one
    for (let i = 0; i < 1000; i++) receive(firstPair + Math.floor(i / 20), 2 + i % 20, 1);
  };
  hold(0);
  assertEquals(ignored.counts["queue-full"], 0);
  receive(9000, 2, 1);
  assertEquals(ignored.counts["queue-full"], 1);
  for (let pair = 10_000; pair < 20_000; pair++) receive(pair);
  hold(50_000);
  assertEquals(ignored.counts["queue-full"], 1);
  receive(9000, 2, 1);
  assertEquals(ignored.counts["queue-full"], 2);
});
