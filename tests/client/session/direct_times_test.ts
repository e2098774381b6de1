/** When direct messages were said: told by their senders as an age, and shown by the receiver's own clock. */
import { assertEquals } from "@std/assert";
import { A, guess, pair, STREAM } from "../../support/direct_messages.ts";
import { FakeSession, joined, type V1 } from "../../support/fake_session.ts";

const HOUR_MS = 3_600_000;

/** What was said to a session alone, and when. */
function times({ shown }: FakeSession): [text: string, at: number][] {
  return shown.flatMap((it) => it.kind === "direct" ? [[it.text, it.at]] : []);
}

/** A session whose clock on the wall is an hour ahead, and that takes Alice's pass. */
function bob(): FakeSession {
  const fake = joined({ name: "Bob", wallClock: () => fake.now + HOUR_MS });
  fake.receive({ dialect: "v1", type: "PUNCH", address: A, name: "Alice", pass: guess(0) });
  return fake;
}

function message(id: number, fields: Partial<V1<"MESSAGE">> = {}): V1<"MESSAGE"> {
  return { dialect: "v1", type: "MESSAGE", pass: guess(0), stream: STREAM, id, text: `${id}`, ...fields };
}

Deno.test("direct times: a message is shown with the time at which it was said, by this client's own clock", () => {
  const fake = bob(), begin = fake.now + HOUR_MS;
  fake.session.receiveFromPeer(message(1), A, fake.now);
  fake.session.receiveFromPeer(message(2, { first: 1, age: 4000 }), A, fake.now);
  assertEquals(times(fake), [["1", begin], ["2", begin - 4000]]);
});

Deno.test("direct times: one that waits for an earlier one keeps its time, and so does one that came twice", () => {
  const fake = bob(), begin = fake.now + HOUR_MS;
  fake.session.receiveFromPeer(message(2, { first: 1, age: 100 }), A, fake.now);
  fake.pass(700);
  fake.session.receiveFromPeer(message(2, { first: 1, age: 900 }), A, fake.now);
  fake.pass(800);
  fake.session.receiveFromPeer(message(1, { age: 1700 }), A, fake.now);
  assertEquals(times(fake), [["1", begin + 1500 - 1700], ["2", begin - 100]]);
});

Deno.test("direct times: without a clock on the wall the time of the call is taken", () => {
  const fake = joined({ name: "Bob" });
  fake.receive({ dialect: "v1", type: "RELAY", address: A, name: "Alice", packet: message(1, { age: 7 }) as never });
  assertEquals(times(fake), [["1", fake.now - 7]]);
});

Deno.test("direct times: what is repeated for seconds on a bad network has the age that it has", () => {
  const { net, alice, bob } = pair({ loss: 0.4, delay: [5, 5], seed: 5 });
  const begin = net.now;
  for (let i = 0; i < 40; i++) {
    alice.say("Bob", `${net.now}`);
    net.pass(50);
  }
  net.pass(10_000);
  assertEquals(bob.shown.length, 40);
  // but for the way of the copy that has arrived
  for (const { text, age, at } of bob.shown) assertEquals(at - age, Number(text) + 5, text);
  assertEquals(bob.shown.some(({ age }) => age > 0), true);
  assertEquals(net.sent("MESSAGE").every(({ at, packet }) => at - begin < 10_000 && packet.age !== 0), true);
});

Deno.test("direct times: a text counts from when it was typed, also if it had to wait until the client was in the room", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  fake.session.sayTo("Bob", "early", fake.now);
  fake.pass(1500);
  fake.welcome();
  const { id } = fake.takeAll("LOOKUP").at(-1)!;
  const peer = { address: A, name: "Bob", since: 0, pass: guess(0) };
  fake.receive({ dialect: "v1", type: "PEER", id, ...peer });
  assertEquals(fake.takeAll("MESSAGE").map(({ text, age }) => [text, age]), [["early", 1500]]);
});

Deno.test("direct times: what is said to everyone has no age, since the server says when that was", () => {
  const fake = joined({ name: "Alice" });
  fake.say("hello");
  fake.pass(4000);
  const copies = fake.takeAll("MESSAGE");
  assertEquals(copies.length > 1, true);
  assertEquals(copies.filter((packet) => "age" in packet), []);
});
