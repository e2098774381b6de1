/** A look at what was said before. */
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import type { Fact } from "../../../client/session/facts.ts";
import { History } from "../../../client/session/history.ts";
import type { EventPacket } from "../../../protocol.ts";
import type { SeqRange } from "../../../protocol/reliable/requested_ranges.ts";
import { RoundTrip } from "../../../protocol/reliable/round_trip.ts";
import { type FakeClient, FakeNetwork, type FakeNetworkOptions } from "../../support/fake_network.ts";
import { EPOCH, FakeSession, incoming } from "../../support/fake_session.ts";
import { peerOf } from "../../support/peer_of.ts";

function online(seq: number): EventPacket {
  return { dialect: "v1", type: "ONLINE", epoch: EPOCH, seq, at: 0, members: [{ address: `10.0.0.1:${seq}` }] };
}

function history() {
  const requests: SeqRange[] = [];
  const done: [number[], number][] = [];
  const h = new History({ roundTrip: new RoundTrip(), request: (range) => requests.push(range) });
  const note = (facts: Fact[]) => {
    for (const fact of facts) {
      if (fact.type === "history") done.push([fact.messages.map(({ seq }) => seq), fact.missing]);
    }
  };
  const take = (event: EventPacket, now: number) => note(h.take(event, now));
  const markGone = (range: SeqRange, now: number) => note(h.markGone(range, now));
  const markUnshown = (seq: number, now: number) => note(h.markUnshown(seq, now));
  const wake = (now: number) => note(h.wake(now));
  return { history: h, requests, done, take, markGone, markUnshown, wake };
}

Deno.test("history: asks at once, and gives the messages in order when all are there", () => {
  const { history: h, requests, done, take } = history();
  h.ask(3, 5, 0);
  assertEquals([requests, h.isOpen], [[{ from: 1, to: 5 }], true]);
  for (const seq of [5, 3, 3, 9, 2, 1]) take(incoming(seq), 0);
  assertEquals(done, []);
  take(incoming(4), 0);
  assertEquals([done, h.isOpen, h.nextWake], [[[[3, 4, 5], 0]], false, undefined]);
});

Deno.test("history: asks again for what is still missing", () => {
  const { history: h, requests, take, wake } = history();
  h.ask(9, 9, 0);
  for (const seq of [1, 2, 5, 9]) take(incoming(seq), 0);
  wake(h.nextWake! - 1);
  assertEquals(requests.length, 1);
  wake(h.nextWake!);
  assertEquals(requests.at(-1), { from: 3, to: 8 });
});

Deno.test("history: what the server has no more is not waited for", () => {
  const { history: h, requests, done, take, markGone } = history();
  h.ask(20, 205, 0);
  markGone({ from: 106, to: 203 }, 0);
  for (const seq of [204, 205]) take(incoming(seq), 0);
  assertEquals([done, requests.length], [[[[204, 205], 0]], 1]);
});

Deno.test("history: pages are read back from the latest event until enough messages are found", () => {
  const { history: h, requests, done, take } = history();
  h.ask(20, 320, 0);
  // only the first twenty are messages: three hundred arrivals follow
  for (let round = 1; h.isOpen && round < 10; round++) {
    const { from, to } = requests.at(-1)!;
    for (let seq = from; seq <= to; seq++) take(seq <= 20 ? incoming(seq) : online(seq), 10 * round);
  }
  assertEquals(requests.map(({ from, to }) => [from, to]), [[221, 320], [121, 220], [21, 120], [1, 20]]);
  assertEquals(done, [[Array.from({ length: 20 }, (_, i) => i + 1), 0]]);
});

Deno.test("history: after 5 s it gives what is there, the pages that were read before included", () => {
  const { history: h, requests, done, take, wake } = history();
  h.ask(150, 105, 0);
  for (let seq = 6; seq <= 105; seq++) take(incoming(seq), 0);
  take(incoming(2), 0);
  let at = 0;
  while (h.nextWake !== undefined) wake(at = h.nextWake);
  assertEquals([at, done], [5000, [[[2, ...Array.from({ length: 100 }, (_, i) => i + 6)], 4]]]);
  assertGreater(requests.length, 4);
  assertLess(requests.length, 20);
});

Deno.test("history: one's own message, of which there is no echo, is not the beginning of all", () => {
  const { history: h, requests, done, take, markUnshown } = history();
  h.ask(150, 250, 0);
  markUnshown(151, 0);
  for (let seq = 152; seq <= 250; seq++) take(incoming(seq), 0);
  assertEquals([done, requests.at(-1)], [[], { from: 51, to: 150 }]);
});

Deno.test("history: each page has 5 s of its own, so that a long past arrives whole", () => {
  const { history: h, requests, done, take, wake } = history();
  h.ask(1000, 500, 0);
  for (let page = 0, now = 0; h.isOpen && page < 10; page++) {
    now += 4000;
    wake(now);
    const { from, to } = requests.at(-1)!;
    for (let seq = from; seq <= to; seq++) take(incoming(seq), now);
  }
  assertEquals(done.map(([seqs, missing]) => [seqs.length, missing]), [[500, 0]]);
});

Deno.test("history: no answer in time is said as such, and is no empty past", () => {
  const fake = new FakeSession();
  for (let greeting = 1; greeting <= 2; greeting++) fake.welcome({ seq: 5, keepalive: 60_000 });
  fake.session.history(20, fake.now);
  fake.pass(4999);
  assertEquals(fake.notices, []);
  fake.pass(1);
  assertEquals(fake.notices, ["The server has not answered in time; try again"]);
});

