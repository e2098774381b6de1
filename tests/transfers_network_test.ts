/** Files on a bad network: each arrives whole or not at all, whatever happens to the network, the server and the two. */
import { assert, assertEquals } from "@std/assert";
import type { Shown } from "../client/session/shown.ts";
import { seededRandom } from "../server/doors/network_emulator.ts";
import { bytesFor, type FakeDisk } from "./support/fake_files.ts";
import { BAD, type FakeClient, FakeNetwork, type FakeNetworkOptions } from "./support/fake_network.ts";

const RUNS = Number(Deno.env.get("RUNS") ?? 30);
const FIRST_SEED = Deno.env.get("SEED") === "random"
  ? Math.floor(Math.random() * 1e9)
  : Number(Deno.env.get("SEED") ?? 1);

type Ended = Extract<Shown, { kind: "transferred" }>;

/** Two members, both in the room, of which the first has a file. */
function members(network: FakeNetwork, content: Uint8Array): { alice: FakeClient; bob: FakeClient } {
  const alice = network.connect({ name: "Alice" }), bob = network.connect({ name: "Bob" });
  alice.disk.files.set("notes.pdf", content);
  network.passUntil(() => [alice, bob].every(({ session }) => session.state === "joined"));
  return { alice, bob };
}

const offer = (client: FakeClient) => client.act(({ transfers }, now) => transfers.offer("Bob", "notes.pdf", now));
const accept = (client: FakeClient) => client.act(({ transfers }, now) => transfers.accept(undefined, now));
const isOffered = ({ session }: FakeClient) => session.transfers.states.some(({ state }) => state === "asked");
const done = ({ session }: FakeClient) => session.transfers.states[0]?.done ?? 0;
const ends = ({ shown }: FakeClient) => shown.filter((shown): shown is Ended => shown.kind === "transferred");
const problems = (client: FakeClient) => ends(client).map(({ problem }) => problem);

/** Lets Bob have the file offered and accept it, and so much of it get there. */
function begun(network: FakeNetwork, content: Uint8Array, bytes = 0): { alice: FakeClient; bob: FakeClient } {
  const { alice, bob } = members(network, content);
  offer(alice);
  assert(network.passUntil(() => isOffered(bob)) !== undefined, "it is not offered");
  accept(bob);
  if (bytes > 0) assert(network.passUntil(() => done(bob) >= bytes) !== undefined, "it does not begin");
  return { alice, bob };
}

const bothEnded = (alice: FakeClient, bob: FakeClient) => () => ends(alice).length > 0 && ends(bob).length > 0;

Deno.test("transfers: a file arrives whole, on a good network and on a bad one, an empty one too", () => {
  for (const conditions of [{}, { drop: 0.1, delay: [20, 40] as [number, number] }, BAD]) {
    for (const size of [0, 1, 1000, 300_000]) {
      const content = bytesFor(size), network = new FakeNetwork({ up: conditions, down: conditions });
      const { alice, bob } = begun(network, content);
      assert(network.passUntil(bothEnded(alice, bob), 120_000) !== undefined, `${size} does not end`);
      assertEquals([problems(alice), problems(bob)], [[undefined], [undefined]]);
      assertEquals(bob.disk.files.get("notes.pdf"), content);
      assertEquals([bob.disk.partial.size, alice.files.open, bob.files.open], [0, 0, 0]);
    }
  }
});

Deno.test("transfers: nothing is written before it is accepted, and nothing at all when it is declined", () => {
  const network = new FakeNetwork(), { alice, bob } = members(network, bytesFor(5000));
  offer(alice);
  network.pass(120_000);
  assertEquals([isOffered(bob), bob.disk.partial.size, bob.files.open], [true, 0, 0]);
  bob.act(({ transfers }, now) => transfers.decline(undefined, now));
  network.pass(1000);
  assertEquals([problems(alice), bob.notices.at(-1)], [
    ["Bob does not want it"],
    "You have declined notes.pdf from Alice",
  ]);
  assertEquals([bob.disk.files.size, alice.session.transfers.states], [0, []]);
});

Deno.test("transfers: an existing file is not overwritten", () => {
  const network = new FakeNetwork(), content = bytesFor(5000), { alice, bob } = members(network, content);
  bob.disk.files.set("notes.pdf", bytesFor(10, 9));
  offer(alice);
  network.passUntil(() => isOffered(bob));
  accept(bob);
  network.passUntil(bothEnded(alice, bob));
  assertEquals([bob.disk.files.get("notes.pdf"), bob.disk.files.get("notes.pdf (2)")], [bytesFor(10, 9), content]);
});

