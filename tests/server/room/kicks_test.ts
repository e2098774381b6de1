/** Who is told to go has to go, whatever it speaks, and learns why. */
import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { all, one, STREAM, to } from "../../support/fake_room.ts";
import { ALICE, OrderRoom, read } from "../../support/order_room.ts";

const B = "10.0.0.2:40002", C = "10.0.0.3:40003", T = "10.0.0.4:40004";

Deno.test("kick: a v1 member goes and is told why; all hear who did it; a repeat does nothing", () => {
  const room = new OrderRoom();
  const { token } = room.join(B, "Bob");
  room.settle();
  const sent = room.order("kick bob  flooding\tthe \x1b[31mroom");
  const why = "kicked by Alice: flooding the ?[31mroom";
  const { code, text, id } = one(to(sent, B), "ERROR");
  assertEquals([code, text, id], ["kicked", `You were ${why}`, undefined]);
  assertEquals(room.notices(sent), [`Bob was ${why}`]);
  assertEquals(one(sent, "REPLY").text, "");
  assertEquals(one(to(room.pass(1000), ALICE), "OFFLINE").members, [{ address: B, name: "Bob" }]);
  assertEquals(room.problem("kick Bob"), "Bob is not here");
  // whatever it sends is answered by the reason, for a minute; then it may come back
  const error = one(room.say(B, token, 1, "hello"), "ERROR");
  assertEquals([error.code, error.id, error.stream], ["kicked", 1, STREAM]);
  room.pass(11_500);
  const { code: again, text: wait } = room.refused(B, "Bob");
  assertEquals([again, wait], [
    "kicked",
    "Not yet: you were kicked by Alice (flooding the ?[31mroom); you may come back in 48 s",
  ]);
  room.pass(48_000);
  assertEquals(room.join(B, "Bob").name, "Bob");
});

Deno.test("kick: a TCP member reads why, and its connection ends; a classic one is told once", () => {
  const room = new OrderRoom();
  room.connect(T);
  room.type(T, "/name Tom");
  room.datagram(C, "SIGN-IN Carol");
  room.settle();
  assertEquals(read(room.order("kick tom"), `tcp ${T}`), "!! You were kicked by Alice\n");
  assertEquals([...room.delivery.recipients].map(({ key }) => key), [ALICE, C]);
  assertEquals(read(room.order(`kick ${C} enough`), C), "INCOMING !! You were kicked by Alice: enough\n");
  assertEquals(room.room.size, 1);
});

Deno.test("kick: the server's terminal is above operators; one operator can't kick another, and nobody itself", () => {
  const room = new OrderRoom();
  room.join(B, "Bob");
  room.addAccount("Bob", true);
  room.settle();
  assertMatch(room.problem("kick Bob"), /^Bob is an operator: only the server's terminal/);
  assertEquals(room.problem("kick Alice"), "That is you");
  assertEquals(room.room.order("kick Bob go home", room.now), { isDone: true, text: "" });
  const sent = room.delivery.take();
  assertEquals(one(to(sent, B), "ERROR").text, "You were kicked: go home");
  assertEquals(room.notices(sent), ["Bob was kicked: go home"]);
});

Deno.test("kick: who is no operator can't, by COMMAND or by a line; a forged COMMAND does nothing", () => {
  const room = new OrderRoom();
  const { token } = room.join(B, "Bob");
  room.connect(T);
  room.settle();
  assertEquals(one(room.v1(B, "COMMAND", { id: 1, token, text: "kick Alice" }), "ERROR").code, "not-allowed");
  assertEquals(
    read(room.type(T, "/kick Alice"), `tcp ${T}`),
    "!! Only an operator may do that; who runs the server makes one by op NAME\n",
  );
  // the token of Alice from another address, and another token from hers
  const forged = room.v1(B, "COMMAND", { id: 1, token: "0123456789abcdef", text: "kick Bob" });
  assertEquals(forged.map(({ packet }) => packet.type), []);
  assertEquals(room.v1(ALICE, "COMMAND", { id: 1, token, text: "kick Alice" }), []);
  assertEquals(room.room.size, 3);
});

Deno.test("kick: a TCP member that is an operator gives orders by lines, and help lists them", () => {
  const room = new OrderRoom();
  room.connect(T);
  room.type(T, "/name Tom");
  room.join(B, "Bob");
  room.settle();
  assertEquals(read(room.type(T, "/help"), `tcp ${T}`).includes("/kick"), false);
  room.addAccount("Tom", true);
  room.pass(10_000);
  const help = read(room.type(T, "/help"), `tcp ${T}`);
  assertMatch(help, /^\/kick NAME \[REASON\] +tells/m);
  assertEquals(help.split("\n").filter((line) => line.startsWith("/topic")).length, 1, help);
  const sent = room.type(T, " /KICK Bob too loud ");
  assertEquals(read(sent, `tcp ${T}`), "[Server] Bob was kicked by Tom: too loud\n");
  assertEquals(read(room.type(T, "/kick"), `tcp ${T}`), "!! kick takes NAME\n");
  assertEquals(read(room.type(T, "//kick Alice"), ALICE).split("\n")[1], "/kick Alice");
});

Deno.test("kick: a long reason is cut, and an answer to an address that may be forged is no flood", () => {
  const room = new OrderRoom();
  const { token } = room.join(B, "Bob");
  room.settle();
  const [error] = all(to(room.order(`kick Bob ${"no ".repeat(250)}`), B), "ERROR");
  assertLess(error.text.length, 240);
  const request = `LIST/1 id=1 token=${token}`;
  const [answer] = room.datagram("192.0.2.1:9", request);
  assertEquals(answer.to, "192.0.2.1:9");
  assertLess(answer.bytes.length, 3 * request.length + 1);
});

Deno.test("kick: a program that is started again does not come back by its name, or by one that looks like it", () => {
  const room = new OrderRoom();
  room.join(B, "Bob");
  room.connect(T);
  room.settle();
  room.order("kick Bob");
  // other addresses, and so other tokens
  const refusals = ["Bob", "bOB", "B0b"].map((name, i) => room.refused(`10.0.1.${i}:${i + 1}`, name));
  const text = "Not yet: you were kicked by Alice; you may come back in 60 s";
  assertEquals(refusals.map(({ code, text }) => [code, text]), Array(3).fill(["kicked", text]));
  // who is here, or comes without a name, may not take it either
  const line = "The name Bob was kicked, and is free again in 60 s; choose another\n";
  assertEquals(read(room.type(T, "/name Bob"), `tcp ${T}`), line);
  const { token } = room.join("10.0.1.9:9");
  const { code } = one(room.v1("10.0.1.9:9", "SIGN-IN", { id: 5, token, name: "Bob" }), "ERROR");
  assertEquals(code, "bad-name");
  // under another name it comes at once: a ban of its address is the way
  assertEquals(room.join("10.0.1.8:8", "Rob").name, "Rob");
  room.pass(60_000);
  assertEquals(room.join(B, "Bob").name, "Bob");
});

Deno.test("kick: unban ends it early, by the name, or by the address of one without a name", () => {
  const room = new OrderRoom();
  room.join(B, "Bob");
  room.join(C);
  room.settle();
  room.order("kick Bob");
  room.order(`kick ${C}`);
  assertEquals(room.notices(room.order("unban bob")), ["bob was unbanned by Alice"]);
  assertEquals(room.join(B, "Bob").name, "Bob");
  room.order(`unban ${C}`);
  assertEquals(room.join(C).address, C);
  assertMatch(room.problem("unban Bob"), /^Bob is not banned/);
});
