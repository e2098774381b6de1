/** When a client calls its server gone: forged packets keep a dead one alive for a short while only. */
import { assert, assertEquals, assertGreater, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import type { V1Packet } from "../../../protocol.ts";
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
    () => ({ dialect: "v1", type: "USERS", id: 1, total: 0, unnamed: 1, names: [] }),
  ];
  for (const packet of forgeries) {
    const fake = joined();
    assertLessOrEqual(untilTold(fake, packet), 10_000);
    assertStringIncludes(fake.notices[0], "No answer from 192.168.1.1:9090 any more");
    assertEquals(fake.session.state, "joining");
    // nor does it come back by them
    for (let i = 0; i < 600; i++) {
      fake.session.receive(packet(), fake.now);
      fake.pass(100);
    }
    assertEquals([fake.notices.length, fake.session.state], [1, "joining"]);
    fake.welcome({ seq });
    assertEquals([fake.notices.at(-1), fake.session.state], ["The server is back", "joined"]);
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
  assertEquals([fake.session.state, fake.notices.at(-1)], ["joined", "The server is back"]);
});

Deno.test("silence: CLOSING, however often it is forged, hides the end of a server for a second at most", () => {
  const fake = joined();
  assertLessOrEqual(untilTold(fake, () => ({ dialect: "v1", type: "CLOSING", epoch: EPOCH })), 1000);
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
