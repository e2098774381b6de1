/** Direct messages while the name moves: to another address, to another member, and to a server that has begun anew. */
import { assertEquals, assertGreater } from "@std/assert";
import { type FakeClient, FakeNetwork } from "../../support/fake_network.ts";
import { passOf } from "../../support/fake_peers.ts";
import { A, B, pair, texts } from "../../support/direct_messages.ts";

const ELSEWHERE = "192.0.2.23:50001";

Deno.test("direct moves: what was not acknowledged goes to whoever has the name now, and to nobody twice", () => {
  const { net, alice, bob } = pair();
  const carole = net.join(ELSEWHERE, "Carole");
  net.loses = ({ packet }) => packet.type === "ACK";
  alice.say("Bob", "one", "two");
  net.pass(100);
  assertEquals(texts(bob.shown), ["one", "two"]);
  [net.members[1].name, net.members[2].name] = ["Robert", "Bob"];
  net.pass(1000);
  assertEquals(texts(carole.shown), ["one", "two"]);
  alice.say("Bob", "three");
  net.pass(100);
  // the name goes back
  [net.members[1].name, net.members[2].name] = ["Bob", "Carole"];
  net.pass(1000);
  net.loses = () => false;
  net.pass(1000);
  assertEquals([texts(bob.shown), texts(carole.shown)], [["one", "two", "three"], ["one", "two", "three"]]);
  assertEquals([texts(alice.delivered), alice.failed], [["one", "two", "three"], []]);
});

Deno.test("direct moves: who had the name can't acknowledge what is written to the next", () => {
  const { net, alice, bob } = pair();
  const carole = net.join(ELSEWHERE, "Carole");
  alice.say("Bob", "one");
  net.pass(100);
  const { stream } = net.sent("MESSAGE")[0].packet;
  [net.members[1].name, net.members[2].name] = ["Robert", "Bob"];
  net.loses = ({ packet }) => packet.type === "MESSAGE";
  alice.say("Bob", "two");
  net.pass(100);
  for (let id = 1; id <= 3; id++) {
    for (const from of [B, ELSEWHERE]) {
      net.inject({ dialect: "v1", type: "ACK", pass: passOf(A, B), stream, id }, from, alice);
    }
  }
  assertEquals(texts(alice.delivered), ["one"]);
  net.loses = () => false;
  net.pass(1000);
  assertEquals([texts(bob.shown), texts(carole.shown), texts(alice.delivered)], [["one"], ["two"], ["one", "two"]]);
});

Deno.test("direct moves: who had the name can't acknowledge what is under way to the next, with a forged address", () => {
  const { net, alice } = pair();
  net.join(ELSEWHERE, "Carole");
  net.loses = ({ packet }) => packet.type === "ACK";
  alice.say("Bob", "one");
  net.pass(100);
  const { stream, pass } = net.sent("MESSAGE")[0].packet;
  [net.members[1].name, net.members[2].name] = ["Robert", "Bob"];
  net.pass(1000);
  const ack = { dialect: "v1", type: "ACK", stream, id: 1 } as const;
  for (const known of [undefined, pass]) net.inject({ ...ack, pass: known }, ELSEWHERE, alice);
  assertEquals(alice.delivered, []);
  net.inject({ ...ack, pass: passOf(A, ELSEWHERE) }, ELSEWHERE, alice);
  assertEquals(texts(alice.delivered), ["one"]);
});

Deno.test("direct moves: to the same member the stream goes on, wherever it is", () => {
  const { net, alice } = pair();
  alice.say("Bob", "one");
  net.pass(100);
  net.members[1].address = ELSEWHERE;
  alice.say("Bob", "two");
  net.pass(100);
  const sent = net.sent("MESSAGE").map(({ to, packet }) => ({ to, ...packet }));
  assertEquals(sent.slice(0, 2).map(({ to, id, pass, stream }) => [to, id, pass, stream]), [
    [B, 1, sent[0].pass, sent[0].stream],
    [ELSEWHERE, 2, sent[0].pass, sent[0].stream],
  ]);
});

/** What a client was told alone, in order. */
function toldAlone({ shown }: FakeClient): string[] {
  return shown.flatMap((shown) => shown.kind === "direct" ? [shown.text] : []);
}

/** Alice and Bob, joined, in a network that loses three of ten datagrams each way. */
function lossyPair(seed: number): { net: FakeNetwork; alice: FakeClient; bob: FakeClient } {
  const conditions = { drop: 0.3, delay: [5, 40] as [number, number] };
  const net = new FakeNetwork({ seed, up: conditions, down: conditions });
  const alice = net.connect({ name: "Alice" }), bob = net.connect({ name: "Bob" });
  net.passUntil(() => [alice, bob].every(({ session }) => session.state === "joined"));
  return { net, alice, bob };
}

const MOVES: Record<string, (net: FakeNetwork, bob: FakeClient) => FakeClient> = {
  "the peer has another address": (_net, bob) => {
    bob.move("10.0.9.9:40000");
    return bob;
  },
  "the peer leaves and another takes the name": (net, bob) => {
    bob.act((session, now) => session.close(now));
    return net.connect({ name: "Bob" });
  },
  "the server begins anew": (net, bob) => {
    net.stopServer();
    net.startServer();
    return bob;
  },
};

for (const [what, move] of Object.entries(MOVES)) {
  Deno.test(`direct moves: ${what} at 30 % loss: to each in order and once, and "Delivered" is true`, () => {
    let arrivals = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const { net, alice, bob } = lossyPair(seed);
      const say = (i: number) => alice.act((session, now) => session.sayTo("Bob", `${i}`, now));
      for (let i = 0; i < 20; i++) {
        say(i);
        net.pass(20);
      }
      const next = move(net, bob);
      net.pass(30_000);
      const [before, after] = [toldAlone(bob), next === bob ? [] : toldAlone(next)];
      for (const told of [before, after]) {
        assertEquals(told, [...new Set(told)].sort((a, b) => Number(a) - Number(b)), `seed ${seed}`);
      }
      const delivered = alice.notices.flatMap((text) =>
        /^Delivered to Bob(?: \(through the server\))?: (.*)$/.exec(text)?.[1] ?? []
      );
      assertEquals(delivered.filter((text) => !before.includes(text) && !after.includes(text)), [], `seed ${seed}`);
      // between the two nobody has the name, which is said at once
      const failed = alice.notices.flatMap((text) => {
        const found = /^Not (?:known to be )?delivered to Bob \("\d+"(?: and (\d+) more)?\)/.exec(text);
        return found ? [1 + Number(found[1] ?? 0)] : [];
      });
      assertEquals(delivered.length + failed.reduce((sum, count) => sum + count, 0), 20, `seed ${seed}`);
      if (delivered.length === 20) arrivals++;
    }
    assertGreater(arrivals, 10);
  });
}
