/**
 * How long it takes until what is said is shown, on a network in memory that loses datagrams, and what that costs.
 *
 * The time is that of the network, so the numbers are the same on each machine, and a worse one is a change of ours. A
 * round trip takes 2 ms. `RUNS=1000 SEED=random` plays more networks.
 */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { FakeNetwork } from "./support/fake_network.ts";

/** How many networks are played with two members; a tenth of them with thirty, which has more deliveries each. */
const RUNS = Number(Deno.env.get("RUNS") ?? 60);
const FIRST_SEED = Deno.env.get("SEED") === "random" ? Math.floor(2 ** 32 * Math.random()) : 1;
/** Milliseconds from one message to the next, of all members together, who take turns. */
const INTERVAL_MS = 250;
const MESSAGES = 60;

/** What a room must reach: milliseconds from when something is said until another member shows it, and datagrams. */
interface Bounds {
  median: number;
  p90: number;
  p99: number;
  /** Of both directions, for each message, greetings and heartbeats included. */
  datagrams: number;
}

/** The datagrams are 1.6 times those that it took without further copies and early repeats, and without loss no more. */
const BOUNDS: [members: number, loss: number, bounds: Bounds][] = [
  [2, 0, { median: 2, p90: 2, p99: 2, datagrams: 6.1 }],
  [2, 0.1, { median: 2, p90: 12, p99: 45, datagrams: 1.6 * 7.2 }],
  [2, 0.3, { median: 12, p90: 35, p99: 200, datagrams: 1.6 * 10.2 }],
  [30, 0, { median: 2, p90: 2, p99: 2, datagrams: 77 }],
  [30, 0.1, { median: 2, p90: 12, p99: 50, datagrams: 1.6 * 87.5 }],
  [30, 0.3, { median: 12, p90: 35, p99: 200, datagrams: 1.6 * 119 }],
];

/** Plays one network, and adds the delays to a list. Returns how many datagrams were sent meanwhile. */
function play(members: number, loss: number, seed: number, delays: number[]): number {
  const network = new FakeNetwork({ seed, up: { drop: loss }, down: { drop: loss } });
  const clients = Array.from({ length: members }, () => network.connect());
  assert(network.passUntil(() => clients.every(({ session }) => session.state === "joined")) !== undefined);
  network.pass(15_000);
  const saidAt: number[] = [], sentBefore = network.statistics.sent;
  for (const [i, { shown }] of clients.entries()) {
    const push = shown.push.bind(shown);
    shown.push = (...items) => {
      for (const item of items) {
        if (item.kind === "message" && Number(item.text) % members !== i) delays.push(network.now - saidAt[+item.text]);
      }
      return push(...items);
    };
  }
  for (let i = 0; i < MESSAGES; i++) {
    network.in(i * INTERVAL_MS, () => {
      saidAt[i] = network.now;
      clients[i % members].say(`${i}`);
    });
  }
  network.pass(MESSAGES * INTERVAL_MS);
  const { sent } = network.statistics;
  network.pass(30_000);
  return sent - sentBefore;
}

for (const [members, loss, bounds] of BOUNDS) {
  Deno.test(`latency: ${members} members, ${100 * loss}% lost each way: said to shown, and the datagrams for it`, () => {
    const delays: number[] = [], runs = Math.max(2, Math.ceil(members === 2 ? RUNS : RUNS / 20));
    let sent = 0;
    for (let run = 0; run < runs; run++) sent += play(members, loss, FIRST_SEED + run, delays);
    delays.sort((a, b) => a - b);
    const at = (share: number) => delays[Math.floor(share * (delays.length - 1))];
    const measured = { median: at(0.5), p90: at(0.9), p99: at(0.99), datagrams: sent / runs / MESSAGES };
    console.log(`  ${JSON.stringify(measured)}, seeds from ${FIRST_SEED}`);
    assertEquals(delays.length, runs * MESSAGES * (members - 1), "each message is shown by each other member once");
    for (const [what, most] of Object.entries(bounds)) {
      assertLessOrEqual(measured[what as keyof Bounds], most, what);
    }
  });
}
