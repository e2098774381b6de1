/** What the server remembers of private messages to members with a connection, and what it forgets first. */
import { assertEquals } from "@std/assert";
import { Ignored } from "../../../server/room/ignored.ts";
import { Members } from "../../../server/room/members.ts";
import { PrivateInbox } from "../../../server/room/private_inbox.ts";
import { FakeDelivery } from "../../support/fake_delivery.ts";
import { OTHER_STREAM, STREAM } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

/** It waits for the one with the id 1. */
const FIRST = { first: 1 };

/** An inbox of Bob, who has a connection; the pairs are numbers, and their senders too. */
function open() {
  const delivery = new FakeDelivery(), ignored = new Ignored(), members = new Members();
  const inbox = new PrivateInbox({ delivery, ignored, shown: () => {} });
  const senders = Array.from({ length: 100 }, (_, i) => {
    const token = i.toString(16).padStart(16, "0");
    return members.add({ peer: peerOf(`10.0.1.${i}:9`), dialect: "v1", token }, 0, 0);
  });
  const bob = members.add({ peer: peerOf("tcp 10.0.0.7:7"), dialect: "line", token: "" }, 0, 0);
  return {
    ignored,
    inbox,
    senders,
    bob,
    /** Takes a message; returns whether it was shown. */
    receive(pair: number, id = 1, { first = id, stream = STREAM, from = senders[pair % 100], now = 0 } = {}): boolean {
      const pass = pair.toString(16).padStart(16, "0");
      inbox.receive({ dialect: "v1", type: "MESSAGE", pass, stream, id, first, text: "hi" }, from, bob, now);
      return delivery.take().some((sent) => sent.to === bob.key);
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

/** The ids of so many messages that wait for the first one. */
const held = (count: number) => Array.from({ length: count }, (_, i) => 2 + i);

Deno.test("private inbox: what is held of a pair that is forgotten makes room for others", () => {
  const { ignored, receive } = open();
  // 1,000 messages
  const hold = (from: number) =>
    Array.from({ length: 50 }, (_, i) => held(20).map((id) => receive(from + i, id, FIRST)));
  hold(0);
  for (let pair = 10_000; pair < 20_000; pair++) receive(pair);
  hold(50_000);
  assertEquals(ignored.counts["queue-full"], 0);
  receive(9000, 2, FIRST);
  assertEquals(ignored.counts["queue-full"], 1);
});

Deno.test("private inbox: of one pair 32 are held, in all its streams together, and of one sender 100", () => {
  const { ignored, senders, receive } = open(), [from] = senders;
  for (const id of held(31)) receive(1, id, { ...FIRST, from });
  for (const id of held(5)) receive(1, id, { ...FIRST, from, stream: OTHER_STREAM });
  assertEquals(ignored.counts["queue-full"], 4);
  for (const id of held(30)) for (const pair of [2, 3]) receive(pair, id, { ...FIRST, from });
  assertEquals(ignored.counts["queue-full"], 4);
  for (const id of held(10)) receive(4, id, { ...FIRST, from });
  assertEquals(ignored.counts["queue-full"], 6);
  // the one that all wait for has its turn
  assertEquals(receive(4, 1, { from }), true);
});

Deno.test("private inbox: what is held is dropped after 10 s in which none was shown, and takes no room any more", () => {
  const { ignored, inbox, receive } = open();
  const isShownLater = (from: number, now: number) => receive(from, 1, { now }) && !receive(from, 2, { first: 1, now });
  receive(1, 2, FIRST);
  receive(2, 3, FIRST);
  inbox.wake(6000);
  assertEquals(receive(2, 1, { now: 6000 }), true);
  assertEquals(inbox.dueAt, 10_000);
  inbox.wake(9999);
  receive(3, 2, { first: 1, now: 9999 });
  inbox.wake(10_000);
  assertEquals(inbox.dueAt, 16_000);
  // of the first pair the second message has to come again
  assertEquals([isShownLater(1, 10_000), isShownLater(3, 10_000)], [false, true]);
  assertEquals([receive(2, 2, { now: 15_000 }), receive(2, 3, { now: 15_000 })], [true, false]);
  inbox.wake(16_000);
  assertEquals([inbox.dueAt, ignored.counts["queue-full"]], [undefined, 0]);
});

Deno.test("private inbox: what is held of or for a member that has left is dropped", () => {
  for (const leaves of ["sender", "receiver"] as const) {
    const { inbox, senders, bob, receive } = open();
    for (const pair of [1, 2]) receive(pair, 2, FIRST);
    inbox.forget(leaves === "sender" ? senders[1] : bob);
    const isHeld = (pair: number) => receive(pair, 1) && !receive(pair, 2);
    assertEquals([isHeld(1), isHeld(2)], [false, leaves === "sender"]);
  }
});

Deno.test("private inbox: when 1,000 are held, those of the pair that has waited for the longest time make room", () => {
  const { ignored, receive } = open();
  for (let pair = 0; pair < 40; pair++) for (const id of held(25)) receive(pair, id, FIRST);
  assertEquals(ignored.counts["queue-full"], 0);
  receive(99, 2, FIRST);
  assertEquals(ignored.counts["queue-full"], 1);
  const isHeld = (pair: number) => receive(pair, 1) && !receive(pair, 2);
  assertEquals([0, 1, 39, 99].map(isHeld), [false, true, true, true]);
});
