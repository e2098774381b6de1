/** What a session takes, by where it comes from, and why it takes nothing. */
import { assertEquals, assertMatch } from "@std/assert";
import { encode, type Packet } from "../../../protocol.ts";
import { BESIDE, COOKIE, FakeSession, SERVER, TOKEN, WELCOME } from "../../support/fake_session.ts";

const ELSEWHERE = "192.168.1.66:9090";
const OTHER_TOKEN = "00000000000000aa";

/** What a session says of a packet. */
function take(fake: FakeSession, packet: Packet, from: string) {
  return fake.session.take(encode(packet), from, fake.now);
}

Deno.test("reception: another port of the server's address counts between the classic greeting and an answer in version 1", () => {
  const fake = new FakeSession();
  fake.start();
  const line: Packet = { dialect: "classic", type: "INCOMING", line: "hi" };
  const early = take(fake, line, BESIDE);
  assertEquals(early!.isFromStranger, true);
  assertMatch(early!.why, /^it does not come from the server, which is at 192\.168\.1\.1:9090$/);
  fake.pass(2500);
  assertEquals(take(fake, line, BESIDE), undefined);
  // only what is classic: an answer in version 1 comes from the port that was greeted, or shows where the server is
  assertEquals(take(fake, { dialect: "v1", type: "CLOSING", epoch: WELCOME.epoch }, BESIDE)?.isFromStranger, true);
  assertEquals(take(fake, line, ELSEWHERE)?.isFromStranger, true);
  fake.welcome();
  assertEquals(take(fake, line, BESIDE)?.isFromStranger, true);
  assertMatch(take(fake, line, SERVER)!.why, /^the server has answered in version 1/);
  assertEquals(fake.shown.filter(({ kind }) => kind === "line"), []);
});

Deno.test("reception: an answer to a greeting shows where the server is, and then only that address counts", () => {
  const fake = new FakeSession();
  fake.start();
  const [{ id }] = fake.takeAll("GREETING");
  assertEquals(
    take(fake, { dialect: "v1", type: "RETRY", id: id + 1, cookie: COOKIE }, ELSEWHERE)?.isFromStranger,
    true,
  );
  assertEquals(take(fake, { dialect: "v1", type: "RETRY", id, cookie: COOKIE }, ELSEWHERE), undefined);
  assertEquals(fake.session.serverAddress, ELSEWHERE);
  const welcome: Packet = { ...WELCOME, id: fake.takeAll("GREETING")[0].id };
  assertEquals(take(fake, welcome, ELSEWHERE), undefined);
  assertEquals(fake.session.state, "joined");
  const closing: Packet = { dialect: "v1", type: "CLOSING", epoch: WELCOME.epoch };
  assertMatch(take(fake, closing, SERVER)!.why, /^it does not come from the server, which is at 192\.168\.1\.66:9090$/);
  assertEquals(take(fake, closing, ELSEWHERE), undefined);

  const classic = new FakeSession();
  classic.start();
  classic.datagram("INCOMING <From 1.2.3.4:5>: welcome");
  classic.pass(1500);
  const [known] = classic.takeAll("GREETING");
  const why = take(classic, { dialect: "v1", type: "RETRY", id: known.id, cookie: COOKIE }, ELSEWHERE)?.why;
  assertMatch(why!, /^it does not come from the server/);
});

Deno.test("reception: what the server itself does wrong is told as its mistake, and to the user as no silence", () => {
  const fake = new FakeSession();
  fake.start();
  const [{ id }] = fake.takeAll("GREETING");
  assertEquals(take(fake, { ...WELCOME, id, token: OTHER_TOKEN }, SERVER), {
    why: "its token is not the one that this client greets with",
    isFromStranger: false,
  });
  fake.pass(2000);
  assertMatch(fake.notices[0], /^What 192\.168\.1\.1:9090 answers is not understood/);
  const stranger = new FakeSession();
  stranger.start();
  take(stranger, { ...WELCOME, id, token: TOKEN }, ELSEWHERE);
  stranger.pass(2000);
  assertMatch(stranger.notices[0], /^No answer from /);
});