Deno.test("transfers: behind NATs that let nothing through it goes by the server, and both are told", () => {
  const network = new FakeNetwork(), content = bytesFor(200_000), { alice, bob } = members(network, content);
  alice.unreachable.add(bob);
  bob.unreachable.add(alice);
  offer(alice);
  assert(network.passUntil(() => isOffered(bob)) !== undefined);
  accept(bob);
  network.passUntil(() => done(bob) > 0);
  assertEquals([alice, bob].map(({ session }) => session.transfers.states[0].isRelayed), [true, true]);
  network.passUntil(bothEnded(alice, bob));
  assertEquals(bob.disk.files.get("notes.pdf"), content);
  const told = "Bob can't be reached directly; sending through the server. /direct only forbids that";
  assertEquals(alice.notices.filter((text) => text === told).length, 1);
});

Deno.test("transfers: the direct way is cut in the middle, in one direction or both, and opens again", () => {
  for (const [isToBob, isToAlice] of [[true, true], [true, false], [false, true]]) {
    const content = bytesFor(8_000_000);
    const slow: FakeNetworkOptions = { up: { delay: [20, 20] }, room: { relayRate: 200_000 } };
    const network = new FakeNetwork(slow), { alice, bob } = begun(network, content, 100_000);
    assertEquals(alice.session.transfers.states[0].isRelayed, false);
    if (isToBob) alice.unreachable.add(bob);
    if (isToAlice) bob.unreachable.add(alice);
    const isRelayed = network.passUntil(() =>
      alice.session.transfers.states[0].isRelayed || bob.session.transfers.states[0].isRelayed
    );
    assert(isRelayed !== undefined && isRelayed < 5000, `${isRelayed} ms`);
    const before = done(bob);
    const goesOn = network.passUntil(() => done(bob) > before + 10_000, 10_000);
    // where nothing passes in either direction both find out at once
    const limit = isToBob && isToAlice ? 500 : 2000;
    assert(goesOn !== undefined && goesOn < limit, `it goes on after ${goesOn} ms`);
    alice.unreachable.clear();
    bob.unreachable.clear();
    const isDirect = network.passUntil(() =>
      [alice, bob].every(({ session }) => session.transfers.states[0]?.isRelayed === false)
    );
    assert(isDirect !== undefined && isDirect < 6000, `direct after ${isDirect} ms`);
    network.passUntil(bothEnded(alice, bob), 120_000);
    assertEquals(bob.disk.files.get("notes.pdf"), content);
  }
});

Deno.test("transfers: kill -9 of either, and the same file offered again goes on where it was", () => {
  for (const whose of ["receiver", "sender"] as const) {
    const content = bytesFor(2_000_000), network = new FakeNetwork({ up: { delay: [20, 20] } });
    const { alice, bob } = begun(network, content, 500_000);
    const [killed, other] = whose === "receiver" ? [bob, alice] : [alice, bob];
    killed.crash();
    // until then the server keeps the name
    network.pass(70_000);
    const { name } = killed.session, key = "10.0.8.8:1000";
    const again = network.connect({ name, key, disk: killed.disk as FakeDisk });
    network.passUntil(() => again.session.state === "joined");
    const [why] = problems(other);
    assertEquals(why, `nothing has come from ${name} for 30 seconds; offered again, it goes on where it was`);
    const [sender, receiver] = whose === "receiver" ? [alice, again] : [again, bob];
    offer(sender);
    assert(network.passUntil(() => isOffered(receiver)) !== undefined);
    accept(receiver);
    network.passUntil(() => ends(receiver).some(({ path }) => path !== undefined), 120_000);
    assertEquals(receiver.disk.files.get("notes.pdf"), content);
    const had = ends(receiver).at(-1)!.had;
    assert(had > 200_000, `it began again at ${had}`);
  }
});

Deno.test("transfers: who leaves ends theirs, and the other one is told", () => {
  for (const whose of ["receiver", "sender"] as const) {
    const network = new FakeNetwork({ up: { delay: [20, 20] } });
    const { alice, bob } = begun(network, bytesFor(2_000_000), 100_000);
    const [leaving, other] = whose === "receiver" ? [bob, alice] : [alice, bob];
    leaving.act((session, now) => session.close(now));
    const took = network.passUntil(() => ends(other).length > 0);
    assert(took !== undefined && took < 1000, `${took} ms`);
    assert(problems(other)[0]?.includes(`${leaving.session.name} has left`), problems(other)[0]);
    assertEquals(problems(leaving), ["you have left"]);
  }
});

Deno.test("transfers: a full disk, and a file that changes while it is sent, end it in words at both ends", () => {
  const cases: [(alice: FakeClient, bob: FakeClient) => void, string, string][] = [
    [
      (_, bob) => bob.disk.free = 100_000,
      "the disk of Bob is full; offered again, it goes on where it was",
      "it is disk-full",
    ],
    [
      (alice) => alice.disk.files.set("notes.pdf", bytesFor(7)),
      "it is changed",
      "it was changed while Alice was sending it",
    ],
  ];
  for (const [act, there, here] of cases) {
    const network = new FakeNetwork({ up: { delay: [20, 20] } });
    const { alice, bob } = begun(network, bytesFor(2_000_000), 100_000);
    act(alice, bob);
    network.passUntil(bothEnded(alice, bob));
    assertEquals([problems(alice), problems(bob), bob.disk.files.size], [[there], [here], 0]);
  }
});

