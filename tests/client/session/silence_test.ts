/** When a client calls its server gone: forged packets keep a dead one alive for a short while only. */
import { assert, assertEquals, assertGreater, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import type { V1Packet } from "../../../protocol.ts";
import type { NetworkConditions } from "../../../server/doors/network_emulator.ts";
import { type FakeClient, FakeNetwork } from "../../support/fake_network.ts";
import { EPOCH, FakeSession, incoming, joined, TOKEN, WELCOME } from "../../support/fake_session.ts";

const HEARTBEAT = { dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq: 0 } as const;

/** Lets packets come every 100 ms until the user is told something; returns the milliseconds until then. */
function untilTold(fake: FakeSession, packet: () => V1Packet, deadline = 60_000): number {
  const start = fake.now;
  while (fake.notices.length === 0) {
    assert(fake.now < start + deadline, "the user is told nothing");
    fake.session.receive(packet(), fake.now);
    fake.pass(100);
  }
  return fake.now - start;
}

Deno.test("silence: heartbeats, events and other tokens that somebody forges hide a server's end for 10 s at most", () => {
  let seq = 0;
  const forgeries: (() => V1Packet)[] = [
    () => HEARTBEAT,
    () => ({ ...HEARTBEAT, token: "0123456789abcdef" }),
    () => incoming(++seq),
    () => ({ dialect: "v1", type: "USERS", id: 1, token: "0123456789abcdef", total: 0, unnamed: 1, names: [] }),
  ];
  for (const packet of forgeries) {
    const fake = joined();
    assertLessOrEqual(untilTold(fake, packet), 10_000);
    assertEquals(fake.notices, [
      "No answer from 192.168.1.1:9090 any more. Trying again; what you say to everyone is kept",
    ]);
    assertEquals(fake.session.state, "joining");
    // nor does it come back by them
    for (let i = 0; i < 600; i++) {
      fake.session.receive(packet(), fake.now);
      fake.pass(100);
    }
    assertEquals([fake.notices.length, fake.session.state], [1, "joining"]);
    fake.welcome({ seq });
    assertEquals([fake.notices.at(-1), fake.session.state], ["Connected again", "joined"]);
  }
});

Deno.test("silence: a packet that was still under way when the server ended puts nothing off", () => {
  const alone = joined(), straggler = joined();
  for (const fake of [alone, straggler]) fake.pass(1000);
  straggler.pass(100);
  straggler.receive(HEARTBEAT);
  straggler.pass(4850);
  alone.pass(5000);
  assertEquals([alone.notices.length, straggler.notices.length], [1, 0]);
  straggler.pass(150);
  assertEquals(straggler.notices.length, 1);
  assertEquals(straggler.takeAll("LIST"), []);
});

Deno.test("silence: while only other packets come the server is asked something else, and its answer counts", () => {
  const fake = joined();
  let lists = 0;
  for (let i = 0; i < 600; i++) {
    fake.receive(HEARTBEAT);
    fake.pass(100);
    const [list] = fake.takeAll("LIST");
    if (!list) continue;
    lists++;
    assertEquals(list.token, TOKEN);
    // half of the answers are lost
    if (i % 2) fake.receive({ dialect: "v1", type: "USERS", id: list.id, total: 0, unnamed: 1, names: [] });
  }
  assertEquals([fake.session.state, fake.shown], ["joined", []]);
  assertGreater(lists, 20);
});

Deno.test("silence: what has the client's token shows that the server is there, and brings it back", () => {
  const fake = joined();
  for (let i = 0; i < 150; i++) {
    fake.receive({ ...HEARTBEAT, token: TOKEN });
    fake.pass(100);
  }
  assertEquals([fake.session.state, fake.shown], ["joined", []]);
  fake.pass(10_000);
  assertEquals(fake.session.state, "joining");
  // of another epoch it may have been under way for long
  fake.receive({ ...HEARTBEAT, token: TOKEN, epoch: "0000000000000001" });
  assertEquals(fake.session.state, "joining");
  fake.receive({ ...HEARTBEAT, token: TOKEN });
  assertEquals([fake.session.state, fake.notices.at(-1)], ["joined", "Connected again"]);
});

Deno.test("silence: CLOSING, however often it is forged, hides the end of a server for a second at most", () => {
  const fake = joined();
  assertLessOrEqual(untilTold(fake, () => ({ dialect: "v1", type: "CLOSING", epoch: EPOCH })), 1000);
});

/** A client in a room of its own that has been there for some seconds, on a network that loses and delays both ways. */
function settled(
  conditions: Partial<NetworkConditions>,
  seed: number,
  seconds = 5,
): { net: FakeNetwork; client: FakeClient } {
  const net = new FakeNetwork({ seed, up: conditions, down: conditions }), client = net.connect();
  net.passUntil(() => client.session.state === "joined");
  net.pass(1000 * seconds);
  assertEquals(client.notices, []);
  return { net, client };
}

Deno.test("silence: CLOSING, forged a hundred times a second, closes no room on a bad or a slow network", () => {
  const networks: [Partial<NetworkConditions>, seconds: number][] = [
    [{ drop: 0.3 }, 5],
    [{ drop: 0.3, delay: [20, 200] }, 5],
    [{ delay: [300, 400] }, 5],
    // from the beginning on it is known to be slow
    [{ delay: [300, 400] }, 1],
  ];
  for (const [conditions, seconds] of networks) {
    for (let seed = 1; seed <= 10; seed++) {
      const { net, client } = settled(conditions, seed, seconds);
      const closing = { dialect: "v1", type: "CLOSING", epoch: net.room!.epoch } as const;
      for (let ms = 0; ms < 20_000; ms += 10) net.in(ms, () => client.session.receive(closing, net.now));
      net.pass(20_000);
      assertEquals(
        [client.notices, client.session.state],
        [[], "joined"],
        `${JSON.stringify(conditions)}, seed ${seed}`,
      );
    }
  }
});

Deno.test("silence: a true CLOSING is told in a second on a good network, and in no more than five after false ones", () => {
  const { net, client } = settled({}, 1);
  net.stopServer({ goodbye: true });
  assertLessOrEqual(net.passUntil(() => client.notices.length > 0)!, 1000);
  assertStringIncludes(client.notices[0], "The server has closed the room");

  const fooled = settled({}, 1);
  const closing = { dialect: "v1", type: "CLOSING", epoch: fooled.net.room!.epoch } as const;
  for (let ms = 0; ms < 20_000; ms += 10) {
    fooled.client.session.receive(closing, fooled.net.now);
    fooled.net.pass(10);
  }
  fooled.net.stopServer({ goodbye: true });
  assertLessOrEqual(fooled.net.passUntil(() => fooled.client.notices.length > 0)!, 5200);
  assertStringIncludes(fooled.client.notices[0], "The server has closed the room");
});

Deno.test("silence: a server that was away for long is believed as fast as before when it says goodbye", () => {
  const { net, client } = settled({}, 1);
  net.stopServer();
  net.pass(20_000);
  net.startServer({ remember: true });
  net.pass(5000);
  const before = client.notices.length;
  net.stopServer({ goodbye: true });
  assertLessOrEqual(net.passUntil(() => client.notices.length > before)!, 1000);
});

Deno.test("silence: each CLOSING that was not true doubles the time until the next one is believed", () => {
  for (const [falseOnes, limit] of [500, 1000, 2000, 4000, 5000, 5000].entries()) {
    const fake = joined();
    const close = () => {
      fake.pass(200);
      fake.take();
      fake.receive({ dialect: "v1", type: "CLOSING", epoch: EPOCH });
    };
    for (let i = 0; i < falseOnes; i++) {
      close();
      fake.receive({ ...WELCOME, id: fake.takeAll("GREETING")[0].id });
    }
    close();
    fake.pass(limit - 1);
    assertEquals(fake.notices, []);
    fake.pass(1);
    assertStringIncludes(fake.notices[0], "The server has closed the room");
  }
});

Deno.test("silence: messages that nobody confirms do not make it greet faster", () => {
  const fake = joined();
  fake.say("x");
  fake.pass(5000);
  assertLessOrEqual(fake.takeAll("GREETING").length, 20);
});

Deno.test("silence: whoever has never been let in is not let in by the answer to a question", () => {
  const fake = new FakeSession();
  fake.start();
  fake.pass(2000);
  const { id } = fake.takeAll("GREETING").at(-1)!;
  fake.receive({ dialect: "v1", type: "USERS", id, total: 0, unnamed: 0, names: [] });
  assertEquals(fake.session.state, "joining");
});

Deno.test("silence: a server that is lost and does not know the client any more is not told of again", () => {
  const fake = joined();
  fake.pass(10_000);
  assertEquals([fake.session.state, fake.notices.length], ["joining", 1]);
  for (let i = 0; i < 10; i++) {
    fake.receive({ dialect: "v1", type: "ERROR", code: "not-joined", text: "Greet first" });
    fake.pass(1000);
  }
  assertEquals([fake.session.state, fake.notices.length], ["joining", 1]);
});

Deno.test("silence: a server that does not know the client any more is there, so its silence begins anew", () => {
  const fake = joined();
  fake.pass(4000);
  fake.receive({ dialect: "v1", type: "ERROR", code: "not-joined", text: "Greet first" });
  fake.pass(1000);
  assertEquals(fake.notices, []);
  // when it is silent after that, the user is told
  fake.pass(1500);
  assertEquals(fake.notices.length, 1);
});

Deno.test("silence: a late WELCOME for the name before does not let it in under the next one", () => {
  const fake = joined({ name: "Alice" });
  fake.pass(10_000);
  const [early, late] = fake.takeAll("SIGN-IN").map(({ id }) => id).slice(-2);
  fake.receive({ dialect: "v1", type: "ERROR", code: "name-taken", id: early, text: "The name Alice is taken" });
  fake.session.rename("Bob", fake.now);
  fake.receive({ ...WELCOME, id: late, name: "Alice" });
  assertEquals([fake.session.state, fake.session.name], ["joining", "Bob"]);
});

Deno.test("silence: a forged CLOSING is not believed before the greeting that follows it has had time for an answer", () => {
  const fake = joined();
  fake.pass(1000);
  // the greetings so far are lost
  fake.pass(400);
  fake.take();
  fake.receive({ dialect: "v1", type: "CLOSING", epoch: EPOCH });
  fake.pass(300);
  assertEquals(fake.shown, []);
  fake.receive({ ...WELCOME, id: fake.takeAll("GREETING").at(-1)!.id });
  fake.pass(900);
  assertEquals([fake.shown, fake.session.state], [[], "joined"]);
});
