/** While its name is refused a client stays outside, whatever comes, until its user chooses another. */
import { assertEquals } from "@std/assert";
import { COOKIE, EPOCH, FakeSession, joined, TOKEN, WELCOME } from "../../support/fake_session.ts";

const HEARTBEAT = { dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq: 0 } as const;

/** Lets the server refuse the name in answer to a greeting. */
function refuse(fake: FakeSession, id: number): void {
  fake.receive({ dialect: "v1", type: "ERROR", code: "name-taken", id, text: "The name Alice is taken" });
}

Deno.test("refused name: it is not greeted with again because somebody claims much, after whatever answers", () => {
  const fake = joined({ name: "Alice" });
  fake.pass(1200);
  const ids: number[] = [];
  const greet = () => ids.push(...fake.takeAll("SIGN-IN").map(({ id }) => id));
  // more cookies than are each followed by a greeting, and then a refusal of the last one
  for (greet(); ids.length > 1; greet()) {
    fake.receive({ dialect: "v1", type: "RETRY", id: ids.shift()!, cookie: COOKIE });
  }
  refuse(fake, ids[0]);
  assertEquals(fake.session.state, "refused");
  fake.receive({ ...HEARTBEAT, seq: 2000 });
  fake.pass(10_000);
  assertEquals([fake.takeAll("SIGN-IN"), fake.session.state], [[], "refused"]);
});

Deno.test("refused name: a client that was lost before is not let in by what the server sends to members", () => {
  const fake = joined({ name: "Alice" });
  fake.pass(10_000);
  refuse(fake, fake.takeAll("SIGN-IN").at(-1)!.id);
  fake.receive({ ...HEARTBEAT, token: TOKEN });
  assertEquals([fake.session.state, fake.session.wantsName], ["refused", true]);
});

Deno.test("refused name: the answer to another greeting with it does not let the client in", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  fake.pass(300);
  const [first, second] = fake.takeAll("SIGN-IN").map(({ id }) => id);
  refuse(fake, first);
  fake.receive({ ...WELCOME, id: second, name: "Alice" });
  assertEquals(fake.session.state, "refused", "the user is being asked for another");
});

Deno.test("refused name: no answer makes the client follow to another address", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  fake.pass(300);
  const [first, second] = fake.takeAll("SIGN-IN").map(({ id }) => id);
  refuse(fake, first);
  fake.session.receiveFromPeer({ dialect: "v1", type: "RETRY", id: second, cookie: COOKIE }, "10.0.0.9:9", fake.now);
  assertEquals([fake.session.serverAddress, fake.take()], [undefined, []]);
});
