/** Direct messages of ignored people: neither shown nor acknowledged, since "delivered" means shown. */
import { assertEquals } from "@std/assert";
import { A, guess, STREAM } from "../../support/direct_messages.ts";
import { type FakeSession, joined, type V1 } from "../../support/fake_session.ts";

const ALICE = { address: A, name: "Alice", pass: guess(0) };
/** How a message of Alice comes: from her address, from another one as behind some NATs, or passed on by the server. */
const WAYS = ["directly", "from elsewhere", "through the server"] as const;

/** Bob's session, with the server's word that Alice has her pass. */
function bob(): FakeSession {
  const fake = joined({ name: "Bob" });
  fake.receive({ dialect: "v1", type: "PUNCH", ...ALICE });
  fake.take();
  return fake;
}

/** Lets a message of Alice come; returns the ids that are acknowledged. */
function write(fake: FakeSession, way: typeof WAYS[number], id: number, first = 1): number[] {
  const { address, name, pass } = ALICE;
  const packet = { dialect: "v1", type: "MESSAGE", pass, stream: STREAM, id, first, text: `${id}` } as const;
  if (way === "through the server") fake.receive({ dialect: "v1", type: "RELAY", address, name, packet });
  else fake.session.receiveFromPeer(packet, way === "directly" ? A : "192.168.1.99:1", fake.now);
  return fake.take().flatMap(({ packet }) => {
    const inner = packet.type === "RELAY" ? packet.packet : packet;
    return inner.type === "ACK" ? [inner.id] : [];
  });
}

const texts = ({ shown }: FakeSession) => shown.flatMap((it) => it.kind === "direct" ? [it.text] : []);

for (const way of WAYS) {
  for (const who of ["ALICE", A]) {
    Deno.test(`ignored people: ${who} ${way}: nothing is shown or acknowledged, until /unignore`, () => {
      const fake = bob(), { people } = fake.session.view;
      assertEquals(write(fake, way, 1), [1]);
      people.ignore(who);
      // a new one, one behind it, and the repeat of what was shown before: nothing tells that somebody reads along
      assertEquals([write(fake, way, 2), write(fake, way, 3), write(fake, way, 1)], [[], [], []]);
      assertEquals(texts(fake), ["1"]);
      people.unignore(who);
      assertEquals([write(fake, way, 3), texts(fake)], [[1], ["1"]], "what was dropped was not taken");
      assertEquals([write(fake, way, 2), texts(fake)], [[3], ["1", "2", "3"]]);
    });
  }
}

Deno.test("ignored people: others are heard, and an ignored one is believed what it says of one's own messages", () => {
  for (const who of ["Alice", A]) {
    const fake = bob();
    fake.session.view.people.ignore("Carol");
    assertEquals(write(fake, "directly", 1), [1]);
    fake.session.view.people.ignore(who);
    fake.session.sayTo("Alice", "goodbye", fake.now);
    const { id } = fake.takeAll("LOOKUP")[0];
    fake.receive({ dialect: "v1", type: "PEER", id, since: 0, ...ALICE });
    const [{ stream }] = fake.takeAll("MESSAGE");
    const ack: V1<"ACK"> = { dialect: "v1", type: "ACK", pass: ALICE.pass, stream, id: 1 };
    fake.session.receiveFromPeer(ack, A, fake.now);
    assertEquals([fake.session.waiting, fake.notices.at(-1)], [0, "Delivered to Alice: goodbye"], who);
  }
});

Deno.test("ignored people: /reply does not go to one who was not shown", () => {
  const fake = bob();
  fake.session.view.people.ignore("Alice");
  write(fake, "directly", 1);
  fake.session.reply("hi", fake.now);
  assertEquals([fake.notices, fake.takeAll("LOOKUP")], [["Nobody has written to you alone yet"], []]);
});

Deno.test("ignored people: their check of the direct way has no answer either", () => {
  for (const who of ["Alice", A]) {
    const fake = bob(), { people } = fake.session.view;
    const checked = () => {
      fake.session.receiveFromPeer({ dialect: "v1", type: "OPEN", pass: ALICE.pass, id: 7 }, A, fake.now);
      return fake.takeAll("ACK").length;
    };
    people.ignore(who);
    assertEquals(checked(), 0, who);
    people.unignore(who);
    assertEquals(checked(), 1, who);
  }
});
