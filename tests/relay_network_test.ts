/** Private messages between version 1 members through the server, on a bad network. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { BAD, type FakeClient, FakeNetwork } from "./support/fake_network.ts";

const RATE = { rate: 20, burst: 40 };

/** A network with Alice, and with Bob, whom no datagram of hers reaches. */
function apart(seed: number) {
  const network = new FakeNetwork({ seed, up: BAD, down: BAD, room: { rate: RATE } });
  const alice = network.connect({ name: "Alice" }), bob = network.connect({ name: "Bob", key: "[2001:db8::2]:40000" });
  network.passUntil(() => [alice, bob].every(({ session }) => session.state === "joined"));
  return { network, alice, bob };
}

const heard = ({ shown }: FakeClient) => shown.flatMap((it) => it.kind === "direct" ? [it.text] : []);
const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

Deno.test("relay network: a paste of hundreds of lines arrives once and in order at 30% loss, as fast as one may speak", () => {
  for (const [seed, count] of [[1, 100], [2, 100], [3, 300], [5, 300]]) {
    const { network, alice, bob } = apart(seed), said = numbers(count), begin = network.now;
    for (const text of said) alice.session.sayTo("Bob", text, network.now);
    network.passUntil(() => alice.session.waiting === 0, 300_000);
    assertEquals(heard(bob), said, `seed ${seed}`);
    // repeats are not charged as new ones: then the last would wait for minutes, or be given up
    const ms = network.now - begin, { rate, burst } = RATE;
    assertLess(1000 * (count - burst) / rate, ms);
    assertLess(ms, 1000 * (20 + count / rate), `seed ${seed}`);
    assert(bob.shown.every((it) => it.kind !== "direct" || it.relayed));
  }
});

Deno.test("relay network: both write at once, and what one says to all is not held up", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { network, alice, bob } = apart(seed), said = numbers(10);
    for (const text of said) {
      network.in(300 * Number(text), () => {
        alice.session.sayTo("Bob", text, network.now);
        bob.session.sayTo("Alice", text, network.now);
        alice.say(`all ${text}`);
      });
    }
    network.pass(30_000);
    assertEquals([heard(bob), heard(alice)], [said, said], `seed ${seed}`);
    assertEquals(network.said.map(({ text }) => text), said.map((text) => `all ${text}`), `seed ${seed}`);
  }
});
