/** What is typed to keep order, and who may have it done. */
import { assertEquals } from "@std/assert";
import { byteLength } from "../../../protocol/utf8.ts";
import { MemoryAccounts } from "../../../server/room/accounts.ts";
import { OrderProblem, Orders } from "../../../server/room/orders.ts";
import { ALICE, OrderRoom } from "../../support/order_room.ts";
import { all, FakeRoom, one, to } from "../../support/fake_room.ts";

const A = "127.0.0.1:40001", B = "127.0.0.1:40002";
const KEYS = {
  salt: new Uint8Array(16),
  rounds: 600_000,
  storedKey: new Uint8Array(32),
  serverKey: new Uint8Array(32),
};

function newOrders(): Orders {
  return new Orders([
    {
      word: "kick",
      parameters: ["NAME"],
      optional: "REASON",
      summary: "kicks",
      run: (_giver, _now, ...rest) => rest.join("|"),
    },
    {
      word: "lock",
      parameters: [],
      summary: "locks",
      run() {
        throw new OrderProblem("It is locked");
      },
    },
    { word: "op", parameters: ["NAME"], summary: "makes an operator", isForTerminal: true, run: () => "done" },
  ]);
}

Deno.test("orders: parameters are words, and the last one is the rest of the line", () => {
  const execute = (line: string) => newOrders().execute(line, undefined, 0);
  assertEquals(execute(" KICK  Bob  too  fast "), { isDone: true, text: "Bob|too  fast" });
  assertEquals(execute("kick Bob"), { isDone: true, text: "Bob" });
  assertEquals(execute("kick"), { isDone: false, text: "kick takes NAME" });
  assertEquals(execute("lock it"), { isDone: false, text: "lock takes nothing" });
  assertEquals(execute("lock"), { isDone: false, text: "It is locked" });
  assertEquals(execute("hug Bob"), { isDone: false, text: "There is no command 'hug'" });
  assertEquals(execute("op Bob"), { isDone: true, text: "done" });
  assertEquals(newOrders().help(false), ["kick NAME [REASON]  kicks", "lock                locks"]);
});

Deno.test("orders: a COMMAND of an operator is done once, however often it comes; others are told that they may not", () => {
  const accounts = new MemoryAccounts();
  const room = new FakeRoom({ accounts });
  const { token } = room.join(A, "Alice"), bob = room.join(B, "Bob");
  accounts.put({ name: "alice", isOperator: true, ...KEYS });
  room.settle();
  const command = { id: 7, token, text: "say Break until 11:15" };
  const sent = room.v1(A, "COMMAND", command);
  assertEquals(one(to(sent, A), "REPLY").text, "");
  assertEquals(one(to(sent, B), "NOTICE").text, "Alice says: Break until 11:15");
  const again = room.v1(A, "COMMAND", command);
  assertEquals([one(again, "REPLY").text, all(again, "NOTICE")], ["", []]);
  assertEquals(one(room.v1(A, "COMMAND", { ...command, id: 8, text: "hug Bob" }), "ERROR").code, "bad-command");
  const refused = room.v1(B, "COMMAND", { id: 7, token: bob.token, text: "say I am the server" });
  assertEquals([one(refused, "ERROR").code, all(refused, "NOTICE")], ["not-allowed", []]);
});

Deno.test("orders: a late copy of a COMMAND is not done again, however many came after it", () => {
  const room = new OrderRoom(), { token } = room.join(ALICE, "Alice");
  const order = (id: number, text: string) => room.v1(ALICE, "COMMAND", { id, token, text });
  assertEquals(room.notices(order(70, "say once")), ["Alice says: once"]);
  for (let id = 71; id <= 79; id++) order(id, `topic ${id}`);
  const late = order(70, "say once");
  assertEquals([room.notices(late), one(late, "ERROR").code], [[], "bad-command"]);
  // a kept one is answered as before, and a greater one that came late is done
  assertEquals(one(order(72, "topic 72"), "REPLY").id, 72);
  order(82, "bans");
  assertEquals(room.notices(order(81, "say twice")), ["Alice says: twice"]);
});

Deno.test("orders: an answer that is too long for a REPLY is cut by bytes, at a space", () => {
  const room = new OrderRoom();
  for (const letter of ["x", "\u00e9", "\ud83d\ude00"]) {
    const name = letter.repeat(848 / byteLength(letter));
    assertEquals(room.problem(`kick ${name}`), `${name} is…`);
  }
});

Deno.test("orders: a crowd behind an operator's IP address takes no order away from it, over UDP or TCP", () => {
  const room = new OrderRoom({ rate: { rate: 20, burst: 40 } }), [host] = ALICE.split(":"), T = `${host}:7`;
  const crowd = Array.from({ length: 120 }, (_, i) => ({ peer: `${host}:${i + 100}`, name: `M${i}` }))
    .map(({ peer, name }) => ({ peer, token: room.join(peer, name).token }));
  ["Bob", "Carol"].forEach((name, i) => room.join(`10.0.0.2:${i}`, name));
  room.connect(T);
  room.type(T, "/name Tom");
  room.addAccount("Tom", true);
  room.settle();
  for (let id = 1; id <= 60; id++) {
    for (const { peer, token } of crowd) {
      room.say(peer, token, id, "spam");
      room.v1(peer, "LOOKUP", { id, token, name: "Nobody" });
    }
  }
  assertEquals(room.notices(room.order("kick Bob")), ["Bob was kicked by Alice"]);
  assertEquals(room.notices(room.type(T, "/kick Carol")), ["Carol was kicked by Tom"]);
  assertEquals(room.answer("bans"), "Nobody is banned");
  // its own orders are limited
  const done = Array.from({ length: 60 }, (_, i) => room.answer(`say ${i}`)).filter((answer) => answer === "");
  assertEquals(done.length, 39);
});
