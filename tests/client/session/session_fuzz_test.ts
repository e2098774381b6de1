/** A session gets odd packets of every type while its user asks for everything that it can ask for. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { mutations } from "../../../scripts/attacks/mutations.ts";
import { seededRandom } from "../../../server/doors/network_emulator.ts";
import { ADDRESS, EPOCH, FakeSession, SERVER, TOKEN } from "../../support/fake_session.ts";

/** How many datagrams each session gets. */
const DATAGRAMS = 3000;

Deno.test("session fuzz: whatever comes, it says what became of all that was asked for", () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 6; seed++) {
    const random = seededRandom(seed), fake = new FakeSession({ name: "Alice", random });
    const { session } = fake, states = new Set<string>();
    /** The ids that answers can have, and the stream of what is said. */
    const ids = [1];
    let stream = EPOCH, sent = 0;
    const known = () => ({
      token: TOKEN,
      epoch: EPOCH,
      stream,
      id: ids[Math.floor(random() * ids.length)],
      address: ADDRESS,
    });
    const next = mutations(random, known);
    const user = [
      () => session.rename(["Alicia", "Bob", "Ali"][Math.floor(3 * random())], fake.now),
      () => session.order("mute Bob 5", fake.now),
      () => session.comeBack(fake.now),
      () => session.say("hello", fake.now),
      () => session.list(fake.now),
      () => session.history(5, fake.now),
      () => session.sayTo("Bob", "psst", fake.now),
      () => session.reply("psst", fake.now),
    ];
    fake.welcome();
    for (let i = 0; i < DATAGRAMS; i++) {
      if (random() < 0.05) user[Math.floor(random() * user.length)]();
      const wasExpelled = session.state === "expelled";
      session.take(next(), SERVER, fake.now);
      const packets = fake.take();
      sent += packets.length;
      for (const { packet } of packets) {
        if (packet.dialect !== "v1") continue;
        if ("id" in packet && packet.id !== undefined && packet.type !== "ACK") ids.push(packet.id);
        if (packet.type === "MESSAGE" && packet.pass === undefined) stream = packet.stream;
        // what answers who is met on the way may still go to them
        if (wasExpelled) assert(packet.type === "ACK" || packet.type === "OPEN", packet.type);
      }
      while (ids.length > 6) ids.shift();
      states.add(session.state);
      if (i % 10 === 0) fake.pass(20);
      if (session.state === "refused" && random() < 0.1) session.rename("Alice", fake.now);
      if (session.state === "joining" && random() < 0.1) fake.welcome({ name: session.name });
    }
    for (const state of ["expelled", "joined", "joining"]) assert(states.has(state), state);
    for (const { kind } of fake.shown) kinds.add(kind);
    assertLess(sent, 3 * DATAGRAMS);
    // what is open now is given up in the end, and nothing is asked for without end
    if (session.state === "refused") session.rename("Alice", fake.now);
    if (session.state === "expelled") session.comeBack(fake.now);
    fake.pass(20_000);
    session.drain(fake.now);
    fake.pass(30_000);
    assertEquals(session.state, "closed", `seed ${seed}`);
  }
  for (const kind of ["announcement", "renamed", "notice", "problem"]) assert(kinds.has(kind), kind);
});
