/** Which answers to a greeting a client believes, and from where. */
import { assertEquals } from "@std/assert";
import { COOKIE, FakeSession, joined, WELCOME } from "../../support/fake_session.ts";

Deno.test("session: a cookie for a greeting that was not sent is not shown, and shows no dialect", () => {
  const fake = new FakeSession();
  fake.start();
  const [{ id }] = fake.takeAll("GREETING");
  fake.receive({ dialect: "v1", type: "RETRY", id: id + 1, cookie: COOKIE });
  assertEquals(fake.take(), []);
  fake.pass(1000);
  assertEquals(new Set(fake.takeAll("GREETING").map(({ token, cookie }) => token ?? cookie)), new Set([undefined]));
});

Deno.test("session: a member follows a server that answers from another address", () => {
  const fake = joined(), elsewhere = "192.168.1.2:9090";
  fake.pass(1000);
  const [{ id }] = fake.takeAll("GREETING");
  fake.session.receiveFromPeer({ ...WELCOME, id }, elsewhere, fake.now);
  assertEquals(fake.session.serverAddress, elsewhere);
});
