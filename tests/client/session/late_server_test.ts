/** A server of version 1 that is started after its first client, which has tried the classic dialect meanwhile. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { seededRandom } from "../../../server/doors/network_emulator.ts";
import { BAD, FakeNetwork } from "../../support/fake_network.ts";

Deno.test("late server: what was typed is said once, in version 1, also when the server comes much later and others talk at once", () => {
  for (let seed = 1; seed <= 120; seed++) {
    const random = seededRandom(seed);
    const network = new FakeNetwork({ seed, up: BAD, down: BAD });
    network.stopServer();
    const client = network.connect(), other = network.connect();
    // around the first classic greeting, and at any time later
    const startsAt = Math.round(seed % 2 ? 1500 + 1500 * random() : 80_000 * random());
    const said = Array.from({ length: 8 }, (_, i) => `${i}`);
    const times = said.map(() => Math.round((startsAt + 3000) * random())).sort((a, b) => a - b);
    for (const [i, text] of said.entries()) network.in(times[i], () => client.say(text));
    for (let i = 0; i < 20; i++) network.in(startsAt + Math.round(10_000 * random()), () => other.say(`other ${i}`));
    network.in(startsAt, () => network.startServer());
    network.pass(startsAt + 60_000);
    const texts = network.said.map(({ text }) => text).filter((text) => !text.startsWith("other"));
    assertEquals([client.session.state, texts], ["joined", said], `seed ${seed}, started after ${startsAt} ms`);
  }
});

Deno.test("late server: one that is started after its first client is joined in two seconds, or a quarter of the time", () => {
  for (let startsAt = 0; startsAt < 60_000; startsAt += startsAt < 10_000 ? 97 : 977) {
    const network = new FakeNetwork();
    network.stopServer();
    const client = network.connect();
    network.pass(startsAt);
    network.startServer();
    const passed = network.passUntil(() => client.session.state === "joined");
    assertLessOrEqual(passed!, Math.min(10_000, Math.max(2000, startsAt / 4 + 10)), `started after ${startsAt} ms`);
  }
});
