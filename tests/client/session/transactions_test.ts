/** Transactions to the server: repeated until answered, given up in time, answered once. */
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { type Answer, ANSWER_DEADLINE_MS, Transactions } from "../../../client/session/transactions.ts";
import type { V1Packet } from "../../../protocol.ts";
import { RoundTrip } from "../../../protocol/reliable/round_trip.ts";

const TOKEN = "5f1c0d9a7be2e604";

class Asker {
  now = 0;
  readonly sent: { id: number; at: number }[] = [];
  /** What became of the questions, in order. */
  readonly told: string[] = [];
  readonly transactions = new Transactions(
    new RoundTrip(),
    (packet) => this.sent.push({ id: (packet as { id: number }).id, at: this.now }),
    100,
  );

  ask(label: string): void {
    this.transactions.begin({
      packet: (id): V1Packet => ({ dialect: "v1", type: "LIST", id, token: TOKEN }),
      answered: (answer) => this.told.push(`${label}: ${answer.type}`),
      failed: () => this.told.push(`${label}: failed at ${this.now}`),
    }, this.now);
  }

  /** Moves the clock on, and wakes the questions when they want it. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let at; (at = this.transactions.nextWake) !== undefined && at <= end;) {
      assert(Math.ceil(at) > this.now, `wants to be woken at ${at} when it is ${this.now}`);
      this.now = Math.ceil(at);
      this.transactions.wake(this.now);
    }
    this.now = end;
  }
}

function users(id: number): Answer {
  return { dialect: "v1", type: "USERS", id, total: 0, unnamed: 0, names: [] };
}

Deno.test("transactions: sent at once, again at growing pauses, and given up after 5 s, once", () => {
  const asker = new Asker();
  asker.ask("list");
  assertEquals(asker.sent, [{ id: 101, at: 0 }]);
  asker.pass(20_000);
  assertEquals(asker.told, [`list: failed at ${ANSWER_DEADLINE_MS}`]);
  assertEquals([asker.transactions.size, asker.transactions.nextWake], [0, undefined]);
  const pauses = asker.sent.slice(1).map(({ at }, i) => at - asker.sent[i].at);
  for (const [i, pause] of pauses.slice(1).entries()) assert(pause >= pauses[i], `${pauses}`);
  assertGreater(pauses.length, 4);
  assertLessOrEqual(pauses.length, 12);
  assert(asker.sent.every(({ id }) => id === 101), "a repeat has another id");
});

Deno.test("transactions: answered once; repeats of the answer, late ones and answers to nothing are passed over", () => {
  const asker = new Asker();
  asker.ask("a");
  asker.ask("b");
  assertEquals(asker.transactions.answer(users(102), 5), true);
  assertEquals(asker.transactions.answer(users(102), 6), false);
  assertEquals(asker.transactions.answer(users(103), 6), false);
  assertEquals(asker.transactions.answer({ dialect: "v1", type: "ERROR", code: "no-such-user", text: "x" }, 6), false);
  assertEquals(asker.transactions.answer({ dialect: "v1", type: "ERROR", code: "x", id: 101, text: "x" }, 7), true);
  assertEquals(asker.told, ["b: USERS", "a: ERROR"]);
  const sent = asker.sent.length;
  asker.pass(20_000);
  assertEquals([asker.told.length, asker.sent.length], [2, sent]);
  assertEquals(asker.transactions.answer(users(101), asker.now), false);
});

Deno.test("transactions: an answer, and a failure, may lead to the next question", () => {
  const asker = new Asker();
  const { transactions } = asker;
  const packet = (id: number): V1Packet => ({ dialect: "v1", type: "LIST", id, token: TOKEN });
  transactions.begin({ packet, answered: () => asker.ask("second"), failed: () => asker.ask("after failure") }, 0);
  transactions.answer(users(101), 0);
  assertEquals(asker.sent.map(({ id }) => id), [101, 102]);
  transactions.answer(users(102), 0);
  transactions.begin({ packet, answered: () => {}, failed: () => asker.ask("after failure") }, 0);
  asker.pass(ANSWER_DEADLINE_MS);
  assertEquals(asker.sent.at(-1), { id: 104, at: ANSWER_DEADLINE_MS });
  asker.pass(ANSWER_DEADLINE_MS);
  assertEquals(asker.told, ["second: USERS", `after failure: failed at ${2 * ANSWER_DEADLINE_MS}`]);
});

Deno.test("transactions: each repeat is made anew, so that it carries the token of the moment", () => {
  let token = TOKEN;
  const sent: V1Packet[] = [];
  const transactions = new Transactions(new RoundTrip(), (packet) => sent.push(packet));
  const packet = (id: number): V1Packet => ({ dialect: "v1", type: "LIST", id, token });
  transactions.begin({ packet, answered: () => {} }, 0);
  token = "0123456789abcdef";
  transactions.wake(Math.ceil(transactions.nextWake!));
  assertEquals(sent.map((packet) => "token" in packet && packet.token), [TOKEN, token]);
});

Deno.test("transactions: the ids begin at random, so that an answer can't be forged by counting", () => {
  const ids = Array.from({ length: 8 }, () => {
    let first = 0;
    const transactions = new Transactions(new RoundTrip(), (packet) => first = (packet as { id: number }).id);
    transactions.begin({ packet: (id) => ({ dialect: "v1", type: "LIST", id, token: TOKEN }), answered: () => {} }, 0);
    return first;
  });
  assertEquals(new Set(ids).size, 8);
});
