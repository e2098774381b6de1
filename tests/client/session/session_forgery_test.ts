/** A session and somebody who forges the server's address, in a room whose WELCOME has a digest. */
import { assertEquals } from "@std/assert";
import { FakeLine } from "../../support/fake_screen.ts";
import { EPOCH, joined, TOKEN } from "../../support/fake_session.ts";

const BOB = "192.168.1.22:40112";
const LINE = new FakeLine(9, undefined, (seq) => ({ name: "Bob", text: `true ${seq}` }));

/** The text of an event of the line. */
const said = (seq: number) => ({ name: "Bob", text: `true ${seq}` });

Deno.test("session: a forged line whose true copy was lost is found by the next WELCOME, and the true one is shown", () => {
  const fake = joined();
  fake.event(1, said(1));
  fake.event(2, { name: "Bob", text: "forged" });
  fake.event(3, said(3));
  fake.pass(1100);
  fake.welcome({ seq: 3, digest: LINE.digest(3) });
  fake.pass(50);
  const [{ from, to }] = fake.takeAll("RESEND");
  assertEquals([from, to], [1, 3]);
  for (const seq of [1, 2, 3]) fake.event(seq, { ...said(seq), token: TOKEN });
  assertEquals(fake.texts, ["true 1", "forged", "true 3", "true 2"]);
  assertEquals(fake.notices, [`Not true, somebody has forged it in the server's name: "<From ${BOB}:Bob>: forged"`]);
  fake.pass(900);
  assertEquals(fake.takeAll("RESEND"), []);
});

Deno.test("session: when each WELCOME has the right digest, nothing is asked for", () => {
  const fake = joined();
  for (let seq = 1; seq <= 9; seq++) {
    fake.event(seq, said(seq));
    fake.pass(1100);
    fake.welcome({ seq, digest: LINE.digest(seq) });
  }
  fake.pass(900);
  assertEquals([fake.takeAll("RESEND"), fake.texts.length, fake.notices], [[], 9, []]);
});

Deno.test("session: in a room without echo, a forged line in the place of its own is found by the ACK", () => {
  const fake = joined();
  fake.say("mine");
  const [{ stream }] = fake.takeAll("MESSAGE");
  fake.event(1, { name: "Bob", text: "forged" });
  const ack = { dialect: "v1", type: "ACK", stream, id: 1, epoch: EPOCH, seq: 1 } as const;
  fake.receive(ack);
  assertEquals(fake.notices, [`Not true, somebody has forged it in the server's name: "<From ${BOB}:Bob>: forged"`]);
  fake.receive(ack);
  fake.pass(900);
  assertEquals([fake.takeAll("RESEND"), fake.notices.length, fake.session.waiting], [[], 1, 0]);
});

Deno.test("session: a forged line that was not shown, because its sender is ignored, is not quoted either", () => {
  const fake = joined();
  fake.session.view.people.ignore("Bob");
  fake.event(1, { name: "Bob", text: "an insult" });
  fake.event(1, said(1));
  fake.pass(1100);
  fake.event(1, { ...said(1), token: TOKEN });
  assertEquals(fake.notices, ["Somebody sends forged packets in the server's name; they were not believed"]);
});