Deno.test("transfers: nobody has the name, the user's own name, and a program with a connection", () => {
  const network = new FakeNetwork(), { alice } = members(network, bytesFor(10));
  for (const [who, why] of [["Carol", "nobody here has that name"], ["Alice", "that is you"]]) {
    alice.act(({ transfers }, now) => transfers.offer(who, "notes.pdf", now));
    network.passUntil(() => ends(alice).at(-1)?.peer === who);
    assertEquals(problems(alice).at(-1), why);
  }
  alice.act(({ transfers }, now) => transfers.offer("Bob", "nothing.pdf", now));
  network.passUntil(() => problems(alice).at(-1) === "it is not-found");
  assertEquals(problems(alice).at(-1), "it is not-found");
});

Deno.test("transfers: someone who comes late is waited for", () => {
  const network = new FakeNetwork(), { alice } = members(network, bytesFor(10));
  alice.act(({ transfers }, now) => transfers.offer("Carol", "notes.pdf", now, now + 20_000));
  network.pass(15_000);
  const carol = network.connect({ name: "Carol" });
  assert(network.passUntil(() => isOffered(carol), 10_000) !== undefined);
  alice.act(({ transfers }, now) => transfers.offer("Dora", "notes.pdf", now, now + 20_000));
  const took = network.passUntil(() => problems(alice).includes("nobody here has that name"), 40_000);
  assert(took !== undefined && took >= 19_000 && took < 25_000, `${took} ms`);
});

Deno.test("transfers: who was there and has left without a word is not waited for, and the sender is told how to go on", () => {
  const network = new FakeNetwork({ room: { timeout: 5000 } }), { alice, bob } = members(network, bytesFor(2e6));
  alice.act(({ transfers }, now) => transfers.offer("Bob", "notes.pdf", now, now + 20_000));
  network.passUntil(() => isOffered(bob));
  accept(bob);
  network.passUntil(() => done(bob) > 100_000);
  bob.crash();
  const took = network.passUntil(() => ends(alice).length > 0);
  assertEquals(problems(alice), ["Bob has left; offered again, it goes on where it was"]);
  assert(took !== undefined && took < 12_000, `${took} ms`);
});

Deno.test("transfers: whatever happens to the network, the server and the two, a file is whole or not there", () => {
  let whole = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
    const random = seededRandom(seed), content = bytesFor(Math.floor(random() ** 2 * 600_000), seed);
    const conditions = {
      drop: random() * 0.3,
      duplicate: 0.05,
      corrupt: 0.01,
      delay: [1, 1 + random() * 150] as [number, number],
    };
    const network = new FakeNetwork({ seed, up: conditions, down: conditions }),
      { alice, bob } = members(network, content);
    offer(alice);
    const events = [
      () => bob.move(`10.0.7.${seed % 250}:${1000 + Math.floor(random() * 50_000)}`),
      () => alice.move(`10.0.6.${seed % 250}:${1000 + Math.floor(random() * 50_000)}`),
      () => (alice.unreachable.add(bob), network.in(random() * 8000, () => alice.unreachable.clear())),
      () => (bob.unreachable.add(alice), network.in(random() * 8000, () => bob.unreachable.clear())),
      () => {
        network.stopServer({ goodbye: random() < 0.5 });
        network.in(random() * 10_000, () => network.startServer({ remember: random() < 0.5 }));
      },
      () => bob.act((session, now) => session.rename(`Bob${Math.floor(random() * 9)}`, now)),
    ];
    for (let i = 0; i < 3; i++) network.in(random() * 15_000, events[Math.floor(random() * events.length)]);
    network.passUntil(() => isOffered(bob), 30_000);
    accept(bob);
    const what = `SEED=${seed} RUNS=1`;
    const isOver = () => [alice, bob].every(({ session }) => session.transfers.states.length === 0);
    assert(network.passUntil(isOver, 300_000) !== undefined, `${what}: it does not end`);
    const there = bob.disk.files.get("notes.pdf");
    if (there) assertEquals(there, content, what);
    if (there) whole++;
    else assert(problems(bob).at(-1) !== undefined || !ends(bob).length, `${what}: ${problems(bob)}`);
    assertEquals([alice.files.open, bob.files.open], [0, 0], what);
  }
  assert(whole >= RUNS * 0.6, `only ${whole} of ${RUNS} arrived`);
});
