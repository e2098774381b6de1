/** A muted member says nothing to all, is told so, and what it said meanwhile is not said later. */
import { assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { signInWith } from "../../support/accounts.ts";
import { all, type FakeRoom, ignoredBy, one, OTHER_STREAM, settledId, STREAM, to } from "../../support/fake_room.ts";
import { ALICE, OrderRoom, PASSWORD, read } from "../../support/order_room.ts";
import { peerOf } from "../../support/peer_of.ts";

const B = "10.0.0.2:40002", C = "10.0.0.3:40003", T = "10.0.0.4:40004";

/** A room in which Bob has joined. */
function roomWithBob(options = {}): { room: OrderRoom; token: string } {
  const room = new OrderRoom(options), { token } = room.join(B, "Bob");
  room.settle();
  return { room, token };
}

const said = (room: FakeRoom, token: string, id: number, first = id) =>
  room.v1(B, "MESSAGE", { token, stream: STREAM, id, first, text: `${id}` });
const heard = (sent: ReturnType<typeof said>) => all(to(sent, ALICE), "INCOMING").map(({ text }) => text);

Deno.test("mute: each message is answered by ERROR muted, is never said, and the stream goes on behind it", () => {
  const { room, token } = roomWithBob();
  assertEquals(heard(said(room, token, 1)), ["1"]);
  const sent = room.order("mute Bob 10");
  assertEquals(room.notices(sent), ["Bob was muted by Alice for 10 minutes"]);
  assertEquals(one(sent, "REPLY").text, "", "the notice says it");
  room.pass(60_000 + 1);
  room.join(B, "Bob");
  const error = one(said(room, token, 2), "ERROR");
  assertEquals([error.code, error.stream, error.id], ["muted", STREAM, 2]);
  assertEquals(error.text, "You are muted for 9 more minutes");
  assertEquals(one(said(room, token, 3, 2), "ERROR").id, 3);
  // a repeat of what was said before is answered as ever
  assertEquals(settledId(said(room, token, 1)), 1);
  assertEquals(room.notices(room.order("unmute Bob")), ["Bob was unmuted by Alice"]);
  assertEquals(heard(said(room, token, 4)), ["4"], "2 and 3 are settled");
});

Deno.test("mute: its end is told, and wakes the room", () => {
  const { room, token } = roomWithBob();
  room.order("mute Bob 1");
  assertEquals(room.notices(room.pass(59_999)), []);
  assertEquals(room.notices(room.pass(1)), ["Bob may speak again"]);
  assertEquals(heard(said(room, token, 1)), ["1"]);
  assertEquals(room.problem("unmute Bob"), "Bob is not muted");
});

Deno.test("mute: what waits for its turn is refused too", () => {
  const { room, token } = roomWithBob({ rate: { rate: 1, burst: 1 } });
  assertEquals(heard(said(room, token, 1)), ["1"]);
  assertEquals([said(room, token, 2, 2), said(room, token, 4, 2)].flat(), []);
  room.order("mute Bob");
  const errors = all(to(room.pass(2000), B), "ERROR");
  assertEquals(errors.map(({ id, text }) => [id, text]), [
    [2, "You are muted until an operator ends it"],
    [4, "You are muted until an operator ends it"],
  ]);
  room.order("unmute Bob");
  // 3 was lost on the way, 4 is settled
  assertEquals(heard(said(room, token, 3)), ["3"]);
  room.pass(2000);
  assertEquals(heard(said(room, token, 5)), ["5"]);
});

Deno.test("mute: what was held behind a gap and then refused is not said when the gap is filled", () => {
  const { room, token } = roomWithBob();
  assertEquals(said(room, token, 2, 1), []);
  room.order("mute Bob");
  assertEquals(one(said(room, token, 2, 1), "ERROR").id, 2);
  room.order("unmute Bob");
  assertEquals(heard(said(room, token, 1)), ["1"]);
});

Deno.test("mute: to leave and come back does not end it, with the token or with the name; another name does not help", () => {
  const { room, token } = roomWithBob({ rate: { rate: 0, burst: 0 } });
  room.order("mute Bob");
  assertEquals(one(room.v1(B, "SIGN-IN", { id: 9, token, name: "Rob" }), "ERROR").code, "bad-name");
  assertEquals(one(said(room, token, 1), "ERROR").code, "muted");
  room.v1(B, "LEAVE", { id: 3, token });
  const other = room.join(C, "Bob").token;
  const message = { token: other, stream: OTHER_STREAM, id: 1, text: "me again" };
  assertEquals(one(room.v1(C, "MESSAGE", message), "ERROR").code, "muted");
  room.v1(C, "LEAVE", { id: 3, token: other });
  assertEquals(room.notices(room.order("unmute bob")), ["Bob was unmuted by Alice"]);
  room.pass(5000);
  room.join(B);
  assertEquals(heard(said(room, token, 1)), ["1"]);
});

Deno.test("mute: private messages and questions go on", () => {
  const { room, token } = roomWithBob();
  room.connect(T);
  room.type(T, "/name Tom");
  room.settle();
  room.join(B, "Bob");
  room.order("mute Bob");
  room.order("mute Tom");
  const { pass } = one(room.v1(B, "LOOKUP", { id: 5, token, name: "Tom" }), "PEER");
  const packet = { dialect: "v1", type: "MESSAGE", pass: pass!, stream: OTHER_STREAM, id: 1, text: "psst" } as const;
  assertMatch(read(room.v1(B, "RELAY", { token, address: T, packet }), `tcp ${T}`), /^<- <From .*: psst\n/);
  assertEquals(all(room.type(T, "/send Bob hush"), "RELAY").length, 1);
});

Deno.test("mute: a TCP member reads so for each line, and what waits of a long one is not said", () => {
  const room = new OrderRoom({ rate: { rate: 1, burst: 1 } });
  room.connect(T);
  room.type(T, "/name Tom");
  room.settle();
  assertEquals(heard(room.type(T, `${"a".repeat(856)}${"b".repeat(856)}`)), ["a".repeat(856)]);
  room.order("mute Tom 4");
  const line = "!! Not said: you are muted for 4 more minutes\n";
  const later = room.pass(1000);
  assertEquals([read(later, `tcp ${T}`), heard(later)], [line, []]);
  for (const text of ["hello", "/me waves", "//x"]) assertEquals(read(room.type(T, text), `tcp ${T}`), line);
  room.order("unmute Tom");
  assertEquals(heard(room.type(T, "hello")), ["hello"]);
});

Deno.test("mute: a classic member is told within its limits, and its messages are counted", () => {
  const room = new OrderRoom({ rate: { rate: 0, burst: 0 } });
  room.datagram(C, "SIGN-IN Carol");
  room.settle();
  room.order("mute Carol 4");
  const line = "INCOMING !! Not said: you are muted for 4 more minutes\n";
  assertEquals(read(room.datagram(C, "MESSAGE hello"), C), line);
  assertEquals(read(room.datagram(C, "hello"), C), line);
  let answers = 0;
  for (let i = 0; i < 1000; i++) answers += room.datagram(C, `MESSAGE ${i}`).length;
  assertLess(answers, 25);
  assertGreater(ignoredBy(room.room).muted!, 1000);
  room.pass(4 * 60_000);
  assertEquals(heard(room.datagram(C, "MESSAGE hello")), ["hello"]);
});

Deno.test("mute: a classic member that turns out to speak version 1 stays muted", () => {
  const room = new OrderRoom();
  room.datagram(C, "GREETING");
  room.settle();
  room.order(`mute ${C}`);
  const { token } = room.join(C);
  assertEquals(one(room.say(C, token, 1, "hello"), "ERROR").code, "muted");
});

Deno.test("mute: a flood of a muted member has few answers and takes no memory", () => {
  const { room, token } = roomWithBob();
  room.order("mute Bob");
  let answers = 0;
  for (let id = 1; id <= 5000; id++) answers += said(room, token, id, 1).length;
  assertLess(answers, 1001, "as many as a member may ask for");
  room.order("unmute Bob");
  assertEquals(heard(said(room, token, 6000)), ["6000"]);
});

Deno.test("mute: what was refused is not said from a late copy, nor does a later message wait for it", () => {
  const { room, token } = roomWithBob();
  room.order("mute Bob 1");
  assertEquals(one(said(room, token, 1), "ERROR").text, "You are muted for 1 more minute");
  room.pass(60_000);
  const late = said(room, token, 1);
  assertEquals([heard(late), one(late, "ERROR").text], [[], "You were muted when you said this"]);
  // sent before the sender knew of the refusal, then again
  assertEquals(said(room, token, 2, 1), []);
  assertEquals(heard(said(room, token, 2)), ["2"]);
});

Deno.test("mute: times are whole minutes, at most a year; operators and oneself are left alone", () => {
  const { room } = roomWithBob();
  for (const minutes of ["0", "-1", "1.5", "525601", "ten", "1 2", "99999999999"]) {
    assertMatch(room.problem(`mute Bob ${minutes}`), /is no number of minutes, 1 to 525600; only kick takes a reason$/);
  }
  assertMatch(room.problem("mute Bob 5 because flood"), /only kick takes a reason$/);
  const told = (text: string) => room.notices(room.order(text)).join();
  assertEquals(told("mute Bob 5m"), "Bob was muted by Alice for 5 minutes");
  assertEquals(room.problem("mute Alice"), "That is you");
  assertEquals(room.problem("mute Nobody"), "Nobody is not here");
  assertEquals(told("mute Bob 525600"), "Bob was muted by Alice for 365 days");
  assertEquals(told("mute Bob 90"), "Bob was muted by Alice for 90 minutes");
  assertEquals(told("mute Bob 180"), "Bob was muted by Alice for 3 hours");
  room.addAccount("Bob", true);
  assertMatch(room.problem("mute Bob"), /^Bob is an operator/);
});

Deno.test("mute: a muted member tells the others nothing by new names, whatever it speaks", () => {
  const { room, token } = roomWithBob();
  room.connect(T);
  room.type(T, "/name Tom");
  room.datagram(C, "GREETING");
  room.settle();
  for (const who of ["Bob", "Tom", C]) room.order(`mute ${who} 4`);
  const text = "You are muted for 4 more minutes: your name stays";
  const refused = one(room.v1(B, "SIGN-IN", { id: 9, token, name: "buy.my.bread" }), "ERROR");
  assertEquals([refused.code, refused.text], ["bad-name", text]);
  assertEquals(read(room.type(T, "/name buy.my.bread"), `tcp ${T}`), `${text}\n`);
  assertEquals(read(room.datagram(C, "SIGN-IN buy.my.bread"), C), `INCOMING ${text}`);
  // nor by leaving and coming again
  room.v1(B, "LEAVE", { id: 10, token });
  room.pass(6000);
  assertEquals(room.refused(B, "Rob").text, text);
  assertEquals(room.join(B, "BOB").name, "BOB");
  room.order("unmute bob");
  room.v1(B, "SIGN-IN", { id: 11, token, name: "Rob" });
  assertEquals(room.room.users().names.includes("Rob"), true);
});

Deno.test("mute: the one concerned reads it in a line of its own, at once and when it is over", () => {
  const { room } = roomWithBob();
  room.connect(T);
  room.type(T, "/name Tom");
  room.datagram(C, "GREETING\n");
  room.settle();
  const [line, over] = ["!! You were muted by Alice for 1 minute\n", "You may speak again\n"];
  assertEquals(read(room.order("mute Tom 1"), `tcp ${T}`), `[Server] Tom was muted by Alice for 1 minute\n${line}`);
  assertEquals(read(room.order(`mute ${C} 1`), C).split("INCOMING ").at(-1), line);
  // in version 1 the notice has its name, or its address
  assertEquals(to(room.order("mute Bob 1"), B).map(({ packet }) => packet.type), ["NOTICE"]);
  const sent = room.pass(60_000);
  assertEquals(read(sent, `tcp ${T}`).includes(`[Server] Tom may speak again\n${over}`), true);
  assertEquals(read(sent, C).includes(`INCOMING ${over}`), true);
  room.order("mute Tom");
  assertEquals(read(room.order("unmute Tom"), `tcp ${T}`), `[Server] Tom was unmuted by Alice\n${over}`);
});

Deno.test("mute: it is told by the name that the member has now, and mutes lists it", () => {
  const { room, token } = roomWithBob();
  room.connect(T);
  room.settle();
  assertEquals(room.answer("mutes"), "Nobody is muted");
  room.order("mute bob 5");
  room.order(`mute ${T}`);
  room.v1(B, "SIGN-IN", { id: 9, token, name: "BOB" });
  const lines = [`${T} is muted until you type /unmute ${T}`, "BOB is muted for 5 more minutes"];
  assertEquals(room.answer("mutes").split("\n"), lines);
  assertEquals(room.room.order("mutes", room.now).text.split("\n")[0], `${T} is muted until you type unmute ${T}`);
  assertEquals(room.notices(room.pass(300_000)), ["BOB may speak again"]);
});

Deno.test("mute: whoever takes the muted name is muted under each other name too, also when its owner takes it back", () => {
  const { room, token } = roomWithBob();
  room.order("mute Bob");
  room.v1(B, "LEAVE", { id: 3, token });
  const other = room.join(C, "Bob").token;
  room.v1(C, "LEAVE", { id: 4, token: other });
  room.pass(6000);
  assertEquals(room.refused(C, "Rob").text, "You are muted until an operator ends it: your name stays");
  room.join(C);
  const message = { token: other, stream: OTHER_STREAM, id: 1, text: "me again" };
  assertEquals(one(room.v1(C, "MESSAGE", message), "ERROR").code, "muted");
  // who only asks for the name is not
  const third = room.join(B, "Bob").token, asker = room.join(T, "Ann");
  assertEquals(one(room.v1(T, "SIGN-IN", { id: 5, token: asker.token, name: "Bob" }), "ERROR").code, "name-taken");
  assertEquals(heard(room.say(T, asker.token, 1, "hello")), ["hello"]);
  // its owner has to prove that the name is its own, and takes it from who has it
  room.addAccount("Bob", false);
  const signIn = { room, from: "10.0.0.9:9", token: "00000000000000bb", name: "Bob", password: PASSWORD };
  assertEquals(one(to(signInWith(signIn), B), "ERROR").code, "signed-in-elsewhere");
  room.pass(60_000);
  room.join(B);
  assertEquals(one(room.say(B, third, 1, "hello", OTHER_STREAM), "ERROR").code, "muted");
  room.order("unmute Bob");
  assertEquals(heard(room.say(B, third, 2, "hello", OTHER_STREAM)), ["hello"]);
});

Deno.test("mute: at most 10,000 are muted, and one that is may be muted anew", () => {
  const { room } = roomWithBob();
  room.order("mute Bob 5");
  for (let i = 1; i < 10_000; i++) {
    const address = `10.1.${i >> 8}.${i & 255}:9`;
    room.connect(address);
    room.room.order(`mute ${address}`, room.now);
    room.room.hungUp(peerOf(`tcp ${address}`), room.now);
    room.delivery.take();
  }
  room.connect(T);
  assertEquals(room.problem(`mute ${T}`), "10000 are muted already; unmute one first");
  assertEquals(room.notices(room.order("mute Bob 9")), ["Bob was muted by Alice for 9 minutes"]);
  room.order("unmute Bob");
  assertEquals(room.notices(room.order(`mute ${T}`)), [`${T} was muted by Alice`]);
});

Deno.test("unmute: an operator that was muted before it was one does not end that itself", () => {
  const { room, token } = roomWithBob();
  room.order("mute Bob");
  room.addAccount("Bob", true);
  const { code, text } = one(room.v1(B, "COMMAND", { id: 7, token, text: "unmute bob" }), "ERROR");
  assertEquals([code, text], ["bad-command", "That is you"]);
  assertEquals(one(said(room, token, 1), "ERROR").code, "muted");
});