Deno.test("history: what another epoch has lost says nothing about this one", () => {
  const fake = new FakeSession();
  for (let greeting = 1; greeting <= 2; greeting++) fake.welcome({ seq: 5, keepalive: 60_000 });
  fake.session.history(20, fake.now);
  fake.receive({ dialect: "v1", type: "GONE", epoch: "0000000000000001", from: 1, to: 5 });
  assertEquals(fake.notices, [], "the answer is still awaited");
  fake.receive({ dialect: "v1", type: "GONE", epoch: EPOCH, from: 1, to: 5 });
  assertEquals(fake.notices, ["The server has no earlier messages"]);
});

Deno.test("history: without a question nothing is taken", () => {
  const { done, take, markGone, wake } = history();
  take(incoming(1), 0);
  markGone({ from: 1, to: 2 }, 0);
  wake(10_000);
  assertEquals(done, []);
});

/** A room in which Alice has said some texts before Bob came. */
function latecomer(texts: string[], options: FakeNetworkOptions = {}) {
  const network = new FakeNetwork(options);
  const alice = network.connect({ name: "Alice" });
  network.passUntil(() => alice.session.state === "joined");
  for (const text of texts) alice.say(text);
  network.passUntil(() => alice.texts.length === texts.length);
  const bob = network.connect();
  network.passUntil(() => bob.session.state === "joined");
  // the arrival is told a moment later
  network.pass(1000);
  return { network, alice, bob };
}

/** Looks into the past, and returns what is shown of it before the answer is given up. */
function look(network: FakeNetwork, client: FakeClient, length: number): string[] {
  const before = client.shown.length;
  client.act((session, now) => session.history(length, now));
  network.pass(6000);
  return client.shown.slice(before).flatMap((shown) => "text" in shown ? [shown.text] : []);
}

const NUMBERS = Array.from({ length: 30 }, (_, i) => `text ${i + 1}`);

Deno.test("history: one who comes late sees none of the past, and the last messages of it on demand", () => {
  const { network, bob } = latecomer(NUMBERS);
  assertEquals(bob.texts, []);
  assertEquals(look(network, bob, 20), ["The last 20 messages:", ...NUMBERS.slice(10), "That was the past"]);
  assertEquals(look(network, bob, 1).slice(1), ["text 30", "That was the past"]);
  assertEquals(look(network, bob, 99), ["The last 30 messages:", ...NUMBERS, "That was the past"]);
});

Deno.test("history: on a network that loses three in ten it is the same, or it is said that some are missing", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const bad = { drop: 0.3, duplicate: 0.05, delay: [0, 20] as [number, number] };
    const { network, bob } = latecomer(NUMBERS, { seed, up: bad, down: bad });
    const shown = look(network, bob, 20);
    const messages = shown.filter((text) => NUMBERS.includes(text));
    assertEquals(messages, NUMBERS.filter((text) => messages.includes(text)), "in order, each once");
    if (shown.some((text) => /missing|missed/.test(text))) continue;
    assertEquals(messages, NUMBERS.slice(10), `seed ${seed}`);
  }
});

Deno.test("history: twenty messages are found behind three hundred arrivals, on a bad network too", () => {
  for (const drop of [0, 0.2]) {
    const { network, bob } = latecomer(NUMBERS, { seed: 3, up: { drop }, down: { drop } });
    for (let port = 1; port <= 300; port++) {
      network.room!.receive(
        { dialect: "classic", type: "GREETING", line: false },
        peerOf(`10.1.0.1:${port}`),
        network.now,
        8,
      );
      // far enough apart that each is told by itself
      network.pass(700);
    }
    assertEquals(look(network, bob, 20).filter((text) => NUMBERS.includes(text)), NUMBERS.slice(10), `loss ${drop}`);
  }
});

Deno.test("history: what is said meanwhile comes in its own place, once", () => {
  const { network, alice, bob } = latecomer(NUMBERS);
  bob.act((session, now) => session.history(5, now));
  alice.say("meanwhile");
  network.pass(1000);
  assertEquals(bob.texts.toSorted(), [...NUMBERS.slice(25), "meanwhile"].toSorted());
  alice.say("after");
  network.pass(1000);
  assertEquals(bob.texts.at(-1), "after");
  assertEquals(bob.texts.length, 7);
});

Deno.test("history: where nothing was said, or the server has it no more, it says so", () => {
  const empty = new FakeNetwork();
  const alone = empty.connect();
  empty.passUntil(() => alone.session.state === "joined");
  assertEquals(look(empty, alone, 20), ["Nothing was said here yet"]);
  empty.pass(1000);
  assertEquals(look(empty, alone, 20), ["The server has no earlier messages"]);

  const { network, bob } = latecomer(NUMBERS, { window: { events: 5 } });
  const shown = look(network, bob, 20).filter((text) => NUMBERS.includes(text));
  assertEquals(shown, NUMBERS.slice(25));
});

Deno.test("history: a server that begins anew has another past, and the two are not mixed", () => {
  const { network, alice, bob } = latecomer(NUMBERS);
  network.stopServer();
  bob.act((session, now) => session.history(20, now));
  network.startServer();
  network.passUntil(() => [alice, bob].every(({ notices }) => notices.some((text) => /anew/.test(text))));
  for (const text of ["new 1", "new 2", "new 3"]) alice.say(text);
  network.pass(10_000);
  assertEquals(bob.texts, ["new 1", "new 2", "new 3"], "each once");
  assertEquals(bob.notices.filter((text) => /^The last/.test(text)), [], "the past that was asked for is gone");
});
