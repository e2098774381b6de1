/** What a room on a network in memory costs in datagrams, how long it takes, and when its server counts as gone. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { BAD, FakeNetwork } from "./support/fake_network.ts";

Deno.test("network: at 30% loss nobody takes the server for gone, though half of the greetings have no answer", () => {
  const network = new FakeNetwork({ seed: 4, up: BAD, down: BAD });
  const clients = Array.from({ length: 5 }, () => network.connect());
  network.passUntil(() => clients.every(({ session }) => session.state === "joined"));
  for (const { shown } of clients) shown.length = 0;
  for (let i = 0; i < 120; i++) network.in(i * 5000, () => clients[i % 5].say(`${i}`));
  network.pass(600_000);
  const told = clients.flatMap(({ notices }) => notices);
  assertEquals(told.filter((text) => text.includes("No answer")).length, 0, "in ten minutes with a message every 5 s");
});

Deno.test("network: a server whose answers to greetings are lost, but nothing else, is not taken for gone", () => {
  for (const keepalive of [1000, 20_000]) {
    const network = new FakeNetwork({ seed: 5 });
    const send = network.send.bind(network);
    let isLosing = false;
    network.send = (to, packet) => {
      if (packet.type !== "WELCOME") send(to, packet);
      else if (!isLosing) send(to, { ...packet, keepalive });
    };
    const clients = Array.from({ length: 3 }, () => network.connect());
    network.pass(5000);
    isLosing = true;
    for (let i = 0; i < 100; i++) network.in(i * 500, () => clients[i % 3].say(`${i}`));
    network.pass(50_000);
    for (const { session, notices, texts } of clients) {
      assertEquals([session.state, notices, texts.length], ["joined", [], 100]);
    }
  }
});

Deno.test("network: without loss a message costs one datagram up and one down for each member, and a few heartbeats", () => {
  const network = new FakeNetwork({ seed: 1 });
  const clients = Array.from({ length: 30 }, () => network.connect());
  network.pass(60_000);
  const idle = network.statistics.sent;
  network.pass(10_000);
  const perSecond = (network.statistics.sent - idle) / 10;
  const before = network.statistics.sent;
  for (let i = 0; i < 100; i++) network.in(i * 100, () => clients[i % 30].say(`${i}`));
  network.pass(10_000);
  const cost = (network.statistics.sent - before - 10 * perSecond) / 100;
  assert(cost >= 31, `${cost} datagrams a message`);
  assertLess(cost, 31 * 2.2, "no acknowledgement that grows with the room");
});

Deno.test("network: 30 members at 30% loss hear a message within seconds, the most of them at once", () => {
  const network = new FakeNetwork({ seed: 3, up: BAD, down: BAD });
  const clients = Array.from({ length: 30 }, () => network.connect());
  network.pass(20_000);
  const took: number[] = [];
  for (let i = 0; i < 50; i++) {
    clients[i % 30].say(`${i}`);
    const ms = network.passUntil(() => clients.every(({ texts }) => texts.at(-1) === `${i}`), 30_000);
    assert(ms !== undefined, `message ${i} has not arrived everywhere`);
    took.push(ms);
    network.pass(500);
  }
  took.sort((a, b) => a - b);
  console.log(`  until all 30 have it: median ${took[25]} ms, longest ${took[49]} ms`);
  assertLess(took[25], 6000);
});
