/** Private messages through the server on a bad network: each arrives once, in the order of its sender, both ways. */
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { BAD, type FakeClient, FakeNetwork } from "./support/fake_network.ts";

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
const BOB = "10.0.9.1:1001";

/** What a client was told privately by a name, and through the server or not. */
function privately({ shown }: FakeClient, by: string): string[] {
  return shown.flatMap((it) => it.kind === "direct" && it.name === by ? [`${it.relayed ?? false} ${it.text}`] : []);
}

/** What stands behind a beginning, of the lines that have it. */
function behind(lines: string[], beginning: string): string[] {
  return lines.filter((line) => line.startsWith(beginning)).map((line) => line.slice(beginning.length));
}

Deno.test("private network: among version 1 members one with a connection gets and sends each once, in order, at 30% loss", () => {
  for (const seed of SEEDS) {
    const network = new FakeNetwork({ seed, up: BAD, down: BAD, room: { rate: { rate: 20, burst: 40 } } });
    const members = ["Alice", "Carol", "Zoe"].map((name) => network.connect({ name }));
    const bob = network.connectLines(`tcp ${BOB}`);
    bob.type("/name Bob");
    network.passUntil(() => members.every(({ session }) => session.state === "joined"));
    const said = Array.from({ length: 12 }, (_, i) => `${i}`);
    for (const text of said) {
      for (const { session } of members) {
        network.in(Number(text) * 150, () => session.sayTo("Bob", `to Bob ${text}`, network.now));
      }
      network.in(Number(text) * 150, () => {
        for (const { session: { name } } of members) bob.type(`/send ${name} from Bob ${text}`);
      });
      // meanwhile they write to each other, and to all
      network.in(Number(text) * 150, () => members[0].session.sayTo("Carol", `direct ${text}`, network.now));
      network.in(Number(text) * 150, () => members[1].say(`all ${text}`));
    }
    network.pass(60_000);
    for (const { session: { name }, address } of members) {
      const texts = behind(bob.lines, `<- <From ${address}:${name}> (through the server): to Bob `);
      assertEquals(texts, said, `seed ${seed}: ${name} to Bob`);
    }
    for (const member of members) {
      const { session: { name } } = member, what = `seed ${seed}: Bob to ${name}`;
      assertEquals(privately(member, "Bob"), said.map((text) => `true from Bob ${text}`), what);
      assertEquals(behind(bob.lines, `-> ${name} (through the server): from Bob `), said, what);
      assertEquals(member.notices.filter((text) => text.startsWith("Delivered to Bob")).length, said.length, what);
      const told = "Bob has a TCP connection; sending through the server. /direct only forbids that";
      assertEquals(member.notices.filter((text) => text === told).length, 1);
    }
    const direct = privately(members[1], "Alice").map((text) => text.replace(/^\w+ /, ""));
    assertEquals(direct, said.map((text) => `direct ${text}`), `seed ${seed}: from Alice to Carol`);
    assertEquals(behind(bob.lines, "!!"), [], `seed ${seed}`);
    assertEquals(
      network.said.map(({ text }) => text),
      said.map((text) => `all ${text}`),
      `seed ${seed}: not published`,
    );
  }
});

Deno.test("private network: as fast as may be, from both sides at once, each arrives once and in order", () => {
  for (const seed of SEEDS.slice(0, 5)) {
    const network = new FakeNetwork({ seed, up: BAD, down: BAD, room: { rate: { rate: 20, burst: 40 } } });
    const alice = network.connect({ name: "Alice" }), bob = network.connectLines(`tcp ${BOB}`);
    bob.type("/name Bob");
    network.passUntil(() => alice.session.state === "joined");
    const said = Array.from({ length: 100 }, (_, i) => `${i}`);
    for (const text of said) {
      alice.session.sayTo("Bob", text, network.now);
      bob.type(`/send Alice ${text}`);
    }
    network.passUntil(
      () => alice.session.waiting === 0 && bob.lines.includes("-> Alice (through the server): 99"),
      300_000,
    );
    assertEquals(behind(bob.lines, `<- <From ${alice.address}:Alice> (through the server): `), said, `seed ${seed}`);
    assertEquals(privately(alice, "Bob"), said.map((text) => `true ${text}`), `seed ${seed}`);
  }
});

Deno.test("private network: an outage of two seconds loses no text of a TCP member", () => {
  for (const ms of [800, 2000, 5000]) {
    const network = new FakeNetwork(), alice = network.connect({ name: "Alice" });
    const bob = network.connectLines(`tcp ${BOB}`);
    bob.type("/name Bob");
    network.passUntil(() => alice.session.state === "joined");
    for (const text of ["one", "two", "three"]) bob.type(`/send Alice ${text}`);
    network.pass(1000);
    const send = network.send.bind(network);
    network.send = (to, packet) => packet.type === "RELAY" ? undefined : send(to, packet);
    bob.type("/send Alice four");
    network.pass(ms);
    network.send = send;
    network.pass(9000);
    assertEquals(
      [behind(bob.lines, "!! "), alice.shown.filter(({ kind }) => kind === "direct").length],
      [[], 4],
      `${ms}`,
    );
  }
});

Deno.test("private network: an end that vanishes is told of to the other, and nothing goes on for ever", () => {
  const network = new FakeNetwork({ up: BAD, down: BAD });
  const alice = network.connect({ name: "Alice" }), bob = network.connectLines(`tcp ${BOB}`);
  bob.type("/name Bob");
  network.passUntil(() => alice.session.state === "joined");
  alice.crash();
  bob.type("/send Alice are you there?");
  network.pass(9000);
  assertEquals(behind(bob.lines, "!! "), ["Not known to be delivered to Alice (no answer for 8 s): are you there?"]);

  const carol = network.connect({ name: "Carol" });
  network.passUntil(() => carol.session.state === "joined");
  carol.act((session, now) => session.sayTo("Bob", "hello", now));
  network.passUntil(() => carol.session.waiting === 0);
  assertEquals(behind(bob.lines, "<- ").length, 1);
  bob.hangUp();
  carol.act((session, now) => session.sayTo("Bob", "still there?", now));
  network.pass(6000);
  // the first copy may have been on its way when he went
  const failures = carol.notices.filter((text) => text.startsWith("Not ")).map((text) =>
    text.replace("known to be ", "")
  );
  assertEquals(failures, ['Not delivered to Bob ("still there?"): nobody here has that name']);
  const before = network.statistics.sent;
  network.pass(10_000);
  // the keep-alives of one member
  assertLess(network.statistics.sent - before, 100);
  assertGreater(network.statistics.sent - before, 0);
});
